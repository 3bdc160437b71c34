//! THE JUDGEMENT of a gate: what is missing, and which clause says so.
//!
//! Sources: T/DGAG 038-2025, 7.2 to 7.5, at each gate by its words; what evidence is enough, and when a second person
//! is needed, are ours: no clause says it.
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::gate::{Choice, Content, Gate, GateKind, Outcome, With};
use super::progress::GateState;
use super::step::{Party, Step};
use super::waiver::needs_second_person;
use crate::Words;

/// What a step still lacks, with the clause that demands it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The clause of the step.
    pub clause: String,
    /// The gate that demands it; none where the step itself is not through (its items).
    pub gate: Option<GateKind>,
    /// The words of the text that demand it, where there are any.
    pub words: Option<String>,
    /// What is lacking.
    pub lack: Lack,
}

/// What is lacking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "it is made once, for somebody to read; a box would show in every match")]
pub enum Lack {
    /// Any evidence at all.
    Evidence,
    /// A good outcome: what was shown last says that it failed.
    Failed,
    /// Contents that the clause enumerates.
    Contents(Vec<Content>),
    /// These parties: each of them, or any one.
    Parties {
        /// Each or any.
        choice: Choice,
        /// Those that have not signed yet.
        parties: BTreeSet<Party>,
    },
    /// Somebody else: this person does the step, and so cannot confirm or waive it as well.
    SecondPerson(String),
    /// An answer whether the gate applies.
    Answer {
        /// Key of the condition.
        condition: String,
        /// Its words.
        words: Words,
    },
    /// Lettered items that are not over yet.
    Items(Vec<String>),
    /// At least one of these lettered items (任选).
    OneOf(Vec<String>),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.clause)?;
        if let Some(gate) = self.gate {
            write!(f, "（{}）", gate.zh())?;
        }
        match &self.lack {
            Lack::Evidence => write!(f, "缺少证据")?,
            Lack::Failed => write!(f, "最近一次的结果为未通过")?,
            Lack::Contents(contents) => {
                let words: Vec<&str> = contents.iter().map(|content| content.words.zh.value.as_str()).collect();
                write!(f, "缺少内容：{}", words.join("、"))?;
            }
            Lack::Parties { choice, parties } => {
                let names: Vec<&str> = parties.iter().map(|party| party.zh()).collect();
                let join = match choice {
                    Choice::All => "、",
                    Choice::Any => "或",
                };
                write!(f, "缺少{}", names.join(join))?;
            }
            Lack::SecondPerson(person) => write!(f, "须由另一人：{person}是本步骤的执行人")?,
            Lack::Answer { words, .. } => write!(f, "尚未回答是否“{}”", words.zh.value)?,
            Lack::Items(items) => write!(f, "尚有分项未完成：{}", items.join("、"))?,
            Lack::OneOf(items) => write!(f, "至少完成其一：{}", items.join("、"))?,
        }
        match &self.words {
            Some(words) => write!(f, "（原文“{words}”）"),
            None => Ok(()),
        }
    }
}

/// The parties that a gate means for this ticket: 相关方 are those that the ticket names.
pub(super) fn needed(with: Option<&With>, interested: &BTreeSet<Party>) -> BTreeSet<Party> {
    with.into_iter()
        .flat_map(|with| &with.parties)
        .flat_map(|party| match party {
            Party::InterestedParty => interested.iter().copied().collect::<Vec<_>>(),
            party => vec![*party],
        })
        .collect()
}

/// What a gate that applies still lacks. `doers` are the ids of those who do the step.
pub(super) fn judge(step: &Step, gate: &Gate, state: &GateState, interested: &BTreeSet<Party>, doers: &[&str]) -> Vec<Missing> {
    let miss = |lack| Missing { clause: step.clause.clone(), gate: Some(gate.kind), words: gate.words.clone(), lack };
    if let Some(waiver) = &state.waiver {
        let own = needs_second_person(step, Some(gate)) && doers.contains(&waiver.as_str());
        return if own { vec![miss(Lack::SecondPerson(waiver.clone()))] } else { Vec::new() };
    }
    let Some(last) = state.shown.last() else { return vec![miss(Lack::Evidence)] };
    if last.outcome == Outcome::Negative {
        return vec![miss(Lack::Failed)];
    }
    // What failed voids what was shown before it.
    let valid = || state.shown.iter().rev().take_while(|evidence| evidence.outcome == Outcome::Positive);
    let mut missing = Vec::new();
    let absent: Vec<Content> = gate
        .contents
        .iter()
        .filter(|content| !valid().any(|evidence| evidence.contents.contains(&content.key)))
        .cloned()
        .collect();
    if !absent.is_empty() {
        missing.push(miss(Lack::Contents(absent)));
    }
    if let Some(with) = &gate.with {
        let needed = needed(Some(with), interested);
        let signed = || valid().flat_map(|evidence| &evidence.signatures).filter(|signature| needed.contains(&signature.party));
        let others: BTreeSet<Party> =
            signed().filter(|signature| !doers.contains(&signature.person.as_str())).map(|signature| signature.party).collect();
        let enough = match with.choice {
            Choice::All => others.is_superset(&needed),
            Choice::Any => !others.is_empty(),
        };
        if !enough {
            let own = signed().find(|signature| !others.contains(&signature.party));
            missing.push(miss(match own {
                Some(signature) => Lack::SecondPerson(signature.person.clone()),
                None => Lack::Parties { choice: with.choice, parties: needed.difference(&others).copied().collect() },
            }));
        }
    }
    missing
}
