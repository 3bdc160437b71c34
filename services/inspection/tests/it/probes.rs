//! Probes of real servers: well, and each way of being unwell that a person should be able to tell from another.
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use chassis::Clock;
use inspection::{
    inspector::Prober,
    item::{Item, Observation, Probe, ProbeErrorKind, Severity},
};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tempfile::TempDir;
use tests::told;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

const LOOPBACK: &str = "127.0.0.1";

/// Whoever asks without credentials looks for none.
const NOWHERE: &str = "/nowhere";
/// Names of credentials.
const RIGHT: &str = "right";
const WRONG: &str = "wrong";

async fn observe(probe: Probe, address: &str) -> Observation {
    observe_as(Path::new(NOWHERE), probe, address).await
}

/// With the credentials of a folder.
async fn observe_as(credentials: &Path, probe: Probe, address: &str) -> Observation {
    observe_within(credentials, probe, address, Duration::from_secs(5)).await
}

async fn observe_within(credentials: &Path, probe: Probe, address: &str, timeout: Duration) -> Observation {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let item = Item { id: "i".into(), title: "项".into(), probe, limits: Vec::new(), severity: Severity::Minor, timeout };
    Prober::new(credentials.to_owned(), Clock::default()).observe(&item, "d", address).await.1
}

fn well(seen: &Observation) -> &Observation {
    assert!(seen.error.is_none(), "{seen:?}");
    assert!(seen.measures["latencyMs"] > 0.0, "{seen:?}");
    seen
}

fn kind(seen: &Observation) -> ProbeErrorKind {
    let error = seen.error.as_ref().unwrap_or_else(|| panic!("{seen:?}"));
    assert!(!error.detail.is_empty());
    error.kind
}

/// A port on which nobody listens.
async fn closed() -> u16 {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    listener.local_addr().unwrap().port()
}

/// A server that answers every connection with these bytes; what it was asked goes nowhere.
async fn answering(bytes: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked).await;
            let _ = stream.write_all(bytes).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

/// A server that takes connections and says nothing.
async fn silent() -> (TcpListener, u16) {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn host_port(url: &str) -> (String, u16) {
    let rest = url.split_once("://").unwrap().1;
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place).split('/').next().unwrap();
    let (host, port) = place.rsplit_once(':').unwrap();
    (host.to_owned(), port.parse().unwrap())
}

