//! THE FROZEN PROCEDURE: kept with the ticket that uses it, readable for as long as tickets are.
//!
//! Source: ours: no clause says what a newer text means for a ticket that is open.
use std::fmt;

use serde::{Deserialize, Serialize};

use super::check::{Fault, check};
use super::step::Procedure;

/// The format that is written today. What was written in an earlier one stays readable: a new format adds an arm to `Kept`.
pub const FORMAT: u32 = 1;

/// A procedure as it was when its ticket was opened: whole, with all words, so that a newer book changes nothing for the ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Kept", try_from = "Kept")]
pub struct Frozen(Procedure);

/// What is written down.
#[derive(Serialize, Deserialize)]
struct Kept {
    format: u32,
    procedure: serde_json::Value,
}

/// Why a frozen procedure cannot be read.
#[derive(Debug)]
pub enum Unreadable {
    /// It was written by a newer program.
    Format(u32),
    /// It is not what the format says.
    Shape(serde_json::Error),
    /// It is no procedure that one could follow.
    Fault(Fault),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(format) => write!(f, "format {format} is not known here (up to {FORMAT})"),
            Self::Shape(error) => write!(f, "{error}"),
            Self::Fault(fault) => write!(f, "{fault}"),
        }
    }
}

impl std::error::Error for Unreadable {}

impl Frozen {
    /// Freezes a procedure for a ticket.
    ///
    /// # Errors
    /// The first fault, if it is no procedure that one could follow; those that the loader gave have none.
    pub fn freeze(procedure: Procedure) -> Result<Self, Fault> {
        check(&procedure)?;
        Ok(Self(procedure))
    }

    /// The procedure.
    #[must_use]
    pub fn procedure(&self) -> &Procedure {
        &self.0
    }
}

impl From<Frozen> for Kept {
    fn from(frozen: Frozen) -> Self {
        let procedure = serde_json::to_value(frozen.0).expect("a procedure has only strings as keys");
        Self { format: FORMAT, procedure }
    }
}

impl TryFrom<Kept> for Frozen {
    type Error = Unreadable;

    fn try_from(kept: Kept) -> Result<Self, Unreadable> {
        match kept.format {
            FORMAT => {
                let procedure = serde_json::from_value(kept.procedure).map_err(Unreadable::Shape)?;
                Self::freeze(procedure).map_err(Unreadable::Fault)
            }
            newer => Err(Unreadable::Format(newer)),
        }
    }
}
