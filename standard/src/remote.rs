//! THE WORK FROM AFAR: under controlled permission or supervised.
use serde::{Deserialize, Serialize};

use crate::{ClauseId, Marked, Words};

/// The modes.
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

/// The file `data/remote.yaml`.
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
