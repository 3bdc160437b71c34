//! The records of timers. PostgreSQL has them all; nothing is remembered in a process. A timer is armed, moved and cancelled in
//! the transaction of the change that asks for it, and taken away in the transaction of its effect: so it fires once. The
//! server's clock says when, so it never fires early, whatever the clocks of the replicas say.
use std::time::Duration;

use chassis::{Agency, Clock, Database, Meter, Scope, Tx};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use prometheus_client::metrics::{
    counter::Counter,
    gauge::Gauge,
    histogram::{Histogram, exponential_buckets},
};
use tokio_util::sync::CancellationToken;

use crate::{
    broker::{Pauses, pause},
    patience,
    timer::{self, Due, Timer},
};

/// Timers fired in one transaction: enough to make a burst cheap, few enough that their rows are not held for long.
const BATCH: i64 = 500;
/// Somebody who works on the subject may be about to move the timer: firing gives way long before the server would see a
/// deadlock (1 s) and end one of the two.
const GIVE_WAY: &str = "SET LOCAL lock_timeout = '200ms'";
/// How long it gives way for.
const GIVEN_WAY: jiff::SignedDuration = jiff::SignedDuration::from_millis(100);

/// Another replica fires the earliest just now; when it has, the next may be ours.
const HELD_ELSEWHERE: Duration = Duration::from_millis(20);

/// What is to happen when timers of this service are due.
pub trait Alarms: Send + Sync + 'static {
    /// Does it for all of `due`, which are of the agency of `tx`, in the transaction that also takes them away. If it fails
    /// for several, it is asked again for each alone; one that fails alone is tried again, later and later.
    fn ring(&self, tx: &mut Tx, due: &[Due], now: Timestamp) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// Arms a timer for `due_at`, or moves it there.
pub async fn arm(tx: &mut Tx, timer: &Timer, due_at: Timestamp) -> sqlx::Result<()> {
    let Timer { agency, kind, subject } = timer;
    sqlx::query(
        "INSERT INTO timers (agency, kind, subject, due_at, try_at) VALUES ($1, $2, $3, $4, $4)
         ON CONFLICT (agency, kind, subject) DO UPDATE
         SET due_at = excluded.due_at, try_at = excluded.try_at, attempts = 0, failure = NULL",
    )
    .bind(agency)
    .bind(*kind)
    .bind(subject)
    .bind(due_at.to_sqlx())
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Cancels a timer. False: there was none, or it has fired.
pub async fn cancel(tx: &mut Tx, timer: &Timer) -> sqlx::Result<bool> {
    let Timer { agency, kind, subject } = timer;
    let gone = sqlx::query("DELETE FROM timers WHERE agency = $1 AND kind = $2 AND subject = $3")
        .bind(agency)
        .bind(*kind)
        .bind(subject)
        .execute(&mut **tx)
        .await?;
    Ok(gone.rows_affected() == 1)
}

/// What the timers did.
#[derive(Debug, Clone)]
pub(crate) struct Rung {
    fired: Counter,
    failed: Counter,
    late: Histogram,
    overdue: Gauge<f64, std::sync::atomic::AtomicU64>,
}

impl Rung {
    pub(crate) fn new(meter: &Meter) -> Self {
        Self {
            fired: meter.register("opsmesh_timers_fired", "Timers whose effect has committed", Counter::default()),
            failed: meter.register("opsmesh_timers_failed", "Attempts at a timer's effect that failed", Counter::default()),
            late: meter.register(
                "opsmesh_timers_lateness_seconds",
                "How long after their time timers fired",
                // 1 ms to a little over an hour, quadrupling.
                Histogram::new(exponential_buckets(0.001, 4.0, 12)),
            ),
            overdue: meter.register(
                "opsmesh_timers_overdue_seconds",
                "How long the earliest timer that has not fired is past its time, as last seen by this replica",
                Gauge::default(),
            ),
        }
    }
}

/// Fires what is due until told to stop. Any number of replicas do so at once: each takes what no other holds.
pub(crate) async fn run<A: Alarms>(
    service: &'static str,
    db: Database,
    alarms: A,
    clock: Clock,
    rung: Rung,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut pauses = Pauses::default();
    while !stop.is_cancelled() {
        let wait = match patience::round(look(service, &db, &alarms, &clock, &rung)).await {
            Ok(wait) => {
                pauses.reset();
                wait
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "timers wait");
                pauses.next()
            }
        };
        pause(wait, &stop).await;
    }
    Ok(())
}

