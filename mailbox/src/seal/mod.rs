//! The rules of a seal: what of a fact is hashed, how hashes become a root, what is signed. No I/O here, and no clock.
//!
//! A leaf is the hash of everything a fact says but its number; its number is bound by its place in the tree, because the
//! seal says which numbers it has. So a fact that was moved is told from one that was edited.

mod audit;
mod disposal;
mod dump;
mod key;
mod numbers;
mod suite;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use suite::Hasher;

pub use audit::{Audit, Wrong};
pub use disposal::Disposal;
pub use dump::{Dump, Leaves, Seen, Unreadable};
pub use key::{Bounds, NotAKey, PublicKey, SealKey};
pub use numbers::Numbers;
pub use suite::{Hash, Suite};

/// What a fact says, without its number: exactly its row.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// When it became true.
    pub at: Timestamp,
    /// In which transaction.
    pub tx: u64,
    /// Its id, as text.
    pub id: &'a str,
    /// Whose it is.
    pub agency: &'a str,
    /// Its protobuf full name.
    pub kind: &'a str,
    /// What it is about.
    pub subject: &'a str,
    /// Who made it true.
    pub actor: &'a str,
    /// Where in which trace.
    pub traceparent: Option<&'a str>,
    /// The clause it answers to.
    pub clause: Option<&'a str>,
    /// The message in its JSON form, to the byte.
    pub data: &'a str,
}

impl Content<'_> {
    /// The hash of it.
    #[must_use]
    pub fn hash(&self, suite: Suite) -> Hash {
        let Self { at, tx, id, agency, kind, subject, actor, traceparent, clause, data } = self;
        let mut hash = suite.hasher();
        // RFC 9162: a leaf begins with 0 and a node with 1, so that neither passes for the other.
        hash.update(&[0]);
        hash.update(&at.as_microsecond().to_be_bytes());
        hash.update(&tx.to_be_bytes());
        for part in [Some(*id), Some(*agency), Some(*kind), Some(*subject), Some(*actor), *traceparent, *clause, Some(*data)] {
            part_of(&mut hash, part.map(str::as_bytes));
        }
        hash.finish()
    }
}

/// A seal: which facts, their root, and the word of the service that nothing was otherwise when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// 1 and up, without a gap.
    pub number: i64,
    /// The service whose facts they are.
    pub service: String,
    /// When it was made.
    pub at: Timestamp,
    /// The numbers of the facts.
    pub facts: Numbers,
    /// Every fact of a transaction below this is sealed, by this seal or one before, if its number is above `floor`.
    pub horizon: u64,
    /// The highest number of what came from another server, whose transactions are not comparable; 0 if nothing did.
    pub floor: i64,
    /// The root over the facts.
    #[serde(with = "hex")]
    pub root: Hash,
    /// The hash of the seal before; zero for the first.
    #[serde(with = "hex")]
    pub previous: Hash,
    /// Which key signs, see [`PublicKey::id`].
    pub key: String,
    /// The signature over all of the above.
    #[serde(with = "hex")]
    pub signature: Vec<u8>,
}

impl Seal {
    /// What the next seal is chained to.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.suite().hash(&self.words())
    }

    /// With what it was made.
    #[must_use]
    pub fn suite(&self) -> Suite {
        Suite::of_key(&self.key)
    }

    /// What is signed.
    fn words(&self) -> Vec<u8> {
        let Self { number, service, at, facts, horizon, floor, root, previous, key, signature: _ } = self;
        let mut words = b"opsmesh seal 1".to_vec();
        for number in [*number, at.as_microsecond(), *floor] {
            words.extend(number.to_be_bytes());
        }
        words.extend(horizon.to_be_bytes());
        for part in [service.as_bytes(), facts.to_string().as_bytes(), root, previous, key.as_bytes()] {
            words.extend(length(part).to_be_bytes());
            words.extend(part);
        }
        words
    }
}

/// A seal with the hash of each of its facts, as the database keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The seal.
    pub seal: Seal,
    /// A hash a fact, in the order of their numbers.
    pub leaves: Vec<Hash>,
}

fn part_of(hash: &mut Hasher, part: Option<&[u8]>) {
    // No text is as long as this, so nothing is told from an empty text.
    hash.update(&part.map_or(u64::MAX, length).to_be_bytes());
    hash.update(part.unwrap_or_default());
}

fn length(part: &[u8]) -> u64 {
    u64::try_from(part.len()).expect("a length fits 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: Content<'_> = Content {
        at: Timestamp::UNIX_EPOCH,
        tx: 7,
        id: "019f0000-0000-8000-8000-000000000007",
        agency: "gz",
        kind: "opsmesh.x.v1.Happened",
        subject: "agencies/gz/xs/7",
        actor: "li",
        traceparent: None,
        clause: None,
        data: "{}",
    };

    #[test]
    fn every_part_of_a_fact_counts_and_nothing_is_not_empty() {
        let others = [
            Content { at: Timestamp::from_microsecond(1).unwrap(), ..CONTENT },
            Content { tx: 8, ..CONTENT },
            Content { id: "", ..CONTENT },
            Content { agency: "g", kind: "zopsmesh.x.v1.Happened", ..CONTENT },
            Content { subject: "agencies/gz/xs/8", ..CONTENT },
            Content { actor: "wu", ..CONTENT },
            Content { traceparent: Some(""), ..CONTENT },
            Content { clause: Some(""), ..CONTENT },
            Content { data: "{ }", ..CONTENT },
        ];
        for suite in [Suite::International, Suite::National] {
            let mut hashes: Vec<Hash> = others.iter().chain([&CONTENT]).map(|content| content.hash(suite)).collect();
            hashes.sort_unstable();
            hashes.dedup();
            assert_eq!(hashes.len(), 10);
        }
    }
}
