//! No door is open without a token, and each token opens only its own doors.
use proto::ticketing::v1::{self as pb, ticketing_client::TicketingClient};
use serde_json::{Value, json};
use tests::Issuer;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::desk::{AGENCY, Desk, call};

fn reason(refused: &Status) -> (Code, String) {
    (refused.code(), refused.get_details_error_info().map(|info| info.reason).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_token_is_not_let_in() {
    let desk = Desk::open().await;
    let mut nobody = TicketingClient::new(desk.running.channel().await);
    assert_eq!(reason(&nobody.create_ticket(call("x")).await.unwrap_err()), (Code::Unauthenticated, "TOKEN_MISSING".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_for_us_is_not_let_in() {
    let desk = Desk::open().await;
    let issuer = &desk.stage.issuer;
    let good = || issuer.person("li", &["desk_agent"], &[AGENCY]);
    let with = |key: &str, value: Value| {
        let mut claims = good();
        claims[key] = value;
        issuer.sign(&claims)
    };
    let stranger = Issuer::new(std::env::temp_dir().join(format!("{}.json", uuid::Uuid::from_u128(7))));
    let unsigned = {
        let signed = issuer.sign(&good());
        let (body, _) = signed.rsplit_once('.').unwrap();
        // {"alg":"none","typ":"JWT"}
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", body.split_once('.').unwrap().1)
    };
    let cases = [
        (with("aud", json!("another-service")), "TOKEN_AUDIENCE"),
        (with("exp", json!(1_000)), "TOKEN_EXPIRED"),
        (with("nbf", json!(9_000_000_000_i64)), "TOKEN_INVALID"),
        (with("iss", json!("https://elsewhere.test")), "ISSUER_UNKNOWN"),
        (stranger.sign(&good()), "TOKEN_INVALID"),
        (unsigned, "TOKEN_MALFORMED"),
        ("not.a.token".into(), "TOKEN_MALFORMED"),
        (issuer.sign(&issuer.workload("gz-demo", "default", "opsmesh-inspection")), "TOKEN_AUDIENCE"),
    ];
    for (token, expected) in cases {
        let mut caller = TicketingClient::new(desk.running.as_bearer(token).await);
        let refused = caller.create_ticket(call("x")).await.unwrap_err();
        assert_eq!(reason(&refused), (Code::Unauthenticated, expected.to_owned()), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_asked_for_and_another_agency_does_not_exist() {
    let desk = Desk::open().await;
    let mut auditor = desk.caller(&["auditor"], &[AGENCY]).await;
    assert_eq!(reason(&auditor.create_ticket(call("x")).await.unwrap_err()), (Code::PermissionDenied, "ROLE_MISSING".into()));
    let list = pb::ListTicketsRequest { parent: format!("agencies/{AGENCY}"), ..Default::default() };
    assert!(auditor.list_tickets(list.clone()).await.is_ok());

    let ticket = desk.agent().await.create_ticket(call("门户打不开")).await.unwrap().into_inner();
    let mut neighbour = desk.caller(&["desk_agent", "admin"], &["sz"]).await;
    assert_eq!(reason(&neighbour.list_tickets(list).await.unwrap_err()), (Code::NotFound, "AGENCY_NOT_FOUND".into()));
    let get = pb::GetTicketRequest { name: ticket.name };
    assert_eq!(neighbour.get_ticket(get).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_cannot_claim_to_be_a_part_of_the_platform() {
    let desk = Desk::open().await;
    let mut pretender = desk.caller(&["operator", "service", "root"], &["*"]).await;
    assert_eq!(reason(&pretender.create_ticket(call("x")).await.unwrap_err()), (Code::PermissionDenied, "ROLE_MISSING".into()));
    let list = pb::ListTicketsRequest { parent: format!("agencies/{AGENCY}"), ..Default::default() };
    assert_eq!(pretender.list_tickets(list).await.unwrap_err().code(), Code::PermissionDenied);
}
