//! Ways to measure a device, and what a measurement looks like. No rule of judgement is here, and no socket.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One way to measure a device. Every probe takes `latencyMs`; what else it takes stands with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Probe {
    /// A TCP connection is opened and closed.
    Tcp {
        /// The port.
        port: u16,
    },
    /// A request is sent and the whole answer read: statusCode, bodyBytes.
    Http {
        /// The port.
        port: u16,
        /// HTTPS.
        tls: bool,
        /// The path with its query.
        path: String,
        /// The host asked for; `None`: the device's address.
        host: Option<String>,
        /// Statuses that are well; none: 200 to 399.
        expect_status: Vec<u16>,
        /// Words that the answer must contain.
        expect_body: Option<String>,
        /// The certificate is not checked.
        insecure_skip_verify: bool,
    },
    /// The certificate shown in a TLS handshake: daysLeft.
    Tls {
        /// The port.
        port: u16,
        /// The name asked for; `None`: the device's address.
        server_name: Option<String>,
    },
    /// The device is asked as a name server: answers.
    Dns {
        /// The name to look up.
        name: String,
        /// The record type.
        record_type: String,
        /// The port.
        port: u16,
    },
    /// Echo requests: lossPercent.
    Icmp {
        /// How many.
        count: u16,
    },
    /// A PostgreSQL session: with credentials connections, connectionsPercent.
    Postgresql {
        /// The port.
        port: u16,
        /// The database.
        database: String,
        /// The name of the credentials.
        credentials: Option<String>,
    },
    /// A RabbitMQ session.
    Rabbitmq {
        /// The port.
        port: u16,
        /// The virtual host.
        vhost: String,
        /// The name of the credentials.
        credentials: Option<String>,
    },
    /// A Redis session: usedMemoryBytes, connectedClients.
    Redis {
        /// The port.
        port: u16,
        /// The name of the credentials.
        credentials: Option<String>,
    },
    /// A question to a Prometheus server: value.
    Prometheus {
        /// The server; `None`: the device itself on port 9090.
        url: Option<String>,
        /// PromQL; `${device}` and `${address}` stand for the device.
        query: String,
    },
}

impl Probe {
    /// The measures that this probe can take.
    #[must_use]
    pub fn measures(&self) -> &'static [&'static str] {
        match self {
            Self::Tcp { .. } | Self::Rabbitmq { .. } => &["latencyMs"],
            Self::Http { .. } => &["latencyMs", "statusCode", "bodyBytes"],
            Self::Tls { .. } => &["latencyMs", "daysLeft"],
            Self::Dns { .. } => &["latencyMs", "answers"],
            Self::Icmp { .. } => &["latencyMs", "lossPercent"],
            Self::Postgresql { .. } => &["latencyMs", "connections", "connectionsPercent"],
            Self::Redis { .. } => &["latencyMs", "usedMemoryBytes", "connectedClients"],
            Self::Prometheus { .. } => &["latencyMs", "value"],
        }
    }
}

/// Why a probe has nothing to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeErrorKind {
    /// No answer in time.
    Timeout,
    /// The device, or something before it, said no.
    Refused,
    /// The address cannot be resolved or reached.
    Unreachable,
    /// The TLS handshake failed.
    Tls,
    /// The answer is not what the protocol says.
    Protocol,
    /// The answer is understood and wrong.
    Unexpected,
    /// The device does not let the caller in.
    Authentication,
    /// The runner cannot probe so.
    Runner,
}

impl ProbeErrorKind {
    /// For people.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Timeout => "超时无应答",
            Self::Refused => "连接被拒绝",
            Self::Unreachable => "地址无法解析或不可达",
            Self::Tls => "TLS 握手失败",
            Self::Protocol => "应答不符合协议",
            Self::Unexpected => "应答不符合预期",
            Self::Authentication => "认证失败",
            Self::Runner => "执行单元无法进行此项探测",
        }
    }
}

/// A probe that got no measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeError {
    /// Why.
    pub kind: ProbeErrorKind,
    /// In words.
    pub detail: String,
}

/// What a probe saw.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The measures taken; a failed probe may have some.
    pub measures: BTreeMap<String, f64>,
    /// Set if the probe failed.
    pub error: Option<ProbeError>,
    /// How many attempts it took.
    pub attempts: u16,
}
