//! Facts as they travel: CloudEvents 1.0, structured JSON, with the attributes once more as message headers; several in one message as a list.
use std::borrow::Cow;

use chassis::Agency;
use jiff::Timestamp;
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use prost::Name;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::topology;

pub(crate) const CONTENT_TYPE: &str = "application/cloudevents+json";
pub(crate) const CONTENT_TYPE_OF_SEVERAL: &str = "application/cloudevents-batch+json";
pub(crate) const PERSISTENT: u8 = 2;
/// Bytes that a fact's envelope adds to its data, as a rule.
const AROUND: usize = 640;

/// A fact as its row has it.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Fact {
    pub(crate) seq: i64,
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    pub(crate) at: Timestamp,
    /// In which transaction it became true.
    #[sqlx(try_from = "i64")]
    pub(crate) tx: u64,
    pub(crate) id: Uuid,
    pub(crate) agency: String,
    pub(crate) kind: String,
    pub(crate) subject: String,
    pub(crate) actor: String,
    pub(crate) traceparent: Option<String>,
    pub(crate) clause: Option<String>,
    pub(crate) data: String,
}

/// Borrowed from the fact that is sent. Of a message that is read its data is, which is the most of it.
#[derive(Debug, Serialize, Deserialize)]
struct CloudEvent<'a> {
    specversion: Cow<'a, str>,
    id: Uuid,
    source: Cow<'a, str>,
    r#type: Cow<'a, str>,
    subject: Cow<'a, str>,
    time: Timestamp,
    datacontenttype: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<Cow<'a, str>>,
    // Extensions of ours.
    agency: Cow<'a, str>,
    actor: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clause: Option<Cow<'a, str>>,
    sequence: Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl Fact {
    pub(crate) fn routing_key(&self) -> String {
        topology::routing_key(&self.kind, &self.agency)
    }

    fn event<'a>(&'a self, source: &'a str, traceparent: Option<&'a str>) -> serde_json::Result<CloudEvent<'a>> {
        Ok(CloudEvent {
            specversion: "1.0".into(),
            id: self.id,
            source: source.into(),
            r#type: self.kind.as_str().into(),
            subject: self.subject.as_str().into(),
            time: self.at,
            datacontenttype: "application/json".into(),
            traceparent: traceparent.or(self.traceparent.as_deref()).map(Cow::from),
            agency: self.agency.as_str().into(),
            actor: self.actor.as_str().into(),
            clause: self.clause.as_deref().map(Cow::from),
            sequence: format!("{:020}", self.seq).into(),
            data: serde_json::from_str(&self.data)?,
        })
    }
}

