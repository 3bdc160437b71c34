//! Reconciling a run: one step at a time, each repeatable, each leaving a trace of its own in the trace of the run.
use std::{sync::Arc, time::SystemTime};

use chassis::Origin;
use crds::{InspectionPlan, OperationRun, OperationRunStatus, Phase, Trigger, keys};
use jiff::Timestamp;
use k8s_openapi::{api::batch::v1::Job, apimachinery::pkg::apis::meta::v1::Time};
use kube::{Api, ResourceExt, runtime::controller::Action};
use opentelemetry::KeyValue;
use serde_json::json;
use sha2::{Digest, Sha256};
use tracing::Instrument;

use crate::{
    apply::Concern,
    controllers::{Context, Error},
    inspection::{self, Cause, Told},
    news::News,
    plan::summary,
    run::step::{Step, next},
};

pub(crate) async fn reconcile(run: Arc<OperationRun>, context: Arc<Context>) -> Result<Action, Error> {
    if run.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let namespace = run.namespace().unwrap_or_default();
    let jobs: Api<Job> = Api::namespaced(context.client.clone(), &namespace);
    let plans: Api<InspectionPlan> = Api::namespaced(context.client.clone(), &namespace);
    // A Job of the same name that is not ours any more does not count.
    let job = jobs.get_opt(&run.name_any()).await?.filter(|job| job.uid().as_deref() == Some(&run.spec.job_uid));
    let plan = plans.get_opt(&run.spec.plan_ref.name).await?;
    let step = next(&run, job.as_ref(), plan.as_ref(), context.clock.now());

    let origin = origin(&run);
    let span = |what: &'static str| {
        let span = tracing::info_span!(
            "step",
            otel.name = format!("{what} run"),
            opsmesh.run.name = run.name_any(),
            k8s.namespace.name = namespace
        );
        origin.adopt(&span);
        span
    };
    let turn = Turn { context: &context, run: &run, jobs: &jobs, origin };
    match step {
        Step::Open => turn.open(plan.as_ref()).instrument(span("open")).await?,
        Step::Release { shards } => turn.release(shards).instrument(span("release")).await?,
        Step::Finish { why } => turn.finish(&why).instrument(span("finish")).await?,
        Step::Skip { reason, message } => turn.skip(reason, message).instrument(span("skip")).await?,
        Step::EndJob => turn.end_job().await?,
        // Every step changes what is watched, and so brings us back; the Job's own deadline bounds the wait.
        Step::Wait | Step::Rest => {}
    }
    Ok(Action::await_change())
}

/// The trace of a run: whoever knows the run's uid knows it, and an operator that begins again goes on in it.
fn origin(run: &OperationRun) -> Origin {
    Origin::derived(&Sha256::digest(run.uid().unwrap_or_default()).into())
}

struct Turn<'a> {
    context: &'a Context,
    run: &'a OperationRun,
    jobs: &'a Api<Job>,
    origin: Origin,
}

