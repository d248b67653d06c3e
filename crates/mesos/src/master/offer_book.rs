//! The offers that are out, by number, and when they time out.

use std::collections::VecDeque;

use crate::{
    allocator::Allocation,
    id::{FrameworkId, OfferId},
    maintenance::Unavailability,
    offer::Offer,
    time::{Span, Time},
};

/// Numbers grow and are never reused; a window over them holds the place of each outstanding offer.
#[derive(Debug)]
pub(super) struct OfferBook {
    timeout: Option<Span>,
    /// Number of the offer at the front of `places`.
    first: u64,
    /// For each number from `first` on: its place in `offers`, or `GONE`.
    places: VecDeque<u32>,
    offers: Vec<Option<Offer>>,
    free: Vec<u32>,
    /// When offers time out, and up to which number.
    overdue: VecDeque<(Time, u64)>,
    /// Below this number every offer has timed out or ended.
    timed_out: u64,
}

const GONE: u32 = u32::MAX;

impl OfferBook {
    pub(super) fn new(timeout: Option<Span>) -> Self {
        let (places, overdue) = (VecDeque::new(), VecDeque::new());
        Self { timeout, first: 0, places, offers: Vec::new(), free: Vec::new(), overdue, timed_out: 0 }
    }

    /// A new offer of what was given.
    pub(super) fn open(&mut self, given: Allocation, unavailability: Option<Box<Unavailability>>) -> Offer {
        let id = OfferId(self.first + self.places.len() as u64);
        let Allocation { framework, role, agent, resources } = given;
        let offer = Offer { id, framework, role, agent, resources, unavailability };
        let place = self.free.pop().unwrap_or_else(|| {
            self.offers.push(None);
            self.offers.len() as u32 - 1
        });
        self.offers[place as usize] = Some(offer.clone());
        self.places.push_back(place);
        offer
    }

    /// Starts the timer of offers just opened.
    pub(super) fn start_timer(&mut self, now: Time, offers: &[Offer]) {
        if let (Some(timeout), Some(last)) = (self.timeout, offers.last()) {
            self.overdue.push_back((now + timeout, last.id.0));
        }
    }

    pub(super) fn get(&self, id: OfferId) -> Option<&Offer> {
        let window = id.0.checked_sub(self.first)?;
        let place = *self.places.get(window as usize)?;
        self.offers.get(place as usize)?.as_ref()
    }

    /// Takes the offer off the book, if it is out and of this framework.
    pub(super) fn take_if_of(&mut self, id: OfferId, framework: FrameworkId) -> Option<Offer> {
        self.take(id, |offer| offer.framework == framework)
    }

    /// Takes all offers off the book that are `wanted`, in order of their numbers. Looks at every offer that is out.
    pub(super) fn take_all(&mut self, wanted: impl Fn(&Offer) -> bool) -> Vec<Offer> {
        let is_wanted = |offer: &&Offer| wanted(offer);
        let mut ids: Vec<OfferId> =
            self.offers.iter().flatten().filter(is_wanted).map(|offer| offer.id).collect();
        ids.sort_unstable();
        ids.into_iter().filter_map(|id| self.take(id, |_| true)).collect()
    }

    /// All offers that are out, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Offer> {
        self.offers.iter().flatten()
    }

    /// The next offer has this number.
    pub(super) fn next_id(&self) -> u64 {
        self.first + self.places.len() as u64
    }

    /// Offers are numbered from here on: an earlier master has given the numbers below.
    pub(super) fn start_at(&mut self, first: u64) {
        assert!(self.places.is_empty(), "{} offers are out", self.places.len());
        self.first = first;
    }

    /// A number for an inverse offer: they share the counter.
    pub(super) fn next_number(&mut self) -> u64 {
        self.places.push_back(GONE);
        self.first + self.places.len() as u64 - 1
    }

    pub(super) fn len(&self) -> usize {
        self.offers.len() - self.free.len()
    }

    pub(super) fn next_timeout(&self) -> Option<Time> {
        self.overdue.front().map(|&(at, _)| at)
    }

    /// Takes off the book what was out too long.
    pub(super) fn take_overdue(&mut self, now: Time) -> Vec<Offer> {
        let mut overdue = Vec::new();
        while let Some(&(at, last)) = self.overdue.front() {
            if at > now {
                break;
            }
            self.overdue.pop_front();
            let from = self.timed_out.max(self.first);
            overdue.extend((from..=last).filter_map(|number| self.take(OfferId(number), |_| true)));
            self.timed_out = self.timed_out.max(last + 1);
        }
        overdue
    }

    fn take(&mut self, id: OfferId, wanted: impl FnOnce(&Offer) -> bool) -> Option<Offer> {
        let window = id.0.checked_sub(self.first)? as usize;
        let place = self.places.get_mut(window)?;
        let offer = self.offers.get_mut(*place as usize)?;
        if !wanted(offer.as_ref()?) {
            return None;
        }
        self.free.push(std::mem::replace(place, GONE));
        let taken = offer.take();
        while self.places.front() == Some(&GONE) {
            self.places.pop_front();
            self.first += 1;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{AgentId, Id, RoleId},
        resource::Resources,
    };

    fn given(agent: usize) -> Allocation {
        let (framework, role) = (FrameworkId::new(0), RoleId::new(0));
        Allocation { framework, role, agent: AgentId::new(agent), resources: Resources::EMPTY }
    }

    #[test]
    fn an_offer_is_taken_once() {
        let mut book = OfferBook::new(None);
        let offers = [0, 1, 2].map(|agent| book.open(given(agent), None));
        let owner = FrameworkId::new(0);
        assert_eq!(book.take_if_of(offers[1].id, FrameworkId::new(1)), None);
        assert_eq!(book.take_if_of(offers[1].id, owner).as_ref(), Some(&offers[1]));
        assert_eq!(book.take_if_of(offers[1].id, owner), None);
        assert_eq!(book.take_if_of(offers[0].id, owner).as_ref(), Some(&offers[0]));
        assert_eq!(book.get(offers[2].id), Some(&offers[2]));
        assert_eq!(book.open(given(3), None).id, OfferId(3));
        assert_eq!(book.len(), 2);
    }

    #[test]
    fn only_unanswered_offers_time_out() {
        let mut book = OfferBook::new(Some(Span::from_secs(10)));
        let first = [book.open(given(0), None), book.open(given(1), None)];
        book.start_timer(Time::ZERO, &first);
        let second = [book.open(given(2), None)];
        book.start_timer(Time::from_secs(5), &second);
        book.take_if_of(first[0].id, FrameworkId::new(0));
        assert_eq!(book.next_timeout(), Some(Time::from_secs(10)));
        assert_eq!(book.take_overdue(Time::from_secs(10)), [first[1].clone()]);
        assert_eq!(book.take_overdue(Time::from_secs(15)), second);
        assert_eq!((book.len(), book.next_timeout()), (0, None));
    }
}
