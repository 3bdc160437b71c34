//! Messages that cannot be handled, that come again, and that come in the wrong order (F13, F14, F15).
use std::sync::atomic::Ordering;

use proto::mailbox::v1::{DiscardParkedMessageRequest, ListParkedMessagesRequest, ParkedMessage, ReplayParkedMessageRequest};
use serde_json::json;
use tests::{Running, eventually};
use tonic::Code;
use uuid::Uuid;

use crate::post::{Post, Trouble, agency, event, receiver, tell_now};

const SUBJECT: &str = "agencies/gz/xs/1";
const OTHER: &str = "agencies/gz/xs/2";

impl Post {
    /// What of our agency is parked, oldest first.
    pub(crate) async fn parked(&self, running: &Running) -> Vec<ParkedMessage> {
        let list = ListParkedMessagesRequest { parent: agency().name(), ..Default::default() };
        let mut mailbox = self.mailbox(running, "auditor").await;
        mailbox.list_parked_messages(list).await.unwrap().into_inner().parked_messages
    }

    pub(crate) async fn so_many_parked(&self, running: &Running, count: usize) -> Vec<ParkedMessage> {
        eventually(&format!("{count} to be parked"), || async {
            let parked = self.parked(running).await;
            if parked.len() == count { Ok(parked) } else { Err(parked) }
        })
        .await
    }

    /// What is parked and nobody's, as the platform sees it: reasons.
    pub(crate) async fn nobodys(&self, count: usize) -> Vec<String> {
        let db = chassis::Database::open("test", &self.to.database, crate::post::SCHEMAS).unwrap();
        eventually(&format!("{count} to be parked as nobody's"), || async {
            let mut tx = db.begin(&chassis::Scope::platform("test")).await.unwrap();
            let reasons: Vec<String> = sqlx::query_scalar("SELECT reason FROM inbox_parked WHERE agency IS NULL ORDER BY reason")
                .fetch_all(&mut *tx)
                .await
                .unwrap();
            if reasons.len() == count { Ok(reasons) } else { Err(reasons) }
        })
        .await
    }
}

fn replay(parked: &ParkedMessage, request_id: u128) -> ReplayParkedMessageRequest {
    ReplayParkedMessageRequest {
        name: parked.name.clone(),
        request_id: Uuid::from_u128(request_id).to_string(),
        validate_only: false,
    }
}

