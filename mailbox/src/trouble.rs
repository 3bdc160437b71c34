//! Whether what went wrong in the database is the server's trouble, which passes, or somebody's mistake, which does not.

/// The server is away, starting, stopping or out of resources, the connection is lost, or a neighbour was in the way: the same
/// may work in a moment.
pub(crate) fn passes(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Tls(_) => true,
        // Class 53: out of resources; 40: try again.
        sqlx::Error::Database(error) => is_of(&**error, &ENDED) || is_of(&**error, &["53", "40"]),
        _ => false,
    }
}

/// Whether a statement that was to commit itself may have done so all the same: its session ended, and its end is not known. What the server refuses it has undone.
pub(crate) fn is_unknown(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => is_of(&**error, &ENDED),
        _ => passes(error),
    }
}

/// Class 08: the connection is lost; 57P: the server is starting, stopping, or was told to end the session.
const ENDED: [&str; 2] = ["08", "57P"];

fn is_of(error: &dyn sqlx::error::DatabaseError, classes: &[&str]) -> bool {
    error.code().is_some_and(|code| classes.iter().any(|class| code.starts_with(class)))
}
