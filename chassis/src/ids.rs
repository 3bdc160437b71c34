//! Ids that a retry finds again: derived from their cause, and sorted by its time, so that a table can be partitioned by
//! time and still keep its ids unique.
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A UUID (version 8) of a cause: 48 bits of its time in milliseconds, then 74 bits of SHA-256 over its parts. The same
/// cause gives the same id on every replica and at every attempt.
#[must_use]
pub fn derived_id(at: Timestamp, cause: &[&str]) -> Uuid {
    let mut hash = Sha256::new();
    for part in cause {
        hash.update(u64::try_from(part.len()).expect("a length fits 64 bits").to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    let milliseconds = u64::try_from(at.as_millisecond().max(0)).expect("not negative");
    bytes[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&digest[..10]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_cause_gives_the_same_id_and_another_another() {
        let at = Timestamp::from_millisecond(1_795_000_000_123).unwrap();
        assert_eq!(derived_id(at, &["run", "a"]), derived_id(at, &["run", "a"]));
        assert_ne!(derived_id(at, &["run", "a"]), derived_id(at, &["run", "b"]));
        assert_ne!(derived_id(at, &["ru", "na"]), derived_id(at, &["run", "a"]));
        assert_eq!(derived_id(at, &[]).get_version_num(), 8);
    }

    #[test]
    fn ids_sort_by_the_time_of_their_cause() {
        let early = Timestamp::from_millisecond(1_795_000_000_000).unwrap();
        let late = Timestamp::from_millisecond(1_795_000_000_001).unwrap();
        assert!(derived_id(early, &["z"]) < derived_id(late, &["a"]));
    }
}
