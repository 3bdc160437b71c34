//! Reconciling a plan: look up, check, draw up, apply, tell the status.
use std::{sync::Arc, time::Duration};

use crds::{InspectionPlan, OperationRun, keys};
use jiff::Timestamp;
use k8s_openapi::api::{batch::v1::CronJob, core::v1::Namespace};
use kube::{Api, ResourceExt, api::ListParams, runtime::controller::Action};

use crate::{
    apply::{Concern, says},
    controllers::{Context, Error},
    inspection,
    news::News,
    plan::{
        check::{Fit, Unfit, check},
        draw_up::draw_up,
        status::{Outcome, is_over, status},
    },
};

/// Finished runs kept as objects; the inspection service keeps them all.
const HISTORY: usize = 10;
/// Even where nothing happens we look again: what nobody watches may have changed.
const LOOK_AGAIN: Duration = Duration::from_secs(600);

pub(crate) async fn reconcile(plan: Arc<InspectionPlan>, context: Arc<Context>) -> Result<Action, Error> {
    if plan.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let now = context.clock.now();
    let namespace = plan.namespace().unwrap_or_default();

    // Look up.
    let agency = Api::<Namespace>::all(context.client.clone()).get(&namespace).await?.labels().get(keys::AGENCY).cloned();
    let runs = runs(&context, &plan, &namespace).await?;

    let fit = match check(&plan, agency.as_deref(), now) {
        Ok(fit) => fit,
        Err(unfit) => return stalled(&context, &plan, &unfit, &runs, now).await,
    };
    match settle(&context, &fit).await {
        Ok(()) => {
            tell(&context, &plan, &Outcome::Settled(&fit), &runs, now).await?;
            prune(&context, &namespace, runs).await?;
            Ok(Action::requeue(until_next(&fit, now)))
        }
        Err(Unsettled::Unfit(unfit)) => stalled(&context, &plan, &unfit, &runs, now).await,
        Err(Unsettled::Away(why)) => {
            tell(&context, &plan, &Outcome::Waiting { fit: &fit, why: why.clone() }, &runs, now).await?;
            Err(Error::Inspection(why))
        }
        Err(Unsettled::Api(error)) => Err(error.into()),
    }
}

/// Says that a person has to act, and looks again now and then.
async fn stalled(
    context: &Context,
    plan: &InspectionPlan,
    unfit: &Unfit,
    runs: &[OperationRun],
    now: Timestamp,
) -> Result<Action, Error> {
    tell(context, plan, &Outcome::Stalled(unfit), runs, now).await?;
    Ok(Action::requeue(LOOK_AGAIN))
}

enum Unsettled {
    Unfit(Unfit),
    Away(String),
    Api(kube::Error),
}

/// Programs a plan and puts its CronJob in place. Inspection first: a tick must find its plan programmed.
async fn settle(context: &Context, fit: &Fit) -> Result<(), Unsettled> {
    let told = inspection::plan_of(fit.resource_name(), &fit.uid, fit.generation, &fit.plan.spec);
    inspection::put_plan(&context.inspection, told).await.map_err(|error| match error {
        inspection::Error::Refused(why) => Unsettled::Unfit(Unfit::Refused(why)),
        inspection::Error::Away(why) => Unsettled::Away(why),
    })?;

    let api: Api<CronJob> = Api::namespaced(context.client.clone(), &fit.namespace);
    let desired = serde_json::to_value(draw_up(fit, &context.config.worker)).expect("a CronJob is JSON");
    let held = api.get_opt(&fit.name).await.map_err(Unsettled::Api)?;
    let held = held.map(|held| serde_json::to_value(held).expect("a CronJob is JSON"));
    if held.is_some_and(|held| says(&held, &desired)) {
        return Ok(());
    }
    match context.writer.apply(&api, &fit.name, Concern::Children, &desired).await {
        Ok(_) => Ok(()),
        // The API server knows cron expressions better than we do.
        Err(kube::Error::Api(status)) if status.code == 422 => Err(Unsettled::Unfit(Unfit::CronJob(status.message.clone()))),
        Err(error) => Err(Unsettled::Api(error)),
    }
}

/// The runs of a plan that there still are as objects.
async fn runs(context: &Context, plan: &InspectionPlan, namespace: &str) -> Result<Vec<OperationRun>, Error> {
    let uid = plan.uid().unwrap_or_default();
    let api: Api<OperationRun> = Api::namespaced(context.client.clone(), namespace);
    let selector = ListParams::default().labels(&format!("{}={uid}", keys::PLAN_UID));
    Ok(api.list(&selector).await?.items)
}

/// Writes the status, if it is another, and tells people what is new in it.
async fn tell(
    context: &Context,
    plan: &InspectionPlan,
    outcome: &Outcome<'_>,
    runs: &[OperationRun],
    now: Timestamp,
) -> Result<(), Error> {
    let said = status(plan, outcome, runs, now);
    if plan.status.as_ref() == Some(&said) {
        return Ok(());
    }
    let api: Api<InspectionPlan> = Api::namespaced(context.client.clone(), &plan.namespace().unwrap_or_default());
    context.writer.apply_status(&api, &plan.name_any(), &said).await?;
    let before = plan.status.as_ref().and_then(|status| status.observed_generation);
    let new_generation = before != plan.metadata.generation;
    match outcome {
        Outcome::Settled(fit) if new_generation => context.publish(News::Programmed { generation: fit.generation }, plan).await,
        Outcome::Stalled(unfit) if new_generation => {
            context.publish(News::Stalled { reason: unfit.reason(), message: unfit.to_string() }, plan).await;
        }
        Outcome::Settled(_) | Outcome::Stalled(_) | Outcome::Waiting { .. } => {}
    }
    Ok(())
}

/// Deletes the oldest finished runs beyond the history.
async fn prune(context: &Context, namespace: &str, runs: Vec<OperationRun>) -> Result<(), Error> {
    let mut over: Vec<OperationRun> = runs.into_iter().filter(is_over).collect();
    if over.len() <= HISTORY {
        return Ok(());
    }
    over.sort_by_key(|run| run.spec.scheduled_time.0);
    let api: Api<OperationRun> = Api::namespaced(context.client.clone(), namespace);
    for run in &over[..over.len() - HISTORY] {
        context.writer.delete(&api, &run.name_any()).await?;
    }
    Ok(())
}

/// The status shows the next tick: it is looked at again when that has passed.
fn until_next(fit: &Fit, now: Timestamp) -> Duration {
    let next = fit.schedule.next(now).map_or(LOOK_AGAIN, |tick| tick.timestamp().duration_since(now).unsigned_abs());
    (next + Duration::from_secs(1)).min(LOOK_AGAIN)
}
