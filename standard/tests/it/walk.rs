//! A walker: does what a procedure says may happen next, with all evidence, and can be told to leave one gate's evidence out.
use std::collections::BTreeSet;

use jiff::Timestamp;
use standard::procedure::{
    Act, Condition, Evidence, Frozen, Gate, GateKind, Lack, Missing, Move, Next, Outcome, Party, Person, Procedure, Progress,
    Record, Refusal, Signature, procedures,
};

/// A gate by step and kind.
pub(crate) type Name<'a> = (&'a str, GateKind);

pub(crate) fn open(code: &str) -> Progress {
    let procedure = procedures().get(code).unwrap().clone();
    Progress::open(Frozen::freeze(procedure).unwrap(), Party::INTERESTED).unwrap()
}

/// Somebody of these parties who does the work.
pub(crate) fn doer(by: &BTreeSet<Party>) -> Person {
    let role = *by.first().unwrap();
    Person::new(format!("doer-{}", role.zh()), [role])
}

/// Somebody who signs or approves for a party; never the doer.
pub(crate) fn of(party: Party) -> Person {
    Person::new(format!("of-{}", party.zh()), [party])
}

pub(crate) fn record(by: Person, act: Act) -> Record {
    Record { at: Timestamp::UNIX_EPOCH, by, act }
}

/// Evidence that opens the gate.
pub(crate) fn evidence(gate: &Gate) -> Evidence {
    let parties = gate.with.iter().flat_map(|with| &with.parties);
    let signers = parties.flat_map(|party| match party {
        Party::InterestedParty => Party::INTERESTED.to_vec(),
        party => vec![*party],
    });
    Evidence {
        reference: "records/1".into(),
        outcome: Outcome::Positive,
        contents: gate.contents.iter().map(|content| content.key.clone()).collect(),
        signatures: signers.map(|party| Signature { party, person: of(party).id }).collect(),
    }
}

pub(crate) fn gate<'a>(procedure: &'a Procedure, (step, kind): Name<'_>) -> &'a Gate {
    let step = &procedure.steps[procedure.position(step).unwrap()];
    step.gates.iter().find(|gate| gate.kind == kind).unwrap()
}

/// Shows what opens a gate.
pub(crate) fn show(progress: &mut Progress, (step, kind): Name<'_>) {
    let procedure = progress.procedure().clone();
    let by = doer(&procedure.steps[procedure.position(step).unwrap()].by);
    let evidence = evidence(gate(&procedure, (step, kind)));
    progress.take(record(by, Act::Show { step: step.into(), gate: kind, evidence })).unwrap();
}

/// Does without a gate.
pub(crate) fn waive(progress: &mut Progress, (step, kind): Name<'_>) {
    let procedure = progress.procedure();
    let by = doer(&procedure.steps[procedure.position(step).unwrap()].by);
    let party = gate(procedure, (step, kind)).with.as_ref().map_or(Party::Supervisor, |_| Party::Administrator);
    let act = Act::WaiveGate { step: step.into(), gate: kind, reason: "设备已由原厂更换".into(), approved_by: of(party) };
    progress.take(record(by, act)).unwrap();
}

/// The row that leads to a step, or to the gate of it that only one row closes.
pub(crate) fn row_to(procedure: &Procedure, rows: &[String], (step, kind): Name<'_>) -> String {
    let row = |when: Option<&Condition>| match when {
        Some(Condition::Row { rows, .. }) => rows.last().cloned(),
        Some(Condition::Asked { .. } | Condition::Mode { .. }) | None => None,
    };
    let at = &procedure.steps[procedure.position(step).unwrap()];
    let gate = at.gates.iter().find(|gate| gate.kind == kind).and_then(|gate| row(gate.when.as_ref()));
    gate.or_else(|| row(at.when.as_ref())).unwrap_or_else(|| rows.last().unwrap().clone())
}

/// The act that a move is, in all modes of the step and with every condition true.
fn act(progress: &Progress, next: &Next, to: Name<'_>) -> Act {
    let step = next.step.clone();
    match &next.what {
        Move::Answer(condition) => Act::Answer { condition: condition.clone(), holds: true, because: "现场情况".into() },
        Move::Route(rows) => Act::Route { step, row: row_to(progress.procedure(), rows, to) },
        Move::Begin => {
            let procedure = progress.procedure();
            let modes = procedure.steps[procedure.position(&step).unwrap()].modes.as_ref();
            Act::Begin { step, modes: modes.iter().flat_map(|modes| modes.of.iter().cloned()).collect() }
        }
        Move::Finish => Act::Finish { step },
    }
}

/// What a refusal says is missing.
pub(crate) fn missing(refusal: &Refusal) -> Vec<Missing> {
    match refusal {
        Refusal::Closed { missing, .. } => missing.clone(),
        other => panic!("not refused for want of evidence: {other}"),
    }
}

/// Goes on until nothing may happen any more, showing what is asked for, but never what `but` asks for; gives the refusal that this meets.
pub(crate) fn go(progress: &mut Progress, to: Name<'_>, but: bool) -> Option<Refusal> {
    for _ in 0..1_000 {
        let moves = progress.next();
        let mut met = None;
        let done = moves.iter().any(|next| {
            let act = act(progress, next, to);
            match progress.take(record(doer(&next.by), act)) {
                Ok(()) => true,
                Err(refusal @ Refusal::Closed { .. }) => {
                    let wanting = missing(&refusal);
                    let evidence = wanting.iter().find(|missing| {
                        missing.lack == Lack::Evidence && !(but && (missing.clause.as_str(), missing.gate.unwrap()) == to)
                    });
                    if let Some(missing) = evidence {
                        show(progress, (&missing.clause, missing.gate.unwrap()));
                        return true;
                    }
                    met = met.take().or(Some(refusal).filter(|_| !wanting.iter().any(|missing| missing.gate.is_none())));
                    false
                }
                Err(other) => panic!("{next:?}: {other}"),
            }
        });
        if !done {
            return met;
        }
    }
    panic!("{} does not come to an end", progress.procedure().code)
}

/// Walks to the gate, is refused there with clause and words in the reason, and goes on to the end once evidence or a waiver is there.
pub(crate) fn shut(code: &str, step: &str, kind: GateKind) {
    let name = (step, kind);
    for open_by in [show, waive] {
        let mut progress = open(code);
        let refusal = go(&mut progress, name, true).unwrap_or_else(|| panic!("{step}: nothing was refused"));
        assert_eq!(refusal.clause(), Some(step));
        let wanting = missing(&refusal);
        assert_eq!(wanting.len(), 1, "{refusal}");
        assert_eq!((wanting[0].clause.as_str(), wanting[0].gate, &wanting[0].lack), (step, Some(kind), &Lack::Evidence));
        let reason = refusal.to_string();
        let words = gate(progress.procedure(), name).words.clone().unwrap_or_default();
        assert!(reason.contains(step) && reason.contains(kind.zh()) && reason.contains(&words), "{reason}");
        open_by(&mut progress, name);
        assert_eq!(go(&mut progress, name, false), None);
        assert!(progress.complete(), "{:?}", progress.standing());
    }
}
