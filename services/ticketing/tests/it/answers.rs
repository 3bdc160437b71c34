//! A request happens once for its request_id, however often and however fast it is sent.
use tonic::Code;
use tonic_types::StatusExt;

use crate::desk::{AGENCY, Desk, call, request_id};
use proto::ticketing::v1 as pb;

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_gets_the_same_answer_and_has_one_effect() {
    let desk = Desk::open().await;
    let mut agent = desk.agent().await;
    let request = call("门户打不开");
    let first = agent.create_ticket(request.clone()).await.unwrap().into_inner();
    let again = agent.create_ticket(request).await.unwrap().into_inner();
    assert_eq!(first, again);
    let list = pb::ListTicketsRequest { parent: format!("agencies/{AGENCY}"), ..Default::default() };
    assert_eq!(agent.list_tickets(list).await.unwrap().into_inner().tickets, [first]);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_come_at_the_same_time_wait_for_each_other() {
    let desk = Desk::open().await;
    let agent = desk.agent().await;
    let request = call("门户打不开");
    let calls = (0..8).map(|_| {
        let (mut agent, request) = (agent.clone(), request.clone());
        async move { agent.create_ticket(request).await.unwrap().into_inner().name }
    });
    let mut tasks = tokio::task::JoinSet::new();
    for call in calls {
        tasks.spawn(call);
    }
    let mut names = tasks.join_all().await;
    names.dedup();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_request_under_the_same_id_is_refused() {
    let desk = Desk::open().await;
    let mut agent = desk.agent().await;
    let request = call("门户打不开");
    agent.create_ticket(request.clone()).await.unwrap();
    let other = pb::CreateTicketRequest { request_id: request.request_id, ..call("打印机卡纸") };
    let refused = agent.create_ticket(other).await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "REQUEST_ID_REUSED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_is_not_remembered() {
    let desk = Desk::open().await;
    let mut agent = desk.agent().await;
    let ticket = agent.create_ticket(call("门户打不开")).await.unwrap().into_inner();
    let resolve = pb::ResolveTicketRequest { name: ticket.name.clone(), text: "重启".into(), request_id: request_id() };
    let refused = agent.resolve_ticket(resolve.clone()).await.unwrap_err();
    assert_eq!(refused.get_details_error_info().unwrap().reason, "TICKET_NOT_ASSIGNED");
    let assign = pb::AssignTicketRequest { name: ticket.name, assignee: "chen".into(), request_id: request_id() };
    agent.assign_ticket(assign).await.unwrap();
    assert_eq!(agent.resolve_ticket(resolve).await.unwrap().into_inner().state(), pb::TicketState::AwaitingConfirmation);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_to_every_ticket_once_newest_first() {
    let desk = Desk::open().await;
    let mut agent = desk.agent().await;
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(agent.create_ticket(call(&format!("第 {number} 个"))).await.unwrap().into_inner().name);
    }
    made.reverse();
    let mut seen = Vec::new();
    let mut list = pb::ListTicketsRequest { parent: format!("agencies/{AGENCY}"), page_size: 3, ..Default::default() };
    loop {
        let page = agent.list_tickets(list.clone()).await.unwrap().into_inner();
        seen.extend(page.tickets.into_iter().map(|ticket| ticket.name));
        if page.next_page_token.is_empty() {
            break;
        }
        list.page_token = page.next_page_token;
    }
    assert_eq!(seen, made);
    // A token continues its own question and no other.
    let other = pb::ListTicketsRequest { states: vec![pb::TicketState::New.into()], ..list };
    let refused = agent.list_tickets(other).await.unwrap_err();
    assert_eq!(refused.get_details_bad_request().unwrap().field_violations[0].field, "page_token");
}
