//! ICMP echo, over datagram sockets: no privilege is needed where `net.ipv4.ping_group_range` admits the pod's group.
use std::{
    net::IpAddr,
    sync::{
        OnceLock,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use surge_ping::{Client, Config, ICMP, PingIdentifier, PingSequence, SurgeError};
use tokio::time::Instant;

use super::{Measures, failed, measures, milliseconds, resolve, socket_failed};
use crate::item::{ProbeError, ProbeErrorKind};

/// A reply to one request is waited for so long; the item's timeout bounds them all.
const REPLY_WITHIN: Duration = Duration::from_secs(2);
const PAYLOAD: [u8; 56] = [0x6f; 56];

/// The sockets, opened when first needed.
#[derive(Default)]
pub(super) struct Sockets {
    v4: OnceLock<Client>,
    v6: OnceLock<Client>,
    sequence: AtomicU16,
}

impl Sockets {
    fn client(&self, ip: IpAddr) -> std::io::Result<Client> {
        let (held, kind) = if ip.is_ipv4() { (&self.v4, ICMP::V4) } else { (&self.v6, ICMP::V6) };
        if let Some(client) = held.get() {
            return Ok(client.clone());
        }
        let config = Config::builder().kind(kind).sock_type_hint(socket2::Type::DGRAM).build();
        let client = Client::new(&config)?;
        Ok(held.get_or_init(|| client).clone())
    }
}

pub(super) async fn measure(sockets: &Sockets, address: &str, count: u16) -> Result<Measures, ProbeError> {
    let ip = resolve(address, 0).await?.ip();
    let client = sockets.client(ip).map_err(|error| failed(ProbeErrorKind::Runner, format!("ICMP 套接字（{error}）")))?;
    let mut pinger = client.pinger(ip, PingIdentifier(0)).await;
    pinger.timeout(REPLY_WITHIN);
    let mut replies = Vec::new();
    for _ in 0..count {
        let sequence = PingSequence(sockets.sequence.fetch_add(1, Ordering::Relaxed));
        // Its own figure begins after the request was sent: on a quick way the reply is there before.
        let begun = Instant::now();
        match pinger.ping(sequence, &PAYLOAD).await {
            Ok(_) => replies.push(milliseconds(begun)),
            Err(SurgeError::Timeout { .. }) => {}
            Err(SurgeError::IOError(error)) => return Err(socket_failed(&error, ip)),
            Err(error) => return Err(failed(ProbeErrorKind::Protocol, format!("{ip}（{error}）"))),
        }
    }
    let replied = u16::try_from(replies.len()).unwrap_or(count);
    if replied == 0 {
        return Err(failed(ProbeErrorKind::Timeout, format!("{ip} 对 {count} 次回显请求均无应答")));
    }
    let mean = replies.iter().sum::<f64>() / f64::from(replied);
    let loss = 100.0 * f64::from(count - replied) / f64::from(count);
    Ok(measures([("latencyMs", mean), ("lossPercent", loss)]))
}
