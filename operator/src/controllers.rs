//! The controllers: who is woken by what, and what they all share.
use std::{sync::Arc, time::Duration};

use chassis::{Clock, Meter, Upstream};
use crds::{InspectionPlan, OperationRun, keys};
use futures::{StreamExt, future::join_all};
use k8s_openapi::api::{
    batch::v1::{CronJob, Job},
    core::v1::{Namespace, ObjectReference},
};
use kube::{
    Api, Client, Resource, ResourceExt,
    runtime::{
        Config as Tuning, Controller,
        controller::Action,
        events::{Recorder, Reporter},
        reflector::{ObjectRef, Store},
        watcher,
    },
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};
use proto::inspection::v1::inspection_client::InspectionClient;
use tokio_util::sync::CancellationToken;

use crate::{
    Config,
    apply::Writer,
    backoff::{Backoff, Reconnect},
    job,
    news::News,
    plan, run,
};

/// Reconciles at once for each kind; kube's own default is without bound.
const AT_ONCE: u16 = 16;
/// What a burst of changes (a GitOps apply) is gathered for.
const DEBOUNCE: Duration = Duration::from_millis(100);
/// Load balancers before an API server drop a watch that is silent for four minutes.
const WATCH: u32 = 200;

/// What all reconciles share.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) inspection: InspectionClient<Upstream>,
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) writer: Writer,
    recorder: Recorder,
    backoff: Backoff,
    reconciles: Family<Labels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    kind: &'static str,
    outcome: &'static str,
}

/// Why a reconcile has to be tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the API server")]
    Api(#[from] kube::Error),
    #[error("{0}")]
    Inspection(String),
}

impl Context {
    pub(crate) fn new(
        client: Client,
        inspection: InspectionClient<Upstream>,
        config: Config,
        clock: Clock,
        meter: &Meter,
    ) -> Arc<Self> {
        let reporter = Reporter { controller: keys::MANAGER.into(), instance: Some(config.identity.clone()) };
        Arc::new(Self {
            recorder: Recorder::new(client.clone(), reporter),
            writer: Writer::new(meter),
            backoff: Backoff::default(),
            reconciles: meter.register("opsmesh_reconciles", "Reconciles, by kind and outcome", Family::default()),
            client,
            inspection,
            config,
            clock,
        })
    }

    /// Tells people. An event that cannot be written is no reason to do the work again.
    pub(crate) async fn publish<K>(&self, news: News, about: &K)
    where
        K: Resource<DynamicType = ()>,
    {
        let reference: ObjectReference = about.object_ref(&());
        if let Err(error) = self.recorder.publish(&news.into(), &reference).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "an event was not written");
        }
    }

    fn well(&self, kind: &'static str, key: &str) {
        self.reconciles.get_or_create(&Labels { kind, outcome: "well" }).inc();
        self.backoff.well(key);
    }

    fn failed(&self, kind: &'static str, key: &str, error: &Error) -> Action {
        self.reconciles.get_or_create(&Labels { kind, outcome: "failed" }).inc();
        let wait = self.backoff.failed(key);
        tracing::warn!(error = error as &dyn std::error::Error, kind, object = key, ?wait, "a reconcile waits");
        Action::requeue(wait)
    }
}

/// Runs all controllers until told to stop.
pub(crate) async fn run(context: Arc<Context>, stop: CancellationToken) -> anyhow::Result<()> {
    let namespaces = context.config.namespaces.clone();
    if namespaces.is_empty() {
        within(None, context, stop.clone()).await;
    } else {
        join_all(namespaces.iter().map(|namespace| within(Some(namespace), context.clone(), stop.clone()))).await;
    }
    anyhow::ensure!(stop.is_cancelled(), "the controllers ended");
    Ok(())
}

async fn within(namespace: Option<&str>, context: Arc<Context>, stop: CancellationToken) {
    tokio::join!(
        plans(namespace, context.clone(), stop.clone()),
        runs(namespace, context.clone(), stop.clone()),
        jobs(namespace, context, stop),
    );
}

