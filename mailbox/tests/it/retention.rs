//! Months of facts go when their time is over, and not before everybody has had them; whoever audits what is left sees who took them.
use chassis::{Clock, Scope};
use jiff::Timestamp;
use sqlx::{Connection, PgConnection};
use tests::{Running, eventually};

use crate::{
    post::{agency, sender, tell_of},
    seals::Archive,
};

/// In a service that keeps facts for half a year.
struct Kept {
    archive: Archive,
    clock: Clock,
    running: Running,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl Kept {
    async fn open() -> Self {
        let mut archive = Archive::open().await;
        archive.post.stage.keep_facts_months = Some(6);
        let clock = Clock::standing(at("2026-01-15T00:00:00Z"));
        let running = archive.post.stage.start("sender", archive.post.from.clone(), clock.clone(), sender).await;
        Self { archive, clock, running }
    }

    /// Starts the service again at another time: it looks at once.
    async fn again_at(self, now: &str) -> Self {
        let Self { archive, clock, running } = self;
        running.stop().await.unwrap();
        clock.set(at(now));
        let running = archive.post.stage.start("sender", archive.post.from.clone(), clock.clone(), sender).await;
        Self { archive, clock, running }
    }

    async fn tell(&self, when: &str) {
        let db = self.archive.post.outgoing();
        let mut tx = db.begin(&Scope::reaction("test", &agency())).await.unwrap();
        tell_of(&mut tx, "agencies/gz/xs/1", when, at(when)).await;
        tx.commit().await.unwrap();
    }

    async fn partitions(&self) -> Vec<String> {
        let mut admin = PgConnection::connect(&self.archive.url()).await.unwrap();
        let partitions = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'facts'::regclass ORDER BY 1";
        sqlx::query_scalar(partitions).fetch_all(&mut admin).await.unwrap()
    }

    /// Waits until it has looked, and so many months were left that should be gone.
    async fn overdue(&self, months: u32) {
        eventually(&format!("{months} months to be overdue"), || async {
            let metrics = self.running.metrics().await;
            let line = metrics.lines().find(|line| line.starts_with("opsmesh_facts_months_overdue ")).map(str::to_owned);
            if line == Some(format!("opsmesh_facts_months_overdue {months}")) { Ok(()) } else { Err(line) }
        })
        .await;
    }

    async fn gone(&self, month: &str) {
        eventually(&format!("{month} to be gone"), || async {
            let partitions = self.partitions().await;
            if partitions.iter().any(|partition| partition == month) { Err(partitions) } else { Ok(()) }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_whose_time_is_over_is_dropped_and_an_auditor_is_told() {
    let kept = Kept::open().await;
    for when in ["2026-01-10T00:00:00Z", "2026-01-31T23:59:59.999999Z", "2026-02-01T00:00:00Z"] {
        kept.tell(when).await;
    }
    kept.archive.sealed(3).await;
    kept.archive.post.all_carried().await;
    // January is kept through July.
    let kept = kept.again_at("2026-07-31T23:59:59Z").await;
    kept.gone("facts_2025_12").await;
    assert_eq!(kept.archive.numbers().await.len(), 3);
    let kept = kept.again_at("2026-08-01T00:00:00Z").await;
    kept.gone("facts_2026_01").await;
    let left = kept.archive.numbers().await;
    assert_eq!(left.len(), 1);
    assert!(kept.partitions().await.contains(&"facts_2026_02".into()));
    assert!(kept.running.metrics().await.contains("opsmesh_facts_dropped_total 2"));
    let (well, lines) = kept.archive.verify(None);
    assert!(well && lines.contains(&"2 facts were dropped by the service, their time being over".into()), "{lines:?}");
    // Somebody else takes the rest away.
    kept.archive.tamper("TRUNCATE facts").await;
    let (well, lines) = kept.archive.verify(None);
    assert!(!well && lines.iter().any(|line| line.starts_with(&format!("fact {} was deleted", left[0]))), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_the_broker_is_not_dropped() {
    is_not_dropped_while_another_replica_has(RELAY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_seal_is_not_dropped() {
    is_not_dropped_while_another_replica_has(SEALER).await;
}

/// The advisory locks on which replicas take turns.
const RELAY: i64 = 0x6f70_736d_6573_6801;
const SEALER: i64 = 0x6f70_736d_6573_6802;

/// The turn of the relay or of the sealer, and does nothing with it.
async fn is_not_dropped_while_another_replica_has(turn: i64) {
    let kept = Kept::open().await;
    let mut other = PgConnection::connect(&kept.archive.url()).await.unwrap();
    sqlx::query("SELECT pg_advisory_lock($1)").bind(turn).execute(&mut other).await.unwrap();
    kept.tell("2026-01-10T00:00:00Z").await;
    if turn != SEALER {
        kept.archive.sealed(1).await;
    }
    let kept = kept.again_at("2026-08-01T00:00:00Z").await;
    kept.overdue(1).await;
    assert!(kept.partitions().await.contains(&"facts_2026_01".into()));
    // Soon after the month, which is when it is sealed.
    let kept = kept.again_at("2026-01-20T00:00:00Z").await;
    sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut other).await.unwrap();
    kept.archive.sealed(1).await;
    kept.archive.post.all_carried().await;
    let kept = kept.again_at("2026-08-01T00:00:00Z").await;
    kept.gone("facts_2026_01").await;
    kept.overdue(0).await;
    assert!(kept.archive.verify(None).0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_is_not_dropped_by_a_service_that_cannot_sign_for_it() {
    let mut kept = Kept::open().await;
    kept.tell("2026-01-10T00:00:00Z").await;
    kept.archive.sealed(1).await;
    kept.archive.post.all_carried().await;
    kept.archive.post.stage.seal_key = None;
    let kept = kept.again_at("2026-08-01T00:00:00Z").await;
    kept.overdue(1).await;
    assert!(kept.partitions().await.contains(&"facts_2026_01".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_moves_to_a_month_that_is_over_is_not_dropped_for_them() {
    let kept = Kept::open().await;
    kept.tell("2026-01-10T00:00:00Z").await;
    kept.archive.sealed(1).await;
    let kept = kept.again_at("2026-07-10T00:00:00Z").await;
    kept.tell("2026-07-10T00:00:00Z").await;
    kept.archive.sealed(2).await;
    kept.archive.post.all_carried().await;
    // With every right on the database, and as if it had always been there.
    kept.archive.tamper("UPDATE facts SET at = '2026-01-11' WHERE at > '2026-07-01'").await;
    let kept = kept.again_at("2026-08-01T00:00:00Z").await;
    kept.overdue(1).await;
    assert!(kept.partitions().await.contains(&"facts_2026_01".into()));
}
