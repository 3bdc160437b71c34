//! THE DOCUMENTS: policies of annex A, reports and their parts, functions of the platform, techniques (A.1, 5.1.3.1, 6, 7).
//!
//! Sources: T/DGAG 038-2025, A.1 and 5.1.6 (policies), 7.2 to 7.5 (what reports contain), 5.1.3.1 (functions) and 6
//! (techniques); codes, forms and what a row leads to are ours, and marked so.
use serde::{Deserialize, Serialize};

use crate::{ClauseId, Marked, Module, Months, Words, WorkflowCode};

/// A policy of table A.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its code.
    pub code: String,
    /// The row of the table.
    pub table_row: ClauseId,
    /// Its name.
    pub name: Words,
    /// The parts of the product that it concerns.
    pub modules: Marked<Vec<Module>>,
    /// The clauses it belongs to.
    pub clauses: Marked<Vec<ClauseId>>,
    /// How often the policy is reviewed.
    pub review_months: Marked<Months>,
}

/// The file `data/policies.yaml` (table A.1, 5.1.6).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// The policy documents.
    pub policies: Vec<Policy>,
}

/// A report or form with the parts that its clause demands (clause 7).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Its code.
    pub code: String,
    /// The clause it belongs to.
    pub clause: ClauseId,
    /// Its name.
    pub name: Words,
    /// The parts that the standard demands.
    pub parts: Vec<Words>,
    /// What the standard leaves open.
    #[serde(default)]
    pub parts_note: Option<Words>,
    /// The parts that the product proposes.
    #[serde(default)]
    pub default_parts: Option<Vec<Words>>,
    /// The clause that names the parts.
    #[serde(default)]
    pub parts_clause: Option<Marked<ClauseId>>,
}

/// The file `data/reports.yaml` (clause 7).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reports {
    /// The reports and forms.
    pub reports: Vec<Report>,
}

/// A function of the platform (5.1.3.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// The clause it belongs to.
    pub clause: ClauseId,
    /// Its name.
    pub name: Words,
    /// The parts of the product that it concerns.
    pub modules: Marked<Vec<Module>>,
    /// The records that show that it was done.
    pub evidence: Marked<String>,
}

/// The file `data/platform.yaml` (5.1.3.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// The functions.
    pub functions: Vec<Function>,
}

/// A technique of table 1 (6).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// The row of the table.
    pub table_row: ClauseId,
    /// Its name.
    pub name: Words,
    /// What it is.
    pub description: Words,
    /// The services.
    pub services: Marked<String>,
    /// The workflows.
    pub workflows: Marked<Vec<WorkflowCode>>,
}

/// The file `data/technology.yaml` (6, table 1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Technology {
    /// What the rows do not name.
    pub coverage_note: Words,
    /// The methods.
    pub methods: Vec<Method>,
}
