//! Acts and people in few words.
use std::collections::BTreeSet;

use standard::procedure::{Act, At, Evidence, GateKind, Party, Person, Progress, Refusal, Status};

use crate::walk::{evidence, gate, open, record};

/// An engineer who does most of the work.
pub(crate) fn li() -> Person {
    Person::new("li", [Party::Engineer])
}

pub(crate) fn desk() -> Person {
    Person::new("desk", [Party::ServiceDesk])
}

pub(crate) fn provider() -> Person {
    Person::new("boss", [Party::Provider])
}

pub(crate) fn modes(all: &[&str]) -> BTreeSet<String> {
    all.iter().map(|mode| (*mode).to_owned()).collect()
}

pub(crate) fn begin(step: &str, all: &[&str]) -> Act {
    Act::Begin { step: step.into(), modes: modes(all) }
}

pub(crate) fn finish(step: &str) -> Act {
    Act::Finish { step: step.into() }
}

pub(crate) fn show(step: &str, kind: GateKind, evidence: Evidence) -> Act {
    Act::Show { step: step.into(), gate: kind, evidence }
}

pub(crate) fn answer(condition: &str, holds: bool) -> Act {
    Act::Answer { condition: condition.into(), holds, because: "到现场看过".into() }
}

pub(crate) fn waive_gate(step: &str, kind: GateKind, approved_by: Person) -> Act {
    Act::WaiveGate { step: step.into(), gate: kind, reason: "平台停机".into(), approved_by }
}

pub(crate) fn waive_step(step: &str, approved_by: Person) -> Act {
    Act::WaiveStep { step: step.into(), reason: "本次不需要".into(), approved_by }
}

pub(crate) fn reopen(step: &str) -> Act {
    Act::Reopen { step: step.into(), reason: "复测未通过".into() }
}

pub(crate) fn take(progress: &mut Progress, by: Person, act: Act) {
    progress.take(record(by, act)).unwrap();
}

pub(crate) fn refusal(progress: &mut Progress, by: Person, act: Act) -> Refusal {
    progress.take(record(by, act)).unwrap_err()
}

pub(crate) fn status(progress: &Progress, step: &str) -> Status {
    progress.standing().steps.into_iter().find(|(clause, _)| clause == step).unwrap().1
}

pub(crate) fn good(progress: &Progress, step: &str, kind: GateKind) -> Evidence {
    evidence(gate(progress.procedure(), (step, kind)))
}

/// Does a step with all its evidence, in no or these modes.
pub(crate) fn through(progress: &mut Progress, by: &Person, step: &str, all: &[&str]) {
    let gates = progress.procedure().steps[progress.procedure().position(step).unwrap()].gates.clone();
    for gate in gates.iter().filter(|gate| gate.at == At::Start) {
        take(progress, by.clone(), show(step, gate.kind, evidence(gate)));
    }
    take(progress, by.clone(), begin(step, all));
    for gate in gates.iter().filter(|gate| gate.at == At::Finish) {
        take(progress, by.clone(), show(step, gate.kind, evidence(gate)));
    }
    take(progress, by.clone(), finish(step));
}

/// A repair that is diagnosed, so that 7.4.4.5 is next.
pub(crate) fn diagnosed() -> Progress {
    let mut progress = open("SV-REPAIR");
    for step in ["7.4.4.1", "7.4.4.2", "7.4.4.3"] {
        through(&mut progress, &li(), step, &[]);
    }
    take(&mut progress, li(), answer("not_restored_in_time", false));
    progress
}
