//! Ten thousand ways to change what was sealed, each found and located. Pure: no server is asked.
use std::{collections::BTreeMap, sync::OnceLock};

use chassis::Secret;
use jiff::{SignedDuration, Timestamp};
use mailbox::seal::{Audit, Bounds, Content, Dump, Leaves, Numbers, PublicKey, Seal, SealKey, Sealed, Seen, Suite, Wrong};
use proptest::prelude::*;

/// Facts of a world of its own, without their hashes.
#[derive(Clone)]
struct Row {
    number: i64,
    at: Timestamp,
    tx: u64,
    texts: [String; 6],
    optional: [Option<String>; 2],
}

impl Row {
    fn seen(&self) -> Seen {
        let [id, agency, kind, subject, actor, data] = &self.texts;
        let [traceparent, clause] = &self.optional;
        let (traceparent, clause) = (traceparent.as_deref(), clause.as_deref());
        let content = Content { at: self.at, tx: self.tx, id, agency, kind, subject, actor, traceparent, clause, data };
        Seen { number: self.number, tx: self.tx, leaves: Leaves::of(&content, &BOTH) }
    }
}

/// A service whose key was changed for one of the national suite.
struct World {
    key: SealKey,
    public: [PublicKey; 2],
    rows: Vec<Row>,
    seen: Vec<Seen>,
    seals: Vec<Sealed>,
    /// Which seal each number is in.
    sealed_by: BTreeMap<i64, i64>,
}

const BOTH: [Suite; 2] = [Suite::International, Suite::National];
const SEALS: usize = 6;
/// So many of them are of the old key.
const OLD: usize = 4;
const A_SEAL: usize = 20;
/// Facts that came after the last seal.
const NEW: usize = 5;
/// A number of a transaction that was rolled back, and one that is yet to come.
const HOLE: i64 = 57;
const BEYOND: i64 = 9_000;

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let old = SealKey::of(&Secret::new(tests::SEAL_KEY)).unwrap();
        let key = SealKey::of(&Secret::new(format!("sm2:{}", tests::SEAL_KEY))).unwrap();
        let begin: Timestamp = "2026-11-23T01:02:03.456789Z".parse().unwrap();
        let count = SEALS * A_SEAL + NEW;
        // A lower number of a later transaction in every ten, and holes; a transaction is never cut in two by a seal.
        let numbers = (1..).filter(|number| number % HOLE != 0).take(count);
        let mut rows: Vec<Row> = numbers
            .map(|number| Row {
                number,
                at: begin + SignedDuration::from_millis(number),
                tx: 1_000 + u64::try_from(if number % 10 == 0 { (number + 25) * 2 + 1 } else { number * 2 }).unwrap(),
                texts: ["id", "gz", "opsmesh.x.v1.Happened", "agencies/gz/xs/1", "li", "{\"x\":1}"]
                    .map(|text| format!("{text}{number}")),
                optional: [(number % 2 == 0).then(|| "00-1-1-01".into()), (number % 3 == 0).then(|| "7.4.1.6".into())],
            })
            .collect();
        rows.sort_by_key(|row| row.tx);
        let seen: Vec<Seen> = rows.iter().map(Row::seen).collect();
        let (mut seals, mut sealed_by) = (Vec::<Sealed>::new(), BTreeMap::new());
        for batch in seen[..SEALS * A_SEAL].chunks(A_SEAL) {
            let after = seals.last().map(|sealed| &sealed.seal);
            let key = if seals.len() < OLD { &old } else { &key };
            let mut facts: Vec<_> = batch.iter().map(|seen| (seen.number, seen.leaves.by(key.suite()).unwrap())).collect();
            facts.sort_unstable();
            let bounds = Bounds { horizon: batch.last().unwrap().tx + 1, floor: 0 };
            let sealed = key.seal("x", after, bounds, begin, &facts);
            sealed_by.extend(batch.iter().map(|seen| (seen.number, sealed.seal.number)));
            seals.push(sealed);
        }
        World { public: [old.public(), key.public()], key, rows, seen, seals, sealed_by }
    })
}

