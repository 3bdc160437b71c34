//! Messages that cannot be handled: tried again where the cause is ours, put aside with the reason where it is the message's.
use serde_json::json;
use tests::eventually;

use crate::post::{Post, Trouble, tell_now};

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_parked_with_its_reason_and_holds_nobody_up() {
    let post = Post::open(Trouble { poison: Some("2"), ..Trouble::default() }).await;
    let _running = (post.receiver().await, post.sender().await);
    for etag in ["1", "2", "3"] {
        tell_now(&post.outgoing(), "agencies/gz/xs/1", etag).await;
    }
    // Something that is no fact at all.
    post.stage.vhost.publish("opsmesh.facts", "opsmesh.inventory.v1.DeviceCreated.gz", json!({}), "not a CloudEvent").await;
    eventually("the others to be handled", || async {
        let etags: Vec<String> = post.effects().await.into_iter().map(|(_, etag)| etag).collect();
        if etags == ["1", "3"] { Ok(()) } else { Err(etags) }
    })
    .await;
    eventually("both to be parked", || async {
        match post.stage.vhost.depth("opsmesh.receiver.parked").await {
            Ok(2) => Ok(()),
            other => Err(other),
        }
    })
    .await;
    let parked = post.stage.vhost.take("opsmesh.receiver.parked", 2).await;
    let mut reasons: Vec<&str> =
        parked.iter().filter_map(|message| message["properties"]["headers"]["x-opsmesh-reason"].as_str()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons[0], "it is poisoned");
    assert!(reasons[1].contains("no CloudEvent of ours"), "{reasons:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_ours_is_tried_again_until_it_works() {
    let trouble = Trouble::default();
    trouble.faults.store(3, std::sync::atomic::Ordering::SeqCst);
    let post = Post::open(trouble).await;
    let _running = (post.receiver().await, post.sender().await);
    for etag in ["1", "2"] {
        tell_now(&post.outgoing(), "agencies/gz/xs/1", etag).await;
    }
    eventually("both to be handled, in their order", || async {
        let etags: Vec<String> = post.effects().await.into_iter().map(|(_, etag)| etag).collect();
        if etags == ["1", "2"] { Ok(()) } else { Err(etags) }
    })
    .await;
    assert_eq!(post.stage.vhost.depth("opsmesh.receiver.parked").await.unwrap_or(0), 0);
}
