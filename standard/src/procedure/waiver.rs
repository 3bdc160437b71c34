//! THE WAIVERS: who may answer for a step or gate that is done without (4 c: steps are not skipped, only waived with reason and approver).
//!
//! Sources: T/DGAG 038-2025, 7.1, has every step carried out; that one can be done without, and who approves, is ours: no
//! clause says what happens when it cannot be.
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::gate::Gate;
use super::judge::needed;
use super::record::Person;
use super::step::{Party, Step};
use crate::Strength;

/// Why somebody may not approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfit {
    /// Only these parties may.
    Role(BTreeSet<Party>),
    /// The book demands a second person, and this one asked for the waiver or does the step.
    SamePerson(String),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(parties) => {
                let names: Vec<&str> = parties.iter().map(|party| party.zh()).collect();
                write!(f, "批准人须为{}", names.join("或"))
            }
            Self::SamePerson(person) => write!(f, "批准人不得是申请人或执行人（{person}）"),
        }
    }
}

/// Whether the book demands a second person: the gate names a party, or the clause says 应.
pub(super) fn needs_second_person(step: &Step, gate: Option<&Gate>) -> bool {
    step.strength == Strength::Shall || gate.is_some_and(|gate| gate.with.is_some())
}

/// Which parties may approve that a gate (or, without one, a plain step) is done without. Product rule, see `docs/procedures.md`:
/// the party whose word is waived, or who oversees; the provider only where the book asks nobody else and does not say 应.
pub(super) fn approvers(step: &Step, gate: Option<&Gate>, interested: &BTreeSet<Party>) -> BTreeSet<Party> {
    let mut may = needed(gate.and_then(|gate| gate.with.as_ref()), interested);
    let named = !may.is_empty();
    may.extend([Party::Administrator, Party::Supervisor]);
    if !named {
        may.insert(if step.strength == Strength::Shall { Party::Consumer } else { Party::Provider });
    }
    may
}

/// Whether this person may approve; `asked_by` wants the waiver, `doers` do the step or showed its evidence.
pub(super) fn fit(
    step: &Step,
    gate: Option<&Gate>,
    interested: &BTreeSet<Party>,
    approver: &Person,
    asked_by: &Person,
    doers: &[&str],
) -> Result<(), Unfit> {
    let may = approvers(step, gate, interested);
    if !approver.is_one_of(&may) {
        return Err(Unfit::Role(may));
    }
    if needs_second_person(step, gate) && (approver.id == asked_by.id || doers.contains(&approver.id.as_str())) {
        return Err(Unfit::SamePerson(approver.id.clone()));
    }
    Ok(())
}
