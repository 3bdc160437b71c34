//! One walk for each gate: refused there for want of its evidence, with the clause in the reason.
mod assessment_and_routine;
mod optimisation;
mod response;
