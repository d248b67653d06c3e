//! Progress bars: one for each run under way, over simulated time.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use mesos::time::Time;

use crate::{
    experiment::{
        prepare::Prepared,
        run::{Done, Watcher, events_per_second},
        simulate::Cell,
    },
    report::units::{count, duration},
    world::Progress,
};

/// Hidden when the output is not a terminal; lines about finished runs are printed all the same.
pub(super) struct Bars<'a> {
    prepared: &'a Prepared,
    all: MultiProgress,
    running: Mutex<BTreeMap<(usize, u64), (ProgressBar, Instant)>>,
    last_arrival: Time,
}

impl<'a> Bars<'a> {
    pub(super) fn new(prepared: &'a Prepared) -> Self {
        let (_, last_arrival) = prepared.jobs_and_last_arrival();
        Self { prepared, all: MultiProgress::new(), running: Mutex::default(), last_arrival }
    }

    pub(super) fn clear(&self) {
        let _ = self.all.clear(); // a terminal that cannot be cleared is no reason to fail
    }

    fn name(&self, cell: Cell) -> String {
        format!("{} seed {}", self.prepared.experiment.policy[cell.policy].name, cell.seed)
    }
}

impl Watcher for Bars<'_> {
    fn started(&self, cell: Cell) {
        let style = ProgressStyle::with_template("{prefix:24} {bar:30} {msg}").expect("a constant template");
        let bar = self.all.add(ProgressBar::new(self.last_arrival.0.max(1)).with_style(style));
        bar.set_prefix(self.name(cell));
        self.running.lock().expect("a run panicked").insert((cell.policy, cell.seed), (bar, Instant::now()));
    }

    fn progress(&self, cell: Cell, progress: Progress) {
        let running = self.running.lock().expect("a run panicked");
        let Some((bar, began)) = running.get(&(cell.policy, cell.seed)) else { return };
        bar.set_position(progress.now.0.min(self.last_arrival.0));
        bar.set_message(describe(progress, began.elapsed()));
    }

    fn finished(&self, cell: Cell, done: &Done) {
        let bar = self.running.lock().expect("a run panicked").remove(&(cell.policy, cell.seed));
        if let Some((bar, _)) = bar {
            bar.finish_and_clear();
        }
        let line = format!(
            "{}: {} in {:.2} s",
            self.name(cell),
            describe(done.progress, done.wall),
            done.wall.as_secs_f64()
        );
        if self.all.is_hidden() {
            println!("{line}");
        } else {
            let _ = self.all.println(line); // as above
        }
    }
}

fn describe(progress: Progress, wall: Duration) -> String {
    let rate = events_per_second(progress, wall) / 1e6;
    let (simulated, events) = (duration(progress.now.as_secs_f64()), count(progress.events as f64));
    format!("{simulated} simulated, {events} events, {rate:.2} M events/s")
}
