//! How long an object waits after a failure: longer with each, and not at all once it has gone well. And how long a
//! controller's watches wait.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(120);

/// A fresh API server is asked again at most this often by each controller.
const RECONNECT: Duration = Duration::from_secs(1);

/// How long the watches of a controller wait after one of them failed: always the same. They wait in turn, each for every
/// failure of any other, so that a wait which grows leaves a controller blind for minutes after a blink of the API server.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reconnect;

impl Iterator for Reconnect {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(RECONNECT)
    }
}

impl kube::runtime::utils::Backoff for Reconnect {
    fn reset(&mut self) {}
}

/// The failures of each object in a row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backoff(Arc<Mutex<HashMap<String, u32>>>);

impl Backoff {
    /// Another failure of `key`: how long to wait.
    pub(crate) fn failed(&self, key: &str) -> Duration {
        let mut failures = self.0.lock().expect("nobody panics while counting");
        let count = failures.entry(key.to_owned()).or_default();
        let wait = (FIRST * 2_u32.saturating_pow(*count)).min(LONGEST);
        *count = (*count + 1).min(16);
        // Objects that failed together do not come back together: each key has its own share of a quarter.
        let share = key.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 256;
        wait.mul_f64(1.0 + f64::from(share) / 1024.0)
    }

    /// `key` went well.
    pub(crate) fn well(&self, key: &str) {
        self.0.lock().expect("nobody panics while counting").remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_to_a_bound_and_is_forgotten_when_it_goes_well() {
        let backoff = Backoff::default();
        let waits: Vec<Duration> = (0..12).map(|_| backoff.failed("plan/a")).collect();
        assert!(waits.is_sorted() && waits[0] < FIRST * 2 && waits[11] < LONGEST * 2);
        backoff.well("plan/a");
        assert!(backoff.failed("plan/a") < FIRST * 2);
    }
}
