//! Every fact arrives, once, and the facts of one subject in their order.
use std::collections::BTreeMap;

use chassis::{Database, Scope};
use tests::{eventually, within};

use crate::post::{Post, Trouble, agency, tell, tell_now};

async fn arrived(post: &Post, count: usize) -> Vec<(String, String)> {
    let patience = std::time::Duration::from_secs(90);
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

/// Many subjects change at once, each in its own order; between two changes of one, others commit.
async fn many(db: &Database, subjects: u32, changes: u32) {
    let mut tasks = tokio::task::JoinSet::new();
    for subject in 0..subjects {
        let db = db.clone();
        tasks.spawn(async move {
            for change in 0..changes {
                tell_now(&db, &format!("agencies/gz/xs/{subject}"), &change.to_string()).await;
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_senders_and_two_receivers_lose_repeat_and_reorder_nothing_while_connections_are_cut() {
    let post = Post::open(Trouble::default()).await;
    let _running = (post.receiver().await, post.receiver().await, post.sender().await, post.sender().await);
    let db = post.outgoing();
    let (subjects, changes) = (8, 40);
    let told = many(&db, subjects, changes);
    let cutting = async {
        let mut cut = 0;
        for _ in 0..4 {
            tokio::time::sleep(std::time::Duration::from_millis(400)).await;
            cut += post.stage.vhost.cut().await;
        }
        cut
    };
    let ((), cut) = tokio::join!(told, cutting);
    assert!(cut > 0, "no connection was there to be cut");
    let effects = arrived(&post, (subjects * changes) as usize).await;
    let expected: Vec<u32> = (0..changes).collect();
    for (subject, seen) in by_subject(effects) {
        assert_eq!(seen, expected, "{subject}");
    }
    let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(db.pool()).await.unwrap();
    assert_eq!(waiting, 0);
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

#[tokio::test(flavor = "multi_thread")]
async fn facts_wait_for_a_receiver_that_is_away_and_for_one_that_is_killed() {
    let post = Post::open(Trouble::default()).await;
    // Once installed, its queue holds what comes while it is down.
    post.receiver().await.kill().await;
    let _sender = post.sender().await;
    many(&post.outgoing(), 2, 10).await;
    eventually("the queue to fill", || async {
        match post.stage.vhost.depth("opsmesh.receiver").await {
            Ok(20) => Ok(()),
            other => Err(other),
        }
    })
    .await;
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
