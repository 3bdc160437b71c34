//! THE TIMES that the standard leaves open, and what the product proposes.
//!
//! Sources: T/DGAG 038-2025 for the words 及时, 立即, 定期, 频繁 and 重大, in 7.3.1.3, 7.3.5.1.3, 7.4.4.8, 8.1.3 and others, which the
//! row names; the numbers are ours: the text has none.
use serde::{Deserialize, Serialize};

use crate::{CalendarCode, ClauseId, Count, DeviceClass, IncidentGrade, Marked, TablePath, UnitCode, Words};

/// A time limit where the clause says 及时 or 立即 and gives no number (the clause is in the row; the number is a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timer {
    /// Its name.
    pub id: String,
    /// The clause it belongs to.
    pub clause: ClauseId,
    /// The word of the clause.
    pub words: Marked<String>,
    /// What is timed.
    pub timer: Marked<String>,
    /// The value.
    pub value: Marked<Option<Count>>,
    /// Its unit.
    pub unit: Marked<UnitCode>,
    /// The calendar that the times run on.
    pub calendar: Marked<CalendarCode>,
    /// The clause uses a word of time.
    pub time_word: Marked<bool>,
    /// Where the value is said.
    #[serde(default)]
    pub value_of: Option<Marked<TablePath>>,
    /// What the value is a percentage of.
    #[serde(default)]
    pub share_of: Option<Marked<TablePath>>,
    /// What the time is counted from.
    #[serde(default)]
    pub anchor: Option<Marked<String>>,
}

/// The file `data/times/timers.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timers {
    /// How it is to be read.
    pub note: Words,
    /// The timers.
    pub timers: Vec<Timer>,
}

/// A cycle where the clause says 定期 and gives no number (the clause is in the row; the number is a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cycle {
    /// Its name.
    pub id: String,
    /// The clause it belongs to.
    pub clause: ClauseId,
    /// The word of the clause.
    pub words: Marked<String>,
    /// The activity that is repeated.
    pub activity: Words,
    /// How often.
    pub every: Marked<Count>,
    /// Its unit.
    pub unit: Marked<UnitCode>,
    /// The clause uses a word of time.
    pub time_word: Marked<bool>,
    /// The device classes.
    #[serde(default)]
    pub device_classes: Option<Marked<Vec<DeviceClass>>>,
}

/// The file `data/times/cycles.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cycles {
    /// How it is to be read.
    pub note: Words,
    /// What goes before it.
    pub precedence: Words,
    /// The cycles.
    pub cycles: Vec<Cycle>,
}

/// A limit where the clause says 频繁 or 重大 and gives no number (7.4.4.8 and others; the number is a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// Its name.
    pub id: String,
    /// The clause it belongs to.
    pub clause: ClauseId,
    /// The word of the clause.
    pub words: Marked<String>,
    /// The rule.
    pub rule: Words,
    /// The value.
    pub value: Marked<Option<Count>>,
    /// Its unit.
    pub unit: Marked<Option<UnitCode>>,
    /// The window it is counted in.
    #[serde(default)]
    pub window: Option<Marked<Count>>,
    /// The unit of the window.
    #[serde(default)]
    pub window_unit: Option<Marked<UnitCode>>,
    /// The incident grades it goes with.
    #[serde(default)]
    pub incident_grades: Option<Marked<Vec<IncidentGrade>>>,
}

/// The file `data/times/thresholds.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// How it is to be read.
    pub note: Words,
    /// The thresholds.
    pub thresholds: Vec<Threshold>,
}
