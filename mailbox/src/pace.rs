//! The rules of how many messages are handled in one transaction: as many as there are where they are quick, and few where each takes long. Then nobody waits for the last of
//! many, a transaction ends long before it would be given up, and little is lost with a process that ends. No I/O here.
use std::time::Duration;

/// Nobody knows yet how long they take.
const FIRST: usize = 16;
/// As many as are taken from the broker together.
const MOST: usize = 256;
/// A transaction is not to take longer; the database is waited for fifteen times that.
const LONG: Duration = Duration::from_secs(1);

/// How many are handled in the next transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace(usize);

impl Default for Pace {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Pace {
    /// So many at most, and one at the least.
    pub(crate) fn most(self) -> usize {
        self.0
    }

    /// So many have taken so long.
    pub(crate) fn took(&mut self, messages: usize, time: Duration) {
        if time > LONG {
            self.0 = (messages / 2).max(1);
        } else if messages >= self.0 && time * 2 < LONG {
            self.0 = (self.0 * 2).min(MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Enough for every size.
    const ROUNDS: usize = 20;

    proptest! {
        #[test]
        fn whatever_each_takes_a_transaction_soon_takes_no_longer_than_it_may_and_is_no_smaller_than_it_must_be(
            before in prop::collection::vec((1..=MOST, 0..20_000_u64), 0..20),
            each in 0..2_000_000_u64,
        ) {
            let mut pace = Pace::default();
            for (messages, millis) in before {
                pace.took(messages.min(pace.most()), Duration::from_millis(millis));
                prop_assert!((1..=MOST).contains(&pace.most()));
            }
            // From now on each takes the same, and there always are more.
            let each = Duration::from_micros(each);
            let takes = |messages: usize| each * u32::try_from(messages).unwrap();
            for _ in 0..ROUNDS {
                pace.took(pace.most(), takes(pace.most()));
            }
            prop_assert!(takes(pace.most()) <= LONG || pace.most() == 1, "{pace:?}");
            prop_assert!(takes(pace.most() * 4) > LONG || pace.most() == MOST, "{pace:?}");
        }
    }
}
