//! The allocator alone, on clusters of up to 50,000 agents of which everything is offered and given back in each cycle.
//!
//! Framework i is in role i mod R; agent i has 24 cpus, 4,096 MB, 4,096 MB of disk and 1,001 ports, of which framework
//! i mod F uses two thirds. In a cycle every offer is recovered by a call of its own, then the periodic allocation visits
//! all agents.

use mesos::{
    allocator::{
        Allocations, Allocator, AllocatorAgent, AllocatorFramework, AllocatorOptions, Held,
        HierarchicalAllocator,
    },
    capability::{AgentCapabilities, Capabilities},
    id::{AgentId, FrameworkId, Id, RoleId},
    offer::Filters,
    resource::Resources,
    time::{Span, Time},
};

use crate::{engine::random::Seed, world::Shuffled};

/// How large the cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How many agents.
    pub agents: usize,
    /// How many frameworks.
    pub frameworks: usize,
    /// How many roles.
    pub roles: usize,
}

/// All sizes that `mesosim bench allocator` measures.
pub const SIZES: &[Size] = &[
    Size { agents: 1_000, frameworks: 50, roles: 50 },
    Size { agents: 1_000, frameworks: 200, roles: 200 },
    Size { agents: 1_000, frameworks: 200, roles: 1 },
    Size { agents: 5_000, frameworks: 200, roles: 200 },
    Size { agents: 10_000, frameworks: 200, roles: 200 },
    Size { agents: 10_000, frameworks: 200, roles: 1 },
    Size { agents: 10_000, frameworks: 200, roles: 20 },
    Size { agents: 50_000, frameworks: 200, roles: 200 },
];

/// A cluster under measurement.
#[derive(Debug)]
pub struct AllocatorBench {
    size: Size,
    allocator: HierarchicalAllocator,
    roles: Vec<RoleId>,
    now: Time,
    /// What is offered now.
    out: Allocations,
    total: Resources,
    used: Resources,
}

impl AllocatorBench {
    /// All frameworks, no agents. Agents are visited in a shuffled order.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let order = Box::new(Shuffled::new(Seed(1)));
        let mut allocator = HierarchicalAllocator::new(AllocatorOptions::default(), order);
        let roles: Vec<RoleId> =
            (1..=size.roles).map(|number| allocator.role(&format!("role{number}"))).collect();
        for number in 0..size.frameworks {
            let info = AllocatorFramework {
                path: format!("framework{number}"),
                roles: vec![roles[number % size.roles]],
                capabilities: Capabilities::MULTI_ROLE,
                ..AllocatorFramework::default()
            };
            allocator.add_framework(FrameworkId::new(number), info, &[], true);
        }
        let parse = |text: &str| Resources::parse(text).expect("a constant");
        let odd: String = (31_002..=31_028).step_by(2).map(|port| format!("{port}-{port},")).collect();
        Self {
            size,
            allocator,
            roles,
            now: Time::ZERO,
            out: Allocations::default(),
            total: parse("cpus:24;mem:4096;disk:4096;ports:[31000-32000]"),
            used: parse(&format!("cpus:16;mem:2014;disk:1024;ports:[31000-31000,{odd}31030-32000]")),
        }
    }

    /// Adds all agents, each with an allocation of its own.
    pub fn add_agents(&mut self) {
        for number in 0..self.size.agents {
            self.add_agent(number);
            self.allocator.run_triggered(self.now, &mut self.out);
        }
    }

    /// Adds all agents before the first allocation.
    pub fn add_agents_at_once(&mut self) {
        (0..self.size.agents).for_each(|number| self.add_agent(number));
        self.allocator.run_triggered(self.now, &mut self.out);
    }

    /// Gives every offer back, by a call of its own.
    pub fn recover(&mut self, filters: Option<Filters>) {
        for given in std::mem::take(&mut self.out.offers) {
            let (framework, agent, role) = (given.framework, given.agent, given.role);
            self.allocator.recover_resources(
                self.now,
                framework,
                agent,
                role,
                &given.resources,
                filters,
                false,
            );
        }
        self.allocator.run_triggered(self.now, &mut self.out);
    }

    /// Lets one interval go by; answers how many offers are out then.
    pub fn allocate(&mut self) -> usize {
        self.now = self.now + Span::from_secs(1);
        self.allocator.handle_timeout(self.now, &mut self.out);
        self.out.offers.len()
    }

    fn add_agent(&mut self, number: usize) {
        let info = AllocatorAgent {
            total: self.total.clone(),
            hostname: format!("agent{number}"),
            capabilities: AgentCapabilities::MULTI_ROLE
                .and(AgentCapabilities::HIERARCHICAL_ROLE)
                .and(AgentCapabilities::RESERVATION_REFINEMENT),
            ..AllocatorAgent::default()
        };
        let framework = number % self.size.frameworks;
        let used: Held =
            (FrameworkId::new(framework), self.roles[framework % self.size.roles], self.used.clone());
        self.allocator.add_agent(AgentId::new(number), info, &[used], None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Size = Size { agents: 40, frameworks: 6, roles: 3 };

    #[test]
    fn each_cycle_offers_every_agent_once() {
        let mut bench = AllocatorBench::new(SMALL);
        bench.add_agents();
        for _ in 0..3 {
            bench.recover(None);
            assert_eq!(bench.allocate(), SMALL.agents);
        }
    }

    #[test]
    fn when_every_framework_has_refused_every_agent_nothing_is_offered() {
        let mut bench = AllocatorBench::new(SMALL);
        bench.add_agents_at_once();
        let refuse = Filters { refuse_seconds: f64::from(i32::MAX) };
        let offers: Vec<usize> = (0..=SMALL.frameworks)
            .map(|_| {
                bench.recover(Some(refuse));
                bench.allocate()
            })
            .collect();
        assert_eq!(offers, [40, 40, 40, 40, 40, 0, 0]);
    }
}
