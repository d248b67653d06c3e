//! RESERVE_RESOURCES and its kin: operators work on what nobody uses of an agent (`Master::Http::_operation`).

use super::{Master, operator::Reply, validation::operation::Asker};
use crate::{
    allocator::Allocator,
    call::Refusal,
    effects::{MasterEffects, OfferEnd},
    id::AgentId,
    offer::{Filters, Offer},
    operator::Done,
    resource::{OperationError, ResourceOperation, Resources},
    time::Time,
};

impl Master {
    /// Offers that are in the way are rescinded. What is free then must do; the answer does not wait for the agent.
    pub(super) fn operate_on_resources(
        &mut self,
        now: Time,
        agent: AgentId,
        operation: ResourceOperation,
        out: &mut impl MasterEffects,
    ) -> Result<Reply, Refusal> {
        if self.agents.get(agent).is_none_or(Option::is_none) {
            return Err(Refusal::bad_request("No agent found with specified ID"));
        }
        let invalid = |error: &str| {
            Refusal::bad_request(format!(
                "Invalid {} operation on agent {agent:?}: {error}",
                name_of(&operation)
            ))
        };
        self.check_resource_operation(agent, &operation, Asker::Operator).map_err(|error| invalid(&error))?;
        let needed = needed_for(&operation).map_err(|error| invalid(&error.0))?;
        self.rescind_for_operation(now, agent, &operation, needed, out);
        self.allocator
            .update_available(agent, std::slice::from_ref(&operation))
            .map_err(|error| Refusal::conflict(error.0))?;
        self.apply_operator_operation(agent, operation, out);
        Ok(Reply::Now(Done::Accepted))
    }

    /// One offer after the other that has anything of what is needed, until what came back is enough for the operation. The
    /// filter of 5 s keeps the allocator from offering it again before the operation is done.
    fn rescind_for_operation(
        &mut self,
        now: Time,
        agent: AgentId,
        operation: &ResourceOperation,
        mut needed: Resources,
        out: &mut impl MasterEffects,
    ) {
        let mut offers: Vec<Offer> =
            self.offers.iter().filter(|offer| offer.agent == agent).cloned().collect();
        offers.sort_unstable_by_key(|offer| offer.id);
        let mut recovered = Resources::EMPTY;
        for offer in offers {
            let mut left = needed.clone();
            left -= &offer.resources;
            if left == needed {
                continue;
            }
            needed = left;
            recovered += &offer.resources;
            let offer = self.offers.take_if_of(offer.id, offer.framework).expect("it was out just now");
            self.end_offer(now, &offer, OfferEnd::Rescinded, Some(Filters::default()), out);
            if recovered.clone().apply(operation).is_ok() {
                return;
            }
        }
    }
}

fn needed_for(operation: &ResourceOperation) -> Result<Resources, OperationError> {
    let mut needed = Resources::EMPTY;
    operation.conversions()?.iter().for_each(|conversion| needed += &conversion.consumed);
    Ok(needed)
}

const fn name_of(operation: &ResourceOperation) -> &'static str {
    match operation {
        ResourceOperation::Reserve { .. } => "RESERVE",
        ResourceOperation::Unreserve { .. } => "UNRESERVE",
        ResourceOperation::Create { .. } => "CREATE",
        ResourceOperation::Destroy { .. } => "DESTROY",
        ResourceOperation::GrowVolume { .. } => "GROW_VOLUME",
        ResourceOperation::ShrinkVolume { .. } => "SHRINK_VOLUME",
    }
}
