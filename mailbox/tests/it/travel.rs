//! Every fact arrives, once, and the facts of one subject in their order.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chassis::{Clock, Database, Scope, Secret};
use sqlx::{Connection, PgConnection};
use tests::{Moment, Proxy, Tap, Weather, eventually, within};
use tokio::sync::Mutex;

use crate::post::{Post, SCHEMAS, Trouble, agency, event, receiver, sender, tell, tell_at_once, tell_now};

async fn arrived(post: &Post, count: usize) -> Vec<(String, String)> {
    let patience = Duration::from_secs(90);
    within(patience, "all effects", || async {
        let effects = post.effects().await;
        if effects.len() >= count { Ok(effects) } else { Err(effects.len()) }
    })
    .await
}

fn by_subject(effects: Vec<(String, String)>) -> BTreeMap<String, Vec<u32>> {
    let mut subjects: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (subject, etag) in effects {
        subjects.entry(subject).or_default().push(etag.parse().unwrap());
    }
    subjects
}

/// All that was told arrives, once, and of each subject in its order.
async fn all_in_order(post: &Post, told: &BTreeMap<String, u32>) {
    let effects = arrived(post, told.values().sum::<u32>() as usize).await;
    for (subject, seen) in by_subject(effects) {
        assert_eq!(seen, (0..told[&subject]).collect::<Vec<u32>>(), "{subject}");
    }
}

/// Many subjects change at once, each in its own order, so often and then, slower, until `enough` is set; between two changes
/// of one, others commit. Gives how often each changed.
async fn many(db: &Database, subjects: u32, often: u32, enough: &Arc<AtomicBool>) -> BTreeMap<String, u32> {
    let mut tasks = tokio::task::JoinSet::new();
    for subject in 0..subjects {
        let (db, enough) = (db.clone(), enough.clone());
        tasks.spawn(async move {
            let subject = format!("agencies/gz/xs/{subject}");
            let mut changes = 0;
            while changes < often || !enough.load(Ordering::Relaxed) {
                tell_now(&db, &subject, &changes.to_string()).await;
                changes += 1;
                if changes > often {
                    tokio::time::sleep(SLOWER).await;
                }
            }
            (subject, changes)
        });
    }
    tasks.join_all().await.into_iter().collect()
}

/// What waits behind a cut is soon carried.
const SLOWER: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
async fn two_senders_and_two_receivers_lose_repeat_and_reorder_nothing_while_connections_are_cut() {
    let post = Post::open(Trouble::default()).await;
    let _running = (post.receiver().await, post.receiver().await, post.sender().await, post.sender().await);
    let db = post.outgoing();
    let enough = Arc::new(AtomicBool::new(false));
    let cutting = async {
        // The broker lists its connections some seconds late: whoever asks at once finds none.
        for time in 1..=3 {
            eventually(&format!("connections to be cut, time {time}"), || async {
                if post.stage.vhost.cut().await > 0 { Ok(()) } else { Err("there are none") }
            })
            .await;
        }
        enough.store(true, Ordering::Relaxed);
    };
    let (told, ()) = tokio::join!(many(&db, 8, 40, &enough), cutting);
    all_in_order(&post, &told).await;
    post.all_carried().await;
}

