//! Trace context where it has to outlive a process: in rows, in messages, in annotations.
use std::{fmt, str::FromStr, time::SystemTime};

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, Span as _, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer},
};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::telemetry;

/// The place in a trace where something has its cause, as W3C `traceparent`: `00-{trace}-{span}-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    trace: TraceId,
    span: SpanId,
}

/// A text that is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a W3C traceparent")]
pub struct NotATraceparent;

impl From<NotATraceparent> for proto::Why {
    fn from(error: NotATraceparent) -> Self {
        Self::new(error, "不是 W3C traceparent")
    }
}

impl Origin {
    /// What is happening now, if anything is traced.
    #[must_use]
    pub fn current() -> Option<Self> {
        let context = tracing::Span::current().context();
        let span = context.span().span_context().clone();
        span.is_valid().then(|| Self { trace: span.trace_id(), span: span.span_id() })
    }

    /// The origin whose ids are the first bytes of a digest: everybody who knows the cause knows its trace.
    #[must_use]
    pub fn derived(digest: &[u8; 32]) -> Self {
        let (trace, rest) = digest.split_at(16);
        Self {
            trace: TraceId::from_bytes(trace.try_into().expect("16 bytes")),
            span: SpanId::from_bytes(rest[..8].try_into().expect("8 bytes")),
        }
    }

    /// 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        self.trace.to_string()
    }

    /// Makes `span` a child of this place.
    pub fn adopt(&self, span: &tracing::Span) {
        // Fails only where no trace is kept, and then there is nothing to lead anywhere.
        let _ = span.set_parent(self.context());
    }

    /// Leaves a span called `what` here, linked to the place that it comes from.
    pub(crate) fn mark(&self, what: String, from: Option<Self>) {
        let here = self.context();
        let mut builder = telemetry::tracer().span_builder(what).with_kind(SpanKind::Internal);
        if let Some(from) = from.filter(|from| from.trace != self.trace) {
            builder = builder.with_links(vec![Link::new(from.span_context(), Vec::new(), 0)]);
        }
        builder.start_with_context(&telemetry::tracer(), &here).end();
    }

    fn context(&self) -> Context {
        Context::new().with_remote_span_context(self.span_context())
    }

    fn span_context(&self) -> SpanContext {
        SpanContext::new(self.trace, self.span, TraceFlags::SAMPLED, true, TraceState::default())
    }
}

/// Writes the span at the root of a trace whose ids were derived, once its end is known.
pub fn record_root(origin: &Origin, name: impl Into<String>, from: SystemTime, to: SystemTime, attributes: Vec<KeyValue>) {
    let tracer = telemetry::tracer();
    let name: String = name.into();
    telemetry::with_ids(origin.trace, origin.span, || {
        let builder = tracer.span_builder(name).with_kind(SpanKind::Internal).with_start_time(from).with_attributes(attributes);
        builder.start_with_context(&tracer, &Context::new()).end_with_timestamp(to);
    });
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-01", self.trace, self.span)
    }
}

impl FromStr for Origin {
    type Err = NotATraceparent;

    fn from_str(text: &str) -> Result<Self, NotATraceparent> {
        let mut parts = text.split('-');
        let (Some("00"), Some(trace), Some(span), Some(flags), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotATraceparent);
        };
        if trace.len() != 32 || span.len() != 16 || flags.len() != 2 {
            return Err(NotATraceparent);
        }
        let trace = TraceId::from_hex(trace).map_err(|_| NotATraceparent)?;
        let span = SpanId::from_hex(span).map_err(|_| NotATraceparent)?;
        if trace == TraceId::INVALID || span == SpanId::INVALID {
            return Err(NotATraceparent);
        }
        Ok(Self { trace, span })
    }
}

impl sqlx::Type<sqlx::Postgres> for Origin {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        <str as sqlx::Type<sqlx::Postgres>>::type_info()
    }

    fn compatible(other: &sqlx::postgres::PgTypeInfo) -> bool {
        <str as sqlx::Type<sqlx::Postgres>>::compatible(other)
    }
}

impl sqlx::Encode<'_, sqlx::Postgres> for Origin {
    fn encode_by_ref(
        &self,
        buffer: &mut sqlx::postgres::PgArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        <String as sqlx::Encode<sqlx::Postgres>>::encode_by_ref(&self.to_string(), buffer)
    }
}

impl sqlx::Decode<'_, sqlx::Postgres> for Origin {
    fn decode(value: sqlx::postgres::PgValueRef<'_>) -> Result<Self, sqlx::error::BoxDynError> {
        Ok(<&str as sqlx::Decode<sqlx::Postgres>>::decode(value)?.parse()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_and_written() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(text.parse::<Origin>().unwrap().to_string(), text);
        for wrong in [
            "",
            "00",
            "00-0-0-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(wrong.parse::<Origin>(), Err(NotATraceparent), "{wrong}");
        }
    }
}
