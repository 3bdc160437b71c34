//! What an auditor finds: facts as they are, held against seals as they were made. Pure; needs the public keys and nothing else
//! of ours.
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

use super::{Disposal, Dump, Hash, Numbers, PublicKey, Seal, Sealed, Seen, Suite};

/// Something that is not as it was sealed, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// A fact says something else than when it was sealed: its number, its seal.
    Edited(i64, i64),
    /// A fact is gone: its number, its seal.
    Deleted(i64, i64),
    /// A fact was put among older ones, or beside one of the same number.
    Inserted(i64),
    /// A fact has another number: what it had, what it has.
    Moved(i64, i64),
    /// A seal is not what was signed.
    SealAltered(i64),
    /// A seal names a key that is none of those it is held against.
    KeyUnknown(i64, String),
    /// A seal is gone from among the others.
    SealMissing(i64),
    /// Of this seal on, two histories were signed: as after a restore from an older copy.
    Forked(i64),
    /// The list of hashes beside a seal was changed; its facts are as they were.
    LeavesAltered(i64),
    /// The facts of a seal are not as they were, and with its list of hashes changed too it cannot be told which.
    SomeEdited(i64, String),
    /// Facts that a seal must have covered which is altered or missing itself, and of which there is no copy.
    Uncovered(String),
    /// The end was cut off: the first and the last seal that only the copies have, and how many facts are gone with them.
    Cut(i64, i64, usize),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited(number, seal) => write!(f, "fact {number} was edited (sealed by {seal})"),
            Self::Deleted(number, seal) => write!(f, "fact {number} was deleted (sealed by {seal})"),
            Self::Inserted(number) => write!(f, "fact {number} was inserted"),
            Self::Moved(from, to) => write!(f, "fact {from} was moved to {to}"),
            Self::SealAltered(number) => write!(f, "seal {number} was altered"),
            Self::KeyUnknown(number, key) => write!(f, "seal {number} names the key {key}, which is none of those given"),
            Self::SealMissing(number) => write!(f, "seal {number} is missing"),
            Self::Forked(number) => write!(f, "from seal {number} on there are two signed histories"),
            Self::LeavesAltered(number) => write!(f, "the hashes beside seal {number} were altered"),
            Self::SomeEdited(seal, facts) => write!(f, "some of the facts {facts} were edited (sealed by {seal})"),
            Self::Uncovered(facts) => write!(f, "the facts {facts} are covered by no seal that can be trusted"),
            Self::Cut(first, last, facts) => write!(f, "the end was cut off: seals {first} to {last}, {facts} facts"),
        }
    }
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// Facts that were looked at.
    pub facts: usize,
    /// Seals that were looked at.
    pub seals: usize,
    /// Facts that are too new to be sealed: about those nothing is said.
    pub unsealed: usize,
    /// Facts that the service dropped, their time being over.
    pub disposed: usize,
    /// What is not as it was sealed; empty: all of it is.
    pub wrong: Vec<Wrong>,
}

/// What is known of one seal.
struct Known {
    seal: Seal,
    /// Its hashes, if they give its root.
    leaves: Option<Vec<Hash>>,
}

/// What should be there.
struct Expected {
    number: i64,
    seal: i64,
    suite: Suite,
    leaf: Option<Hash>,
}

impl Audit {
    /// Holds the facts of a dump, hashed in the suites of all `keys`, against the seals of `service` in it and against the copies of them that are kept elsewhere. Of a
    /// service whose key was changed all its keys are needed. Facts may be gone of which it signed that their time was over.
    #[must_use]
    pub fn of(keys: &[PublicKey], service: &str, dump: Dump, copies: Vec<Seal>) -> Self {
        let Dump { mut facts, seals, garbled, disposals } = dump;
        let mut audit =
            Self { facts: facts.len(), seals: seals.len() + garbled.len(), unsealed: 0, disposed: 0, wrong: Vec::new() };
        audit.wrong.extend(garbled.iter().copied().map(Wrong::SealAltered));
        let mut chain = Chain { altered: garbled.into_iter().collect(), ..Chain::default() };
        for sealed in seals {
            chain.add(keys, service, sealed, &mut audit.wrong);
        }
        for copy in copies {
            if keys.iter().any(|key| key.signed(&copy)) && copy.service == service {
                chain.complete(copy, &mut audit.wrong);
            }
        }
        let last = chain.last();
        let complete = chain.check(last, &mut audit.wrong);
        facts.sort_unstable_by_key(|fact| fact.number);
        let disposals: Vec<Disposal> = disposals
            .into_iter()
            .filter(|disposal| disposal.service == service && keys.iter().any(|key| key.disposed(disposal)))
            .collect();
        audit.compare(&facts, &chain, last, complete, &disposals);
        audit.wrong.sort_unstable();
        audit
    }

