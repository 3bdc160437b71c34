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
        // Class 08: the connection is lost; 57P: the server is starting, stopping, or was told to end the session; 53: out of
        // resources; 40: try again.
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| ["08", "57P", "53", "40"].iter().any(|class| code.starts_with(class)))
        }
        _ => false,
    }
}
