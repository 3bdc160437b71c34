//! The connection to RabbitMQ. It is never repaired in place: whoever uses it ends with an error, and begins again with a new
//! one (lapin's own recovery leaves confirms hanging while the broker is away).
use std::{pin::pin, time::Duration};

use anyhow::Context;
use chassis::Secret;
use lapin::{
    Channel, Connection, ConnectionProperties,
    message::Delivery,
    options::{BasicAckOptions, ConfirmSelectOptions},
};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::topology::{self, Queue};

/// Where the broker is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerSettings {
    /// `amqp://user:password@host:port/vhost`.
    pub url: Secret,
}

/// A broker that hangs is noticed within two of these.
const HEARTBEAT: u16 = 10;
/// Bytes of a frame. A fact fits, and a larger message takes several; lapin keeps room for 32 each way, which with the 128 KiB that
/// the broker offers would be most of what a service takes of memory.
const FRAME: u32 = 16 * 1024;
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Longer than a connection lives that the broker does not answer on; half a dozen queues are declared in a moment.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// While something is waited for it is asked this often whether it can still come.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// While migrating the broker may still be starting; an installation waits this long for it.
const PREPARE_WITHIN: Duration = Duration::from_secs(120);
/// Between attempts to connect: soon at first, then without hurry.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A connection with one channel.
pub(crate) struct Link {
    // Dropping the connection closes it.
    _connection: Connection,
    pub(crate) channel: Channel,
}

impl Link {
    pub(crate) async fn connect(settings: &BrokerSettings, name: &str) -> anyhow::Result<Self> {
        let url = settings.url.expose();
        let separator = if url.contains('?') { '&' } else { '?' };
        let patience = CONNECT_WITHIN.as_millis();
        let url = format!("{url}{separator}heartbeat={HEARTBEAT}&frame_max={FRAME}&connection_timeout={patience}");
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let opening = async {
            let connection = Connection::connect(&url, properties).await?;
            let channel = connection.create_channel().await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            anyhow::Ok(Self { _connection: connection, channel })
        };
        tokio::time::timeout(CONNECT_WITHIN, opening).await.context("no answer from the broker")?
    }

    /// What the broker was asked for, or the error of a connection that is lost.
    pub(crate) async fn answered<T>(&self, asked: impl Future<Output = lapin::Result<T>>) -> anyhow::Result<T> {
        let answer = tokio::time::timeout(ANSWER_WITHIN, self.while_it_lives(asked)).await;
        Ok(answer.context("the broker has gone silent")???)
    }

    /// Tells the broker that a message is handled.
    pub(crate) async fn acknowledge(&self, message: &Delivery) -> anyhow::Result<()> {
        let acknowledged = self.answered(message.ack(BasicAckOptions::default())).await?;
        anyhow::ensure!(acknowledged, "the acknowledgement came too late");
        Ok(())
    }

    /// What is waited for, as long as it may take, or the error of a connection that is lost: where it breaks off at the wrong moment lapin says nothing to who waits (seen once in
    /// some four hundred times).
    pub(crate) async fn while_it_lives<T>(&self, awaited: impl Future<Output = T>) -> anyhow::Result<T> {
        let mut awaited = pin!(awaited);
        loop {
            match tokio::time::timeout(LOOK_EVERY, &mut awaited).await {
                Ok(come) => return Ok(come),
                Err(_) => self.lives()?,
            }
        }
    }

    /// Whoever waits for the broker without having asked it anything asks this from time to time.
    pub(crate) fn lives(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.channel.status().connected(), "the connection to the broker is gone");
        Ok(())
    }
}

/// Declares what must be there before anybody serves: then no fact is ever sent past a consumer that is only about to start.
pub(crate) async fn prepare(settings: &BrokerSettings, queue: Option<&Queue>) -> anyhow::Result<()> {
    let declared = async {
        let mut pauses = Pauses::default();
        loop {
            let attempt = async {
                let link = Link::connect(settings, "migrate").await?;
                link.answered(topology::declare(&link.channel)).await?;
                if let Some(queue) = queue {
                    link.answered(topology::declare_queue(&link.channel, queue)).await?;
                }
                anyhow::Ok(())
            };
            match attempt.await {
                Ok(()) => return,
                Err(error) => tracing::warn!(error = format!("{error:#}"), "the broker is not ready"),
            }
            tokio::time::sleep(pauses.next()).await;
        }
    };
    tokio::time::timeout(PREPARE_WITHIN, declared).await.context("service.broker: the broker did not become ready")
}

/// Growing pauses with a bound, shared out a little so that replicas do not knock together.
#[derive(Debug, Default)]
pub(crate) struct Pauses(u32);

impl Pauses {
    pub(crate) fn next(&mut self) -> Duration {
        let pause = (FIRST_PAUSE * 2_u32.saturating_pow(self.0)).min(LONGEST_PAUSE);
        self.0 = (self.0 + 1).min(16);
        let share = f64::from(std::process::id() % 16) / 64.0;
        pause.mul_f64(1.0 + share)
    }

    pub(crate) fn reset(&mut self) {
        self.0 = 0;
    }
}

/// Waits, but not for a process that is to stop. False: it is.
pub(crate) async fn pause(pause: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(pause) => true,
    }
}

#[cfg(test)]
mod tests {
    use ::tests::{Proxy, Stage};

    use super::*;

    /// Longer than it takes to look, shorter than anybody waits for an answer.
    const SOON: Duration = Duration::from_secs(10);

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_waits_on_a_connection_that_is_lost_for_what_never_comes_is_told() {
        let stage = Stage::set().await;
        let (proxy, url) = Proxy::before_url(&stage.broker()).await;
        let link = Link::connect(&BrokerSettings { url: Secret::new(url) }, "test").await.unwrap();
        let mut waiting = pin!(link.answered(std::future::pending::<lapin::Result<()>>()));
        assert!(tokio::time::timeout(LOOK_EVERY * 3, &mut waiting).await.is_err(), "the connection lives");
        proxy.cut();
        let told = tokio::time::timeout(SOON, waiting).await.expect("somebody is told").unwrap_err();
        assert_eq!(told.to_string(), "the connection to the broker is gone");
    }
}
