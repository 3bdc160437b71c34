//! Tickets are followed up when it is time, by timers in the database.
use chassis::{Clock, Scope};
use jiff::{SignedDuration, Timestamp};
use proto::ticketing::v1 as pb;
use tests::eventually;

use crate::desk::{Desk, call, request_id};

async fn kinds(desk: &Desk, ticket: &str) -> Vec<String> {
    let ask = pb::ListTicketEventsRequest { parent: ticket.into() };
    let told = desk.agent().await.list_ticket_events(ask).await.unwrap().into_inner();
    told.events.into_iter().map(|event| event.r#type.rsplit('.').next().unwrap().to_owned()).collect()
}

async fn told(desk: &Desk, ticket: &str, last: &str, times: usize) {
    eventually(&format!("{last} {times} times"), || async {
        let kinds = kinds(desk, ticket).await;
        if kinds.iter().filter(|kind| *kind == last).count() == times { Ok(()) } else { Err(kinds) }
    })
    .await;
}

async fn armed(desk: &Desk) -> i64 {
    let mut tx = desk.records().begin(&Scope::platform("test")).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM timers").fetch_one(&mut *tx).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_reminded_until_they_confirm_and_a_day_later_the_ticket_is_closed() {
    let begin: Timestamp = "2026-11-23T01:00:00Z".parse().unwrap();
    let clock = Clock::standing(begin);
    let desk = Desk::open_at(clock.clone()).await;
    let mut agent = desk.agent().await;
    let ticket = agent.create_ticket(call("门户打不开")).await.unwrap().into_inner().name;
    let assign =
        pb::AssignTicketRequest { name: ticket.clone(), assignee: "chen".into(), request_id: request_id(), ..Default::default() };
    agent.assign_ticket(assign).await.unwrap();
    assert_eq!(armed(&desk).await, 0, "nothing is owed to a ticket that is worked on");
    let resolve =
        pb::ResolveTicketRequest { name: ticket.clone(), text: "重启".into(), request_id: request_id(), ..Default::default() };
    agent.resolve_ticket(resolve).await.unwrap();
    for times in [1, 2] {
        clock.set(clock.now() + SignedDuration::from_hours(72));
        told(&desk, &ticket, "TicketConfirmationReminded", times).await;
    }
    let confirm = pb::ConfirmTicketRequest { name: ticket.clone(), request_id: request_id(), ..Default::default() };
    agent.confirm_ticket(confirm).await.unwrap();
    clock.set(clock.now() + SignedDuration::from_hours(24));
    told(&desk, &ticket, "TicketClosed", 1).await;
    assert_eq!(kinds(&desk, &ticket).await.iter().filter(|kind| kind.ends_with("Reminded")).count(), 2);
    assert_eq!(armed(&desk).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_is_closed_by_hand_is_not_followed_up() {
    let desk = Desk::open().await;
    let mut agent = desk.agent().await;
    let ticket = agent.create_ticket(call("门户打不开")).await.unwrap().into_inner().name;
    let assign =
        pb::AssignTicketRequest { name: ticket.clone(), assignee: "chen".into(), request_id: request_id(), ..Default::default() };
    agent.assign_ticket(assign).await.unwrap();
    let resolve =
        pb::ResolveTicketRequest { name: ticket.clone(), text: "重启".into(), request_id: request_id(), ..Default::default() };
    agent.resolve_ticket(resolve).await.unwrap();
    assert_eq!(armed(&desk).await, 1);
    let confirm = pb::ConfirmTicketRequest { name: ticket.clone(), request_id: request_id(), ..Default::default() };
    agent.confirm_ticket(confirm).await.unwrap();
    agent.close_ticket(pb::CloseTicketRequest { name: ticket, request_id: request_id(), ..Default::default() }).await.unwrap();
    assert_eq!(armed(&desk).await, 0);
}
