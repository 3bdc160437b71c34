//! A transaction in one stroke: one statement that says itself in whose scope it is, and is committed at its end. To begin and to commit are a round trip each, and where
//! the processors are busy each costs everybody who waits behind it half a millisecond, nearly as long as the disk takes for the commit itself (measured).
use sqlx::{
    Arguments, FromRow, Postgres, QueryBuilder,
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
};

use crate::{
    Agency, Database, Scope,
    database::{ROUND_TRIP, within},
};

/// Arguments that a statement has room for from the beginning, and bytes of them for each row of what is asked for: the changed noun, what is told of it, and the answer. Without,
/// all that is there so far is copied whenever it has doubled.
const ARGUMENTS: usize = 32;
const ROW: usize = 1 << 10;

/// A connection that is kept for one stroke after another. Whoever takes another for each finds the server's process cold, for all of a pool take turns, and its place is asked
/// twice whether it is still there whenever it comes back.
#[derive(Debug)]
pub struct Session {
    connection: PoolConnection<Postgres>,
    db: Database,
}

/// A transaction of one statement, not begun yet. Dropped before [`Stroke::write`] it leaves nothing.
#[derive(Debug)]
pub struct Stroke<'s> {
    session: &'s mut Session,
    scope: Scope,
    hopeful: bool,
}

impl Database {
    /// Takes a connection for strokes. It is one of the pool's: whoever keeps it for long keeps it from others.
    pub async fn session(&self) -> sqlx::Result<Session> {
        let connection = self.had(within(ROUND_TRIP, Box::pin(self.pool().acquire()))).await?;
        Ok(Session { connection, db: self.clone() })
    }
}

impl Session {
    /// A transaction of one statement that sees the rows of `scope` and no others.
    pub fn stroke(&mut self, scope: Scope) -> Stroke<'_> {
        Stroke { session: self, scope, hopeful: false }
    }
}

impl Stroke<'_> {
    /// The same in the hope that nobody in it comes again: a row whose place is taken makes it fail, and need not be looked for before (measured: a sixteenth of a stroke).
    /// Whoever hopes sees by [`came_again`](crate::came_again) that somebody did, and does it once more without hope.
    #[must_use]
    pub fn hopeful(self) -> Self {
        Self { hopeful: true, ..self }
    }

    /// Whether nobody is expected to come again.
    pub(crate) fn is_hopeful(&self) -> bool {
        self.hopeful
    }

    /// The database that it is a transaction of.
    pub(crate) fn database(&self) -> &Database {
        &self.session.db
    }

    /// Whose rows it sees, and in whose name it changes them.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The beginning of its statement. What is added to it, as `, name AS (…)` and at the end, takes its rows `FROM scope (agency)` or from a part that does: so the wall asks
    /// for the scope when a row stands before it, and finds it set. What takes its rows from elsewhere may find none, and then sees nothing and fails.
    ///
    /// There is room for what `rows` bring; where they bring more, more is made.
    #[must_use]
    pub fn statement(&self, rows: usize) -> QueryBuilder<Postgres> {
        let mut arguments = PgArguments::default();
        arguments.reserve(ARGUMENTS, rows * ROW);
        let mut statement =
            QueryBuilder::with_arguments("WITH scope AS MATERIALIZED (SELECT set_config('opsmesh.agency', ", arguments);
        statement.push_bind(self.scope.agency.as_ref().map_or("*", Agency::as_str).to_owned()).push(", true) AS agency)");
        statement
    }

    /// Runs it, commits it, and wakes whoever carries what was committed. After an error of the connection it is not known whether it was committed: ask again by key.
    pub async fn write<R>(self, mut statement: QueryBuilder<Postgres>) -> sqlx::Result<Vec<R>>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let rows = statement.build_query_as().fetch_all(&mut *self.session.connection).await?;
        self.session.db.has_changed();
        Ok(rows)
    }
}
