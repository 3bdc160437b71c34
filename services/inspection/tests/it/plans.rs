//! Plans are programmed by the operator alone, and never go back.
use proto::inspection::v1 as pb;
use tests::wrong_field;
use tonic::Code;
use tonic_types::StatusExt;

use crate::office::{AGENCY, Office, PLAN, plan, program, request_id};

#[tokio::test(flavor = "multi_thread")]
async fn an_older_generation_is_refused_and_the_same_changes_nothing() {
    let office = Office::open(0).await;
    let mut operator = office.operator().await;
    let put = |generation| pb::PutPlanRequest { plan: Some(plan(generation)), request_id: request_id(), ..Default::default() };
    let second = operator.put_plan(put(2)).await.unwrap().into_inner();
    let again = operator.put_plan(put(2)).await.unwrap().into_inner();
    assert_eq!(second, again, "the time of its last change too");
    let refused = operator.put_plan(put(1)).await.unwrap_err();
    assert_eq!(refused.get_details_error_info().unwrap().reason, "PLAN_STALE");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_operator_programs_a_plan() {
    let office = Office::open(0).await;
    let put = || pb::PutPlanRequest { plan: Some(plan(1)), request_id: request_id(), ..Default::default() };
    let refused = office.person("admin").await.put_plan(put()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let refused = office.worker().await.put_plan(put()).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound, "a worker reaches no agency: {refused:?}");
    program(&mut office.operator().await).await;
    let read = office.person("auditor").await.get_plan(pb::GetPlanRequest { name: PLAN.into() }).await.unwrap().into_inner();
    assert_eq!(read.generation, 1);
    let list = pb::ListPlansRequest { parent: format!("agencies/{AGENCY}"), ..Default::default() };
    assert_eq!(office.person("auditor").await.list_plans(list).await.unwrap().into_inner().plans, [read]);
}

/// A way to spoil an item, with a limit to spoil it by.
type Spoil = fn(&mut pb::Item, pb::Limit);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_item_is_told_by_its_path() {
    let office = Office::open(0).await;
    let mut operator = office.operator().await;
    let limit = pb::Limit { measure: "latencyMs".into(), pass_max: Some(1.0), ..Default::default() };
    let cases: [(&str, Spoil); 7] = [
        ("plan.items[0].id", |item, _| item.id = "Port".into()),
        ("plan.items[0].title", |item, _| item.title.clear()),
        ("plan.items[0].severity", |item, _| item.severity = 0),
        ("plan.items[0].timeout", |item, _| item.timeout = None),
        ("plan.items[0].probe.kind", |item, _| item.probe = Some(pb::Probe { kind: None })),
        ("plan.items[0].limits[0].measure", |item, limit| item.limits = vec![pb::Limit { measure: "daysLeft".into(), ..limit }]),
        ("plan.items[0].limits[0].measure", |item, limit| item.limits = vec![pb::Limit { fail_above: Some(0.5), ..limit }]),
    ];
    for (expected, spoil) in cases {
        let mut wrong = plan(1);
        spoil(&mut wrong.items[0], limit.clone());
        let refused = operator
            .put_plan(pb::PutPlanRequest { plan: Some(wrong), request_id: request_id(), ..Default::default() })
            .await
            .unwrap_err();
        assert_eq!(wrong_field(&refused), expected, "{refused:?}");
    }
    let twice = pb::Plan { items: vec![plan(1).items[0].clone(); 2], ..plan(1) };
    let refused = operator
        .put_plan(pb::PutPlanRequest { plan: Some(twice), request_id: request_id(), ..Default::default() })
        .await
        .unwrap_err();
    assert_eq!(wrong_field(&refused), "plan.items[1].id");
}
