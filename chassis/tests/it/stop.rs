//! A process that is told to stop has stopped within 25 seconds, whoever holds on to it.
use std::time::Duration;

use chassis::{Clock, Host};
use tests::Stage;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What Kubernetes is promised (it waits 40 seconds).
const PROMISED: Duration = Duration::from_secs(25);

#[tokio::test(flavor = "multi_thread")]
async fn silent_clients_and_open_streams_do_not_keep_a_process() {
    let stage = Stage::set().await;
    let running = stage.start("bare", (), Clock::default(), async |(), _: &mut Host| Ok(())).await;
    // One says nothing at all.
    let silent = TcpStream::connect(running.grpc).await.unwrap();
    // One opens HTTP/2, and then neither answers pings nor closes.
    let mut preface = TcpStream::connect(running.grpc).await.unwrap();
    preface.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut settings = [0; 9];
    preface.read_exact(&mut settings).await.unwrap();
    // One asks to be told of health for as long as there is any, and never hangs up.
    let mut watching = tonic_health::pb::health_client::HealthClient::new(running.channel().await);
    let request = tonic_health::pb::HealthCheckRequest { service: String::new() };
    let mut health = watching.watch(request).await.unwrap().into_inner();
    health.message().await.unwrap();
    // One begins a request to `/livez` and does not end it.
    let mut half = TcpStream::connect(running.http).await.unwrap();
    half.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n").await.unwrap();

    tokio::time::timeout(PROMISED, running.stop()).await.expect("it stops in time").unwrap();
    drop((silent, preface, health, half));
}
