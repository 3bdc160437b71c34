//! F30: whoever abuses HTTP/2 is hung up on or waits; others are served meanwhile.
use std::{future::poll_fn, net::SocketAddr, time::Duration};

use h2::{Reason, SendStream, client::SendRequest};
use proto::ticketing::v1 as pb;
use tests::Authority;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

use crate::{
    certificates::{OURS, ask},
    desk::{AGENCY, Desk},
};

/// Whoever behaves is answered within their deadline.
const DEADLINE: Duration = Duration::from_secs(10);
/// Of calls so many while somebody misbehaves.
const CALLS: usize = 50;
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A bare HTTP/2 connection.
pub(crate) struct Connection {
    send: SendRequest<&'static [u8]>,
    address: SocketAddr,
    life: JoinSet<()>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (send, connection) = h2::client::Builder::new().handshake(stream).await.unwrap();
        let mut life = JoinSet::new();
        life.spawn(async move {
            // That it ends is what some are for.
            let _ = connection.await;
        });
        Self { send, address, life }
    }

    /// Begins a call and does not end it.
    pub(crate) fn begin(&mut self, token: &str) -> Option<SendStream<&'static [u8]>> {
        let request = http::Request::post(format!("http://{}/opsmesh.ticketing.v1.Ticketing/CreateTicket", self.address))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", format!("Bearer {token}"))
            .body(())
            .unwrap();
        self.send.send_request(request, false).ok().map(|(_, body)| body)
    }

    /// Begins a call as soon as there is a stream for it; `None`: the connection has ended.
    async fn begin_in_turn(&mut self, token: &str) -> Option<SendStream<&'static [u8]>> {
        poll_fn(|context| self.send.poll_ready(context)).await.ok()?;
        self.begin(token)
    }

    /// Hangs up, unless the other side has.
    async fn ended(mut self) {
        drop(self.send);
        self.life.join_next().await;
    }
}

/// Others are served.
async fn others_are_served(desk: &Desk) {
    let mut auditor = desk.caller(&["auditor"], &[AGENCY]).await;
    let list = pb::ListTicketsRequest { parent: format!("agencies/{AGENCY}"), ..Default::default() };
    for _ in 0..CALLS {
        timeout(DEADLINE, auditor.list_tickets(list.clone())).await.expect("within the deadline").unwrap();
    }
}

fn token(desk: &Desk) -> String {
    desk.stage.issuer.sign(&desk.stage.issuer.person("wu", &["desk_agent"], &["sz"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_opens_streams_and_resets_them_at_once_holds_up_nobody() {
    let desk = Desk::open().await;
    let token = token(&desk);
    let mut abusers = JoinSet::new();
    for _ in 0..4 {
        let (address, token) = (desk.running.grpc, token.clone());
        abusers.spawn(async move {
            let mut connection = Connection::open(address).await;
            for _ in 0..20_000 {
                let Some(mut body) = connection.begin_in_turn(&token).await else { break };
                body.send_reset(Reason::CANCEL);
            }
            timeout(DEADLINE, connection.ended()).await
        });
    }
    others_are_served(&desk).await;
    while let Some(ended) = abusers.join_next().await {
        ended.unwrap().expect("its connection has ended");
    }
    others_are_served(&desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_every_stream_and_says_no_more_takes_nobody_elses() {
    let desk = Desk::open().await;
    let token = token(&desk);
    let mut connections = Vec::new();
    for _ in 0..20 {
        let mut connection = Connection::open(desk.running.grpc).await;
        let begun: Vec<_> = (0..1_000).map(|_| connection.begin(&token)).collect();
        connections.push((connection, begun));
    }
    others_are_served(&desk).await;
    drop(connections);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_do_not_end_hold_up_nobody_and_are_bounded() {
    let desk = Desk::open().await;
    let mut stalled = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(desk.running.grpc).await.unwrap();
        stream.write_all(PREFACE).await.unwrap();
        // HEADERS of stream 1 without END_HEADERS: `:method: GET`, and nothing more.
        stream.write_all(b"\0\0\x01\x01\0\0\0\0\x01\x82").await.unwrap();
        stalled.push(stream);
    }
    others_are_served(&desk).await;

    // Who goes on for ever is hung up on: CONTINUATION after CONTINUATION, a literal header in each.
    let mut endless = stalled.pop().unwrap();
    let (mut from, mut to) = endless.split();
    let header = [&b"\0\x03\xe8\x09\0\0\0\0\x01\0\x01a\x7f\xe3\x06"[..], &[b'b'; 994]].concat();
    let flooding = async { while to.write_all(&header).await.is_ok() {} };
    let hung_up = async {
        let mut heard = vec![0; 4096];
        while matches!(from.read(&mut heard).await, Ok(1..)) {}
    };
    timeout(DEADLINE, async { tokio::join!(flooding, hung_up) }).await.expect("the connection ends");
    others_are_served(&desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_come_to_an_end_with_their_handshake_is_hung_up_on() {
    let authority = Authority::new();
    let desk = Desk::open_to(&authority).await;
    let mut silent = Vec::new();
    for number in 0..200 {
        let mut stream = TcpStream::connect(desk.running.tls.unwrap()).await.unwrap();
        if number % 2 == 0 {
            // The beginning of a ClientHello.
            stream.write_all(b"\x16\x03\x01\x02\0\x01\0").await.unwrap();
        }
        silent.push(stream);
    }
    let ours = authority.client(&[OURS]);
    for _ in 0..5 {
        timeout(DEADLINE, ask(&desk, &authority, Some(&ours), None)).await.expect("within the deadline").unwrap();
    }
    for mut stream in silent {
        let mut rest = Vec::new();
        // With or without a word.
        let _ = timeout(DEADLINE, stream.read_to_end(&mut rest)).await.expect("it is hung up on");
    }
}
