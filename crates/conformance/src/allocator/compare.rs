//! Tells the answers of an allocator from those of the file.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use mesos::resource::Resources;

use super::{
    drive::{Answer, Given, Session},
    format::{Asserted, Count, ExpectedInverse, ExpectedOffer},
};

/// A line of a diff.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Expected,
    Given,
}

fn line(side: Side, text: &str) -> String {
    let mark = match side {
        Side::Both => ' ',
        Side::Expected => '-',
        Side::Given => '+',
    };
    format!("{mark} {text}")
}

/// Lines that tell the offers apart, with the common ones; `None` if they are the same.
pub(super) fn offers_differ(expected: &[ExpectedOffer], given: &[Given]) -> Option<Vec<String>> {
    let expected = sorted(expected);
    let mut lines = Vec::new();
    let mut same = true;
    let (mut left, mut right) = (expected.iter().peekable(), given.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(left), Some(right)) => expected_key(left).cmp(&given_key(right)),
        };
        if order == Ordering::Equal
            && let (Some(expected), Some(given)) = (left.peek(), right.peek())
            && expected.resources == given.resources
        {
            lines.push(line(Side::Both, &given_text(given)));
            left.next();
            right.next();
            continue;
        }
        same = false;
        // Of the same framework, role and agent both stand below each other.
        if order != Ordering::Greater
            && let Some(expected) = left.next()
        {
            lines.push(line(Side::Expected, &expected_text(expected)));
        }
        if order != Ordering::Less
            && let Some(given) = right.next()
        {
            lines.push(line(Side::Given, &given_text(given)));
        }
    }
    (!same).then_some(lines)
}

/// The same for inverse offers.
pub(super) fn inverse_offers_differ(expected: &[ExpectedInverse], answer: &Answer) -> Option<Vec<String>> {
    let wanted = expected.iter().map(|offer| (offer.framework.as_str(), offer.agent.as_str()));
    let given = answer.inverse_offers.iter();
    let given = given.map(|offer| (offer.framework.as_str(), offer.agent.as_str()));
    let (wanted, given) = (counted(wanted), counted(given));
    if wanted == given {
        return None;
    }
    let keys: BTreeSet<_> = wanted.keys().chain(given.keys()).copied().collect();
    let mut lines = Vec::new();
    for key in keys {
        let (wanted, given) = (wanted.get(&key).copied().unwrap_or(0), given.get(&key).copied().unwrap_or(0));
        let text = format!("inverse offer {} {}", key.0, key.1);
        lines.extend((0..wanted.min(given)).map(|_| line(Side::Both, &text)));
        lines.extend((given..wanted).map(|_| line(Side::Expected, &text)));
        lines.extend((wanted..given).map(|_| line(Side::Given, &text)));
    }
    Some(lines)
}

/// How often each stands there.
fn counted<'a>(keys: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<(&'a str, &'a str), usize> {
    let mut counts = BTreeMap::new();
    keys.for_each(|key| *counts.entry(key).or_insert(0) += 1);
    counts
}

/// What the answers to `steps`, taken together, lack of what a source asserts.
pub(super) fn assertion_fails(
    asserted: &Asserted,
    answers: &[&Answer],
    session: &mut Session<'_>,
) -> Vec<String> {
    let given: Vec<Given> = answers.iter().flat_map(|answer| answer.offers.iter().cloned()).collect();
    let mut lines = Vec::new();
    if let Some(offers) = &asserted.offers {
        let mut given = given.clone();
        given.sort_by(|a, b| given_key(a).cmp(&given_key(b)));
        lines.extend(offers_differ(offers, &given).into_iter().flatten());
    }
    if let Some(alternatives) = &asserted.any_of {
        lines.extend(none_of(alternatives, &given));
    }
    if let Some(total) = &asserted.total {
        lines.extend(totals_differ(total, &given));
    }
    if let Some(count) = &asserted.count {
        lines.extend(counts_differ(count, &given));
    }
    if asserted.failed.is_some_and(|failed| failed != answers.iter().any(|answer| answer.refused.is_some())) {
        let (wanted, found) =
            if asserted.failed == Some(true) { ("fails", "succeeds") } else { ("succeeds", "fails") };
        lines.extend([
            line(Side::Expected, &format!("the step {wanted}")),
            line(Side::Given, &format!("the step {found}")),
        ]);
    }
    lines.extend(state_differs(asserted, session));
    lines
}

