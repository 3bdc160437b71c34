//! What the relay has read of a fact need not be read again to be sealed: its hash is kept until the sealer has been there.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use uuid::Uuid;

use crate::{
    envelope::Fact,
    seal::{Content, Hash, Suite},
};

/// The most that a relay carries between two seals, and half as much again; what is beyond is read a second time.
const MOST: usize = 65_536;

/// Hashes of facts by their ids, which nobody gives twice: a number is given again where a database was restored. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Leaves {
    suite: Suite,
    kept: Arc<Mutex<Kept>>,
}

/// What came since the sealer was last there, and what came before that.
#[derive(Debug, Default)]
struct Kept {
    new: HashMap<Uuid, Hash>,
    old: HashMap<Uuid, Hash>,
}

impl Leaves {
    pub(crate) fn new(suite: Suite) -> Self {
        Self { suite, kept: Arc::default() }
    }

    /// With what they are made.
    pub(crate) fn suite(&self) -> Suite {
        self.suite
    }

    /// Keeps the hashes of facts that were read.
    pub(crate) fn keep(&self, facts: &[Fact]) {
        let hashed: Vec<(Uuid, Hash)> = facts.iter().map(|fact| (fact.id, leaf(fact, self.suite))).collect();
        let new = &mut self.kept().new;
        let room = MOST.saturating_sub(new.len());
        new.extend(hashed.into_iter().take(room));
    }

    /// The hashes of these, as far as they are kept.
    pub(crate) fn of(&self, ids: impl IntoIterator<Item = Uuid>) -> Vec<Option<Hash>> {
        let kept = self.kept();
        ids.into_iter().map(|id| kept.new.get(&id).or_else(|| kept.old.get(&id)).copied()).collect()
    }

    /// The sealer was there. What had come before it was there the last time is forgotten: it is sealed, or another replica seals.
    pub(crate) fn turn(&self) {
        let mut kept = self.kept();
        // As many come until the next time, more or less; where nothing comes nothing is held.
        let next = HashMap::with_capacity(kept.new.len());
        kept.old = std::mem::replace(&mut kept.new, next);
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hash of a fact as its row has it.
pub(crate) fn leaf(fact: &Fact, suite: Suite) -> Hash {
    let Fact { seq: _, at, tx, id, agency, kind, subject, actor, traceparent, clause, data } = fact;
    let mut id_text = Uuid::encode_buffer();
    let content = Content {
        at: *at,
        tx: *tx,
        id: id.hyphenated().encode_lower(&mut id_text),
        agency,
        kind,
        subject,
        actor,
        traceparent: traceparent.as_deref(),
        clause: clause.as_deref(),
        data,
    };
    content.hash(suite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::tests::fact;

    #[test]
    fn what_was_read_is_there_when_the_sealer_comes_and_when_it_comes_again_and_then_forgotten() {
        let leaves = Leaves::new(Suite::National);
        let fact = fact();
        let kept = |leaves: &Leaves| leaves.of([fact.id, Uuid::nil()]);
        leaves.keep(std::slice::from_ref(&fact));
        for _ in 0..2 {
            assert_eq!(kept(&leaves), [Some(leaf(&fact, Suite::National)), None]);
            leaves.turn();
        }
        assert_eq!(kept(&leaves), [None, None]);
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let leaves = Leaves::new(Suite::International);
        let facts: Vec<Fact> = (0..).take(MOST + 1).map(|number| Fact { id: Uuid::from_u128(number), ..fact() }).collect();
        leaves.keep(&facts);
        assert_eq!(leaves.of(facts.iter().map(|fact| fact.id)).iter().flatten().count(), MOST);
    }
}
