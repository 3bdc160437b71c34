//! The thread through the services, without the cluster: a defect becomes a finding and a ticket, is mended, seen well again,
//! confirmed, closed.
use proto::{
    inspection::v1 as inspection,
    ticketing::v1::{self as ticketing, TicketState},
};
use tests::eventually;

use crate::services::{AGENCY, NAMESPACE, Services, enter, moment, open_run, program, request_id, seen};

#[tokio::test(flavor = "multi_thread")]
async fn a_defect_becomes_one_ticket_which_closes_after_the_re_check_and_the_users_word() {
    let services = Services::start().await;
    enter(&mut services.ledger().await, "web-01").await;
    enter(&mut services.ledger().await, "web-02").await;
    let mut operator = services.operator().await;
    program(&mut operator).await;
    let mut worker = services.worker(NAMESPACE).await;

    // A run in which one of two is down.
    let run = open_run(&mut operator, 60).await;
    assert_eq!((run.counts.unwrap().targets, run.shard_count), (2, 1));
    let shard = worker.get_shard(inspection::GetShardRequest { run: run.name.clone(), index: 0 }).await.unwrap().into_inner();
    assert_eq!(shard.targets.iter().map(|target| target.device_id.as_str()).collect::<Vec<_>>(), ["web-01", "web-02"]);
    let results = vec![seen("web-01", 61, Some(3.0)), seen("web-02", 62, None)];
    let submit = inspection::SubmitResultsRequest { run: run.name.clone(), shard: 0, results, ..Default::default() };
    assert_eq!(worker.submit_results(submit.clone()).await.unwrap().into_inner().recorded, 2);
    // Handed in twice: nothing more comes of it.
    let again = worker.submit_results(submit).await.unwrap().into_inner();
    assert_eq!((again.recorded, again.repeated_before), (0, 2));
    let finish = inspection::FinishRunRequest {
        name: run.name.clone(),
        reason: "Completed".into(),
        request_id: request_id(),
        ..Default::default()
    };
    let run = operator.finish_run(finish).await.unwrap().into_inner();
    assert_eq!(run.state(), inspection::RunState::Succeeded);
    let counts = run.counts.unwrap();
    assert_eq!((counts.expected, counts.recorded, counts.passed, counts.failed), (2, 2, 1, 1));

    // The next run sees it again: still one finding, one ticket.
    let second = open_run(&mut operator, 120).await;
    let results = vec![seen("web-01", 121, Some(3.0)), seen("web-02", 122, None)];
    worker
        .submit_results(inspection::SubmitResultsRequest { run: second.name, shard: 0, results, ..Default::default() })
        .await
        .unwrap();
    let list = inspection::ListFindingsRequest { parent: format!("agencies/{AGENCY}"), open_only: true, ..Default::default() };
    let findings = operator.list_findings(list).await.unwrap().into_inner().findings;
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].times_seen, findings[0].reason.as_str()), (2, "连接被拒绝：10.0.0.7:80"));

    let mut desk = services.desk("desk_agent").await;
    let list = ticketing::ListTicketsRequest { parent: format!("agencies/{AGENCY}"), ..Default::default() };
    let ticket = eventually("the finding's ticket", || async {
        let tickets = desk.clone().list_tickets(list.clone()).await.unwrap().into_inner().tickets;
        match tickets.as_slice() {
            [ticket] => Ok(ticket.clone()),
            other => Err(other.to_vec()),
        }
    })
    .await;
    assert_eq!((ticket.finding.as_str(), ticket.device.as_str()), (findings[0].name.as_str(), "agencies/gz-test/devices/web-02"));
    assert_eq!(ticket.grade(), ticketing::Grade::Iii);
    assert!(ticket.title.contains("服务器 web-02") && ticket.title.contains("门户端口"), "{}", ticket.title);
    assert_eq!(ticket.evidence[0].text, "连接被拒绝：10.0.0.7:80");

    // Somebody is given it and mends it; the re-check has the next word.
    let assign = ticketing::AssignTicketRequest {
        name: ticket.name.clone(),
        assignee: "chen".into(),
        request_id: request_id(),
        ..Default::default()
    };
    desk.assign_ticket(assign).await.unwrap();
    let resolve = ticketing::ResolveTicketRequest {
        name: ticket.name.clone(),
        text: "更换网线".into(),
        request_id: request_id(),
        ..Default::default()
    };
    let resolved = services.desk("engineer").await.resolve_ticket(resolve).await.unwrap().into_inner();
    assert_eq!(resolved.state(), TicketState::Resolved);
    let third = open_run(&mut operator, 180).await;
    let results = vec![seen("web-02", 182, Some(2.0))];
    worker
        .submit_results(inspection::SubmitResultsRequest { run: third.name.clone(), shard: 0, results, ..Default::default() })
        .await
        .unwrap();
    let get = ticketing::GetTicketRequest { name: ticket.name.clone() };
    let waiting = eventually("the re-check's word", || async {
        let ticket = desk.clone().get_ticket(get.clone()).await.unwrap().into_inner();
        if ticket.state() == TicketState::AwaitingConfirmation { Ok(ticket) } else { Err(ticket) }
    })
    .await;
    assert_eq!(waiting.recheck, Some(ticketing::Recheck { run: third.name, time: Some(moment(182)) }));

    // The user confirms, the desk closes.
    let close = || ticketing::CloseTicketRequest { name: ticket.name.clone(), request_id: request_id(), ..Default::default() };
    let refused = desk.close_ticket(close()).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::FailedPrecondition);
    let confirm = ticketing::ConfirmTicketRequest {
        name: ticket.name.clone(),
        comment: "好了".into(),
        request_id: request_id(),
        ..Default::default()
    };
    services.desk("requester").await.confirm_ticket(confirm).await.unwrap();
    assert_eq!(desk.close_ticket(close()).await.unwrap().into_inner().state(), TicketState::Closed);

    let events = desk
        .list_ticket_events(ticketing::ListTicketEventsRequest { parent: ticket.name.clone() })
        .await
        .unwrap()
        .into_inner()
        .events;
    let kinds: Vec<&str> = events.iter().map(|event| event.r#type.rsplit('.').next().unwrap()).collect();
    assert_eq!(
        kinds,
        ["TicketOpened", "TicketAssigned", "TicketResolved", "TicketRecheckPassed", "TicketConfirmed", "TicketClosed"]
    );
    assert_eq!(events.last().unwrap().state(), TicketState::Closed);
    let actors: Vec<&str> = events.iter().map(|event| event.actor.as_str()).collect();
    assert_eq!(actors, ["ticketing", "desk_agent-li", "engineer-li", "ticketing", "requester-li", "desk_agent-li"]);
}
