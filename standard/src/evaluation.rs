//! THE EVALUATION: annex B, how each indicator is computed or why it is not (8, B.1, B.2).
//!
//! Sources: T/DGAG 038-2025, 8.1, 8.2, B.1 and B.2; DB4401/T 294.2, clause 8.4, would have the rules, and is not known;
//! weights, formulas, inputs and bands are ours or found elsewhere, and marked so.
use serde::{Deserialize, Serialize};

use crate::{ClauseId, Computable, InputId, Marked, MetricId, StaffClass, TablePath, UnitCode, Words};

/// What an indicator is computed from (annex B; 294.2 clause 8.4 would have the rules and is unknown).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its name.
    pub id: String,
    /// Its name.
    pub name: Words,
    /// Its unit.
    pub unit: Marked<UnitCode>,
    /// What kind it is.
    pub kind: Marked<String>,
    /// Where the window is said.
    #[serde(default)]
    pub window_ref: Option<Marked<TablePath>>,
    /// The metric.
    #[serde(default)]
    pub metric: Option<Marked<MetricId>>,
    /// From which value.
    #[serde(default)]
    pub min: Option<Marked<i64>>,
    /// The largest value.
    #[serde(default)]
    pub max: Option<Marked<u32>>,
}

/// The file `data/evaluation/inputs.yaml` (annex B).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// What it is computed or decided from.
    pub inputs: Vec<Input>,
}

/// The weight of an indicator of table B.1 by class of staff, in points of 100 (a product default: 294.2 clause 8.4 is unknown).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Of management staff.
    #[serde(default)]
    pub management: Option<Marked<u32>>,
    /// Of technical staff.
    #[serde(default)]
    pub technical: Option<Marked<u32>>,
    /// Of operation staff.
    #[serde(default)]
    pub operation: Option<Marked<u32>>,
}

/// An indicator of table B.1: name and content are the standard's, weight and formula product defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonIndicator {
    /// Its name.
    pub id: String,
    /// The row of the table.
    pub table_row: ClauseId,
    /// Its name.
    pub name: Words,
    /// What is evaluated.
    pub content: Words,
    /// The clause of 5.2.2 that it mirrors.
    #[serde(default)]
    pub mirrors_clause: Option<Marked<ClauseId>>,
    /// The staff classes it applies to.
    pub applies_to: Marked<Vec<StaffClass>>,
    /// The weight.
    pub weight: Weights,
    /// The rule.
    pub rule: Words,
    /// The records that show that it was done.
    pub evidence: Marked<String>,
    /// How it is computed.
    pub formula: Marked<String>,
    /// What it is computed or decided from.
    pub inputs: Marked<Vec<InputId>>,
    /// Whether it is computed wholly, partly or by people.
    pub computable: Marked<Computable>,
    /// What people judge, and why it is not computed.
    #[serde(default)]
    pub not_computed: Option<Words>,
    /// What the staff classes were read from.
    #[serde(default)]
    pub applies_to_basis: Option<Marked<String>>,
    /// The other reading of a merged cell.
    #[serde(default)]
    pub applies_to_alternative: Option<Marked<Vec<StaffClass>>>,
}

/// The file `data/evaluation/b1.yaml`: table B.1 (8.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct B1 {
    /// The table.
    pub table: Marked<String>,
    /// Its name.
    pub name: Words,
    /// The full mark.
    pub full_mark: Marked<u32>,
    /// How the merged cells were read.
    pub post_merge_note: Words,
    /// The indicators.
    pub indicators: Vec<PersonIndicator>,
}

/// An indicator of table B.2: name and content are the standard's, weight and formula product defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceIndicator {
    /// Its name.
    pub id: String,
    /// The row of the table.
    pub table_row: ClauseId,
    /// Its name.
    pub name: Words,
    /// What is evaluated.
    pub content: Words,
    /// The weight.
    pub weight: Marked<u32>,
    /// The rule.
    pub rule: Words,
    /// The records that show that it was done.
    pub evidence: Marked<String>,
    /// How it is computed.
    pub formula: Marked<String>,
    /// What it is computed or decided from.
    pub inputs: Marked<Vec<InputId>>,
    /// Whether it is computed wholly, partly or by people.
    pub computable: Marked<Computable>,
    /// What people judge, and why it is not computed.
    #[serde(default)]
    pub not_computed: Option<Words>,
}

/// The file `data/evaluation/b2.yaml`: table B.2 (8.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct B2 {
    /// The table.
    pub table: Marked<String>,
    /// Its name.
    pub name: Words,
    /// The full mark.
    pub full_mark: Marked<u32>,
    /// The indicators.
    pub indicators: Vec<ServiceIndicator>,
}

/// A band of the score with its name, from so many points on (8.1.2; found elsewhere, see the mark).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// From which value.
    pub min: Marked<u32>,
    /// Its name.
    pub name: Words,
}

/// The bands of the score (8.1.2; found elsewhere, see the mark).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bands {
    /// The rows.
    pub rows: Vec<Row>,
    /// Its unit.
    pub unit: Marked<UnitCode>,
}

/// A method of evaluation (8.1.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// The clause it belongs to.
    pub clause: ClauseId,
    /// Its name.
    pub name: Words,
}

/// What triggers an irregular evaluation (8.1.3 b).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Its name.
    pub id: String,
    /// The clause it belongs to.
    pub clause: ClauseId,
    /// Its name.
    pub name: Words,
    /// The product can trigger it by itself.
    pub auto: Marked<bool>,
}

/// A measure of improvement (8.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// The clause it belongs to.
    pub clause: ClauseId,
    /// Its name.
    pub name: Words,
}

/// The file `data/evaluation/methods.yaml`: how and when is evaluated, and what follows (8.1.1, 8.1.3, 8.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Methods {
    /// How scores are added up.
    pub scoring: Words,
    /// The bands of the score.
    pub bands: Bands,
    /// The methods.
    pub methods: Vec<Method>,
    /// What triggers an irregular evaluation.
    pub triggers: Vec<Trigger>,
    /// The measures of improvement.
    pub measures: Vec<Measure>,
}
