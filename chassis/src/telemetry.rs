//! Spans to an OTLP endpoint, logs as JSON lines with their trace. Without an endpoint spans are made and dropped: trace ids
//! are in logs and rows all the same.
use std::cell::Cell;

use anyhow::Context;
use opentelemetry::{
    KeyValue, global,
    trace::{SpanId, TraceId, TracerProvider},
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{IdGenerator, RandomIdGenerator, SdkTracerProvider},
};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    Meter, TelemetrySettings,
    logs::JsonLines,
    spans::{Ended, Exporting, Spans},
};

const SCOPE: &str = "opsmesh";

/// Telemetry of a running process; kept until it ends.
#[derive(Debug)]
pub(crate) struct Telemetry {
    provider: SdkTracerProvider,
    spans: Spans,
}

impl Telemetry {
    /// Sets up logs and traces for the whole process. Called once, inside the runtime, because the exporter needs one.
    pub(crate) fn start(name: &'static str, settings: &TelemetrySettings) -> anyhow::Result<Self> {
        global::set_text_map_propagator(TraceContextPropagator::new());
        let resource = Resource::builder()
            .with_service_name(name)
            .with_attribute(KeyValue::new("service.namespace", "opsmesh"))
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let spans = Spans::default();
        let mut provider = SdkTracerProvider::builder()
            .with_id_generator(Ids::default())
            .with_resource(resource)
            .with_span_processor(Ended(spans.clone()));
        if !settings.otlp.is_empty() {
            let otlp =
                SpanExporter::builder().with_tonic().with_endpoint(&settings.otlp).build().context("host.telemetry.otlp")?;
            provider = provider.with_batch_exporter(Exporting { otlp, spans: spans.clone() });
        }
        let provider = provider.build();
        global::set_tracer_provider(provider.clone());
        let log = EnvFilter::try_new(&settings.log).context("host.telemetry.log")?;
        // Spans are ours only: the exporter's own calls would trace themselves.
        let ours = EnvFilter::new(
            "off,chassis=info,mailbox=info,ticketing=info,inventory=info,inspection=info,inspector=info,operator=info",
        );
        // What a span costs is mostly what it carries. Where in the code, on which thread and how busy nobody who reads a trace has asked.
        let spanned = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer(SCOPE))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false);
        tracing_subscriber::registry()
            .with(spanned.with_filter(ours))
            .with(JsonLines::new(name).with_filter(log))
            .try_init()
            .context("telemetry is set up once")?;
        Ok(Self { provider, spans })
    }

    /// Shows what became of spans.
    pub(crate) fn show(&self, meter: &Meter) {
        self.spans.show(meter);
    }

    /// Sends what is still here. Blocks, for seconds at the most.
    pub(crate) fn flush(&self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(error = &error as &dyn std::error::Error, "spans may be lost");
        }
    }
}

/// The process's tracer, for spans that `tracing` cannot say: with ids of their own, or in another trace.
pub(crate) fn tracer() -> global::BoxedTracer {
    global::tracer(SCOPE)
}

thread_local! {
    /// The ids that the next root span gets.
    static NEXT: Cell<Option<(TraceId, SpanId)>> = const { Cell::new(None) };
}

/// Runs `start`, in which the first span made has these ids.
pub(crate) fn with_ids(trace: TraceId, span: SpanId, start: impl FnOnce()) {
    NEXT.set(Some((trace, span)));
    start();
    NEXT.set(None);
}

/// Random ids, unless somebody derived them.
#[derive(Debug, Default)]
struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        NEXT.get().map_or_else(|| self.0.new_trace_id(), |(trace, _)| trace)
    }

    fn new_span_id(&self) -> SpanId {
        NEXT.get().map_or_else(|| self.0.new_span_id(), |(_, span)| span)
    }
}
