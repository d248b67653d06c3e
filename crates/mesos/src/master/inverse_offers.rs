//! Inverse offers: frameworks are asked to leave agents that will be away (`Master::inverseOffer`).

use super::{Master, timers::Timer};
use crate::{
    allocator::{self, Allocator},
    effects::{MasterEffects, Note},
    event::{Event, InverseOffer},
    id::{AgentId, FrameworkId, InverseOfferId, OfferId},
    maintenance::InverseOfferStatus,
    offer::Filters,
    time::Time,
};

impl Master {
    /// One INVERSE_OFFERS event for each framework, in order of their ids. What is meant for a framework that is away, or of an
    /// agent that is, is passed over; the allocator, as in Mesos, goes on to think that it is out.
    pub(super) fn send_inverse_offers(
        &mut self,
        now: Time,
        inverse: &[allocator::InverseOffer],
        out: &mut impl MasterEffects,
    ) {
        let mut inverse = inverse.to_vec();
        inverse.sort_by_key(|offer| offer.framework); // stable: agents keep their order
        for of_framework in inverse.chunk_by(|a, b| a.framework == b.framework) {
            let framework = of_framework[0].framework;
            let known = self.frameworks.get(framework).and_then(Option::as_ref);
            let Some(connection) = known.and_then(|of| of.connection) else { continue };
            let offers: Vec<InverseOffer> =
                of_framework.iter().filter_map(|given| self.open_inverse_offer(now, given)).collect();
            if !offers.is_empty() {
                out.note(Note::InverseOffered(&offers));
                out.send_event(framework, connection, Event::InverseOffers(offers));
            }
        }
    }

    fn open_inverse_offer(&mut self, now: Time, given: &allocator::InverseOffer) -> Option<InverseOffer> {
        let allocator::InverseOffer { framework, agent, unavailability } = *given;
        let on = self.agents.get(agent)?.as_ref()?;
        if !on.is_connected || self.deactivated.contains(&agent) {
            return None;
        }
        let id = InverseOfferId(self.offers.next_number());
        let offer = InverseOffer { id, framework, agent, unavailability };
        self.maintenance.inverse_offers.insert(id, offer);
        if let Some(timeout) = self.options.offer_timeout {
            self.timers.start(now + timeout, Timer::InverseOffer(OfferId(id.0)));
        }
        Some(offer)
    }

    /// ACCEPT_INVERSE_OFFERS and DECLINE_INVERSE_OFFERS change what is reported, and when the framework is asked again; unknown
    /// inverse offers are passed over.
    pub(super) fn answer_inverse_offers(
        &mut self,
        now: Time,
        framework: FrameworkId,
        offers: &[InverseOfferId],
        accept: bool,
        filters: Filters,
        out: &mut impl MasterEffects,
    ) {
        let status = if accept { InverseOfferStatus::Accept } else { InverseOfferStatus::Decline };
        for id in offers {
            let Some(&InverseOffer { framework: of, agent, .. }) = self.maintenance.inverse_offers.get(id)
            else {
                continue;
            };
            if of != framework {
                continue;
            }
            self.maintenance.inverse_offers.remove(id);
            self.maintenance.answered.insert((agent, framework), now);
            self.allocator.update_inverse_offer(now, framework, agent, Some(status), Some(filters));
            out.note(Note::InverseOfferEnded(*id, Some(status)));
        }
    }

    /// Inverse offers time out like offers (`Master::inverseOfferTimeout`).
    pub(super) fn inverse_offer_timeout(&mut self, now: Time, offer: OfferId, out: &mut impl MasterEffects) {
        self.end_inverse_offers(now, true, |inverse| inverse.id.0 == offer.0, out);
    }

    /// Those of an agent that is away, is not to be offered, or has other plans. The framework is told.
    pub(super) fn rescind_inverse_offers_of_agent(
        &mut self,
        now: Time,
        agent: AgentId,
        out: &mut impl MasterEffects,
    ) {
        self.end_inverse_offers(now, true, |inverse| inverse.agent == agent, out);
    }

    /// Those of a framework that is away, subscribes anew or is gone; `rescind` says whether it is told.
    pub(super) fn end_inverse_offers_of_framework(
        &mut self,
        now: Time,
        framework: FrameworkId,
        rescind: bool,
        out: &mut impl MasterEffects,
    ) {
        self.end_inverse_offers(now, rescind, |inverse| inverse.framework == framework, out);
    }

    fn end_inverse_offers(
        &mut self,
        now: Time,
        rescind: bool,
        wanted: impl Fn(&InverseOffer) -> bool,
        out: &mut impl MasterEffects,
    ) {
        let all = self.maintenance.inverse_offers.values();
        let ended: Vec<InverseOffer> = all.filter(|inverse| wanted(inverse)).copied().collect();
        for InverseOffer { id, framework, agent, .. } in ended {
            self.maintenance.inverse_offers.remove(&id);
            self.allocator.update_inverse_offer(now, framework, agent, None, None);
            out.note(Note::InverseOfferEnded(id, None));
            let known = self.frameworks.get(framework).and_then(Option::as_ref);
            if let Some(connection) = known.and_then(|of| of.connection)
                && rescind
            {
                out.send_event(framework, connection, Event::RescindInverseOffer(id));
            }
        }
    }
}
