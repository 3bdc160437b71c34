//! What a service receives on: its queue and its parking place, on one channel. It ends by closing the channel. A consumer that is
//! cancelled leaves the queue to another replica while its channel still holds what was sent ahead, and that comes back behind
//! what the other has been given: facts of one subject would be handled out of their order at every rollout.
use std::{ops::Range, time::Duration};

use anyhow::Context;
use futures::{FutureExt, StreamExt};
use lapin::{
    Consumer,
    message::Delivery,
    options::{BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};

use crate::{
    batch,
    broker::{BrokerSettings, Link},
    topology::{self, Queue},
};

/// Messages held at once: enough to hide the round trip, few enough to be returned quickly. Never fewer than whoever held them before: a quorum queue puts what comes back
/// behind what has come back and waits, so a consumer that takes fewer and goes leaves them out of their order (seen).
const PREFETCH: u16 = 128;
/// What is handled together holds its rows together: more facts than this are left for the next time.
const TOGETHER: usize = 256;
/// What is handled together is read first: more bytes than this are left for the next time.
const BYTES_TOGETHER: usize = 1 << 20;
/// A broker that takes longer is not well, and will find out by itself that the connection is gone.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// A message that arrived.
pub(crate) struct Arrival {
    pub(crate) delivery: Delivery,
    /// It came from the parking place: the broker gave it up.
    pub(crate) given_up: bool,
    facts: Vec<Range<usize>>,
}

impl Arrival {
    fn new(delivery: Delivery, given_up: bool) -> Self {
        let facts = batch::places(&delivery.data);
        Self { delivery, given_up, facts }
    }

    /// What is in it, a fact each if all is well; one at the least.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &[u8]> {
        self.facts.iter().map(|place| &self.delivery.data[place.clone()])
    }
}

/// A subscription. Where it is dropped without an end, the link goes first: consumers that are dropped before it are cancelled.
pub(crate) struct Subscription {
    link: Link,
    deliveries: Consumer,
    given_up: Consumer,
}

impl Subscription {
    pub(crate) async fn begin(broker: &BrokerSettings, queue: &Queue) -> anyhow::Result<Self> {
        let link = Link::connect(broker, &format!("{} inbox", queue.service)).await.context("the broker is away")?;
        link.answered(topology::declare(&link.channel)).await.context("the exchange cannot be declared")?;
        link.answered(topology::declare_queue(&link.channel, queue)).await.context("the queue cannot be declared")?;
        link.answered(link.channel.basic_qos(PREFETCH, BasicQosOptions::default())).await?;
        let deliveries = link.answered(consume(&link, &queue.name())).await?;
        let given_up = link.answered(consume(&link, &queue.parked())).await?;
        Ok(Self { link, deliveries, given_up })
    }

    /// What has arrived, in its order: one at the least. What the broker gave up is the last of it. Whoever stops waiting loses none.
    pub(crate) async fn some(&mut self) -> anyhow::Result<Vec<Arrival>> {
        let Self { link, deliveries, given_up } = self;
        let mut arrived = vec![link.while_it_lives(next(deliveries, given_up)).await??];
        let (mut facts, mut bytes) = (0, 0);
        while let Some(last) = arrived.last().filter(|last| !last.given_up) {
            facts += last.facts.len();
            bytes += last.delivery.data.len();
            if facts >= TOGETHER || bytes >= BYTES_TOGETHER {
                break;
            }
            // Waits for nothing, so that what has been taken is not dropped by who stops waiting.
            let Some(more) = next(deliveries, given_up).now_or_never() else { break };
            arrived.push(more?);
        }
        Ok(arrived)
    }

    /// Tells the broker that it is handled.
    pub(crate) async fn acknowledge(&self, arrival: &Arrival) -> anyhow::Result<()> {
        self.link.acknowledge(&arrival.delivery).await
    }

    /// Gives all back that was not acknowledged, and lets go of the queue, in one step.
    pub(crate) async fn end(self) {
        let closing = self.link.channel.close(lapin::protocol::constants::REPLY_SUCCESS, "OK".into());
        match tokio::time::timeout(CLOSE_WITHIN, closing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "the channel was gone before it was closed")
            }
            Err(_) => tracing::warn!("the broker did not say within {CLOSE_WITHIN:?} that the channel is closed"),
        }
    }
}

/// The next arrival.
async fn next(deliveries: &mut Consumer, given_up: &mut Consumer) -> anyhow::Result<Arrival> {
    let (delivery, given_up) = tokio::select! {
        delivery = deliveries.next() => (delivery, false),
        delivery = given_up.next() => (delivery, true),
    };
    Ok(Arrival::new(delivery.context("the broker ended the subscription")??, given_up))
}

async fn consume(link: &Link, queue: &str) -> lapin::Result<Consumer> {
    link.channel.basic_consume(queue.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default()).await
}
