//! Inspection items (巡检项): what is measured, and what is well.

#[expect(clippy::module_inception, reason = "the singular has the rules, in every noun's folder")]
mod item;
mod measure;
mod probe;
pub(crate) mod wire;

pub use item::{Item, Judgement, Limit, Severity, Verdict, judge};
pub use probe::{Observation, Probe, ProbeError, ProbeErrorKind};
