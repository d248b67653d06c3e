//! Dominant Resource Fairness (Ghodsi et al., NSDI'11), as Mesos' `DRFSorter` does it.
//!
//! Clients are flat so far; the tree of hierarchical roles takes this file's place in the next step.

use std::cmp::Ordering;

use crate::{
    id::Id,
    resource::{ResourceName, ResourceQuantities},
};

/// Orders clients by dominant share, then by how often they were given something, then by path.
///
/// `share = max over names of allocation / total, divided by the weight`: over scalars that the cluster has and that are
/// not excluded from fair sharing.
#[derive(Debug)]
pub struct DrfSorter<C> {
    /// Place of each client in `clients`, by id.
    places: Vec<Option<u32>>,
    clients: Vec<Client<C>>,
    /// Places of active clients; in order unless `dirty`.
    order: Vec<u32>,
    /// Whether shares and order must be made anew before they are next read.
    dirty: bool,
    /// The one client, if any, that was given something since the order was last read: only it has to move.
    grown: Option<u32>,
    total: ResourceQuantities,
    excluded: Vec<ResourceName>,
}

#[derive(Debug)]
struct Client<C> {
    id: C,
    path: Box<str>,
    active: bool,
    /// How many allocations were ever made to it (never lowered).
    count: u64,
    allocation: ResourceQuantities,
    weight: f64,
    share: f64,
}

impl<C: Id> DrfSorter<C> {
    /// A sorter without clients over an empty cluster. Names in `excluded` do not count in shares.
    #[must_use]
    pub fn new(excluded: &[ResourceName]) -> Self {
        Self {
            places: Vec::new(),
            clients: Vec::new(),
            order: Vec::new(),
            dirty: false,
            grown: None,
            total: ResourceQuantities::EMPTY,
            excluded: excluded.to_vec(),
        }
    }

    /// Adds a client, inactive and with nothing. Panics if it is there already.
    pub fn add(&mut self, id: C, path: &str, weight: f64) {
        assert!(weight > 0.0, "weight {weight} of {path}");
        if self.places.len() <= id.index() {
            self.places.resize(id.index() + 1, None);
        }
        let place = &mut self.places[id.index()];
        assert!(place.is_none(), "client {path} was added twice");
        *place = Some(self.clients.len() as u32);
        let path = path.into();
        let allocation = ResourceQuantities::EMPTY;
        self.clients.push(Client { id, path, active: false, count: 0, allocation, weight, share: 0.0 });
    }

    /// Takes a client out; what it holds no longer counts.
    pub fn remove(&mut self, id: C) {
        self.deactivate(id);
        self.dirty = true;
        self.grown = None;
        let place = self.places[id.index()].take().expect("a client to remove");
        self.clients.swap_remove(place as usize);
        if let Some(moved) = self.clients.get(place as usize) {
            self.places[moved.id.index()] = Some(place);
            let was = self.clients.len() as u32;
            self.order.iter_mut().filter(|at| **at == was).for_each(|at| *at = place);
        }
    }

    /// Whether this client was added.
    #[must_use]
    pub fn contains(&self, id: C) -> bool {
        self.places.get(id.index()).is_some_and(Option::is_some)
    }

    /// Lets the client take part in the order.
    pub fn activate(&mut self, id: C) {
        let place = self.place(id);
        let client = &mut self.clients[place as usize];
        if !client.active {
            client.active = true;
            self.order.push(place);
            self.dirty = true;
        }
    }

    /// Takes the client out of the order; its allocation is kept.
    pub fn deactivate(&mut self, id: C) {
        let place = self.place(id);
        let client = &mut self.clients[place as usize];
        if client.active {
            client.active = false;
            self.order.retain(|&at| at != place);
        }
    }

    /// The weight by which the client's share is divided from now on.
    pub fn update_weight(&mut self, id: C, weight: f64) {
        assert!(weight > 0.0, "weight {weight}");
        let place = self.place(id) as usize;
        self.clients[place].weight = weight;
        self.dirty = true;
    }

