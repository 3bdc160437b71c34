//! THE STANDING: where a ticket stands in its procedure, what may happen next, who may do it, and what is missing by which clause.
//!
//! Sources: T/DGAG 038-2025, 7.1 to 7.5, by the clause of each step; the moves are ours: no clause has them.
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::gate::{At, Choice, Condition, Content};
use super::judge::Missing;
use super::progress::{Progress, Status};
use super::step::Party;

/// Where a ticket stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Every step with its status, in the order of the book.
    pub steps: Vec<(String, Status)>,
    /// What may happen next; empty only when it is complete (and nothing goes on) or abandoned.
    pub next: Vec<Next>,
    /// Whether all that holds up the end is settled.
    pub complete: bool,
    /// Whether it was given up.
    pub abandoned: bool,
}

/// Something that may happen next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// What.
    #[serde(rename = "move")]
    pub what: Move,
    /// The clause of the step it is about.
    pub step: String,
    /// Who may do it.
    pub by: BTreeSet<Party>,
    /// What has to be shown, answered or waived before.
    pub missing: Vec<Missing>,
    /// What the clause enumerates without a gate: to be thought of, not to be stopped by.
    pub reminders: Vec<Content>,
}

/// A move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    /// Say whether this condition holds.
    Answer(String),
    /// Ask the decision table, which has these rows.
    Route(Vec<String>),
    /// Begin the step. `missing` speaks of the modes that the step has in any case: another choice may demand more.
    Begin,
    /// Finish the step.
    Finish,
}

impl Progress {
    /// Where it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let steps = (0..self.steps.len()).map(|index| (self.step(index).clause.clone(), self.status(index))).collect();
        Standing { steps, next: self.next(), complete: self.complete(), abandoned: self.abandoned() }
    }

    /// What may happen next, in the order of the book. Waivers, reopening and giving up are possible besides.
    #[must_use]
    pub fn next(&self) -> Vec<Next> {
        if self.abandoned() { Vec::new() } else { (0..self.steps.len()).flat_map(|index| self.next_of(index)).collect() }
    }

    fn next_of(&self, index: usize) -> Vec<Next> {
        let step = self.step(index);
        let next = |what, by: &BTreeSet<Party>, missing| Next {
            what,
            step: step.clause.clone(),
            by: by.clone(),
            missing,
            reminders: step.contents.clone(),
        };
        let ask = |condition: Option<&Condition>| match condition {
            Some(Condition::Asked { key, .. }) if !self.answers.contains_key(key) => {
                Some(next(Move::Answer(key.clone()), &self.may_speak(index), Vec::new()))
            }
            Some(Condition::Asked { .. } | Condition::Mode { .. } | Condition::Row { .. }) | None => None,
        };
        let mut all = Vec::new();
        let status = self.status(index);
        match status {
            Status::Waiting | Status::NotApplicable | Status::Done | Status::Waived => return all,
            Status::Undecided => {
                all.extend(ask(step.when.as_ref()));
                return all;
            }
            Status::Ready | Status::InProgress => all.extend(step.gates.iter().filter_map(|gate| ask(gate.when.as_ref()))),
        }
        if self.steps[index].row.is_none() && step.decision.is_some() {
            all.push(next(Move::Route(self.rows(index)), &step.by, Vec::new()));
        }
        all.push(if status == Status::Ready {
            let modes = match &step.modes {
                Some(modes) if modes.choice == Choice::All => modes.of.iter().cloned().collect(),
                Some(_) | None => BTreeSet::new(),
            };
            next(Move::Begin, &step.by, self.closed(index, At::Start, &modes, &[]))
        } else {
            next(Move::Finish, &step.by, self.unfinished(index, &[]))
        });
        all
    }
}
