//! What others may rely on: an AsyncAPI 3 document of every fact, its channel and its envelope, drawn up from the wire's own
//! descriptors and from the names that the relay publishes under. `docs/asyncapi.json` is this, kept by a test.
use serde_json::{Map, Value, json};

use crate::{
    envelope::{CONTENT_TYPE, CONTENT_TYPE_OF_SEVERAL},
    topology,
};

/// Where schemas are in the document.
const SCHEMAS: &str = "#/components/schemas/";
/// Where messages are.
const MESSAGES: &str = "#/components/messages/";
/// The envelope's name among the schemas.
const ENVELOPE: &str = "CloudEvent";

/// The document.
#[must_use]
pub fn asyncapi() -> Value {
    let events = proto::events();
    let names: Vec<String> = events.iter().map(|event| event.name.clone()).collect();
    let (mut channels, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    for event in &events {
        let kind = &event.name;
        channels.insert(kind.clone(), channel(kind));
        let short = kind.rsplit('.').next().unwrap_or(kind);
        operations.insert(
            format!("send.{kind}"),
            json!({"action": "send", "title": short, "channel": {"$ref": format!("#/channels/{kind}")}}),
        );
        messages.insert(
            kind.clone(),
            json!({
                "name": kind,
                "title": short,
                "summary": event.comment,
                "contentType": CONTENT_TYPE,
                "payload": {"allOf": [
                    {"$ref": format!("{SCHEMAS}{ENVELOPE}")},
                    {"properties": {"type": {"const": kind}, "data": {"$ref": format!("{SCHEMAS}{kind}")}}},
                ]},
            }),
        );
        messages.insert(
            several(kind),
            json!({
                "name": several(kind),
                "title": format!("{short}, several"),
                "summary": "Facts that waited together, in their order.",
                "contentType": CONTENT_TYPE_OF_SEVERAL,
                "payload": {"type": "array", "minItems": 2, "items": {"$ref": format!("{MESSAGES}{kind}/payload")}},
            }),
        );
    }
    let mut schemas: Map<String, Value> = proto::schemas(&names, SCHEMAS).into_iter().collect();
    schemas.insert(ENVELOPE.into(), envelope());
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "opsmesh 事实 facts",
            "version": "1.0.0",
            "description": "每一项变更都是一条事实，按 CloudEvents 1.0 发布到 RabbitMQ。至少一次送达；同一主题的事实按 sequence 递增。\
                Every change is a fact, published to RabbitMQ as CloudEvents 1.0 (structured JSON; the attributes once more as headers \
                `cloudEvents:*`). Facts that waited together under one key come as one message, a list of them (batched content mode). \
                A fact is delivered at least once, so remember its id with its effect; facts of one subject come in the order of their \
                sequence. Fields are only ever added.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas},
    })
}

/// The message that holds several facts of a kind.
fn several(kind: &str) -> String {
    format!("{kind}.several")
}

fn channel(kind: &str) -> Value {
    json!({
        "address": topology::routing_key(kind, "{agency}"),
        "parameters": {"agency": {"description": "使用方 the agency's id; bind with `*` for every agency that you may hear of"}},
        "messages": {
            "fact": {"$ref": format!("{MESSAGES}{kind}")},
            "facts": {"$ref": format!("{MESSAGES}{}", several(kind))},
        },
        "bindings": {"amqp": {
            "is": "routingKey",
            "exchange": {"name": topology::FACTS, "type": "topic", "durable": true, "autoDelete": false},
            "bindingVersion": "0.3.0",
        }},
    })
}

/// The envelope. A test hears facts from the broker and holds them against it.
fn envelope() -> Value {
    json!({
        "description": "CloudEvents 1.0",
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "agency", "actor", "sequence", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "format": "uuid", "description": "The same fact has the same id, however often it arrives."},
            "source": {"type": "string", "pattern": "^/opsmesh/[a-z]+$", "description": "The service that sent it."},
            "type": {"type": "string", "description": "The protobuf full name of its data."},
            "subject": {"type": "string", "pattern": "^agencies/", "description": "The resource that it is about."},
            "time": {"type": "string", "format": "date-time", "description": "When it became true."},
            "datacontenttype": {"const": "application/json"},
            "traceparent": {"type": "string", "description": "The span that sent it, W3C Trace Context."},
            "agency": {"type": "string", "description": "Whose it is."},
            "actor": {"type": "string", "description": "Who made it true."},
            "clause": {"type": "string", "description": "The clause of T/DGAG 038-2025 that it answers to."},
            "sequence": {"type": "string", "pattern": "^[0-9]{20}$", "description": "Its place among the facts of its source."},
            "data": {"type": "object", "description": "The noun as it now is, in protobuf's JSON form."},
        },
    })
}
