//! The queue of a batch framework: tasks in the order in which they are tried, and the question whether something as easy to
//! place waits already.
//!
//! Many tasks ask for the same, so equal demands are counted, and only the easiest of them are looked at: a new task is easier
//! than all that wait exactly if it is easier than those.

use std::collections::BTreeMap;

use mesos::id::TaskId;

use crate::workload::{Demand, GpuDemand, TaskSpec};

/// Place in the queue: the order's key as sortable bits, then order of arrival.
pub(super) type QueueKey = (u64, u64);

/// A task that waits.
#[derive(Clone, Copy)]
pub(super) struct Waiting {
    /// Under which id it will be launched.
    pub(super) id: TaskId,
    /// As its job has it.
    pub(super) task: TaskId,
    pub(super) spec: TaskSpec,
}

/// A demand as numbers that have an order.
type DemandKey = (i64, i64, i64, u32, bool, u64);

/// See the [module](self).
#[derive(Default)]
pub(super) struct Queue {
    tasks: BTreeMap<QueueKey, Waiting>,
    /// How many tasks wait that ask for this.
    demands: BTreeMap<DemandKey, (Demand, u32)>,
    /// Those demands than which no other is easier; `None`: they have to be found anew.
    easiest: Option<Vec<Demand>>,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// All tasks, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (QueueKey, &Waiting)> {
        self.tasks.iter().map(|(&key, waiting)| (key, waiting))
    }

    /// The place of the first.
    pub(super) fn head(&self) -> Option<QueueKey> {
        self.tasks.first_key_value().map(|(&key, _)| key)
    }

    /// # Panics
    /// The place is taken.
    pub(super) fn insert(&mut self, key: QueueKey, waiting: Waiting) {
        let demand = waiting.spec.demand;
        self.demands.entry(sortable(&demand)).or_insert((demand, 0)).1 += 1;
        if let Some(easiest) = &mut self.easiest
            && !easiest.iter().any(|known| known.is_no_harder_than(&demand))
        {
            easiest.retain(|known| !demand.is_no_harder_than(known));
            easiest.push(demand);
        }
        let other = self.tasks.insert(key, waiting);
        assert!(other.is_none(), "{:?} is queued twice", waiting.task);
    }

    pub(super) fn remove(&mut self, key: QueueKey) -> Option<Waiting> {
        let waiting = self.tasks.remove(&key)?;
        let demand = sortable(&waiting.spec.demand);
        let (_, count) = self.demands.get_mut(&demand).expect("a demand that was counted");
        *count -= 1;
        if *count == 0 {
            self.demands.remove(&demand);
            if self.easiest.as_ref().is_some_and(|easiest| easiest.contains(&waiting.spec.demand)) {
                self.easiest = None;
            }
        }
        Some(waiting)
    }

    /// Whether something waits that would do with any place that serves this.
    pub(super) fn has_no_harder(&mut self, demand: &Demand) -> bool {
        let demands = &self.demands;
        let easiest = self.easiest.get_or_insert_with(|| easiest(demands.values().map(|(demand, _)| demand)));
        easiest.iter().any(|known| known.is_no_harder_than(demand))
    }
}

fn easiest<'a>(demands: impl Iterator<Item = &'a Demand>) -> Vec<Demand> {
    let mut easiest: Vec<Demand> = Vec::new();
    for demand in demands {
        if !easiest.iter().any(|known| known.is_no_harder_than(demand)) {
            easiest.retain(|known| !demand.is_no_harder_than(known));
            easiest.push(*demand);
        }
    }
    easiest
}

fn sortable(demand: &Demand) -> DemandKey {
    let gpus = match demand.gpus {
        GpuDemand::None => 0,
        GpuDemand::Share(share) => u32::from(share),
        GpuDemand::Whole(count) => (u32::from(count) + 1) << 16,
    };
    (demand.cpus.0, demand.mem.0, demand.disk.0, gpus, demand.revocable, demand.models.0)
}

#[cfg(test)]
mod tests {
    use mesos::{id::Id, resource::Scalar, time::Span};
    use proptest::prelude::*;

    use super::*;

    fn waiting(number: usize, cpus: i64, mem: i64) -> Waiting {
        let demand = Demand { cpus: Scalar(cpus), mem: Scalar(mem), ..Demand::default() };
        let task = TaskId::new(number);
        Waiting { id: task, task, spec: TaskSpec { demand, runtime: Span::ZERO, profile: 0 } }
    }

    proptest! {
        #[test]
        fn it_is_as_if_all_that_wait_were_looked_at(
            steps in prop::collection::vec((0i64..5, 0i64..5, any::<bool>()), 1..60),
        ) {
            let mut queue = Queue::default();
            for (number, (cpus, mem, leaves)) in steps.into_iter().enumerate() {
                let new = waiting(number, cpus, mem);
                let demand = new.spec.demand;
                let any = queue.iter().any(|(_, waiting)| waiting.spec.demand.is_no_harder_than(&demand));
                prop_assert_eq!(queue.has_no_harder(&demand), any);
                queue.insert((0, number as u64), new);
                if leaves && let Some(head) = queue.head() {
                    queue.remove(head);
                }
            }
        }
    }
}