fn http(port: u16) -> Probe {
    Probe::Http {
        port,
        tls: false,
        path: "/".into(),
        host: None,
        expect_status: Vec::new(),
        expect_body: None,
        insecure_skip_verify: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_is_refused_and_tried_twice() {
    let seen = observe(Probe::Tcp { port: closed().await }, LOOPBACK).await;
    assert_eq!((kind(&seen), seen.attempts), (ProbeErrorKind::Refused, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_knows_is_unreachable() {
    assert_eq!(kind(&observe(Probe::Tcp { port: 80 }, "no-such-host.invalid").await), ProbeErrorKind::Unreachable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_is_a_timeout_after_the_items_own_time() {
    let (_listener, port) = silent().await;
    let seen = observe_within(Path::new(NOWHERE), http(port), LOOPBACK, Duration::from_millis(200)).await;
    assert_eq!(kind(&seen), ProbeErrorKind::Timeout);
    well(&observe(Probe::Tcp { port }, LOOPBACK).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_judged_by_its_status_and_its_words() {
    let address = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nwell\r\n").await;
    let seen = observe(http(address.port()), LOOPBACK).await;
    assert_eq!((well(&seen).measures["statusCode"], seen.measures["bodyBytes"]), (200.0, 6.0));
    let Probe::Http { port, tls, path, host, insecure_skip_verify, .. } = http(address.port()) else { unreachable!() };
    let words =
        Probe::Http {
            port, tls, path, host, insecure_skip_verify, expect_status: vec![200], expect_body: Some("无此词".into())
        };
    assert_eq!(kind(&observe(words, LOOPBACK).await), ProbeErrorKind::Unexpected);

    let broken = answering(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").await;
    let seen = observe(http(broken.port()), LOOPBACK).await;
    assert_eq!(kind(&seen), ProbeErrorKind::Unexpected);
    assert!(seen.error.unwrap().detail.contains("503"));
    assert_eq!(kind(&observe(http(closed().await), LOOPBACK).await), ProbeErrorKind::Refused);
    let nonsense = answering(b"220 smtp.example ESMTP\r\n").await;
    assert_eq!(kind(&observe(http(nonsense.port()), LOOPBACK).await), ProbeErrorKind::Protocol);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_shows_the_days_it_has_left_even_when_they_are_over() {
    let address = with_certificate(2020, 2021).await;
    let seen = observe(Probe::Tls { port: address.port(), server_name: Some("localhost".into()) }, LOOPBACK).await;
    assert!(well(&seen).measures["daysLeft"] < -1_000.0, "{seen:?}");
    let address = with_certificate(2020, 2099).await;
    let seen = observe(Probe::Tls { port: address.port(), server_name: None }, LOOPBACK).await;
    assert!(well(&seen).measures["daysLeft"] > 10_000.0, "{seen:?}");
    let plain = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert_eq!(kind(&observe(Probe::Tls { port: plain.port(), server_name: None }, LOOPBACK).await), ProbeErrorKind::Tls);
    // A page behind a certificate that nobody vouches for is not well, unless the plan says so.
    let page = |insecure_skip_verify| Probe::Http {
        port: address.port(),
        tls: true,
        path: "/".into(),
        host: None,
        expect_status: Vec::new(),
        expect_body: None,
        insecure_skip_verify,
    };
    assert_eq!(kind(&observe(page(false), LOOPBACK).await), ProbeErrorKind::Tls);
    well(&observe(page(true), LOOPBACK).await);
}

async fn with_certificate(from: i32, to: i32) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(vec!["localhost".to_owned(), LOOPBACK.to_owned()]).unwrap();
    parameters.not_before = date_time_ymd(from, 1, 1);
    parameters.not_after = date_time_ymd(to, 1, 1);
    let certificate = parameters.self_signed(&key).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked).await;
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_comes_back_without_any_privilege() {
    let seen = observe(Probe::Icmp { count: 3 }, LOOPBACK).await;
    assert_eq!(well(&seen).measures["lossPercent"], 0.0);
    let gone = observe_within(Path::new(NOWHERE), Probe::Icmp { count: 1 }, "192.0.2.254", Duration::from_millis(300)).await;
    assert!(matches!(kind(&gone), ProbeErrorKind::Timeout | ProbeErrorKind::Unreachable), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_well_when_it_asks_for_a_password_and_shows_more_when_it_gets_it() {
    let url = told("DATABASE_URL");
    let (host, port) = host_port(&url);
    let probe = |database: &str, credentials: Option<&str>| Probe::Postgresql {
        port,
        database: database.into(),
        credentials: credentials.map(str::to_owned),
    };
    well(&observe(probe("postgres", None), &host).await);
    assert_eq!(
        kind(&observe(Probe::Postgresql { port: closed().await, database: "x".into(), credentials: None }, &host).await),
        ProbeErrorKind::Refused
    );

    let (user, password) = url.split_once("://").unwrap().1.rsplit_once('@').unwrap().0.split_once(':').unwrap();
    let folder = credentials(user, password);
    let with = async |database: &str, name: &str| observe_as(folder.path(), probe(database, Some(name)), &host).await;
    let seen = with("postgres", RIGHT).await;
    assert!(well(&seen).measures["connections"] >= 1.0 && seen.measures["connectionsPercent"] > 0.0, "{seen:?}");
    assert_eq!(kind(&with("no_such_database", RIGHT).await), ProbeErrorKind::Unexpected);
    assert_eq!(kind(&with("postgres", WRONG).await), ProbeErrorKind::Authentication);
    assert_eq!(kind(&with("postgres", "not-there").await), ProbeErrorKind::Runner);
}

/// A folder of credentials as a worker's pod has it, with the right ones and wrong ones.
fn credentials(user: &str, password: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, password) in [(RIGHT, password), (WRONG, "wrong")] {
        std::fs::write(folder.path().join(format!("{name}.username")), user).unwrap();
        std::fs::write(folder.path().join(format!("{name}.password")), format!("{password}\n")).unwrap();
    }
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_is_well_when_it_refuses_a_stranger_and_lets_its_own_in() {
    let url = told("AMQP_URL");
    let (host, port) = host_port(&url);
    let probe = |name: Option<&str>| Probe::Rabbitmq { port, vhost: "opsmesh".into(), credentials: name.map(str::to_owned) };
    well(&observe(probe(None), &host).await);
    let (user, password) = url.split_once("://").unwrap().1.rsplit_once('@').unwrap().0.split_once(':').unwrap();
    let folder = credentials(user, password);
    well(&observe_as(folder.path(), probe(Some(RIGHT)), &host).await);
    assert_eq!(kind(&observe_as(folder.path(), probe(Some(WRONG)), &host).await), ProbeErrorKind::Authentication);
    let nobody = Probe::Rabbitmq { port: closed().await, vhost: "/".into(), credentials: None };
    assert_eq!(kind(&observe(nobody, &host).await), ProbeErrorKind::Refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_is_well_when_it_asks_for_a_password_and_shows_more_when_it_gets_it() {
    let url = told("REDIS_URL");
    let (host, port) = host_port(&url);
    well(&observe(Probe::Redis { port, credentials: None }, &host).await);
    let (user, password) = url.split_once("://").unwrap().1.rsplit_once('@').unwrap().0.split_once(':').unwrap();
    let folder = credentials(user, password);
    let probe = |name: &str| Probe::Redis { port, credentials: Some(name.into()) };
    let seen = observe_as(folder.path(), probe(RIGHT), &host).await;
    assert!(well(&seen).measures["usedMemoryBytes"] > 0.0, "{seen:?}");
    assert_eq!(kind(&observe_as(folder.path(), probe(WRONG), &host).await), ProbeErrorKind::Authentication);
    assert_eq!(kind(&observe(Probe::Redis { port: closed().await, credentials: None }, &host).await), ProbeErrorKind::Refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_must_give_one_number() {
    let url = told("OPSMESH_METRICS_URL");
    let probe = |query: &str| Probe::Prometheus { url: Some(url.clone()), query: query.into() };
    assert_eq!(well(&observe(probe("vector(42)"), LOOPBACK).await).measures["value"], 42.0);
    assert_eq!(well(&observe(probe("scalar(vector(7))"), LOOPBACK).await).measures["value"], 7.0);
    for wrong in ["absent(vector(1))", "no such", "vector(1) or label_replace(vector(2), \"a\", \"b\", \"\", \"\")"] {
        assert_eq!(kind(&observe(probe(wrong), LOOPBACK).await), ProbeErrorKind::Unexpected, "{wrong}");
    }
    let away = Probe::Prometheus { url: Some(format!("http://{LOOPBACK}:{}", closed().await)), query: "up".into() };
    assert_eq!(kind(&observe(away, LOOPBACK).await), ProbeErrorKind::Refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_server_is_asked_itself() {
    // The cluster's own name server, by its Service address.
    let server = told("OPSMESH_DNS");
    let probe = |name: &str, record_type: &str| Probe::Dns { name: name.into(), record_type: record_type.into(), port: 53 };
    let seen = observe(probe("kubernetes.default.svc.cluster.local", "A"), &server).await;
    assert_eq!(well(&seen).measures["answers"], 1.0);
    assert_eq!(kind(&observe(probe("no-such.default.svc.cluster.local", "A"), &server).await), ProbeErrorKind::Unexpected);
    let dead = observe_within(
        Path::new(NOWHERE),
        Probe::Dns { name: "x".into(), record_type: "A".into(), port: closed().await },
        LOOPBACK,
        Duration::from_secs(1),
    )
    .await;
    assert!(matches!(kind(&dead), ProbeErrorKind::Timeout | ProbeErrorKind::Unreachable | ProbeErrorKind::Refused), "{dead:?}");
}
