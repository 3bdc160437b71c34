//! Asking a server over plain HTTP: enough for health, and for a server's own API. No TLS, no redirects, one answer a connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A local server that takes longer than this is not healthy.
const PATIENCE: Duration = Duration::from_secs(5);

/// The body of `GET path`, if the answer is a 2xx.
pub(crate) fn get(address: &str, path: &str) -> Result<String, String> {
    get_with(address, path, "")
}

/// As [`get`], with header lines, each ending in CR LF.
pub(crate) fn get_with(address: &str, path: &str, headers: &str) -> Result<String, String> {
    let mut stream = connect(address)?;
    let complain = |error: std::io::Error| format!("{address} does not answer: {error}");
    // HTTP/1.0: the end of the connection is the end of the answer, and nothing arrives in chunks.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n{headers}\r\n").map_err(complain)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(complain)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status.starts_with('2') {
        Ok(body.to_owned())
    } else {
        Err(format!("http://{address}{path} answers {status} {}", body.lines().next().unwrap_or_default()))
    }
}

/// Whether somebody listens at `address:port`.
pub(crate) fn connect(address: &str) -> Result<TcpStream, String> {
    let parsed: SocketAddr = address.parse().map_err(|_| format!("{address} is not an address"))?;
    let stream = TcpStream::connect_timeout(&parsed, PATIENCE)
        .map_err(|error| format!("nobody listens on {address} ({})", error.kind()))?;
    // Whoever listens may be stopped or stuck, and never say a word.
    for bounded in [stream.set_read_timeout(Some(PATIENCE)), stream.set_write_timeout(Some(PATIENCE))] {
        bounded.map_err(|error| error.to_string())?;
    }
    Ok(stream)
}