impl Turn<'_> {
    /// Asks inspection to open the run, and writes down what it said.
    async fn open(&self, plan: Option<&InspectionPlan>) -> Result<(), Error> {
        let OperationRun { spec, .. } = self.run;
        let name = plan.and_then(|plan| plan.status.as_ref()).and_then(|status| status.plan.clone());
        let Some(name) = name else {
            // A plan that was never programmed has no runs.
            return self.skip("PlanNotProgrammed", format!("the plan {} is not programmed", spec.plan_ref.name)).await;
        };
        let cause = Cause {
            plan: name,
            cause: match spec.trigger {
                Trigger::Schedule => spec.scheduled_time.0.to_string(),
                Trigger::Manual => spec.job_uid.clone(),
            },
            scheduled_at: spec.scheduled_time.0,
            origin: self.origin,
        };
        let told = match inspection::create_run(&self.context.inspection, &cause).await {
            Ok(told) => told,
            Err(inspection::Error::Refused(why)) => return self.skip("Refused", why).await,
            Err(error) => return Err(Error::Inspection(error.to_string())),
        };
        match told.phase {
            Phase::Skipped => self.close(&told, "NoTargets").await,
            Phase::Pending | Phase::Running | Phase::Succeeded | Phase::Incomplete => {
                let status = OperationRunStatus {
                    phase: Phase::Pending,
                    run: Some(told.name),
                    shards: Some(told.shards),
                    counts: Some(told.counts),
                    trace_id: Some(self.origin.trace_id()),
                    ..OperationRunStatus::default()
                };
                self.say(&status).await
            }
        }
    }

    /// Lets the Job go: how many workers, what they need to know, and the word to start, in one patch.
    async fn release(&self, shards: i32) -> Result<(), Error> {
        let before = self.run.status.clone().unwrap_or_default();
        let run = before.run.clone().unwrap_or_default();
        let patch = json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": self.run.name_any()},
            "spec": {
                "suspend": false,
                "completions": shards,
                "parallelism": shards,
                "template": {"metadata": {"annotations": {keys::RUN: run, keys::TRACEPARENT: self.origin.to_string()}}},
            },
        });
        self.context.writer.apply(self.jobs, &self.run.name_any(), Concern::Gate, &patch).await?;
        let targets = before.counts.map(|counts| counts.targets).unwrap_or_default();
        self.say(&OperationRunStatus { phase: Phase::Running, start_time: Some(self.now()), ..before }).await?;
        self.context.publish(News::RunStarted { shards, targets, trace: self.origin.trace_id() }, self.run).await;
        Ok(())
    }

    /// Draws the balance.
    async fn finish(&self, why: &str) -> Result<(), Error> {
        let name = self.run.status.clone().unwrap_or_default().run.unwrap_or_default();
        let told = match inspection::finish_run(&self.context.inspection, &name, why).await {
            Ok(told) => told,
            Err(inspection::Error::Refused(why)) => return self.skip("Refused", why).await,
            Err(error) => return Err(Error::Inspection(error.to_string())),
        };
        self.close(&told, "ResultsMissing").await
    }

    /// Writes down how the run ended, and the span at the root of its trace.
    async fn close(&self, told: &Told, reason: &str) -> Result<(), Error> {
        let before = self.run.status.clone().unwrap_or_default();
        let well = told.phase == Phase::Succeeded;
        let status = OperationRunStatus {
            phase: told.phase,
            reason: (!well).then(|| reason.to_owned()),
            message: (!well).then(|| told.reason.clone()),
            run: Some(told.name.clone()),
            shards: Some(told.shards),
            counts: Some(told.counts),
            trace_id: Some(self.origin.trace_id()),
            finish_time: Some(self.now()),
            ..before
        };
        self.say(&status).await?;
        self.record_root(&status);
        let trace = self.origin.trace_id();
        let news = match told.phase {
            Phase::Skipped => News::RunSkipped { message: told.reason.clone() },
            Phase::Succeeded => News::RunSucceeded { summary: summary(told.counts), trace },
            Phase::Incomplete | Phase::Pending | Phase::Running => News::RunIncomplete { message: told.reason.clone(), trace },
        };
        self.context.publish(news, self.run).await;
        Ok(())
    }

    /// Does nothing in this run, and says why.
    async fn skip(&self, reason: &str, message: String) -> Result<(), Error> {
        let before = self.run.status.clone().unwrap_or_default();
        let status = OperationRunStatus {
            phase: Phase::Skipped,
            reason: Some(reason.to_owned()),
            message: Some(message.clone()),
            finish_time: Some(self.now()),
            trace_id: Some(self.origin.trace_id()),
            ..before
        };
        self.say(&status).await?;
        self.record_root(&status);
        self.context.publish(News::RunSkipped { message }, self.run).await;
        Ok(())
    }

    /// Ends a Job without running it: it is complete with nothing to complete, and its history is kept.
    async fn end_job(&self) -> Result<(), Error> {
        let patch = json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": self.run.name_any()},
            "spec": {"suspend": false, "completions": 0, "parallelism": 0},
        });
        self.context.writer.apply(self.jobs, &self.run.name_any(), Concern::Gate, &patch).await?;
        Ok(())
    }

    async fn say(&self, status: &OperationRunStatus) -> Result<(), Error> {
        let api: Api<OperationRun> = Api::namespaced(self.context.client.clone(), &self.run.namespace().unwrap_or_default());
        self.context.writer.apply_status(&api, &self.run.name_any(), status).await?;
        Ok(())
    }

    fn record_root(&self, status: &OperationRunStatus) {
        let from = SystemTime::from(self.run.creation_timestamp().map_or_else(|| self.context.clock.now(), |made| made.0));
        let to = SystemTime::from(self.context.clock.now());
        let attributes = vec![
            KeyValue::new("opsmesh.plan", self.run.spec.plan_ref.name.clone()),
            KeyValue::new("opsmesh.run", status.run.clone().unwrap_or_default()),
            KeyValue::new("opsmesh.run.phase", format!("{:?}", status.phase)),
            KeyValue::new("k8s.namespace.name", self.run.namespace().unwrap_or_default()),
        ];
        chassis::record_root(&self.origin, format!("run {}", self.run.name_any()), from, to, attributes);
    }

    /// Kubernetes keeps seconds.
    fn now(&self) -> Time {
        Time(Timestamp::from_second(self.context.clock.now().as_second()).expect("a moment cut to the second is a moment"))
    }
}