/// What somebody with every right on the database does.
#[derive(Debug, Clone)]
enum Tampering {
    Edit(usize, usize),
    Delete(usize),
    InsertIntoAHole(usize),
    InsertBeside(usize),
    MoveIntoAHole(usize),
    MoveBeyond(usize),
    Swap(usize, usize),
    Overwrite(usize, usize),
    EditWithItsHash(usize),
    EditWithItsHashAndTheRoot(usize),
    AlterSeal(usize, usize),
    DeleteSeal(usize),
    SealAgainWithAnotherKey(usize),
    AlterHash(usize, usize),
    Cut(usize),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let fact = 0..SEALS * A_SEAL;
    let seal = 0..SEALS;
    prop_oneof![
        4 => (fact.clone(), 0..10_usize).prop_map(|(fact, field)| Tampering::Edit(fact, field)),
        2 => fact.clone().prop_map(Tampering::Delete),
        1 => fact.clone().prop_map(Tampering::InsertIntoAHole),
        1 => fact.clone().prop_map(Tampering::InsertBeside),
        1 => fact.clone().prop_map(Tampering::MoveIntoAHole),
        1 => fact.clone().prop_map(Tampering::MoveBeyond),
        1 => (fact.clone(), fact.clone()).prop_map(|(one, other)| Tampering::Swap(one, other)),
        1 => (fact.clone(), fact.clone()).prop_map(|(one, other)| Tampering::Overwrite(one, other)),
        1 => fact.clone().prop_map(Tampering::EditWithItsHash),
        1 => fact.prop_map(Tampering::EditWithItsHashAndTheRoot),
        2 => (seal.clone(), 0..9_usize).prop_map(|(seal, field)| Tampering::AlterSeal(seal, field)),
        1 => seal.clone().prop_map(Tampering::DeleteSeal),
        1 => seal.clone().prop_map(Tampering::SealAgainWithAnotherKey),
        1 => (seal, 0..A_SEAL).prop_map(|(seal, leaf)| Tampering::AlterHash(seal, leaf)),
        1 => (1..SEALS).prop_map(Tampering::Cut),
    ]
}

