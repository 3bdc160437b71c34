//! The door for other agencies' systems: who they are their certificate says.
use proto::ticketing::v1::{self as pb, ticketing_client::TicketingClient};
use serde_json::json;
use tests::{Authority, Shown, eventually};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::desk::{AGENCY, Desk, call};

/// The name of a system of the agency that tests are about.
pub(crate) const OURS: &str = "spiffe://opsmesh.test/agency/gz/desk_agent";
/// The name of another agency's system.
pub(crate) const THEIRS: &str = "spiffe://opsmesh.test/agency/sz/desk_agent";

/// Asks for a ticket of the agency; `Err(None)`: the handshake fails already.
pub(crate) async fn ask(
    desk: &Desk,
    authority: &Authority,
    shown: Option<&Shown>,
    token: Option<String>,
) -> Result<pb::Ticket, Option<Status>> {
    let way = desk.running.showing(authority, shown, token).await.map_err(|_| None)?;
    let answer = TicketingClient::new(way).create_ticket(call("门户打不开")).await;
    answer.map(tonic::Response::into_inner).map_err(|refused| {
        // A server that does not accept a certificate says so after the client has begun to speak.
        let cut = refused.get_details_error_info().is_none();
        (!cut).then_some(refused)
    })
}

pub(crate) fn reason(refused: Option<Status>) -> Option<(Code, String)> {
    let refused = refused?;
    Some((refused.code(), refused.get_details_error_info()?.reason))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_says_who_comes_and_how_far_they_reach() {
    let authority = Authority::new();
    let desk = Desk::open_to(&authority).await;
    let ours = authority.client(&[OURS]);
    ask(&desk, &authority, Some(&ours), None).await.unwrap();
    let theirs = ask(&desk, &authority, Some(&authority.client(&[THEIRS])), None).await.unwrap_err();
    assert_eq!(reason(theirs), Some((Code::NotFound, "AGENCY_NOT_FOUND".into())));
    let auditor = authority.client(&["spiffe://opsmesh.test/agency/gz/auditor"]);
    let auditor = ask(&desk, &authority, Some(&auditor), None).await.unwrap_err();
    assert_eq!(reason(auditor), Some((Code::PermissionDenied, "ROLE_MISSING".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_right_opens_nothing() {
    let authority = Authority::new();
    let desk = Desk::open_to(&authority).await;
    // Those that the handshake refuses, whatever token comes with them.
    let token = || Some(desk.stage.issuer.sign(&desk.stage.issuer.person("li", &["desk_agent"], &[AGENCY])));
    let stranger = Authority::new();
    for shown in [None, Some(stranger.client(&[OURS])), Some(authority.expired(&[OURS]))] {
        assert!(ask(&desk, &authority, shown.as_ref(), token()).await.unwrap_err().is_none(), "{shown:?}");
    }
    assert!(
        ask(&desk, &stranger, Some(&authority.client(&[OURS])), token()).await.unwrap_err().is_none(),
        "the client asks, too"
    );
    // Those that name nobody.
    let names: [&[&str]; 5] = [
        &[],
        &["spiffe://elsewhere.test/agency/gz/desk_agent"],
        &["spiffe://opsmesh.test/agency/gz/operator"],
        &["spiffe://opsmesh.test/service/stranger"],
        &[OURS, THEIRS],
    ];
    for uris in names {
        let refused = ask(&desk, &authority, Some(&authority.client(uris)), token()).await.unwrap_err();
        assert_eq!(reason(refused), Some((Code::Unauthenticated, "CERTIFICATE_UNKNOWN".into())), "{uris:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn renewed_certificates_count_without_a_restart() {
    let [before, renewed, later] = [(); 3].map(|()| Authority::new());
    let desk = Desk::open_to(&before).await;
    let own = async |authority: &Authority| ask(&desk, authority, Some(&authority.client(&[OURS])), None).await;
    own(&before).await.unwrap();
    let _ = renewed.door(desk.stage.folder());
    eventually("those of the new authority to be let in", || own(&renewed)).await;
    // Who the new one did not sign is a stranger now, and takes us for one.
    assert!(own(&before).await.unwrap_err().is_none());
    assert!(ask(&desk, &renewed, Some(&before.client(&[OURS])), None).await.unwrap_err().is_none());
    // A certificate without its key is no reason to close the door, nor to look no further.
    std::fs::remove_file(desk.stage.folder().join("server.key")).unwrap();
    eventually("the missing key to be noticed", || async {
        let metrics = desk.running.metrics().await;
        let noticed = metrics.contains(r#"opsmesh_certificate_renewals_total{outcome="refused"} 1"#);
        if noticed { Ok(()) } else { Err(metrics) }
    })
    .await;
    own(&renewed).await.unwrap();
    let _ = later.door(desk.stage.folder());
    eventually("those of the third authority to be let in", || own(&later)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_bound_to_a_certificate_is_of_no_use_without_it() {
    let authority = Authority::new();
    let desk = Desk::open_to(&authority).await;
    let (ours, copy) = (authority.client(&[OURS]), authority.client(&[OURS]));
    let mut claims = desk.stage.issuer.person("li", &["desk_agent"], &[AGENCY]);
    claims["cnf"] = json!({"x5t#S256": ours.thumbprint});
    let token = desk.stage.issuer.sign(&claims);
    ask(&desk, &authority, Some(&ours), Some(token.clone())).await.unwrap();
    let swapped = || Some((Code::Unauthenticated, "TOKEN_SWAPPED".into()));
    // Another certificate, of the same name.
    assert_eq!(reason(ask(&desk, &authority, Some(&copy), Some(token.clone())).await.unwrap_err()), swapped());
    // The pods' door, where there is none.
    let mut thief = TicketingClient::new(desk.running.as_bearer(token.clone()).await);
    assert_eq!(reason(Some(thief.create_ticket(call("x")).await.unwrap_err())), swapped());
    // That it was refused makes it no worse where it belongs.
    ask(&desk, &authority, Some(&ours), Some(token)).await.unwrap();
}
