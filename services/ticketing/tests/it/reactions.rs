//! Findings become tickets: one each, in whatever order and however often their facts arrive.
use chassis::{Clock, Filter, Scope};
use mailbox::{Received, Unhandled, handle};
use prost::Name;
use proto::inspection::v1 as inspection;
use serde_json::json;
use ticketing::{Reactions, ticket::State, tickets};

use crate::desk::{AGENCY, Desk};

const FINDING: &str = "agencies/gz/findings/019f0000-0000-8000-8000-000000000007";

fn finding() -> inspection::Finding {
    let at = |seconds: i64| Some(pbjson_types::Timestamp { seconds: 1_795_000_000 + seconds, nanos: 0 });
    inspection::Finding {
        name: FINDING.into(),
        item_title: "门户端口".into(),
        device: "agencies/gz/devices/web-01".into(),
        device_display_name: "门户".into(),
        device_address: "10.0.0.7".into(),
        severity: inspection::Severity::Critical.into(),
        reason: "连接被拒绝".into(),
        opening_run: "agencies/gz/runs/1".into(),
        last_seen_run: "agencies/gz/runs/1".into(),
        open_time: at(60),
        last_seen_time: at(60),
        times_seen: 1,
        ..inspection::Finding::default()
    }
}

fn cleared() -> inspection::Finding {
    let clear_time = Some(pbjson_types::Timestamp { seconds: 1_795_000_180, nanos: 0 });
    inspection::Finding { clearing_run: "agencies/gz/runs/3".into(), clear_time, ..finding() }
}

/// A fact as the broker brings it.
fn fact<E: Name + serde::Serialize>(id: u128, agency: &str, fact: &E) -> Received {
    let event = json!({
        "specversion": "1.0", "id": uuid::Uuid::from_u128(id), "source": "/opsmesh/inspection", "type": E::full_name(),
        "subject": FINDING, "time": "2026-11-23T01:02:03Z", "datacontenttype": "application/json",
        "agency": agency, "actor": "worker", "sequence": "1", "data": fact,
    });
    Received::read(event.to_string().as_bytes()).unwrap()
}

async fn tickets_of(desk: &Desk) -> Vec<ticketing::ticket::Ticket> {
    let agency = AGENCY.parse().unwrap();
    let mut tx = desk.records().begin(&Scope::reaction("test", &agency)).await.unwrap();
    tickets::list(&mut tx, &agency, &[], None, &Filter::default(), None, 100).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_message_has_one_effect() {
    let desk = Desk::open().await;
    let (records, reactions) = (desk.records(), Reactions::new(Clock::default()));
    let opened = fact(1, AGENCY, &inspection::FindingOpened { finding: Some(finding()) });
    assert!(handle(&records, "ticketing", &reactions, &opened).await.unwrap());
    assert!(!handle(&records, "ticketing", &reactions, &opened).await.unwrap());
    // The same news in another message, as after a restore of the sender: still the same ticket.
    let again = fact(2, AGENCY, &inspection::FindingOpened { finding: Some(finding()) });
    assert!(handle(&records, "ticketing", &reactions, &again).await.unwrap());
    let tickets = tickets_of(&desk).await;
    assert_eq!(tickets.len(), 1);
    assert_eq!(tickets[0].finding.as_deref(), Some(FINDING));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_whose_end_arrives_first_still_has_its_one_ticket() {
    let desk = Desk::open().await;
    let (records, reactions) = (desk.records(), Reactions::new(Clock::default()));
    let end = fact(2, AGENCY, &inspection::FindingCleared { finding: Some(cleared()) });
    handle(&records, "ticketing", &reactions, &end).await.unwrap();
    let beginning = fact(1, AGENCY, &inspection::FindingOpened { finding: Some(finding()) });
    handle(&records, "ticketing", &reactions, &beginning).await.unwrap();
    let tickets = tickets_of(&desk).await;
    assert_eq!(tickets.len(), 1);
    assert_eq!(tickets[0].state, State::AwaitingConfirmation);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_makes_no_sense_is_poison_and_leaves_no_trace() {
    let desk = Desk::open().await;
    let (records, reactions) = (desk.records(), Reactions::new(Clock::default()));
    let cases = [
        fact(1, AGENCY, &inspection::FindingOpened { finding: None }),
        fact(2, AGENCY, &inspection::FindingOpened { finding: Some(inspection::Finding { severity: 0, ..finding() }) }),
        fact(3, AGENCY, &inspection::FindingOpened { finding: Some(inspection::Finding { open_time: None, ..finding() }) }),
        // A finding of one agency in a message of another must not cross over.
        fact(4, "sz", &inspection::FindingOpened { finding: Some(finding()) }),
    ];
    for message in cases {
        let outcome = handle(&records, "ticketing", &reactions, &message).await;
        assert!(matches!(outcome, Err(Unhandled::Poison(_))), "{outcome:?}");
    }
    assert!(tickets_of(&desk).await.is_empty());
    let remembered: i64 = sqlx::query_scalar("SELECT count(*) FROM inbox").fetch_one(records.pool()).await.unwrap();
    assert_eq!(remembered, 0);
}
