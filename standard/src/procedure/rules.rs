//! THE RULES: whether an act may be done. Nothing is changed here.
//!
//! Sources: T/DGAG 038-2025, 7.1, has chapter 7 carried out as it stands, and 7.2 to 7.5 say who and in which order; waivers,
//! reopening and giving up are ours: no clause speaks of them.
use std::collections::BTreeSet;

use super::gate::{At, Choice, Condition, Evidence, GateKind};
use super::judge::{Lack, Missing, judge, needed};
use super::progress::{Phase, Progress, Status};
use super::record::{Act, Person, Record};
use super::refusal::Refusal;
use super::step::{Party, Step, Substeps};
use super::waiver::{Unfit, fit};

impl Progress {
    /// Whether the act may be done now.
    ///
    /// # Errors
    /// Why not, as [`Progress::take`] would say.
    pub fn check(&self, record: &Record) -> Result<(), Refusal> {
        if self.abandoned {
            return Err(Refusal::Over);
        }
        let by = &record.by;
        match &record.act {
            Act::Answer { condition, holds, because } => self.may_answer(by, condition, *holds, because),
            Act::Route { step, row } => self.may_route(by, self.find(step)?, row),
            Act::Begin { step, modes } => self.may_begin(by, self.find(step)?, modes),
            Act::Show { step, gate, evidence } => self.may_show(by, self.find(step)?, *gate, evidence),
            Act::WaiveGate { step, gate, reason, approved_by } => {
                self.may_waive_gate(by, self.find(step)?, *gate, reason, approved_by)
            }
            Act::WaiveStep { step, reason, approved_by } => self.may_waive_step(by, self.find(step)?, reason, approved_by),
            Act::Finish { step } => self.may_finish(by, self.find(step)?),
            Act::Reopen { step, reason } => self.may_reopen(by, self.find(step)?, reason),
            Act::Abandon { reason, approved_by } => self.may_abandon(by, reason, approved_by),
        }
    }

    fn find(&self, step: &str) -> Result<usize, Refusal> {
        self.procedure().position(step).ok_or_else(|| Refusal::UnknownStep { step: step.into() })
    }

    pub(super) fn step(&self, index: usize) -> &Step {
        &self.procedure().steps[index]
    }

    fn clause(&self, index: usize) -> String {
        self.step(index).clause.clone()
    }

    pub(super) fn gate_position(&self, step: &str, kind: GateKind) -> Option<usize> {
        let index = self.procedure().position(step)?;
        self.step(index).gates.iter().position(|gate| gate.kind == kind)
    }

    fn gate(&self, index: usize, kind: GateKind) -> Result<usize, Refusal> {
        self.gate_position(&self.step(index).clause, kind)
            .ok_or_else(|| Refusal::UnknownGate { step: self.clause(index), gate: kind })
    }

    fn role(&self, by: &Person, index: usize, may: BTreeSet<Party>) -> Result<(), Refusal> {
        if by.is_one_of(&may) { Ok(()) } else { Err(Refusal::WrongRole { step: self.clause(index), may }) }
    }

    fn already(&self, index: usize) -> Refusal {
        Refusal::Already { step: self.clause(index), status: self.status(index) }
    }

    /// The doers of a step and the provider: who may ask for a waiver or answer what the text asks.
    pub(super) fn may_speak(&self, index: usize) -> BTreeSet<Party> {
        let mut may = self.step(index).by.clone();
        may.insert(Party::Provider);
        may
    }

    /// The parties that a gate means for this ticket.
    fn parties(&self, index: usize, at: usize) -> BTreeSet<Party> {
        needed(self.step(index).gates[at].with.as_ref(), self.interested())
    }

