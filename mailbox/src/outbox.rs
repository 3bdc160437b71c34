//! The outbox, as a relay sees it: whose turn it is, what waits, and what has been carried.
use std::time::Duration;

use chassis::{Database, Scope};
use sqlx::PgConnection;
use tokio::time::Instant;

use crate::{
    envelope::Fact,
    floor::{Floor, Sight},
    window::UnderWay,
};

/// Facts of one look.
const AT_ONCE: i64 = 1024;
/// How often it is asked who writes: what has gone since is looked through again at every look.
const SEE_EVERY: Duration = Duration::from_millis(100);
/// How often the outbox is looked through from its beginning: whoever puts an old fact back by hand finds it carried.
const THOROUGH_EVERY: Duration = Duration::from_secs(60);
/// The replicas' relays take turns on this advisory lock, so that facts of one subject leave in their order. A turn lasts until nothing is
/// found and nothing is under way.
const TURN: i64 = 0x6f70_736d_6573_6801;
const SETTINGS: &[(&str, &str)] = &[
    // What the planner knows of a table that fills and empties is never true: it is told to take the keys.
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    // That facts were carried is not waited for: if the server forgets it, they are sent again.
    ("synchronous_commit", "off"),
];

/// The outbox, as this relay sees it.
pub(crate) struct Outbox {
    session: PgConnection,
    ours: bool,
    floor: Floor,
    seen: Option<Instant>,
    thorough: Option<Instant>,
}

impl Outbox {
    pub(crate) async fn open(db: &Database) -> sqlx::Result<Self> {
        let session = db.apart(&Scope::platform("relay"), SETTINGS).await?;
        Ok(Self { session, ours: false, floor: Floor::default(), seen: None, thorough: None })
    }

    /// Whether it is our turn, or nobody's.
    pub(crate) async fn take_turn(&mut self) -> sqlx::Result<bool> {
        if !self.ours {
            self.ours = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(TURN).fetch_one(&mut self.session).await?;
        }
        Ok(self.ours)
    }

    pub(crate) async fn end_turn(&mut self) -> sqlx::Result<()> {
        sqlx::query("SELECT pg_advisory_unlock($1)").bind(TURN).execute(&mut self.session).await?;
        self.ours = false;
        Ok(())
    }

    /// Those that wait and are not under way, in their order.
    pub(crate) async fn look(&mut self, under_way: &UnderWay) -> sqlx::Result<Vec<Fact>> {
        let above = self.above().await?;
        // Each is looked up by its key. Left to choose, the server reads all facts that there ever were as soon as it takes the outbox
        // for long.
        let facts: Vec<Fact> = sqlx::query_as(
            "SELECT seq, at, fact.*
             FROM (
                 SELECT seq, at FROM outbox
                 WHERE seq > $2 AND NOT seq <@ (SELECT $3::text::int8multirange) ORDER BY seq LIMIT $1
             ) AS waiting
             CROSS JOIN LATERAL (
                 SELECT facts.tx::text::bigint AS tx, id, agency, kind, subject, actor, traceparent, clause, data::text AS data
                 FROM facts WHERE facts.at = waiting.at AND facts.seq = waiting.seq OFFSET 0
             ) AS fact
             ORDER BY seq",
        )
        .bind(AT_ONCE)
        .bind(above)
        .bind(under_way.ranges())
        .fetch_all(&mut self.session)
        .await?;
        self.floor.found(facts.first().map(|fact| fact.seq).into_iter().chain(under_way.lowest()).min());
        Ok(facts)
    }

    /// Above which number the next look is, which begins after this.
    async fn above(&mut self) -> sqlx::Result<i64> {
        if is_over(&mut self.seen, SEE_EVERY) {
            // A sequence that is new says its first number before anybody has drawn it.
            let (server, numbered) = sqlx::query_as(
                "SELECT pg_postmaster_start_time()::text, CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM facts_seq",
            )
            .fetch_one(&mut self.session)
            .await?;
            let writing = sqlx::query_scalar(
                "SELECT virtualtransaction FROM pg_locks
                 WHERE locktype = 'relation' AND relation = 'outbox'::regclass AND mode = 'RowExclusiveLock'
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            )
            .fetch_all(&mut self.session)
            .await?;
            self.floor.saw(Sight { server, numbered, writing });
        }
        Ok(if is_over(&mut self.thorough, THOROUGH_EVERY) { 0 } else { self.floor.above() })
    }

    /// Takes out what was carried.
    pub(crate) async fn clear(&mut self, carried: Vec<i64>) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM outbox WHERE seq = ANY($1)").bind(carried).execute(&mut self.session).await?;
        Ok(())
    }
}

/// Whether so long has passed since `last`, which then is now.
fn is_over(last: &mut Option<Instant>, every: Duration) -> bool {
    let now = Instant::now();
    let over = last.is_none_or(|last| now - last >= every);
    if over {
        *last = Some(now);
    }
    over
}
