//! Where everything listens: the one table of addresses and ports. The well-known defaults are avoided, so that a machine with a PostgreSQL
//! of its own is no problem; all numbers lie below the kernel's range for outgoing connections (32768 and up), so that none is taken by chance.

/// The bridge that pods hang on. A network namespace has one at most, so its name need not tell instances apart.
pub(crate) const BRIDGE_LINK: &str = "opsmesh0";
/// The host's address on the bridge: what pods call, and what a server listens on that can listen on one address only.
pub(crate) const BRIDGE: &str = "10.213.0.1";
/// The bridge's network: every pod's address.
pub(crate) const PODS: &str = "10.213.0.0/24";
/// Addresses of Services. They are routed to the bridge, so that a packet to one never leaves the machine.
pub(crate) const SERVICES: &str = "10.212.0.0/16";
/// `kubernetes.default`: the first address of [`SERVICES`], by Kubernetes' own rule.
pub(crate) const API_SERVICE: &str = "10.212.0.1";
/// The cluster's name server.
pub(crate) const DNS_SERVICE: &str = "10.212.0.10";
/// For the host's own clients.
pub(crate) const LOOPBACK: &str = "127.0.0.1";

/// A port and who owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    /// Its number.
    pub(crate) number: u16,
    /// The part that listens there.
    pub(crate) part: &'static str,
    /// What speaks there, for people and as the placeholder's name in the sample estate.
    pub(crate) name: &'static str,
}

impl Port {
    const fn new(number: u16, part: &'static str, name: &'static str) -> Self {
        Self { number, part, name }
    }

    /// `address:number`.
    pub(crate) fn at(self, address: &str) -> String {
        format!("{address}:{}", self.number)
    }
}

/// PostgreSQL, on loopback and the bridge.
pub(crate) const POSTGRES: Port = Port::new(17432, "postgres", "POSTGRES_PORT");
/// AMQP, on loopback and the bridge.
pub(crate) const AMQP: Port = Port::new(17672, "rabbitmq", "AMQP_PORT");
/// RabbitMQ's management API, on the bridge.
pub(crate) const AMQP_ADMIN: Port = Port::new(17673, "rabbitmq", "AMQP_ADMIN_PORT");
/// Erlang's distribution, on loopback: `rabbitmqctl` uses it.
pub(crate) const ERLANG: Port = Port::new(17674, "rabbitmq", "ERLANG_PORT");
/// Erlang's port mapper, on loopback.
pub(crate) const EPMD: Port = Port::new(17369, "epmd", "EPMD_PORT");
/// Redis, on loopback and the bridge.
pub(crate) const REDIS: Port = Port::new(17379, "redis", "REDIS_PORT");
/// Prometheus, on the bridge.
pub(crate) const PROMETHEUS: Port = Port::new(17090, "prometheus", "PROMETHEUS_PORT");
/// Which pods Prometheus scrapes, on loopback.
pub(crate) const TARGETS: Port = Port::new(17091, "targets", "TARGETS_PORT");
/// nginx without TLS, on loopback and the bridge.
pub(crate) const HTTP: Port = Port::new(17080, "nginx", "HTTP_PORT");
/// nginx with TLS, on loopback and the bridge.
pub(crate) const HTTPS: Port = Port::new(17443, "nginx", "HTTPS_PORT");
/// Traces in, OTLP over gRPC, on the bridge.
pub(crate) const OTLP: Port = Port::new(17317, "jaeger", "OTLP_PORT");
/// Traces in, OTLP over HTTP, on the bridge.
pub(crate) const OTLP_HTTP: Port = Port::new(17318, "jaeger", "OTLP_HTTP_PORT");
/// Traces out, on the bridge.
pub(crate) const TRACES: Port = Port::new(17686, "jaeger", "TRACES_PORT");
/// Traces out over gRPC, on loopback; nobody asks, but it cannot be switched off.
pub(crate) const TRACES_GRPC: Port = Port::new(17685, "jaeger", "TRACES_GRPC_PORT");
/// Jaeger's own health, on loopback.
pub(crate) const JAEGER_ADMIN: Port = Port::new(17269, "jaeger", "JAEGER_ADMIN_PORT");
/// Jaeger's older doors, on loopback; they cannot be switched off.
pub(crate) const JAEGER_GRPC: Port = Port::new(17250, "jaeger", "JAEGER_GRPC_PORT");
/// As [`JAEGER_GRPC`].
pub(crate) const JAEGER_HTTP: Port = Port::new(17268, "jaeger", "JAEGER_HTTP_PORT");
/// The local issuer of tokens, on loopback and the bridge.
pub(crate) const ISSUER: Port = Port::new(17999, "issuer", "ISSUER_PORT");
/// etcd for the API server, on loopback.
pub(crate) const ETCD: Port = Port::new(17479, "etcd", "ETCD_PORT");
/// etcd for its peers (there are none), on loopback.
pub(crate) const ETCD_PEER: Port = Port::new(17480, "etcd", "ETCD_PEER_PORT");
/// etcd's health, on loopback.
pub(crate) const ETCD_HEALTH: Port = Port::new(17481, "etcd", "ETCD_HEALTH_PORT");
/// The Kubernetes API, on the bridge.
pub(crate) const API: Port = Port::new(17643, "kube-apiserver", "API_PORT");
/// On loopback.
pub(crate) const CONTROLLERS: Port = Port::new(17657, "kube-controller-manager", "CONTROLLERS_PORT");
/// On loopback.
pub(crate) const SCHEDULER: Port = Port::new(17659, "kube-scheduler", "SCHEDULER_PORT");
/// The kubelet for the API server, on the bridge.
pub(crate) const KUBELET: Port = Port::new(17650, "kubelet", "KUBELET_PORT");
/// The kubelet's health, on loopback.
pub(crate) const KUBELET_HEALTH: Port = Port::new(17648, "kubelet", "KUBELET_HEALTH_PORT");
/// kube-proxy's health, on loopback.
pub(crate) const PROXY_HEALTH: Port = Port::new(17656, "kube-proxy", "PROXY_HEALTH_PORT");
/// kube-proxy's metrics, on loopback.
pub(crate) const PROXY_METRICS: Port = Port::new(17649, "kube-proxy", "PROXY_METRICS_PORT");

/// All of them.
pub(crate) const ALL: &[Port] = &[
    POSTGRES,
    AMQP,
    AMQP_ADMIN,
    ERLANG,
    EPMD,
    REDIS,
    PROMETHEUS,
    TARGETS,
    HTTP,
    HTTPS,
    OTLP,
    OTLP_HTTP,
    TRACES,
    TRACES_GRPC,
    JAEGER_ADMIN,
    JAEGER_GRPC,
    JAEGER_HTTP,
    ISSUER,
    ETCD,
    ETCD_PEER,
    ETCD_HEALTH,
    API,
    CONTROLLERS,
    SCHEDULER,
    KUBELET,
    KUBELET_HEALTH,
    PROXY_HEALTH,
    PROXY_METRICS,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_given_twice_and_none_is_one_the_kernel_hands_out() {
        let mut numbers: Vec<_> = ALL.iter().map(|port| port.number).collect();
        assert!(numbers.iter().all(|number| (1024..32768).contains(number)));
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), ALL.len());
    }
}
