//! THE LIST: every part of an instance, in the order in which they can start.

use rustix::process::Signal;

use crate::addresses as at;
use crate::addresses::Port;
use crate::cluster::{apiserver, control, dns, etcd, node, objects, proxy, runtime};
use crate::instance::Instance;
use crate::launch::Launch;
use crate::part::{Kind, Made, Part, Stop, nothing};
use crate::servers::{issuer, jaeger, nginx, postgres, prometheus, rabbitmq, redis, targets};
use crate::{certificates, estate, foreign, images, network, platform, product};

type Act<T> = fn(&Instance) -> anyhow::Result<T>;
type Ready = fn(&Instance) -> Result<(), String>;

const SECONDS_5: Stop = Stop::within(5);
/// A broker writes its queues out before it ends.
const BROKER: Stop = Stop::within(20);
/// PostgreSQL's "fast": clients are hung up on, what they committed is kept.
const FAST: Stop = Stop::within(15).by(Signal::INT);
/// Containers outlive the runtime's daemon.
const DAEMON: Stop = Stop::within(10).alone();

#[rustfmt::skip]
const LIST: &[Part] = &[
    thing("network", "the bridge, and who may pass it", &[], network::make, network::ready),
    thing("certificates", "who may speak as whom", &[], certificates::make, certificates::ready),
    server("postgres", "PostgreSQL 15: the records", &["network"], &[at::POSTGRES], postgres::launch, FAST, postgres::ready)
        .prepared(postgres::prepare).settled(postgres::settle),
    server("epmd", "finds RabbitMQ's node", &["network"], &[at::EPMD], rabbitmq::launch_epmd, SECONDS_5, rabbitmq::epmd_ready),
    server("rabbitmq", "RabbitMQ 3.10: the facts on their way", &["epmd"], &[at::AMQP, at::AMQP_ADMIN, at::ERLANG], rabbitmq::launch, BROKER, rabbitmq::ready),
    server("redis", "Redis 7: what can be rebuilt", &["network"], &[at::REDIS], redis::launch, SECONDS_5, redis::ready),
    server("jaeger", "Jaeger: the traces", &["network"],
        &[at::OTLP, at::OTLP_HTTP, at::TRACES, at::TRACES_GRPC, at::JAEGER_ADMIN, at::JAEGER_GRPC, at::JAEGER_HTTP],
        jaeger::launch, SECONDS_5, jaeger::ready),
    server("issuer", "vouches for people's tokens", &["network", "certificates"], &[at::ISSUER], issuer::launch, SECONDS_5, issuer::ready),
    server("nginx", "the sample estate's web server", &["network", "certificates"], &[at::HTTP, at::HTTPS], nginx::launch, SECONDS_5, nginx::ready),
    server(node::MOUNTS, "what the node mounts, apart from the machine", &[], &[], node::launch_mounts, Stop::within(0), node::mounts_ready)
        .prepared(node::prepare_mounts),
    server("containerd", "runs containers", &[node::MOUNTS, "network"], &[], runtime::launch, DAEMON, runtime::ready),
    thing("images", "what every cluster runs", &["containerd"], images::make, images::ready),
    server("etcd", "what the API server remembers", &["network", "certificates"], &[at::ETCD, at::ETCD_PEER, at::ETCD_HEALTH], etcd::launch, SECONDS_5, etcd::ready),
    server("kube-apiserver", "Kubernetes 1.34", &["etcd"], &[at::API], apiserver::launch, SECONDS_5, apiserver::ready),
    thing("objects", "what the cluster must hold first", &["kube-apiserver"], objects::make, objects::ready),
    server("kube-controller-manager", "makes what was declared", &["kube-apiserver"], &[at::CONTROLLERS], control::launch_controllers, SECONDS_5, control::controllers_ready),
    server("kube-scheduler", "gives pods a place", &["kube-apiserver"], &[at::SCHEDULER], control::launch_scheduler, SECONDS_5, control::scheduler_ready),
    server("kube-proxy", "leads Services to pods", &["kube-apiserver"], &[at::PROXY_HEALTH, at::PROXY_METRICS], proxy::launch, SECONDS_5, proxy::ready),
    server("kubelet", "the node", &["kube-apiserver", "containerd", "images"], &[at::KUBELET, at::KUBELET_HEALTH], node::launch_kubelet, SECONDS_5, node::ready)
        .prepared(node::prepare_kubelet),
    thing("dns", "CoreDNS: names, for pods", &["objects", "kubelet", "kube-proxy", "kube-controller-manager", "kube-scheduler"], dns::make, dns::ready),
    server("targets", "tells Prometheus which pods there are", &["objects"], &[at::TARGETS], targets::launch, SECONDS_5, targets::ready),
    server("prometheus", "Prometheus: the metrics", &["targets"], &[at::PROMETHEUS], prometheus::launch, SECONDS_5, prometheus::ready),
    thing("product", "the platform's images", &["containerd"], product::make, product::ready),
    thing("platform", "opsmesh itself, by its chart", &["product", "dns", "postgres", "rabbitmq", "jaeger", "issuer"], platform::make, platform::ready),
    thing("estate", "the sample estate", &["platform", "nginx"], estate::make, estate::ready),
];

