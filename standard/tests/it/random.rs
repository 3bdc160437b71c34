//! Random acts by random people: whatever they do, there is a way out, no gate is passed without evidence or waiver, and the records tell it all.
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use standard::procedure::{
    Act, Condition, Evidence, Frozen, Gate, GateKind, Lack, Move, Next, Outcome, Party, Person, Progress, Record, Refusal,
    Signature, Status, Step, procedures,
};

use crate::walk::{evidence, open, record};

/// Dice for one act.
type Dice = (u8, u8, u8, u8);

/// People, one of whom is everybody.
fn person(dice: u8) -> Person {
    match dice % 7 {
        0 | 1 => Person::new("worker", [Party::Engineer, Party::ServiceDesk, Party::Provider]),
        2 => Person::new("colleague", [Party::Engineer, Party::ServiceDesk, Party::Provider]),
        3 => Person::new("client", [Party::Consumer, Party::User]),
        4 => Person::new("authority", [Party::Administrator]),
        5 => Person::new("overseer", [Party::Supervisor]),
        _ => Person::new("everybody", Party::ALL),
    }
}

fn pick<T>(all: &[T], dice: u8) -> Option<&T> {
    all.get(usize::from(dice) % all.len().max(1))
}

/// Evidence that is good, bad, or half.
fn shown(gate: &Gate, dice: u8) -> Evidence {
    let mut evidence = evidence(gate);
    match dice % 8 {
        0 => evidence.outcome = Outcome::Negative,
        1 => evidence.contents.pop_first().map_or((), drop),
        2 => evidence.signatures.clear(),
        3 | 4 => evidence.signatures.iter_mut().for_each(|signature| signature.person = person(dice / 8).id),
        _ => {}
    }
    evidence
}

fn act(progress: &Progress, (what, which, how, more): Dice) -> Option<Act> {
    let next = progress.next();
    let steps = &progress.procedure().steps;
    let reason = if more == 0 { " " } else { "有原因" }.to_owned();
    let approved_by = person(more);
    let any = pick(steps, which)?;
    let near = pick(&next, which).and_then(|next| steps.iter().find(|step| step.clause == next.step)).unwrap_or(any);
    let step = if what >= 200 { any } else { near };
    Some(match what % 16 {
        0..=4 => {
            let next = pick(&next, which)?;
            match &next.what {
                Move::Answer(condition) => {
                    Act::Answer { condition: condition.clone(), holds: how.is_multiple_of(2), because: reason }
                }
                Move::Route(rows) => Act::Route { step: next.step.clone(), row: pick(rows, how)?.clone() },
                Move::Begin => Act::Begin { step: near.clause.clone(), modes: modes(near, how) },
                Move::Finish => Act::Finish { step: near.clause.clone() },
            }
        }
        5..=9 => {
            let gate = pick(&step.gates, how)?;
            Act::Show { step: step.clause.clone(), gate: gate.kind, evidence: shown(gate, more) }
        }
        10 => {
            let gate = pick(&step.gates, how)?;
            Act::WaiveGate { step: step.clause.clone(), gate: gate.kind, reason, approved_by }
        }
        12 if more.is_multiple_of(4) => Act::Reopen { step: any.clause.clone(), reason },
        11 | 12 => Act::WaiveStep { step: step.clause.clone(), reason, approved_by },
        13 => {
            let asked =
                steps.iter().flat_map(|step| step.when.iter().chain(step.gates.iter().filter_map(|gate| gate.when.as_ref())));
            let keys: Vec<&String> = asked
                .filter_map(|condition| match condition {
                    Condition::Asked { key, .. } => Some(key),
                    Condition::Mode { .. } | Condition::Row { .. } => None,
                })
                .collect();
            Act::Answer { condition: (*pick(&keys, which)?).clone(), holds: how.is_multiple_of(2), because: reason }
        }
        14 if more % 32 == 4 => Act::Abandon { reason, approved_by },
        14 => {
            Act::Route { step: step.clause.clone(), row: pick(&["RR-A", "RR-C1", "RR-C2", "RR-X", "no row"], how)?.to_string() }
        }
        _ => Act::Begin { step: any.clause.clone(), modes: modes(any, how) },
    })
}

fn modes(step: &Step, dice: u8) -> BTreeSet<String> {
    let modes = step.modes.iter().flat_map(|modes| &modes.of).enumerate();
    modes.filter(|(at, _)| !dice.is_multiple_of(4) || at.is_multiple_of(2)).map(|(_, mode)| mode.clone()).collect()
}

/// Does what the dice say; what is refused changes nothing.
fn wander(code: &str, dice: &[Dice]) -> Progress {
    let mut progress = open(code);
    for &one in dice {
        let Some(act) = act(&progress, one) else { continue };
        let before = progress.clone();
        if progress.take(record(person(one.2 / 16), act)).is_err() {
            assert_eq!(progress, before);
        }
    }
    progress
}

