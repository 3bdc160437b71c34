//! Plans: an InspectionPlan becomes a CronJob whose Jobs are born suspended, and a plan that inspection holds.

mod check;
mod draw_up;
mod reconcile;
mod status;

pub(crate) use reconcile::reconcile;
pub(crate) use status::summary;

#[cfg(test)]
pub(crate) use check::tests;
