//! Several facts in one message.
use std::{collections::BTreeMap, time::Duration};

use futures::StreamExt;
use lapin::{
    options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};
use serde_json::{Value, json};
use tests::eventually;

use crate::post::{Post, Trouble, event, tell_at_once};

const SUBJECT: &str = "agencies/gz/xs/1";
const OTHER: &str = "agencies/gz/xs/2";
/// Four starts of a process, on a slow machine.
const SOON: Duration = Duration::from_secs(60);

fn list(events: &[Value]) -> Vec<u8> {
    json!(events).to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_that_wait_together_leave_in_few_messages_and_each_has_one_effect_in_its_order() {
    const FACTS: usize = 200;
    let post = Post::open(Trouble::default()).await;
    let _receiver = post.receiver().await;
    let (_connection, channel) = post.channel().await;
    let exclusive = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare("heard".into(), exclusive, FieldTable::default()).await.unwrap();
    let bind = QueueBindOptions::default();
    channel.queue_bind("heard".into(), "opsmesh.facts".into(), "#".into(), bind, FieldTable::default()).await.unwrap();
    let told: Vec<(String, String)> = (0..FACTS).map(|n| (format!("agencies/gz/xs/{}", n % 7), n.to_string())).collect();
    let facts: Vec<(&str, &str)> = told.iter().map(|(subject, etag)| (subject.as_str(), etag.as_str())).collect();
    // Nobody carries them yet.
    post.sender().await.stop().await.unwrap();
    tell_at_once(&post.outgoing(), &facts).await;
    let _sender = post.sender().await;
    post.etags(FACTS).await;
    // However many facts there are, the relay looks up those that wait.
    let sent = post.outgoing();
    eventually("each fact to be looked up by its key", || async {
        let lookups =
            "SELECT coalesce(sum(idx_scan), 0)::bigint FROM pg_stat_user_indexes WHERE indexrelname ~ '^facts_.*_pkey$'";
        let lookups: i64 = sqlx::query_scalar(lookups).fetch_one(sent.pool()).await.unwrap();
        if lookups >= i64::try_from(FACTS).unwrap() { Ok(()) } else { Err(lookups) }
    })
    .await;
    let mut effects = BTreeMap::<String, Vec<usize>>::new();
    for (subject, etag) in post.effects().await {
        effects.entry(subject).or_default().push(etag.parse().unwrap());
    }
    assert!(effects.values().all(|etags| etags.is_sorted()), "{effects:?}");
    assert_eq!(effects.values().map(Vec::len).sum::<usize>(), FACTS);

    let consume = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let mut heard = channel.basic_consume("heard".into(), "".into(), consume, FieldTable::default()).await.unwrap();
    let (mut messages, mut in_them) = (0, 0);
    while in_them < FACTS {
        let delivery = heard.next().await.unwrap().unwrap();
        let kind = delivery.properties.content_type().as_ref().map(|kind| kind.as_str().to_owned());
        assert_eq!(kind.as_deref(), Some("application/cloudevents-batch+json"));
        messages += 1;
        in_them += serde_json::from_slice::<Vec<Value>>(&delivery.data).unwrap().len();
    }
    assert!((in_them, messages) == (FACTS, FACTS.div_ceil(64)), "{in_them} in {messages}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_handled_is_parked_alone_and_those_that_came_with_it_are_handled_once() {
    let post = Post::open(Trouble { poison: Some("2"), ..Trouble::default() }).await;
    let running = post.receiver().await;
    let message = list(&[
        event(1, 1, SUBJECT, "1"),
        json!({"strange": 1}),
        event(2, 2, OTHER, "2"),
        event(3, 3, SUBJECT, "3"),
        event(4, 4, OTHER, "4"),
    ]);
    for _ in 0..2 {
        post.send(&message).await;
    }
    post.send(&list(&[])).await;
    post.send(event(5, 5, SUBJECT, "5").to_string().as_bytes()).await;
    assert_eq!(post.etags(3).await, ["1", "3", "5"]);
    let parked = post.so_many_parked(&running, 2).await;
    assert!(parked[0].reason == "it is poisoned" && parked[1].reason.contains("waits its turn"), "{parked:?}");
    assert!(parked.iter().all(|parked| parked.subject == OTHER), "{parked:?}");
    assert_eq!(post.nobodys(2).await.len(), 2, "the strange one once, and the empty list");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_message_that_the_broker_gave_up_what_had_no_effect_yet_is_handled_one_by_one_and_whoever_tried_is_written_down() {
    let post = Post::open(Trouble { poison: Some("4"), ..Trouble::default() }).await;
    let running = post.receiver().await;
    post.send(event(1, 1, SUBJECT, "1").to_string().as_bytes()).await;
    post.etags(1).await;
    post.give_up(&list(&[
        event(1, 1, SUBJECT, "1"),
        event(2, 2, SUBJECT, "2"),
        event(3, 3, OTHER, "3"),
        event(4, 4, OTHER, "4"),
        json!({"strange": 1}),
    ]))
    .await;
    assert_eq!(post.etags(3).await, ["1", "2", "3"]);
    assert_eq!(post.nobodys(1).await.len(), 1, "what cannot be read is not tried");
    let parked = eventually("the poisoned one to be tried", || async {
        let parked = post.parked(&running).await;
        if parked.len() == 1 && parked[0].attempts == 2 { Ok(parked) } else { Err(parked) }
    })
    .await;
    assert_eq!(parked[0].reason, "it is poisoned");
    let db = chassis::Database::open("test", &post.to.database, crate::post::SCHEMAS).unwrap();
    let mut tx = db.begin(&chassis::Scope::reaction("test", &crate::post::agency())).await.unwrap();
    let told: Vec<(String, String)> =
        sqlx::query_as("SELECT kind, actor FROM facts ORDER BY seq").fetch_all(&mut *tx).await.unwrap();
    let replayed = ("opsmesh.mailbox.v1.MessageReplayed".to_owned(), "receiver".to_owned());
    assert_eq!(told, [replayed.clone(), replayed]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_message_that_the_broker_gave_up_only_what_ends_its_process_and_waits_behind_that_stays_parked() {
    let post = Post::open(Trouble { ends: Some("2"), ..Trouble::default() }).await;
    let mut running = post.receiver().await;
    post.give_up(&list(&[
        event(1, 1, SUBJECT, "1"),
        event(2, 2, OTHER, "2"),
        event(3, 3, SUBJECT, "3"),
        event(4, 4, OTHER, "4"),
        event(5, 5, SUBJECT, "5"),
    ]))
    .await;
    let mut ended = 0;
    let came = async {
        while post.effects().await.len() < 3 {
            if running.has_ended() {
                ended += 1;
                std::mem::replace(&mut running, post.receiver().await).ended().await.unwrap_err();
            }
        }
    };
    tokio::time::timeout(SOON, came).await.expect("all others have their effects");
    assert_eq!(post.etags(3).await, ["1", "3", "5"]);
    assert_eq!(ended, 3, "it is tried again when its process was ended, which may have had another reason, and not for ever");
    let parked = post.so_many_parked(&running, 2).await;
    let held: Vec<(&str, i32)> = parked.iter().map(|parked| (parked.subject.as_str(), parked.attempts)).collect();
    assert_eq!(held, [(OTHER, 4), (OTHER, 1)]);
    assert!(parked.iter().all(|parked| parked.reason.contains("the broker gave it up")), "{parked:?}");
    // It goes on beside them.
    post.send(event(6, 6, SUBJECT, "6").to_string().as_bytes()).await;
    assert_eq!(post.etags(4).await, ["1", "3", "5", "6"]);
    assert!(!running.has_ended());
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_that_take_long_are_committed_a_few_at_a_time_and_not_with_the_last_of_them() {
    const FACTS: usize = 120;
    const TAKES: Duration = Duration::from_millis(30);
    let post = Post::open(Trouble { takes: TAKES, ..Trouble::default() }).await;
    // All of them wait when somebody comes to handle them.
    post.receiver().await.stop().await.unwrap();
    let facts: Vec<String> = (0..FACTS).map(|number| number.to_string()).collect();
    let events: Vec<Value> =
        (1..).zip(&facts).map(|(place, etag)| event(place, place.try_into().unwrap(), SUBJECT, etag)).collect();
    for together in events.chunks(FACTS / 4) {
        post.send(&list(together)).await;
    }
    let _receiver = post.receiver().await;
    let first = post.etags(1).await.len();
    assert!(first <= FACTS / 2, "{first} at once");
    assert_eq!(post.etags(FACTS).await, facts);
}
