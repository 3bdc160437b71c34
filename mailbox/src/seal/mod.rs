//! The rules of a seal: what of a fact is hashed, how hashes become a root, what is signed. No I/O here, and no clock.
//!
//! A leaf is the SHA-256 of everything a fact says but its number; its number is bound by its place in the tree, because the
//! seal says which numbers it has. So a fact that was moved is told from one that was edited.

mod audit;
mod dump;
mod numbers;

use chassis::Secret;
use jiff::Timestamp;
use ring::{
    digest::{self, SHA256},
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use serde::{Deserialize, Serialize};

pub use audit::{Audit, Seen, Wrong};
pub use dump::{Dump, Unreadable};
pub use numbers::Numbers;

/// A SHA-256.
pub type Hash = [u8; 32];

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
    pub fn hash(&self) -> Hash {
        let Self { at, tx, id, agency, kind, subject, actor, traceparent, clause, data } = self;
        let mut hash = digest::Context::new(&SHA256);
        // RFC 9162: a leaf begins with 0 and a node with 1, so that neither passes for the other.
        hash.update(&[0]);
        hash.update(&at.as_microsecond().to_be_bytes());
        hash.update(&tx.to_be_bytes());
        for part in [Some(*id), Some(*agency), Some(*kind), Some(*subject), Some(*actor), *traceparent, *clause, Some(*data)] {
            part_of(&mut hash, part.map(str::as_bytes));
        }
        finish(hash)
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
    /// Ed25519 over all of the above.
    #[serde(with = "hex")]
    pub signature: Vec<u8>,
}

impl Seal {
    /// What the next seal is chained to.
    #[must_use]
    pub fn hash(&self) -> Hash {
        digest::digest(&SHA256, &self.words()).as_ref().try_into().expect("SHA-256 has 32 bytes")
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

/// The root over leaves in their order (RFC 9162, 2.1.1): a node that has no neighbour rises as it is.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = level.chunks(2).map(|pair| if let [left, right] = pair { node(left, right) } else { pair[0] }).collect();
    }
    level.first().copied().unwrap_or_else(|| digest::digest(&SHA256, &[]).as_ref().try_into().expect("SHA-256 has 32 bytes"))
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hash = digest::Context::new(&SHA256);
    for part in [&[1][..], left, right] {
        hash.update(part);
    }
    finish(hash)
}

/// What signs: an Ed25519 key.
pub struct SealKey(Ed25519KeyPair);

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key is 32 bytes in hexadecimal: `openssl rand -hex 32` makes one")]
pub struct NotAKey;

impl SealKey {
    /// The key of a seed: 64 hexadecimal digits.
    pub fn of(seed: &Secret) -> Result<Self, NotAKey> {
        let seed: [u8; 32] = hex::decode(seed.expose().trim()).ok().and_then(|seed| seed.try_into().ok()).ok_or(NotAKey)?;
        Ed25519KeyPair::from_seed_unchecked(&seed).map(Self).map_err(|_| NotAKey)
    }

    /// What verifies.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().try_into().expect("an Ed25519 key has 32 bytes"))
    }

    /// Seals facts, given by number and hash in the order of their numbers, after the seal `after`.
    #[must_use]
    pub fn seal(&self, service: &str, after: Option<&Seal>, bounds: Bounds, at: Timestamp, facts: &[(i64, Hash)]) -> Sealed {
        let leaves: Vec<Hash> = facts.iter().map(|(_, leaf)| *leaf).collect();
        let mut seal = Seal {
            number: after.map_or(1, |after| after.number + 1),
            service: service.to_owned(),
            at,
            facts: Numbers::of(facts.iter().map(|(number, _)| *number)),
            horizon: bounds.horizon,
            floor: bounds.floor,
            root: root(&leaves),
            previous: after.map_or([0; 32], Seal::hash),
            key: self.public().id(),
            signature: Vec::new(),
        };
        seal.signature = self.0.sign(&seal.words()).as_ref().to_vec();
        Sealed { seal, leaves }
    }
}

