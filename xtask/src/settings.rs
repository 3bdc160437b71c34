//! What the caller's environment says. Read once, here; nobody else asks.

use std::path::PathBuf;

/// The environment's answers.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `OPSMESH_HOME`: the state directory of the instance.
    pub(crate) home: PathBuf,
    /// `OPSMESH_NETNS`: the network namespace that confines the instance.
    pub(crate) network: Option<String>,
    /// Where built and downloaded tools are kept, outside the checkout and outside the state.
    pub(crate) cache: PathBuf,
    /// `OPSMESH_REGISTRY`: where a cluster that is not ours pulls images from.
    pub(crate) registry: Option<String>,
    /// Servers that exist already.
    pub(crate) foreign: Foreign,
    /// The caller's search path.
    pub(crate) path: String,
}

/// Servers that are somebody else's: used, never started, stopped or cleared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Foreign {
    /// `KUBECONFIG`.
    pub(crate) cluster: Option<String>,
    /// `DATABASE_URL`.
    pub(crate) database: Option<String>,
    /// `AMQP_URL`.
    pub(crate) broker: Option<String>,
    /// `REDIS_URL`.
    pub(crate) redis: Option<String>,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub(crate) telemetry: Option<String>,
}

/// The variables that name servers that exist already, in the order of [`Foreign`]'s fields.
pub(crate) const FOREIGN: [&str; 5] = ["KUBECONFIG", "DATABASE_URL", "AMQP_URL", "REDIS_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"];

impl Settings {
    /// What the environment says now.
    pub(crate) fn read() -> Self {
        let home = ask("OPSMESH_HOME").map_or_else(|| "/var/lib/opsmesh".into(), PathBuf::from);
        let network = ask("OPSMESH_NETNS");
        let cache = ask("XDG_CACHE_HOME")
            .map_or_else(|| PathBuf::from(ask("HOME").unwrap_or_else(|| "/root".into())).join(".cache"), PathBuf::from);
        let foreign = Foreign {
            cluster: ask(FOREIGN[0]),
            database: ask(FOREIGN[1]),
            broker: ask(FOREIGN[2]),
            redis: ask(FOREIGN[3]),
            telemetry: ask(FOREIGN[4]),
        };
        Self {
            home,
            network,
            cache: cache.join("opsmesh"),
            registry: ask("OPSMESH_REGISTRY"),
            foreign,
            path: ask("PATH").unwrap_or_else(|| "/usr/sbin:/usr/bin:/sbin:/bin".into()),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "these are the settings: the environment is read here and nowhere else")]
fn ask(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