/// Somebody new for each thing, so that nobody is a second time where a second person is needed.
struct Crowd(u32);

impl Crowd {
    fn somebody(&mut self, roles: impl IntoIterator<Item = Party>) -> Person {
        self.0 += 1;
        Person::new(format!("fresh-{}", self.0), roles)
    }

    fn open_gate(&mut self, progress: &mut Progress, step: &Step, kind: GateKind, lack: &Lack) -> Result<(), Refusal> {
        let gate = step.gates.iter().find(|gate| gate.kind == kind).unwrap();
        let by = self.somebody([*step.by.first().unwrap()]);
        let step = step.clause.clone();
        let act = match lack {
            Lack::Answer { condition, .. } => {
                Act::Answer { condition: condition.clone(), holds: true, because: "查看了现场".into() }
            }
            Lack::SecondPerson(_) => {
                let approved_by = self.somebody([Party::Administrator]);
                Act::WaiveGate { step, gate: kind, reason: "另请他人批准".into(), approved_by }
            }
            _ => {
                let mut evidence = evidence(gate);
                for signature in &mut evidence.signatures {
                    *signature = Signature { party: signature.party, person: self.somebody([]).id };
                }
                Act::Show { step, gate: kind, evidence }
            }
        };
        progress.take(record(by, act))
    }

    fn advance(&mut self, progress: &mut Progress, next: &Next) -> Result<(), Refusal> {
        let procedure = progress.procedure().clone();
        let step = &procedure.steps[procedure.position(&next.step).unwrap()];
        let name = step.clause.clone();
        let act = match &next.what {
            Move::Answer(condition) => {
                Act::Answer { condition: condition.clone(), holds: true, because: "查看了现场".into() }
            }
            Move::Route(rows) => Act::Route { step: name, row: rows[0].clone() },
            Move::Begin => Act::Begin { step: name, modes: modes(step, 1) },
            Move::Finish => Act::Finish { step: name },
        };
        let by = self.somebody([*next.by.first().unwrap()]);
        let refusal = match progress.take(record(by, act)) {
            Err(Refusal::Closed { missing, .. }) => missing,
            other => return other,
        };
        for missing in refusal {
            match (missing.gate, &missing.lack) {
                (Some(gate), lack) => return self.open_gate(progress, step, gate, lack),
                (None, Lack::OneOf(_)) => {
                    let (by, approved_by) = (self.somebody([Party::Provider]), self.somebody([Party::Administrator]));
                    let act = Act::WaiveStep { step: step.clause.clone(), reason: "本次无需检查".into(), approved_by };
                    return progress.take(record(by, act));
                }
                (None, _) => {}
            }
        }
        Err(Refusal::Over)
    }
}

/// How a ticket can be brought to its end from here, if it can.
fn way_out(mut progress: Progress) -> bool {
    let mut crowd = Crowd(0);
    for _ in 0..500 {
        let moved = progress.next().iter().any(|next| crowd.advance(&mut progress, next).is_ok());
        if !moved {
            break;
        }
    }
    progress.complete()
}

/// Whether `step` is reset when `target` is reopened (told from the procedure, not from the engine).
fn depends(steps: &[Step], step: usize, target: usize) -> bool {
    let above = steps[step].after.iter().chain(&steps[step].parent);
    step == target || above.clone().any(|&before| depends(steps, before, target))
}

/// All that come before a step, told from the procedure.
fn first(steps: &[Step], index: usize) -> BTreeSet<usize> {
    steps[index].after.iter().flat_map(|&before| first(steps, before).into_iter().chain([before])).collect()
}

/// Whether the records hold what the clause demands of a gate of a finished step: counted without the engine.
fn proved(records: &[Record], steps: &[Step], index: usize, gate: &Gate) -> bool {
    let step = &steps[index];
    let reset = |record: &Record| {
        matches!(&record.act, Act::Reopen { step: target, .. }
            if depends(steps, index, steps.iter().position(|step| step.clause == *target).unwrap()))
    };
    let since = records.iter().rposition(reset).map_or(0, |at| at + 1);
    let round = &records[since..];
    let mut worker = None;
    let mut good: Vec<&Evidence> = Vec::new();
    let mut waived = false;
    for record in round {
        match &record.act {
            Act::Begin { step: name, .. } if *name == step.clause => worker = Some(record.by.id.clone()),
            Act::Show { step: name, gate: kind, evidence } if *name == step.clause && *kind == gate.kind => {
                match evidence.outcome {
                    Outcome::Positive => good.push(evidence),
                    Outcome::Negative => good.clear(),
                }
            }
            Act::WaiveGate { step: name, gate: kind, .. } if *name == step.clause && *kind == gate.kind => waived = true,
            _ => {}
        }
    }
    let contents = gate.contents.iter().all(|content| good.iter().any(|evidence| evidence.contents.contains(&content.key)));
    let signed =
        good.iter().flat_map(|evidence| &evidence.signatures).any(|signature| Some(&signature.person) != worker.as_ref());
    waived || (!good.is_empty() && contents && (gate.with.is_none() || signed))
}

