//! THE PROGRESS: the acts done to one frozen procedure, and the state that follows from them and from nothing else.
//!
//! Sources: T/DGAG 038-2025, 7.1 to 7.5, for the order of steps, and 7.2.4 for 相关方; the states, and that they follow from the
//! records alone, are ours: no clause has them.
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::frozen::Frozen;
use super::gate::{Condition, Evidence};
use super::record::{Act, Record};
use super::refusal::Refusal;
use super::step::{Party, Procedure};

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Other steps come first.
    Waiting,
    /// Nobody has said yet whether it applies.
    Undecided,
    /// It does not apply to this ticket.
    NotApplicable,
    /// It may begin.
    Ready,
    /// It has begun.
    InProgress,
    /// It is finished.
    Done,
    /// It is done without, with reason and approver.
    Waived,
}

impl Status {
    /// Its word, zh-CN.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Waiting => "等待前序步骤",
            Self::Undecided => "是否适用待定",
            Self::NotApplicable => "不适用",
            Self::Ready => "可以开始",
            Self::InProgress => "进行中",
            Self::Done => "已完成",
            Self::Waived => "已豁免",
        }
    }

    /// Whether nothing more has to happen to the step.
    #[must_use]
    pub fn settled(self) -> bool {
        match self {
            Self::NotApplicable | Self::Done | Self::Waived => true,
            Self::Waiting | Self::Undecided | Self::Ready | Self::InProgress => false,
        }
    }
}

/// How far people have brought a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    #[default]
    Idle,
    Begun,
    Done,
    Waived,
}

/// What was shown to a gate since its step was last opened, and by whom; and who approved that it is done without.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct GateState {
    pub(super) shown: Vec<Evidence>,
    pub(super) shown_by: BTreeSet<String>,
    pub(super) waiver: Option<String>,
}

/// What is true of a step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct StepState {
    pub(super) phase: Phase,
    pub(super) modes: BTreeSet<String>,
    pub(super) begun_by: Option<String>,
    pub(super) row: Option<String>,
    pub(super) gates: Vec<GateState>,
}

/// One procedure on its way. Everything is derived from the frozen procedure, the interested parties and the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    frozen: Frozen,
    interested: BTreeSet<Party>,
    records: Vec<Record>,
    pub(super) steps: Vec<StepState>,
    pub(super) answers: BTreeMap<String, bool>,
    pub(super) abandoned: bool,
}

impl Progress {
    /// Opens a frozen procedure for a ticket whose 相关方 are these ([`Party::INTERESTED`] are possible; others are left out).
    ///
    /// # Errors
    /// Nobody is interested: then a review by 相关方 could never happen (7.2.4).
    pub fn open(frozen: Frozen, interested: impl IntoIterator<Item = Party>) -> Result<Self, Refusal> {
        let interested: BTreeSet<Party> = interested.into_iter().filter(|party| Party::INTERESTED.contains(party)).collect();
        if interested.is_empty() {
            return Err(Refusal::Empty { field: "interested".into() });
        }
        let steps = frozen
            .procedure()
            .steps
            .iter()
            .map(|step| StepState { gates: vec![GateState::default(); step.gates.len()], ..StepState::default() })
            .collect();
        Ok(Self { frozen, interested, records: Vec::new(), steps, answers: BTreeMap::new(), abandoned: false })
    }

    /// Opens it and does all the acts again: the same records give the same state.
    ///
    /// # Errors
    /// What [`Progress::open`] and [`Progress::take`] refuse: records that were taken once are never refused.
    pub fn replay(
        frozen: Frozen,
        interested: impl IntoIterator<Item = Party>,
        records: impl IntoIterator<Item = Record>,
    ) -> Result<Self, Refusal> {
        let mut progress = Self::open(frozen, interested)?;
        for record in records {
            progress.take(record)?;
        }
        Ok(progress)
    }

    /// Does an act.
    ///
    /// # Errors
    /// Why it is refused, with the clause; nothing has changed then. It trusts that the caller made sure of who acts, who signed and
    /// who approved: it compares persons, it does not know them.
    pub fn take(&mut self, record: Record) -> Result<(), Refusal> {
        self.check(&record)?;
        self.apply(&record);
        self.records.push(record);
        Ok(())
    }

    /// The procedure.
    #[must_use]
    pub fn procedure(&self) -> &Procedure {
        self.frozen.procedure()
    }

    /// The frozen procedure.
    #[must_use]
    pub fn frozen(&self) -> &Frozen {
        &self.frozen
    }

    /// The 相关方 of the ticket.
    #[must_use]
    pub fn interested(&self) -> &BTreeSet<Party> {
        &self.interested
    }

    /// All that was done, oldest first.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Whether every step that holds up the end is settled.
    #[must_use]
    pub fn complete(&self) -> bool {
        let procedure = self.procedure();
        procedure.children(None).all(|index| procedure.steps[index].continuing.is_some() || self.status(index).settled())
    }

    /// Whether it was given up.
    #[must_use]
    pub fn abandoned(&self) -> bool {
        self.abandoned
    }

