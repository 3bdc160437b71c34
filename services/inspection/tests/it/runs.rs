//! Runs: opened once for their cause, shared without gap or overlap, and each result recorded once.
use std::collections::BTreeSet;

use proto::inspection::v1 as pb;
use tests::wrong_field;
use tonic::Code;
use tonic_types::StatusExt;

use crate::office::{AGENCY, Office, plan, program, request_id, seen, tick};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_tick_is_the_same_run_whoever_asks_and_however_often() {
    let office = Office::open(3).await;
    let mut operator = office.operator().await;
    program(&mut operator).await;
    let first = operator.create_run(tick(1)).await.unwrap().into_inner();
    let again = operator.create_run(tick(1)).await.unwrap().into_inner();
    assert_eq!(first.name, again.name);
    assert_ne!(operator.create_run(tick(2)).await.unwrap().into_inner().name, first.name);
    assert_eq!(first.trace_id, "0af7651916cd43dd8448eb211c80319c");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_no_device_ends_at_once_and_says_why() {
    let office = Office::open(0).await;
    let mut operator = office.operator().await;
    program(&mut operator).await;
    let run = operator.create_run(tick(1)).await.unwrap().into_inner();
    assert_eq!((run.state(), run.shard_count), (pb::RunState::Skipped, 0));
    assert!(run.reason.contains("no device"), "{}", run.reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_a_large_run_are_its_devices_each_once() {
    // More than one page of the ledger, and more than four parts of ten: each of four does more.
    let office = Office::open(1_203).await;
    let mut operator = office.operator().await;
    program(&mut operator).await;
    let run = operator.create_run(tick(1)).await.unwrap().into_inner();
    assert_eq!((run.counts.unwrap().targets, run.shard_count), (1_203, 4));
    let mut worker = office.worker().await;
    let mut devices = Vec::new();
    for index in 0..run.shard_count {
        let shard = worker.get_shard(pb::GetShardRequest { run: run.name.clone(), index }).await.unwrap().into_inner();
        devices.extend(shard.targets.into_iter().map(|target| target.device_id));
    }
    assert_eq!(devices.len(), 1_203);
    assert_eq!(devices.into_iter().collect::<BTreeSet<_>>().len(), 1_203);
    let refused = worker.get_shard(pb::GetShardRequest { run: run.name, index: 4 }).await.unwrap_err();
    assert_eq!(wrong_field(&refused), "index");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_begins_again_is_told_what_is_left() {
    let office = Office::open(3).await;
    let mut operator = office.operator().await;
    program(&mut operator).await;
    let run = operator.create_run(tick(1)).await.unwrap().into_inner().name;
    let mut worker = office.worker().await;
    let submit = |results| pb::SubmitResultsRequest { run: run.clone(), shard: 0, results, ..Default::default() };
    worker.submit_results(submit(vec![seen(0, 1, true), seen(1, 1, true)])).await.unwrap();
    let shard = worker.get_shard(pb::GetShardRequest { run: run.clone(), index: 0 }).await.unwrap().into_inner();
    let recorded: Vec<&str> = shard.recorded.iter().map(|key| key.device_id.as_str()).collect();
    assert_eq!(recorded, ["d-00000", "d-00001"]);
    // What is recorded stays as it was first seen, and a failure that comes too late opens nothing.
    let answer = worker.submit_results(submit(vec![seen(1, 1, false), seen(2, 1, true)])).await.unwrap().into_inner();
    assert_eq!((answer.recorded, answer.repeated_before), (1, 1));
    let finished = operator
        .finish_run(pb::FinishRunRequest {
            name: run.clone(),
            reason: "Completed".into(),
            request_id: request_id(),
            ..Default::default()
        })
        .await;
    let finished = finished.unwrap().into_inner();
    assert_eq!((finished.state(), finished.counts.unwrap().passed), (pb::RunState::Succeeded, 3));
    let refused = worker.submit_results(submit(vec![seen(0, 1, true)])).await.unwrap_err();
    assert_eq!(refused.get_details_error_info().unwrap().reason, "RUN_FINISHED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ends_early_says_what_is_missing() {
    let office = Office::open(3).await;
    let mut operator = office.operator().await;
    program(&mut operator).await;
    let run = operator.create_run(tick(1)).await.unwrap().into_inner().name;
    let submit = pb::SubmitResultsRequest { run: run.clone(), shard: 0, results: vec![seen(0, 1, true)], ..Default::default() };
    office.worker().await.submit_results(submit).await.unwrap();
    let finish =
        pb::FinishRunRequest { name: run, reason: "DeadlineExceeded".into(), request_id: request_id(), ..Default::default() };
    let finished = operator.finish_run(finish).await.unwrap().into_inner();
    assert_eq!(finished.state(), pb::RunState::Incomplete);
    assert!(
        finished.reason.contains("2 results are missing") && finished.reason.contains("DeadlineExceeded"),
        "{}",
        finished.reason
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_of_another_namespace_finds_no_such_run() {
    let office = Office::open(1).await;
    let mut operator = office.operator().await;
    program(&mut operator).await;
    let run = operator.create_run(tick(1)).await.unwrap().into_inner().name;
    let mut stranger = office.workload("sz-plans", "default").await;
    let shard = pb::GetShardRequest { run: run.clone(), index: 0 };
    assert_eq!(stranger.get_shard(shard.clone()).await.unwrap_err().code(), Code::NotFound);
    let submit = pb::SubmitResultsRequest { run: run.clone(), shard: 0, results: vec![seen(0, 1, false)], ..Default::default() };
    assert_eq!(stranger.submit_results(submit).await.unwrap_err().code(), Code::NotFound);
    // Nor does a person, whatever their role.
    assert_eq!(office.person("admin").await.get_shard(shard).await.unwrap_err().code(), Code::PermissionDenied);
    // And a worker may only work.
    let mut worker = office.worker().await;
    assert_eq!(worker.get_run(pb::GetRunRequest { name: run }).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_not_of_the_work_is_refused_by_its_place() {
    let office = Office::open(12).await;
    let mut operator = office.operator().await;
    program(&mut operator).await;
    let run = operator.create_run(tick(1)).await.unwrap().into_inner().name;
    let mut worker = office.worker().await;
    let unknown = pb::Result { item_id: "disk".into(), ..seen(1, 1, true) };
    let cases = [
        ("results[1].item_id", vec![seen(0, 1, true), unknown]),
        ("results[0].device_id", vec![seen(11, 1, true)]),
        ("results[1]", vec![seen(0, 1, true), seen(0, 1, true)]),
        ("results", Vec::new()),
        ("results[0].observe_time", vec![pb::Result { observe_time: None, ..seen(0, 1, true) }]),
        ("results[0].observation", vec![pb::Result { observation: None, ..seen(0, 1, true) }]),
    ];
    for (expected, results) in cases {
        let submit = pb::SubmitResultsRequest { run: run.clone(), shard: 0, results, ..Default::default() };
        let refused = worker.submit_results(submit).await.unwrap_err();
        assert_eq!(wrong_field(&refused), expected, "{refused:?}");
    }
    let shard = worker.get_shard(pb::GetShardRequest { run, index: 0 }).await.unwrap().into_inner();
    assert!(shard.recorded.is_empty(), "a batch is taken whole or not at all");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_of_a_plan_at_once_open_one_finding() {
    let office = Office::open(1).await;
    let mut operator = office.operator().await;
    program(&mut operator).await;
    let mut tasks = tokio::task::JoinSet::new();
    for minute in 1..=6 {
        let run = operator.create_run(tick(minute)).await.unwrap().into_inner().name;
        let mut worker = office.worker().await;
        tasks.spawn(async move {
            let submit = pb::SubmitResultsRequest { run, shard: 0, results: vec![seen(0, minute, false)], ..Default::default() };
            worker.submit_results(submit).await.unwrap();
        });
    }
    tasks.join_all().await;
    let list = pb::ListFindingsRequest { parent: format!("agencies/{AGENCY}"), ..Default::default() };
    let findings = operator.list_findings(list).await.unwrap().into_inner().findings;
    assert_eq!(findings.len(), 1, "{findings:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_changes_does_not_change_a_run_that_is_open() {
    let office = Office::open(1).await;
    let mut operator = office.operator().await;
    program(&mut operator).await;
    let run = operator.create_run(tick(1)).await.unwrap().into_inner().name;
    let mut changed = plan(2);
    changed.items[0].id = "another".into();
    operator.put_plan(pb::PutPlanRequest { plan: Some(changed), request_id: request_id(), ..Default::default() }).await.unwrap();
    let shard = office.worker().await.get_shard(pb::GetShardRequest { run: run.clone(), index: 0 }).await.unwrap().into_inner();
    assert_eq!(shard.items[0].id, "port");
    let submit = pb::SubmitResultsRequest { run, shard: 0, results: vec![seen(0, 1, true)], ..Default::default() };
    assert_eq!(office.worker().await.submit_results(submit).await.unwrap().into_inner().recorded, 1);
}
