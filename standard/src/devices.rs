//! THE DEVICE CLASSES: what is inspected, monitored and maintained (7.3.1, 7.3.2).
//!
//! Sources: T/DGAG 038-2025, 7.3.1 and 7.3.2; DB4401/T 294.2, annexes A and B, would have the items to inspect and to
//! monitor, and is not known; classes, items, metrics, limits and levels of alerts are ours or found elsewhere, and marked
//! so.
use serde::{Deserialize, Serialize};

use crate::{
    Automation, ClauseId, DirectionCode, Frequency, IncidentGrade, Lasting, Marked, MetricId, OperatorCode, Percent, RepairGroup,
    Seconds, StatisticCode, TicketGrade, UnitCode, Words,
};

/// A class of devices (7.3.1, 7.3.2; the standard lists none).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassRow {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// The repair group of 7.4.4.5.
    pub repair_group: Marked<RepairGroup>,
}

/// A maintenance action of a device class (7.3.1.3 b).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// Its name.
    pub id: String,
    /// Its name.
    pub name: Words,
    /// How often.
    pub frequency: Marked<Frequency>,
}

/// A parameter from which the limit of a check is computed, such as the loss of a kind of fibre (7.3.2.1.3; a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitParameter {
    /// Its key.
    pub key: String,
    /// The kind of fibre.
    pub fibre: Marked<String>,
    /// The value.
    pub value: Marked<f64>,
    /// Its unit.
    pub unit: Marked<UnitCode>,
}

/// What is checked of an inspection item and when it passes (7.3.2.1.3; 294.2 appendix A is unknown).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: Words,
    /// What kind it is.
    pub kind: Marked<String>,
    /// The states that pass.
    #[serde(default)]
    pub pass_states: Option<Marked<Vec<String>>>,
    /// The states that are flagged.
    #[serde(default)]
    pub flag_states: Option<Marked<Vec<String>>>,
    /// The states that fail.
    #[serde(default)]
    pub fail_states: Option<Marked<Vec<String>>>,
    /// The metrics.
    #[serde(default)]
    pub metrics: Option<Marked<Vec<MetricId>>>,
    /// The value that passes.
    #[serde(default)]
    pub pass_value: Option<Marked<bool>>,
    /// Its unit.
    #[serde(default)]
    pub unit: Option<Marked<UnitCode>>,
    /// From this the check passes.
    #[serde(default)]
    pub pass_min: Option<Marked<f64>>,
    /// Up to this the check passes.
    #[serde(default)]
    pub pass_max: Option<Marked<f64>>,
    /// Below this the check fails.
    #[serde(default)]
    pub fail_below: Option<Marked<f64>>,
    /// Above this the check fails.
    #[serde(default)]
    pub fail_above: Option<Marked<f64>>,
    /// How values of the window become one.
    #[serde(default)]
    pub statistic: Option<Marked<StatisticCode>>,
    /// The window it is counted in.
    #[serde(default)]
    pub window_seconds: Option<Marked<Seconds>>,
    /// Why there is no common limit.
    #[serde(default)]
    pub limit_reason: Option<Words>,
    /// Where the limit comes from.
    #[serde(default)]
    pub limit_from: Option<Marked<String>>,
    /// Where the base of a percentage comes from.
    #[serde(default)]
    pub base_from: Option<Marked<String>>,
    /// When the check applies.
    #[serde(default)]
    pub applies_when: Option<Words>,
    /// How often.
    #[serde(default)]
    pub frequency: Option<Marked<Frequency>>,
    /// The share that is checked.
    #[serde(default)]
    pub sample_pct: Option<Marked<Percent>>,
    /// How the limit is computed.
    #[serde(default)]
    pub limit_formula: Option<Marked<String>>,
    /// The parameters of the formula.
    #[serde(default)]
    pub limit_parameters: Option<Vec<LimitParameter>>,
}

/// An inspection item (7.3.2.1.1, 7.3.2.1.3; 294.2 appendix A is unknown).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its name.
    pub id: String,
    /// Its name.
    pub name: Words,
    /// How it is read.
    pub method: Words,
    /// What is expected to be seen.
    pub expected: Words,
    /// What is checked.
    pub checks: Vec<Check>,
    /// How often.
    pub frequency: Marked<Frequency>,
    /// Whether a program can do it.
    pub automation: Marked<Automation>,
    /// What reads it.
    pub collector: Marked<String>,
    /// The records that show that it was done.
    pub evidence: Marked<String>,
    /// The item of DB4401/T 294.2—2024; unknown.
    pub reference_294_2: Marked<Option<String>>,
}