    fn compare(&mut self, facts: &[Seen], chain: &Chain, last: i64, complete: bool, disposals: &[Disposal]) {
        let mut expected = chain.expected();
        expected.sort_by_key(|expected| expected.number);
        expected.dedup_by_key(|expected| expected.number);
        let Held { strays, missing, by_seal } = hold(facts, &expected);
        let disposed = |fact: i64, seal: &Seal| disposals.iter().any(|disposal| disposal.explains(fact, seal));
        self.judge_whole_seals(chain, by_seal, last, disposed);

        // A stray whose content is missing elsewhere was moved from there.
        let mut missing: BTreeMap<i64, &Expected> = missing.into_iter().map(|expected| (expected.number, expected)).collect();
        let by_leaf: HashMap<Hash, i64> =
            missing.values().filter_map(|expected| Some((expected.leaf?, expected.number))).collect();
        let mut unmoved = Vec::new();
        for stray in strays {
            match stray.leaves.iter().find_map(|leaf| by_leaf.get(&leaf)) {
                Some(from) if missing.remove(from).is_some() => self.wrong.push(Wrong::Moved(*from, stray.number)),
                _ => unmoved.push(stray),
            }
        }
        let newest = chain.known.values().next_back().map(|known| &known.seal);
        let mut uncovered = BTreeSet::new();
        for stray in unmoved {
            let sealed = expected.binary_search_by_key(&stray.number, |expected| expected.number).is_ok();
            if let Some(edited) = missing.remove(&stray.number) {
                self.wrong.push(Wrong::Edited(stray.number, edited.seal));
            } else if !sealed && newest.is_none_or(|seal| stray.tx >= seal.horizon && stray.number > seal.floor) {
                self.unsealed += 1;
            } else if !sealed && !complete {
                uncovered.insert(stray.number);
            } else {
                self.wrong.push(Wrong::Inserted(stray.number));
            }
        }
        if !uncovered.is_empty() {
            self.wrong.push(Wrong::Uncovered(Numbers::of(uncovered).to_string()));
        }
        let mut cut = 0;
        for expected in missing.values() {
            if expected.seal > last {
                cut += 1;
            } else if disposed(expected.number, &chain.known[&expected.seal].seal) {
                self.disposed += 1;
            } else {
                self.wrong.push(Wrong::Deleted(expected.number, expected.seal));
            }
        }
        if let Some((newest, _)) = chain.known.last_key_value().filter(|(newest, _)| **newest > last) {
            self.wrong.push(Wrong::Cut(last + 1, *newest, cut));
        }
    }

    /// Seals without their hashes are judged by the root over what is there; of one that lost facts to their time, nothing more can be said.
    fn judge_whole_seals(
        &mut self,
        chain: &Chain,
        by_seal: BTreeMap<i64, Vec<Hash>>,
        last: i64,
        disposed: impl Fn(i64, &Seal) -> bool,
    ) {
        for (number, leaves) in by_seal {
            let seal = &chain.known[&number].seal;
            let whole = leaves.len() == seal.facts.len();
            let over = || leaves.len() + seal.facts.iter().filter(|fact| disposed(*fact, seal)).count() == seal.facts.len();
            if (whole && seal.suite().root(&leaves) == seal.root) || (!whole && over()) {
                if chain.own.contains(&number) {
                    self.wrong.push(Wrong::LeavesAltered(number));
                }
            } else if whole {
                self.wrong.push(Wrong::SomeEdited(number, seal.facts.to_string()));
            } else if number <= last {
                self.wrong.push(Wrong::Uncovered(seal.facts.to_string()));
            }
        }
    }
}

/// Facts held against what is expected.
struct Held<'a> {
    /// Facts that are not what is expected at their number.
    strays: Vec<&'a Seen>,
    /// What is expected and not there as it should be.
    missing: Vec<&'a Expected>,
    /// Of seals without hashes, the hashes of what is there.
    by_seal: BTreeMap<i64, Vec<Hash>>,
}

