//! THE CHECK: what makes a procedure one that can be followed to its end. The loader and the thaw of a frozen one both ask it.
//!
//! Source: ours: no clause says when a procedure can be followed to its end.
use std::collections::BTreeSet;
use std::fmt;

use super::gate::{Condition, Content, Gate, GateKind, With};
use super::step::{Party, Procedure, Step, Substeps};

/// Where in a procedure a fault is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The step, if it is in one.
    pub step: Option<usize>,
    /// The gate of the step, if it is in one.
    pub gate: Option<usize>,
    /// The field.
    pub field: &'static str,
}

/// Why a procedure cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// Why, for the person who writes the file.
    pub why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.place.step, self.place.gate) {
            (Some(step), Some(gate)) => write!(f, "steps[{step}].gates[{gate}].{}: {}", self.place.field, self.why),
            (Some(step), None) => write!(f, "steps[{step}].{}: {}", self.place.field, self.why),
            (None, _) => write!(f, "{}: {}", self.place.field, self.why),
        }
    }
}

impl std::error::Error for Fault {}

type Verdict = Result<(), Fault>;

fn fault(step: Option<usize>, gate: Option<usize>, field: &'static str, why: impl Into<String>) -> Verdict {
    Err(Fault { place: Place { step, gate, field }, why: why.into() })
}

/// The first thing that is wrong.
pub(super) fn check(procedure: &Procedure) -> Verdict {
    if procedure.steps.is_empty() {
        return fault(None, None, "steps", "there are none");
    }
    let mut seen = BTreeSet::new();
    for (index, step) in procedure.steps.iter().enumerate() {
        if !seen.insert(&step.clause) {
            return fault(Some(index), None, "clause", format!("{} is a step already", step.clause));
        }
        itself(procedure, index, step)?;
        order(procedure, index, step)?;
        items(procedure, index, step)?;
        for (at, gate) in step.gates.iter().enumerate() {
            of_gate(procedure, index, at, gate)?;
        }
    }
    reachable(procedure)?;
    if procedure.children(None).all(|index| procedure.steps[index].continuing.is_some()) {
        return fault(None, None, "steps", "it has no end: every step goes on");
    }
    Ok(())
}

fn itself(procedure: &Procedure, index: usize, step: &Step) -> Verdict {
    let wrong = |field, why: String| fault(Some(index), None, field, why);
    if step.by.is_empty() {
        return wrong("by", "nobody may do it".into());
    }
    if step.by.contains(&Party::InterestedParty) {
        return wrong("by", "nobody acts as interested_party: name the party".into());
    }
    if let Some(modes) = &step.modes {
        let distinct: BTreeSet<&String> = modes.of.iter().collect();
        if modes.of.is_empty() || distinct.len() != modes.of.len() {
            return wrong("modes", "each mode once, at least one".into());
        }
        if !step.text.contains(modes.words.as_str()) {
            return wrong("modes", format!("the clause does not say “{}”", modes.words));
        }
    }
    if let Some(words) = &step.continuing {
        if !step.text.contains(words.as_str()) {
            return wrong("continuing", format!("the clause does not say “{words}”"));
        }
        if !step.gates.is_empty() || step.substeps.is_some() || step.parent.is_some() {
            return wrong("continuing", "a step that goes on holds nobody up, so it can have no gates and no items".into());
        }
    }
    match &step.when {
        Some(Condition::Mode { .. }) => wrong("when", "a mode is known only when the step has begun".into()),
        Some(condition) => applies(procedure, index, None, condition),
        None => Ok(()),
    }?;
    enumerates(index, None, &step.text, &step.contents)
}