    /// Where a step is.
    pub(super) fn status(&self, index: usize) -> Status {
        let step = &self.procedure().steps[index];
        match self.steps[index].phase {
            Phase::Begun => return Status::InProgress,
            Phase::Done => return Status::Done,
            Phase::Waived => return Status::Waived,
            Phase::Idle => {}
        }
        if let Some(parent) = step.parent {
            match self.status(parent) {
                Status::InProgress => {}
                Status::Waived => return Status::Waived,
                Status::NotApplicable | Status::Done => return Status::NotApplicable,
                Status::Waiting | Status::Undecided | Status::Ready => return Status::Waiting,
            }
        }
        match self.holds(index, step.when.as_ref(), &self.steps[index].modes) {
            Some(false) => Status::NotApplicable,
            _ if !self.waits_for(index).is_empty() => Status::Waiting,
            None => Status::Undecided,
            Some(true) => Status::Ready,
        }
    }

    /// Whether a condition holds that a step or one of its gates has; `None` as long as nobody knows.
    pub(super) fn holds(&self, index: usize, condition: Option<&Condition>, modes: &BTreeSet<String>) -> Option<bool> {
        match condition {
            None => Some(true),
            Some(Condition::Asked { key, .. }) => self.answers.get(key).copied(),
            Some(Condition::Mode { code, .. }) => Some(modes.contains(code)),
            Some(Condition::Row { rows, .. }) => self.row(index).map(|row| rows.contains(row)),
        }
    }

    /// The row that the decision table of a step, or of the step above it, gave.
    fn row(&self, index: usize) -> Option<&String> {
        let above = self.procedure().steps[index].parent;
        self.steps[index].row.as_ref().or_else(|| self.steps[above?].row.as_ref())
    }

    /// Which steps still have to be over before this one. A step that goes on (持续), or will not apply, holds nobody up; what it
    /// waits for does.
    pub(super) fn waits_for(&self, index: usize) -> BTreeSet<usize> {
        let mut waits = BTreeSet::new();
        for &before in &self.procedure().steps[index].after {
            let status = self.status(before);
            let goes_on = self.procedure().steps[before].continuing.is_some() && !status.settled();
            if goes_on || status == Status::NotApplicable {
                waits.extend(self.waits_for(before));
            } else if !status.settled() {
                waits.insert(before);
            }
        }
        waits
    }

    /// The steps that wait for this one, however indirectly.
    pub(super) fn followers(&self, index: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::from([index]);
        loop {
            let more: Vec<usize> = (0..self.steps.len())
                .filter(|later| !found.contains(later))
                .filter(|&later| self.procedure().steps[later].after.iter().any(|before| found.contains(before)))
                .collect();
            if more.is_empty() {
                break;
            }
            found.extend(more);
        }
        found.remove(&index);
        found
    }

    /// Makes an act true that was checked.
    fn apply(&mut self, record: &Record) {
        match &record.act {
            Act::Answer { condition, holds, .. } => {
                self.answers.insert(condition.clone(), *holds);
            }
            Act::Route { step, row } => self.change(step, |state| state.row = Some(row.clone())),
            Act::Begin { step, modes } => self.change(step, |state| {
                state.phase = Phase::Begun;
                state.modes.clone_from(modes);
                state.begun_by = Some(record.by.id.clone());
            }),
            Act::Show { step, gate, evidence } => {
                let at = self.gate_position(step, *gate);
                self.change(step, |state| {
                    if let Some(gate) = at.and_then(|at| state.gates.get_mut(at)) {
                        gate.shown.push(evidence.clone());
                        gate.shown_by.insert(record.by.id.clone());
                    }
                });
            }
            Act::WaiveGate { step, gate, approved_by, .. } => {
                let at = self.gate_position(step, *gate);
                self.change(step, |state| {
                    if let Some(gate) = at.and_then(|at| state.gates.get_mut(at)) {
                        gate.waiver = Some(approved_by.id.clone());
                    }
                });
            }
            Act::WaiveStep { step, .. } => self.change(step, |state| state.phase = Phase::Waived),
            Act::Finish { step } => self.change(step, |state| state.phase = Phase::Done),
            Act::Reopen { step, .. } => self.reopen(step),
            Act::Abandon { .. } => self.abandoned = true,
        }
    }

    fn change(&mut self, step: &str, how: impl FnOnce(&mut StepState)) {
        if let Some(index) = self.procedure().position(step) {
            how(&mut self.steps[index]);
        }
    }

    /// Opens a step anew, its items, and all that waits for it; the step above goes on, and what waits for that is anew as well.
    fn reopen(&mut self, step: &str) {
        let Some(index) = self.procedure().position(step) else { return };
        let mut anew = self.followers(index);
        anew.insert(index);
        if let Some(above) = self.procedure().steps[index].parent
            && self.steps[above].phase == Phase::Done
        {
            self.steps[above].phase = Phase::Begun;
            for (gate, state) in self.frozen.procedure().steps[above].gates.iter().zip(&mut self.steps[above].gates) {
                if gate.at == super::gate::At::Finish {
                    *state = GateState::default();
                }
            }
            anew.extend(self.followers(above));
        }
        let steps = &self.frozen.procedure().steps;
        let items: Vec<usize> =
            (0..steps.len()).filter(|item| steps[*item].parent.is_some_and(|parent| anew.contains(&parent))).collect();
        anew.extend(items);
        for index in anew {
            let step = &steps[index];
            self.steps[index] = StepState { gates: vec![GateState::default(); step.gates.len()], ..StepState::default() };
            for condition in step.when.iter().chain(step.gates.iter().filter_map(|gate| gate.when.as_ref())) {
                if let Condition::Asked { key, .. } = condition {
                    self.answers.remove(key);
                }
            }
        }
    }
}