/// The world after a tampering, and what has to be found; with copies or without.
fn tampered(world: &World, tampering: &Tampering, copies: bool) -> (Dump, Vec<Wrong>) {
    let (mut facts, mut seals) = (world.seen.clone(), world.seals.clone());
    let at = |fact: usize| world.seen[fact].number;
    let by = |fact: usize| world.sealed_by[&at(fact)];
    let edited = |fact: usize| {
        let mut row = world.rows[fact].clone();
        row.texts[5].push(' ');
        row.seen()
    };
    // Without a copy, nothing is left to hold the facts of a spoiled seal against; those of the last could be new.
    let uncovered = |seal: usize| {
        let numbers = &world.seals[seal].seal.facts;
        (!copies && seal + 1 < SEALS).then(|| Wrong::Uncovered(numbers.to_string()))
    };
    let wrong = match *tampering {
        Tampering::Edit(fact, field) => {
            let mut row = world.rows[fact].clone();
            match field {
                0 => row.at += SignedDuration::from_micros(1),
                1 => row.tx += 1,
                2..8 => row.texts[field - 2].push('x'),
                _ => row.optional[field - 8] = Some("y".into()),
            }
            facts[fact] = row.seen();
            vec![Wrong::Edited(at(fact), by(fact))]
        }
        Tampering::Delete(fact) => {
            facts.remove(fact);
            vec![Wrong::Deleted(at(fact), by(fact))]
        }
        Tampering::InsertIntoAHole(fact) => {
            facts.push(Seen { number: HOLE, ..world.seen[fact] });
            vec![Wrong::Inserted(HOLE)]
        }
        Tampering::InsertBeside(fact) => {
            facts.push(edited(fact));
            vec![Wrong::Inserted(at(fact))]
        }
        Tampering::MoveIntoAHole(fact) => {
            facts[fact].number = HOLE;
            vec![Wrong::Moved(at(fact), HOLE)]
        }
        Tampering::MoveBeyond(fact) => {
            facts[fact].number = BEYOND;
            vec![Wrong::Moved(at(fact), BEYOND)]
        }
        Tampering::Swap(one, other) if one == other => Vec::new(),
        Tampering::Swap(one, other) => {
            (facts[one].number, facts[other].number) = (at(other), at(one));
            let (low, high) = (at(one).min(at(other)), at(one).max(at(other)));
            vec![Wrong::Moved(low, high), Wrong::Moved(high, low)]
        }
        Tampering::Overwrite(one, other) if one == other => Vec::new(),
        Tampering::Overwrite(one, other) => {
            facts[other] = Seen { number: at(other), ..world.seen[one] };
            vec![Wrong::Edited(at(other), by(other))]
        }
        Tampering::EditWithItsHash(fact) => {
            let seal = usize::try_from(by(fact)).unwrap() - 1;
            facts[fact] = edited(fact);
            replace(&mut seals[seal], at(fact), &facts[fact]);
            vec![Wrong::SomeEdited(by(fact), seals[seal].seal.facts.to_string())]
        }
        Tampering::EditWithItsHashAndTheRoot(fact) => {
            let seal = usize::try_from(by(fact)).unwrap() - 1;
            facts[fact] = edited(fact);
            replace(&mut seals[seal], at(fact), &facts[fact]);
            seals[seal].seal.root = seals[seal].seal.suite().root(&seals[seal].leaves);
            let mut wrong = vec![Wrong::SealAltered(by(fact))];
            wrong.extend(copies.then(|| Wrong::SomeEdited(by(fact), seals[seal].seal.facts.to_string())));
            wrong.extend(uncovered(seal));
            wrong
        }
        Tampering::AlterSeal(seal, field) => {
            alter(&mut seals[seal].seal, field);
            let Seal { number, key, .. } = seals[seal].seal.clone();
            let mut wrong = vec![if field == KEY { Wrong::KeyUnknown(number, key) } else { Wrong::SealAltered(number) }];
            wrong.extend(uncovered(seal));
            wrong
        }
        Tampering::DeleteSeal(seal) => {
            let number = seals.remove(seal).seal.number;
            match (seal + 1 == SEALS, copies) {
                (true, true) => vec![Wrong::Cut(number, number, 0)],
                // The facts of the last seal pass for new ones: that is what copies are for.
                (true, false) => Vec::new(),
                (false, _) => std::iter::once(Wrong::SealMissing(number)).chain(uncovered(seal)).collect(),
            }
        }
        Tampering::SealAgainWithAnotherKey(seal) => {
            let suite = if seal < OLD { "" } else { "sm2:" };
            let thief = SealKey::of(&Secret::new(format!("{suite}{}", "ab".repeat(32)))).unwrap();
            let Seal { at, horizon, floor, .. } = seals[seal].seal;
            let after = seal.checked_sub(1).map(|before| &world.seals[before].seal);
            let facts: Vec<_> = seals[seal].seal.facts.iter().zip(seals[seal].leaves.clone()).collect();
            let mut forged = thief.seal("x", after, Bounds { horizon, floor }, at, &facts);
            forged.seal.key.clone_from(&world.seals[seal].seal.key);
            seals[seal] = forged;
            std::iter::once(Wrong::SealAltered(seals[seal].seal.number)).chain(uncovered(seal)).collect()
        }
        Tampering::AlterHash(seal, leaf) => {
            seals[seal].leaves[leaf][7] ^= 1;
            vec![Wrong::LeavesAltered(seals[seal].seal.number)]
        }
        Tampering::Cut(cut) => {
            seals.truncate(SEALS - cut);
            facts
                .retain(|fact| seals.iter().any(|sealed| sealed.seal.number == *world.sealed_by.get(&fact.number).unwrap_or(&0)));
            let first = i64::try_from(SEALS - cut + 1).unwrap();
            if copies { vec![Wrong::Cut(first, i64::try_from(SEALS).unwrap(), cut * A_SEAL)] } else { Vec::new() }
        }
    };
    (Dump { facts, seals, garbled: Vec::new(), disposals: Vec::new() }, wrong)
}

fn replace(sealed: &mut Sealed, number: i64, by: &Seen) {
    let at = sealed.seal.facts.iter().position(|own| own == number).unwrap();
    sealed.leaves[at] = by.leaves.by(sealed.seal.suite()).unwrap();
}

/// The field of a seal that names its key.
const KEY: usize = 7;

fn alter(seal: &mut Seal, field: usize) {
    match field {
        0 => seal.service.push('x'),
        1 => seal.at += SignedDuration::from_micros(1),
        2 => seal.facts = Numbers::of(seal.facts.iter().skip(1)),
        3 => seal.horizon += 1,
        4 => seal.floor += 1,
        5 => seal.root[0] ^= 1,
        6 => seal.previous[0] ^= 1,
        KEY => seal.key.push('0'),
        _ => seal.signature[9] ^= 1,
    }
}