fn last(name: &str) -> &str {
    name.rsplit_once('/').unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_holds_its_own_subject_and_nobody_else_and_is_replayed_once_in_its_order() {
    let post = Post::open(Trouble { poison: Some("2"), ..Trouble::default() }).await;
    let (running, _sender) = (post.receiver().await, post.sender().await);
    for etag in ["1", "2", "3", "4"] {
        tell_now(&post.outgoing(), SUBJECT, etag).await;
    }
    tell_now(&post.outgoing(), OTHER, "other").await;
    assert_eq!(post.etags(2).await, ["1", "other"]);
    let parked = post.so_many_parked(&running, 3).await;
    assert_eq!(parked[0].reason, "it is poisoned");
    assert!(parked[1..].iter().all(|parked| parked.reason.contains("waits its turn")), "{parked:?}");
    assert!(parked.iter().all(|parked| parked.holds && parked.subject == SUBJECT), "{parked:?}");

    eventually("the gauge to say so", || async {
        let metrics = running.metrics().await;
        if metrics.contains("opsmesh_messages_parked 3") { Ok(()) } else { Err(metrics) }
    })
    .await;

    let mut mailbox = post.mailbox(&running, "admin").await;
    // Not mended yet: tried, and still refused; what waits goes on waiting.
    let tried = mailbox.replay_parked_message(replay(&parked[0], 1)).await.unwrap().into_inner();
    let stopped = tried.stopped_at.unwrap();
    assert_eq!((tried.handled.len(), stopped.reason.as_str(), stopped.attempts, tried.left), (0, "it is poisoned", 2, 3));

    post.to.trouble.mended.store(true, Ordering::SeqCst);
    let rehearsal = ReplayParkedMessageRequest { validate_only: true, ..replay(&parked[2], 2) };
    let rehearsed = mailbox.replay_parked_message(rehearsal).await.unwrap().into_inner();
    assert_eq!((rehearsed.handled.len(), rehearsed.left), (3, 0));
    assert_eq!(post.etags(2).await, ["1", "other"], "a rehearsal has no effect");

    // Whichever of the subject is asked for, the first goes first.
    let replayed = mailbox.replay_parked_message(replay(&parked[2], 3)).await.unwrap().into_inner();
    let names: Vec<&str> = parked.iter().map(|parked| parked.name.as_str()).collect();
    assert_eq!((replayed.handled.iter().map(String::as_str).collect::<Vec<_>>(), replayed.left), (names, 0));
    let again = mailbox.replay_parked_message(replay(&parked[2], 3)).await.unwrap().into_inner();
    assert_eq!(again, replayed, "the same request has one effect");
    let gone = mailbox.replay_parked_message(replay(&parked[0], 4)).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);

    tell_now(&post.outgoing(), SUBJECT, "5").await;
    assert_eq!(post.etags(6).await, ["1", "other", "2", "3", "4", "5"]);
    assert!(post.parked(&running).await.is_empty());
    // That a person did it is a fact.
    let db = chassis::Database::open("test", &post.to.database, crate::post::SCHEMAS).unwrap();
    let mut tx = db.begin(&chassis::Scope::reaction("test", &agency())).await.unwrap();
    let told = mailbox::timeline(&mut tx, &parked[0].name).await.unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].kind.as_str(), told[0].actor.as_str()), ("opsmesh.mailbox.v1.MessageReplayed", "li"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_read_or_believe_is_parked_with_its_reason_and_holds_nobody_up() {
    let post = Post::open(Trouble::default()).await;
    let running = post.receiver().await;
    post.send(b"\xff\xfe not a CloudEvent").await;
    post.send(&vec![b' '; 10 << 20]).await;
    // A message of our agency about what is another's.
    post.send(event(1, 1, "agencies/sz/xs/1", "stolen").to_string().as_bytes()).await;
    post.send(event(2, 2, SUBJECT, "1").to_string().as_bytes()).await;
    assert_eq!(post.etags(1).await, ["1"]);
    let reasons = post.nobodys(3).await;
    assert!(reasons[0].contains("agencies/sz/xs/1, which is not its own"), "{reasons:?}");
    assert!(reasons[1].contains("10485760 bytes"), "{reasons:?}");
    assert!(reasons[2].contains("not UTF-8"), "{reasons:?}");
    // Neither agency is shown it.
    assert!(post.parked(&running).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_arrives_again_has_one_effect_whether_it_was_handled_or_parked() {
    let post = Post::open(Trouble { poison: Some("2"), ..Trouble::default() }).await;
    let running = post.receiver().await;
    for _ in 0..3 {
        for (id, sequence, subject, etag) in [(1, 1, SUBJECT, "1"), (2, 2, SUBJECT, "2"), (3, 3, OTHER, "3")] {
            post.send(event(id, sequence, subject, etag).to_string().as_bytes()).await;
        }
    }
    post.send(event(4, 4, OTHER, "4").to_string().as_bytes()).await;
    assert_eq!(post.etags(3).await, ["1", "3", "4"]);
    let parked = post.so_many_parked(&running, 1).await;
    post.to.trouble.mended.store(true, Ordering::SeqCst);
    post.mailbox(&running, "admin").await.replay_parked_message(replay(&parked[0], 1)).await.unwrap();
    post.send(event(2, 2, SUBJECT, "2").to_string().as_bytes()).await;
    post.send(event(5, 5, OTHER, "5").to_string().as_bytes()).await;
    assert_eq!(post.etags(5).await, ["1", "3", "4", "2", "5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_too_late_is_parked_and_never_passes_what_was_handled() {
    let post = Post::open(Trouble::default()).await;
    let running = post.receiver().await;
    for (id, sequence) in [(1, 1), (3, 3), (2, 2), (4, 4)] {
        post.send(event(id, sequence, SUBJECT, &sequence.to_string()).to_string().as_bytes()).await;
    }
    assert_eq!(post.etags(3).await, ["1", "3", "4"]);
    let parked = post.so_many_parked(&running, 1).await;
    assert!(parked[0].reason.contains("fact 3 was handled before this one, fact 2"), "{parked:?}");
    assert!(!parked[0].holds);
    // Given up, it has no effect, however often it comes; and that it was is a fact.
    let discard = DiscardParkedMessageRequest {
        name: parked[0].name.clone(),
        note: "已有更新的事实".into(),
        request_id: Uuid::from_u128(9).to_string(),
        validate_only: false,
    };
    let refused = post.mailbox(&running, "auditor").await.discard_parked_message(discard.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    post.mailbox(&running, "admin").await.discard_parked_message(discard).await.unwrap();
    post.send(event(2, 2, SUBJECT, "2").to_string().as_bytes()).await;
    post.send(event(5, 5, SUBJECT, "5").to_string().as_bytes()).await;
    assert_eq!(post.etags(4).await, ["1", "3", "4", "5"]);
    assert!(post.parked(&running).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_replays_and_gives_up_what_the_rpcs_do_and_what_is_nobodys() {
    let post = Post::open(Trouble { poison: Some("1"), ..Trouble::default() }).await;
    let running = post.receiver().await;
    post.send(event(1, 1, SUBJECT, "1").to_string().as_bytes()).await;
    let garbage = json!({}).to_string();
    post.send(garbage.as_bytes()).await;
    let parked = post.so_many_parked(&running, 1).await;
    post.nobodys(1).await;
    let command = async |words: &[&str]| post.stage.command("receiver", post.to.clone(), receiver, words).await;
    command(&["parked", "list"]).await.unwrap();
    let id = last(&parked[0].name);
    let refused = command(&["parked", "replay", id, "--by", "wang"]).await.unwrap_err();
    assert!(refused.to_string().contains("it is poisoned"), "{refused:#}");
    post.to.trouble.mended.store(true, Ordering::SeqCst);
    command(&["parked", "replay", id, "--by", "wang"]).await.unwrap();
    assert_eq!(post.etags(1).await, ["1"]);
    let db = chassis::Database::open("test", &post.to.database, crate::post::SCHEMAS).unwrap();
    let mut tx = db.begin(&chassis::Scope::platform("test")).await.unwrap();
    let nobodys: Uuid = sqlx::query_scalar("SELECT id FROM inbox_parked").fetch_one(&mut *tx).await.unwrap();
    drop(tx);
    let id = nobodys.to_string();
    command(&["parked", "replay", &id, "--by", "wang"]).await.unwrap_err();
    command(&["parked", "discard", &id, "--by", "wang", "--note", "垃圾"]).await.unwrap();
    post.nobodys(0).await;
    let unknown = command(&["park"]).await.unwrap_err();
    assert!(unknown.to_string().contains("parked"), "{unknown:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_and_comes_again_among_others_makes_none_of_them_late() {
    let post = Post::open(Trouble { poison: Some("9"), ..Trouble::default() }).await;
    let running = post.receiver().await;
    let send =
        async |id: u128, sequence, subject, etag| post.send(event(id, sequence, subject, etag).to_string().as_bytes()).await;
    send(9, 9, SUBJECT, "9").await;
    let parked = post.so_many_parked(&running, 1).await;
    let given_up = DiscardParkedMessageRequest {
        name: parked[0].name.clone(),
        note: "没有人需要它".into(),
        request_id: Uuid::from_u128(1).to_string(),
        ..Default::default()
    };
    post.mailbox(&running, "admin").await.discard_parked_message(given_up).await.unwrap();
    running.stop().await.unwrap();
    for (id, sequence, subject, etag) in [(9, 9, SUBJECT, "9"), (7, 7, SUBJECT, "7"), (1, 1, OTHER, "other")] {
        send(id, sequence, subject, etag).await;
    }
    let running = post.receiver().await;
    assert_eq!(post.etags(2).await, ["7", "other"]);
    send(8, 8, SUBJECT, "8").await;
    assert_eq!(post.etags(3).await, ["7", "other", "8"]);
    assert!(post.parked(&running).await.is_empty());
}
