//! Who calls: as little as gRPC needs, for callers share the processors with what they measure (`pgbench` is as lean).
use std::net::SocketAddr;

use bytes::{BufMut, Bytes, BytesMut};
use chassis::Gather;
use h2::client::SendRequest;
use http::{HeaderValue, Request, Uri};
use prost::Message;
use proto::ticketing::v1::{CreateTicketRequest, Ticket};
use tokio::{net::TcpStream, task::JoinSet};

/// Bytes before a message: whether it is compressed, and how long it is.
const PREFIX: usize = 5;

/// One connection.
#[derive(Clone)]
pub(crate) struct Caller {
    send: SendRequest<Bytes>,
    uri: Uri,
    authorization: HeaderValue,
}

impl Caller {
    /// Connects, and keeps the connection among those that are `driven`.
    pub(crate) async fn connect(grpc: SocketAddr, token: &str, driven: &mut JoinSet<()>) -> Self {
        let uri: Uri = format!("http://{grpc}/opsmesh.ticketing.v1.Ticketing/CreateTicket").parse().unwrap();
        let stream = TcpStream::connect(grpc).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (send, connection) = h2::client::handshake(Gather::new(stream)).await.unwrap();
        // It ends with an error when the service stops.
        driven.spawn(async move { drop(connection.await) });
        Self { send, uri, authorization: format!("Bearer {token}").parse().unwrap() }
    }

    /// Opens a ticket; panics if it is not opened.
    pub(crate) async fn open(self, request: CreateTicketRequest) {
        let mut message = BytesMut::with_capacity(PREFIX + request.encoded_len());
        message.put_u8(0);
        message.put_u32(u32::try_from(request.encoded_len()).unwrap());
        request.encode(&mut message).unwrap();
        let head = Request::post(self.uri)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", self.authorization)
            .body(())
            .unwrap();
        let (answer, mut sending) = self.send.ready().await.unwrap().send_request(head, false).unwrap();
        sending.send_data(message.freeze(), true).unwrap();
        let mut body = answer.await.unwrap().into_body();
        let mut answer = BytesMut::new();
        while let Some(part) = body.data().await {
            let part = part.unwrap();
            body.flow_control().release_capacity(part.len()).unwrap();
            answer.extend_from_slice(&part);
        }
        let trailers = body.trailers().await.unwrap();
        let status = trailers.as_ref().and_then(|trailers| trailers.get("grpc-status")).map(HeaderValue::as_bytes);
        assert_eq!(status, Some(&b"0"[..]), "{trailers:?}");
        let ticket = Ticket::decode(&answer[PREFIX..]).unwrap();
        assert_eq!(ticket.title, request.ticket.unwrap().title);
    }
}
