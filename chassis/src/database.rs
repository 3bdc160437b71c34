//! The service's database: a pool, and transactions that are always in somebody's scope. Row-level security holds the same
//! scope a second time: every table that has an agency asks `opsmesh.agency`, which only [`Database::begin`] sets, and a [`Stroke`](crate::Stroke).
use std::{
    ops::{Deref, DerefMut},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use serde::Deserialize;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction, migrate::Migrator, postgres::PgConnectOptions};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    Agency, Origin, Scope, Secret,
    pool::Pool,
    schema::{self, Schema},
};

/// Where the service's database is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// `postgres://…`, with the role that owns the service's tables.
    pub url: Secret,
    /// At most so many connections a replica, besides one with which it carries facts to the broker.
    pub connections: u32,
}

/// A transaction begins and ends within this, or its connection is lost: both are one round trip, and a commit is one write to the log.
pub(crate) const ROUND_TRIP: Duration = Duration::from_secs(10);
/// Migrations of other replicas are waited for.
const MIGRATION_ATTEMPTS: u32 = 30;

/// A service's database.
#[derive(Debug, Clone)]
pub struct Database {
    pool: Pool,
    migrator: Arc<Migrator>,
    changed: Arc<Notify>,
}

impl Database {
    /// Opens the pool without connecting: a service whose database is away starts, says that it is not ready, and waits.
    pub fn open(name: &str, settings: &DatabaseSettings, schemas: &[Schema]) -> anyhow::Result<Self> {
        let options = PgConnectOptions::from_str(settings.url.expose())?.application_name(name);
        let pool = Pool::new(options, settings.connections);
        Ok(Self { pool, migrator: Arc::new(schema::migrator(schemas)), changed: Arc::default() })
    }

    /// Begins a transaction that sees the rows of `scope` and no others.
    pub async fn begin(&self, scope: &Scope) -> sqlx::Result<Tx> {
        // One round trip. An agency's id is a DNS label, so it cannot end the literal.
        let agency = scope.agency.as_ref().map_or("*", Agency::as_str);
        let begin = format!("BEGIN; SET LOCAL opsmesh.agency = '{agency}'");
        // In a box: it has room for a whole handshake, and each who waits within another's bounds would make room for it twice.
        let begun = Box::pin(self.pool().begin_with(AssertSqlSafe(begin)));
        let inner = self.had(within(ROUND_TRIP, begun)).await?;
        Ok(Tx {
            inner,
            agency: scope.agency.clone(),
            actor: scope.actor.clone(),
            changed: self.changed.clone(),
            marks: Vec::new(),
        })
    }

    /// How its server is reached, and what each session is told.
    pub(crate) fn settings(&self) -> &PgConnectOptions {
        self.pool.settings()
    }

    /// What somebody wanted of the pool.
    pub(crate) async fn had<T>(&self, wanted: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        self.pool.had(wanted).await
    }

    /// Some transaction of this process has committed a change.
    pub(crate) fn has_changed(&self) {
        self.changed.notify_one();
    }

