//! The device is asked as a name server.
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
    proto::rr::RecordType,
};
use tokio::time::Instant;

use super::{Measures, failed, measures, milliseconds, resolve};
use crate::item::{ProbeError, ProbeErrorKind};

pub(super) async fn measure(address: &str, port: u16, name: &str, record_type: &str) -> Result<Measures, ProbeError> {
    let socket = resolve(address, port).await?;
    let kind: RecordType = record_type.parse().map_err(|_| failed(ProbeErrorKind::Runner, format!("记录类型 {record_type}")))?;
    let mut udp = ConnectionConfig::udp();
    udp.port = port;
    let mut tcp = ConnectionConfig::tcp();
    tcp.port = port;
    let server = NameServerConfig::new(socket.ip(), true, vec![udp, tcp]);
    let mut builder = TokioResolver::builder_with_config(
        ResolverConfig::from_parts(None, Vec::new(), vec![server]),
        TokioRuntimeProvider::default(),
    );
    let options = builder.options_mut();
    // What is measured is the device, now; attempts and timeouts are the prober's.
    options.cache_size = 0;
    options.attempts = 0;
    let resolver = builder.build().map_err(|error| failed(ProbeErrorKind::Runner, error.to_string()))?;
    // A final dot: no search list.
    let question = format!("{}.", name.trim_end_matches('.'));
    let begun = Instant::now();
    let answers = match resolver.lookup(question.as_str(), kind).await {
        Ok(lookup) => lookup.answers().len(),
        Err(error) if error.is_no_records_found() || error.is_nx_domain() => 0,
        Err(error) => return Err(failed(ProbeErrorKind::Unreachable, format!("{socket}（{error}）"))),
    };
    if answers == 0 {
        return Err(failed(ProbeErrorKind::Unexpected, format!("{socket} 没有 {name} 的 {record_type} 记录")));
    }
    let answers = u32::try_from(answers).unwrap_or(u32::MAX);
    Ok(measures([("latencyMs", milliseconds(begun)), ("answers", answers.into())]))
}
