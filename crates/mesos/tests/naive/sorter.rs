//! Who comes first, by Dominant Resource Fairness; every order is made from nothing but what is held.

use std::{cmp::Ordering, collections::BTreeMap};

use mesos::{
    id::FrameworkId,
    resource::{ResourceQuantities, Resources},
};

/// What shares are measured against: all there is of each name that counts.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    totals: BTreeMap<String, f64>,
}

impl Pool {
    /// The amounts of all agents, without the excluded names.
    pub(crate) fn new<'a>(totals: impl Iterator<Item = &'a Resources>, excluded: &[String]) -> Self {
        let mut all = ResourceQuantities::EMPTY;
        totals.for_each(|total| all += total.quantities());
        let counted = all.iter().filter(|(name, _)| !excluded.iter().any(|other| other == name));
        Self { totals: counted.map(|(name, total)| (name.to_owned(), total.as_f64())).collect() }
    }

    /// The largest part of any name.
    pub(crate) fn share(&self, held: &ResourceQuantities) -> f64 {
        self.totals.iter().map(|(name, total)| held.of_name(name).as_f64() / total).fold(0.0, f64::max)
    }
}

/// What siblings are ordered by: less share, then fewer allocations ever, then the smaller path.
fn order(a: &(f64, u64, String), b: &(f64, u64, String)) -> Ordering {
    let shares = a.0.partial_cmp(&b.0).expect("shares and weights are numbers");
    shares.then(a.1.cmp(&b.1)).then_with(|| a.2.as_bytes().cmp(b.2.as_bytes()))
}

/// The sorter of the roles: a tree whose leaves are the roles with frameworks (Mesos' `DRFSorter`).
#[derive(Debug, Default)]
pub(crate) struct RoleSorter {
    root: Node,
    weights: BTreeMap<String, f64>,
}

#[derive(Debug, Default)]
struct Node {
    path: String,
    /// Whether frameworks are here; inner nodes keep theirs in the child `.`.
    leaf: bool,
    /// Allocations ever made here or below.
    count: u64,
    /// The weight as it was when first asked for.
    weight: Option<f64>,
    children: BTreeMap<String, Node>,
}

impl Node {
    fn child(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) };
        Self { path, ..Self::default() }
    }

    /// The role whose frameworks are in this leaf.
    fn client(&self) -> &str {
        self.path.strip_suffix("/.").unwrap_or(&self.path)
    }

    fn add(&mut self, path: &[&str]) {
        let Some((&name, below)) = path.split_first() else {
            let own = self.child(".");
            self.children.insert(".".to_owned(), Self { leaf: true, ..own });
            return;
        };
        if self.leaf {
            let own = self.child(".");
            self.children.insert(".".to_owned(), Self { leaf: true, count: self.count, ..own });
            self.leaf = false;
        }
        let new = self.child(name);
        let known = self.children.contains_key(name);
        let child = self.children.entry(name.to_owned()).or_insert(new);
        if !known && below.is_empty() {
            child.leaf = true;
        } else {
            child.add(below);
        }
    }

    fn remove(&mut self, path: &[&str]) {
        let (name, below) = match path.split_first() {
            Some((&name, below)) => (name, below),
            None => (".", path),
        };
        let child = self.children.get_mut(name).expect("a client to remove");
        if !child.leaf {
            child.remove(below);
        } else {
            child.leaf = false;
        }
        if !child.leaf && child.children.is_empty() {
            self.children.remove(name);
        }
        let only_own = self.children.len() == 1 && self.children.contains_key(".");
        if only_own && !self.path.is_empty() {
            self.children.clear();
            self.leaf = true;
        }
    }

    /// The leaf of a client, if there is one.
    fn find(&self, path: &[&str]) -> Option<&Self> {
        match path.split_first() {
            Some((&name, below)) => self.children.get(name)?.find(below),
            None if self.leaf => Some(self),
            None => self.children.get("."),
        }
    }

    fn count_one(&mut self, path: &[&str]) {
        self.count += 1;
        match path.split_first() {
            Some((&name, below)) => self.children.get_mut(name).expect("a client").count_one(below),
            None if self.leaf => {}
            None => self.children.get_mut(".").expect("a client").count += 1,
        }
    }

    /// What all clients here and below hold.
    fn held(&self, held: &BTreeMap<String, ResourceQuantities>) -> ResourceQuantities {
        let mut sum = ResourceQuantities::EMPTY;
        if self.leaf {
            held.get(self.client()).into_iter().for_each(|own| sum += own);
        }
        for child in self.children.values() {
            sum += &child.held(held);
        }
        sum
    }

    fn sort(
        &mut self,
        pool: &Pool,
        held: &BTreeMap<String, ResourceQuantities>,
        weights: &BTreeMap<String, f64>,
        sorted: &mut Vec<String>,
    ) {
        let mut order_of = Vec::new();
        for (name, child) in &mut self.children {
            let weight =
                *child.weight.get_or_insert_with(|| weights.get(&child.path).copied().unwrap_or(1.0));
            let share = pool.share(&child.held(held)) / weight;
            order_of.push(((share, child.count, child.path.clone()), name.clone()));
        }
        order_of.sort_by(|(a, _), (b, _)| order(a, b));
        for (_, name) in order_of {
            let child = self.children.get_mut(&name).expect("just seen");
            if child.leaf {
                sorted.push(child.client().to_owned());
            } else {
                child.sort(pool, held, weights, sorted);
            }
        }
    }
}

