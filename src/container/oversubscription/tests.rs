use mesos::{
    id::{FrameworkId, Id, TaskId},
    resource::Scalar,
};
use proptest::prelude::*;

use super::*;
use crate::policy::find;

fn key(task: usize) -> TaskKey {
    TaskKey { framework: FrameworkId::new(0), task: TaskId::new(task) }
}

/// Ten CPUs, eight of them requested, three of these used, and revocable containers that request and want so much.
fn host(revocable: &[(i64, i64)]) -> HostView {
    let wanted = revocable.iter().map(|(_, wanted)| wanted).sum::<i64>() + 3;
    let revocable = revocable.iter().enumerate().map(|(task, &(allocated, wanted))| Revocable {
        key: key(task),
        allocated: Scalar::whole(allocated),
        wanted: Scalar::whole(wanted),
    });
    HostView {
        cpus: Scalar::whole(10),
        allocated: Scalar::whole(8),
        used: Scalar::whole(3),
        wanted: Scalar::whole(wanted),
        revocable: revocable.collect(),
    }
}

fn estimate(name: &str, host: &HostView) -> Scalar {
    let settings = Settings { revocable_cpus: Scalar::whole(4), ..Settings::default() };
    let make = (find(RESOURCE_ESTIMATORS, name).unwrap().build)();
    make(&settings).oversubscribable(host)
}

fn evicted(name: &str, load_threshold: f64, host: &HostView) -> Vec<usize> {
    let settings = Settings { load_threshold, ..Settings::default() };
    let make = (find(QOS_CONTROLLERS, name).unwrap().build)();
    make(&settings).corrections(host).into_iter().map(|key| key.task.index()).collect()
}

#[test]
fn an_estimate_leaves_out_what_revocable_containers_have_already() {
    assert_eq!(estimate("fixed", &host(&[])), Scalar::whole(4));
    assert_eq!(estimate("fixed", &host(&[(1, 0), (2, 0)])), Scalar::whole(1));
    assert_eq!(estimate("usage-slack", &host(&[])), Scalar::whole(5));
    assert_eq!(estimate("usage-slack", &host(&[(1, 0), (2, 0)])), Scalar::whole(2));
    assert_eq!(estimate("usage-slack", &host(&[(9, 0)])), Scalar::ZERO);
}

#[test]
fn the_most_recent_go_until_the_rest_fits() {
    assert_eq!(evicted("load", 1.0, &host(&[(1, 4), (1, 3)])), [0_usize; 0]);
    assert_eq!(evicted("load", 1.0, &host(&[(1, 4), (1, 3), (1, 1)])), [2]);
    assert_eq!(evicted("load", 0.5, &host(&[(1, 1), (1, 4), (1, 0), (1, 3)])), [3, 1]);
    assert_eq!(evicted("load", 0.1, &host(&[(1, 1), (1, 4)])), [1, 0]);
    assert_eq!(evicted("none", 0.1, &host(&[(1, 1), (1, 4)])), [0_usize; 0]);
}

proptest! {
    /// Over every entry.
    #[test]
    fn estimates_are_never_negative_and_only_revocable_containers_are_evicted_each_once(
        revocable in prop::collection::vec((0i64..5, 0i64..5), 0..8), threshold in 0.0f64..2.0
    ) {
        let host = host(&revocable);
        for entry in RESOURCE_ESTIMATORS {
            prop_assert!(estimate(entry.name, &host) >= Scalar::ZERO, "{}", entry.name);
        }
        for entry in QOS_CONTROLLERS {
            let mut tasks = evicted(entry.name, threshold, &host);
            let count = tasks.len();
            tasks.sort_unstable();
            tasks.dedup();
            prop_assert_eq!(tasks.len(), count, "{}", entry.name);
            prop_assert!(tasks.iter().all(|&task| task < revocable.len()), "{}", entry.name);
        }
    }
}
