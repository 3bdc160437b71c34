//! Plans (巡检计划, 7.3.2.1.1): what the cluster's InspectionPlans now are.

pub(crate) mod api;
#[expect(clippy::module_inception, reason = "the singular has the rules, in every noun's folder")]
mod plan;
pub mod plans;
pub(crate) mod wire;

pub use plan::{Fact, Plan, PlanId, Refusal, Selector, Terms};
