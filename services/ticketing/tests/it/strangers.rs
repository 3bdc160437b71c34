//! F29: whoever reaches for another agency's is denied, whichever way, and it is written down.
use chassis::Scope;
use proto::ticketing::v1::{self as pb, ticketing_client::TicketingClient};
use tests::{Authority, eventually};
use tonic::Code;

use crate::{
    certificates::{OURS, THEIRS, ask, reason},
    desk::{AGENCY, Desk, call},
};

/// What stands of denied calls in the facts of an agency: who, and why.
async fn written_down(desk: &Desk, agency: &str) -> Vec<(String, String)> {
    let mut tx = desk.records().begin(&Scope::reaction("test", &agency.parse().unwrap())).await.unwrap();
    sqlx::query_as("SELECT actor, data->>'reason' FROM facts WHERE kind = 'opsmesh.access.v1.CallDenied'")
        .fetch_all(&mut *tx)
        .await
        .unwrap()
}

async fn is_written_down(desk: &Desk, agency: &str, who: &str, why: &str) {
    eventually(&format!("{who} to be written down in {agency} for {why}"), || async {
        let facts = written_down(desk, agency).await;
        if facts.contains(&(who.to_owned(), why.to_owned())) { Ok(()) } else { Err(facts) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reaches_for_another_agency_is_denied_every_way_and_written_down() {
    let authority = Authority::new();
    let desk = Desk::open_to(&authority).await;
    let issuer = &desk.stage.issuer;
    let ours = desk.agent().await.create_ticket(call("门户打不开")).await.unwrap().into_inner();

    // A forged agency: the neighbour's good token, our agency in the request, in a name, in a page token.
    let mut neighbour =
        TicketingClient::new(desk.running.as_bearer(issuer.sign(&issuer.person("wu", &["desk_agent", "admin"], &["sz"]))).await);
    let forged = neighbour.create_ticket(call("x")).await.unwrap_err();
    assert_eq!(reason(Some(forged)), Some((Code::NotFound, "AGENCY_NOT_FOUND".into())));
    let get = neighbour.get_ticket(pb::GetTicketRequest { name: ours.name.clone() }).await.unwrap_err();
    assert_eq!(get.code(), Code::NotFound);
    let hidden = ours.name.replacen("agencies/gz", "agencies/sz", 1);
    assert_eq!(neighbour.get_ticket(pb::GetTicketRequest { name: hidden }).await.unwrap_err().code(), Code::NotFound);
    is_written_down(&desk, AGENCY, "wu", "AGENCY_NOT_FOUND").await;

    // A swapped token: ours, taken, with the neighbour's own certificate.
    let stolen = issuer.sign(&issuer.person("li", &["desk_agent"], &[AGENCY]));
    let swapped = ask(&desk, &authority, Some(&authority.client(&[THEIRS])), Some(stolen.clone())).await.unwrap_err();
    assert_eq!(reason(swapped), Some((Code::Unauthenticated, "TOKEN_SWAPPED".into())));
    is_written_down(&desk, "sz", THEIRS, "TOKEN_SWAPPED").await;

    // A wrong certificate: our name, signed by nobody whom we know; with the taken token as well.
    let forger = Authority::new();
    for token in [None, Some(stolen)] {
        assert!(ask(&desk, &authority, Some(&forger.client(&[OURS])), token).await.unwrap_err().is_none());
    }
    // The neighbour's good certificate, for us.
    let theirs = ask(&desk, &authority, Some(&authority.client(&[THEIRS])), None).await.unwrap_err();
    assert_eq!(reason(theirs), Some((Code::NotFound, "AGENCY_NOT_FOUND".into())));
    is_written_down(&desk, AGENCY, THEIRS, "AGENCY_NOT_FOUND").await;

    // SQL that forgets the agency, and SQL that has the neighbour's.
    let records = desk.records();
    let bare: Result<i64, _> = sqlx::query_scalar("SELECT count(*) FROM tickets").fetch_one(records.pool()).await;
    assert!(!matches!(bare, Ok(count) if count > 0), "{bare:?}");
    let mut tx = records.begin(&Scope::reaction("test", &"sz".parse().unwrap())).await.unwrap();
    for statement in ["UPDATE tickets SET title = 'x' WHERE agency = 'gz'", "DELETE FROM tickets WHERE agency = 'gz'"] {
        assert_eq!(sqlx::query(statement).execute(&mut *tx).await.unwrap().rows_affected(), 0, "{statement}");
    }
    tx.commit().await.unwrap();

    // Nothing has come of all this.
    let list = pb::ListTicketsRequest { parent: format!("agencies/{AGENCY}"), ..Default::default() };
    assert_eq!(desk.agent().await.list_tickets(list).await.unwrap().into_inner().tickets, [ours]);
}
