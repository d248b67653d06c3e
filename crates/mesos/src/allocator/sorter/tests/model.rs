//! The sorter against a model that knows paths only, and computes everything from them each time.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Sorter, SorterKind, of, order, role, seen};
use crate::id::RoleId;

/// With names on both sides of `.` and `/`.
const PATHS: [&str; 14] =
    ["a", "a/b", "a/b/c", "a/b/-", "a/-", "a/c", "a-", "a-/a", "b", "b/a/a", "b/a", "b0", "c", "c/x"];

#[derive(Default, Clone, Debug)]
struct Client {
    active: bool,
    cpus: i64,
    mem: i64,
}

/// What outlives the client that it came from, of each node there is.
#[derive(Default, Clone, Debug)]
struct Past {
    count: u64,
    weight: Option<f64>,
}

#[derive(Default)]
struct Model {
    flat: bool,
    clients: BTreeMap<String, Client>,
    past: BTreeMap<String, Past>,
    weights: BTreeMap<String, f64>,
    total: (i64, i64),
}

impl Model {
    /// All paths from the top down to this one.
    fn ways(&self, path: &str) -> Vec<String> {
        let mut ways = Vec::new();
        if !self.flat {
            ways.extend(path.match_indices('/').map(|(at, _)| path[..at].to_string()));
        }
        ways.push(path.to_string());
        ways
    }

    fn is_below(&self, path: &str, above: &str) -> bool {
        path != above && self.ways(path).iter().any(|way| way == above)
    }

    fn has_below(&self, above: &str) -> bool {
        self.clients.keys().any(|path| self.is_below(path, above))
    }

    /// The node of the client itself.
    fn leaf(&self, client: &str) -> String {
        if self.has_below(client) { format!("{client}/.") } else { client.to_string() }
    }

    fn nodes_of(&self, client: &str) -> Vec<String> {
        let mut nodes = self.ways(client);
        let leaf = self.leaf(client);
        if leaf != client {
            nodes.push(leaf);
        }
        nodes
    }

    /// After clients came or went: nodes come into being, and those without clients are forgotten.
    fn renew(&mut self, before: &Self) {
        let mut past = BTreeMap::new();
        for client in self.clients.keys() {
            for node in self.nodes_of(client) {
                let new = match node.strip_suffix("/.") {
                    Some(client) if before.clients.contains_key(client) => {
                        Past { count: self.past[client].count, weight: None }
                    }
                    _ => Past::default(),
                };
                past.insert(node.clone(), self.past.get(&node).cloned().unwrap_or(new));
            }
        }
        self.past = past;
    }

    fn change(&mut self, change: impl FnOnce(&mut BTreeMap<String, Client>)) {
        let before = Self { flat: self.flat, clients: self.clients.clone(), ..Self::default() };
        change(&mut self.clients);
        self.renew(&before);
    }

    fn add(&mut self, path: &str) {
        self.change(|clients| {
            clients.insert(path.into(), Client::default());
        });
    }

    fn remove(&mut self, path: &str) {
        self.change(|clients| {
            clients.remove(path);
        });
    }

    fn give(&mut self, path: &str, cpus: i64, mem: i64, times: u64) {
        let client = self.clients.get_mut(path).unwrap();
        client.cpus += cpus;
        client.mem += mem;
        for node in self.nodes_of(path) {
            self.past.get_mut(&node).unwrap().count += times;
        }
    }

    fn weigh(&mut self, path: &str, weight: f64) {
        self.weights.insert(path.into(), weight);
        if self.clients.contains_key(path) {
            self.past.get_mut(path).unwrap().weight = Some(weight);
        }
    }

    fn is_inactive_leaf(&self, node: &str) -> bool {
        let client = if self.flat { node } else { node.strip_suffix("/.").unwrap_or(node) };
        self.clients.get(client).is_some_and(|of| !of.active && self.leaf(client) == node)
    }

    fn share(&self, node: &str) -> f64 {
        let below = self.clients.iter().filter(|(path, _)| self.nodes_of(path).iter().any(|way| way == node));
        let (cpus, mem) = below.fold((0, 0), |sum, (_, of)| (sum.0 + of.cpus, sum.1 + of.mem));
        let part = |held: i64, total: i64| if total > 0 { held as f64 / total as f64 } else { 0.0 };
        part(cpus, self.total.0).max(part(mem, self.total.1)) / self.past[node].weight.unwrap()
    }

    fn sort(&mut self) -> Vec<usize> {
        let nodes: Vec<String> = self.past.keys().cloned().collect();
        for node in &nodes {
            if !self.is_inactive_leaf(node) {
                let weight = self.weights.get(node).copied().unwrap_or(1.0);
                self.past.get_mut(node).unwrap().weight.get_or_insert(weight);
            }
        }
        let mut order = Vec::new();
        self.visit("", &mut order);
        order
    }

