//! PING, and INFO where it may be asked. Without credentials a server that asks for them is well.
use redis::{Client, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisError};
use tokio::time::Instant;

use super::{Credentials, Measures, failed, measures, milliseconds, resolve, socket_failed};
use crate::item::{ProbeError, ProbeErrorKind};

pub(super) async fn measure(address: &str, port: u16, credentials: Option<Credentials>) -> Result<Measures, ProbeError> {
    let socket = resolve(address, port).await?;
    let known = credentials.is_some();
    let mut login = RedisConnectionInfo::default();
    if let Some(Credentials { username, password }) = credentials {
        login = login.set_password(password.expose());
        if !username.is_empty() {
            login = login.set_username(username);
        }
    }
    let not_open = |error: &RedisError| not_open(error, socket);
    let place = ConnectionAddr::Tcp(socket.ip().to_string(), port).into_connection_info().map_err(|error| not_open(&error))?;
    let client = Client::open(place.set_redis_settings(login)).map_err(|error| not_open(&error))?;
    let begun = Instant::now();
    let mut session = match client.get_multiplexed_async_connection().await {
        Ok(session) => session,
        Err(error) if !known && is_locked(&error) => return Ok(measures([("latencyMs", milliseconds(begun))])),
        Err(error) => return Err(not_open(&error)),
    };
    let pong: Result<String, RedisError> = redis::cmd("PING").query_async(&mut session).await;
    let latency = milliseconds(begun);
    match pong {
        Ok(_) => {}
        Err(error) if !known && is_locked(&error) => return Ok(measures([("latencyMs", latency)])),
        Err(error) => return Err(not_open(&error)),
    }
    let mut seen = measures([("latencyMs", latency)]);
    // A user who may not ask is no fault of the server.
    if let Ok(info) = redis::cmd("INFO").query_async::<String>(&mut session).await {
        for (key, name) in [("used_memory:", "usedMemoryBytes"), ("connected_clients:", "connectedClients")] {
            let value = info.lines().find_map(|line| line.strip_prefix(key)).and_then(|value| value.trim().parse().ok());
            seen.extend(value.map(|value: f64| (name.to_owned(), value)));
        }
    }
    Ok(seen)
}

fn is_locked(error: &RedisError) -> bool {
    error.code() == Some("NOAUTH") || error.kind() == redis::ErrorKind::AuthenticationFailed
}

fn not_open(error: &RedisError, socket: std::net::SocketAddr) -> ProbeError {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<std::io::Error>() {
            return socket_failed(error, socket);
        }
        cause = inner.source();
    }
    let kind = match error.code() {
        _ if error.is_timeout() => ProbeErrorKind::Timeout,
        _ if error.is_connection_refusal() => ProbeErrorKind::Refused,
        Some("NOAUTH" | "WRONGPASS" | "NOPERM") => ProbeErrorKind::Authentication,
        _ if error.kind() == redis::ErrorKind::AuthenticationFailed => ProbeErrorKind::Authentication,
        Some(_) => ProbeErrorKind::Unexpected,
        None => ProbeErrorKind::Protocol,
    };
    failed(kind, format!("{socket}（{error}）"))
}
