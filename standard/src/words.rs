//! THE WORDS: codes, terms, keys, sources, and what is unknown.
use serde::{Deserialize, Serialize};

use crate::{ClauseId, Marked, Words};

/// A code with its words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
}

/// Its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// Chinese.
    pub zh: Marked<String>,
}

/// The groups of services.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceGroup {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Name,
    /// The clause it belongs to.
    pub clause: ClauseId,
}

/// The frequencies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frequency {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Name,
    /// The period.
    pub period_iso8601: Marked<String>,
}

/// The calendars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// The time zone.
    pub timezone: Marked<Option<String>>,
    /// The hours of service.
    pub hours: Marked<Option<Vec<String>>>,
    /// The days it is open.
    #[serde(default)]
    pub days: Option<Marked<String>>,
}

/// The units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// Its UCUM code.
    pub ucum: Marked<Option<String>>,
}

/// The file `data/codes.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// The kinds of gate.
    pub gates: Vec<Code>,
    /// The strengths.
    pub strengths: Vec<Code>,
    /// How substeps follow each other.
    pub substep_modes: Vec<Code>,
    /// The repair groups.
    pub repair_groups: Vec<Code>,
    /// The groups of services.
    pub service_groups: Vec<ServiceGroup>,
    /// Whether a program can do it.
    pub automation: Vec<Code>,
    /// The kinds of check.
    pub check_kinds: Vec<Code>,
    /// The activities it is about.
    pub activities: Vec<Code>,
    /// The kinds of evidence.
    pub evidence_kinds: Vec<Code>,
    /// Whether it is computed wholly, partly or by people.
    pub computable: Vec<Code>,
    /// The frequencies.
    pub frequencies: Vec<Frequency>,
    /// The calendars.
    pub calendars: Vec<Calendar>,
    /// The units.
    pub units: Vec<Unit>,
}

/// The sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name.
    pub id: String,
    /// What it is.
    pub what: Marked<String>,
    /// Where it was found.
    pub r#where: Marked<String>,
    /// How good the source is.
    pub quality: Marked<String>,
}

/// The file `data/sources.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// The sources.
    pub sources: Vec<Source>,
}

/// What is unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unknown {
    /// Its name.
    pub id: String,
    /// What it is.
    pub what: Words,
    /// Which clause needs it.
    pub needed_by: Marked<String>,
    /// What is done meanwhile.
    pub handling: Marked<String>,
}

/// The file `data/unknowns.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unknowns {
    /// What is unknown.
    pub unknowns: Vec<Unknown>,
}

/// The codes of sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Its code.
    pub code: String,
    /// What it means.
    pub meaning: Marked<String>,
}

/// The file `data/book.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Its title.
    pub title: Words,
    /// The version.
    pub version: Marked<String>,
    /// The standard.
    pub standard: Marked<String>,
    /// From when it holds.
    pub effective: Marked<String>,
    /// The label of what stands in for a table of 294.2.
    pub default_label: Words,
    /// What has to be known before use.
    pub warning: Words,
    /// The codes of sources.
    pub provenance: Vec<Provenance>,
    /// How sources are written.
    pub provenance_syntax: Marked<String>,
}

/// The terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// Chinese.
    pub zh: Marked<String>,
    /// English.
    pub en: Marked<String>,
    /// The name in interfaces.
    pub api: Marked<Option<String>>,
    /// Where the term comes from.
    pub taken_from: Marked<String>,
    /// How it is to be read.
    pub note: Marked<Option<String>>,
}

/// The file `data/glossary.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Glossary {
    /// The terms.
    pub terms: Vec<Term>,
}