/// The message that these facts leave in: one at the least, all under one routing key, each with the span that sends it.
pub(crate) fn message(service: &str, facts: &[(&Fact, Option<String>)]) -> serde_json::Result<(Vec<u8>, BasicProperties)> {
    let source = format!("/opsmesh/{service}");
    let events = facts.iter().map(|(fact, traceparent)| fact.event(&source, traceparent.as_deref()));
    let events = events.collect::<serde_json::Result<Vec<_>>>()?;
    let properties = BasicProperties::default().with_delivery_mode(PERSISTENT).with_type(events[0].r#type.as_ref().into());
    let mut body = Vec::with_capacity(facts.iter().map(|(fact, _)| fact.data.len() + AROUND).sum());
    let [event] = events.as_slice() else {
        serde_json::to_writer(&mut body, &events)?;
        return Ok((body, properties.with_content_type(CONTENT_TYPE_OF_SEVERAL.into())));
    };
    let properties = properties
        .with_content_type(CONTENT_TYPE.into())
        .with_message_id(event.id.to_string().into())
        .with_headers(event.headers());
    serde_json::to_writer(&mut body, event)?;
    Ok((body, properties))
}

impl CloudEvent<'_> {
    fn headers(&self) -> FieldTable {
        let mut headers = FieldTable::default();
        let mut header = |name: &str, value: &str| {
            headers.insert(format!("cloudEvents:{name}").into(), AMQPValue::LongString(value.into()));
        };
        header("specversion", &self.specversion);
        header("id", &self.id.to_string());
        header("source", &self.source);
        header("type", &self.r#type);
        header("subject", &self.subject);
        header("time", &self.time.to_string());
        header("agency", &self.agency);
        if let Some(traceparent) = &self.traceparent {
            header("traceparent", traceparent);
        }
        headers
    }
}

/// A fact as it arrives.
#[derive(Debug)]
pub struct Received {
    /// The id of the message: the same fact has the same, however often it arrives.
    pub id: Uuid,
    /// Its protobuf full name.
    pub kind: String,
    /// The resource it is about.
    pub subject: String,
    /// Whose it is.
    pub agency: Agency,
    /// When it became true.
    pub at: Timestamp,
    /// The span that sent it, W3C `traceparent`.
    pub traceparent: Option<String>,
    /// Who sent it, `/opsmesh/{service}`.
    pub source: String,
    /// Its place among the facts of its source: of one subject, a later fact has a higher one.
    pub sequence: i64,
    data: Box<RawValue>,
}

/// A fact tells of a noun, and a noun fits a call (gRPC's own limit): what is larger is no fact.
pub(crate) const LARGEST: usize = 4 << 20;
/// Names are indexed; PostgreSQL's pages set the limit.
const LONGEST_NAME: usize = 500;

impl Received {
    /// The fact in a message.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        if body.len() > LARGEST {
            return Err(format!("the message has {} bytes, and no fact has more than {LARGEST}", body.len()));
        }
        let text = std::str::from_utf8(body).map_err(|error| format!("the message is not UTF-8: {error}"))?;
        let event: CloudEvent<'_> =
            serde_json::from_str(text).map_err(|error| format!("the message is no CloudEvent of ours: {error}"))?;
        if event.specversion != "1.0" {
            return Err(format!("the message is of CloudEvents {}, not 1.0", event.specversion));
        }
        for (what, name) in [("source", &event.source), ("type", &event.r#type), ("subject", &event.subject)] {
            if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
                return Err(format!("{what}: it is no name of ours"));
            }
        }
        Ok(Self {
            id: event.id,
            kind: event.r#type.into_owned(),
            subject: event.subject.into_owned(),
            agency: event.agency.parse().map_err(|error| format!("agency: {error}"))?,
            at: event.time,
            traceparent: event.traceparent.map(Cow::into_owned),
            source: event.source.into_owned(),
            sequence: event.sequence.parse().map_err(|error| format!("sequence: {error}"))?,
            data: event.data.to_owned(),
        })
    }

    /// Whether it is about something of its own agency.
    #[must_use]
    pub fn keeps_to_its_agency(&self) -> bool {
        let rest = self.subject.strip_prefix("agencies/").and_then(|rest| rest.strip_prefix(self.agency.as_str()));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The fact inside, if this is that kind of fact.
    #[must_use]
    pub fn open<E: Name + DeserializeOwned>(&self) -> Option<Result<E, serde_json::Error>> {
        (self.kind == E::full_name()).then(|| serde_json::from_str(self.data.get()))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A fact.
    pub(crate) fn fact() -> Fact {
        Fact {
            seq: 7,
            at: "2026-11-23T01:02:03.456789Z".parse().unwrap(),
            tx: 7,
            id: Uuid::from_u128(7),
            agency: "gz".into(),
            kind: "opsmesh.x.v1.Happened".into(),
            subject: "agencies/gz/xs/7".into(),
            actor: "li".into(),
            traceparent: None,
            clause: Some("7.4.1.6".into()),
            data: r#"{"x":{"title":"风扇"}}"#.into(),
        }
    }

    #[test]
    fn a_fact_arrives_as_it_was_sent() {
        let sent_by = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
        let (body, properties) = message("x", &[(&fact(), sent_by)]).unwrap();
        assert_eq!(properties.content_type().as_ref().map(|text| text.as_str()), Some(CONTENT_TYPE));
        let received = Received::read(&body).unwrap();
        assert_eq!((received.id, received.kind.as_str(), received.at), (Uuid::from_u128(7), "opsmesh.x.v1.Happened", fact().at));
        assert_eq!(received.data.get(), fact().data);
        assert_eq!((received.sequence, received.source.as_str()), (7, "/opsmesh/x"));
        assert!(received.keeps_to_its_agency());
    }

    #[test]
    fn what_an_agency_tells_of_another_is_seen() {
        for subject in ["agencies/gzz/xs/7", "agencies/sz/xs/7", "gz/xs/7", ""] {
            let (body, _) = message("x", &[(&Fact { subject: subject.into(), ..fact() }, None)]).unwrap();
            assert!(!Received::read(&body).unwrap().keeps_to_its_agency(), "{subject}");
        }
    }

    #[test]
    fn what_is_larger_than_any_fact_is_refused_unread() {
        let refused = Received::read(&vec![b' '; LARGEST + 1]).unwrap_err();
        assert!(refused.contains("4194305 bytes"), "{refused}");
    }

    #[test]
    fn what_is_no_fact_of_ours_is_refused_in_words() {
        for body in [&b"\xff"[..], b"", b"{}", br#"{"specversion":"1.0"}"#] {
            assert!(Received::read(body).is_err());
        }
    }
}
