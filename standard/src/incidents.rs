//! THE GRADES of incidents and their times (7.4.2).
//!
//! Sources: T/DGAG 038-2025, 7.4.2.2 (categories, grades) and 7.4.2.4 (recovery); DB4401/T 294.2, tables 2 and 3, would have
//! them, and is not known; categories, grades, times and the way to a grade are ours or found elsewhere, and marked so.
use serde::{Deserialize, Serialize};

use crate::{
    CalendarCode, Hours, IncidentCategory, IncidentGrade, Marked, Minutes, Seconds, TablePath, UnitCode, Words, Workdays,
};

/// A category of incidents: 7.4.2.2 has incidents categorised, 294.2 table 2 would name the categories and is unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// Examples.
    pub examples: Words,
}

/// The file `data/incidents/categories.yaml` (7.4.2.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Categories {
    /// The categories.
    pub categories: Vec<Category>,
}

/// A grade of incidents with its times: 7.4.2.2 grades, 7.4.2.4 sets times; the numbers would be those of 294.2 tables 2 and 3,
/// which are unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grade {
    /// The grade.
    pub grade: IncidentGrade,
    /// Its name.
    pub name: Words,
    /// What makes an incident one of this grade.
    pub criteria: Words,
    /// The time until a call is answered.
    pub answer_seconds: Marked<Seconds>,
    /// The time until somebody responds.
    pub response_minutes: Marked<Minutes>,
    /// The time until a resident engineer arrives.
    pub onsite_resident_minutes: Marked<Minutes>,
    /// The time until somebody who is not resident arrives.
    pub onsite_other_minutes: Marked<Minutes>,
    /// The time until service is restored.
    pub recovery_minutes: Marked<Minutes>,
    /// The time between two progress notices.
    pub update_minutes: Marked<Minutes>,
    /// The time until interested parties are notified.
    pub notify_minutes: Marked<Minutes>,
    /// The time until the first report.
    pub first_report_hours: Marked<Hours>,
    /// The working days until the final report.
    pub final_report_workdays: Marked<Workdays>,
    /// The calendar that the times run on.
    pub calendar: Marked<CalendarCode>,
    /// The calendar that intake and response run on.
    pub intake_calendar: Marked<CalendarCode>,
    /// Who is notified.
    pub notify: Words,
}

/// The file `data/incidents/grades.yaml` (7.4.2.2, 7.4.2.4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grades {
    /// The grades.
    pub grades: Vec<Grade>,
}

/// Recovery times, in minutes, of one category by grade (7.4.2.4; 294.2 table 3 is unknown).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByGrade {
    /// Of grade I.
    #[serde(rename = "I")]
    pub one: Marked<Minutes>,
    /// Of grade II.
    #[serde(rename = "II")]
    pub two: Marked<Minutes>,
    /// Of grade III.
    #[serde(rename = "III")]
    pub three: Marked<Minutes>,
    /// Of grade IV.
    #[serde(rename = "IV")]
    pub four: Marked<Minutes>,
}

/// The recovery times of one category (7.4.2.4; 294.2 table 3 is unknown).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The category.
    pub category: IncidentCategory,
    /// The minutes by grade.
    pub minutes: ByGrade,
    /// The times assume staff in the room.
    pub assumes_staff_in_room: Marked<bool>,
}

/// The file `data/incidents/recovery.yaml` (7.4.2.4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// Where the calendar is said.
    pub calendar_of: Marked<TablePath>,
    /// What goes before it.
    pub precedence: Marked<String>,
    /// How it is to be read.
    pub note: Marked<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A value that an input of the grading can have, with its score (7.4.2.2; a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// The score.
    pub score: Marked<u32>,
    /// Its name.
    pub name: Words,
}

/// What a grade is decided from: importance, scope, loss (7.4.2.2; a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: Words,
    /// The values it can have.
    pub values: Vec<Value>,
}

/// From which score which grade (7.4.2.2; a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// From which value.
    pub min: Marked<u32>,
    /// The grade.
    pub grade: IncidentGrade,
}

/// When a special case holds: all that is given has to (7.4.2.2; a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideWhen {
    /// The importance of the object.
    #[serde(default)]
    pub object_importance: Option<Marked<u32>>,
    /// The scope of the impact.
    #[serde(default)]
    pub impact_scope: Option<Marked<u32>>,
    /// Holds if one of these flags is set.
    #[serde(default)]
    pub any_flag: Option<Marked<Vec<String>>>,
}

/// A special case that the score alone does not decide (7.4.2.2; a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Its name.
    pub id: String,
    /// Its name.
    pub name: Words,
    /// When it holds.
    pub when: OverrideWhen,
    /// The grade that is not exceeded.
    #[serde(default)]
    pub cap_grade: Option<Marked<IncidentGrade>>,
    /// The grade.
    #[serde(default)]
    pub grade: Option<IncidentGrade>,
    /// By how many grades it is raised.
    #[serde(default)]
    pub raise_by: Option<Marked<u32>>,
}

/// The file `data/incidents/grading.yaml` (7.4.2.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grading {
    /// What it is computed or decided from.
    pub inputs: Vec<Input>,
    /// How it is computed.
    pub formula: Marked<String>,
    /// The unit of the score.
    pub score_unit: Marked<UnitCode>,
    /// From which score which grade.
    pub mapping: Vec<Mapping>,
    /// Special cases of the score.
    pub overrides: Vec<Override>,
    /// When the grade is changed.
    pub regrade: Words,
    /// In which order the special cases apply.
    pub override_order: Words,
}