    /// Resources join the cluster.
    pub fn add_total(&mut self, quantities: &ResourceQuantities) {
        self.total += quantities;
        self.dirty = true;
    }

    /// The client was given something, in so many allocations. The next [`sort`](Self::sort) knows its new share.
    pub fn allocated(&mut self, id: C, quantities: &ResourceQuantities, allocations: u64) {
        let place = self.place(id);
        let client = &mut self.clients[place as usize];
        client.count += allocations;
        client.allocation += quantities;
        match self.grown {
            Some(other) if other != place => self.dirty = true,
            _ => self.grown = Some(place),
        }
    }

    /// The client gave something back.
    pub fn unallocated(&mut self, id: C, quantities: &ResourceQuantities) {
        let place = self.place(id) as usize;
        self.clients[place].allocation -= quantities;
        self.dirty = true;
    }

    /// What the client holds.
    #[must_use]
    pub fn allocation(&self, id: C) -> &ResourceQuantities {
        &self.clients[self.place(id) as usize].allocation
    }

    /// The client's dominant share divided by its weight, as of now.
    #[must_use]
    pub fn dominant_share(&self, id: C) -> f64 {
        self.share_of(&self.clients[self.place(id) as usize])
    }

    /// How many clients are active.
    #[must_use]
    pub fn active(&self) -> usize {
        self.order.len()
    }

    /// Puts the active clients in order and says how many there are; read them with [`nth`](Self::nth).
    pub fn sort(&mut self) -> usize {
        if self.order.len() < 2 {
            self.dirty |= self.grown.take().is_some(); // nobody to compare with: shares can wait
        } else if self.dirty {
            self.grown = None;
            for place in 0..self.clients.len() {
                self.clients[place].share = self.share_of(&self.clients[place]);
            }
            let clients = &self.clients;
            self.order.sort_unstable_by(|&a, &b| compare(&clients[a as usize], &clients[b as usize]));
            self.dirty = false;
        } else if let Some(place) = self.grown.take() {
            self.reposition(place);
        }
        self.order.len()
    }

    /// The n-th active client of the present order.
    #[must_use]
    pub fn nth(&self, n: usize) -> C {
        self.clients[self.order[n] as usize].id
    }

    fn place(&self, id: C) -> u32 {
        self.places.get(id.index()).copied().flatten().unwrap_or_else(|| panic!("{id:?} is no client"))
    }

    fn share_of(&self, client: &Client<C>) -> f64 {
        let mut share = 0.0f64;
        for name in ResourceName::ALL {
            let total = self.total.get(name);
            let held = client.allocation.get(name);
            if total.0 > 0 && held.0 > 0 && !self.excluded.contains(&name) {
                share = share.max(held.as_f64() / total.as_f64());
            }
        }
        share / client.weight
    }

    /// Moves one client of a clean order to where its new share belongs.
    fn reposition(&mut self, place: u32) {
        let share = self.share_of(&self.clients[place as usize]);
        self.clients[place as usize].share = share;
        let Some(mut at) = self.order.iter().position(|&other| other == place) else { return };
        let before =
            |a: u32, b: u32| compare(&self.clients[a as usize], &self.clients[b as usize]) == Ordering::Less;
        while at + 1 < self.order.len() && before(self.order[at + 1], place) {
            self.order.swap(at, at + 1);
            at += 1;
        }
        while at > 0 && before(place, self.order[at - 1]) {
            self.order.swap(at, at - 1);
            at -= 1;
        }
    }
}

