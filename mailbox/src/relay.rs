//! From the outbox to the exchange. A fact leaves the outbox when the broker has confirmed it and not before; what happens
//! in between is repeated, and the consumers' inboxes make the repetition harmless.
use std::time::Duration;

use anyhow::Context;
use chassis::{Database, Meter, Origin};
use futures::{
    StreamExt,
    future::{BoxFuture, join_all},
    stream::FuturesOrdered,
};
use lapin::{Confirmation, options::BasicPublishOptions};
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    batch::batches,
    broker::{BrokerSettings, Link, Pauses, pause},
    envelope::{Fact, message},
    leaves::Leaves,
    outbox::Outbox,
    patience, topology,
    window::UnderWay,
};

/// A broker that takes longer is not well; the relay gives up before the server would end its session for idling.
const CONFIRM_WITHIN: Duration = Duration::from_secs(10);
/// A hint wakes the relay in this process; another replica's facts are found at the next look.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// So long after a look began that found hardly any the next one does: what comes meanwhile leaves together, at a fraction of the cost of a look
/// each (a commit has some sixty facts when calls are many). Whoever comes after a rest does not wait.
const PACE: Duration = Duration::from_millis(8);
/// A look that found so many was worth its cost, and the next one begins at once.
const MANY: u32 = 512;
/// Where it is another replica's turn, that one carries ours too; but it may have looked just before they came, and rest.
const TRY_AGAIN: Duration = Duration::from_millis(50);

/// What the relay has done.
#[derive(Debug, Clone)]
pub(crate) struct Carried {
    facts: Counter,
    waiting: Gauge,
}

impl Carried {
    pub(crate) fn new(meter: &Meter) -> Self {
        Self {
            facts: meter.register("opsmesh_facts_carried", "Facts that the broker has confirmed", Counter::default()),
            waiting: meter.register(
                "opsmesh_facts_waiting",
                "Facts that wait for the broker, as last seen by this replica",
                Gauge::default(),
            ),
        }
    }
}

/// Carries until told to stop.
pub(crate) async fn run(
    service: &'static str,
    db: Database,
    broker: BrokerSettings,
    leaves: Option<Leaves>,
    carried: Carried,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut pauses = Pauses::default();
    while !stop.is_cancelled() {
        if let Err(error) = carry(service, &db, &broker, leaves.as_ref(), &carried, &mut pauses, &stop).await {
            tracing::warn!(error = format!("{error:#}"), "facts wait");
            pause(pauses.next(), &stop).await;
        }
    }
    Ok(())
}

async fn carry(
    service: &'static str,
    db: &Database,
    broker: &BrokerSettings,
    leaves: Option<&Leaves>,
    carried: &Carried,
    pauses: &mut Pauses,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let link = Link::connect(broker, &format!("{service} relay")).await.context("the broker is away")?;
    link.answered(topology::declare(&link.channel)).await.context("the exchange cannot be declared")?;
    let outbox = Outbox::open(db).await.context("the database is away")?;
    pauses.reset();
    let mut relay =
        Relay { service, link, outbox, leaves, carried, under_way: UnderWay::default(), confirms: FuturesOrdered::new() };
    loop {
        let began = Instant::now();
        let found = patience::round(relay.look()).await?;
        relay.link.lives()?;
        let rest = match found {
            Some(0) => LOOK_EVERY,
            Some(found) => pause_after(found).saturating_sub(began.elapsed()),
            None => TRY_AGAIN,
        };
        let next = Instant::now() + rest;
        loop {
            if found == Some(0) && relay.under_way.is_empty() {
                patience::round(relay.end_turn()).await?;
            }
            let more = relay.under_way.has_room();
            tokio::select! {
                biased;
                () = stop.cancelled() => return relay.settle().await,
                confirmed = relay.link.while_it_lives(relay.confirms.next()), if !relay.under_way.is_empty() => {
                    confirmed?.context("nothing is waited for")??;
                    patience::round(relay.arrived()).await?;
                }
                () = tokio::time::sleep_until(next), if more => break,
                // Behind a look that found some the next one comes anyway.
                () = db.changed(), if more && found == Some(0) => break,
            }
        }
    }
}

/// From the beginning of a look that found so many to that of the next: the more it found, the shorter.
fn pause_after(found: u32) -> Duration {
    PACE * MANY.saturating_sub(found) / MANY
}

