//! Every rpc, every role, from inside and outside the agency, over real gRPC: let in or refused as the table says.
use std::collections::{BTreeMap, BTreeSet};

use chassis::{Database, Scope};
use proto::{inventory::v1 as inventory, ticketing::v1 as ticketing};
use tests::{Running, eventually};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{
    callers::Comer,
    table::{TABLE, Things},
};
use crate::services::{AGENCY, Services, enter, open_run, program, request_id};

fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

pub(super) async fn things(services: &Services) -> Things {
    let device = enter(&mut services.ledger().await, "web-01").await;
    program(&mut services.operator().await).await;
    let run = open_run(&mut services.operator().await, 1).await;
    let call = ticketing::CreateTicketRequest {
        parent: format!("agencies/{AGENCY}"),
        ticket: Some(ticketing::Ticket {
            title: "门户打不开".into(), grade: ticketing::Grade::Iii.into(), ..Default::default()
        }),
        request_id: request_id(),
        ..Default::default()
    };
    let ticket = services.desk("desk_agent").await.create_ticket(call).await.unwrap().into_inner();
    Things { ticket: ticket.name, device: device.name, run: run.name }
}

/// The name of the service that has an rpc, and where it runs.
pub(super) fn serving<'a>(services: &'a Services, rpc: &str) -> (&'a str, &'a Running) {
    match rpc.split('.').nth(1).unwrap() {
        "inventory" => ("inventory", &services.inventory),
        "inspection" => ("inspection", &services.inspection),
        // Every service that reacts has one; ticketing does.
        "ticketing" | "mailbox" => ("ticketing", &services.ticketing),
        other => panic!("which service has {other}?"),
    }
}

#[test]
fn every_rpc_has_a_row_and_every_row_an_rpc() {
    let rows: BTreeSet<&str> = TABLE.iter().map(|row| row.rpc).collect();
    let rpcs = proto::rpcs();
    let rpcs: BTreeSet<&str> = rpcs.iter().map(|rpc| rpc.name.as_str()).collect();
    assert_eq!(rows, rpcs);
    assert_eq!(rows.len(), TABLE.len(), "a row twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_let_in_or_refused_as_the_table_says_and_who_is_refused_is_written_down() {
    let services = Services::start().await;
    let things = things(&services).await;
    let mut refused = BTreeMap::<&str, BTreeSet<(String, String, String)>>::new();
    for row in TABLE {
        let (name, running) = serving(&services, row.rpc);
        let unknown = running.send_bytes(row.rpc, "", &(row.request)(&things)).await;
        assert_eq!(unknown.code(), Code::Unauthenticated, "{} without a token: {unknown:?}", row.rpc);
        for comer in Comer::all() {
            let token = comer.token(&services, name);
            let answer = running.send_bytes(row.rpc, &token, &(row.request)(&things)).await;
            let who = format!("{} by {}: {answer:?}", row.rpc, comer.subject);
            match comer.refused(row.permitted) {
                None if answer.code() == Code::Ok => assert!(row.answers.contains(&""), "{who}"),
                None => assert!(row.answers.contains(&&*reason(&answer)), "{who}"),
                Some(expected) => {
                    assert_eq!(reason(&answer), expected, "{who}");
                    // Whose run it is, a run that is not there cannot say: no wall was met.
                    if expected != "RUN_NOT_FOUND" {
                        let fact = (comer.subject.clone(), row.rpc.to_owned(), expected.to_owned());
                        refused.entry(name).or_default().insert(fact);
                    }
                }
            }
        }
    }
    for (name, database, schemas) in [
        ("inventory", &services.databases[0], ::inventory::SCHEMAS),
        ("inspection", &services.databases[1], ::inspection::SCHEMAS),
        ("ticketing", &services.databases[2], ::ticketing::SCHEMAS),
    ] {
        let records = Database::open("test", database, schemas).unwrap();
        let expected = &refused[name];
        let written = eventually(&format!("{name} to write down whom it refused"), || async {
            let mut tx = records.begin(&Scope::reaction("test", &AGENCY.parse().unwrap())).await.unwrap();
            let written: Vec<(String, String, String)> = sqlx::query_as(
                "SELECT actor, data->>'rpc', data->>'reason' FROM facts WHERE kind = 'opsmesh.access.v1.CallDenied'",
            )
            .fetch_all(&mut *tx)
            .await
            .unwrap();
            let written: BTreeSet<_> = written.into_iter().collect();
            if written.len() >= expected.len() { Ok(written) } else { Err(written.len()) }
        })
        .await;
        assert_eq!(&written, expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_and_page_tokens_of_another_agency_say_nothing() {
    let services = Services::start().await;
    let things = things(&services).await;
    enter(&mut services.ledger().await, "web-02").await;
    let other = |role: &str| services.stage.issuer.sign(&services.stage.issuer.person("wu", &[role], &["sz-test"]));

    // The id of a ticket that another agency has is answered as one that nobody has.
    let mut desk = ticketing::ticketing_client::TicketingClient::new(services.ticketing.as_bearer(other("admin")).await);
    let (_, id) = things.ticket.rsplit_once('/').unwrap();
    let nobody = request_id();
    let mut answers = Vec::new();
    for id in [id, &nobody] {
        let name = format!("agencies/sz-test/tickets/{id}");
        let get = desk.get_ticket(ticketing::GetTicketRequest { name: name.clone() }).await.unwrap_err();
        let close = ticketing::CloseTicketRequest { name, request_id: request_id(), ..Default::default() };
        let close = desk.close_ticket(close).await.unwrap_err();
        assert_eq!((reason(&get), reason(&close)), ("TICKET_NOT_FOUND".into(), "TICKET_NOT_FOUND".into()));
        answers.push((get.message().replace(id, "…"), close.message().replace(id, "…")));
    }
    assert_eq!(answers[0], answers[1]);

    // A page token of another agency leads nowhere: in that agency, which does not exist for us, and in our own.
    let list = |agency: &str, page_token: &str| inventory::ListDevicesRequest {
        parent: format!("agencies/{agency}"),
        page_size: 1,
        page_token: page_token.into(),
        ..Default::default()
    };
    let token = services.ledger().await.list_devices(list(AGENCY, "")).await.unwrap().into_inner().next_page_token;
    assert!(!token.is_empty());
    let mut ledger = inventory::inventory_client::InventoryClient::new(services.inventory.as_bearer(other("admin")).await);
    let refused = ledger.list_devices(list(AGENCY, &token)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused)), (Code::NotFound, "AGENCY_NOT_FOUND".into()));
    let taken = ledger.list_devices(list("sz-test", &token)).await.unwrap_err();
    let garbage = ledger.list_devices(list("sz-test", "00ff")).await.unwrap_err();
    assert_eq!((taken.code(), taken.message()), (garbage.code(), garbage.message()));
}
