//! What a process is told: shipped defaults, then a file, then the environment (`TICKETING__SERVICE__DATABASE__URL`). A key
//! that nobody reads is refused by its name. The environment is read here and nowhere else.
use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{certificate::CertificateSettings, identity::IssuerSettings, limits::LimitSettings};

/// Everything a process is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings<C> {
    pub(crate) host: HostSettings,
    pub(crate) service: C,
}

/// What every process is told. The defaults stand in `chassis/settings.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSettings {
    /// Where gRPC listens.
    pub grpc: SocketAddr,
    /// Where `/livez`, `/readyz` and `/metrics` listen.
    pub http: SocketAddr,
    /// How long the process goes on serving after it says that it is not ready, so that nobody is still sent to it.
    #[serde(deserialize_with = "duration")]
    pub drain: Duration,
    /// Logs and traces.
    pub telemetry: TelemetrySettings,
    /// Whose tokens open the doors.
    pub identity: Vec<IssuerSettings>,
    /// The door for other agencies' systems, which show a certificate. None: there is none.
    #[serde(default)]
    pub certificates: Option<CertificateSettings>,
    /// With what the service's facts are sealed: an Ed25519 seed, 64 hexadecimal digits; or `sm2:` and 64 hexadecimal digits, and the
    /// seals are of the national suite (SM2 and SM3). None: they are not.
    #[serde(default)]
    pub seal_key: Option<Secret>,
    /// For how many months after its end a month of the service's facts is kept, 6 at least (网络安全法, article 21). None: for ever.
    #[serde(default)]
    pub keep_facts_months: Option<u16>,
    /// The folder of the policies (`*.cedar`) that say what callers may do; empty: nobody may do anything.
    pub policies: PathBuf,
    /// What each agency may ask.
    pub limits: LimitSettings,
}

/// Logs and traces.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetrySettings {
    /// Where spans go: an OTLP/gRPC endpoint with its scheme; empty keeps them here.
    pub otlp: String,
    /// Which logs are written, in the words of `tracing_subscriber::EnvFilter`.
    pub log: String,
}

/// A word that no log shows.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The word itself, for whoever has to send it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// A duration with its unit: `250ms`, `3s`, `1m 30s`.
pub(crate) fn duration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    jiff::fmt::serde::unsigned_duration::required::deserialize(deserializer)
}

const DEFAULTS: &str = include_str!("../settings.toml");

/// Reads the settings of the process `name`.
pub(crate) fn load<C: DeserializeOwned>(name: &str, defaults: &str, file: Option<&Path>) -> anyhow::Result<Settings<C>> {
    let mut figment = Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(defaults));
    if let Some(file) = file {
        figment = figment.merge(Toml::file_exact(file));
    }
    let prefix = format!("{}__", name.to_uppercase());
    figment.merge(Env::prefixed(&prefix).split("__")).extract().context("settings")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Service {
        database: String,
    }

    fn load_with(text: &str) -> Result<Settings<Service>, String> {
        load("settings-test", text, None).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn defaults_of_the_host_are_shipped() {
        let settings = load_with("[service]\ndatabase = 'x'").unwrap();
        assert_eq!(settings.host.drain, Duration::from_secs(3));
        assert_eq!(settings.service.database, "x");
    }

    #[test]
    fn an_unknown_key_is_refused_by_its_name() {
        let error = load_with("[service]\ndatabase = 'x'\ndatabaze = 'y'").unwrap_err();
        assert!(error.contains("databaze"), "{error}");
        let error = load_with("[service]\ndatabase = 'x'\n[host]\ngrcp = '0.0.0.0:1'").unwrap_err();
        assert!(error.contains("grcp"), "{error}");
    }

    #[test]
    fn a_missing_key_is_named() {
        let error = load_with("[service]").unwrap_err();
        assert!(error.contains("database"), "{error}");
    }

    #[test]
    fn a_duration_says_its_unit() {
        let error = load_with("[service]\ndatabase = 'x'\n[host]\ndrain = '3'").unwrap_err();
        assert!(error.contains("drain"), "{error}");
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "(secret)");
    }

    proptest::proptest! {
        #[test]
        fn whatever_stands_in_a_settings_file_is_read_or_refused(
            text in "(\\[?\\[?[a-z.]{0,8}\\]?\\]?\\n?|[a-z]{1,8} ?= ?['\"0-9a-z{}\\[\\],.:-]{0,12}\\n|\\PC{0,6}\\n){0,12}",
        ) {
            let _ = load_with(&text);
        }
    }
}