    fn may_answer(&self, by: &Person, condition: &str, holds: bool, because: &str) -> Result<(), Refusal> {
        let asks = |when: Option<&Condition>| matches!(when, Some(Condition::Asked { key, .. }) if key == condition);
        let steps = 0..self.steps.len();
        let by_step: Vec<usize> = steps.clone().filter(|&index| asks(self.step(index).when.as_ref())).collect();
        let by_gate: Vec<usize> =
            steps.filter(|&index| self.step(index).gates.iter().any(|gate| asks(gate.when.as_ref()))).collect();
        let Some(&first) = by_step.iter().chain(&by_gate).min() else {
            return Err(Refusal::UnknownCondition { condition: condition.into() });
        };
        said("because", because)?;
        self.role(by, first, by_step.iter().chain(&by_gate).flat_map(|&index| self.may_speak(index)).collect())?;
        if self.answers.get(condition).is_none_or(|before| *before == holds) {
            return Ok(());
        }
        let begun = |index: &usize| self.steps[*index].phase != Phase::Idle;
        for index in by_step {
            // Another answer would change what later steps were built upon.
            let above = self.step(index).parent.filter(|above| self.status(*above).settled());
            let used = above.or_else(|| Some(index).filter(begun)).or_else(|| self.followers(index).into_iter().find(begun));
            if let Some(used) = used.or_else(|| self.complete().then_some(index)) {
                return Err(Refusal::InUse { step: self.clause(used) });
            }
        }
        match by_gate.into_iter().find(|&index| self.status(index).settled()) {
            Some(index) => Err(Refusal::InUse { step: self.clause(index) }),
            None => Ok(()),
        }
    }

    fn may_route(&self, by: &Person, index: usize, row: &str) -> Result<(), Refusal> {
        let known = self.rows(index).iter().any(|known| known == row);
        if !known {
            return Err(Refusal::UnknownRow { step: self.clause(index), row: row.into() });
        }
        self.role(by, index, self.step(index).by.clone())?;
        match self.status(index) {
            Status::Ready | Status::InProgress => {}
            Status::Waiting | Status::Undecided | Status::NotApplicable | Status::Done | Status::Waived => {
                return Err(self.already(index));
            }
        }
        // An item that is done without has used no row: whoever waived it did so whatever the row.
        let used = |item: &usize| matches!(self.steps[*item].phase, Phase::Begun | Phase::Done);
        match self.procedure().children(Some(index)).find(used) {
            Some(item) => Err(Refusal::InUse { step: self.clause(item) }),
            None => Ok(()),
        }
    }

    /// All rows of a step's decision table; none if it has no table.
    pub(super) fn rows(&self, index: usize) -> Vec<String> {
        let Some(decision) = &self.step(index).decision else { return Vec::new() };
        let mut rows = decision.rows_without_substep.clone();
        for item in self.procedure().children(Some(index)) {
            if let Some(Condition::Row { rows: own, .. }) = &self.step(item).when {
                rows.extend(own.iter().cloned());
            }
        }
        rows
    }

    fn may_begin(&self, by: &Person, index: usize, modes: &BTreeSet<String>) -> Result<(), Refusal> {
        self.role(by, index, self.step(index).by.clone())?;
        self.open_for_work(index)?;
        if self.status(index) == Status::InProgress {
            return Err(self.already(index));
        }
        self.modes_fit(index, modes)?;
        self.through(index, self.closed(index, At::Start, modes, &[&by.id]))
    }

    /// That a step is ready or in progress.
    fn open_for_work(&self, index: usize) -> Result<(), Refusal> {
        let step = self.clause(index);
        match self.status(index) {
            Status::Ready | Status::InProgress => Ok(()),
            Status::NotApplicable | Status::Done | Status::Waived => Err(self.already(index)),
            Status::Waiting => {
                let above = self.step(index).parent.filter(|above| self.steps[*above].phase == Phase::Idle);
                let waits_for = above.into_iter().chain(self.waits_for(index)).map(|index| self.clause(index)).collect();
                Err(Refusal::NotYet { step, waits_for })
            }
            Status::Undecided => {
                let condition = match &self.step(index).when {
                    Some(Condition::Asked { words, .. } | Condition::Mode { words, .. } | Condition::Row { words, .. }) => {
                        words.zh.value.clone()
                    }
                    None => String::new(),
                };
                Err(Refusal::Undecided { step, condition })
            }
        }
    }