/// Nearly equal shares are not ties: they compare as the doubles they are.
fn compare<C>(a: &Client<C>, b: &Client<C>) -> Ordering {
    a.share.total_cmp(&b.share).then_with(|| a.count.cmp(&b.count)).then_with(|| a.path.cmp(&b.path))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{id::RoleId, resource::parse_quantities};

    fn of(text: &str) -> ResourceQuantities {
        parse_quantities(text).unwrap()
    }

    fn order(sorter: &mut DrfSorter<RoleId>) -> Vec<usize> {
        (0..sorter.sort()).map(|n| sorter.nth(n).index()).collect()
    }

    fn sorter(clients: &[(&str, f64)], total: &str) -> DrfSorter<RoleId> {
        let mut sorter = DrfSorter::new(&[]);
        sorter.add_total(&of(total));
        for (place, (path, weight)) in clients.iter().enumerate() {
            sorter.add(RoleId::new(place), path, *weight);
            sorter.activate(RoleId::new(place));
        }
        sorter
    }

    #[test]
    fn a_weight_divides_the_dominant_share() {
        let mut sorter = sorter(&[("x", 2.0), ("y", 1.0)], "cpus:100;mem:1000");
        sorter.allocated(RoleId::new(0), &of("cpus:20;mem:100"), 1);
        sorter.allocated(RoleId::new(1), &of("cpus:5;mem:150"), 1);
        assert_eq!(sorter.dominant_share(RoleId::new(0)), 0.1);
        assert_eq!(sorter.dominant_share(RoleId::new(1)), 0.15);
        assert_eq!(order(&mut sorter), [0, 1]);
    }

    #[test]
    fn ties_go_to_whom_was_given_less_often_then_to_the_smaller_path() {
        let mut sorter = sorter(&[("b", 1.0), ("a", 1.0), ("c", 1.0)], "cpus:10");
        assert_eq!(order(&mut sorter), [1, 0, 2]);
        sorter.allocated(RoleId::new(1), &of("cpus:1"), 1);
        sorter.unallocated(RoleId::new(1), &of("cpus:1"));
        assert_eq!(order(&mut sorter), [0, 2, 1]);
    }

    #[test]
    fn an_excluded_resource_does_not_count() {
        let mut sorter = DrfSorter::<RoleId>::new(&[ResourceName::Gpus]);
        sorter.add_total(&of("cpus:100;gpus:1"));
        sorter.add(RoleId::new(0), "a", 1.0);
        sorter.allocated(RoleId::new(0), &of("cpus:10;gpus:1"), 1);
        assert_eq!(sorter.dominant_share(RoleId::new(0)), 0.1);
    }

    #[test]
    fn an_inactive_client_keeps_what_it_holds_but_has_no_place() {
        let mut sorter = sorter(&[("a", 1.0), ("b", 1.0)], "cpus:10");
        sorter.allocated(RoleId::new(0), &of("cpus:4"), 1);
        sorter.deactivate(RoleId::new(0));
        assert_eq!(order(&mut sorter), [1]);
        sorter.activate(RoleId::new(0));
        assert_eq!(order(&mut sorter), [1, 0]);
        sorter.remove(RoleId::new(0));
        assert_eq!(order(&mut sorter), [1]);
        assert!(!sorter.contains(RoleId::new(0)));
    }

    proptest! {
        /// The order that is kept up allocation by allocation is the order of a full sort.
        #[test]
        fn live_order_equals_a_full_sort(steps in prop::collection::vec((0usize..6, 0i64..5, 0i64..5, 0u8..8), 1..60)) {
            let names = ["f", "b", "a", "d", "c", "e"].map(|name| (name, 1.0));
            let mut live = sorter(&names, "cpus:100;mem:100");
            let mut full = sorter(&names, "cpus:100;mem:100");
            for (client, cpus, mem, action) in steps {
                let amount = of(&format!("cpus:{cpus};mem:{mem}"));
                let client = RoleId::new(client);
                for sorter in [&mut live, &mut full] {
                    match action {
                        0..5 => sorter.allocated(client, &amount, 1),
                        5 => sorter.unallocated(client, &amount),
                        6 => sorter.deactivate(client),
                        _ => sorter.activate(client),
                    }
                }
                if cpus != mem { // now and then several steps go by unread
                    full.dirty = true;
                    prop_assert_eq!(order(&mut live), order(&mut full));
                }
            }
        }
    }
}
