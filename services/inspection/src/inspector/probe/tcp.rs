//! A TCP connection is opened and closed.
use tokio::{net::TcpStream, time::Instant};

use super::{Measures, measures, milliseconds, resolve, socket_failed};
use crate::item::ProbeError;

pub(super) async fn measure(address: &str, port: u16) -> Result<Measures, ProbeError> {
    let socket = resolve(address, port).await?;
    let begun = Instant::now();
    TcpStream::connect(socket).await.map_err(|error| socket_failed(&error, socket))?;
    Ok(measures([("latencyMs", milliseconds(begun))]))
}
