//! How many spans there were, and how many the trace store took: a trace store that is away costs spans and nothing else, and says how many.
use std::{sync::atomic::AtomicU64, time::Duration};

use opentelemetry::Context;
use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanExporter, SpanProcessor},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};

use crate::Meter;

/// Counts, shared by everything that counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spans {
    ended: Counter<u64, AtomicU64>,
    exported: Family<Outcome, Counter>,
}

/// `error_type` of OpenTelemetry's conventions: empty where there was none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    error_type: &'static str,
}

impl Spans {
    /// Shows them; what ended and was neither exported nor failed waits, or was dropped because too much waited.
    pub(crate) fn show(&self, meter: &Meter) {
        meter.register("otel_sdk_span_ended", "Spans that ended in this process", self.ended.clone());
        meter.register(
            "otel_sdk_exporter_span_exported",
            "Spans handed to the trace store; with an error_type: which it did not take",
            self.exported.clone(),
        );
    }
}

/// Counts spans as they end.
#[derive(Debug)]
pub(crate) struct Ended(pub(crate) Spans);

impl SpanProcessor for Ended {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, _: SpanData) {
        self.0.ended.inc();
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Counts spans as the trace store takes them, or does not.
#[derive(Debug)]
pub(crate) struct Exporting {
    pub(crate) otlp: Otlp,
    pub(crate) spans: Spans,
}

impl SpanExporter for Exporting {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let exported = self.otlp.export(batch).await;
        let error_type = if exported.is_ok() { "" } else { "export_failed" };
        self.spans.exported.get_or_create(&Outcome { error_type }).inc_by(count);
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.otlp.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.otlp.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.otlp.set_resource(resource);
    }
}