    /// Waits until some transaction of this process has committed a change: a hint, not a promise.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Brings the schema to the version that this binary was compiled with.
    pub(crate) async fn migrate(&self) -> anyhow::Result<()> {
        for attempt in 1.. {
            match self.migrator.run(self.pool()).await {
                Ok(()) => return Ok(()),
                Err(error) if attempt < MIGRATION_ATTEMPTS => {
                    tracing::warn!(error = &error as &dyn std::error::Error, attempt, "migration waits");
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Whether the database answers, has the schema that this binary needs, and keeps agencies apart for the role it is asked as.
    pub(crate) async fn ready(&self) -> anyhow::Result<()> {
        let unconfined: Option<String> =
            sqlx::query_scalar("SELECT rolname::text FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)")
                .fetch_optional(self.pool())
                .await?;
        if let Some(role) = unconfined {
            anyhow::bail!("the role {role} passes row-level security by: name one that is neither superuser nor BYPASSRLS");
        }
        let needed: Vec<i64> = self.migrator.iter().map(|migration| migration.version).collect();
        let missing: Vec<i64> = sqlx::query_scalar(
            "SELECT needed FROM unnest($1::bigint[]) needed
             WHERE NOT EXISTS (SELECT FROM _sqlx_migrations WHERE version = needed AND success) ORDER BY needed",
        )
        .bind(needed)
        .fetch_all(self.pool())
        .await?;
        anyhow::ensure!(missing.is_empty(), "the schema lacks the migrations {missing:?}, which this binary needs");
        Ok(())
    }

    /// The pool itself, for what is no transaction: session locks, partitions. Whoever keeps it may find it closed: then ask again.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        self.pool.now()
    }

    /// Keeps the pool usable until told to stop.
    pub(crate) async fn watch(self, stop: CancellationToken) -> anyhow::Result<()> {
        self.pool.watch(stop).await
    }
}

/// A server that does not answer any more does not say so.
pub(crate) async fn within<T>(bound: Duration, asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(bound, asked).await.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

/// A transaction in somebody's scope. Dropped without [`Tx::commit`] it leaves nothing.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Postgres>,
    agency: Option<Agency>,
    actor: Arc<str>,
    changed: Arc<Notify>,
    marks: Vec<Mark>,
}

/// A span to be left in the trace of a noun's cause.
#[derive(Debug)]
pub(crate) struct Mark {
    cause: Origin,
    what: String,
    /// Where it was asked for: what commits together need not be of one trace.
    from: Option<Origin>,
}

impl Mark {
    /// Asked for here and now.
    pub(crate) fn here(cause: Origin, what: impl Into<String>) -> Self {
        Self { cause, what: what.into(), from: Origin::current() }
    }

    /// What asked for it is committed.
    pub(crate) fn leave(self) {
        self.cause.mark(self.what, self.from);
    }
}

/// A point in a transaction.
#[derive(Debug)]
#[must_use = "a point that nobody goes back to need not be made"]
pub struct Savepoint {
    marks: usize,
}

impl Tx {
    /// The agency whose rows this transaction sees; `None` is the platform itself.
    #[must_use]
    pub fn agency(&self) -> Option<&Agency> {
        self.agency.as_ref()
    }

    /// In whose name it changes them.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Once committed, leaves a span called `what` in the trace of the noun's cause, linked to what is happening now: so one
    /// trace id leads from the cause to everything that came of it, however much later.
    pub fn mark(&mut self, origin: Origin, what: impl Into<String>) {
        self.marks.push(Mark::here(origin, what));
    }

    /// A point to which [`Tx::undo_to`] goes back: what fails after it need not fail everything.
    pub async fn savepoint(&mut self) -> sqlx::Result<Savepoint> {
        sqlx::raw_sql("SAVEPOINT part").execute(&mut *self.inner).await?;
        Ok(Savepoint { marks: self.marks.len() })
    }

    /// Undoes what was done since the newest savepoint, which must be this one.
    pub async fn undo_to(&mut self, point: &Savepoint) -> sqlx::Result<()> {
        sqlx::raw_sql("ROLLBACK TO SAVEPOINT part").execute(&mut *self.inner).await?;
        self.marks.truncate(point.marks);
        Ok(())
    }

    /// Undoes everything.
    pub(crate) async fn abandon(self) -> sqlx::Result<()> {
        self.inner.rollback().await
    }

    /// Commits, and wakes whoever carries what was committed. After an error of the connection it is not known whether it was committed: read again by
    /// key.
    pub async fn commit(self) -> sqlx::Result<()> {
        within(ROUND_TRIP, self.inner.commit()).await?;
        self.changed.notify_one();
        self.marks.into_iter().for_each(Mark::leave);
        Ok(())
    }
}

impl Deref for Tx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}

/// A nullable `timestamptz` on its way into a row's `Option<Timestamp>`: `#[sqlx(try_from = "chassis::MaybeTimestamp")]`.
#[derive(Debug, Clone, Copy)]
pub struct MaybeTimestamp(Option<jiff_sqlx::Timestamp>);

impl From<MaybeTimestamp> for Option<Timestamp> {
    fn from(MaybeTimestamp(at): MaybeTimestamp) -> Self {
        at.map(jiff_sqlx::Timestamp::to_jiff)
    }
}

impl sqlx::Type<Postgres> for MaybeTimestamp {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        <jiff_sqlx::Timestamp as sqlx::Type<Postgres>>::type_info()
    }

    fn compatible(other: &sqlx::postgres::PgTypeInfo) -> bool {
        <jiff_sqlx::Timestamp as sqlx::Type<Postgres>>::compatible(other)
    }
}

impl sqlx::Decode<'_, Postgres> for MaybeTimestamp {
    fn decode(value: sqlx::postgres::PgValueRef<'_>) -> Result<Self, sqlx::error::BoxDynError> {
        <Option<jiff_sqlx::Timestamp> as sqlx::Decode<Postgres>>::decode(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_for_a_transaction_carries_little() {
        let settings = DatabaseSettings { url: Secret::new("postgres://nobody@127.0.0.1:1/nothing"), connections: 1 };
        let db = Database::open("test", &settings, &[]).unwrap();
        let scope = Scope::platform("test");
        let begun = size_of_val(&db.begin(&scope));
        assert!(begun < 2_048, "{begun} bytes, and every task that changes something has them several times");
    }
}
