//! What programs outside are told: `./x env`, and the environment of tests and benchmarks.

use anyhow::{Context as _, Result};

use crate::addresses::{BRIDGE, DNS_SERVICE, LOOPBACK, OTLP, PROMETHEUS, TRACES};

use crate::identity::{self, Claims};
use crate::instance::Instance;
use crate::servers::{issuer, postgres, rabbitmq, redis as redis_server};
use crate::tools;

/// Where this instance's own servers are, for a client on this machine. The names are those that `./x` itself understands.
pub(crate) fn own(instance: &Instance) -> Result<Vec<(&'static str, String)>> {
    anyhow::ensure!(instance.exists(), "nothing is here yet: run ./x up");
    Ok(vec![
        ("DATABASE_URL", postgres::url(instance, "opsmesh_admin", "postgres", LOOPBACK)?),
        ("AMQP_URL", rabbitmq::url(instance, rabbitmq::ACCOUNT, LOOPBACK)?),
        ("REDIS_URL", redis_server::url(instance, LOOPBACK)?),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", OTLP.at(BRIDGE))),
        ("KUBECONFIG", instance.path("kubeconfig").display().to_string()),
    ])
}

/// Everything that a test or a person's shell is told.
pub(crate) fn all(instance: &Instance) -> Result<Vec<(&'static str, String)>> {
    let foreign = &instance.settings.foreign;
    let mut all: Vec<(&'static str, String)> = own(instance)?
        .into_iter()
        .map(|(name, value)| {
            let other = match name {
                "DATABASE_URL" => foreign.database.clone(),
                "AMQP_URL" => foreign.broker.clone(),
                "REDIS_URL" => foreign.redis.clone(),
                "OTEL_EXPORTER_OTLP_ENDPOINT" => foreign.telemetry.clone(),
                _ => foreign.cluster.clone(),
            };
            (name, other.unwrap_or(value))
        })
        .collect();
    let program = std::env::current_exe().context("where this program is")?;
    all.extend([
        ("AMQP_ADMIN_URL", rabbitmq::admin_url(instance)?),
        ("OPSMESH_TRACES_URL", format!("http://{}", TRACES.at(BRIDGE))),
        ("OPSMESH_METRICS_URL", format!("http://{}", PROMETHEUS.at(BRIDGE))),
        ("OPSMESH_ISSUER_URL", issuer::url()),
        ("OPSMESH_BRIDGE", BRIDGE.into()),
        ("OPSMESH_DNS", DNS_SERVICE.into()),
        ("OPSMESH_HOME", instance.home().display().to_string()),
        ("OPSMESH_X", program.display().to_string()),
        ("TOKEN", identity::token(instance, &Claims::of("liang"))?),
        ("PATH", format!("{}:{}", instance.path("bin").display(), instance.settings.path)),
    ]);
    all.extend(tools::libraries(instance)?.map(|(name, folder)| (name, folder.display().to_string())));
    if let Some(network) = &instance.settings.network {
        all.push(("OPSMESH_NETNS", network.clone()));
    }
    Ok(all)
}

/// The lines that a shell evaluates.
pub(crate) fn exports(instance: &Instance) -> Result<String> {
    Ok(all(instance)?.into_iter().map(|(name, value)| format!("export {name}='{}'\n", value.replace('\'', r"'\''"))).collect())
}

/// Where the platform finds its broker.
pub(crate) fn broker(instance: &Instance, address: &str) -> Result<String> {
    match &instance.settings.foreign.broker {
        Some(foreign) => Ok(foreign.clone()),
        None => rabbitmq::url(instance, rabbitmq::ACCOUNT, address),
    }
}