/// What has no use beside a cluster that is not ours.
const OWN_CLUSTER: &[&str] = &[
    node::MOUNTS,
    "containerd",
    "images",
    "etcd",
    "objects",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "dns",
];

/// All parts of this instance: a server that the environment names is foreign, and what only our own cluster needs is left out beside a foreign one.
pub(crate) fn parts(instance: &Instance) -> Vec<Part> {
    let foreign = &instance.settings.foreign;
    let mut list = LIST.to_vec();
    let mut adopt = |own: bool, name: &str, reach: Ready| {
        if !own {
            for part in list.iter_mut().filter(|part| part.name == name) {
                *part = Part { kind: Kind::Foreign, after: &[], ports: &[], ready: reach, ..*part };
            }
        }
    };
    adopt(foreign.database.is_none(), "postgres", foreign::database);
    adopt(foreign.broker.is_none(), "rabbitmq", foreign::broker);
    adopt(foreign.redis.is_none(), "redis", foreign::redis);
    adopt(foreign.telemetry.is_none(), "jaeger", foreign::telemetry);
    adopt(foreign.cluster.is_none(), "kube-apiserver", product::foreign_cluster);
    if foreign.cluster.is_some() {
        list.retain(|part| !OWN_CLUSTER.contains(&part.name));
    }
    if foreign.broker.is_some() {
        list.retain(|part| part.name != "epmd");
    }
    list
}

/// Of a list, the parts of these names and everything that they come after.
pub(crate) fn needed(parts: Vec<Part>, mut names: Vec<&'static str>) -> Vec<Part> {
    // What a part needs stands before it.
    for part in parts.iter().rev() {
        if names.contains(&part.name) {
            names.extend(part.after);
        }
    }
    parts.into_iter().filter(|part| names.contains(&part.name)).collect()
}

const fn server(
    name: &'static str,
    what: &'static str,
    after: &'static [&'static str],
    ports: &'static [Port],
    launch: Act<Launch>,
    stop: Stop,
    ready: Ready,
) -> Part {
    let kind = Kind::Server { prepare: nothing, launch, settle: nothing, stop };
    Part { name, what, after, ports, kind, ready }
}

const fn thing(name: &'static str, what: &'static str, after: &'static [&'static str], make: Act<Made>, ready: Ready) -> Part {
    Part { name, what, after, ports: &[], kind: Kind::Thing { make }, ready }
}

impl Part {
    const fn prepared(mut self, act: Act<()>) -> Self {
        if let Kind::Server { prepare, .. } = &mut self.kind {
            *prepare = act;
        }
        self
    }

    const fn settled(mut self, act: Act<()>) -> Self {
        if let Kind::Server { settle, .. } = &mut self.kind {
            *settle = act;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_comes_after_what_it_needs() {
        for (position, part) in LIST.iter().enumerate() {
            for needed in part.after {
                let before = LIST[..position].iter().any(|other| other.name == *needed);
                assert!(before, "{} needs {needed}, which is not before it", part.name);
            }
        }
    }

    #[test]
    fn a_part_brings_what_it_needs_and_nothing_else() {
        let names = |wanted| needed(LIST.to_vec(), wanted).iter().map(|part| part.name).collect::<Vec<_>>();
        assert_eq!(names(vec!["rabbitmq"]), ["network", "epmd", "rabbitmq"]);
        let cluster = names(vec!["dns"]);
        assert!(["etcd", "kubelet", "kube-proxy"].iter().all(|part| cluster.contains(part)), "{cluster:?}");
        assert!(!cluster.contains(&"postgres") && !cluster.contains(&"platform"), "{cluster:?}");
    }

    #[test]
    fn every_port_belongs_to_the_part_that_listens_on_it() {
        for part in LIST {
            assert!(part.ports.iter().all(|port| port.part == part.name), "{}", part.name);
        }
        let listed: usize = LIST.iter().map(|part| part.ports.len()).sum();
        assert_eq!(listed, at::ALL.len());
    }
}
