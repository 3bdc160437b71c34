//! Runs: an OperationRun opens its run in inspection, lets its Job go, and closes with the balance.

mod reconcile;
mod step;

pub(crate) use reconcile::reconcile;
