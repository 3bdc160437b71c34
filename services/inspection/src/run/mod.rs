//! Runs (执行记录, 7.3.2.1.5): one execution of a plan, its targets and its results.

pub(crate) mod api;
mod result;
pub mod results;
#[expect(clippy::module_inception, reason = "the singular has the rules, in every noun's folder")]
mod run;
pub mod runs;
pub(crate) mod wire;

pub(crate) use result::Judged;
pub use result::{Key, Seen, Unknown};
pub use run::{Balance, Fact, Refusal, Run, RunId, State, Target};

#[cfg(test)]
pub(crate) use run::tests;
