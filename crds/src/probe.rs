//! Probes (巡检方法), as a plan writes them. Every probe takes `latencyMs`; what else it takes stands with it.
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One way to measure a device: exactly one of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Probe {
    /// A TCP connection is opened and closed.
    Tcp(TcpProbe),
    /// An HTTP or HTTPS request is sent and the whole answer read. More measures: statusCode, bodyBytes.
    Http(HttpProbe),
    /// The certificate shown in a TLS handshake is looked at, not trusted. More measures: daysLeft.
    Tls(TlsProbe),
    /// The device is asked as a name server. More measures: answers.
    Dns(DnsProbe),
    /// ICMP echo requests are sent. More measures: lossPercent.
    Icmp(IcmpProbe),
    /// A PostgreSQL session is opened; without credentials a server that asks for a password is well. More measures with credentials: connections, connectionsPercent.
    Postgresql(PostgresqlProbe),
    /// A RabbitMQ session is opened; without credentials a server that refuses the log-in is well.
    Rabbitmq(RabbitmqProbe),
    /// PING is sent; without credentials a server that asks for them is well. More measures: usedMemoryBytes, connectedClients.
    Redis(RedisProbe),
    /// A query is put to a Prometheus server; it must give one number. More measures: value.
    Prometheus(PrometheusProbe),
}

/// A TCP connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TcpProbe {
    /// The port.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
}

/// An HTTP or HTTPS request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpProbe {
    /// The port; without one the scheme's.
    #[schemars(range(min = 1, max = 65535))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
    /// HTTPS instead of HTTP.
    #[serde(default)]
    pub tls: bool,
    /// The path with its query.
    #[schemars(length(min = 1, max = 2000), regex(pattern = "^/"))]
    #[serde(default = "slash")]
    pub path: String,
    /// The host asked for; without one the device's address.
    #[schemars(length(min = 1, max = 253))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Statuses that are well; none: 200 to 399.
    #[schemars(length(max = 20))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect_status: Vec<i32>,
    /// Words that the answer must contain.
    #[schemars(length(min = 1, max = 1000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_body: Option<String>,
    /// The certificate is not checked: for devices that sign their own.
    #[serde(default)]
    pub insecure_skip_verify: bool,
}

/// A TLS handshake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TlsProbe {
    /// The port.
    #[schemars(range(min = 1, max = 65535))]
    #[serde(default = "https")]
    pub port: i32,
    /// The name asked for; without one the device's address.
    #[schemars(length(min = 1, max = 253))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
}

/// A DNS question to the device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DnsProbe {
    /// The name to look up.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// A, AAAA, CNAME, MX, NS, PTR, SOA, SRV or TXT.
    #[schemars(regex(pattern = "^(A|AAAA|CNAME|MX|NS|PTR|SOA|SRV|TXT)$"))]
    #[serde(default = "address_record")]
    pub record_type: String,
    /// The port.
    #[schemars(range(min = 1, max = 65535))]
    #[serde(default = "domain")]
    pub port: i32,
}

/// ICMP echo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct IcmpProbe {
    /// How many requests.
    #[schemars(range(min = 1, max = 20))]
    #[serde(default = "three")]
    pub count: i32,
}

/// A PostgreSQL session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostgresqlProbe {
    /// The port.
    #[schemars(range(min = 1, max = 65535))]
    #[serde(default = "postgresql")]
    pub port: i32,
    /// The database.
    #[schemars(length(min = 1, max = 63))]
    #[serde(default = "postgres")]
    pub database: String,
    /// The name of a pair `{name}.username`, `{name}.password` in the runner's credentials secret.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-zA-Z0-9_-]+$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
}

/// A RabbitMQ session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RabbitmqProbe {
    /// The port.
    #[schemars(range(min = 1, max = 65535))]
    #[serde(default = "amqp")]
    pub port: i32,
    /// The virtual host.
    #[schemars(length(min = 1, max = 200))]
    #[serde(default = "slash")]
    pub vhost: String,
    /// The name of a pair `{name}.username`, `{name}.password` in the runner's credentials secret.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-zA-Z0-9_-]+$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
}

/// A Redis session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RedisProbe {
    /// The port.
    #[schemars(range(min = 1, max = 65535))]
    #[serde(default = "redis")]
    pub port: i32,
    /// The name of a pair `{name}.username`, `{name}.password` in the runner's credentials secret.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-zA-Z0-9_-]+$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
}

/// A query to a Prometheus server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrometheusProbe {
    /// The server, e.g. `http://prometheus:9090`; without one the device itself on port 9090.
    #[schemars(length(min = 8, max = 500), regex(pattern = "^https?://"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// PromQL; `${device}` and `${address}` stand for the device.
    #[schemars(length(min = 1, max = 2000))]
    pub query: String,
}

fn slash() -> String {
    "/".into()
}

fn https() -> i32 {
    443
}

fn domain() -> i32 {
    53
}

fn address_record() -> String {
    "A".into()
}

fn three() -> i32 {
    3
}

fn postgresql() -> i32 {
    5432
}

fn postgres() -> String {
    "postgres".into()
}

fn amqp() -> i32 {
    5672
}

fn redis() -> i32 {
    6379
}
