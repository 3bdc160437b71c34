//! THE GATES: what a clause demands before a step may begin or be finished, and the evidence that opens them.
//!
//! Sources: T/DGAG 038-2025, 7.2 to 7.5: the words that demand a gate, its contents and its parties; kinds, where a gate
//! stands, and what has no words are ours, and marked so.
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::step::Party;
use crate::{Mark, Words};

/// What kind of barrier a gate is, and so what kind of evidence opens it (`gates` of the catalogue's code lists).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateKind {
    /// A named party has confirmed, chosen or agreed.
    Confirmation,
    /// A scheme, plan, strategy or set of parameters is fixed before the work.
    Plan,
    /// Interested parties have reviewed (评审), or the provider has checked the record (复核, 7.3.3.2 c).
    Review,
    /// A condition holds.
    Precondition,
    /// A test, check or verification has passed.
    Test,
    /// The named party has been told.
    Notification,
    /// A record or report exists and, where the clause says so, is submitted.
    Record,
}

impl GateKind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Confirmation, Self::Plan, Self::Review, Self::Precondition, Self::Test, Self::Notification, Self::Record];

    /// Its word, zh-CN.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Confirmation => "确认",
            Self::Plan => "方案或计划",
            Self::Review => "评审或复核",
            Self::Precondition => "前提",
            Self::Test => "测试验证",
            Self::Notification => "告知",
            Self::Record => "记录或提交",
        }
    }

    /// Its key.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation",
            Self::Plan => "plan",
            Self::Review => "review",
            Self::Precondition => "precondition",
            Self::Test => "test",
            Self::Notification => "notification",
            Self::Record => "record",
        }
    }
}

/// When a gate stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// Before the step may begin (the rule for preconditions).
    Start,
    /// Before the step may be finished (the rule for all others, and for preconditions that are the step's own work).
    Finish,
}

/// How many of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Each of them.
    All,
    /// At least one.
    Any,
}

/// When a step or a gate applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Somebody has to say so: key and the words of the text.
    Asked {
        /// Its name, such as `fault_or_hazard_found`.
        key: String,
        /// The words of the text.
        words: Words,
    },
    /// The step is done in this mode.
    Mode {
        /// Its code, one of the step's modes.
        code: String,
        /// The words of the text.
        words: Words,
    },
    /// The decision table of the step (or of the step above) gave one of these rows.
    Row {
        /// Ids of rows, such as `RR-B`.
        rows: Vec<String>,
        /// The words of the text.
        words: Words,
    },
}

/// One thing that the clause enumerates (内容包括但不限于 …).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Its name, unique in the gate or step.
    pub key: String,
    /// The words of the text, and in English.
    pub words: Words,
}

/// Whose confirmation, review or receipt a gate demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct With {
    /// All of the parties or any.
    pub choice: Choice,
    /// The parties.
    pub parties: BTreeSet<Party>,
    /// The words of the text; none where the parties are a product default.
    pub words: Option<String>,
    /// Where it comes from who they are.
    pub mark: Mark,
}

/// A gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// What kind; no two gates of a step have the same.
    pub kind: GateKind,
    /// When it stands in the way (a product default by kind, see [`At`]).
    pub at: At,
    /// The words of the text that demand it; none where no word does (a product default, 8 gates).
    pub words: Option<String>,
    /// Where the demand comes from.
    pub mark: Mark,
    /// Who has to confirm, review or be told.
    pub with: Option<With>,
    /// When it applies.
    pub when: Option<Condition>,
    /// What the evidence has to contain.
    pub contents: Vec<Content>,
}

/// How the thing went that the evidence tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Confirmed, passed, there.
    Positive,
    /// Refused, failed. It voids what was shown before it.
    Negative,
}

/// A person of a party who confirmed, reviewed or was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// In which role.
    pub party: Party,
    /// Who: the person's id.
    pub person: String,
}

/// What is shown to a gate. The kind is the gate's; several pieces add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it can be read: id or address of the record, never empty.
    pub reference: String,
    /// How it went.
    pub outcome: Outcome,
    /// Which of the enumerated contents it has, by key.
    pub contents: BTreeSet<String>,
    /// Who confirmed, reviewed or was told.
    pub signatures: Vec<Signature>,
}