/// Bytes that still come from the broker before it breaks off: within its greeting, while queues are declared, and while facts arrive and are acknowledged.
const BREAKS: usize = 40;
const APART: usize = 53;
/// Longer than somebody waits who is not told that the connection is gone, and than it takes to come back.
const GOES_ON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_cut_off_after_any_number_of_bytes_goes_on_and_loses_repeats_and_reorders_nothing() {
    let post = Post::open(Trouble::default()).await;
    let (proxy, through) = Proxy::before_url(&post.stage.broker()).await;
    let mut to = post.to.clone();
    to.broker.url = Secret::new(through);
    let _running = (post.stage.start("receiver", to, Clock::default(), receiver).await, post.sender().await);
    let db = post.outgoing();
    let enough = Arc::new(AtomicBool::new(false));
    let breaking = async {
        for bytes in (0..BREAKS).map(|number| number * APART) {
            let truncated = proxy.truncated();
            proxy.weather(Weather::Truncating(bytes));
            proxy.cut();
            within(GOES_ON, &format!("the connection to break off after {bytes} bytes"), || async {
                if proxy.truncated() > truncated { Ok(()) } else { Err("it has not") }
            })
            .await;
            proxy.weather(Weather::Fair);
            let before = post.effects().await.len();
            within(GOES_ON, &format!("facts to arrive again after {bytes} bytes"), || async {
                let effects = post.effects().await.len();
                if effects > before { Ok(()) } else { Err(effects) }
            })
            .await;
        }
        enough.store(true, Ordering::Relaxed);
    };
    let (told, ()) = tokio::join!(many(&db, 8, 40, &enough), breaking);
    all_in_order(&post, &told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_confirm_is_awaited_other_subjects_go_on_and_this_one_waits() {
    const ONE: &str = "agencies/gz/xs/one";
    const OTHER: &str = "agencies/gz/xs/other";
    let post = Post::open(Trouble::default()).await;
    let (tap, through) = Tap::before_url(&post.stage.broker(), &[]).await;
    let mut from = post.from.clone();
    from.broker.url = Secret::new(through);
    let _running = (post.receiver().await, post.stage.start("sender", from, Clock::default(), sender).await);
    let db = post.outgoing();
    let held = tap.hold(Moment::Confirmed).await;
    tell_now(&db, ONE, "0").await;
    held.await.unwrap();
    tell_at_once(&db, &[(ONE, "1"), (OTHER, "0")]).await;
    let seen = [(ONE, "0"), (OTHER, "0")].map(|(subject, etag)| (subject.to_owned(), etag.to_owned()));
    assert_eq!(arrived(&post, 2).await, seen);
    tap.hang_up();
    all_in_order(&post, &BTreeMap::from([(ONE.to_owned(), 2), (OTHER.to_owned(), 1)])).await;
    post.all_carried().await;
}

/// So many of each subject, and so long for each of them: enough that the receiver has some sent ahead whenever it is told to stop.
const BACKLOG: u32 = 600;
const TAKES: Duration = Duration::from_millis(3);

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_told_to_stop_leaves_the_rest_to_the_other_in_order() {
    let post = Post::open(Trouble { takes: TAKES, ..Trouble::default() }).await;
    post.receiver().await.kill().await;
    let _sender = post.sender().await;
    let done = Arc::new(AtomicBool::new(true));
    let told = many(&post.outgoing(), 4, BACKLOG, &done).await;
    let all = told.values().sum::<u32>() as usize;
    let mut active = post.receiver().await;
    let mut rollouts = 0;
    while post.effects().await.len() < all {
        let waiting = post.receiver().await;
        active.stop().await.unwrap();
        // Whoever waited has it now.
        active = waiting;
        rollouts += 1;
    }
    assert!(rollouts > 1, "everything was handled before anybody was told to stop");
    all_in_order(&post, &told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_rolled_back_tells_nobody() {
    let post = Post::open(Trouble::default()).await;
    let _running = (post.receiver().await, post.sender().await);
    let db = post.outgoing();
    let mut undone = db.begin(&Scope::reaction("test", &agency())).await.unwrap();
    tell(&mut undone, "agencies/gz/xs/1", "1").await;
    drop(undone);
    tell_now(&db, "agencies/gz/xs/2", "2").await;
    assert_eq!(arrived(&post, 1).await, [("agencies/gz/xs/2".to_owned(), "2".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_fact_of_all_is_not_passed_over_by_a_relay_that_found_nothing_for_long() {
    let post = Post::open(Trouble::default()).await;
    let _sender = post.sender().await;
    let db = post.outgoing();
    let looks = Mutex::new(BTreeSet::new());
    eventually("the relay to have looked some times", || async {
        // What it says at the end of a look that found nothing.
        let ended: Vec<String> = sqlx::query_scalar(
            "SELECT query_start::text FROM pg_stat_activity
                 WHERE datname = current_database() AND query LIKE 'SELECT pg_advisory_unlock%'",
        )
        .fetch_all(db.pool())
        .await
        .unwrap();
        let mut looks = looks.lock().await;
        looks.extend(ended);
        if looks.len() > 3 { Ok(()) } else { Err(looks.len()) }
    })
    .await;
    tell_now(&db, "agencies/gz/xs/1", "1").await;
    within(Duration::from_secs(20), "it to be carried before the next thorough look", || async {
        let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(db.pool()).await.unwrap();
        if waiting == 0 { Ok(()) } else { Err(waiting) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lower_number_that_commits_later_is_not_passed_over() {
    let post = Post::open(Trouble::default()).await;
    let _running = (post.receiver().await, post.sender().await);
    let db = post.outgoing();
    let mut slow = db.begin(&Scope::reaction("test", &agency())).await.unwrap();
    tell(&mut slow, "agencies/gz/xs/slow", "1").await;
    tell_now(&db, "agencies/gz/xs/quick", "2").await;
    assert_eq!(arrived(&post, 1).await[0].0, "agencies/gz/xs/quick");
    slow.commit().await.unwrap();
    assert_eq!(arrived(&post, 2).await[1].0, "agencies/gz/xs/slow");
}

/// So many have left, at most so many times that is read in a look; the relay looks twice a second.
const LEFT: usize = 3_000;
const READ_IN_A_LOOK: i64 = 50;
const LOOKS: i64 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn f22_what_left_while_a_transaction_is_open_is_not_looked_through_again() {
    let post = Post::open(Trouble::default()).await;
    let _sender = post.sender().await;
    let db = post.outgoing();
    // As a dump: nothing that goes while it is open can be cleared away.
    let mut dump = PgConnection::connect(post.from.database.url.expose()).await.unwrap();
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id()").execute(&mut dump).await.unwrap();
    let etags: Vec<String> = (0..LEFT).map(|number| number.to_string()).collect();
    let facts: Vec<(&str, &str)> = etags.iter().map(|etag| ("agencies/gz/xs/1", etag.as_str())).collect();
    tell_at_once(&db, &facts).await;
    post.all_carried().await;
    let before = Mutex::new(None::<(i64, i64)>);
    eventually("looks that read only what is new", || async {
        let counts = "SELECT idx_scan, idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'outbox_pkey'";
        let now: (i64, i64) = sqlx::query_as(counts).fetch_one(db.pool()).await.unwrap();
        let mut before = before.lock().await;
        let (looks, read) = before.map_or((0, 0), |before| (now.0 - before.0, now.1 - before.1));
        if looks < LOOKS {
            before.get_or_insert(now);
            return Err((looks, read));
        }
        *before = Some(now);
        if read <= looks * READ_IN_A_LOOK { Ok(()) } else { Err((looks, read)) }
    })
    .await;
    // What comes now is found.
    tell_now(&db, "agencies/gz/xs/2", "1").await;
    post.all_carried().await;
    dump.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lower_number_that_commits_long_after_others_left_is_not_passed_over() {
    let post = Post::open(Trouble::default()).await;
    let _running = (post.receiver().await, post.sender().await);
    let db = post.outgoing();
    let mut slow = db.begin(&Scope::reaction("test", &agency())).await.unwrap();
    tell(&mut slow, "agencies/gz/xs/slow", "1").await;
    // Long enough for the relay to have asked several times who writes.
    for number in 0..20 {
        tell_now(&db, "agencies/gz/xs/quick", &number.to_string()).await;
        arrived(&post, number + 1).await;
    }
    slow.commit().await.unwrap();
    assert_eq!(arrived(&post, 21).await[20].0, "agencies/gz/xs/slow");
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_wait_for_a_receiver_that_is_away_and_for_one_that_is_killed() {
    let post = Post::open(Trouble::default()).await;
    // Once installed, its queue holds what comes while it is down.
    post.receiver().await.kill().await;
    let _sender = post.sender().await;
    many(&post.outgoing(), 2, 10, &Arc::new(AtomicBool::new(true))).await;
    post.all_carried().await;
    let first = post.receiver().await;
    arrived(&post, 1).await;
    first.kill().await;
    let _second = post.receiver().await;
    for seen in by_subject(arrived(&post, 20).await).into_values() {
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_nobody_waits_for_is_kept_aside() {
    let post = Post::open(Trouble::default()).await;
    let _sender = post.sender().await;
    tell_now(&post.outgoing(), "agencies/gz/xs/1", "1").await;
    eventually("it to be put aside", || async {
        match post.stage.vhost.depth("opsmesh.unrouted").await {
            Ok(1) => Ok(()),
            other => Err(other),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_together_commits_together_and_one_that_is_refused_spoils_nothing() {
    const WAITING: usize = 40;
    let post = Post::open(Trouble { poison: Some("poison"), ..Trouble::default() }).await;
    // It leaves its queue, and nobody there.
    post.receiver().await.stop().await.unwrap();
    let sent: Vec<String> = (0..WAITING).map(|number| number.to_string()).collect();
    for (number, etag) in (0..).zip(&sent) {
        post.send(event(number, 1, &format!("agencies/gz/xs/{etag}"), etag).to_string().as_bytes()).await;
    }
    let running = post.receiver().await;
    assert_eq!(post.etags(WAITING).await, sent);
    let receiver = Database::open("test", &post.to.database, SCHEMAS).unwrap();
    let commits: i64 =
        sqlx::query_scalar("SELECT count(DISTINCT xmin::text) FROM effects").fetch_one(receiver.pool()).await.unwrap();
    assert!(commits < i64::try_from(WAITING).unwrap(), "{commits} commits");

    running.stop().await.unwrap();
    for (number, etag) in (WAITING as u128..).zip(["a", "b", "poison", "c"]) {
        post.send(event(number, 1, &format!("agencies/gz/xs/{etag}"), etag).to_string().as_bytes()).await;
    }
    let running = post.receiver().await;
    assert_eq!(post.etags(WAITING + 3).await[WAITING..], ["a", "b", "c"]);
    let parked = eventually("one to be parked", || async {
        let parked = post.parked(&running).await;
        if parked.is_empty() { Err("none") } else { Ok(parked) }
    })
    .await;
    assert_eq!((parked.len(), parked[0].reason.as_str()), (1, "it is poisoned"));
}
