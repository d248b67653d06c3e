//! Offers that an ACCEPT names (`validation::offer::validate`).

use smallvec::SmallVec;

use super::{super::offer_book::OfferBook, Agent, agent_text, framework_text};
use crate::{
    id::{AgentId, FrameworkId, IdVec, OfferId},
    offer::Offer,
};

/// At least one offer, none twice, each out, all of this framework, one role and one agent.
pub(in crate::master) fn check(
    ids: &[OfferId],
    framework: FrameworkId,
    offers: &OfferBook,
    agents: &IdVec<AgentId, Option<Box<Agent>>>,
) -> Result<(), String> {
    if ids.is_empty() {
        return Err("No offers specified".into());
    }
    check_unique(ids)?;
    let mut all = SmallVec::<[&Offer; 2]>::new();
    for &id in ids {
        all.push(offers.get(id).ok_or_else(|| format!("Offer {} is no longer valid", text(id)))?);
    }
    all.iter().try_for_each(|offer| check_framework(offer, framework))?;
    all.iter().try_for_each(|offer| check_role(offer, all[0]))?;
    all.iter().try_for_each(|offer| check_agent(offer, all[0], agents))
}

fn check_unique(ids: &[OfferId]) -> Result<(), String> {
    match ids.iter().enumerate().find(|(place, id)| ids[..*place].contains(id)) {
        Some((_, &id)) => Err(format!("Duplicate offer {} in offer list", text(id))),
        None => Ok(()),
    }
}

fn check_framework(offer: &Offer, framework: FrameworkId) -> Result<(), String> {
    if offer.framework == framework {
        return Ok(());
    }
    let (theirs, ours) = (framework_text(offer.framework), framework_text(framework));
    Err(format!("Offer {} has invalid framework {theirs} while framework {ours} is expected", text(offer.id)))
}

fn check_role(offer: &Offer, first: &Offer) -> Result<(), String> {
    if offer.role == first.role {
        return Ok(());
    }
    let (one, other) = (text(offer.id), text(first.id));
    Err(format!("Aggregated offers must be allocated to the same role: offers {one} and {other} are not"))
}

fn check_agent(
    offer: &Offer,
    first: &Offer,
    agents: &IdVec<AgentId, Option<Box<Agent>>>,
) -> Result<(), String> {
    let named = |offer: &Offer| (text(offer.id), agent_text(offer.agent));
    let (id, agent) = match agents.get(offer.agent).and_then(Option::as_ref) {
        None => {
            let (id, agent) = named(offer);
            return Err(format!("Offer {id} outlived agent {agent}"));
        }
        Some(on) if !on.is_connected => {
            let (id, agent) = named(offer);
            return Err(format!("Offer {id} outlived disconnected agent {agent}"));
        }
        Some(_) if offer.agent == first.agent => return Ok(()),
        Some(_) => named(offer),
    };
    let (other, elsewhere) = named(first);
    Err(format!(
        "Aggregated offers must belong to one single agent. Offer {id} uses agent {agent} and offer {other} uses agent {elsewhere}"
    ))
}

fn text(offer: OfferId) -> String {
    format!("O{}", offer.0)
}
