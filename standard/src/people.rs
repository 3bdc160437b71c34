//! THE PEOPLE: staff classes, qualifications, certificates (5.2).
//!
//! Sources: T/DGAG 038-2025, 5.2.1, 5.2.2 and 5.2.3; positions, certificates beyond those that 5.2.2.3 b names, and which
//! work needs one are ours or found elsewhere, and marked so.
use serde::{Deserialize, Serialize};

use crate::{Activity, ClauseId, DeviceClass, Marked, QualificationCode, Words, Years};

/// What the staff of a class can do (5.2.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ability {
    /// The clause it belongs to.
    pub clause: ClauseId,
    /// Its name.
    pub name: Words,
}

/// A class of staff (5.2.1) with its abilities (5.2.2) and positions (product defaults).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// The clause it belongs to.
    pub clause: ClauseId,
    /// The positions.
    pub positions: Vec<Words>,
    /// What the staff of the class can do.
    pub abilities: Vec<Ability>,
}

/// The file `data/people/classes.yaml` (5.2.1, 5.2.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classes {
    /// How the positions are read.
    pub positions_note: Words,
    /// The classes.
    pub classes: Vec<Class>,
}

/// A qualification or certificate (5.2.2.3 b names some; the others are found elsewhere, see the mark).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Qualification {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// What kind it is.
    pub kind: Marked<String>,
    /// Who issues it.
    pub authority: Marked<String>,
    /// How long it is valid.
    pub validity_years: Marked<Option<Years>>,
    /// How often the certificate is reviewed.
    pub review_years: Marked<Option<Years>>,
    /// The work it covers.
    pub work_covered: Words,
    /// Its name in the standard.
    #[serde(default)]
    pub named_in_standard: Option<Marked<String>>,
    /// The clause that names it.
    #[serde(default)]
    pub named_in_standard_clause: Option<Marked<ClauseId>>,
}

/// When work is special: all that is given has to hold (5.2.2.3 b; a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialWorkWhen {
    /// The device classes.
    #[serde(default)]
    pub device_classes: Option<Marked<Vec<DeviceClass>>>,
    /// The activities it is about.
    #[serde(default)]
    pub activities: Option<Marked<Vec<Activity>>>,
    /// The voltage from which the rule holds.
    #[serde(default)]
    pub voltage_kv_min: Option<Marked<u32>>,
    /// The height from which the rule holds.
    #[serde(default)]
    pub height_m_min: Option<Marked<u32>>,
    /// Flags of the work.
    #[serde(default)]
    pub flags: Option<Marked<Vec<String>>>,
}

/// A work that needs a certificate (5.2.2.3 b; which works is a product default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialWork {
    /// Its name.
    pub id: String,
    /// The work.
    pub work: Words,
    /// The qualifications it needs.
    pub requires: Marked<Vec<QualificationCode>>,
    /// When it holds.
    pub when: SpecialWorkWhen,
    /// What triggers it.
    pub trigger: Marked<String>,
}

/// What is checked before somebody is sent to work that needs a certificate (5.2.2.3 b).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateGate {
    /// The clause it belongs to.
    pub clause: ClauseId,
    /// How many days before expiry a warning is given.
    pub warn_days: Marked<Vec<u32>>,
    /// The rules.
    pub rules: Marked<Vec<String>>,
}

/// The file `data/people/qualifications.yaml` (5.2.2.3 b).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Qualifications {
    /// How the words differ.
    pub terminology_note: Words,
    /// The qualifications and certificates.
    pub qualifications: Vec<Qualification>,
    /// The works that need a certificate.
    pub special_works: Vec<SpecialWork>,
    /// What is checked before work that needs a certificate.
    pub certificate_gate: CertificateGate,
}
