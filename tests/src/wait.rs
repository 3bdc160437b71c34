//! Waiting for a condition, with a bound, and with the last thing seen when it is not met.
use std::{fmt::Debug, future::Future, time::Duration};

use tokio::time::Instant;

/// Long enough for anything that is not a tick of a schedule; short enough to be told of a hang.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks until `look` gives `Ok`; panics with the last `Err` after half a minute.
pub async fn eventually<T, E: Debug, F: Future<Output = Result<T, E>>>(what: &str, look: impl FnMut() -> F) -> T {
    within(PATIENCE, what, look).await
}

/// Looks until `look` gives `Ok`; panics with the last `Err` after `patience`.
pub async fn within<T, E: Debug, F: Future<Output = Result<T, E>>>(
    patience: Duration,
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let end = Instant::now() + patience;
    loop {
        let seen = match look().await {
            Ok(found) => return found,
            Err(seen) => seen,
        };
        assert!(Instant::now() < end, "{what}: not within {patience:?}; last seen: {seen:#?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