    fn visit(&self, parent: &str, order: &mut Vec<usize>) {
        let is_child = |node: &str| {
            let above = if self.flat { "" } else { node.rsplit_once('/').map_or("", |(above, _)| above) };
            above == parent && !self.is_inactive_leaf(node)
        };
        let mut children: Vec<&String> = self.past.keys().filter(|node| is_child(node)).collect();
        children.sort_by(|a, b| {
            let key = |node: &str| (self.share(node), self.past[node].count);
            key(a).partial_cmp(&key(b)).unwrap().then(a.cmp(b))
        });
        for node in children {
            let client = node.strip_suffix("/.").unwrap_or(node);
            if self.clients.contains_key(client) && self.leaf(client) == *node {
                order.push(PATHS.iter().position(|path| *path == client).unwrap());
            } else {
                self.visit(node, order);
            }
        }
    }
}

/// Does one thing to both; what makes no sense now is left out.
fn step(sorter: &mut Sorter<RoleId>, model: &mut Model, client: usize, action: u8, cpus: i64, mem: i64) {
    let (id, path) = (role(client), PATHS[client]);
    let there = sorter.contains(id);
    match action {
        0..3 if !there => {
            sorter.add(id, path);
            model.add(path);
        }
        3 if there => {
            sorter.remove(id);
            model.remove(path);
        }
        4..7 if there => {
            sorter.activate(id);
            model.clients.get_mut(path).unwrap().active = true;
        }
        7 if there => {
            sorter.deactivate(id);
            model.clients.get_mut(path).unwrap().active = false;
        }
        8..15 if there => {
            sorter.allocated_plain(id, &of(&format!("cpus:{cpus};mem:{mem}")), 1);
            model.give(path, cpus, mem, 1);
        }
        15 if there => {
            let held = &model.clients[path];
            let (cpus, mem) = (cpus.min(held.cpus), mem.min(held.mem));
            sorter.unallocated_plain(id, &of(&format!("cpus:{cpus};mem:{mem}")));
            model.give(path, -cpus, -mem, 0);
        }
        16 => {
            sorter.update_weight(path, (cpus + 1) as f64 / 2.0);
            model.weigh(path, (cpus + 1) as f64 / 2.0);
        }
        17 => {
            sorter.add_total(&of(&format!("cpus:{cpus};mem:{mem}")));
            model.total = (model.total.0 + cpus, model.total.1 + mem);
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn any_history_gives_the_order_of_the_model(
        flat in any::<bool>(),
        steps in prop::collection::vec((0..PATHS.len(), 0u8..18, 0i64..6, 0i64..6, 0u8..3), 1..150),
    ) {
        let mut sorter = Sorter::new(SorterKind::Drf, &[], flat);
        let mut model = Model { flat, ..Model::default() };
        for (client, action, cpus, mem, read) in steps {
            step(&mut sorter, &mut model, client, action, cpus, mem);
            prop_assert_eq!(sorter.len(), model.clients.len());
            if read == 0 { // now and then several steps go by unread
                prop_assert_eq!(order(&mut sorter), model.sort());
                let before = seen(&mut sorter);
                let (id, path) = (role(client), PATHS[client]);
                if sorter.contains(id) {
                    sorter.allocated_plain(id, &of("cpus:1"), 2);
                    model.give(path, 1, 0, 2);
                }
                prop_assert_eq!(seen(&mut sorter), before);
            }
        }
    }

    /// Many siblings, of which few are touched between two looks, so that they are moved one by one, near and far.
    #[test]
    fn moving_what_was_touched_gives_the_order_of_a_full_sort(
        steps in prop::collection::vec((0usize..60, 1i64..30, 0u8..8, 0u8..3), 1..200),
    ) {
        let mut sorter = Sorter::new(SorterKind::Drf, &[], true);
        sorter.add_total(&of("cpus:1000"));
        let mut held = [(0i64, 0u64, true); 60];
        for client in 0..60 {
            sorter.add(role(client), &format!("{client:02}"));
            sorter.activate(role(client));
        }
        for (client, cpus, action, read) in steps {
            let (id, (sum, count, active)) = (role(client), &mut held[client]);
            match action {
                0 => {
                    sorter.unallocated_plain(id, &of(&format!("cpus:{sum}")));
                    *sum = 0;
                }
                1 => {
                    sorter.deactivate(id);
                    *active = false;
                }
                2 => {
                    sorter.activate(id);
                    *active = true;
                }
                _ => {
                    sorter.allocated_plain(id, &of(&format!("cpus:{cpus}")), 1);
                    (*sum, *count) = (*sum + cpus, *count + 1);
                }
            }
            if read == 0 {
                let mut expected: Vec<usize> = (0..60).filter(|&client| held[client].2).collect();
                expected.sort_by_key(|&client| (held[client].0, held[client].1, client));
                prop_assert_eq!(order(&mut sorter), expected);
            }
        }
    }
}
