//! Servers that are somebody else's: whether they can be reached, and what their URLs say.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::instance::Instance;

/// Across a network, longer than a packet that must be sent three times.
const PATIENCE: Duration = Duration::from_secs(10);

/// `DATABASE_URL`.
pub(crate) fn database(instance: &Instance) -> Result<(), String> {
    reach("DATABASE_URL", instance.settings.foreign.database.as_deref())
}

/// `AMQP_URL`.
pub(crate) fn broker(instance: &Instance) -> Result<(), String> {
    reach("AMQP_URL", instance.settings.foreign.broker.as_deref())
}

/// `REDIS_URL`.
pub(crate) fn redis(instance: &Instance) -> Result<(), String> {
    reach("REDIS_URL", instance.settings.foreign.redis.as_deref())
}

/// `OTEL_EXPORTER_OTLP_ENDPOINT`.
pub(crate) fn telemetry(instance: &Instance) -> Result<(), String> {
    reach("OTEL_EXPORTER_OTLP_ENDPOINT", instance.settings.foreign.telemetry.as_deref())
}

fn reach(variable: &str, url: Option<&str>) -> Result<(), String> {
    let Some(place) = url.and_then(place) else {
        return Err(format!("{variable} is not a URL with a host"));
    };
    let complain = |error: std::io::Error| {
        format!("{variable} names {place}, and it cannot be reached ({error}): start it, or unset {variable}")
    };
    let mut addresses = place.to_socket_addrs().map_err(complain)?;
    let address = addresses.next().ok_or_else(|| format!("{variable} names {place}, which has no address"))?;
    TcpStream::connect_timeout(&address, PATIENCE).map(drop).map_err(complain)
}

/// A URL that other users of this machine may see among a program's arguments, and the password that was in it.
pub(crate) fn without_password(url: &str) -> (String, String) {
    let parts = || {
        let (scheme, rest) = url.split_once("://")?;
        let (login, place) = rest.split_once('@')?;
        let (user, password) = login.split_once(':')?;
        Some((format!("{scheme}://{user}@{place}"), plain(password)))
    };
    parts().unwrap_or_else(|| (url.to_owned(), String::new()))
}

/// Text from a URL, its `%41` made `A` again.
fn plain(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend(before.bytes());
        let code = after.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.unwrap_or(b'%'));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    bytes.extend(rest.bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The same server's other database.
pub(crate) fn beside(url: &str, name: &str) -> Result<String> {
    let (place, options) = url.split_once('?').map_or((url, String::new()), |(place, options)| (place, format!("?{options}")));
    let (server, _) = place
        .rsplit_once('/')
        .filter(|(server, _)| server.contains("://") && !server.ends_with('/'))
        .context("DATABASE_URL must end in the name of a database")?;
    Ok(format!("{server}/{name}{options}"))
}

/// The same place for somebody else; name and password are plain letters and digits, as ours are.
pub(crate) fn with_login(url: &str, user: &str, password: &str) -> Result<String> {
    let (scheme, rest) = url.split_once("://").context("DATABASE_URL must be a URL")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    Ok(format!("{scheme}://{user}:{password}@{place}{tail}"))
}

/// `host:port` of a URL.
fn place(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let usual = match scheme {
        "postgres" | "postgresql" => 5432,
        "amqp" => 5672,
        "amqps" => 5671,
        "redis" | "rediss" => 6379,
        "https" => 443,
        _ => 80,
    };
    match host.rsplit_once(':') {
        _ if host.is_empty() => None,
        Some((_, port)) if port.parse::<u16>().is_ok() => Some(host.to_owned()),
        _ => Some(format!("{host}:{usual}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_what_follows_the_login() {
        assert_eq!(place("postgres://a:b%40c@db.example/x?y=1"), Some("db.example:5432".into()));
        assert_eq!(place("http://10.0.0.1:4317"), Some("10.0.0.1:4317".into()));
        assert_eq!(place("redis://:secret@[::1]:7000"), Some("[::1]:7000".into()));
        assert_eq!(place("nonsense"), None);
    }

    #[test]
    fn another_database_of_the_same_server_keeps_login_and_options() {
        let url = "postgres://a:b@db.example:5433/x?sslrootcert=/etc/ca.pem";
        let expected = "postgres://a:b@db.example:5433/opsmesh_ticketing?sslrootcert=/etc/ca.pem";
        assert_eq!(beside(url, "opsmesh_ticketing").unwrap(), expected);
        assert!(beside("postgres://a:b@db.example", "y").is_err());
    }

    #[test]
    fn another_login_leaves_place_and_options() {
        let url = with_login("postgres://a:b%40c@db.example:5433/x?sslmode=require", "me", "secret").unwrap();
        assert_eq!(url, "postgres://me:secret@db.example:5433/x?sslmode=require");
        assert_eq!(with_login("postgres://db.example", "me", "s").unwrap(), "postgres://me:s@db.example");
        assert!(with_login("db.example", "me", "s").is_err());
    }

    #[test]
    fn a_password_is_taken_out_of_a_url_and_made_plain() {
        let (url, password) = without_password("postgres://a:b%40c%2F%@db.example/x");
        assert_eq!((url.as_str(), password.as_str()), ("postgres://a@db.example/x", "b@c/%"));
    }
}
