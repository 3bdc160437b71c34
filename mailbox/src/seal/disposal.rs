//! That a month of facts was dropped because its time was over, signed: whoever holds what is left against the seals knows that nobody else took them away.
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

use super::{Numbers, Seal, length};

/// A sealer that was away for so long is no reason to doubt what it seals then.
const GRACE_DAYS: i32 = 7;

/// A month of facts that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposal {
    /// The service whose facts they were.
    pub service: String,
    /// The month in which they became true, by its first day in UTC.
    pub month: Date,
    /// When they were dropped.
    pub at: Timestamp,
    /// Their numbers.
    pub facts: Numbers,
    /// Which key signs, see [`PublicKey::id`](super::PublicKey::id).
    pub key: String,
    /// The signature over all of the above.
    pub signature: Vec<u8>,
}

impl Disposal {
    /// By when what became true in this month is sealed. A fact that says it is of this month and was sealed later says so only since: somebody moved it there so
    /// that it would be dropped.
    pub(crate) fn sealed_by(month: Date) -> Result<Timestamp, jiff::Error> {
        let end = month.checked_add(1.month())?.checked_add(GRACE_DAYS.days())?;
        Ok(end.to_zoned(TimeZone::UTC)?.timestamp())
    }

    /// Whether it explains that this fact of that seal is gone.
    pub(super) fn explains(&self, fact: i64, seal: &Seal) -> bool {
        self.facts.contains(fact) && Self::sealed_by(self.month).is_ok_and(|end| seal.at < end)
    }

    /// What is signed.
    pub(super) fn words(&self) -> Vec<u8> {
        let Self { service, month, at, facts, key, signature: _ } = self;
        // Begins otherwise than a seal, so that neither signature passes for the other.
        let mut words = b"opsmesh disposal 1".to_vec();
        words.extend(at.as_microsecond().to_be_bytes());
        for part in [service.as_bytes(), month.to_string().as_bytes(), facts.to_string().as_bytes(), key.as_bytes()] {
            words.extend(length(part).to_be_bytes());
            words.extend(part);
        }
        words
    }
}
