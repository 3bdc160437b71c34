//! THE WIRE: every message and service the platform speaks, generated from the `.proto` files beside this crate, plus the
//! little that turns wire values into honest ones. Nothing here knows a rule.

mod codec;
pub mod filter;
mod mutation;
pub mod parse;
pub mod reasons;
mod refusal;
mod rpcs;
mod schema;
mod time;
mod why;
mod words;

pub use mutation::Mutation;
pub use parse::Invalid;
pub use refusal::{DOMAIN, Refusal};
pub use rpcs::{Rpc, rpcs};
pub use schema::{Event, events, schemas};
pub use time::{instant, moment, stamp};
pub use why::Why;
pub use words::Wire;

/// The descriptors of everything below `opsmesh`, for gRPC reflection and for documents about the wire.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The descriptors of what refusals carry (`google.rpc`), so that a client which only asks reflection can read them too.
pub const REFUSAL_DESCRIPTORS: &[u8] = tonic_types::pb::FILE_DESCRIPTOR_SET;

/// Who was not let in.
#[expect(missing_docs, clippy::pedantic, clippy::allow_attributes, clippy::allow_attributes_without_reason, reason = "generated")]
pub mod access {
    pub mod v1 {
        tonic::include_proto!("opsmesh.access.v1");
        include!(concat!(env!("OUT_DIR"), "/opsmesh.access.v1.serde.rs"));
    }
}

/// Devices and their ledger.
#[expect(missing_docs, clippy::pedantic, clippy::allow_attributes, clippy::allow_attributes_without_reason, reason = "generated")]
pub mod inventory {
    pub mod v1 {
        tonic::include_proto!("opsmesh.inventory.v1");
        include!(concat!(env!("OUT_DIR"), "/opsmesh.inventory.v1.serde.rs"));
    }
}

/// Messages that could not be handled.
#[expect(missing_docs, clippy::pedantic, clippy::allow_attributes, clippy::allow_attributes_without_reason, reason = "generated")]
pub mod mailbox {
    pub mod v1 {
        tonic::include_proto!("opsmesh.mailbox.v1");
        include!(concat!(env!("OUT_DIR"), "/opsmesh.mailbox.v1.serde.rs"));
    }
}

/// Plans, runs, results and findings.
#[expect(missing_docs, clippy::pedantic, clippy::allow_attributes, clippy::allow_attributes_without_reason, reason = "generated")]
pub mod inspection {
    pub mod v1 {
        tonic::include_proto!("opsmesh.inspection.v1");
        include!(concat!(env!("OUT_DIR"), "/opsmesh.inspection.v1.serde.rs"));
    }
}

/// Tickets.
#[expect(missing_docs, clippy::pedantic, clippy::allow_attributes, clippy::allow_attributes_without_reason, reason = "generated")]
pub mod ticketing {
    pub mod v1 {
        tonic::include_proto!("opsmesh.ticketing.v1");
        include!(concat!(env!("OUT_DIR"), "/opsmesh.ticketing.v1.serde.rs"));
    }
}
