//! Clients by lot, in proportion to their weights (Mesos' `RandomSorter`).
//!
//! Weights share out a parent's part among those of its children that have an active client; the clients are then drawn
//! all together, without regard to the tree. What anybody holds makes no difference.

use super::tree::{Kind, NodeId, ROOT, Tree};
use crate::id::Id;

/// How many clients are put in order when the first is asked for; then four times as many, and so on.
const FIRST_FEW: usize = 8;

/// The clients and their chances, and the order of the last draw.
#[derive(Debug)]
pub(super) struct Lots<C> {
    random: SplitMix64,
    /// Active clients with their part of all weight, in the order of the tree by names; of use unless `stale`.
    parts: Vec<(C, f64)>,
    stale: bool,
    /// The last draw: clients with their lots, of which the first `settled` are in ascending order and before all others.
    drawn: Vec<(f64, u32)>,
    settled: usize,
}

impl<C: Id> Lots<C> {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: SplitMix64(seed), parts: Vec::new(), stale: true, drawn: Vec::new(), settled: 0 }
    }

    /// The clients or their weights have changed.
    pub(super) fn forget(&mut self) {
        self.stale = true;
        self.drawn.clear();
        self.settled = 0;
    }

    /// One lot per client. Mesos orders by `-u^(1/part)`; taking logarithms, `-ln(u)/part` gives the same order, and does
    /// not vanish for small parts.
    pub(super) fn draw(&mut self, tree: &mut Tree<C>) {
        if std::mem::take(&mut self.stale) {
            self.parts.clear();
            share_out(tree, ROOT, 1.0, &mut self.parts);
        }
        self.drawn.clear();
        self.settled = 0;
        for (place, (_, part)) in self.parts.iter().enumerate() {
            self.drawn.push((-self.random.positive_unit().ln() / part, place as u32));
        }
    }

    pub(super) fn nth(&mut self, n: usize) -> Option<C> {
        if n >= self.drawn.len() {
            return None;
        }
        while self.settled <= n {
            self.settle_more();
        }
        Some(self.parts[self.drawn[n].1 as usize].0)
    }

    fn settle_more(&mut self) {
        let by_lot = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        let rest = &mut self.drawn[self.settled..];
        let more = (self.settled * 3).max(FIRST_FEW).min(rest.len());
        if more < rest.len() {
            rest.select_nth_unstable_by(more, by_lot);
        }
        rest[..more].sort_unstable_by(by_lot);
        self.settled += more;
    }
}

/// Gives each active client at or below a node its part of the node's part (`SortInfo::updateRelativeWeights`).
fn share_out<C: Id>(tree: &mut Tree<C>, parent: NodeId, part: f64, parts: &mut Vec<(C, f64)>) {
    let children: Vec<NodeId> =
        tree.children(parent).iter().copied().filter(|&child| has_active(tree, child)).collect();
    let weights: Vec<f64> = children.iter().map(|&child| tree.weight_from_now_on(child)).collect();
    let all: f64 = weights.iter().sum();
    for (&child, weight) in children.iter().zip(weights) {
        let part = part * weight / all;
        if tree.node(child).kind == Kind::Inner {
            share_out(tree, child, part, parts);
        } else {
            parts.push((tree.client(child), part));
        }
    }
}

fn has_active<C: Id>(tree: &Tree<C>, at: NodeId) -> bool {
    match tree.node(at).kind {
        Kind::Active => true,
        Kind::Inner => tree.children(at).iter().any(|&child| has_active(tree, child)),
        Kind::Inactive | Kind::Free => false,
    }
}

/// Steele, Lea and Flood's generator (OOPSLA'14): small, and one sequence per seed on every machine.
#[derive(Debug)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in (0, 1].
    fn positive_unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }
}
