//! A reaction that fails because of us is tried again.
use tests::eventually;

use crate::post::{Post, Trouble, tell_now};

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_ours_is_tried_again_until_it_works() {
    let trouble = Trouble::default();
    trouble.faults.store(3, std::sync::atomic::Ordering::SeqCst);
    let post = Post::open(trouble).await;
    let running = (post.receiver().await, post.sender().await);
    for etag in ["1", "2"] {
        tell_now(&post.outgoing(), "agencies/gz/xs/1", etag).await;
    }
    eventually("both to be handled, in their order", || async {
        let etags: Vec<String> = post.effects().await.into_iter().map(|(_, etag)| etag).collect();
        if etags == ["1", "2"] { Ok(()) } else { Err(etags) }
    })
    .await;
    assert!(post.parked(&running.0).await.is_empty());
}
