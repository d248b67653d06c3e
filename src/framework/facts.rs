//! What frameworks may know of machines beside the resources that they are offered: where each stands, and its attributes.
//!
//! Frameworks learn of an agent from its offers; what stands here is what those offers would tell, kept once for all.

use mesos::id::{AgentId, IdVec, Interner};

use crate::{
    cluster::{Cluster, MachineId},
    workload::ModelSet,
};

mesos::id!(/// A name or a value of attributes, as a number: equal texts have equal numbers.
    WordId);

/// One machine.
#[derive(Clone, Debug, Default)]
pub struct MachineFacts {
    /// The model of its GPUs.
    pub model: ModelSet,
    /// Number of its rack, from 0.
    pub rack: u32,
    /// Number of its zone, from 0.
    pub zone: u32,
    /// Names and values, in the order in which the agent says them.
    attributes: Box<[(WordId, WordId)]>,
}

/// What frameworks may know of all machines, and which agent is which.
#[derive(Clone, Debug, Default)]
pub struct AgentFacts {
    machines: IdVec<MachineId, MachineFacts>,
    /// Machine of each agent that ever registered.
    machine_of: IdVec<AgentId, MachineId>,
    words: Interner<WordId>,
}

impl AgentFacts {
    /// Of these machines, none of which is an agent yet.
    #[must_use]
    pub fn new(cluster: &Cluster) -> Self {
        let mut words = Interner::new();
        let machine = |machine| {
            let mut said: Vec<(String, String)> = cluster.attributes(machine);
            said.push(("hostname".to_owned(), machine.hostname.clone()));
            let attributes =
                said.iter().map(|(name, text)| (words.intern(name), words.intern(text))).collect();
            MachineFacts { model: machine.model, rack: machine.rack, zone: machine.zone, attributes }
        };
        let machines = cluster.machines().iter().map(machine).collect();
        Self { machines, machine_of: IdVec::new(), words }
    }

    /// This agent runs on this machine.
    pub fn set(&mut self, agent: AgentId, machine: MachineId) {
        *self.machine_of.grow_to(agent, || machine) = machine;
    }

    /// How many machines there are, agents or not.
    #[must_use]
    pub fn machines(&self) -> usize {
        self.machines.len()
    }

    /// The machine of an agent. A machine that registers anew is another agent.
    #[must_use]
    pub fn machine_of(&self, agent: AgentId) -> MachineId {
        self.machine_of[agent]
    }

    /// What is known of a machine.
    #[must_use]
    pub fn machine(&self, machine: MachineId) -> &MachineFacts {
        &self.machines[machine]
    }

    /// What is known of an agent's machine.
    #[must_use]
    pub fn of(&self, agent: AgentId) -> &MachineFacts {
        self.machine(self.machine_of(agent))
    }

    /// The model of an agent's GPUs.
    #[must_use]
    pub fn model(&self, agent: AgentId) -> ModelSet {
        self.of(agent).model
    }

    /// The number of a name or a value; `None` if no machine has it.
    #[must_use]
    pub fn word(&self, text: &str) -> Option<WordId> {
        self.words.get(text)
    }

    /// The text of a name or a value.
    #[must_use]
    pub fn text(&self, word: WordId) -> &str {
        self.words.name(word)
    }

    /// The value of an agent's attribute (`hostname`, `rack`, `zone`, `gpu_model` and those of the experiment), if it has it.
    #[must_use]
    pub fn attribute(&self, agent: AgentId, name: WordId) -> Option<WordId> {
        let of = |&(of, value): &(WordId, WordId)| (of == name).then_some(value);
        self.of(agent).attributes.iter().find_map(of)
    }
}

#[cfg(test)]
mod tests {
    use mesos::{id::Id, resource::parse_quantities};

    use super::*;
    use crate::cluster::Topology;

    #[test]
    fn an_agent_has_the_attributes_of_its_machine() {
        let mut cluster = Cluster::new();
        let topology = Topology { agents_per_rack: 1, racks_per_zone: 1 };
        for os in ["linux", "plan9"] {
            let scalars = parse_quantities("cpus:8;mem:1024").unwrap();
            let attributes = vec![("os".to_owned(), os.to_owned())];
            cluster.add(os.to_owned(), scalars, 0, None, attributes, topology).unwrap();
        }
        let mut facts = AgentFacts::new(&cluster);
        facts.set(AgentId::new(0), MachineId::new(1));
        let value = |name| facts.attribute(AgentId::new(0), facts.word(name)?).map(|word| facts.text(word));
        assert_eq!(value("os"), Some("plan9"));
        assert_eq!(value("rack"), Some("r1"));
        assert_eq!(value("gpu_model"), None, "nobody has one");
        assert_eq!(facts.of(AgentId::new(0)).zone, 1);
    }
}