    fn modes_fit(&self, index: usize, modes: &BTreeSet<String>) -> Result<(), Refusal> {
        let (choice, of) = match &self.step(index).modes {
            None => (Choice::All, Vec::new()),
            Some(modes) => (modes.choice, modes.of.clone()),
        };
        let known = modes.iter().all(|mode| of.contains(mode));
        let fits = match choice {
            Choice::All => known && modes.len() == of.len(),
            Choice::Any => known && !modes.is_empty(),
        };
        if fits { Ok(()) } else { Err(Refusal::Modes { step: self.clause(index), choice, of }) }
    }

    fn may_show(&self, by: &Person, index: usize, kind: GateKind, evidence: &Evidence) -> Result<(), Refusal> {
        let at = self.gate(index, kind)?;
        let gate = &self.step(index).gates[at];
        let mut may = self.step(index).by.clone();
        may.extend(self.parties(index, at));
        self.role(by, index, may)?;
        self.open_for_work(index)?;
        if gate.at == At::Finish && self.status(index) == Status::Ready {
            return Err(self.already(index));
        }
        said("evidence.reference", &evidence.reference)?;
        match evidence.contents.iter().find(|key| !gate.contents.iter().any(|content| content.key == **key)) {
            Some(key) => Err(Refusal::UnknownContent { step: self.clause(index), gate: kind, key: key.clone() }),
            None => Ok(()),
        }
    }

    /// Who has had a hand in a step: who began it and who showed evidence.
    fn hands(&self, index: usize) -> Vec<&str> {
        let state = &self.steps[index];
        let shown = state.gates.iter().flat_map(|gate| &gate.shown_by);
        state.begun_by.iter().chain(shown).map(String::as_str).collect()
    }

    fn may_waive_gate(&self, by: &Person, index: usize, kind: GateKind, reason: &str, approver: &Person) -> Result<(), Refusal> {
        let at = self.gate(index, kind)?;
        self.role(by, index, self.may_speak(index))?;
        self.open_for_work(index)?;
        said("reason", reason)?;
        self.approves(index, Some(at), approver, by)
    }

    fn approves(&self, index: usize, gate: Option<usize>, approver: &Person, by: &Person) -> Result<(), Refusal> {
        let step = self.step(index);
        let gate = gate.map(|at| &step.gates[at]);
        fit(step, gate, self.interested(), approver, by, &self.hands(index))
            .map_err(|why| Refusal::Unfit { step: self.clause(index), why })
    }

    fn may_waive_step(&self, by: &Person, index: usize, reason: &str, approver: &Person) -> Result<(), Refusal> {
        self.role(by, index, self.may_speak(index))?;
        match self.open_for_work(index) {
            Ok(()) | Err(Refusal::Undecided { .. }) => {}
            Err(refusal) => return Err(refusal),
        }
        said("reason", reason)?;
        // The step goes with its gates and items: the approver has to be fit for each.
        for index in std::iter::once(index).chain(self.procedure().children(Some(index))) {
            let gates = self.step(index).gates.len();
            if gates == 0 {
                self.approves(index, None, approver, by)?;
            }
            for at in 0..gates {
                self.approves(index, Some(at), approver, by)?;
            }
        }
        Ok(())
    }

    fn may_finish(&self, by: &Person, index: usize) -> Result<(), Refusal> {
        self.role(by, index, self.step(index).by.clone())?;
        self.open_for_work(index)?;
        if self.status(index) == Status::Ready {
            return Err(self.already(index));
        }
        self.through(index, self.unfinished(index, &[&by.id]))
    }

    fn through(&self, index: usize, missing: Vec<Missing>) -> Result<(), Refusal> {
        if missing.is_empty() { Ok(()) } else { Err(Refusal::Closed { step: self.clause(index), missing }) }
    }