fn copies() -> Vec<Seal> {
    world().seals.iter().map(|sealed| sealed.seal.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn every_tampering_is_found_and_located(tampering in tampering(), with_copies: bool) {
        let world = world();
        let (dump, mut wrong) = tampered(world, &tampering, with_copies);
        let copies = if with_copies { copies() } else { Vec::new() };
        let audit = Audit::of(&world.public, "x", dump, copies);
        wrong.sort_unstable();
        prop_assert_eq!(audit.wrong, wrong);
    }
}

#[test]
fn what_nobody_touched_is_found_whole_whatever_the_order_of_its_rows() {
    let world = world();
    let mut facts = world.seen.clone();
    facts.reverse();
    let dump = Dump { facts, seals: world.seals.clone(), garbled: Vec::new(), disposals: Vec::new() };
    let audit = Audit::of(&world.public, "x", dump, copies());
    assert_eq!(audit, Audit { facts: SEALS * A_SEAL + NEW, seals: SEALS, unsealed: NEW, disposed: 0, wrong: Vec::new() });
}

#[test]
fn facts_that_the_service_dropped_are_not_asked_for_and_others_are() {
    let world = world();
    let month = jiff::civil::date(2026, 11, 1);
    let at = world.seals[0].seal.at;
    let note = |key: &SealKey, facts: &[i64]| key.dispose("x", month, at, Numbers::of(facts.iter().copied()));
    let mut gone: Vec<i64> = world.seals[..2].iter().flat_map(|sealed| sealed.seal.facts.iter()).collect();
    gone.sort_unstable();
    let (other, rest) = gone.split_last().unwrap();
    let thief = SealKey::of(&Secret::new("ab".repeat(32))).unwrap();
    let mut altered = note(&world.key, rest);
    altered.facts = Numbers::of(gone.iter().copied());
    for (disposal, wrong) in [
        (note(&world.key, &gone), Vec::new()),
        (note(&world.key, rest), vec![Wrong::Deleted(*other, world.sealed_by[other])]),
        (note(&thief, &gone), gone.iter().map(|fact| Wrong::Deleted(*fact, world.sealed_by[fact])).collect()),
        // Signed by the service, and yet of a month that was over before they were sealed: somebody moved them there.
        (
            world.key.dispose("x", jiff::civil::date(2026, 10, 1), at, Numbers::of(gone.iter().copied())),
            gone.iter().map(|fact| Wrong::Deleted(*fact, world.sealed_by[fact])).collect(),
        ),
        (altered, gone.iter().map(|fact| Wrong::Deleted(*fact, world.sealed_by[fact])).collect()),
    ] {
        let mut facts = world.seen.clone();
        facts.retain(|fact| !gone.contains(&fact.number));
        let disposals = vec![disposal];
        let dump = Dump { facts, seals: world.seals.clone(), garbled: Vec::new(), disposals };
        let mut audit = Audit::of(&world.public, "x", dump, copies());
        audit.wrong.sort_unstable();
        let mut wrong: Vec<Wrong> = wrong;
        wrong.sort_unstable();
        assert_eq!(audit.disposed + wrong.len(), gone.len());
        assert_eq!(audit.wrong, wrong);
    }
    // One that has lost its hashes, too, and of which only a part is left.
    let mut seals = world.seals.clone();
    seals[1].leaves[0] = [0; 32];
    let mut facts = world.seen.clone();
    let dropped: Vec<i64> = seals[1].seal.facts.iter().take(5).collect();
    facts.retain(|fact| !dropped.contains(&fact.number));
    let dump = Dump { facts, seals, garbled: Vec::new(), disposals: vec![note(&world.key, &dropped)] };
    assert_eq!(Audit::of(&world.public, "x", dump, copies()).wrong, [Wrong::LeavesAltered(2)]);
}

#[test]
fn a_second_history_signed_with_the_right_key_is_told_from_the_first() {
    let world = world();
    let mut seals = world.seals.clone();
    let before = seals[SEALS - 2].seal.clone();
    let another = Row { number: BEYOND, tx: 99_998, ..world.rows[0].clone() }.seen();
    let facts = [(BEYOND, another.leaves.by(world.key.suite()).unwrap())];
    let other = world.key.seal("x", Some(&before), Bounds { horizon: 99_999, floor: 0 }, before.at, &facts);
    seals[SEALS - 1] = other;
    let mut facts = world.seen.clone();
    facts.retain(|fact| world.sealed_by.get(&fact.number).is_some_and(|seal| *seal < i64::try_from(SEALS).unwrap()));
    facts.push(another);
    let dump = Dump { facts, seals, garbled: Vec::new(), disposals: Vec::new() };
    let audit = Audit::of(&world.public, "x", dump, copies());
    assert_eq!(audit.wrong, [Wrong::Forked(i64::try_from(SEALS).unwrap())]);
}
