//! Offers: from the allocator to frameworks, and back when somebody takes them away.

use super::Master;
use crate::{
    allocator::Allocator,
    effects::{MasterEffects, Note, OfferEnd},
    event::Event,
    id::{AgentId, FrameworkId, OfferId},
    offer::{Filters, Offer},
    time::Time,
};

impl Master {
    /// Runs what the calls have set off and sends its offers.
    pub(super) fn send_offers(&mut self, now: Time, out: &mut impl MasterEffects) {
        self.allocator.run_triggered(now, &mut self.given);
        self.flush(now, out);
    }

    pub(super) fn periodic_allocation(&mut self, now: Time, out: &mut impl MasterEffects) {
        self.allocator.handle_timeout(now, &mut self.given);
        self.flush(now, out);
    }

    /// Offers first, then inverse offers, as an allocation makes them.
    fn flush(&mut self, now: Time, out: &mut impl MasterEffects) {
        if !self.given.offers.is_empty() {
            self.flush_offers(now, out);
        }
        if !self.given.inverse_offers.is_empty() {
            let inverse = std::mem::take(&mut self.given.inverse_offers);
            self.send_inverse_offers(now, &inverse, out);
        }
    }

    /// One OFFERS event for each framework that was given something, frameworks in order of their ids. What was given to
    /// a framework that is away, or of an agent that is, comes back at once (`Master::offer`).
    fn flush_offers(&mut self, now: Time, out: &mut impl MasterEffects) {
        let mut given = std::mem::take(&mut self.given.offers);
        if given.iter().any(|allocation| allocation.framework != given[0].framework) {
            given.sort_by_key(|allocation| allocation.framework); // stable: keeps the order of the visit
        }
        let mut rest = given.drain(..).peekable();
        while let Some(framework) = rest.peek().map(|allocation| allocation.framework) {
            let connection =
                self.frameworks.get(framework).and_then(Option::as_ref).and_then(|of| of.connection);
            let mut offers = Vec::with_capacity(rest.len());
            while let Some(allocation) = rest.next_if(|allocation| allocation.framework == framework) {
                let agent = allocation.agent;
                let can_take =
                    self.agents.get(agent).and_then(Option::as_ref).is_some_and(|on| on.is_connected)
                        && (self.deactivated.is_empty() || !self.deactivated.contains(&agent));
                if connection.is_none() || !can_take {
                    let (role, resources) = (allocation.role, &allocation.resources);
                    self.allocator.recover_resources(now, framework, agent, role, resources, None, false);
                    continue;
                }
                let unavailability = self.unavailability_of(agent);
                offers.push(self.offers.open(allocation, unavailability));
            }
            if let Some(connection) = connection
                && !offers.is_empty()
            {
                self.offers.start_timer(now, &offers);
                out.note(Note::Offered(&offers));
                out.send_event(framework, connection, Event::Offers(offers));
            }
        }
        drop(rest);
        self.given.offers = given;
    }

    /// DECLINE; unknown offers are passed over.
    pub(super) fn decline(
        &mut self,
        now: Time,
        framework: FrameworkId,
        offers: &[OfferId],
        filters: Filters,
        out: &mut impl MasterEffects,
    ) {
        let ended: Vec<Offer> =
            offers.iter().filter_map(|&id| self.offers.take_if_of(id, framework)).collect();
        self.allocator.recover_declined(now, framework, &ended, filters);
        out.note(Note::OffersEnded(OfferEnd::Declined, &ended));
        out.note(Note::Refused(filters, &ended));
    }

    /// Rescinds what was out for too long.
    pub(super) fn rescind_overdue(&mut self, now: Time, out: &mut impl MasterEffects) {
        for offer in self.offers.take_overdue(now) {
            self.end_offer(now, &offer, OfferEnd::Rescinded, None, out);
        }
    }

    /// Rescinds all offers of an agent that `wanted` names, without a filter.
    pub(super) fn rescind_offers_of_agent(
        &mut self,
        now: Time,
        agent: AgentId,
        wanted: impl Fn(&Offer) -> bool,
        out: &mut impl MasterEffects,
    ) {
        for offer in self.offers.take_all(|offer| offer.agent == agent && wanted(offer)) {
            self.end_offer(now, &offer, OfferEnd::Rescinded, None, out);
        }
    }

    /// Takes all offers of a framework that `wanted` names back without a filter; `end` says whether it is told.
    pub(super) fn end_offers_of_framework(
        &mut self,
        now: Time,
        framework: FrameworkId,
        end: OfferEnd,
        wanted: impl Fn(&Offer) -> bool,
        out: &mut impl MasterEffects,
    ) {
        for offer in self.offers.take_all(|offer| offer.framework == framework && wanted(offer)) {
            self.end_offer(now, &offer, end, None, out);
        }
    }

    /// Rescinds every offer (`Master::updateWeights` does so).
    pub(super) fn rescind_all_offers(&mut self, now: Time, out: &mut impl MasterEffects) {
        for offer in self.offers.take_all(|_| true) {
            self.end_offer(now, &offer, OfferEnd::Rescinded, None, out);
        }
    }

    /// What the offer held is free; a framework that is connected hears of an offer that is rescinded
    /// (`Master::rescindOffer`, `discardOffer`). The offer is off the book already.
    pub(super) fn end_offer(
        &mut self,
        now: Time,
        offer: &Offer,
        end: OfferEnd,
        filters: Option<Filters>,
        out: &mut impl MasterEffects,
    ) {
        let Offer { framework, agent, role, ref resources, .. } = *offer;
        self.allocator.recover_resources(now, framework, agent, role, resources, filters, false);
        out.note(Note::OffersEnded(end, std::slice::from_ref(offer)));
        let connection = self.frameworks.get(framework).and_then(Option::as_ref).and_then(|of| of.connection);
        if end == OfferEnd::Rescinded
            && let Some(connection) = connection
        {
            out.send_event(framework, connection, Event::Rescind(offer.id));
        }
    }
}
