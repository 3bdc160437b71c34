//! The rules of a timer: when it is looked for, and how long one waits whose effect failed. No I/O here, and no clock.
use std::time::Duration;

use chassis::Agency;
use jiff::{SignedDuration, Timestamp};

/// What a timer is known by: there is one of a kind a subject, and arming it again moves it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Timer {
    /// Whose it is.
    pub agency: Agency,
    /// What is to happen, e.g. `follow-up`.
    pub kind: &'static str,
    /// To what: a resource name.
    pub subject: String,
}

/// A timer whose time has come.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Due {
    /// What is to happen.
    pub kind: String,
    /// To what: a resource name.
    pub subject: String,
    /// For when it was armed; now is never earlier.
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    pub due_at: Timestamp,
    /// How often its effect has failed before.
    pub attempts: i32,
}

/// Another replica, or this process a moment ago, may have armed a timer that is due sooner than those that were seen.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A first failure is often gone in a second; a lasting one is looked at four times an hour, for ever: a deadline is not
/// given up.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(15);

/// When a timer is tried again whose effect has now failed for the `attempts`-th time, the first being 1.
pub(crate) fn postponed(attempts: i32, now: Timestamp) -> Timestamp {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    let pause = FIRST_PAUSE * 2_i32.pow(doublings);
    now.saturating_add(pause.min(LONGEST_PAUSE)).expect("a duration is no calendar span")
}

/// How long to wait when the next timer is tried at `next`: until then, but not so long that a nearer one is missed.
pub(crate) fn wait(now: Timestamp, next: Option<Timestamp>) -> Duration {
    let left = next.map_or(LOOK_EVERY, |next| next.duration_since(now).try_into().unwrap_or(Duration::ZERO));
    left.min(LOOK_EVERY)
}

/// How many seconds after its time a timer fires.
pub(crate) fn lateness(due: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(due).as_secs_f64().max(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    proptest! {
        #[test]
        fn whoever_waits_is_awake_when_the_next_one_is_due(now in 0..1_000_000_i64, next in 0..1_000_000_i64) {
            let wait = wait(at(now), Some(at(next)));
            prop_assert!(wait <= LOOK_EVERY);
            prop_assert!(at(now) + wait <= at(next).max(at(now)), "it would sleep through it");
        }

        #[test]
        fn each_failure_is_waited_out_longer_up_to_a_bound(attempts in 1..i32::MAX) {
            let (this, next) = (postponed(attempts, at(0)), postponed(attempts.saturating_add(1), at(0)));
            prop_assert!(at(0) < this && this <= next && next <= at(0) + LONGEST_PAUSE);
        }
    }

    #[test]
    fn failures_are_waited_out_for_seconds_at_first_and_a_quarter_of_an_hour_at_last() {
        let pauses: Vec<i64> = [1, 2, 3, 10, 11, 99].map(|attempts| postponed(attempts, at(0)).as_second()).to_vec();
        assert_eq!(pauses, [1, 2, 4, 512, 900, 900]);
    }
}
