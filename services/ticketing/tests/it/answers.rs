//! A request happens once for its request_id, however often and however fast it is sent.
use std::collections::BTreeSet;

use chassis::{Database, Scope, Tx};
use proto::ticketing::v1::{self as pb, ticketing_client::TicketingClient};
use tests::{Client, eventually, wrong_field};
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::desk::{AGENCY, Desk, call, request_id};

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
async fn what_is_written_together_is_told_apart_new_repeated_and_under_a_used_id() {
    let desk = told_apart(0).await;
    assert!(desk.running.metrics().await.contains("opsmesh_combined_again_total 0"), "of a few nothing is hoped");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_again_among_many_is_told_apart_though_nobody_was_expected_to() {
    let desk = told_apart(24).await;
    let metrics = desk.running.metrics().await;
    assert!(metrics.contains("opsmesh_combined_again_total 1"), "{metrics}");
}

/// Seven that are new, repeated, or under a used id wait together, with so many that are new beside them.
async fn told_apart(beside: i64) -> Desk {
    let desk = Desk::open().await;
    let mut agent = desk.agent().await;
    let before = call("门户打不开");
    let known = agent.create_ticket(before.clone()).await.unwrap().into_inner();
    // Somebody holds the request_id of the first, so that all others wait behind it.
    let first = call("打印机卡纸");
    let records = desk.records();
    let held = hold(&records, &first).await;
    let mut first = spawn(&agent, first);
    waiting(&records, 1).await;
    let twice = call("屏幕不亮");
    let requests = [
        call("键盘失灵"),
        before.clone(),
        pb::CreateTicketRequest { request_id: before.request_id, ..call("别的") },
        twice.clone(),
        twice.clone(),
        pb::CreateTicketRequest { request_id: twice.request_id, ..call("别的") },
        call("鼠标失灵"),
    ];
    let mut calls = requests.map(|request| spawn(&agent, request));
    let others: Vec<_> = (0..beside).map(|number| spawn(&agent, call(&format!("新的 {number}")))).collect();
    // A round trip on their connection, in which they arrive. One that is late is written by itself, and is told apart all the same.
    agent.get_ticket(pb::GetTicketRequest { name: known.name.clone() }).await.unwrap();
    drop(held);
    first.join_next().await.unwrap().unwrap().unwrap();
    let mut answers = Vec::new();
    for call in &mut calls {
        answers
            .push(call.join_next().await.unwrap().unwrap().map_err(|refused| refused.get_details_error_info().unwrap().reason));
    }
    for mut other in others {
        other.join_next().await.unwrap().unwrap().unwrap();
    }
    let [new, repeated, reused, one, same, other, newest] = answers.try_into().unwrap();
    assert_eq!((repeated, reused), (Ok(known), Err("REQUEST_ID_REUSED".into())));
    // Whichever of the three came first has its ticket.
    let opened = [&one, &same, &other].into_iter().flatten().map(|ticket| &ticket.name).collect::<BTreeSet<_>>();
    assert_eq!((opened.len(), &one), (1, &same));
    assert_eq!(one.is_ok(), other.is_err());
    assert!(new.is_ok() && newest.is_ok());
    let mut tx = records.begin(&scope()).await.unwrap();
    let rows: (i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM tickets), (SELECT count(*) FROM requests), (SELECT count(*) FROM facts WHERE kind LIKE '%TicketOpened')",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    assert_eq!(rows, (5 + beside, 5 + beside, 5 + beside));
    tx.commit().await.unwrap();
    desk
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_again_in_a_transaction_beside_that_of_the_first_time_gets_its_answer() {
    let desk = Desk::open().await;
    let agent = desk.agent().await;
    let request = call("门户打不开");
    let records = desk.records();
    let held = hold(&records, &request).await;
    let mut first = spawn(&agent, request.clone());
    waiting(&records, 1).await;
    // With so many behind it the line is long, and is written beside the first.
    let mut again = spawn(&agent, request);
    let others: Vec<_> = (0..63).map(|number| spawn(&agent, call(&format!("新的 {number}")))).collect();
    waiting(&records, 2).await;
    drop(held);
    let first = first.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(again.join_next().await.unwrap().unwrap().unwrap(), first);
    for mut other in others {
        other.join_next().await.unwrap().unwrap().unwrap();
    }
    let mut tx = records.begin(&scope()).await.unwrap();
    let tickets: i64 = sqlx::query_scalar("SELECT count(*) FROM tickets").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(tickets, 64);
}

fn scope() -> Scope {
    Scope::reaction("test", &AGENCY.parse().unwrap())
}

/// Holds the place of this request, as one that is not committed yet.
async fn hold(records: &Database, request: &pb::CreateTicketRequest) -> Tx {
    let mut held = records.begin(&scope()).await.unwrap();
    sqlx::query("INSERT INTO requests (agency, request_id, fingerprint) VALUES ($1, $2, '')")
        .bind(AGENCY)
        .bind(request.request_id.parse::<uuid::Uuid>().unwrap())
        .execute(&mut *held)
        .await
        .unwrap();
    held
}

/// Waits until so many transactions wait for another.
async fn waiting(records: &Database, count: i64) {
    eventually(&format!("{count} transactions to wait"), || async {
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let mut tx = records.begin(&scope()).await.unwrap();
        let found: i64 = sqlx::query_scalar(waits).fetch_one(&mut *tx).await.unwrap();
        if found == count { Ok(()) } else { Err(found) }
    })
    .await;
}

/// A call that is under way.
fn spawn(agent: &TicketingClient<Client>, request: pb::CreateTicketRequest) -> JoinSet<Result<pb::Ticket, Status>> {
    let mut agent = agent.clone();
    let mut calls = JoinSet::new();
    calls.spawn(async move { Ok(agent.create_ticket(request).await?.into_inner()) });
    calls
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
    let resolve = pb::ResolveTicketRequest {
        name: ticket.name.clone(),
        text: "重启".into(),
        request_id: request_id(),
        ..Default::default()
    };
    let refused = agent.resolve_ticket(resolve.clone()).await.unwrap_err();
    assert_eq!(refused.get_details_error_info().unwrap().reason, "TICKET_NOT_ASSIGNED");
    let assign =
        pb::AssignTicketRequest { name: ticket.name, assignee: "chen".into(), request_id: request_id(), ..Default::default() };
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
    assert_eq!(wrong_field(&refused), "page_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_only_validated_is_answered_and_changes_nothing() {
    let desk = Desk::open().await;
    let mut agent = desk.agent().await;
    let rehearsal = pb::CreateTicketRequest { validate_only: true, ..call("门户打不开") };
    let answer = agent.create_ticket(rehearsal.clone()).await.unwrap().into_inner();
    assert_eq!(answer.state(), pb::TicketState::New);
    let get = pb::GetTicketRequest { name: answer.name.clone() };
    assert_eq!(agent.get_ticket(get).await.unwrap_err().code(), Code::NotFound);
    let facts: i64 = {
        let mut tx = desk.records().begin(&chassis::Scope::reaction("test", &AGENCY.parse().unwrap())).await.unwrap();
        sqlx::query_scalar("SELECT (SELECT count(*) FROM facts) + (SELECT count(*) FROM requests)")
            .fetch_one(&mut *tx)
            .await
            .unwrap()
    };
    assert_eq!(facts, 0);
    // What would be refused is refused, and the same request_id is still good for the real thing.
    let refused = pb::CreateTicketRequest { ticket: None, ..rehearsal.clone() };
    assert_eq!(agent.create_ticket(refused).await.unwrap_err().code(), Code::InvalidArgument);
    let real = pb::CreateTicketRequest { validate_only: false, ..rehearsal };
    agent.create_ticket(real).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_decides_by_an_old_ticket_is_refused() {
    let desk = Desk::open().await;
    let mut agent = desk.agent().await;
    let ticket = agent.create_ticket(call("门户打不开")).await.unwrap().into_inner();
    let assign = |assignee: &str, etag: &str| pb::AssignTicketRequest {
        name: ticket.name.clone(),
        assignee: assignee.into(),
        request_id: request_id(),
        etag: etag.into(),
        ..Default::default()
    };
    agent.assign_ticket(assign("chen", &ticket.etag)).await.unwrap();
    let refused = agent.assign_ticket(assign("wu", &ticket.etag)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Aborted);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "TICKET_CHANGED");
    let refused = agent.assign_ticket(assign("wu", "x")).await.unwrap_err();
    assert_eq!(wrong_field(&refused), "etag");
    agent.assign_ticket(assign("wu", "")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_gives_what_it_asks_for_page_by_page() {
    let desk = Desk::open().await;
    let mut agent = desk.agent().await;
    for title in ["打印机卡纸", "门户打不开", "打印机缺墨", "100% \"电量\""] {
        agent.create_ticket(call(title)).await.unwrap();
    }
    let list = |filter: &str| pb::ListTicketsRequest {
        parent: format!("agencies/{AGENCY}"),
        filter: filter.into(),
        page_size: 1,
        ..Default::default()
    };
    let cases: [(&str, &[&str]); 7] = [
        ("title : 打印机", &["打印机缺墨", "打印机卡纸"]),
        ("title : 打印机 AND NOT title : 墨", &["打印机卡纸"]),
        ("title = 门户打不开 OR title : 卡纸", &["门户打不开", "打印机卡纸"]),
        (r#"title = "100% \"电量\"""#, &["100% \"电量\""]),
        ("state = new AND grade = iii AND title : 户", &["门户打不开"]),
        ("state = closed OR create_time < \"2020-01-01T00:00:00Z\"", &[]),
        (r#"title = "' OR true --""#, &[]),
    ];
    for (filter, expected) in cases {
        let mut titles = Vec::new();
        let mut question = list(filter);
        loop {
            let page = agent.list_tickets(question.clone()).await.unwrap().into_inner();
            titles.extend(page.tickets.into_iter().map(|ticket| ticket.title));
            if page.next_page_token.is_empty() {
                break;
            }
            question.page_token = page.next_page_token;
        }
        assert_eq!(titles, expected, "{filter}");
    }
    let token = agent.list_tickets(list("title : 打印机")).await.unwrap().into_inner().next_page_token;
    let other = pb::ListTicketsRequest { page_token: token, ..list("title : 门户") };
    for (field, request) in [("filter", list("colour = red")), ("page_token", other)] {
        let refused = agent.list_tickets(request).await.unwrap_err();
        assert_eq!(wrong_field(&refused), field);
    }
}