/// What is waited for until the broker has all of a look.
type Confirms = BoxFuture<'static, anyhow::Result<()>>;

/// One that has found the broker and the database.
struct Relay<'a> {
    service: &'static str,
    link: Link,
    outbox: Outbox,
    leaves: Option<&'a Leaves>,
    carried: &'a Carried,
    under_way: UnderWay,
    /// One for each look that is under way.
    confirms: FuturesOrdered<Confirms>,
}

impl Relay<'_> {
    /// Sends those that wait, as many as are sent at once; how many it found, if it is our turn.
    async fn look(&mut self) -> anyhow::Result<Option<u32>> {
        if !self.outbox.take_turn().await? {
            return Ok(None);
        }
        let facts = self.outbox.look(&self.under_way).await?;
        let found = facts.len();
        self.carried.waiting.set(i64::try_from(found + self.under_way.len())?);
        let facts = self.under_way.admit(facts);
        if !facts.is_empty() {
            if let Some(leaves) = self.leaves {
                leaves.keep(&facts);
            }
            let sending = send(self.service, &self.link, &facts);
            let confirms = tokio::time::timeout(CONFIRM_WITHIN, sending).await.context("the broker takes nothing")??;
            self.under_way.sent(facts);
            self.confirms.push_back(confirms);
        }
        Ok(Some(u32::try_from(found)?))
    }

    /// The broker has the oldest look that was under way.
    async fn arrived(&mut self) -> anyhow::Result<()> {
        let carried = self.under_way.arrived();
        self.carried.facts.inc_by(u64::try_from(carried.len())?);
        self.outbox.clear(carried).await?;
        Ok(())
    }

    /// Nothing waits and nothing is under way.
    async fn end_turn(&mut self) -> anyhow::Result<()> {
        self.carried.waiting.set(0);
        self.outbox.end_turn().await?;
        Ok(())
    }

    /// Waits for what is under way, and sends no more.
    async fn settle(&mut self) -> anyhow::Result<()> {
        while !self.under_way.is_empty() {
            self.link.while_it_lives(self.confirms.next()).await?.context("nothing is waited for")??;
            patience::round(self.arrived()).await?;
        }
        Ok(())
    }
}

/// Sends all, and gives what is to be waited for: the broker confirms in bulk.
async fn send(service: &'static str, link: &Link, facts: &[Fact]) -> anyhow::Result<Confirms> {
    let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let batches = batches(facts);
    let mut confirms = Vec::with_capacity(batches.len());
    for batch in &batches {
        let key = batch[0].routing_key();
        let sent: Vec<_> =
            batch.iter().map(|fact| (*fact, span(fact).in_scope(Origin::current).map(|origin| origin.to_string()))).collect();
        let (body, properties) = message(service, &sent)?;
        let first = format!("{} ({})", batch[0].seq, batch[0].kind);
        confirms
            .push((first, link.channel.basic_publish(topology::FACTS.into(), key.into(), mandatory, &body, properties).await?));
    }
    let confirmed = async {
        for (first, confirm) in join_all(confirms.into_iter().map(async |(first, confirm)| (first, confirm.await))).await {
            match confirm? {
                Confirmation::Ack(None) => {}
                // With an alternate exchange nothing is returned unless the topology is broken.
                other => anyhow::bail!("fact {first} and those with it were not taken: {other:?}"),
            }
        }
        Ok(())
    };
    let within = tokio::time::timeout(CONFIRM_WITHIN, confirmed);
    Ok(Box::pin(async move { within.await.context("the broker confirms nothing")? }))
}

fn span(fact: &Fact) -> tracing::Span {
    let span = tracing::info_span!(
        "send",
        otel.name = format!("send {}", fact.kind),
        otel.kind = "producer",
        messaging.system = "rabbitmq",
        messaging.destination.name = topology::FACTS,
        messaging.message.id = %fact.id,
    );
    if let Some(origin) = fact.traceparent.as_deref().and_then(|text| text.parse::<Origin>().ok()) {
        origin.adopt(&span);
    }
    span
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_a_look_found_the_sooner_the_next_one_comes() {
        assert!(pause_after(1) <= PACE && pause_after(1) > PACE / 2);
        assert!((1..2 * MANY).all(|found| pause_after(found + 1) <= pause_after(found)));
        assert_eq!(pause_after(MANY / 2), PACE / 2);
        assert_eq!([MANY, u32::MAX].map(pause_after), [Duration::ZERO; 2]);
    }
}
