//! What a host does, in closed forms (`closed_forms`) and whatever is asked of it (`properties`).

mod closed_forms;
mod properties;

use std::sync::Arc;

use mesos::{
    id::{FrameworkId, Id, TaskId},
    resource::Scalar,
    task::TaskKey,
    time::{Span, Time},
};

use super::{EndReason, Happening, Host, HostOptions, How, Images, Limits, MemPeak, Peak, Profile, Work};

fn key(task: usize) -> TaskKey {
    TaskKey { framework: FrameworkId::new(0), task: TaskId::new(task) }
}

fn secs(secs: f64) -> Span {
    Span::from_secs_f64(secs).unwrap()
}

fn at(secs: f64) -> Time {
    Time::ZERO + self::secs(secs)
}

/// A task without a profile: one CPU, 100 MiB.
fn plain(task: usize, runtime: f64) -> Work {
    Work {
        key: key(task),
        runtime: secs(runtime),
        cpus: Scalar::whole(1),
        mem: Scalar::whole(100),
        limits: Limits::default(),
        revocable: false,
        profile: None,
    }
}

fn profiled(task: usize, runtime: f64, profile: Profile) -> Work {
    Work { profile: Some(Arc::new(profile)), ..plain(task, runtime) }
}

/// A task that keeps more CPUs busy than the one that it requests.
fn busy(task: usize, runtime: f64, cpus: i64) -> Work {
    profiled(task, runtime, Profile { cpus: Some(Scalar::whole(cpus)), ..Profile::default() })
}

/// A host, and what happened on it.
struct Driven {
    host: Host,
    now: Time,
    log: Vec<(Time, Happening)>,
}

impl Driven {
    fn new(cpus: i64, options: HostOptions, images: Images) -> Self {
        let host = Host::new(Scalar::whole(cpus), Arc::new(options), Arc::new(images));
        Self { host, now: Time::ZERO, log: Vec::new() }
    }

    fn of(cpus: i64) -> Self {
        Self::new(cpus, HostOptions::default(), Images::default())
    }

    /// Lets time pass, and wakes the host when it wants to be woken.
    fn until(&mut self, now: Time) -> &mut Self {
        while let Some(next) = self.host.next_wake().filter(|&next| next <= now) {
            self.tell(next, |host, out| host.wake(next, out));
        }
        self.now = now;
        self
    }

    fn finish(&mut self) -> &mut Self {
        self.until(Time::MAX)
    }

    fn tell<R>(&mut self, now: Time, verb: impl FnOnce(&mut Host, &mut Vec<Happening>) -> R) -> R {
        let mut out = Vec::new();
        let answer = verb(&mut self.host, &mut out);
        self.log.extend(out.into_iter().map(|happening| (now, happening)));
        answer
    }

    fn start(&mut self, now: f64, work: Work) -> &mut Self {
        self.until(at(now)).tell(at(now), |host, out| host.start(at(now), work, out));
        self
    }

    fn kill(&mut self, now: f64, task: usize, grace: f64) -> &mut Self {
        self.until(at(now)).tell(at(now), |host, out| host.kill(at(now), key(task), secs(grace), out));
        self
    }

    fn set_rate(&mut self, now: f64, factor: f64) -> &mut Self {
        self.until(at(now)).host.set_rate(at(now), factor);
        self
    }

    fn granted(&self, task: usize) -> f64 {
        self.host.look(self.now, key(task)).map_or(0.0, |look| look.granted)
    }

    fn started(&self, task: usize) -> Option<f64> {
        let wanted = Happening::Started { key: key(task) };
        let mut starts = self.log.iter().filter(|(_, happening)| *happening == wanted);
        let first = starts.next().map(|(at, _)| at.as_secs_f64());
        assert_eq!(starts.next(), None, "task {task} started twice");
        first
    }

    /// When it ended, how, how long it ran and how far it came.
    fn ended(&self, task: usize) -> Option<(f64, How, f64, f64)> {
        let mut ends = self.log.iter().filter_map(|&(at, happening)| match happening {
            Happening::Ended { key: ended, how, ran, progress, .. } if ended == key(task) => {
                Some((at.as_secs_f64(), how, ran.as_secs_f64(), progress.as_secs_f64()))
            }
            Happening::Ended { .. } | Happening::Started { .. } => None,
        });
        let first = ends.next();
        assert_eq!(ends.next(), None, "task {task} ended twice");
        first
    }

    fn ended_at(&self, task: usize) -> Option<f64> {
        self.ended(task).map(|(at, ..)| at)
    }
}