/// Fires one batch if one is due; how long to wait before looking again.
async fn look<A: Alarms>(service: &'static str, db: &Database, alarms: &A, clock: &Clock, rung: &Rung) -> sqlx::Result<Duration> {
    let mut tx = db.begin(&Scope::platform("timers")).await?;
    let server: jiff_sqlx::Timestamp = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut *tx).await?;
    let now = clock.ruled_by(server.to_jiff());
    let next: Option<(Agency, jiff_sqlx::Timestamp, jiff_sqlx::Timestamp)> =
        sqlx::query_as("SELECT agency, try_at, due_at FROM timers ORDER BY try_at LIMIT 1").fetch_optional(&mut *tx).await?;
    drop(tx);
    rung.overdue.set(next.as_ref().map_or(0.0, |(_, _, due)| timer::lateness(due.to_jiff(), now)));
    match next {
        Some((agency, try_at, _)) if try_at.to_jiff() <= now => {
            let any = together(service, db, alarms, &agency, now, rung).await?;
            Ok(if any { Duration::ZERO } else { HELD_ELSEWHERE })
        }
        next => Ok(timer::wait(now, next.map(|(_, try_at, _)| try_at.to_jiff()))),
    }
}

/// Fires what is due of an agency, in one transaction. False: other replicas hold all of it.
async fn together<A: Alarms>(
    service: &'static str,
    db: &Database,
    alarms: &A,
    agency: &Agency,
    now: Timestamp,
    rung: &Rung,
) -> sqlx::Result<bool> {
    let mut tx = begin(service, db, agency).await?;
    let due: Vec<Due> = sqlx::query_as(
        "DELETE FROM timers WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM timers WHERE agency = $1 AND try_at <= $2 ORDER BY try_at LIMIT $3 FOR UPDATE SKIP LOCKED))
         RETURNING kind, subject, due_at, attempts",
    )
    .bind(agency)
    .bind(now.to_sqlx())
    .bind(BATCH)
    .fetch_all(&mut *tx)
    .await?;
    if due.is_empty() {
        return Ok(false);
    }
    match alarms.ring(&mut tx, &due, now).await {
        Ok(()) => {
            tx.commit().await?;
            count(rung, &due, now);
        }
        Err(error) => {
            tracing::debug!(error = format!("{error:#}"), timers = due.len(), "timers are fired one by one");
            drop(tx);
            for due in due {
                alone(service, db, alarms, agency, due, now, rung).await?;
            }
        }
    }
    Ok(true)
}

/// Fires one timer, or puts it off with what kept it from firing.
async fn alone<A: Alarms>(
    service: &'static str,
    db: &Database,
    alarms: &A,
    agency: &Agency,
    due: Due,
    now: Timestamp,
    rung: &Rung,
) -> sqlx::Result<()> {
    let due = [due];
    let tried = async {
        let mut tx = begin(service, db, agency).await?;
        let taken = sqlx::query("DELETE FROM timers WHERE agency = $1 AND kind = $2 AND subject = $3 AND due_at = $4")
            .bind(agency)
            .bind(&due[0].kind)
            .bind(&due[0].subject)
            .bind(due[0].due_at.to_sqlx())
            .execute(&mut *tx)
            .await?
            .rows_affected();
        // Moved, cancelled, or fired by another replica since.
        if taken == 1 {
            alarms.ring(&mut tx, &due, now).await?;
            tx.commit().await?;
            count(rung, &due, now);
        }
        anyhow::Ok(())
    };
    let Err(error) = tried.await else { return Ok(()) };
    let [due] = due;
    let (attempts, try_at) = if gave_way(&error) {
        (due.attempts, now.saturating_add(GIVEN_WAY).expect("a duration is no calendar span"))
    } else {
        rung.failed.inc();
        let attempts = due.attempts.saturating_add(1);
        tracing::warn!(error = format!("{error:#}"), kind = due.kind, subject = due.subject, attempts, "a timer is put off");
        (attempts, timer::postponed(attempts, now))
    };
    let mut tx = begin(service, db, agency).await?;
    sqlx::query(
        "UPDATE timers SET try_at = greatest($5, due_at), attempts = $6, failure = $7
         WHERE agency = $1 AND kind = $2 AND subject = $3 AND due_at = $4",
    )
    .bind(agency)
    .bind(due.kind)
    .bind(due.subject)
    .bind(due.due_at.to_sqlx())
    .bind(try_at.to_sqlx())
    .bind(attempts)
    .bind(format!("{error:#}"))
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

async fn begin(service: &'static str, db: &Database, agency: &Agency) -> sqlx::Result<Tx> {
    let mut tx = db.begin(&Scope::reaction(service, agency)).await?;
    sqlx::query(GIVE_WAY).execute(&mut *tx).await?;
    Ok(tx)
}

fn count(rung: &Rung, due: &[Due], now: Timestamp) {
    rung.fired.inc_by(u64::try_from(due.len()).expect("a batch is small"));
    for due in due {
        rung.late.observe(timer::lateness(due.due_at, now));
    }
}

/// Whether somebody else held what the effect needs: lock timeout, deadlock, serialisation.
fn gave_way(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<sqlx::Error>()).any(|error| {
        error.as_database_error().and_then(|error| error.code()).is_some_and(|code| ["55P03", "40P01", "40001"].contains(&&*code))
    })
}