fn api<K>(context: &Context, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(context.client.clone(), namespace),
        None => Api::all(context.client.clone()),
    }
}

fn ours() -> watcher::Config {
    watcher::Config::default().timeout(WATCH).labels(&format!("{}={}", keys::MANAGED_BY, keys::MANAGER))
}

fn tuning() -> Tuning {
    Tuning::default().concurrency(AT_ONCE).debounce(DEBOUNCE)
}

/// Plans wake by themselves, by their CronJob, by their runs, and by the label of their namespace.
async fn plans(namespace: Option<&str>, context: Arc<Context>, stop: CancellationToken) {
    let controller = Controller::new(api::<InspectionPlan>(&context, namespace), watcher::Config::default().timeout(WATCH));
    let store = controller.store();
    controller
        .with_config(tuning())
        .trigger_backoff(Reconnect)
        .owns(api::<CronJob>(&context, namespace), ours())
        .watches(api::<OperationRun>(&context, namespace), ours(), |run: OperationRun| {
            run.namespace().map(|namespace| ObjectRef::<InspectionPlan>::new(&run.spec.plan_ref.name).within(&namespace))
        })
        .watches(
            Api::<Namespace>::all(context.client.clone()),
            watcher::Config::default().timeout(WATCH),
            move |namespace: Namespace| plans_of(&store, &namespace.name_any()),
        )
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(
            |plan, context: Arc<Context>| async move {
                let key = key("plan", &*plan);
                let outcome = plan::reconcile(plan, context.clone()).await;
                if outcome.is_ok() {
                    context.well("InspectionPlan", &key);
                }
                outcome
            },
            |plan, error, context| context.failed("InspectionPlan", &key("plan", &*plan), error),
            context,
        )
        .for_each(|_| async {})
        .await;
}

fn plans_of(store: &Store<InspectionPlan>, namespace: &str) -> Vec<ObjectRef<InspectionPlan>> {
    store
        .state()
        .iter()
        .filter(|plan| plan.namespace().as_deref() == Some(namespace))
        .map(|plan| ObjectRef::from_obj(&**plan))
        .collect()
}

/// Runs wake by themselves and by their Job, which has their name.
async fn runs(namespace: Option<&str>, context: Arc<Context>, stop: CancellationToken) {
    Controller::new(api::<OperationRun>(&context, namespace), watcher::Config::default().timeout(WATCH))
        .with_config(tuning())
        .trigger_backoff(Reconnect)
        .watches(api::<Job>(&context, namespace), ours(), |job: Job| {
            job.namespace().map(|namespace| ObjectRef::<OperationRun>::new(&job.name_any()).within(&namespace))
        })
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(
            |run, context: Arc<Context>| async move {
                let key = key("run", &*run);
                let outcome = run::reconcile(run, context.clone()).await;
                if outcome.is_ok() {
                    context.well("OperationRun", &key);
                }
                outcome
            },
            |run, error, context| context.failed("OperationRun", &key("run", &*run), error),
            context,
        )
        .for_each(|_| async {})
        .await;
}

/// Jobs wake by themselves.
async fn jobs(namespace: Option<&str>, context: Arc<Context>, stop: CancellationToken) {
    Controller::new(api::<Job>(&context, namespace), ours())
        .with_config(tuning())
        .trigger_backoff(Reconnect)
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(
            |job, context: Arc<Context>| async move {
                let key = key("job", &*job);
                let outcome = job::reconcile(job, context.clone()).await;
                if outcome.is_ok() {
                    context.well("Job", &key);
                }
                outcome
            },
            |job, error, context| context.failed("Job", &key("job", &*job), error),
            context,
        )
        .for_each(|_| async {})
        .await;
}

fn key<K: ResourceExt>(kind: &str, object: &K) -> String {
    format!("{kind}/{}/{}", object.namespace().unwrap_or_default(), object.name_any())
}
