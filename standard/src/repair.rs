//! THE WAY OF REPAIR: the decision table of 7.4.4.5.
//!
//! Sources: T/DGAG 038-2025, 7.4.4.5; that d) is asked first, the rows for what it leaves out, and the codes are ours, and
//! marked so.
use serde::{Deserialize, Serialize};

use crate::{ClauseId, Marked, PartyCode, RepairGroup, Scalar, Words, WorkflowCode};

/// What the way of repair is decided from (7.4.4.5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its key.
    pub key: String,
    /// The values it can have.
    pub values: Marked<Vec<Scalar>>,
    /// Its name.
    pub name: Words,
    /// Where the value comes from.
    pub from: Marked<String>,
}

/// When a row holds: all that is given has to (7.4.4.5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowWhen {
    /// Whether the maker still serves it.
    #[serde(default)]
    pub vendor_support: Option<Marked<String>>,
    /// Whether the maker's warranty holds.
    #[serde(default)]
    pub warranty: Option<Marked<String>>,
    /// The repair group of the device.
    #[serde(default)]
    pub device_group: Option<Marked<RepairGroup>>,
    /// Whether the provider can repair it.
    #[serde(default)]
    pub provider_can_repair: Option<Marked<bool>>,
}

/// A row of the decision table: who repairs, who decides, with whom it is agreed (7.4.4.5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its name.
    pub id: String,
    /// Rows with a smaller number come first.
    pub priority: Marked<u32>,
    /// The clause it belongs to.
    #[serde(default)]
    pub clause: Option<ClauseId>,
    /// When it holds.
    pub when: RowWhen,
    /// What the row is about.
    pub subject: Marked<String>,
    /// What is done.
    pub route: Words,
    /// What the route can end in.
    pub outcomes: Marked<Vec<String>>,
    /// Who repairs it, where that is fixed.
    pub repaired_by: Marked<Option<String>>,
    /// Who decides.
    pub decider: Marked<Vec<PartyCode>>,
    /// With whom it is confirmed.
    pub confirmed_with: Marked<Vec<PartyCode>>,
    /// The records that show that it was done.
    pub evidence: Marked<String>,
    /// The workflow.
    #[serde(default)]
    pub workflow: Option<Marked<WorkflowCode>>,
}

/// The file `data/repair.yaml` (7.4.4.5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repair {
    /// The clause it belongs to.
    pub clause: ClauseId,
    /// Which of several rows that hold is taken.
    pub hit_policy: Marked<String>,
    /// How the rule is read.
    pub hit_policy_note: Words,
    /// What it is computed or decided from.
    pub inputs: Vec<Input>,
    /// The rows.
    pub rows: Vec<Row>,
}
