//! THE TICKETS: types, grades, states, hotline (7.1, 7.4.1).
//!
//! Sources: T/DGAG 038-2025, 7.1 and 7.4.1; DB4401/T 294.2, clause 6, would have types and grades, and is not known; types,
//! grades, states, reasons to wait, times, escalation and the numbers of the hotline are ours or found elsewhere, and marked
//! so.
use serde::{Deserialize, Serialize};

use crate::{
    CalendarCode, ClauseId, Count, Hours, IncidentGrade, Marked, Minutes, Percent, Seconds, TicketGrade, Words, WorkflowCode,
};

/// A type of tickets (7.4.1.1 says 服务请求或事件; 294.2 clause 6 would have the types and is unknown).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Type {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// Where a ticket of this type goes.
    pub default_flow: Marked<String>,
    /// The workflows.
    pub workflows: Marked<Vec<WorkflowCode>>,
}

/// The file `data/tickets/types.yaml` (7.4.1.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Types {
    /// The types.
    pub types: Vec<Type>,
}

/// A grade of tickets with its times (7.4.1.2, 7.4.1.5; 294.2 clause 6 would have the numbers and is unknown).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grade {
    /// The grade.
    pub grade: TicketGrade,
    /// Its name.
    pub name: Words,
    /// The time until somebody responds.
    pub response_minutes: Marked<Minutes>,
    /// The time until the ticket is solved.
    pub resolve_hours: Marked<Hours>,
    /// The calendar that the times run on.
    pub calendar: Marked<CalendarCode>,
    /// What it is used for.
    pub usage: Words,
    /// The incident grades it goes with.
    pub incident_grades: Marked<Vec<IncidentGrade>>,
}

/// The file `data/tickets/grades.yaml` (7.4.1.2, 7.4.1.5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grades {
    /// The grades.
    pub grades: Vec<Grade>,
}

/// A state of a ticket with its words (in the order of the steps of 7.4.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Marked<String>,
}

/// A reason for which a ticket may wait, and whether its clock stops then (7.4.1.5 has tickets followed; a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingReason {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// Whether the clock stands still.
    pub pauses_clock: Marked<bool>,
}

/// A rule of how tickets are handled (7.4.1; a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The clause it belongs to.
    pub clause: ClauseId,
    /// The rule.
    pub rule: Marked<String>,
}

/// Who is told at which share of the time limit (7.4.1.5; a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// At which share of the time limit.
    pub at_percent: Marked<Count>,
    /// Who is told.
    pub to: Words,
}

/// The file `data/tickets/states.yaml` (7.4.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct States {
    /// The states.
    pub states: Vec<Code>,
    /// The reasons to wait.
    pub pending_reasons: Vec<PendingReason>,
    /// When the clock stands still.
    pub sla_pause: Words,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The shares of the time limit at which a warning is given.
    pub warn_at_percent: Marked<Vec<Percent>>,
    /// The share of the time limit at which a ticket is escalated.
    pub escalate_at_percent: Marked<Percent>,
    /// Who is told at which share of the time limit.
    pub escalation: Vec<Escalation>,
}

/// The file `data/tickets/hotline.yaml` (7.4.1.1, 7.4.1.6): the numbers are product defaults, those of other norms where the
/// mark says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hotline {
    /// The time until a call is answered.
    pub answer_seconds: Marked<Seconds>,
    /// The share of calls that is to be answered.
    pub answer_rate_percent: Marked<Percent>,
    /// The share of calls that may be given up before they are answered.
    pub abandon_rate_percent: Marked<Percent>,
    /// The time until a missed call is returned.
    pub callback_minutes: Marked<Minutes>,
    /// The share of closed tickets whose requester is called back.
    pub callback_sample_percent: Marked<Percent>,
    /// The hours of service.
    pub hours: Marked<String>,
    /// The clause it belongs to.
    pub clause: ClauseId,
}
