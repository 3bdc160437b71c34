//! The one place that asks what time it is. The doors ask it; rules and records are told.
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

/// A clock: the machine's, or one that a test sets.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<Mutex<Timestamp>>>);

impl Clock {
    /// A clock that stands at `at` until it is set.
    #[must_use]
    pub fn standing(at: Timestamp) -> Self {
        Self(Some(Arc::new(Mutex::new(at))))
    }

    /// Sets a standing clock; the machine's clock is not ours to set.
    pub fn set(&self, at: Timestamp) {
        if let Some(standing) = &self.0 {
            *standing.lock().expect("no holder of the clock panics") = at;
        }
    }

    /// Now, to the microsecond, which is what PostgreSQL keeps: a moment written and read again is the same moment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn now(&self) -> Timestamp {
        let now = match &self.0 {
            Some(standing) => *standing.lock().expect("no holder of the clock panics"),
            None => Timestamp::now(),
        };
        Timestamp::from_microsecond(now.as_microsecond()).expect("a moment cut to the microsecond is a moment")
    }

    /// What time it is where a server says `server`: the server rules, so that of several replicas none is ahead of the
    /// others and nothing happens early. A standing clock stands.
    #[must_use]
    pub fn ruled_by(&self, server: Timestamp) -> Timestamp {
        if self.0.is_some() { self.now() } else { server }
    }
}
