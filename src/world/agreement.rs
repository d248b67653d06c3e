//! What must be true when nothing is on its way any more: everybody thinks the same.

use std::collections::BTreeMap;

use mesos::{
    id::{AgentId, FrameworkId},
    resource::Resources,
    task::{TaskKey, TaskState},
    time::Span,
};

use super::World;
use crate::record::Observer;

/// Longer than anybody waits before asking again, or before giving somebody up.
const CALM: Span = Span::from_secs(3600);

impl<O: Observer> World<'_, O> {
    /// Whether all jobs have come, no task runs, and none has started or ended for so long that all news have been heard
    /// wherever they can be. Tasks may still wait for a place.
    #[must_use]
    pub fn is_settled(&mut self) -> bool {
        let calm_from = self.last_progress + CALM;
        let is_calm =
            self.engine.now() > calm_from || self.engine.next_time().is_none_or(|next| next > calm_from);
        is_calm && self.living == 0 && self.frameworks.iter().all(|of| !of.has_plans())
    }

    /// Panics unless master, agents and frameworks agree, in a world that is [settled](Self::is_settled) and healed: every agent
    /// is registered, its tasks and its total are those that the master knows, and no framework thinks that something
    /// runs of which the master does not know. The master alone may know tasks that are over, after a registration that was
    /// repeated when the agent had more to say already (the checker of lives knows when).
    pub fn assert_agreement(&self) {
        let now = self.engine.now();
        let Some(master) = &self.master else { panic!("{now} s: nobody leads, in a world that is healed") };
        let mut tasks = self.tasks_of_master();
        for (machine, node) in self.agents.iter().enumerate() {
            let Some(process) = node.process() else { continue };
            let agent = process.id().filter(|_| process.is_registered());
            let Some(agent) = agent else {
                panic!("{now} s: machine {machine} is not registered: {process:?}")
            };
            let known = master.agent_info(agent);
            assert!(known.is_some(), "{now} s: {agent:?} of machine {machine} thinks that it is registered");
            let (own, mut of_master) = (process.tasks(), tasks.remove(&agent).unwrap_or_default());
            of_master.retain(|task| !task.1.is_terminal() || own.contains(task));
            assert_eq!(
                own, of_master,
                "{now} s: tasks of {agent:?} on machine {machine}, by it and by the master"
            );
            let total = master.allocator().agent_shares(agent).total;
            assert_eq!(*process.total(), total, "{now} s: the total of {agent:?}, by it and by the master");
        }
        assert!(tasks.is_empty(), "{now} s: tasks of agents that are on no machine: {tasks:?}");
        self.assert_frameworks_agree();
        self.assert_nothing_leaked();
    }

    /// What the allocator thinks that frameworks hold is what they were offered: no task runs, and executors end with their tasks.
    fn assert_nothing_leaked(&self) {
        let (now, Some(master)) = (self.engine.now(), &self.master) else { return };
        let mut offered: BTreeMap<AgentId, Resources> = BTreeMap::new();
        for offer in master.offers() {
            *offered.entry(offer.agent).or_default() += &offer.resources;
        }
        for agent in self.agents.iter().filter_map(|node| node.process()?.id()) {
            let mut held = Resources::EMPTY;
            master.allocator().agent_shares(agent).held.iter().for_each(|(_, _, part)| held += part);
            let offered = offered.remove(&agent).unwrap_or_default();
            assert!(
                held.contains(&offered) && offered.contains(&held),
                "{now} s: {held:?} of {agent:?} are held, and {offered:?} are offered"
            );
        }
    }

    fn tasks_of_master(&self) -> BTreeMap<AgentId, Vec<(TaskKey, TaskState)>> {
        let mut tasks: BTreeMap<AgentId, Vec<_>> = BTreeMap::new();
        let Some(master) = &self.master else { return tasks };
        for (framework, _) in master.frameworks() {
            for (task, agent, state) in master.tasks(framework) {
                tasks.entry(agent).or_default().push((TaskKey { framework, task }, state));
            }
        }
        tasks
    }

    fn assert_frameworks_agree(&self) {
        let (now, Some(master)) = (self.engine.now(), &self.master) else { return };
        for (place, node) in self.frameworks.iter().enumerate() {
            assert!(node.is_subscribed(), "{now} s: framework {place} is not subscribed");
            let (id, launched) = (node.id(), node.launched());
            let tasks = id.map_or_else(Vec::new, |id: FrameworkId| master.tasks(id));
            let active = tasks.iter().filter(|(.., state)| !state.is_terminal()).count();
            assert_eq!(
                launched, active,
                "{now} s: tasks under way of framework {place}, by it and by the master"
            );
        }
    }
}
