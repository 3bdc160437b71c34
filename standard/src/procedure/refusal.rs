//! THE REFUSALS: why an act is not done. Each names the clause, and says in zh-CN what a person has to do.
//!
//! Sources: T/DGAG 038-2025, 7.1 to 7.5, by the clause that a refusal names; one that names none is ours: it protects the
//! records.
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::gate::{Choice, GateKind};
use super::judge::Missing;
use super::progress::Status;
use super::step::Party;
use super::waiver::Unfit;

/// Why an act is refused. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Refusal {
    /// The procedure was abandoned, or is complete where that matters.
    Over,
    /// There is no such step.
    UnknownStep {
        /// What was asked for.
        step: String,
    },
    /// The step has no such gate.
    UnknownGate {
        /// The step.
        step: String,
        /// What was asked for.
        gate: GateKind,
    },
    /// No step or gate asks for this condition.
    UnknownCondition {
        /// What was answered.
        condition: String,
    },
    /// The decision table of the step has no such row, or the step has no table.
    UnknownRow {
        /// The step.
        step: String,
        /// What was given.
        row: String,
    },
    /// The clause enumerates no such content.
    UnknownContent {
        /// The step.
        step: String,
        /// The gate.
        gate: GateKind,
        /// The key that was given.
        key: String,
    },
    /// A field that must say something is empty.
    Empty {
        /// The field.
        field: String,
    },
    /// Other steps come first.
    NotYet {
        /// The step.
        step: String,
        /// What it waits for.
        waits_for: Vec<String>,
    },
    /// Nobody has said yet whether the step applies.
    Undecided {
        /// The step.
        step: String,
        /// What has to be answered, or the table that has to be asked.
        condition: String,
    },
    /// The step is not in a state for this.
    Already {
        /// The step.
        step: String,
        /// Its state.
        status: Status,
    },
    /// Others may do this.
    WrongRole {
        /// The step.
        step: String,
        /// Those who may.
        may: BTreeSet<Party>,
    },
    /// The modes do not fit the clause.
    Modes {
        /// The step.
        step: String,
        /// All or any of them.
        choice: Choice,
        /// Those that the clause has; none where it has none.
        of: Vec<String>,
    },
    /// A gate is closed.
    Closed {
        /// The step.
        step: String,
        /// What is missing, each with its clause.
        missing: Vec<Missing>,
    },
    /// The approver of a waiver may not approve.
    Unfit {
        /// The step whose clause says so.
        step: String,
        /// Why not.
        why: Unfit,
    },
    /// What was said is in use already: the step has to be reopened first.
    InUse {
        /// The step that relies on it.
        step: String,
    },
}

impl Refusal {
    /// The clause it is about, if it is about one.
    #[must_use]
    pub fn clause(&self) -> Option<&str> {
        match self {
            Self::Over | Self::UnknownCondition { .. } | Self::Empty { .. } => None,
            Self::UnknownStep { step }
            | Self::UnknownGate { step, .. }
            | Self::UnknownRow { step, .. }
            | Self::UnknownContent { step, .. }
            | Self::NotYet { step, .. }
            | Self::Undecided { step, .. }
            | Self::Already { step, .. }
            | Self::WrongRole { step, .. }
            | Self::Modes { step, .. }
            | Self::Closed { step, .. }
            | Self::Unfit { step, .. }
            | Self::InUse { step } => Some(step),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Over => write!(f, "流程已结束"),
            Self::UnknownStep { step } => write!(f, "没有步骤{step}"),
            Self::UnknownGate { step, gate } => write!(f, "{step}没有“{}”门", gate.zh()),
            Self::UnknownCondition { condition } => write!(f, "没有条件{condition}"),
            Self::UnknownRow { step, row } => write!(f, "{step}的判定表没有行{row}"),
            Self::UnknownContent { step, gate, key } => write!(f, "{step}（{}）未列举内容{key}", gate.zh()),
            Self::Empty { field } => write!(f, "{field}不得为空"),
            Self::NotYet { step, waits_for } => write!(f, "{step}须在{}之后", waits_for.join("、")),
            Self::Undecided { step, condition } => write!(f, "{step}是否适用尚未确定：{condition}"),
            Self::Already { step, status } => write!(f, "{step}当前为“{}”", status.zh()),
            Self::WrongRole { step, may } => {
                let names: Vec<&str> = may.iter().map(|party| party.zh()).collect();
                write!(f, "{step}须由{}进行", names.join("或"))
            }
            Self::Modes { step, of, .. } if of.is_empty() => write!(f, "{step}不分方式"),
            Self::Modes { step, choice: Choice::All, of } => write!(f, "{step}的方式须为全部：{}", of.join("、")),
            Self::Modes { step, choice: Choice::Any, of } => write!(f, "{step}的方式须至少为其一：{}", of.join("、")),
            Self::Closed { step, missing } => {
                let words: Vec<String> = missing.iter().map(ToString::to_string).collect();
                write!(f, "{step}不能通过：{}", words.join("；"))
            }
            Self::Unfit { step, why } => write!(f, "{step}不能豁免：{why}"),
            Self::InUse { step } => write!(f, "{step}已据此进行，须先重新打开"),
        }
    }
}

impl std::error::Error for Refusal {}
