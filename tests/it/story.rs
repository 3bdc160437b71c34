//! The story on the real cluster, and the README's walk: apply; a green run; the web server stops; a finding and a ticket; it
//! starts; the re-check; the user's word; closed. One trace id through all of it.
use std::time::Duration;

use proto::{
    inspection::v1 as inspection,
    ticketing::v1::{self as ticketing, TicketState},
};
use serde_json::{Value, json};
use tests::{eventually, told, within};

use crate::{
    cluster::{Estate, Trace, Web, kubectl, kubectl_json, program, service, token},
    services::request_id,
};

/// A plan of the portal's port, every minute.
fn plan(port: u16) -> Value {
    json!({
        "apiVersion": "opsmesh.io/v1alpha1", "kind": "InspectionPlan", "metadata": {"name": "portal"},
        "spec": {
            "schedule": {"cron": "* * * * *"},
            "items": [{
                "id": "page", "title": "门户首页", "severity": "Critical",
                "probe": {"http": {"port": port}},
                "limits": [{"measure": "latencyMs", "passMax": 5000}],
            }],
            "deadline": "50s",
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_web_server_becomes_a_ticket_and_a_started_one_closes_it() {
    println!("API server: {}", kubectl(&["version", "-o", "json"]).await.unwrap());
    println!("node: {}", kubectl(&["get", "nodes", "-o", "wide"]).await.unwrap());
    let estate = Estate::found("story").await;
    let mut web = Web::prepare();
    web.start().await;
    estate.enter("portal-web", &told("OPSMESH_BRIDGE")).await;

    // Apply, and wait as a pipeline does.
    println!("{}", estate.apply(&plan(web.port)).await.unwrap());
    kubectl(&["wait", "--for=condition=Ready", "insp/portal", "-n", &estate.name, "--timeout=30s"]).await.unwrap();

    // A green run.
    let green = estate.next_run(&[]).await;
    assert_eq!(
        (green["status"]["phase"].as_str(), green["status"]["counts"]["passed"].as_i64()),
        (Some("Succeeded"), Some(1)),
        "{green:#}"
    );
    let mut known = vec![green["metadata"]["name"].as_str().unwrap().to_owned()];
    let line = eventually("the plan to tell the story in one line", || async {
        let table = kubectl(&["get", "insp", "-n", &estate.name]).await?;
        let line = table.lines().nth(1).unwrap_or_default().to_owned();
        if line.contains("Succeeded") && line.contains("1/1") { Ok(table) } else { Err(table) }
    })
    .await;
    println!("{line}");
    let status = estate.plan("portal").await.unwrap()["status"].clone();
    assert!(status["nextScheduleTime"].as_str().is_some_and(|next| next.ends_with("+08:00")), "{status:#}");
    let conditions = status["conditions"].as_array().unwrap();
    let is =
        |type_: &str| conditions.iter().find(|condition| condition["type"] == type_).map(|condition| condition["status"].clone());
    assert_eq!(is("Ready"), Some(json!("True")));
    assert_eq!(is("LastRunSucceeded"), Some(json!("True")));
    assert_eq!(is("Stalled"), None);

    // The web server stops: within two ticks there is a finding and a ticket.
    web.stop();
    let ticket = within(Duration::from_secs(150), "a ticket within two ticks", || async {
        match estate.tickets().await?.as_slice() {
            [ticket] => Ok(ticket.clone()),
            other => Err(format!("{other:#?}")),
        }
    })
    .await;
    assert_eq!(ticket.grade(), ticketing::Grade::Ii);
    assert!(ticket.evidence[0].text.contains("连接被拒绝"), "{ticket:#?}");
    let finding = inspection::GetFindingRequest { name: ticket.finding.clone() };
    let finding = estate.inspection().await.get_finding(finding).await.unwrap().into_inner();
    let opening = estate
        .runs()
        .await
        .unwrap()
        .into_iter()
        .find(|run| run["status"]["run"] == finding.opening_run.as_str())
        .expect("the run that opened the finding is an object in the cluster");
    let trace_id = opening["status"]["traceId"].as_str().unwrap().to_owned();
    assert_eq!((ticket.trace_id.as_str(), finding.trace_id.as_str()), (trace_id.as_str(), trace_id.as_str()));

    // As another agency's person would see it.
    let bearer = format!("authorization: Bearer {}", token("desk-li", "desk_agent", &estate.name).await);
    let address = service("ticketing").await.replace("http://", "");
    let question = json!({"name": ticket.name}).to_string();
    let shown =
        program("grpcurl", &["-plaintext", "-H", &bearer, "-d", &question, &address, "opsmesh.ticketing.v1.Ticketing/GetTicket"])
            .await;
    let shown: Value = serde_json::from_str(&shown.unwrap()).unwrap();
    println!("{shown:#}");
    assert_eq!(shown["state"], "TICKET_STATE_NEW");
    let wrong = json!({"name": ticket.name, "request_id": "7"}).to_string();
    let refused =
        program("grpcurl", &["-plaintext", "-H", &bearer, "-d", &wrong, &address, "opsmesh.ticketing.v1.Ticketing/CloseTicket"])
            .await;
    let refused = refused.unwrap_err();
    assert!(refused.contains("\"field\": \"request_id\"") && refused.contains("zh-CN"), "a refusal can be read: {refused}");

    // The worker's log has the same trace.
    let selector = format!("job-name={}", opening["metadata"]["name"].as_str().unwrap());
    // What a container says can be had once the node has told the API server that it runs, which may be after what it came for is done.
    let log = eventually("the worker's log to have the trace", || async {
        let log = kubectl(&["logs", "-n", &estate.name, "-l", &selector, "--tail=-1"]).await?;
        let mut lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("a log line is JSON"));
        if lines.any(|line| line["trace_id"] == trace_id.as_str()) { Ok(log) } else { Err(log) }
    })
    .await;
    println!("{log}");

    // It starts: the re-check passes, the ticket awaits its user.
    web.start().await;
    known.push(opening["metadata"]["name"].as_str().unwrap().to_owned());
    let get = ticketing::GetTicketRequest { name: ticket.name.clone() };
    let waiting = within(Duration::from_secs(150), "the re-check's word", || async {
        let ticket =
            estate.desk("auditor").await.get_ticket(get.clone()).await.map_err(|status| status.to_string())?.into_inner();
        if ticket.state() == TicketState::AwaitingConfirmation { Ok(ticket) } else { Err(format!("{ticket:#?}")) }
    })
    .await;
    assert!(waiting.recheck.is_some());
    let confirm = ticketing::ConfirmTicketRequest {
        name: ticket.name.clone(),
        comment: "好了".into(),
        request_id: request_id(),
        ..Default::default()
    };
    estate.desk("requester").await.confirm_ticket(confirm).await.unwrap();
    let close = ticketing::CloseTicketRequest { name: ticket.name.clone(), request_id: request_id(), ..Default::default() };
    let closed = estate.desk("desk_agent").await.close_ticket(close).await.unwrap().into_inner();
    assert_eq!(closed.state(), TicketState::Closed);
    assert_eq!(estate.tickets().await.unwrap().len(), 1, "one finding, one ticket");

    // One trace id through all of it.
    let trace = within(Duration::from_secs(60), "the whole trace", || async {
        let trace = Trace::fetch(&trace_id).await?;
        let whole = [
            ("operator", "run portal-"),
            ("operator", "open run"),
            ("operator", "release run"),
            ("operator", "finish run"),
            ("inspection", "Inspection/CreateRun"),
            ("inventory", "Inventory/ListDevices"),
            ("inspector", "inspect shard"),
            ("inspection", "Inspection/SubmitResults"),
            ("inspection", "send opsmesh.inspection.v1.FindingOpened"),
            ("ticketing", "process opsmesh.inspection.v1.FindingOpened"),
            ("ticketing", "opsmesh.ticketing.v1.TicketOpened"),
            ("inspection", "opsmesh.inspection.v1.FindingCleared"),
            ("ticketing", "opsmesh.ticketing.v1.TicketRecheckPassed"),
            ("ticketing", "opsmesh.ticketing.v1.TicketConfirmed"),
            ("ticketing", "opsmesh.ticketing.v1.TicketClosed"),
        ];
        let missing: Vec<_> = whole.iter().filter(|(service, words)| !trace.has(service, words)).collect();
        if missing.is_empty() && trace.orphans == 0 { Ok(trace) } else { Err(format!("missing {missing:?}: {trace:#?}")) }
    })
    .await;
    println!("{trace:#?}");

    // Metrics of every process are scraped.
    for job in ["ticketing", "inventory", "inspection", "opsmesh-operator"] {
        let query = format!("sum(up{{namespace=\"opsmesh\",pod=~\"{job}-.*\"}})");
        within(Duration::from_secs(60), &format!("two replicas of {job} to be scraped"), || async {
            let url = format!("{}/api/v1/query", told("OPSMESH_METRICS_URL"));
            let url = reqwest::Url::parse_with_params(&url, [("query", &query)]).map_err(|error| error.to_string())?;
            let answer: Value =
                async { reqwest::get(url).await?.json().await }.await.map_err(|error: reqwest::Error| error.to_string())?;
            if answer["data"]["result"][0]["value"][1] == "2" { Ok(()) } else { Err(answer.to_string()) }
        })
        .await;
    }
    let events = kubectl_json(&["get", "events", "-n", &estate.name]).await.unwrap();
    let reasons: Vec<&str> = events["items"].as_array().unwrap().iter().filter_map(|event| event["reason"].as_str()).collect();
    for reason in ["Programmed", "RunStarted", "RunSucceeded"] {
        assert!(reasons.contains(&reason), "{reason}: {reasons:?}");
    }
}