    /// What a step that has begun lacks before it may be finished, by these people beside who began it.
    pub(super) fn unfinished(&self, index: usize, by: &[&str]) -> Vec<Missing> {
        let state = &self.steps[index];
        let doers: Vec<&str> = state.begun_by.iter().map(String::as_str).chain(by.iter().copied()).collect();
        let mut missing = self.items(index);
        // What had to be there at the start has to be there still.
        missing.extend(self.closed(index, At::Start, &state.modes, &doers));
        missing.extend(self.closed(index, At::Finish, &state.modes, &doers));
        missing
    }

    /// The gates of a step that are closed.
    pub(super) fn closed(&self, index: usize, at: At, modes: &BTreeSet<String>, doers: &[&str]) -> Vec<Missing> {
        let step = self.step(index);
        let mut missing = Vec::new();
        for (gate, state) in step.gates.iter().zip(&self.steps[index].gates).filter(|(gate, _)| gate.at == at) {
            match (self.holds(index, gate.when.as_ref(), modes), &gate.when) {
                (Some(false), _) => {}
                (None, Some(Condition::Asked { key, words })) if state.waiver.is_none() => missing.push(Missing {
                    clause: step.clause.clone(),
                    gate: Some(gate.kind),
                    words: gate.words.clone(),
                    lack: Lack::Answer { condition: key.clone(), words: words.clone() },
                }),
                _ => missing.extend(judge(step, gate, state, self.interested(), doers)),
            }
        }
        missing
    }

    /// The lettered items that a step still waits for.
    fn items(&self, index: usize) -> Vec<Missing> {
        let step = self.step(index);
        let miss = |lack| Missing { clause: step.clause.clone(), gate: None, words: None, lack };
        let left: Vec<String> = self
            .procedure()
            .children(Some(index))
            .filter(|&item| !self.status(item).settled())
            .map(|item| self.clause(item))
            .collect();
        if !left.is_empty() {
            return vec![miss(Lack::Items(left))];
        }
        if step.substeps.as_ref().is_none_or(|items| items.mode != Substeps::Any) {
            return Vec::new();
        }
        let first: Vec<usize> = self.procedure().children(Some(index)).filter(|&item| self.step(item).after.is_empty()).collect();
        if first.iter().any(|&item| self.status(item) != Status::NotApplicable) {
            return Vec::new();
        }
        vec![miss(Lack::OneOf(first.into_iter().map(|item| self.clause(item)).collect()))]
    }

    fn may_reopen(&self, by: &Person, index: usize, reason: &str) -> Result<(), Refusal> {
        // Whoever is not of the provider may find that a thing was not done well.
        let mut may = self.may_speak(index);
        may.extend(Party::ALL.into_iter().filter(|party| !party.of_provider()));
        self.role(by, index, may)?;
        match self.status(index) {
            Status::Waiting | Status::Undecided | Status::Ready => return Err(self.already(index)),
            Status::NotApplicable | Status::InProgress | Status::Done | Status::Waived => {}
        }
        if let Some(above) = self.step(index).parent {
            match self.status(above) {
                Status::InProgress | Status::Done => {}
                Status::Waiting | Status::Undecided | Status::NotApplicable | Status::Ready | Status::Waived => {
                    return Err(self.already(above));
                }
            }
        }
        said("reason", reason)
    }

    fn may_abandon(&self, by: &Person, reason: &str, approver: &Person) -> Result<(), Refusal> {
        if self.complete() {
            return Err(Refusal::Over);
        }
        said("reason", reason)?;
        let step = self.procedure().clause.clone();
        let may: BTreeSet<Party> = Party::ALL.into_iter().filter(|party| !party.of_provider()).collect();
        if !approver.is_one_of(&may) {
            return Err(Refusal::Unfit { step, why: Unfit::Role(may) });
        }
        if approver.id == by.id {
            return Err(Refusal::Unfit { step, why: Unfit::SamePerson(by.id.clone()) });
        }
        Ok(())
    }
}

fn said(field: &str, words: &str) -> Result<(), Refusal> {
    if words.trim().is_empty() { Err(Refusal::Empty { field: field.into() }) } else { Ok(()) }
}
