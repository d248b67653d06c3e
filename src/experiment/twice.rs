//! Whether a run can be trusted to come out the same again: does it twice and compares.

use std::sync::atomic::AtomicBool;

use super::{prepare::Prepared, simulate::Cell};
use crate::record::{Observer, RecordHash, Transcript};

/// How two runs of one cell compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Record for record the same.
    Same {
        /// The hash of both.
        hash: u64,
        /// How many records.
        records: u64,
    },
    /// Not the same.
    Different {
        /// Number of the first record that differs, from 0.
        record: u64,
        /// That record in the first and in the second run; empty where a run had ended.
        lines: [String; 2],
    },
    /// Somebody asked to stop.
    Interrupted,
}

impl Prepared {
    /// Runs a cell twice. If the runs differ, runs it twice again to find the first record that does.
    #[must_use]
    pub fn twice(&self, cell: Cell, stop: &AtomicBool) -> Comparison {
        let [first, second] = [0, 1].map(|_| self.observed(cell, stop, RecordHash::default()));
        if stop.load(std::sync::atomic::Ordering::Relaxed) {
            return Comparison::Interrupted;
        }
        let Some(block) = first.first_different_block(&second) else {
            return Comparison::Same { hash: first.value(), records: first.records() };
        };
        let transcripts = [0, 1].map(|_| self.observed(cell, stop, Transcript::of_block(block)));
        first_difference(block, &transcripts)
    }

    fn observed<O: Observer>(&self, cell: Cell, stop: &AtomicBool, observer: O) -> O {
        let mut world = self.world(cell, observer);
        let until = self.experiment.until.map(|until| mesos::time::Time(until.0.0));
        world.run(until, stop, &mut |_| {});
        world.into_observer()
    }
}

fn first_difference(block: u64, [first, second]: &[Transcript; 2]) -> Comparison {
    let longest = first.lines().len().max(second.lines().len());
    let line = |transcript: &Transcript, at: usize| transcript.lines().get(at).cloned().unwrap_or_default();
    let differs = (0..longest).find(|&at| line(first, at) != line(second, at));
    let at = differs.unwrap_or(0); // the difference did not repeat: its block is all there is to tell
    let lines = [line(first, at), line(second, at)];
    Comparison::Different { record: block * crate::record::BLOCK + at as u64, lines }
}

#[cfg(test)]
mod tests {
    use mesos::{id::Id, time::Time};

    use super::*;
    use crate::record::Record;

    fn transcript(agents: &[usize]) -> Transcript {
        let mut transcript = Transcript::of_block(0);
        for (at, &agent) in agents.iter().enumerate() {
            let framework = mesos::id::FrameworkId::new(agent);
            let role = mesos::id::RoleId::new(0);
            let record = Record::FrameworkSubscribed { framework, place: agent, role, top: role };
            transcript.observe(Time(at as u64), &record);
        }
        transcript
    }

    #[test]
    fn the_first_record_that_differs_is_named() {
        let Comparison::Different { record, lines } =
            first_difference(2, &[transcript(&[1, 2, 3]), transcript(&[1, 5])])
        else {
            panic!("they differ")
        };
        assert_eq!(record, 2 * crate::record::BLOCK + 1);
        assert!(lines[0].contains("FrameworkId(2)") && lines[1].contains("FrameworkId(5)"), "{lines:?}");
    }
}
