//! One replica leads, as client-go's leader election has it: a lease is trusted by how long we have watched it stand still,
//! never by the clock of its holder, and every change asks that nobody changed it in between. Whoever loses it ends.
use std::{future::Future, time::Duration};

use anyhow::{Context, bail};
use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease as LeaseObject, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const NAME: &str = "opsmesh-operator";
/// A lease that has not moved for so long has no holder any more.
const DURATION: Duration = Duration::from_secs(15);
/// A holder that could not renew for so long gives up, before anybody else may begin.
const RENEW_WITHIN: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_secs(2);
/// One attempt to renew; several fit before giving up.
const ATTEMPT: Duration = Duration::from_secs(3);

/// The lease, as one replica sees it.
pub(crate) struct Lease {
    api: Api<LeaseObject>,
    identity: String,
    /// What we last saw, and since when it has stood still.
    seen: Option<(LeaseSpec, Instant)>,
}

impl Lease {
    pub(crate) fn new(client: Client, namespace: &str, identity: &str) -> Self {
        Self { api: Api::namespaced(client, namespace), identity: identity.to_owned(), seen: None }
    }

    /// Takes or renews the lease. False: somebody else holds it.
    async fn hold(&mut self) -> anyhow::Result<bool> {
        let now = MicroTime(now());
        let Some(mut held) = self.api.get_opt(NAME).await? else {
            let spec = LeaseSpec {
                holder_identity: Some(self.identity.clone()),
                lease_duration_seconds: Some(i32::try_from(DURATION.as_secs())?),
                acquire_time: Some(now.clone()),
                renew_time: Some(now),
                lease_transitions: Some(0),
                ..LeaseSpec::default()
            };
            let lease =
                LeaseObject { metadata: ObjectMeta { name: Some(NAME.into()), ..ObjectMeta::default() }, spec: Some(spec) };
            return Ok(self.api.create(&PostParams::default(), &lease).await.is_ok());
        };
        let spec = held.spec.clone().unwrap_or_default();
        let ours = spec.holder_identity.as_deref() == Some(&self.identity);
        if !ours && self.stands(&spec) {
            return Ok(false);
        }
        let transitions = spec.lease_transitions.unwrap_or(0);
        held.spec = Some(LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: Some(i32::try_from(DURATION.as_secs())?),
            acquire_time: if ours { spec.acquire_time } else { Some(now.clone()) },
            renew_time: Some(now),
            lease_transitions: Some(if ours { transitions } else { transitions + 1 }),
            ..LeaseSpec::default()
        });
        // Carries the resource version that was read: if anybody changed it in between, this is refused.
        match self.api.replace(NAME, &PostParams::default(), &held).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.is_conflict() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether somebody holds the lease: it has moved within its duration, by our own clock.
    fn stands(&mut self, spec: &LeaseSpec) -> bool {
        if spec.holder_identity.as_deref().is_none_or(str::is_empty) {
            return false;
        }
        match &self.seen {
            Some((seen, since)) if seen == spec => since.elapsed() < DURATION,
            _ => {
                self.seen = Some((spec.clone(), Instant::now()));
                true
            }
        }
    }

    /// Gives the lease back, so that the next holder need not wait for it to go stale.
    async fn release(&self) -> anyhow::Result<()> {
        let mut held = self.api.get(NAME).await?;
        if let Some(spec) = held.spec.as_mut()
            && spec.holder_identity.as_deref() == Some(&self.identity)
        {
            spec.holder_identity = Some(String::new());
            self.api.replace(NAME, &PostParams::default(), &held).await?;
        }
        Ok(())
    }
}

/// Waits for the lease, then does `work` for as long as it is held. A lease that is lost ends the process: nothing of ours may
/// go on beside another leader.
pub(crate) async fn lead<F>(mut lease: Lease, stop: CancellationToken, work: impl FnOnce() -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    loop {
        match tokio::time::timeout(ATTEMPT, lease.hold()).await {
            Ok(Ok(true)) => break,
            Ok(Ok(false)) => {}
            Ok(Err(error)) => tracing::warn!(error = format!("{error:#}"), "the lease cannot be had"),
            Err(_) => tracing::warn!("the lease cannot be had: no answer"),
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(RETRY) => {}
        }
    }
    tracing::info!(identity = lease.identity, "leading");
    let outcome = tokio::select! {
        outcome = work() => outcome,
        lost = renew(&mut lease) => lost,
    };
    if stop.is_cancelled() && outcome.is_ok() {
        tokio::time::timeout(ATTEMPT, lease.release()).await.context("the lease could not be released")??;
    }
    outcome
}

async fn renew(lease: &mut Lease) -> anyhow::Result<()> {
    let mut renewed = Instant::now();
    loop {
        tokio::time::sleep(RETRY).await;
        let attempt = Instant::now();
        match tokio::time::timeout(ATTEMPT, lease.hold()).await {
            Ok(Ok(true)) => renewed = attempt,
            Ok(Ok(false)) => bail!("the lease is somebody else's"),
            Ok(Err(error)) => tracing::warn!(error = format!("{error:#}"), "the lease was not renewed"),
            Err(_) => tracing::warn!("the lease was not renewed: no answer"),
        }
        if renewed.elapsed() > RENEW_WITHIN {
            bail!("the lease could not be renewed for {RENEW_WITHIN:?}");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the lease shows people when it was renewed; nobody decides by it")]
fn now() -> Timestamp {
    Timestamp::now()
}
