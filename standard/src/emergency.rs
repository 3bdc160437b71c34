//! THE EMERGENCY: risks, drills, phases, means (7.3.5, 7.4.2).
//!
//! Sources: T/DGAG 038-2025, 7.3.5 and 7.4.2; types of risk beyond the two that 7.3.5.1.1 names, types of drill, and phases
//! are ours or found elsewhere, and marked so.
use serde::{Deserialize, Serialize};

use crate::{ClauseId, Marked, ReportCode, Words};

/// A type of risk (7.3.5.1.1), a type of drill (7.3.5.2) or a phase of the response, with its words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
}

/// A means of response (7.4.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Means {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// The clause it belongs to.
    pub clause: ClauseId,
}

/// Where incidents are reported from (7.4.2.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntakeChannel {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// The clause it belongs to.
    pub clause: ClauseId,
}

/// The file `data/emergency.yaml` (7.3.5, 7.4.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// The kinds of risk.
    pub risk_types: Vec<Code>,
    /// How the risks are read.
    pub risk_note: Words,
    /// The kinds of drill.
    pub drill_types: Vec<Code>,
    /// The phases.
    pub phases: Vec<Code>,
    /// The means of response.
    pub means: Vec<Means>,
    /// Where incidents are reported from.
    pub intake_channels: Vec<IntakeChannel>,
    /// Where the parts of an emergency plan are.
    pub plan_parts: Marked<ReportCode>,
    /// Where the parts of a drill plan are.
    pub drill_plan_parts: Marked<ReportCode>,
    /// Where the parts of a drill report are.
    pub drill_report_parts: Marked<ReportCode>,
    /// Where the parts of the response report are.
    pub report_parts: Marked<ReportCode>,
}
