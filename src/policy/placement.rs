//! Placement: on which of the offered agents a task goes.

use mesos::{id::AgentId, resource::ResourceName};
use rand_pcg::Pcg64Mcg;

use super::{Entry, pool::Pool};
use crate::{engine::random::below, workload::Demand};

/// Chooses an agent.
pub trait Placement: Send {
    /// An agent of the pool on which the demand fits, or `None` if there is none. `rng` is the task's own.
    fn place(&mut self, demand: &Demand, pool: &Pool, rng: &mut dyn FnMut() -> Pcg64Mcg) -> Option<AgentId>;
}

/// All placements.
pub const PLACEMENTS: &[Entry<Box<dyn Placement>>] = &[
    Entry {
        name: "first-fit",
        about: "the lowest-numbered agent that fits",
        source: "textbook",
        build: || Box::new(FirstFit),
    },
    Entry {
        name: "best-fit",
        about: "the agent with the least CPU left; ties to the lowest-numbered",
        source: "textbook",
        build: || Box::new(BestFit),
    },
    Entry {
        name: "worst-fit",
        about: "the agent with the most CPU left; ties to the lowest-numbered",
        source: "textbook",
        build: || Box::new(WorstFit),
    },
    Entry {
        name: "gpu-best-fit",
        about: "the agent with the least GPU left, then the least CPU; ties to the lowest-numbered",
        source: "textbook best fit, GPUs first",
        build: || Box::new(GpuBestFit),
    },
    Entry {
        name: "random-fit",
        about: "one of the agents that fit, each equally likely",
        source: "textbook",
        build: || Box::new(RandomFit),
    },
];

struct FirstFit;

impl Placement for FirstFit {
    fn place(&mut self, demand: &Demand, pool: &Pool, _: &mut dyn FnMut() -> Pcg64Mcg) -> Option<AgentId> {
        pool.fitting(demand).next()
    }
}

struct BestFit;

impl Placement for BestFit {
    fn place(&mut self, demand: &Demand, pool: &Pool, _: &mut dyn FnMut() -> Pcg64Mcg) -> Option<AgentId> {
        pool.fewest_free_cpus(demand)
    }
}

struct WorstFit;

impl Placement for WorstFit {
    fn place(&mut self, demand: &Demand, pool: &Pool, _: &mut dyn FnMut() -> Pcg64Mcg) -> Option<AgentId> {
        pool.fitting(demand).min_by_key(|&agent| -pool.free(agent).get(ResourceName::Cpus).0)
    }
}

struct GpuBestFit;

impl Placement for GpuBestFit {
    fn place(&mut self, demand: &Demand, pool: &Pool, _: &mut dyn FnMut() -> Pcg64Mcg) -> Option<AgentId> {
        let left = |agent| {
            let free = pool.free(agent);
            (free.get(ResourceName::Gpus), free.get(ResourceName::Cpus))
        };
        pool.fitting(demand).min_by_key(|&agent| left(agent))
    }
}

struct RandomFit;

impl Placement for RandomFit {
    fn place(&mut self, demand: &Demand, pool: &Pool, rng: &mut dyn FnMut() -> Pcg64Mcg) -> Option<AgentId> {
        let fitting = pool.fitting(demand).count();
        (fitting > 0)
            .then(|| below(&mut rng(), fitting as u64) as usize)
            .and_then(|nth| pool.fitting(demand).nth(nth))
    }
}

#[cfg(test)]
mod tests {
    use mesos::{
        id::{FrameworkId, Id, OfferId, RoleId},
        offer::Offer,
        resource::{Devices, ResourceQuantities, Resources, Scalar},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::{
        engine::random::{Seed, Stream},
        workload::{GpuDemand, ModelSet},
    };

    fn pool(free: &[(i64, u16)], indexed: bool) -> Pool {
        let mut pool = Pool::new(indexed);
        for (number, &(cpus, gpu)) in free.iter().enumerate() {
            let scalars = ResourceQuantities::new([Scalar(cpus), Scalar::ZERO, Scalar::ZERO, Scalar::ZERO]);
            let resources = Resources::of(scalars).with_devices(Devices::share(0, gpu));
            let (framework, role) = (FrameworkId::new(0), RoleId::new(0));
            let (id, agent) = (OfferId(number as u64), AgentId::new(number));
            pool.add(Offer { id, framework, role, agent, resources, unavailability: None }, ModelSet::ANY);
        }
        pool
    }

    fn place(name: &str, demand: &Demand, pool: &Pool) -> Option<usize> {
        let mut policy = (super::super::find(PLACEMENTS, name).unwrap().build)();
        policy.place(demand, pool, &mut || Seed(1).of(Stream::Placement, 0)).map(Id::index)
    }

    #[test]
    fn each_placement_chooses_by_its_own_rule() {
        let pool = pool(&[(5, 1000), (3, 500), (9, 1000), (3, 400), (4, 400)], false);
        let cpus = Demand { cpus: Scalar(3), ..Demand::default() };
        let half = Demand { gpus: GpuDemand::Share(450), ..cpus };
        assert_eq!(place("first-fit", &cpus, &pool), Some(0));
        assert_eq!(place("best-fit", &cpus, &pool), Some(1));
        assert_eq!(place("worst-fit", &cpus, &pool), Some(2));
        assert_eq!(place("gpu-best-fit", &cpus, &pool), Some(3));
        assert_eq!(place("gpu-best-fit", &half, &pool), Some(1));
    }

    proptest! {
        /// Over every entry: it chooses an agent on which the task fits, exactly when there is one, and always the same.
        #[test]
        fn every_placement_is_total_and_never_places_where_it_does_not_fit(
            free in prop::collection::vec((0i64..9, 0u16..=1000), 0..70), cpus in 0i64..9, share in 0u16..1000
        ) {
            let gpus = if share == 0 { GpuDemand::None } else { GpuDemand::Share(share) };
            let demand = Demand { cpus: Scalar(cpus), gpus, ..Demand::default() };
            let [plain, indexed] = [false, true].map(|indexed| pool(&free, indexed));
            let possible = plain.fitting(&demand).next().is_some();
            for entry in PLACEMENTS {
                let chosen = place(entry.name, &demand, &plain);
                prop_assert_eq!(chosen.is_some(), possible, "{}", entry.name);
                prop_assert!(chosen.is_none_or(|agent| plain.fits(&demand, AgentId::new(agent))), "{}", entry.name);
                prop_assert_eq!(chosen, place(entry.name, &demand, &indexed), "{} with an index", entry.name);
            }
        }
    }
}