/// A metric with the limits of its alerts (7.3.2.2.1; 294.2 appendix B is unknown).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Its name.
    pub id: String,
    /// Its name.
    pub name: Words,
    /// Its unit.
    pub unit: Marked<UnitCode>,
    /// What reads it.
    pub collector: Marked<String>,
    /// How it is read.
    pub method: Words,
    /// Where the method comes from.
    pub method_src: Marked<String>,
    /// How values of the window become one.
    pub statistic: Marked<StatisticCode>,
    /// How often it is read.
    pub interval_seconds: Marked<Seconds>,
    /// Whether high, low or a state is bad.
    pub direction: Marked<DirectionCode>,
    /// How value and limit are compared.
    pub operator: Marked<OperatorCode>,
    /// The limit of a warning.
    pub warn: Marked<Option<f64>>,
    /// The limit of a critical alert.
    pub crit: Marked<Option<f64>>,
    /// How long it has to last before an alert.
    pub for_seconds: Marked<Lasting>,
    /// The item of DB4401/T 294.2—2024; unknown.
    pub reference_294_2: Marked<Option<String>>,
    /// The states.
    #[serde(default)]
    pub states: Option<Marked<Vec<String>>>,
    /// The states of a warning.
    #[serde(default)]
    pub warn_states: Option<Marked<Vec<String>>>,
    /// The states of a critical alert.
    #[serde(default)]
    pub crit_states: Option<Marked<Vec<String>>>,
    /// The window it is counted in.
    #[serde(default)]
    pub window_seconds: Option<Marked<Seconds>>,
}

/// What is known of a device class: inspection (7.3.2.1), monitoring (7.3.2.2), maintenance (7.3.1). A file of `data/devices/`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// The device class.
    pub class: ClassRow,
    /// The maintenance actions.
    #[serde(default)]
    pub maintenance: Option<Vec<Maintenance>>,
    /// The inspection items.
    pub items: Vec<Item>,
    /// The metrics.
    #[serde(default)]
    pub metrics: Option<Vec<Metric>>,
}

/// A statistic, a direction or an operator of a limit, with its words (7.3.2.2.1; a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Marked<String>,
}

/// What maintenance does: the words of 7.3.1.3 b.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceAction {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: Words,
}

/// What follows maintenance: the words of 7.3.1.3 c.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AfterMaintenance {
    /// Its name.
    pub name: Words,
    /// The clause it belongs to.
    pub clause: ClauseId,
}

/// The file `data/devices.yaml`: what all device classes share (7.3.1, 7.3.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Devices {
    /// How a check is judged.
    pub inspection_judgement: Words,
    /// How a metric is judged.
    pub monitoring_judgement: Words,
    /// The directions.
    pub directions: Vec<Code>,
    /// The comparisons.
    pub operators: Vec<Code>,
    /// The statistics.
    pub statistics: Vec<Code>,
    /// How sources are read.
    pub source_note: Marked<String>,
    /// The clause of maintenance.
    pub maintenance_clause: Marked<ClauseId>,
    /// How maintenance is read.
    pub maintenance_note: Words,
    /// What maintenance does.
    pub maintenance_actions: Vec<MaintenanceAction>,
    /// What follows maintenance.
    pub after_maintenance: AfterMaintenance,
}

/// The file `data/tickets/metrics.yaml`: the metrics of the service desk (7.4.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeskMetrics {
    /// The metrics.
    pub metrics: Vec<Metric>,
}

/// A level of alerts and the tickets it leads to (7.3.2.2.2, 7.3.2.2.3; a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// The ticket grades it leads to.
    pub ticket_grades: Marked<Vec<TicketGrade>>,
    /// The incident grades it hints at.
    pub incident_grade_hints: Marked<Vec<IncidentGrade>>,
    /// An alert of this level opens an emergency.
    pub opens_emergency: Marked<bool>,
    /// The level of a metric that it answers to.
    pub metric_level: Marked<Option<String>>,
}

/// The file `data/alerts.yaml` (7.3.2.2.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alerts {
    /// The levels.
    pub levels: Vec<Level>,
}
