//! Oversubscription: agents learn what they may offer once more, and containers that are in the way must go.
//!
//! As Mesos' agent does it, the estimate is taken at the start of the process and again after each interval
//! (`Slave::forwardOversubscribed`). The controller is asked then, too, and whenever the containers of a machine want more
//! or less CPU than before; Mesos' controllers look at the load on their own clock.

use mesos::{
    resource::Scalar,
    time::{Span, Time},
};

use super::World;
use crate::{
    container::oversubscription::{Make, QosController, ResourceEstimator, Settings},
    record::Observer,
    workload::revocable_cpus,
};

/// How CPUs are offered once more, on all machines.
#[derive(Clone, Copy, Debug)]
pub struct Oversubscription {
    /// Makes what says how many.
    pub estimator: Make<dyn ResourceEstimator>,
    /// Makes what says who must go.
    pub controller: Make<dyn QosController>,
    /// What both go by.
    pub settings: Settings,
    /// Between two estimates (`--oversubscribed_resources_interval`, 15 s).
    pub interval: Span,
}

/// What one machine has for it.
pub(super) struct Slack {
    estimator: Box<dyn ResourceEstimator>,
    controller: Box<dyn QosController>,
    interval: Span,
    /// When the next estimate is due.
    pub(super) next: Option<Time>,
    /// What its containers wanted when the controller was last asked.
    wanted: Scalar,
}

impl Slack {
    pub(super) fn new(of: &Oversubscription) -> Box<Self> {
        Box::new(Self {
            estimator: (of.estimator)(&of.settings),
            controller: (of.controller)(&of.settings),
            interval: of.interval,
            next: None,
            wanted: Scalar::ZERO,
        })
    }
}

impl<O: Observer> World<'_, O> {
    /// Corrects, if it is time to, and then estimates.
    pub(super) fn estimate_if_due(&mut self, now: Time, machine: usize) {
        let next = self.agents[machine].slack.as_ref().and_then(|slack| slack.next);
        if self.agents[machine].process().is_some() && next.is_some_and(|next| next <= now) {
            self.correct(now, machine);
            self.estimate(now, machine);
        }
    }

    /// Tells the agent what it may offer once more: the estimate, and what revocable containers hold already.
    pub(super) fn estimate(&mut self, now: Time, machine: usize) {
        let node = &mut self.agents[machine];
        let Some(slack) = &mut node.slack else { return };
        let view = node.host.view();
        let estimate = slack.estimator.oversubscribable(&view);
        slack.next = Some(now + slack.interval);
        let revocable = revocable_cpus(estimate + view.allocated_revocable());
        self.with_agent(now, machine, |agent, now, said| {
            if let Some(process) = &mut agent.process {
                process.set_revocable(now, revocable, said);
            }
        });
    }

    /// Asks the controller if the containers want more or less than when it was last asked.
    pub(super) fn correct_if_changed(&mut self, now: Time, machine: usize) {
        let node = &mut self.agents[machine];
        let Some(slack) = &mut node.slack else { return };
        let wanted = node.host.wanted();
        if std::mem::replace(&mut slack.wanted, wanted) != wanted {
            self.correct(now, machine);
        }
    }

    /// Evicts whom the controller names. It is part of the agent's process: nobody goes while that is down.
    fn correct(&mut self, now: Time, machine: usize) {
        let node = &mut self.agents[machine];
        let Some(slack) = &mut node.slack else { return };
        if node.process.is_none() || !node.host.has_revocable() {
            return;
        }
        let view = node.host.view();
        let corrections = slack.controller.corrections(&view);
        if !corrections.is_empty() {
            self.with_host(now, machine, |host, now, out| {
                for key in corrections {
                    host.evict(now, key, out);
                }
            });
        }
    }
}
