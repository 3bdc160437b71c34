//! THE WORK FROM AFAR: under controlled permission or supervised.
//!
//! Sources: T/DGAG 038-2025, 7.3.2.2.2, 7.3.4.2, 7.4.5.1.3, 7.4.5.2.3 and 7.4.7.3 (权限受控或有监督的环境); the conditions of each mode,
//! the evidence, and that 7.4.9.3 b is held to it, are ours, and marked so.
use serde::{Deserialize, Serialize};

use crate::{ClauseId, Marked, Words};

/// A way of working from afar: under controlled permission or supervised (7.3.2.2.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mode {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// The conditions in words.
    pub conditions_text: Words,
    /// The conditions of the mode.
    pub conditions: Marked<Vec<String>>,
}

/// The file `data/remote.yaml` (7.3.2.2.2, 7.3.4.2, 7.4.5.1.3, 7.4.5.2.3 a, 7.4.7.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remote {
    /// The clauses it belongs to.
    pub clauses: Marked<Vec<ClauseId>>,
    /// Whether one of the modes is enough or all are needed.
    pub choice: Marked<String>,
    /// How the choice is read.
    pub choice_note: Words,
    /// The modes.
    pub modes: Vec<Mode>,
    /// The records that show that it was done.
    pub evidence: Marked<String>,
    /// The clauses that the product applies it to besides.
    pub extended_to_clauses: Marked<Vec<ClauseId>>,
}
