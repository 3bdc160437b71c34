//! An issuer changes its keys, and goes away, under a door that stays open.
use proto::ticketing::v1::{self as pb, ticketing_client::TicketingClient};
use tests::eventually;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::desk::{AGENCY, Desk};

/// Shows a token that was never shown before: nothing is remembered of it.
async fn show(desk: &Desk, token: String) -> Result<(), Status> {
    let mut caller = TicketingClient::new(desk.running.as_bearer(token).await);
    caller.list_tickets(pb::ListTicketsRequest { parent: format!("agencies/{AGENCY}"), ..Default::default() }).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_takes_a_new_key_and_goes_away_and_the_door_stays_open() {
    let mut desk = Desk::open().await;
    let claims = |desk: &Desk, name: &str| desk.stage.issuer.person(name, &["desk_agent"], &[AGENCY]);
    show(&desk, desk.stage.issuer.sign(&claims(&desk, "li"))).await.unwrap();

    desk.stage.issuer.rotate();
    let new = desk.stage.issuer.sign(&claims(&desk, "chen"));
    eventually("the new key to open the door", || show(&desk, new.clone())).await;
    show(&desk, desk.stage.issuer.sign_as_before(&claims(&desk, "wu"))).await.unwrap();

    // It takes another key, and is away before anybody could ask which.
    desk.stage.issuer.rotate();
    desk.stage.issuer.go_away();
    let unknown = desk.stage.issuer.sign(&claims(&desk, "zhou"));
    let told = eventually("a key that cannot be had to be told from one that is not there", || async {
        let refused = show(&desk, unknown.clone()).await.unwrap_err();
        if refused.code() == Code::Unavailable { Ok(refused) } else { Err(refused) }
    })
    .await;
    assert_eq!(told.get_details_error_info().unwrap().reason, "KEYS_UNAVAILABLE");
    show(&desk, desk.stage.issuer.sign_as_before(&claims(&desk, "zheng"))).await.unwrap();
}