/// Both are in the order of their numbers.
fn hold<'a>(facts: &'a [Seen], expected: &'a [Expected]) -> Held<'a> {
    let mut held = Held { strays: Vec::new(), missing: Vec::new(), by_seal: BTreeMap::new() };
    let mut facts = facts.chunk_by(|one, next| one.number == next.number).peekable();
    for expected in expected {
        while let Some(earlier) = facts.next_if(|here| here[0].number < expected.number) {
            held.strays.extend(earlier);
        }
        let here = facts.next_if(|here| here[0].number == expected.number).unwrap_or_default();
        let found = match expected.leaf {
            Some(leaf) => here.iter().position(|fact| fact.leaves.by(expected.suite) == Some(leaf)),
            None => {
                let leaves = held.by_seal.entry(expected.seal).or_default();
                leaves.extend(here.first().and_then(|fact| fact.leaves.by(expected.suite)));
                (!here.is_empty()).then_some(0)
            }
        };
        if found.is_none() {
            held.missing.push(expected);
        }
        held.strays.extend(here.iter().enumerate().filter(|(at, _)| Some(*at) != found).map(|(_, fact)| fact));
    }
    held.strays.extend(facts.flatten());
    held
}

/// The seals that can be trusted.
#[derive(Default)]
struct Chain {
    known: BTreeMap<i64, Known>,
    /// Those that the facts' own database has.
    own: BTreeSet<i64>,
    altered: BTreeSet<i64>,
}

impl Chain {
    /// Takes a seal of the facts' own database, if it is what was signed.
    fn add(&mut self, keys: &[PublicKey], service: &str, Sealed { seal, leaves }: Sealed, wrong: &mut Vec<Wrong>) {
        let number = seal.number;
        let key = keys.iter().find(|key| key.id() == seal.key);
        if key.is_none_or(|key| !key.signed(&seal)) || seal.service != service || self.known.contains_key(&number) {
            self.altered.insert(number);
            wrong.push(if key.is_none() { Wrong::KeyUnknown(number, seal.key) } else { Wrong::SealAltered(number) });
            return;
        }
        let whole = leaves.len() == seal.facts.len() && seal.suite().root(&leaves) == seal.root;
        self.own.insert(number);
        self.known.insert(number, Known { seal, leaves: whole.then_some(leaves) });
    }

    /// Takes a copy that was signed, where the facts' own database has nothing to be trusted.
    fn complete(&mut self, copy: Seal, wrong: &mut Vec<Wrong>) {
        match self.known.get(&copy.number) {
            None => {
                self.known.insert(copy.number, Known { seal: copy, leaves: None });
            }
            Some(known) if known.seal.hash() != copy.hash() => wrong.push(Wrong::Forked(copy.number)),
            Some(_) => {}
        }
    }

    /// The last seal of the facts' own database, spoiled or not; what only the copies have comes after it.
    fn last(&self) -> i64 {
        let spoiled = self.altered.iter().filter(|number| self.known.contains_key(number));
        self.own.iter().chain(spoiled).copied().max().unwrap_or(0)
    }

    /// Looks for links that do not hold; whether every seal is known. `last` is the last one of the facts' own database.
    fn check(&self, last: i64, wrong: &mut Vec<Wrong>) -> bool {
        let newest = self.known.keys().next_back().copied().unwrap_or(0);
        let mut complete = self.altered.iter().all(|number| self.known.contains_key(number));
        let mut before = Some([0; 32]);
        let mut next = 1;
        for (number, known) in &self.known {
            if *number != next {
                complete = false;
                before = None;
            }
            if before.is_some_and(|before| before != known.seal.previous) {
                wrong.push(Wrong::Forked(*number));
            }
            before = Some(known.seal.hash());
            next = number + 1;
        }
        // Among the numbers up to the last, those that are neither there nor spoiled.
        let gone = (1..=last.min(newest)).filter(|number| !self.own.contains(number) && !self.altered.contains(number));
        wrong.extend(gone.map(Wrong::SealMissing));
        complete
    }

    fn expected(&self) -> Vec<Expected> {
        let mut all = Vec::with_capacity(self.known.values().map(|known| known.seal.facts.len()).sum());
        for (seal, known) in &self.known {
            let mut leaves = known.leaves.as_ref().map(|leaves| leaves.iter());
            for number in known.seal.facts.iter() {
                let leaf = leaves.as_mut().and_then(Iterator::next).copied();
                all.push(Expected { number, seal: *seal, suite: known.seal.suite(), leaf });
            }
        }
        all
    }
}
