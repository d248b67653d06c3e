use mesos::{
    capability::Capabilities,
    effects::Container,
    event::ToAgent,
    resource::Resources,
    task::{
        Reason,
        TaskState::{self, Dropped, Lost},
    },
    time::Span,
};

use crate::talk::{Talk, framework, framework_info, json, key, resources, run, run_of, task};

const RESERVED: &str = r#"[{"name":"cpus","type":"SCALAR","scalar":{"value":1},
    "reservations":[{"type":"DYNAMIC","role":"r"}]}]"#;

fn reserved() -> Resources {
    json(RESERVED)
}

#[test]
fn a_command_task_starts_at_once() {
    let mut talk = Talk::new();
    talk.run(0);
    let order = Container::Run { key: key(0), task: task(0, "cpus:1;mem:32") };
    assert_eq!((talk.orders(), talk.messages()), (vec![order], vec![]));
    assert_eq!(talk.agent.tasks(), [(key(0), TaskState::Staging)]);
    assert_eq!(talk.agent.free(), resources("cpus:3;mem:4064"));
}

#[test]
#[should_panic(expected = "free are cpus:1")]
fn an_agent_is_never_given_more_than_it_has() {
    let mut talk = Talk::new();
    talk.tell(run(vec![task(0, "cpus:3;mem:32")]));
    talk.tell(run(vec![task(1, "cpus:1.001;mem:32")]));
}

#[test]
fn a_task_on_reserved_resources_that_the_agent_does_not_know_is_dropped() {
    let mut talk = Talk::new();
    let mut wanted = task(0, "mem:32");
    wanted.resources += &reserved();
    talk.tell(run(vec![wanted]));
    assert_eq!(talk.told(), [(0, Dropped, Some(Reason::ResourcesUnknown))]);
    assert_eq!(talk.agent.free(), *talk.agent.total());
}

#[test]
fn a_framework_that_is_not_partition_aware_hears_of_lost_tasks() {
    let mut talk = Talk::new();
    let mut info = framework_info();
    info.capabilities = Capabilities::NONE;
    let mut wanted = task(0, "mem:32");
    wanted.resources += &reserved();
    talk.tell(run_of(info, vec![wanted]));
    assert_eq!(talk.told(), [(0, Lost, Some(Reason::ResourcesUnknown))]);
}

#[test]
fn a_task_for_resources_that_the_machine_has_just_lost_is_dropped() {
    let mut talk = Talk::new();
    talk.run(0);
    talk.agent.set_total(talk.now, resources("cpus:1;mem:4096"), &mut talk.said);
    talk.messages();
    talk.run(1);
    assert_eq!(talk.told(), [(1, Dropped, Some(Reason::ResourcesUnknown))]);
    assert_eq!(talk.agent.free(), resources("mem:4064"));
}

#[test]
fn a_master_that_forgot_tasks_may_overcommit_an_agent() {
    let mut talk = Talk::new();
    talk.tell(run(vec![task(0, "cpus:4;mem:32")]));
    talk.reregister(vec![]);
    talk.run(1);
    assert_eq!(talk.agent.tasks().len(), 2);
    assert_eq!(talk.agent.free(), resources("mem:4032"));
    talk.task_is(0, TaskState::Finished);
    assert_eq!(talk.agent.free(), resources("cpus:3;mem:4064"));
}

#[test]
fn tasks_of_a_framework_that_is_gone_end_and_are_forgotten() {
    let mut talk = Talk::new();
    talk.run_up(0);
    talk.run_in_executor(&[1], true);
    talk.executor_is_up();
    talk.orders();
    talk.tell(ToAgent::ShutdownFramework(framework()));
    let grace = Span::from_secs(5);
    let executor = mesos::id::Id::new(0);
    let ends = [
        Container::Kill { key: key(0), grace },
        Container::Shutdown { framework: framework(), executor, grace },
    ];
    assert_eq!(talk.orders(), ends);
    talk.task_is(0, TaskState::Killed);
    talk.executor_exits(None);
    assert_eq!((talk.messages(), talk.agent.tasks()), (vec![], vec![]));
    assert_eq!(talk.agent.free(), *talk.agent.total());
}

#[test]
fn a_shared_volume_is_held_by_nobody_alone() {
    let shared = r#"[{"name":"disk","type":"SCALAR","scalar":{"value":64},"shared":{},
        "reservations":[{"type":"DYNAMIC","role":"r"}],
        "disk":{"persistence":{"id":"v"},"volume":{"container_path":"p","mode":"RW"}}}]"#;
    let volume = json(shared);
    let mut talk = Talk::new();
    let mut total = talk.agent.total().clone();
    total += &volume;
    talk.agent.set_total(talk.now, total.clone(), &mut talk.said);
    for n in 0..2 {
        let mut wanted = task(n, "cpus:1;mem:32");
        wanted.resources += &volume;
        talk.tell(run(vec![wanted]));
    }
    assert!(talk.agent.free().contains(&volume));
    talk.task_is(0, TaskState::Finished);
    talk.task_is(1, TaskState::Finished);
    assert_eq!(talk.agent.free(), total);
}