fn none_of(alternatives: &[Vec<ExpectedOffer>], given: &[Given]) -> Vec<String> {
    if alternatives.iter().any(|offers| offers_differ(offers, given).is_none()) {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for (place, offers) in alternatives.iter().enumerate() {
        lines.push(line(Side::Expected, &format!("alternative {place}:")));
        lines.extend(sorted(offers).iter().map(|offer| line(Side::Expected, &expected_text(offer))));
    }
    lines.extend(given.iter().map(|offer| line(Side::Given, &given_text(offer))));
    lines
}

fn totals_differ(expected: &BTreeMap<String, Resources>, given: &[Given]) -> Vec<String> {
    let mut sums: BTreeMap<&str, Resources> = BTreeMap::new();
    given.iter().for_each(|offer| *sums.entry(&offer.framework).or_default() += &offer.resources);
    let names: BTreeSet<&str> = expected.keys().map(String::as_str).chain(sums.keys().copied()).collect();
    let pairs = names.into_iter().map(|name| {
        let wanted = expected.get(name).map_or(Resources::EMPTY, Clone::clone);
        (name, wanted, sums.get(name).cloned().unwrap_or_default())
    });
    pairs
        .filter(|(_, wanted, given)| wanted != given)
        .flat_map(|(name, wanted, given)| {
            [
                line(Side::Expected, &format!("all offers to {name}: {}", text(&wanted))),
                line(Side::Given, &format!("all offers to {name}: {}", text(&given))),
            ]
        })
        .collect()
}

fn counts_differ(expected: &Count, given: &[Given]) -> Vec<String> {
    match expected {
        Count::All(wanted) => pair("offers", Some(wanted), Some(&given.len())),
        Count::PerFramework(wanted) => {
            let names: BTreeSet<&str> = wanted
                .keys()
                .map(String::as_str)
                .chain(given.iter().map(|offer| &*offer.framework))
                .collect();
            let count = |name: &str| given.iter().filter(|offer| offer.framework == name).count();
            names
                .into_iter()
                .flat_map(|name| {
                    let wanted = wanted.get(name).copied().unwrap_or(0);
                    pair(&format!("offers to {name}"), Some(&wanted), Some(&count(name)))
                })
                .collect()
        }
    }
}

/// Shares, filters and quantities as they are after the step.
fn state_differs(asserted: &Asserted, session: &mut Session<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, wanted) in asserted.shares.iter().flatten() {
        let role = session.allocator.role(name);
        let share = session.allocator.dominant_share(role);
        let near = match (wanted, share) {
            (Some(wanted), Some(share)) => (wanted - share).abs() <= 1e-9,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !near {
            lines.extend(pair(&format!("share of {name}"), wanted.as_ref(), share.as_ref()));
        }
    }
    for (name, wanted) in asserted.filters.iter().flatten() {
        let role = session.allocator.role(name);
        let filters = session.allocator.filters_in_force(role, session.now);
        lines.extend(pair(&format!("filters under {name}"), Some(wanted), Some(&filters)));
    }
    if let Some(cluster) = &asserted.cluster {
        let (total, out) = session.allocator.cluster_quantities();
        lines.extend(pair("in the cluster", Some(&cluster.total.0), Some(&total)));
        lines.extend(pair("offered or allocated", Some(&cluster.offered_or_allocated.0), Some(&out)));
    }
    lines
}

/// Both sides of a value, if they differ.
fn pair<T: PartialEq + std::fmt::Display>(what: &str, wanted: Option<&T>, given: Option<&T>) -> Vec<String> {
    if wanted == given {
        return Vec::new();
    }
    let text = |value: Option<&T>| value.map_or_else(|| "none".to_owned(), ToString::to_string);
    let side = |side, value| line(side, &format!("{what}: {}", text(value)));
    vec![side(Side::Expected, wanted), side(Side::Given, given)]
}

/// Offers in the order in which files have them.
fn sorted(offers: &[ExpectedOffer]) -> Vec<&ExpectedOffer> {
    let mut sorted: Vec<_> = offers.iter().collect();
    sorted.sort_by(|a, b| expected_key(a).cmp(&expected_key(b)));
    sorted
}

fn expected_key(offer: &ExpectedOffer) -> (&str, &str, &str) {
    (&offer.framework, &offer.role, &offer.agent)
}

fn given_key(offer: &Given) -> (&str, &str, &str) {
    (&offer.framework, &offer.role, &offer.agent)
}

fn expected_text(offer: &ExpectedOffer) -> String {
    format!("{} {} {} {}", offer.framework, offer.role, offer.agent, text(&offer.resources))
}

/// An offer on one line.
pub(super) fn given_text(offer: &Given) -> String {
    format!("{} {} {} {}", offer.framework, offer.role, offer.agent, text(&offer.resources))
}

/// Resources on one line.
pub(super) fn text(resources: &Resources) -> String {
    if resources.is_empty() { "nothing".to_owned() } else { resources.to_string() }
}