fn order(procedure: &Procedure, index: usize, step: &Step) -> Verdict {
    for &before in &step.after {
        match procedure.steps.get(before) {
            None => return fault(Some(index), None, "after", format!("there is no step {before}")),
            Some(_) if before == index => return fault(Some(index), None, "after", "it waits for itself"),
            Some(other) if other.parent != step.parent => {
                return fault(Some(index), None, "after", format!("{} is not beside it", other.clause));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn items(procedure: &Procedure, index: usize, step: &Step) -> Verdict {
    if let Some(parent) = step.parent {
        match procedure.steps.get(parent) {
            Some(above) if parent < index && above.substeps.is_some() && above.parent.is_none() => {}
            Some(_) | None => return fault(Some(index), None, "parent", "an item stands below a numbered step that has items"),
        }
    }
    let wrong = |field, why| fault(Some(index), None, field, why);
    let count = procedure.children(Some(index)).count();
    match (step.substeps.as_ref().map(|items| items.mode), &step.decision) {
        (None, _) if count > 0 => wrong("substeps", "it has items, but does not say how they follow each other"),
        (Some(_), _) if count < 2 => wrong("substeps", "at least two items, or none"),
        (Some(Substeps::Exclusive), None) => wrong("substeps", "no decision table says which item it is"),
        (Some(Substeps::Exclusive), Some(_)) => one_row_each(procedure, index).and_then(|()| says(procedure, index)),
        (_, Some(_)) => wrong("decision", "a table chooses among items that exclude each other"),
        (_, None) => says(procedure, index),
    }
}

/// That the words by which the items follow each other are in the step or in an item.
fn says(procedure: &Procedure, index: usize) -> Verdict {
    let Some(words) = procedure.steps[index].substeps.as_ref().and_then(|items| items.words.as_ref()) else { return Ok(()) };
    let mut texts = procedure.children(Some(index)).chain([index]).map(|at| &procedure.steps[at].text);
    if texts.any(|text| text.contains(words.as_str())) {
        Ok(())
    } else {
        fault(Some(index), None, "substeps", format!("the clause does not say “{words}”"))
    }
}

fn one_row_each(procedure: &Procedure, index: usize) -> Verdict {
    let mut seen: BTreeSet<&String> = BTreeSet::new();
    if let Some(decision) = &procedure.steps[index].decision {
        seen.extend(&decision.rows_without_substep);
    }
    for item in procedure.children(Some(index)) {
        let Some(Condition::Row { rows, .. }) = &procedure.steps[item].when else {
            return fault(Some(item), None, "when", "no row of the table leads here");
        };
        if rows.is_empty() || !rows.iter().all(|row| seen.insert(row)) {
            return fault(Some(item), None, "when", "each row of the table leads to one item");
        }
    }
    Ok(())
}

fn of_gate(procedure: &Procedure, index: usize, at: usize, gate: &Gate) -> Verdict {
    let step = &procedure.steps[index];
    let wrong = |field, why: String| fault(Some(index), Some(at), field, why);
    if step.gates[..at].iter().any(|other| other.kind == gate.kind) {
        return wrong("kind", format!("the step has a {} gate already", gate.kind.key()));
    }
    if let Some(words) = &gate.words
        && (words.is_empty() || !step.text.contains(words.as_str()))
    {
        return wrong("words", format!("the clause does not say “{words}”"));
    }
    let asks_somebody = matches!(gate.kind, GateKind::Confirmation | GateKind::Review | GateKind::Notification);
    match &gate.with {
        None if asks_somebody => return wrong("with", format!("a {} needs a party", gate.kind.key())),
        None => {}
        Some(With { parties, .. }) if parties.is_empty() => return wrong("with", "it names no party".into()),
        Some(_) => {}
    }
    if let Some(condition) = &gate.when {
        applies(procedure, index, Some(at), condition)?;
    }
    enumerates(index, Some(at), &step.text, &gate.contents)
}

/// That a condition can ever be known where it stands.
fn applies(procedure: &Procedure, index: usize, gate: Option<usize>, condition: &Condition) -> Verdict {
    let step = &procedure.steps[index];
    let (Condition::Asked { words, .. } | Condition::Mode { words, .. } | Condition::Row { words, .. }) = condition;
    if !step.text.contains(words.zh.as_str()) {
        return fault(Some(index), gate, "when", format!("the clause does not say “{}”", words.zh.value));
    }
    match condition {
        Condition::Asked { key, .. } if key.is_empty() => fault(Some(index), gate, "when", "the condition has no key"),
        Condition::Mode { code, .. } if !step.modes.as_ref().is_some_and(|modes| modes.of.contains(code)) => {
            fault(Some(index), gate, "when", format!("the step has no mode {code}"))
        }
        Condition::Row { .. } => {
            let decides = |at: usize| procedure.steps.get(at).is_some_and(|step| step.decision.is_some());
            if decides(index) || step.parent.is_some_and(decides) {
                Ok(())
            } else {
                fault(Some(index), gate, "when", "no decision table stands here or above")
            }
        }
        Condition::Asked { .. } | Condition::Mode { .. } => Ok(()),
    }
}

fn enumerates(index: usize, gate: Option<usize>, text: &str, contents: &[Content]) -> Verdict {
    let mut seen = BTreeSet::new();
    for content in contents {
        if !seen.insert(&content.key) {
            return fault(Some(index), gate, "contents", format!("{} stands there already", content.key));
        }
        if !text.contains(content.words.zh.as_str()) {
            return fault(Some(index), gate, "contents", format!("the clause does not say “{}”", content.words.zh.value));
        }
    }
    Ok(())
}

/// That every step's turn can come: steps that wait for each other never begin.
fn reachable(procedure: &Procedure) -> Verdict {
    let mut reached: BTreeSet<usize> = BTreeSet::new();
    loop {
        let more: Vec<usize> = (0..procedure.steps.len())
            .filter(|index| !reached.contains(index))
            .filter(|&index| {
                let step = &procedure.steps[index];
                step.after.iter().chain(&step.parent).all(|before| reached.contains(before))
            })
            .collect();
        if more.is_empty() {
            break;
        }
        reached.extend(more);
    }
    match (0..procedure.steps.len()).find(|index| !reached.contains(index)) {
        Some(index) => fault(Some(index), None, "after", "its turn never comes: steps wait for each other"),
        None => Ok(()),
    }
}
