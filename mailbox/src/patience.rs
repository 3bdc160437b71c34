//! An end to waiting. A server that is gone without a word (a lost node, a firewall that forgets) answers nothing and breaks nothing off; who waits for it
//! in a loop of this room would wait for ever, and hold a place in the pool.
use std::time::Duration;

/// Longer than the server lets any statement take (`chassis`: 10 s) and anybody wait for a place in the pool (5 s): whoever still lives has answered.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// A round of a loop: several statements, each within its bound.
const ROUND_WITHIN: Duration = Duration::from_secs(30);

/// What was asked of the database, or the error of a connection that is lost.
pub(crate) async fn answered<T, E: From<sqlx::Error>>(asked: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    within(ANSWER_WITHIN, asked).await
}

/// The same for a round of a loop.
pub(crate) async fn round<T, E: From<sqlx::Error>>(asked: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    within(ROUND_WITHIN, asked).await
}

async fn within<T, E: From<sqlx::Error>>(patience: Duration, asked: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let silence = || sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the database has gone silent"));
    tokio::time::timeout(patience, asked).await.unwrap_or_else(|_| Err(silence().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trouble;

    #[tokio::test]
    async fn silence_is_trouble_that_passes() {
        let never: Result<(), sqlx::Error> = within(Duration::ZERO, std::future::pending()).await;
        assert!(trouble::passes(&never.unwrap_err()));
    }
}
