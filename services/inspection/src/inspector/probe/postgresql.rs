//! A PostgreSQL session. With credentials it logs in and asks; without, a server that asks for a password is well.
use sqlx::{
    Connection,
    postgres::{PgConnectOptions, PgConnection, PgSslMode},
};
use tokio::time::Instant;

use super::{Credentials, Measures, failed, measures, milliseconds, resolve, socket_failed};
use crate::item::{ProbeError, ProbeErrorKind};

pub(super) async fn measure(
    address: &str,
    port: u16,
    database: &str,
    credentials: Option<Credentials>,
) -> Result<Measures, ProbeError> {
    let socket = resolve(address, port).await?;
    let known = credentials.is_some();
    let options = PgConnectOptions::new_without_pgpass()
        .host(&socket.ip().to_string())
        .port(port)
        .database(database)
        .ssl_mode(PgSslMode::Prefer)
        .application_name("opsmesh inspector");
    let options = match &credentials {
        Some(Credentials { username, password }) => options.username(username).password(password.expose()),
        None => options.username("opsmesh"),
    };
    let begun = Instant::now();
    let mut session = match PgConnection::connect_with(&options).await {
        Ok(session) => session,
        Err(error) if !known && is_locked(&error) => return Ok(measures([("latencyMs", milliseconds(begun))])),
        Err(error) => return Err(not_open(&error, socket)),
    };
    let asked: Result<(i64, i64), _> = sqlx::query_as(
        "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), current_setting('max_connections')::bigint",
    )
    .fetch_one(&mut session)
    .await;
    let latency = milliseconds(begun);
    let (connections, most) = asked.map_err(|error| not_open(&error, socket))?;
    // Well measured already; a farewell that fails changes nothing.
    let _ = session.close().await;
    if !known {
        return Ok(measures([("latencyMs", latency)]));
    }
    let count = |of: i64| f64::from(u32::try_from(of).unwrap_or(u32::MAX));
    Ok(measures([
        ("latencyMs", latency),
        ("connections", count(connections)),
        ("connectionsPercent", 100.0 * count(connections) / count(most).max(1.0)),
    ]))
}

/// Class 28: the server is there and wants a password, or another user.
fn is_locked(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code.starts_with("28")) || no_password(error)
}

/// The server asks for a password and we have none to send.
fn no_password(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Configuration(_)) || error.to_string().contains("password")
}

fn not_open(error: &sqlx::Error, socket: std::net::SocketAddr) -> ProbeError {
    match error {
        sqlx::Error::Io(error) => socket_failed(error, socket),
        sqlx::Error::Tls(error) => failed(ProbeErrorKind::Tls, format!("{socket}（{error}）")),
        sqlx::Error::Database(error) => {
            let kind = if error.code().is_some_and(|code| code.starts_with("28")) {
                ProbeErrorKind::Authentication
            } else {
                ProbeErrorKind::Unexpected
            };
            failed(kind, format!("{socket}（{error}）"))
        }
        error => failed(ProbeErrorKind::Protocol, format!("{socket}（{error}）")),
    }
}
