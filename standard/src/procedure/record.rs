//! THE ACTS: what people do to a procedure, as it is kept for ever.
//!
//! Sources: T/DGAG 038-2025, 7.3.3.2, has the whole course of a service recorded; which acts there are is ours: no clause
//! lists them.
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::gate::{Evidence, GateKind};
use super::step::Party;

/// Somebody, in the roles in which they act here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The person's id; the same person has the same id in every role.
    pub id: String,
    /// The roles.
    pub roles: BTreeSet<Party>,
}

impl Person {
    /// A person in these roles.
    #[must_use]
    pub fn new(id: impl Into<String>, roles: impl IntoIterator<Item = Party>) -> Self {
        Self { id: id.into(), roles: roles.into_iter().collect() }
    }

    /// Whether the person acts in one of these roles.
    #[must_use]
    pub fn is_one_of(&self, parties: &BTreeSet<Party>) -> bool {
        !self.roles.is_disjoint(parties)
    }
}

/// What is done. `step` is the clause of the step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Say whether a condition of the text holds.
    Answer {
        /// Its key.
        condition: String,
        /// Whether it holds.
        holds: bool,
        /// Why one thinks so.
        because: String,
    },
    /// Say which row of its decision table hit.
    Route {
        /// The step.
        step: String,
        /// The row.
        row: String,
    },
    /// Begin a step.
    Begin {
        /// The step.
        step: String,
        /// In which modes; empty where the step has none.
        modes: BTreeSet<String>,
    },
    /// Show evidence to a gate.
    Show {
        /// The step.
        step: String,
        /// The gate.
        gate: GateKind,
        /// The evidence.
        evidence: Evidence,
    },
    /// Do without the evidence of a gate.
    WaiveGate {
        /// The step.
        step: String,
        /// The gate.
        gate: GateKind,
        /// Why.
        reason: String,
        /// Who answers for it.
        approved_by: Person,
    },
    /// Do without a step, its gates and its lettered items.
    WaiveStep {
        /// The step.
        step: String,
        /// Why.
        reason: String,
        /// Who answers for it.
        approved_by: Person,
    },
    /// Finish a step.
    Finish {
        /// The step.
        step: String,
    },
    /// Do a step anew, and all that waits for it: its evidence counts no longer, but stays in the records.
    Reopen {
        /// The step.
        step: String,
        /// Why.
        reason: String,
    },
    /// Give the procedure up.
    Abandon {
        /// Why.
        reason: String,
        /// Who of the other parties agrees.
        approved_by: Person,
    },
}

/// An act with who and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When.
    pub at: Timestamp,
    /// Who did it or asked for it.
    pub by: Person,
    /// What.
    #[serde(flatten)]
    pub act: Act,
}
