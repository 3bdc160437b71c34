//! Servers that exist already: a cluster, a database server, a broker, a cache and a trace store that are somebody else's.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::outside::{Outside, must};

/// Both instances are in one network, as two users of one machine would be.
const NETWORK: &str = "opsmesh-theirs";
/// Where their registry listens, in that network.
const REGISTRY: &str = "127.0.0.1:15000";
/// A registry is there in a second.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn servers_that_exist_are_used_and_left_as_they_were() {
    let theirs = Outside::new("/var/lib/opsmesh-theirs", NETWORK);
    let home = "/var/lib/opsmesh-ours";
    theirs.x(&["down", "--purge"]);
    must(theirs.x(&["up", "--as-compiled", "dns", "postgres", "rabbitmq", "redis", "jaeger"]));
    let before = theirs.processes();
    let registry = Registry::start(&theirs);
    // Every instance's server has these for its own services; on a server that is anybody's they are not there.
    for service in ["ticketing", "inventory", "inspection"] {
        sql(&theirs, "postgres", &format!("DROP DATABASE opsmesh_{service}"));
    }
    let ours = Outside::new(home, NETWORK).told(told(&theirs));
    ours.x(&["down", "--purge"]);

    let said = must(ours.x(&["up", "--as-compiled"]));
    for part in ["postgres", "rabbitmq", "redis", "jaeger", "kube-apiserver"] {
        let line = said.lines().find(|line| line.contains(&format!("{part} ")) && line.contains("is there, and not ours"));
        assert!(line.is_some(), "{part} is theirs:\n{said}");
    }
    let status = must(ours.x(&["status"]));
    assert!(status.contains("✓ platform") && !status.contains("containerd"), "{status}");
    let running: Vec<String> = ours.processes().into_iter().map(|(_, name)| name).collect();
    for name in ["postgres", "redis-server", "beam.smp", "kubelet", "etcd", "jaeger"] {
        assert!(!running.iter().any(|process| process.starts_with(name)), "{name} of our own beside theirs: {running:?}");
    }

    // The platform runs on their cluster, and its records are on their server, under roles that agencies are kept apart for.
    let pods = must(theirs.kubectl(&["-n", "opsmesh", "get", "pods", "-o", "jsonpath={.items[*].spec.containers[*].image}"]));
    assert!(pods.split(' ').count() > 4 && pods.split(' ').all(|image| image.starts_with(REGISTRY)), "{pods}");
    assert_eq!(
        sql(&theirs, "opsmesh_inventory", "SELECT count(*) > 0 FROM devices"),
        "t",
        "the estate's devices are in their database"
    );
    let owners = sql(
        &theirs,
        "postgres",
        "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'opsmesh\\_%' AND rolname <> 'opsmesh_admin' AND NOT rolsuper",
    );
    assert_eq!(owners, "3", "a role for each service");

    must(ours.x(&["down", "--purge"]));
    assert!(ours.processes().is_empty() && !Path::new(home).exists(), "{:?}", ours.processes());
    let after = theirs.processes();
    let gone: Vec<_> = before.iter().filter(|process| long_lived(&process.1) && !after.contains(process)).collect();
    assert!(gone.is_empty(), "theirs that ended: {gone:?}");
    drop(registry);
    must(theirs.x(&["down", "--purge"]));
    assert_eq!(theirs.left(), Vec::<String>::new());
}

/// What `theirs` would tell a platform team: addresses that pods reach.
fn told(theirs: &Outside) -> Vec<(String, String)> {
    let mut told: Vec<(String, String)> = theirs
        .environment()
        .into_iter()
        .filter(|(name, _)| {
            matches!(name.as_str(), "KUBECONFIG" | "DATABASE_URL" | "AMQP_URL" | "REDIS_URL" | "OTEL_EXPORTER_OTLP_ENDPOINT")
        })
        .map(|(name, value)| (name, value.replace("127.0.0.1", "10.213.0.1")))
        .collect();
    assert_eq!(told.len(), 5, "{told:?}");
    told.push(("OPSMESH_REGISTRY".into(), REGISTRY.into()));
    told
}

/// A server's own process, not what it starts for one connection.
fn long_lived(name: &str) -> bool {
    ["redis-server", "beam.smp", "kubelet", "etcd", "kube-apiserver", "containerd"].contains(&name)
}

/// What their database server answers.
fn sql(theirs: &Outside, database: &str, statement: &str) -> String {
    let environment = theirs.environment();
    let (_, url) = environment.iter().find(|(name, _)| name == "DATABASE_URL").expect("their database server");
    let (server, _) = url.rsplit_once('/').expect("a database's name");
    let mut psql = theirs.program("/usr/bin/psql");
    must(
        psql.args(["-X", "-q", "-t", "-A", "-d", &format!("{server}/{database}"), "-c", statement])
            .output()
            .expect("psql can be run"),
    )
    .trim()
    .to_owned()
}

/// Debian's registry, for as long as this lives.
struct Registry {
    child: Child,
    home: String,
}

impl Registry {
    fn start(theirs: &Outside) -> Self {
        let home = format!("{}-registry", theirs.home);
        drop(fs::remove_dir_all(&home));
        fs::create_dir_all(&home).expect("a directory for images");
        let file = format!("{home}/config.yml");
        let configuration = format!(
            "version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {home}/images}}}}\nhttp: {{addr: '{REGISTRY}'}}\n"
        );
        fs::write(&file, configuration).expect("a configuration");
        let child = theirs
            .program("/usr/bin/docker-registry")
            .args(["serve", &file])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry can be run");
        let registry = Self { child, home };
        let began = Instant::now();
        let listens = || {
            let table = must(theirs.program("/usr/bin/ss").args(["-ltnH"]).output().expect("ss can be run"));
            table.contains(REGISTRY)
        };
        while !listens() {
            assert!(began.elapsed() < PATIENCE, "the registry does not listen");
            std::thread::yield_now();
        }
        registry
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It has ended already, or does now.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.home));
    }
}
