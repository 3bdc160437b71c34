//! THE PROCEDURE of clause 7: what a service does step by step, what must be there before it may go on, and where a ticket stands in it.
//!
//! Pure and total. A [`Procedure`] comes from the book (`data/procedures/`); [`Frozen`] keeps it with the ticket that uses it; [`Progress`] holds the acts that
//! were done and says where the ticket stands, what may happen next, who may do it, and what is missing by which clause. Nothing here knows a clock, a
//! database or who is calling: an act carries who, when and what.
//!
//! Sources: T/DGAG 038-2025, 7.1 to 7.5; that a ticket is held to them by gates, acts and waivers is ours: no clause says how
//! a program follows it.

mod book;
mod check;
mod file;
mod frozen;
mod gate;
mod judge;
mod load;
mod progress;
mod record;
mod refusal;
mod rules;
mod standing;
mod step;
mod waiver;

pub use book::{FILES, Procedures, procedures};
pub use check::{Fault, Place};
pub use frozen::{FORMAT, Frozen, Unreadable};
pub use gate::{At, Choice, Condition, Content, Evidence, Gate, GateKind, Outcome, Signature, With};
pub use judge::{Lack, Missing};
pub use progress::{Progress, Status};
pub use record::{Act, Person, Record};
pub use refusal::Refusal;
pub use standing::{Move, Next, Standing};
pub use step::{Decision, Defaults, Items, Modes, Party, Procedure, Step, Substeps};
pub use waiver::Unfit;
