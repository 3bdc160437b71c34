//! Requests that change something: each has the caller's `request_id`, and says whether it is only to be validated.
use prost::Name;

use crate::{inspection::v1 as inspection, inventory::v1 as inventory, mailbox::v1 as mailbox, ticketing::v1 as ticketing};

/// A request that changes something.
pub trait Mutation: Name {
    /// AIP-155: the same request repeated has one effect and the same answer.
    fn request_id(&self) -> &str;

    /// AIP-163: what would be the answer, without the effect.
    fn validate_only(&self) -> bool;
}

macro_rules! mutations {
    ($($request:ty),+ $(,)?) => {
        $(impl Mutation for $request {
            fn request_id(&self) -> &str {
                &self.request_id
            }

            fn validate_only(&self) -> bool {
                self.validate_only
            }
        })+
    };
}

mutations! {
    inspection::CreateRunRequest,
    inspection::FinishRunRequest,
    inspection::PutPlanRequest,
    inventory::CreateDeviceRequest,
    inventory::RetireDeviceRequest,
    inventory::UpdateDeviceRequest,
    mailbox::DiscardParkedMessageRequest,
    mailbox::ReplayParkedMessageRequest,
    ticketing::AssignTicketRequest,
    ticketing::CloseTicketRequest,
    ticketing::ConfirmTicketRequest,
    ticketing::CreateTicketRequest,
    ticketing::ResolveTicketRequest,
}

#[cfg(test)]
mod tests {
    /// Each result is recorded once by its own key: a repetition needs no `request_id`.
    const BY_THEIR_KEYS: &[&str] = &["opsmesh.inspection.v1.Inspection/SubmitResults"];

    #[test]
    fn every_mutation_has_a_request_id_and_can_be_only_validated_and_every_list_a_filter_and_pages() {
        for rpc in crate::rpcs() {
            let has = |field: &str| rpc.request.iter().any(|has| has == field);
            if rpc.method().starts_with("List") && rpc.method() != "ListTicketEvents" {
                for field in ["filter", "page_size", "page_token"] {
                    assert!(has(field), "{} has no {field}", rpc.name);
                }
            }
            if !rpc.reads() {
                assert!(has("validate_only"), "{} cannot be only validated", rpc.name);
                assert!(has("request_id") || BY_THEIR_KEYS.contains(&rpc.name.as_str()), "{} has no request_id", rpc.name);
            }
        }
    }
}