/// Up to where facts are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// See [`Seal::horizon`].
    pub horizon: u64,
    /// See [`Seal::floor`].
    pub floor: i64,
}

/// What verifies: public, and needed by whoever does not take our word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The first 16 hexadecimal digits of its SHA-256.
    #[must_use]
    pub fn id(&self) -> String {
        hex::encode(&digest::digest(&SHA256, &self.0).as_ref()[..8])
    }

    /// Whether it signed this seal as it is.
    #[must_use]
    pub fn signed(&self, seal: &Seal) -> bool {
        seal.key == self.id() && UnparsedPublicKey::new(&ED25519, self.0).verify(&seal.words(), &seal.signature).is_ok()
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::str::FromStr for PublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        Ok(Self(hex::decode(text.trim()).ok().and_then(|key| key.try_into().ok()).ok_or(NotAKey)?))
    }
}

fn part_of(hash: &mut digest::Context, part: Option<&[u8]>) {
    // No text is as long as this, so nothing is told from an empty text.
    hash.update(&part.map_or(u64::MAX, length).to_be_bytes());
    hash.update(part.unwrap_or_default());
}

fn length(part: &[u8]) -> u64 {
    u64::try_from(part.len()).expect("a length fits 64 bits")
}

fn finish(hash: digest::Context) -> Hash {
    hash.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
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
        let mut hashes: Vec<Hash> = others.iter().map(Content::hash).collect();
        hashes.push(CONTENT.hash());
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 10);
    }

    #[test]
    fn the_root_is_that_of_rfc_9162() {
        let leaf = |byte: u8| [byte; 32];
        assert_eq!(root(&[leaf(1)]), leaf(1));
        let left = node(&node(&leaf(1), &leaf(2)), &node(&leaf(3), &leaf(4)));
        assert_eq!(root(&[leaf(1), leaf(2), leaf(3), leaf(4), leaf(5)]), node(&left, &leaf(5)));
        // SHA-256 of nothing.
        assert_eq!(hex::encode(root(&[]))[..16], *"e3b0c44298fc1c14");
    }

    #[test]
    fn ed25519_is_that_of_rfc_8032() {
        let seed = Secret::new("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let key = SealKey::of(&seed).unwrap();
        assert_eq!(key.public().to_string(), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        for wrong in ["", "x", "9d61", &"z".repeat(64)] {
            assert!(SealKey::of(&Secret::new(wrong)).is_err());
        }
    }

    #[test]
    fn a_seal_is_signed_in_every_part() {
        let key = SealKey::of(&Secret::new("11".repeat(32))).unwrap();
        let sealed = key.seal("x", None, Bounds { horizon: 9, floor: 0 }, Timestamp::UNIX_EPOCH, &[(1, [1; 32]), (3, [3; 32])]);
        let seal = sealed.seal;
        assert!(key.public().signed(&seal));
        let others = [
            Seal { number: 2, ..seal.clone() },
            Seal { service: "y".into(), ..seal.clone() },
            Seal { at: Timestamp::from_microsecond(1).unwrap(), ..seal.clone() },
            Seal { facts: Numbers::of([1, 2]), ..seal.clone() },
            Seal { horizon: 10, ..seal.clone() },
            Seal { floor: 1, ..seal.clone() },
            Seal { root: [0; 32], ..seal.clone() },
            Seal { previous: [1; 32], ..seal.clone() },
            Seal { key: "0".into(), ..seal.clone() },
            Seal { signature: vec![0; 64], ..seal.clone() },
        ];
        for other in others {
            assert!(!key.public().signed(&other), "{other:?}");
        }
        let another = SealKey::of(&Secret::new("22".repeat(32))).unwrap();
        assert!(!another.public().signed(&seal));
    }
}
