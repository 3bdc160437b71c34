//! Timers on a real database: armed, moved, cancelled, fired once and never early, by several replicas.
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use chassis::{Clock, Database, Host, Scope, Tx};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use mailbox::{Alarms, Due, Timer};
use tests::{Running, eventually};

use crate::post::{Config, Post, SCHEMAS, Trouble, agency};

const BEGIN: &str = "2026-11-23T01:00:00Z";

fn begin() -> Timestamp {
    BEGIN.parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    begin() + SignedDuration::from_secs(seconds)
}

/// Rings: writes down what was due, in the transaction in which it is.
struct Bell(Arc<AtomicU32>);

impl Alarms for Bell {
    async fn ring(&self, tx: &mut Tx, due: &[Due], now: Timestamp) -> anyhow::Result<()> {
        for due in due {
            assert!(due.due_at <= now, "rung early: {due:?} at {now}");
            // One that never works, beside others that do.
            anyhow::ensure!(due.subject != "broken", "it does not work");
            if self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                anyhow::bail!("it does not work just now");
            }
            sqlx::query("INSERT INTO effects (subject, etag) VALUES ($1, $2)")
                .bind(&due.subject)
                .bind(due.due_at.to_string())
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }
}

async fn clockwork(config: Config, host: &mut Host) -> anyhow::Result<()> {
    let db = host.postgres(&config.database, SCHEMAS).await?;
    mailbox::ring(host, &db, Bell(config.trouble.faults));
    Ok(())
}

struct Tower {
    post: Post,
    clock: Clock,
}

impl Tower {
    async fn open(clock: Clock) -> Self {
        Self { post: Post::open(Trouble::default()).await, clock }
    }

    async fn replica(&self) -> Running {
        self.post.stage.start("clockwork", self.post.to.clone(), self.clock.clone(), clockwork).await
    }

    fn db(&self) -> Database {
        Database::open("test", &self.post.to.database, SCHEMAS).unwrap()
    }

    async fn look(&self) -> Tx {
        self.db().begin(&Scope::platform("test")).await.unwrap()
    }

    async fn arm(&self, subject: &str, at: Timestamp) {
        let mut tx = self.db().begin(&Scope::reaction("test", &agency())).await.unwrap();
        mailbox::arm(&mut tx, &timer(subject), at).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn cancel(&self, subject: &str) -> bool {
        let mut tx = self.db().begin(&Scope::reaction("test", &agency())).await.unwrap();
        let gone = mailbox::cancel(&mut tx, &timer(subject)).await.unwrap();
        tx.commit().await.unwrap();
        gone
    }

    async fn rung(&self, count: usize) -> Vec<(String, String)> {
        eventually(&format!("{count} to be rung"), || async {
            let rung = self.post.effects().await;
            if rung.len() >= count { Ok(rung) } else { Err(rung.len()) }
        })
        .await
    }
}

fn timer(subject: &str) -> Timer {
    Timer { agency: agency(), kind: "bell", subject: subject.into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_rings_when_it_was_last_told_to_and_not_when_it_was_cancelled() {
    let tower = Tower::open(Clock::standing(begin())).await;
    let _running = tower.replica().await;
    tower.arm("moved", after(10)).await;
    tower.arm("cancelled", after(10)).await;
    tower.arm("kept", after(10)).await;
    tower.arm("moved", after(20)).await;
    assert!(tower.cancel("cancelled").await);
    tower.clock.set(after(10));
    assert_eq!(tower.rung(1).await, [("kept".into(), after(10).to_string())]);
    assert!(!tower.cancel("kept").await, "it has rung");
    tower.clock.set(after(20));
    assert_eq!(tower.rung(2).await[1], ("moved".into(), after(20).to_string()));
    assert_eq!(tower.post.effects().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_replicas_ring_each_of_two_thousand_once_while_one_is_killed() {
    let tower = Tower::open(Clock::standing(begin())).await;
    let (_one, _two, killed) = (tower.replica().await, tower.replica().await, tower.replica().await);
    let mut tx = tower.db().begin(&Scope::platform("test")).await.unwrap();
    sqlx::query(
        "INSERT INTO timers (agency, kind, subject, due_at, try_at)
         SELECT 'gz', 'bell', number::text, $1, $1 FROM generate_series(1, 2000) number",
    )
    .bind(after(10).to_sqlx())
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    tower.clock.set(after(10));
    tower.rung(1).await;
    killed.kill().await;
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    for (subject, _) in tower.rung(2_000).await {
        *times.entry(subject).or_default() += 1;
    }
    assert_eq!(times.len(), 2_000);
    assert!(times.values().all(|times| *times == 1), "{times:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_whose_effect_fails_keeps_nobody_from_ringing_and_is_tried_again() {
    let tower = Tower::open(Clock::standing(begin())).await;
    tower.post.to.trouble.faults.store(2, Ordering::SeqCst);
    let _running = tower.replica().await;
    for subject in ["broken", "one", "two"] {
        tower.arm(subject, after(10)).await;
    }
    tower.clock.set(after(10));
    // Whichever failed is put off by a second; the standing clock is pushed on until it is over.
    eventually("both to be rung", || async {
        tower.clock.set(tower.clock.now() + SignedDuration::from_secs(1));
        let rung = tower.post.effects().await;
        if rung.len() == 2 { Ok(()) } else { Err(rung) }
    })
    .await;
    let (attempts, failure, due_at): (i32, String, jiff_sqlx::Timestamp) =
        sqlx::query_as("SELECT attempts, failure, due_at FROM timers").fetch_one(&mut *tower.look().await).await.unwrap();
    assert!(attempts > 0);
    assert_eq!((failure.as_str(), due_at.to_jiff()), ("it does not work", after(10)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_the_server_rules_and_nothing_rings_early() {
    let tower = Tower::open(Clock::default()).await;
    let _running = tower.replica().await;
    let mut tx = tower.look().await;
    // `Bell` asserts; here the time of the effect itself is compared, on the server.
    let now: jiff_sqlx::Timestamp = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut *tx).await.unwrap();
    for milliseconds in [0, 50, 400, 700] {
        tower.arm(&milliseconds.to_string(), now.to_jiff() + SignedDuration::from_millis(milliseconds)).await;
    }
    tower.rung(4).await;
    let early: i64 =
        sqlx::query_scalar("SELECT count(*) FROM effects WHERE done_at < etag::timestamptz").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(early, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn firing_gives_way_to_whoever_works_on_the_subject() {
    let tower = Tower::open(Clock::standing(begin())).await;
    let _running = tower.replica().await;
    tower.arm("held", after(10)).await;
    let mut person = tower.db().begin(&Scope::reaction("test", &agency())).await.unwrap();
    sqlx::query("LOCK TABLE effects IN SHARE MODE").execute(&mut *person).await.unwrap();
    tower.clock.set(after(10));
    eventually("it to wait for the lock", || async {
        let waits: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'effects'::regclass")
            .fetch_one(tower.db().pool())
            .await
            .unwrap();
        if waits > 0 { Ok(()) } else { Err("not yet") }
    })
    .await;
    // Now each holds what the other wants; the person is not the one who is sent away.
    mailbox::arm(&mut person, &timer("held"), after(60)).await.unwrap();
    person.commit().await.unwrap();
    tower.clock.set(after(60));
    assert_eq!(tower.rung(1).await, [("held".into(), after(60).to_string())]);
}
