//! THE WORDS: codes, terms, keys, sources, and what is unknown.
//!
//! Sources: T/DGAG 038-2025, 7.2 to 7.5, for the groups of services, and the clause at a term; DB4401/T 294.1 would define
//! the terms, and is not known; UCUM for units; ISO 8601 for periods; the codes, and the lists of sources and of what is
//! unknown, are ours: the text has no codes.
use serde::{Deserialize, Serialize};

use crate::{ClauseId, Marked, Words};

/// A code of the product with its words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
}

/// A name in both languages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// Chinese.
    pub zh: Marked<String>,
}

/// A group of services: the subclauses 7.2 to 7.5.
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

/// How often something is done (7.3.1, 7.3.2.1.1; the standard gives no numbers).
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

/// A calendar on which times run (the standard has none; a product default).
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

/// A unit of a value.
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

/// The file `data/codes.yaml`: codes of the product with their words.
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

/// A source of values that are not the standard's, as marks name it (`found:S05`).
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

/// What could not be found, such as a table of DB4401/T 294.2—2024, and what the product does without it.
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

/// What the code of a source means (`standard`, `found`, `norm`, `domain`, `default`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Its code.
    pub code: String,
    /// What it means.
    pub meaning: Marked<String>,
}

/// The file `data/book.yaml`: what this book is, and of which text.
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

/// A term: Chinese, English, interface (clause 3 takes its terms from 294.1, which is unknown).
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
