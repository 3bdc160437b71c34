//! Jobs: a Job of a plan, born suspended, gets its OperationRun. The run decides what becomes of it.
use std::sync::Arc;

use crds::{OperationRun, OperationRunSpec, PlanRef, Trigger, keys};
use k8s_openapi::{api::batch::v1::Job, apimachinery::pkg::apis::meta::v1::Time};
use kube::{Api, ResourceExt, api::ObjectMeta, runtime::controller::Action};

use crate::controllers::{Context, Error};

/// Where the CronJob controller writes the tick that a Job is for.
const TICK: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

pub(crate) async fn reconcile(job: Arc<Job>, context: Arc<Context>) -> Result<Action, Error> {
    if let Some(run) = run_of(&job) {
        let api: Api<OperationRun> = Api::namespaced(context.client.clone(), &job.namespace().unwrap_or_default());
        // Looking is cheaper than writing: every change of a Job comes by here.
        if api.get_opt(&run.name_any()).await?.is_none() {
            context.writer.create(&api, &run).await?;
        }
    }
    Ok(Action::await_change())
}

/// The run of a Job that still waits to be let go. Pure.
fn run_of(job: &Job) -> Option<OperationRun> {
    let waits = job.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true));
    let begun = job.status.as_ref().is_some_and(|status| status.start_time.is_some() || status.completion_time.is_some());
    if !waits || begun || job.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let label = |key: &str| job.labels().get(key).cloned();
    let (kind, name, uid) = (label(keys::PLAN_KIND)?, label(keys::PLAN_NAME)?, label(keys::PLAN_UID)?);
    let tick = job.annotations().get(TICK).and_then(|text| text.parse().ok());
    let (scheduled_time, trigger) = match tick {
        Some(tick) => (Time(tick), Trigger::Schedule),
        None => (job.creation_timestamp()?, Trigger::Manual),
    };
    let labels = [
        (keys::MANAGED_BY.to_owned(), keys::MANAGER.to_owned()),
        (keys::PLAN_KIND.to_owned(), kind.clone()),
        (keys::PLAN_NAME.to_owned(), name.clone()),
        (keys::PLAN_UID.to_owned(), uid.clone()),
    ];
    Some(OperationRun {
        metadata: ObjectMeta {
            // The CronJob controller names a Job by plan and tick: making the run again finds it made.
            name: Some(job.name_any()),
            namespace: job.namespace(),
            labels: Some(labels.into()),
            ..ObjectMeta::default()
        },
        spec: OperationRunSpec { plan_ref: PlanRef { kind, name, uid }, scheduled_time, trigger, job_uid: job.uid()? },
        status: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(annotations: serde_json::Value, suspend: bool) -> Job {
        serde_json::from_value(serde_json::json!({
            "metadata": {
                "name": "web-29341", "namespace": "gz-demo", "uid": "77", "creationTimestamp": "2026-11-23T02:54:01Z",
                "labels": {"opsmesh.io/plan-kind": "InspectionPlan", "opsmesh.io/plan-name": "web", "opsmesh.io/plan-uid": "e6ac"},
                "annotations": annotations,
            },
            "spec": {"suspend": suspend, "template": {}},
        }))
        .unwrap()
    }

    #[test]
    fn a_tick_is_the_time_of_its_run() {
        let run = run_of(&job(serde_json::json!({TICK: "2026-11-23T10:54:00+08:00"}), true)).unwrap();
        assert_eq!(
            (run.spec.scheduled_time.0.to_string().as_str(), run.spec.trigger),
            ("2026-11-23T02:54:00Z", Trigger::Schedule)
        );
        assert_eq!(run.name_any(), "web-29341");
    }

    #[test]
    fn a_job_made_by_hand_is_a_run_too() {
        let run = run_of(&job(serde_json::json!({"cronjob.kubernetes.io/instantiate": "manual"}), true)).unwrap();
        assert_eq!((run.spec.scheduled_time.0.to_string().as_str(), run.spec.trigger), ("2026-11-23T02:54:01Z", Trigger::Manual));
    }

    #[test]
    fn a_job_that_was_let_go_gets_no_run() {
        assert!(run_of(&job(serde_json::json!({}), false)).is_none());
    }
}
