//! Whoever watches is told of everything, once and in order, and of nobody else's; and goes on where they were.
use chassis::Scope;
use proto::ticketing::v1::{self as pb, ticketing_client::TicketingClient};
use tests::{Client, eventually};
use tonic::{Code, Streaming};
use tonic_types::StatusExt;

use crate::desk::{AGENCY, Desk, call, request_id};

fn request(agency: &str, resume_token: &str, follow: bool) -> pb::WatchTicketsRequest {
    pb::WatchTicketsRequest { parent: format!("agencies/{agency}"), resume_token: resume_token.into(), follow }
}

/// Begins to follow, and knows it.
async fn follow(desk: &mut TicketingClient<Client>, agency: &str) -> (Streaming<pb::WatchTicketsResponse>, String) {
    let mut told = desk.watch_tickets(request(agency, "", true)).await.unwrap().into_inner();
    let first = told.message().await.unwrap().unwrap();
    assert_eq!((first.r#type.as_str(), first.ticket), ("", None));
    (told, first.resume_token)
}

/// The next that happened: what, to which ticket, and where that was.
async fn next(told: &mut Streaming<pb::WatchTicketsResponse>) -> (String, String, String) {
    loop {
        let said = told.message().await.unwrap().unwrap();
        if let Some(ticket) = said.ticket {
            let kind = said.r#type.rsplit('.').next().unwrap().to_owned();
            return (kind, ticket.name, said.resume_token);
        }
    }
}

/// All that there is after a token, and where the end was.
async fn rest(desk: &mut TicketingClient<Client>, token: &str) -> (Vec<(String, String)>, String) {
    let mut told = desk.watch_tickets(request(AGENCY, token, false)).await.unwrap().into_inner();
    let (mut all, mut end) = (Vec::new(), String::new());
    while let Some(said) = told.message().await.unwrap() {
        end.clone_from(&said.resume_token);
        if let Some(ticket) = said.ticket {
            all.push((said.r#type.rsplit('.').next().unwrap().to_owned(), ticket.name));
        }
    }
    (all, end)
}

async fn open(desk: &mut TicketingClient<Client>, title: &str) -> String {
    open_in(desk, AGENCY, title).await
}

async fn open_in(desk: &mut TicketingClient<Client>, agency: &str, title: &str) -> String {
    let call = pb::CreateTicketRequest { parent: format!("agencies/{agency}"), ..call(title) };
    desk.create_ticket(call).await.unwrap().into_inner().name
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_watches_is_told_of_each_fact_once_and_in_order_and_goes_on_where_they_were() {
    let desk = Desk::open().await;
    let mut agent = desk.agent().await;
    open(&mut agent, "以前的").await;
    let (mut told, begin) = follow(&mut agent, AGENCY).await;
    let (mut elsewhere, _) = follow(&mut desk.caller(&["auditor"], &["sz"]).await, "sz").await;
    let ticket = open(&mut agent, "门户打不开").await;
    let assign =
        pb::AssignTicketRequest { name: ticket.clone(), assignee: "chen".into(), request_id: request_id(), ..Default::default() };
    agent.assign_ticket(assign).await.unwrap();
    let other = open(&mut agent, "打印机卡纸").await;
    let all = [("TicketOpened", &ticket), ("TicketAssigned", &ticket), ("TicketOpened", &other)];
    let mut tokens = Vec::new();
    for (kind, name) in all {
        let (seen, whose, token) = next(&mut told).await;
        assert_eq!((seen.as_str(), &whose), (kind, name));
        tokens.push(token);
    }
    // From anywhere: what came after, and then nothing more.
    let all: Vec<(String, String)> = all.into_iter().map(|(kind, name)| (kind.to_owned(), name.clone())).collect();
    for (from, token) in [&begin].into_iter().chain(&tokens).enumerate() {
        let (after, end) = rest(&mut agent, token).await;
        assert_eq!(after, all[from..], "after {from}");
        assert_eq!(rest(&mut agent, &end).await.0, []);
    }
    // Another agency heard nothing of it, and its tokens lead nowhere here.
    open_in(&mut desk.caller(&["desk_agent"], &["sz"]).await, "sz", "别处的").await;
    let (kind, whose, token) = next(&mut elsewhere).await;
    assert!(kind == "TicketOpened" && whose.starts_with("agencies/sz/"), "{kind} {whose}");
    let refused = agent.watch_tickets(request(AGENCY, &token, true)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    // Whoever follows holds up no stop, and is told where they were.
    desk.running.stop().await.unwrap();
    let mut end = String::new();
    while let Some(said) = told.message().await.unwrap() {
        end = said.resume_token;
    }
    assert!(!end.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_committed_late_is_told_of_too() {
    let desk = Desk::open().await;
    let mut agent = desk.agent().await;
    let (mut told, _) = follow(&mut agent, AGENCY).await;
    let records = desk.records();
    let mut slow = records.begin(&Scope::reaction("test", &AGENCY.parse().unwrap())).await.unwrap();
    let late = "INSERT INTO facts (at, agency, kind, subject, actor, data)
                VALUES (now(), $1, 'opsmesh.ticketing.v1.TicketOpened', 's', 'a', '{\"ticket\": {\"name\": \"late\"}}')";
    sqlx::query(late).bind(AGENCY).execute(&mut *slow).await.unwrap();
    let quick = open(&mut agent, "门户打不开").await;
    slow.commit().await.unwrap();
    // By their numbers, once both are decided.
    assert_eq!(next(&mut told).await.1, "late");
    assert_eq!(next(&mut told).await.1, quick);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_before_is_not_told_of_though_an_older_change_is_still_open() {
    let desk = Desk::open().await;
    let mut agent = desk.agent().await;
    let records = desk.records();
    let mut older = records.begin(&Scope::reaction("test", &AGENCY.parse().unwrap())).await.unwrap();
    sqlx::query("SELECT pg_current_xact_id()").execute(&mut *older).await.unwrap();
    open(&mut agent, "以前的").await;
    let (mut told, begin) = follow(&mut agent, AGENCY).await;
    let after = open(&mut agent, "门户打不开").await;
    // Nothing is decided while it is open.
    let (none, still) = rest(&mut agent, &begin).await;
    assert_eq!(none, []);
    older.commit().await.unwrap();
    assert_eq!(next(&mut told).await.1, after);
    for place in [begin, still] {
        eventually("the one to be told of from there", || {
            let mut agent = agent.clone();
            let (place, after) = (place.clone(), after.clone());
            async move {
                let (all, _) = rest(&mut agent, &place).await;
                if all == [("TicketOpened".to_owned(), after)] { Ok(()) } else { Err(all) }
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_away_for_too_long_is_told_to_begin_anew() {
    let desk = Desk::open().await;
    let mut agent = desk.agent().await;
    let (_, begin) = rest(&mut agent, "").await;
    let records = desk.records();
    let mut tx = records.begin(&Scope::reaction("test", &AGENCY.parse().unwrap())).await.unwrap();
    let many = "INSERT INTO facts (at, agency, kind, subject, actor, data)
                SELECT now(), $1, 'opsmesh.ticketing.v1.TicketOpened', 's', 'a', '{}' FROM generate_series(1, 20001)";
    sqlx::query(many).bind(AGENCY).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let mut told = agent.watch_tickets(request(AGENCY, &begin, true)).await.unwrap().into_inner();
    told.message().await.unwrap();
    let refused = told.message().await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "{refused:?}");
    assert_eq!(refused.get_details_error_info().unwrap().reason, "RESUME_TOKEN_TOO_OLD");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_that_watches_too_much_is_asked_to_wait_and_others_are_not() {
    let desk = Desk::open().await;
    let mut agent = desk.agent().await;
    let mut watching = Vec::new();
    for _ in 0..16 {
        watching.push(follow(&mut agent, AGENCY).await);
    }
    let refused = agent.watch_tickets(request(AGENCY, "", true)).await.unwrap_err();
    assert_eq!(refused.get_error_details().error_info().unwrap().reason, "TOO_MANY_WATCH");
    assert!(refused.get_error_details().retry_info().is_some());
    follow(&mut desk.caller(&["auditor"], &["sz"]).await, "sz").await;
    watching.pop();
    eventually("a place to be free", || async {
        let mut agent = desk.agent().await;
        agent.watch_tickets(request(AGENCY, "", false)).await.map(drop).map_err(|status| status.code())
    })
    .await;
}
