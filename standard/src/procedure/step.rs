//! THE STEPS: a procedure as the book has it, with the words of its clauses.
//!
//! Sources: T/DGAG 038-2025, 7.2 to 7.5: steps, items, words, and the parties at the clause of each; codes, defaults, and
//! orders and choices that no word gives are ours, and marked so.
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::gate::{Choice, Condition, Content, Gate};
use crate::{Mark, Marked, Strength, Words};

/// A party of the standard (clause 4 d and the clauses that name it); also the role in which a person acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// 管理方, the administering authority (4 d).
    Administrator,
    /// 使用方, the user organisation (4 d).
    Consumer,
    /// 服务方, the service provider (4); as a role, somebody who answers for it.
    Provider,
    /// 监理方, the supervisor (4 d).
    Supervisor,
    /// 服务台, the service desk (5.1.3.2).
    ServiceDesk,
    /// 工程师, the O&M engineer (7.4.1.4).
    Engineer,
    /// 用户, the person who raised the ticket (7.4.1.6).
    User,
    /// 相关方, the interested parties of the ticket (7.2.4). Nobody acts in this role: a ticket names which parties it means.
    InterestedParty,
}

impl Party {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Administrator,
        Self::Consumer,
        Self::Provider,
        Self::Supervisor,
        Self::ServiceDesk,
        Self::Engineer,
        Self::User,
        Self::InterestedParty,
    ];

    /// Who may be an interested party (`parties` of the catalogue, a product default: the standard does not list them).
    pub const INTERESTED: [Self; 3] = [Self::Administrator, Self::Consumer, Self::Supervisor];

    /// The standard's word.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Administrator => "管理方",
            Self::Consumer => "使用方",
            Self::Provider => "服务方",
            Self::Supervisor => "监理方",
            Self::ServiceDesk => "服务台",
            Self::Engineer => "工程师",
            Self::User => "用户",
            Self::InterestedParty => "相关方",
        }
    }

    /// Its key, as `data/clauses` writes it.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Consumer => "consumer",
            Self::Provider => "provider",
            Self::Supervisor => "supervisor",
            Self::ServiceDesk => "service_desk",
            Self::Engineer => "engineer",
            Self::User => "user",
            Self::InterestedParty => "interested_party",
        }
    }

    /// The party with this key, if there is one.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|party| party.key() == key)
    }

    /// Whether these people belong to the service provider: what they do benefits it.
    #[must_use]
    pub fn of_provider(self) -> bool {
        match self {
            Self::Provider | Self::ServiceDesk | Self::Engineer => true,
            Self::Administrator | Self::Consumer | Self::Supervisor | Self::User | Self::InterestedParty => false,
        }
    }
}

/// How the lettered items of a step are done (`substep_mode` of the catalogue).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Substeps {
    /// 依次: one after another.
    Sequence,
    /// 按条件: in any order, those whose condition holds.
    Conditional,
    /// 择一: the one that the decision table's row names, or none where the row has no item of its own.
    Exclusive,
    /// 任选: in any order, at least one of those that wait for none of the others.
    Any,
    /// 并行: in any order, all.
    Parallel,
}

/// In which of several ways a step is done (现场, 远程 …).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modes {
    /// Whether all of them are needed, or at least one (a product default where the words leave it open).
    pub choice: Choice,
    /// The codes, such as `on_site`.
    pub of: Vec<String>,
    /// The words of the text.
    pub words: String,
    /// Where it comes from that all are needed, or any: a product default.
    pub mark: Mark,
}

/// A step of a procedure: a numbered clause, or a lettered item below one. Words, evidence and enforcement are its clause's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The clause, which is also the step's name: `7.4.4.5` or `7.4.4.5.b`.
    pub clause: String,
    /// Index of the step whose lettered item this is.
    pub parent: Option<usize>,
    /// Short title, zh-CN (the clause's).
    pub title: Marked<String>,
    /// The standard's text, word for word (the clause's).
    pub text: Marked<String>,
    /// The records that show that it was done (the clause's).
    pub evidence: Marked<String>,
    /// What the product does about it by itself (the clause's).
    pub enforcement: Marked<String>,
    /// How strong the verb is.
    pub strength: Strength,
    /// Who may do it: those of the clause's actors that are the provider's people. The other parties take part through gates.
    pub by: BTreeSet<Party>,
    /// Indices of the steps (beside it, same parent) that must be over first.
    pub after: Vec<usize>,
    /// When it applies; always, if there is no condition.
    pub when: Option<Condition>,
    /// In which ways it is done.
    pub modes: Option<Modes>,
    /// How its lettered items are done; none if it has none.
    pub substeps: Option<Items>,
    /// The decision table that chooses the item of an [`Substeps::Exclusive`] step, with the rows that choose none.
    pub decision: Option<Decision>,
    /// The words by which it goes on after the ticket (持续, 定期): it holds up neither later steps nor the end.
    pub continuing: Option<String>,
    /// What the clause enumerates where no gate demands it: a reminder, not a barrier.
    pub contents: Vec<Content>,
    /// What must be there before it may begin or be finished.
    pub gates: Vec<Gate>,
}

/// How the lettered items of a step are done, and by which words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Items {
    /// How.
    pub mode: Substeps,
    /// The words of the text; none where the order is a product default.
    pub words: Option<String>,
    /// Where that comes from.
    pub mark: Mark,
}

/// What a ticket of a procedure has unless somebody decides otherwise. All of it is a product default: the standard has no such numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defaults {
    /// Grade of the ticket, `P1` to `P5`.
    pub ticket_grade: Marked<String>,
    /// Hours of working time (calendar 5x8) in which it should be complete; where there are none, the grade's time or the note says it.
    pub complete_work_hours: Option<Marked<u32>>,
    /// What goes instead of hours.
    pub note: Option<Marked<String>>,
}

/// A decision table of the book that a step asks (7.4.4.5: `repair_routing`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The table's name.
    pub table: String,
    /// Rows for which no lettered item runs; the step's own gates remain.
    pub rows_without_substep: Vec<String>,
}

/// A procedure of clause 7.2 to 7.5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Procedure {
    /// Code, such as `SV-REPAIR`.
    pub code: String,
    /// The clause that has it.
    pub clause: String,
    /// The clause of the service item it belongs to (20 items have 23 procedures).
    pub service: String,
    /// Its name.
    pub name: Words,
    /// What its tickets start with.
    pub defaults: Defaults,
    /// The steps; a lettered item comes after the step it belongs to.
    pub steps: Vec<Step>,
}

impl Procedure {
    /// Where the step of this clause is.
    #[must_use]
    pub fn position(&self, clause: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.clause == clause)
    }

    /// Indices of the lettered items of a step, in order; of the numbered steps for `None`.
    pub fn children(&self, parent: Option<usize>) -> impl Iterator<Item = usize> + '_ {
        self.steps.iter().enumerate().filter(move |(_, step)| step.parent == parent).map(|(index, _)| index)
    }

    /// How many gates it has.
    #[must_use]
    pub fn gates(&self) -> usize {
        self.steps.iter().map(|step| step.gates.len()).sum()
    }
}
