//! Probes: how each kind of device is measured. One file a protocol; all give measures, or say why there are none.

mod dns;
mod http;
mod icmp;
mod postgresql;
mod prometheus;
mod rabbitmq;
mod redis;
mod tcp;
mod tls;

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use chassis::{Clock, Secret};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::item::{Item, Observation, Probe, ProbeError, ProbeErrorKind};

/// A single failure may be a lost packet; what fails twice is worth a person's time (product default).
const ATTEMPTS: u16 = 2;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(500);

pub(crate) type Measures = BTreeMap<String, f64>;

/// Measures devices.
pub struct Prober {
    credentials: PathBuf,
    clock: Clock,
    web: http::Web,
    icmp: icmp::Sockets,
}

/// A user name and a password.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) username: String,
    pub(crate) password: Secret,
}

impl Prober {
    /// With the folder of credentials, and the clock that says when something was seen.
    #[must_use]
    pub fn new(credentials: PathBuf, clock: Clock) -> Self {
        Self { credentials, clock, web: http::Web::default(), icmp: icmp::Sockets::default() }
    }

    /// Measures one item on one device, and says when.
    pub async fn observe(&self, item: &Item, device: &str, address: &str) -> (Timestamp, Observation) {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let outcome = match tokio::time::timeout(item.timeout, self.measure(&item.probe, device, address)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(failed(ProbeErrorKind::Timeout, format!("{address}，{:?} 内", item.timeout))),
            };
            let at = self.clock.now();
            match outcome {
                Ok(measures) => return (at, Observation { measures, error: None, attempts }),
                Err(_) if attempts < ATTEMPTS => tokio::time::sleep(BETWEEN_ATTEMPTS).await,
                Err(error) => return (at, Observation { measures: Measures::new(), error: Some(error), attempts }),
            }
        }
    }

    async fn measure(&self, probe: &Probe, device: &str, address: &str) -> Result<Measures, ProbeError> {
        match probe {
            Probe::Tcp { port } => tcp::measure(address, *port).await,
            Probe::Http { port, tls, path, host, expect_status, expect_body, insecure_skip_verify } => {
                let page = http::Page { port: *port, tls: *tls, path, host: host.as_deref(), insecure: *insecure_skip_verify };
                http::measure(&self.web, address, &page, expect_status, expect_body.as_deref()).await
            }
            Probe::Tls { port, server_name } => tls::measure(address, *port, server_name.as_deref(), self.clock.now()).await,
            Probe::Dns { name, record_type, port } => dns::measure(address, *port, name, record_type).await,
            Probe::Icmp { count } => icmp::measure(&self.icmp, address, *count).await,
            Probe::Postgresql { port, database, credentials } => {
                postgresql::measure(address, *port, database, self.credentials(credentials.as_deref())?).await
            }
            Probe::Rabbitmq { port, vhost, credentials } => {
                rabbitmq::measure(address, *port, vhost, self.credentials(credentials.as_deref())?).await
            }
            Probe::Redis { port, credentials } => redis::measure(address, *port, self.credentials(credentials.as_deref())?).await,
            Probe::Prometheus { url, query } => prometheus::measure(&self.web, address, device, url.as_deref(), query).await,
        }
    }

    /// The credentials called `name`, read anew each time: they rotate.
    fn credentials(&self, name: Option<&str>) -> Result<Option<Credentials>, ProbeError> {
        let Some(name) = name else { return Ok(None) };
        let read = |part: &str| {
            let file = format!("{name}.{part}");
            std::fs::read_to_string(self.credentials.join(&file))
                .map(|text| text.trim_end_matches('\n').to_owned())
                .map_err(|error| failed(ProbeErrorKind::Runner, format!("凭据 {file} 无法读取：{error}")))
        };
        Ok(Some(Credentials { username: read("username")?, password: Secret::new(read("password")?) }))
    }
}

fn failed(kind: ProbeErrorKind, detail: impl Into<String>) -> ProbeError {
    ProbeError { kind, detail: detail.into() }
}

/// What an error of a socket means.
fn socket_failed(error: &io::Error, at: impl std::fmt::Display) -> ProbeError {
    use io::ErrorKind;
    let kind = match error.kind() {
        ErrorKind::TimedOut => ProbeErrorKind::Timeout,
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            ProbeErrorKind::Refused
        }
        ErrorKind::PermissionDenied => ProbeErrorKind::Runner,
        ErrorKind::UnexpectedEof | ErrorKind::InvalidData => ProbeErrorKind::Protocol,
        _ => ProbeErrorKind::Unreachable,
    };
    failed(kind, format!("{at}（{error}）"))
}

/// The socket address of a device. IPv4 first: that is what a probe of a name is usually meant for.
async fn resolve(address: &str, port: u16) -> Result<SocketAddr, ProbeError> {
    if let Ok(ip) = address.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, port));
    }
    let mut found: Vec<SocketAddr> = tokio::net::lookup_host((address, port))
        .await
        .map_err(|error| failed(ProbeErrorKind::Unreachable, format!("{address}（{error}）")))?
        .collect();
    found.sort_by_key(SocketAddr::is_ipv6);
    found.first().copied().ok_or_else(|| failed(ProbeErrorKind::Unreachable, address))
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

fn measures<const N: usize>(pairs: [(&str, f64); N]) -> Measures {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
