//! Waiting for a condition, with a bound; and the clock. Nothing else in this room sleeps or asks for the time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};

/// How often a condition is looked at: a tenth of a second is not noticed by a person and costs nothing.
const LOOK: Duration = Duration::from_millis(100);

/// Asks until the answer is `Ok`, at most for `patience`; the error is the last answer.
pub(crate) fn until<T>(patience: Duration, mut ask: impl FnMut() -> Result<T, String>) -> Result<T, String> {
    let began = std::time::Instant::now();
    loop {
        match ask() {
            Ok(found) => return Ok(found),
            Err(last) if began.elapsed() >= patience => return Err(last),
            Err(_) => pause(),
        }
    }
}

/// As [`until`], for a thing with a name: the error says what was waited for, how long, and what was seen last.
pub(crate) fn until_ready<T>(what: &str, patience: Duration, ask: impl FnMut() -> Result<T, String>) -> Result<T> {
    until(patience, ask).map_err(|last| anyhow!("{what} was not ready after {} s: {last}", patience.as_secs()))
}

#[expect(clippy::disallowed_methods, reason = "the wait loop itself: it looks at a condition between pauses, and has a bound")]
fn pause() {
    std::thread::sleep(LOOK);
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "certificates and tokens are dated; this room has no chassis")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A duration as people say it.
pub(crate) fn spoken(duration: Duration) -> String {
    let tenths = duration.as_millis() / 100;
    match tenths {
        0..600 => format!("{}.{} s", tenths / 10, tenths % 10),
        _ => format!("{} min {:02} s", tenths / 600, tenths / 10 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_spoken_in_tenths_then_in_minutes() {
        assert_eq!(spoken(Duration::from_millis(2_349)), "2.3 s");
        assert_eq!(spoken(Duration::from_secs(204)), "3 min 24 s");
    }

    #[test]
    fn waiting_ends_with_what_was_seen_last() {
        let mut asked = 0;
        let seen = until(Duration::ZERO, || {
            asked += 1;
            Err::<(), _>(format!("answer {asked}"))
        });
        assert_eq!(seen, Err("answer 1".into()));
    }
}
