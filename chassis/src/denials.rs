//! Who was not let in, until it is written down. Denied calls are facts like every change, but whoever is denied must not be
//! able to fill the facts: repetitions within a moment are one fact that says how many, and a process notes at most so many.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::BoxFuture;
use jiff::Timestamp;
use proto::access::v1::CallDenied;
use tokio_util::sync::CancellationToken;

use crate::{Agency, Clock, Database, Scope, Tx};

/// Different denials that are noted at once: more than any honest mistake makes in a second, a megabyte at the most.
const NOTED: usize = 1_000;
/// What was denied is written down this soon.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// A process that stops writes the last ones, if the database takes them at once.
const LAST_WITHIN: Duration = Duration::from_secs(2);

/// A denied call, ready to be written down.
#[derive(Debug, Clone, PartialEq)]
pub struct Denial {
    /// Whose wall it met.
    pub agency: Agency,
    /// When first.
    pub at: Timestamp,
    /// The fact.
    pub fact: CallDenied,
}

/// Denials that are not yet written down.
#[derive(Debug, Clone)]
pub(crate) struct Denials {
    clock: Clock,
    noted: Arc<Mutex<Noted>>,
}

#[derive(Debug, Default)]
struct Noted {
    all: BTreeMap<Key, (Timestamp, i64)>,
    /// Those for which there was no room.
    beyond: u64,
}

/// What makes two denials the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    agency: Agency,
    subject: Arc<str>,
    rpc: Arc<str>,
    reason: &'static str,
}

impl Noted {
    fn add(&mut self, key: Key, at: Timestamp, times: i64) {
        if let Some((first, count)) = self.all.get_mut(&key) {
            *first = at.min(*first);
            *count = count.saturating_add(times);
        } else if self.all.len() < NOTED {
            self.all.insert(key, (at, times));
        } else {
            self.beyond = self.beyond.saturating_add(times.unsigned_abs());
        }
    }
}

impl Denials {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, noted: Arc::default() }
    }

    /// Notes one.
    pub(crate) fn note(&self, subject: &Arc<str>, rpc: &Arc<str>, agency: &Agency, reason: &'static str) {
        tracing::warn!(subject = &**subject, rpc = &**rpc, agency = agency.as_str(), reason, "a call is denied");
        let key = Key { agency: agency.clone(), subject: subject.clone(), rpc: rpc.clone(), reason };
        self.noted.lock().expect("nobody panics while noting").add(key, self.clock.now(), 1);
    }

    /// Takes what is noted, oldest agency's first.
    pub(crate) fn take(&self) -> Vec<Denial> {
        let Noted { all, beyond } = std::mem::take(&mut *self.noted.lock().expect("nobody panics while noting"));
        if beyond > 0 {
            tracing::error!(beyond, "more calls were denied than can be written down");
        }
        all.into_iter()
            .map(|(key, (at, times))| Denial {
                at,
                fact: CallDenied {
                    subject: key.subject.to_string(),
                    rpc: key.rpc.to_string(),
                    agency: key.agency.name(),
                    reason: key.reason.to_owned(),
                    times,
                    first_time: Some(proto::stamp(at)),
                },
                agency: key.agency,
            })
            .collect()
    }
}

/// How a denial is written into the transaction: the mailbox knows.
pub(crate) type Post = Box<dyn for<'a> Fn(&'a mut Tx, &'a Denial) -> BoxFuture<'a, sqlx::Result<()>> + Send + Sync>;

/// Writes down what is noted, until told to stop and then once more.
pub(crate) async fn write(denials: Denials, db: Database, post: Post, stop: CancellationToken) -> anyhow::Result<()> {
    let mut left = Vec::new();
    loop {
        let stopped = tokio::select! {
            () = stop.cancelled() => true,
            () = tokio::time::sleep(WRITE_EVERY) => false,
        };
        // What could not be written is tried again, as long as there is room.
        left.extend(denials.take());
        left.truncate(NOTED);
        if stopped {
            if tokio::time::timeout(LAST_WITHIN, write_all(&mut left, &db, &post)).await.is_err() {
                tracing::error!(left = left.len(), "denied calls are not written down");
            }
            return Ok(());
        }
        if let Err(error) = write_all(&mut left, &db, &post).await {
            tracing::warn!(error = &error as &dyn std::error::Error, left = left.len(), "denied calls wait to be written down");
        }
    }
}

async fn write_all(left: &mut Vec<Denial>, db: &Database, post: &Post) -> sqlx::Result<()> {
    while let Some(denial) = left.last() {
        let mut tx = db.begin(&Scope::reaction(&denial.fact.subject, &denial.agency)).await?;
        post(&mut tx, denial).await?;
        tx.commit().await?;
        left.pop();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_denial_is_lost_while_there_is_room(calls in prop::collection::vec((0..4_u8, 0..3_u8), 0..200)) {
            let denials = Denials::new(Clock::default());
            for (who, what) in &calls {
                denials.note(&who.to_string().into(), &what.to_string().into(), &"gz".parse().unwrap(), "ROLE_MISSING");
            }
            let taken = denials.take();
            prop_assert_eq!(taken.iter().map(|denial| denial.fact.times).sum::<i64>(), i64::try_from(calls.len()).unwrap());
            prop_assert!(taken.len() <= 12);
            prop_assert!(denials.take().is_empty());
        }
    }

    #[test]
    fn what_is_noted_is_bounded() {
        let denials = Denials::new(Clock::default());
        for who in 0..NOTED + 50 {
            denials.note(&who.to_string().into(), &"x".into(), &"gz".parse().unwrap(), "ROLE_MISSING");
        }
        assert_eq!(denials.take().len(), NOTED);
    }
}
