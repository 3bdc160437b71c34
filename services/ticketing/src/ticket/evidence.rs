//! What a ticket holds as proof: what was seen, done, re-checked and confirmed, by whom and when.
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// When.
    pub at: Timestamp,
    /// Where it comes from.
    pub source: String,
    /// What was seen.
    pub text: String,
}

/// A passed re-check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recheck {
    /// The inspection run.
    pub run: String,
    /// When the device was seen well.
    pub at: Timestamp,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// In words.
    pub text: String,
    /// By whom.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// A user's confirmation (7.4.1.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// In words.
    pub comment: String,
    /// By whom.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}
