//! Findings (发现问题, 7.3.2.1.4): what is wrong, from the first failure until it is seen well again.

pub(crate) mod api;
#[expect(clippy::module_inception, reason = "the singular has the rules, in every noun's folder")]
mod finding;
pub mod findings;
pub(crate) mod wire;

pub use finding::{Fact, Finding, FindingId, Sighting, decide};
