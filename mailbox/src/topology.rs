//! The shape of the broker: one topic exchange for facts, one quorum queue a consuming service, a parking place behind each.
use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

/// Where facts go.
pub(crate) const FACTS: &str = "opsmesh.facts";
/// Under which facts go there, `{kind}.{agency}`: consumers bind to what they need, of whom they need it.
pub(crate) fn routing_key(kind: &str, agency: &str) -> String {
    format!("{kind}.{agency}")
}

/// Where facts go that nobody waits for: kept for a look, oldest dropped.
const UNROUTED: &str = "opsmesh.unrouted";
const UNROUTED_KEPT: i64 = 10_000;
/// Where copies of seals go, by service: a second place, out of reach of whoever can change the database. Whoever wants copies of
/// their own binds a queue of their own; ours keeps the newest.
pub(crate) const SEALS: &str = "opsmesh.seals";
/// A week of two seals a second of several services.
const SEALS_KEPT: i64 = 4_000_000;
/// Where messages go that the broker gives up, by queue: their service takes them from there into its own parking place.
pub(crate) const DEAD: &str = "opsmesh.dead";
/// A message that ends its consumer so often is parked by the broker. Restarts of a healthy consumer return what it had not
/// acknowledged and count too, so the limit is generous; what was sent ahead behind a message that is to blame is given up with it, and then tried by itself.
pub(crate) const DELIVERY_LIMIT: i64 = 100;

/// What a service consumes.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) service: &'static str,
    pub(crate) kinds: Vec<String>,
}

impl Queue {
    pub(crate) fn name(&self) -> String {
        format!("opsmesh.{}", self.service)
    }

    pub(crate) fn parked(&self) -> String {
        format!("{}.parked", self.name())
    }
}

/// Declares the exchange for facts and what catches the rest.
pub(crate) async fn declare(channel: &Channel) -> lapin::Result<()> {
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(UNROUTED.into(), ExchangeKind::Fanout, durable, FieldTable::default()).await?;
    quorum(channel, UNROUTED, [("x-max-length", AMQPValue::LongLongInt(UNROUTED_KEPT)), ("x-overflow", text("drop-head"))])
        .await?;
    channel.queue_bind(UNROUTED.into(), UNROUTED.into(), "".into(), QueueBindOptions::default(), FieldTable::default()).await?;
    channel.exchange_declare(SEALS.into(), ExchangeKind::Topic, durable, FieldTable::default()).await?;
    quorum(channel, SEALS, [("x-max-length", AMQPValue::LongLongInt(SEALS_KEPT)), ("x-overflow", text("drop-head"))]).await?;
    channel.queue_bind(SEALS.into(), SEALS.into(), "#".into(), QueueBindOptions::default(), FieldTable::default()).await?;
    let mut arguments = FieldTable::default();
    arguments.insert("alternate-exchange".into(), text(UNROUTED));
    channel.exchange_declare(FACTS.into(), ExchangeKind::Topic, durable, arguments).await?;
    channel.exchange_declare(DEAD.into(), ExchangeKind::Direct, durable, FieldTable::default()).await
}

/// Declares a service's queue: one consumer at a time, so that facts of one subject are handled in their order.
pub(crate) async fn declare_queue(channel: &Channel, queue: &Queue) -> lapin::Result<()> {
    let (name, parked) = (queue.name(), queue.parked());
    quorum(channel, &parked, []).await?;
    channel
        .queue_bind(parked.as_str().into(), DEAD.into(), name.as_str().into(), QueueBindOptions::default(), FieldTable::default())
        .await?;
    let arguments = [
        ("x-single-active-consumer", AMQPValue::Boolean(true)),
        ("x-delivery-limit", AMQPValue::LongLongInt(DELIVERY_LIMIT)),
        ("x-dead-letter-exchange", text(DEAD)),
        ("x-dead-letter-routing-key", text(&name)),
        ("x-dead-letter-strategy", text("at-least-once")),
        // What at-least-once asks for: a full queue refuses, and the fact stays in its outbox.
        ("x-overflow", text("reject-publish")),
    ];
    quorum(channel, &name, arguments).await?;
    for kind in &queue.kinds {
        let pattern = routing_key(kind, "*");
        channel
            .queue_bind(name.as_str().into(), FACTS.into(), pattern.into(), QueueBindOptions::default(), FieldTable::default())
            .await?;
    }
    Ok(())
}

async fn quorum<const N: usize>(channel: &Channel, name: &str, arguments: [(&str, AMQPValue); N]) -> lapin::Result<()> {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), text("quorum"));
    for (key, value) in arguments {
        table.insert(key.into(), value);
    }
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), durable, table).await.map(drop)
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}