/// Whether a gate certainly applied.
fn applied(gate: &Gate) -> bool {
    gate.when.is_none()
}

fn walks() -> impl Strategy<Value = (&'static str, Vec<Dice>)> {
    let codes: Vec<&'static str> = procedures().iter().map(|procedure| procedure.code.as_str()).collect();
    (prop::sample::select(codes), prop::collection::vec(any::<Dice>(), 0..160))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn there_is_a_way_out_of_every_state((code, dice) in walks()) {
        let progress = wander(code, &dice);
        if progress.abandoned() {
            prop_assert_eq!(progress.next(), []);
        } else {
            prop_assert!(progress.complete() || !progress.next().is_empty());
            prop_assert!(way_out(progress.clone()), "{:#?}", progress.standing());
        }
    }

    #[test]
    fn no_step_is_begun_before_all_that_come_first_are_over((code, dice) in walks()) {
        let progress = wander(code, &dice);
        let steps = &progress.procedure().steps;
        let standing = progress.standing().steps;
        for (index, (clause, _)) in standing.iter().enumerate().filter(|(_, (_, status))| *status == Status::InProgress) {
            for before in first(steps, index) {
                let over = standing[before].1.settled() || steps[before].continuing.is_some();
                prop_assert!(over, "{} before {}", clause, standing[before].0);
            }
        }
    }

    #[test]
    fn no_gate_is_passed_without_its_evidence_or_a_waiver((code, dice) in walks()) {
        let progress = wander(code, &dice);
        let steps = &progress.procedure().steps;
        for (index, (clause, status)) in progress.standing().steps.iter().enumerate() {
            for gate in steps[index].gates.iter().filter(|gate| *status == Status::Done && applied(gate)) {
                prop_assert!(proved(progress.records(), steps, index, gate), "{} {:?}", clause, gate.kind);
            }
        }
    }

    #[test]
    fn the_records_done_again_give_the_same_state((code, dice) in walks()) {
        let progress = wander(code, &dice);
        let kept = serde_json::to_string(&(progress.frozen(), progress.records())).unwrap();
        let (frozen, records): (Frozen, Vec<Record>) = serde_json::from_str(&kept).unwrap();
        let again = Progress::replay(frozen, progress.interested().iter().copied(), records).unwrap();
        prop_assert_eq!(again, progress);
    }

    #[test]
    fn what_may_be_done_in_either_order_leads_to_the_same_standing((code, dice) in walks(), a: Dice, b: Dice) {
        let progress = wander(code, &dice);
        let (Some(one), Some(two)) = (act(&progress, a), act(&progress, b)) else { return Ok(()) };
        let (one, two) = (record(person(a.2 / 16), one), record(person(b.2 / 16), two));
        // Two pieces of evidence for one gate are a story; two answers to one question are, too.
        let same = |act: &Act| match act {
            Act::Answer { condition, .. } => condition.clone(),
            Act::Route { step, .. } | Act::Begin { step, .. } | Act::Show { step, .. } | Act::WaiveGate { step, .. }
            | Act::WaiveStep { step, .. } | Act::Finish { step } => step.clone(),
            Act::Reopen { .. } | Act::Abandon { .. } => String::new(),
        };
        let after = |first: &Record, second: &Record| {
            let mut progress = progress.clone();
            progress.take(first.clone()).and_then(|()| progress.take(second.clone())).map(|()| progress.standing())
        };
        if same(&one.act) != same(&two.act) && !same(&one.act).is_empty() && !same(&two.act).is_empty()
            && let (Ok(here), Ok(there)) = (after(&one, &two), after(&two, &one))
        {
            prop_assert_eq!(here, there);
        }
    }
}
#[test]
fn the_walks_reach_every_kind_of_state() {
    let mut runner = TestRunner::deterministic();
    let mut seen: Vec<Status> = Vec::new();
    let (mut complete, mut abandoned, mut reopened) = (0, 0, 0);
    for _ in 0..200 {
        let (code, dice) = walks().new_tree(&mut runner).unwrap().current();
        let progress = wander(code, &dice);
        reopened += progress.records().iter().filter(|record| matches!(record.act, Act::Reopen { .. })).count();
        complete += usize::from(progress.complete());
        abandoned += usize::from(progress.abandoned());
        seen.extend(progress.standing().steps.iter().map(|(_, status)| status));
    }
    let count = |status| seen.iter().filter(|seen| **seen == status).count();
    assert!(complete > 5 && abandoned > 5 && reopened > 50, "{complete} {abandoned} {reopened}");
    for (status, least) in [(Status::Done, 200), (Status::Waived, 50), (Status::NotApplicable, 20), (Status::InProgress, 50)] {
        assert!(count(status) > least, "{status:?}: {}", count(status));
    }
}
