//! Offers go to those who want them, of those who can be used: never to a framework that is away or suppressed, never of an
//! agent that is away or deactivated.

use mesos::{
    effects::{AgentEnd, Note},
    id::{AgentId, FrameworkId, IdVec, RoleId},
    offer::Offer,
    time::Time,
};

use super::{Checker, CheckerEntry};
use crate::record::Record;

pub(super) const ENTRY: CheckerEntry = CheckerEntry {
    name: "offers",
    about: "no offer to a framework that is away or suppressed, none of an agent that is away or deactivated",
    build: |_| Box::new(OffersWanted::default()),
};

#[derive(Debug, Default)]
struct Framework {
    is_connected: bool,
    roles: Vec<RoleId>,
    suppressed: Vec<RoleId>,
}

#[derive(Debug, Default)]
struct Agent {
    is_registered: bool,
    is_connected: bool,
    /// By an operator's word, which the registry remembers.
    is_deactivated: bool,
}

/// Its books.
#[derive(Default)]
pub struct OffersWanted {
    frameworks: IdVec<FrameworkId, Framework>,
    agents: IdVec<AgentId, Agent>,
}

impl OffersWanted {
    fn framework(&mut self, id: FrameworkId) -> &mut Framework {
        self.frameworks.grow_to(id, Framework::default)
    }

    fn agent(&mut self, id: AgentId) -> &mut Agent {
        self.agents.grow_to(id, Agent::default)
    }

    fn offered(&mut self, now: Time, offer: &Offer) {
        let to = self.framework(offer.framework);
        let wants = to.is_connected && to.roles.contains(&offer.role) && !to.suppressed.contains(&offer.role);
        assert!(wants, "{now} s: {offer:?}, but {to:?}");
        let of = self.agent(offer.agent);
        let can = of.is_registered && of.is_connected && !of.is_deactivated;
        assert!(can, "{now} s: {offer:?}, but {of:?}");
    }

    fn note(&mut self, now: Time, note: &Note<'_>) {
        if let Note::Offered(offers) = note {
            offers.iter().for_each(|offer| self.offered(now, offer));
        } else if let Note::FrameworkSubscribed { framework, is_new, roles } = note {
            let of = self.framework(*framework);
            (of.is_connected, of.roles) = (true, roles.to_vec());
            if *is_new {
                of.suppressed.clear();
            }
        } else if let Note::FrameworkDisconnected { framework } | Note::FrameworkRemoved { framework } = note
        {
            self.framework(*framework).is_connected = false;
        } else if let Note::Suppressed { framework, role, suppressed } = note {
            let of = &mut self.framework(*framework).suppressed;
            of.retain(|other| other != role);
            of.extend(suppressed.then_some(*role));
        } else {
            self.note_of_agent(note);
        }
    }

    fn note_of_agent(&mut self, note: &Note<'_>) {
        if let Note::AgentAdded { agent, .. } = note {
            let of = self.agent(*agent);
            (of.is_registered, of.is_connected) = (true, true);
        } else if let Note::AgentConnected { agent, connected } = note {
            self.agent(*agent).is_connected = *connected;
        } else if let Note::AgentActivated { agent, active } = note {
            self.agent(*agent).is_deactivated = !active;
        } else if let Note::AgentEnded { agent, end } = note {
            let of = self.agent(*agent);
            of.is_registered = false;
            of.is_deactivated &= *end == AgentEnd::Unreachable; // the others are forgotten
        }
    }
}

impl Checker for OffersWanted {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn observe(&mut self, now: Time, record: &Record<'_>) {
        if let Record::Master(note) = record {
            self.note(now, note);
        } else if let Record::MasterFailed = record {
            self.frameworks = IdVec::new();
            let agents: Vec<AgentId> = self.agents.ids().collect();
            agents.into_iter().for_each(|agent| self.agents[agent].is_registered = false);
        }
    }

    fn settled(&self, _: Time) {}
}
