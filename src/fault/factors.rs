//! Factors that several causes put on machines at once, such as slowness or lost capacity.

use mesos::id::{Id, IdVec};
use smallvec::SmallVec;

use super::CauseId;
use crate::cluster::MachineId;

/// The factors of all machines. A machine's is the product of those of its causes, always multiplied in the same order, so
/// that it is exactly 1 again when all are lifted.
#[derive(Clone, Debug, Default)]
pub struct Factors {
    of_machine: IdVec<MachineId, SmallVec<[(CauseId, f64); 1]>>,
}

impl Factors {
    /// Puts a factor on a machine, in place of one that the same cause put there before; returns the product.
    pub fn put(&mut self, machine: MachineId, cause: CauseId, factor: f64) -> f64 {
        let factors = self.of_machine.grow_to(machine, SmallVec::default);
        factors.retain(|(other, _)| *other != cause);
        let place = factors.partition_point(|(other, _)| other.index() < cause.index());
        factors.insert(place, (cause, factor));
        self.of(machine)
    }

    /// Lifts the factor of a cause; returns the product of those that are left.
    pub fn lift(&mut self, machine: MachineId, cause: CauseId) -> f64 {
        self.of_machine.grow_to(machine, SmallVec::default).retain(|(other, _)| *other != cause);
        self.of(machine)
    }

    /// The factor of a machine.
    #[must_use]
    pub fn of(&self, machine: MachineId) -> f64 {
        self.of_machine.get(machine).map_or(1.0, |factors| factors.iter().map(|(_, factor)| factor).product())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "the point is that nothing is rounded")]
    fn factors_multiply_and_leave_no_trace() {
        let mut factors = Factors::default();
        let machine = MachineId::new(3);
        let causes = [0, 1].map(CauseId::new);
        assert_eq!(factors.of(machine), 1.0);
        factors.put(machine, causes[0], 0.1);
        factors.put(machine, causes[0], 0.3);
        assert_eq!(factors.put(machine, causes[1], 0.7), 0.3 * 0.7);
        assert_eq!(factors.lift(machine, causes[0]), 0.7);
        assert_eq!(factors.lift(machine, causes[1]), 1.0);
    }
}
