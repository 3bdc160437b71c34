//! Numbers at `/metrics`, in OpenMetrics text, with the trace of an example beside each latency.
use std::sync::{Arc, Mutex};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{exemplar::HistogramWithExemplars, family::Family},
    registry::{Metric, Registry},
};

use crate::process::Process;

/// Where a process keeps its numbers.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Registry>>);

impl Meter {
    /// One that also shows what this process takes of its machine.
    pub(crate) fn of_process() -> Self {
        let meter = Self::default();
        meter.0.lock().expect("nobody panics while registering").register_collector(Box::new(Process));
        meter
    }

    /// Shows `metric` under `name` (a counter's name without `_total`), and gives it back.
    pub fn register<M: Metric + Clone>(&self, name: &str, help: &str, metric: M) -> M {
        self.0.lock().expect("nobody panics while registering").register(name, help, metric.clone());
        metric
    }

    /// All of them, as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        text::encode(&mut text, &self.0.lock().expect("nobody panics while registering")).expect("a String takes any text");
        text
    }
}

/// What an rpc is and how it ended (`OpenTelemetry` semantic conventions for rpc, stable in 1.45).
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RpcLabels {
    pub(crate) rpc_method: String,
    pub(crate) rpc_response_status_code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Example {
    pub(crate) trace_id: String,
}

/// How long rpcs take, by method and outcome.
#[derive(Debug, Clone)]
pub(crate) struct Rpcs(Family<RpcLabels, HistogramWithExemplars<Example>, fn() -> HistogramWithExemplars<Example>>);

impl Rpcs {
    pub(crate) fn new(meter: &Meter) -> Self {
        // 0.5 ms to 16 s, doubling: half a cached read to half a deadline.
        let buckets: fn() -> HistogramWithExemplars<Example> =
            || HistogramWithExemplars::new(prometheus_client::metrics::histogram::exponential_buckets(0.0005, 2.0, 16));
        let family = Family::new_with_constructor(buckets);
        Self(meter.register("rpc_server_call_duration_seconds", "How long the calls that came in took", family))
    }

    pub(crate) fn record(&self, labels: RpcLabels, seconds: f64, trace_id: Option<String>) {
        let example = trace_id.map(|trace_id| Example { trace_id });
        self.0.get_or_create(&labels).observe(seconds, example, None);
    }
}