fn split(path: &str) -> Vec<&str> {
    path.split('/').collect()
}

impl RoleSorter {
    pub(crate) fn add(&mut self, role: &str) {
        self.root.add(&split(role));
    }

    pub(crate) fn remove(&mut self, role: &str) {
        self.root.remove(&split(role));
    }

    /// An allocation was made under the role.
    pub(crate) fn count_one(&mut self, role: &str) {
        self.root.count_one(&split(role));
    }

    /// Nodes of roles with frameworks learn of it; others keep the weight that they were sorted with.
    pub(crate) fn update_weight(&mut self, role: &str, weight: f64) {
        self.weights.insert(role.to_owned(), weight);
        let path = split(role);
        if self.root.find(&path).is_none() {
            return;
        }
        let mut node = &mut self.root;
        for name in path {
            node = node.children.get_mut(name).expect("on the way to a client");
        }
        node.weight = Some(weight);
    }

    /// All roles with frameworks, those first that are to be served first.
    pub(crate) fn sort(&mut self, pool: &Pool, held: &BTreeMap<String, ResourceQuantities>) -> Vec<String> {
        let mut sorted = Vec::new();
        self.root.sort(pool, held, &self.weights, &mut sorted);
        sorted
    }

    /// The share of what frameworks hold under exactly this role, divided by the weight of their leaf.
    pub(crate) fn share(
        &self,
        role: &str,
        pool: &Pool,
        held: &BTreeMap<String, ResourceQuantities>,
    ) -> Option<f64> {
        let leaf = self.root.find(&split(role))?;
        let weight = leaf.weight.unwrap_or_else(|| self.weights.get(&leaf.path).copied().unwrap_or(1.0));
        Some(pool.share(&leaf.held(held)) / weight)
    }
}

/// The sorter of the frameworks of one role.
#[derive(Debug, Default)]
pub(crate) struct FrameworkSorter {
    clients: BTreeMap<FrameworkId, Client>,
}

#[derive(Debug)]
struct Client {
    path: String,
    active: bool,
    count: u64,
}

impl FrameworkSorter {
    pub(crate) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    pub(crate) fn contains(&self, framework: FrameworkId) -> bool {
        self.clients.contains_key(&framework)
    }

    /// A new framework, inactive.
    pub(crate) fn add(&mut self, framework: FrameworkId, path: &str) {
        self.clients.insert(framework, Client { path: path.to_owned(), active: false, count: 0 });
    }

    pub(crate) fn remove(&mut self, framework: FrameworkId) {
        self.clients.remove(&framework);
    }

    pub(crate) fn set_active(&mut self, framework: FrameworkId, active: bool) {
        self.clients.get_mut(&framework).into_iter().for_each(|client| client.active = active);
    }

    /// An allocation was made to the framework.
    pub(crate) fn count_one(&mut self, framework: FrameworkId) {
        self.clients.get_mut(&framework).into_iter().for_each(|client| client.count += 1);
    }

    /// The active frameworks, those first that are to be served first.
    pub(crate) fn sort(
        &self,
        pool: &Pool,
        held: &BTreeMap<FrameworkId, ResourceQuantities>,
    ) -> Vec<FrameworkId> {
        let mut sorted = Vec::new();
        for (&framework, client) in self.clients.iter().filter(|(_, client)| client.active) {
            let share = held.get(&framework).map_or(0.0, |held| pool.share(held));
            sorted.push(((share, client.count, client.path.clone()), framework));
        }
        sorted.sort_by(|(a, _), (b, _)| order(a, b));
        sorted.into_iter().map(|(_, framework)| framework).collect()
    }
}
