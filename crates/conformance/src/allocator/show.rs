//! A scenario as a text to be read: what happens at each step, who is offered what, who holds what at the end.

use std::{collections::BTreeSet, fmt::Write};

use super::{Taken, compare::text, drive::Session, format::AllocatorScenario, step::Step, walk};
use crate::MakeAllocator;

/// What happens at each step, and where it differs from what the file expects.
#[must_use]
pub fn show(scenario: &AllocatorScenario, make: &mut MakeAllocator<'_>) -> String {
    let roles = roles(&scenario.steps);
    let mut out = title(scenario);
    let mut differ = 0;
    let session = walk(scenario, make, &mut |taken, session| {
        differ += usize::from(!taken.diff.is_empty());
        step(&mut out, taken, session);
        if !taken.answer.offers.is_empty() {
            shares(&mut out, &roles, session);
        }
    });
    end(&mut out, &session);
    verdict(&mut out, scenario, differ);
    out
}

fn title(scenario: &AllocatorScenario) -> String {
    let words = [scenario.name.as_str(), scenario.about.as_str()];
    let mut title = words.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ");
    if !title.is_empty() {
        title.push_str("\n\n");
    }
    title
}

fn step(out: &mut String, taken: &Taken<'_>, session: &Session<'_>) {
    let Taken { number, step, answer, diff, .. } = taken;
    line(out, &format!("step {number:<3} at {} s: {}", taken.start, step.plain()));
    if let Step::RecoverResources(step) = step
        && !session.held.knows(&step.framework, &step.agent)
    {
        line(out, "    nothing happens: one of them is not there");
    }
    for why in answer.refused.iter().chain(&answer.impossible) {
        line(out, &format!("    refused: {why}"));
    }
    // Only while the clock runs are there several times to tell apart.
    let at = |time| if time == taken.start { String::new() } else { format!("at {time} s ") };
    let mut offers: Vec<_> = answer.offers.iter().collect();
    offers.sort_by_key(|offer| offer.at);
    for offer in offers {
        let (at, resources) = (at(offer.at), text(&offer.resources));
        let words = format!("{at}{} under {}: {resources} of {}", offer.framework, offer.role, offer.agent);
        line(out, &format!("    offer {words}"));
    }
    for offer in &answer.inverse_offers {
        line(out, &format!("    inverse offer {}{}: leave {}", at(offer.at), offer.framework, offer.agent));
    }
    if !diff.is_empty() {
        line(out, "    differs from the file (- expected, + given):");
        diff.iter().for_each(|words| line(out, &format!("      {words}")));
    }
}

fn shares(out: &mut String, roles: &BTreeSet<&str>, session: &mut Session<'_>) {
    let shares = roles.iter().filter_map(|name| {
        let role = session.allocator.role(name);
        Some(format!("{name} {}", short(session.allocator.dominant_share(role)?)))
    });
    let shares: Vec<String> = shares.collect();
    line(out, &format!("    dominant shares: {}", shares.join(", ")));
}

/// Four decimals, and none that say nothing.
fn short(share: f64) -> String {
    let text = format!("{share:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn end(out: &mut String, session: &Session<'_>) {
    line(out, &format!("\nAt the end, after {} s:", session.now));
    let mut nothing = true;
    for (framework, role, agent, resources) in session.held.rows() {
        nothing = false;
        line(out, &format!("    {framework} holds under {role}: {} of {agent}", text(resources)));
    }
    if nothing {
        line(out, "    nobody holds anything");
    }
}

fn verdict(out: &mut String, scenario: &AllocatorScenario, differ: usize) {
    let words = match (differ, scenario.expect.is_some() || scenario.asserted.is_some()) {
        (0, true) => "All is as the file expects.".to_owned(),
        (0, false) => "The file says nothing of what it expects.".to_owned(),
        (1, _) => "One step differs from the file.".to_owned(),
        (differ, _) => format!("{differ} steps differ from the file."),
    };
    line(out, &words);
}

fn line(out: &mut String, words: &str) {
    // Writing into a text does not fail.
    _ = writeln!(out, "{words}");
}

/// All roles that frameworks have in the scenario.
fn roles(steps: &[Step]) -> BTreeSet<&str> {
    let mut roles = BTreeSet::new();
    for step in steps {
        if let Step::AddFramework(step) = step {
            roles.extend(step.roles.iter().map(String::as_str));
        } else if let Step::UpdateFramework(step) = step {
            roles.extend(step.roles.iter().map(String::as_str));
        }
        let used = step.used().into_iter().flatten();
        roles.extend(used.flat_map(|(_, roles)| roles.keys()).map(String::as_str));
    }
    roles
}
