//! A RabbitMQ session. With credentials it logs in and opens a channel; without, a server that refuses the log-in is well.
use lapin::{
    Connection, ConnectionProperties, ErrorKind,
    protocol::{AMQPErrorKind, AMQPSoftError},
    uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo},
};
use tokio::time::Instant;

use super::{Credentials, Measures, failed, measures, milliseconds, resolve, socket_failed};
use crate::item::{ProbeError, ProbeErrorKind};

pub(super) async fn measure(
    address: &str,
    port: u16,
    vhost: &str,
    credentials: Option<Credentials>,
) -> Result<Measures, ProbeError> {
    let socket = resolve(address, port).await?;
    let known = credentials.is_some();
    let userinfo = match credentials {
        Some(Credentials { username, password }) => AMQPUserInfo { username, password: password.expose().to_owned() },
        None => AMQPUserInfo { username: "opsmesh-inspector".into(), password: String::new() },
    };
    let uri = AMQPUri {
        scheme: AMQPScheme::AMQP,
        authority: AMQPAuthority { userinfo, host: socket.ip().to_string(), port },
        vhost: vhost.to_owned(),
        query: AMQPQueryString::default(),
    };
    let begun = Instant::now();
    let opened = async {
        let session =
            Connection::connect_uri(uri, ConnectionProperties::default().with_connection_name("opsmesh inspector".into()))
                .await?;
        session.create_channel().await?;
        lapin::Result::Ok(session)
    };
    let outcome = opened.await;
    let latency = measures([("latencyMs", milliseconds(begun))]);
    match outcome {
        Ok(session) => {
            // Well measured already; a farewell that fails changes nothing.
            let _ = session.close(200, "".into()).await;
            Ok(latency)
        }
        Err(error) => match error.kind() {
            ErrorKind::ProtocolError(refused) if *refused.kind() == AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => {
                if known { Err(failed(ProbeErrorKind::Authentication, format!("{socket}（{error}）"))) } else { Ok(latency) }
            }
            ErrorKind::IOError(error) => Err(socket_failed(error, socket)),
            _ => Err(failed(ProbeErrorKind::Protocol, format!("{socket}（{error}）"))),
        },
    }
}
