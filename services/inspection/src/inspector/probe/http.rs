//! An HTTP or HTTPS request is sent and the whole answer read, up to a bound.
use std::sync::OnceLock;

use reqwest::{Client, ClientBuilder, Url, header::HOST, redirect::Policy};
use tokio::time::Instant;

use super::{Measures, failed, measures, milliseconds, resolve};
use crate::item::{ProbeError, ProbeErrorKind};

/// More of an answer is not read: a probe is no download.
const LARGEST_BODY: usize = 4 << 20;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'a> {
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) path: &'a str,
    pub(super) host: Option<&'a str>,
    pub(super) insecure: bool,
}

/// Clients, made when first needed: reading the machine's authorities takes a while.
#[derive(Debug, Default)]
pub(super) struct Web {
    trusting: OnceLock<Client>,
    careful: OnceLock<Client>,
}

impl Web {
    pub(super) fn client(&self, insecure: bool) -> Result<Client, ProbeError> {
        let held = if insecure { &self.trusting } else { &self.careful };
        if let Some(client) = held.get() {
            return Ok(client.clone());
        }
        let client = builder(insecure).build().map_err(|error| cannot(&error))?;
        Ok(held.get_or_init(|| client).clone())
    }
}

/// A redirection is an answer like any other, and a kept connection would hide a server that is gone.
fn builder(insecure: bool) -> ClientBuilder {
    Client::builder().redirect(Policy::none()).pool_max_idle_per_host(0).no_proxy().tls_danger_accept_invalid_certs(insecure)
}

fn cannot(error: &reqwest::Error) -> ProbeError {
    failed(ProbeErrorKind::Runner, format!("无法建立 HTTP 客户端：{}", chain(error)))
}

pub(super) async fn measure(
    web: &Web,
    address: &str,
    page: &Page<'_>,
    expect_status: &[u16],
    expect_body: Option<&str>,
) -> Result<Measures, ProbeError> {
    let socket = resolve(address, page.port).await?;
    let scheme = if page.tls { "https" } else { "http" };
    let named = page.host.unwrap_or(address);
    let bracketed = if named.contains(':') { format!("[{named}]") } else { named.to_owned() };
    let url = Url::parse(&format!("{scheme}://{bracketed}:{}{}", page.port, page.path))
        .map_err(|error| failed(ProbeErrorKind::Runner, format!("{}{}（{error}）", named, page.path)))?;
    // With a name of its own the request still goes to the device's address.
    let client = match page.host {
        Some(host) => builder(page.insecure).resolve(host, socket).build().map_err(|error| cannot(&error))?,
        None => web.client(page.insecure)?,
    };
    let mut request = client.get(url.clone());
    if page.host.is_some() {
        request = request.header(HOST, named);
    }
    let begun = Instant::now();
    let mut answer = request.send().await.map_err(|error| not_sent(&error, &url))?;
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| not_sent(&error, &url))? {
        body.extend_from_slice(&chunk[..chunk.len().min(LARGEST_BODY - body.len())]);
        if body.len() >= LARGEST_BODY {
            break;
        }
    }
    let latency = milliseconds(begun);
    let expected = if expect_status.is_empty() { (200..400).contains(&status) } else { expect_status.contains(&status) };
    if !expected {
        return Err(failed(ProbeErrorKind::Unexpected, format!("{url} 返回状态 {status}")));
    }
    if let Some(words) = expect_body
        && !String::from_utf8_lossy(&body).contains(words)
    {
        return Err(failed(ProbeErrorKind::Unexpected, format!("{url} 的应答中没有“{words}”")));
    }
    let bytes = u32::try_from(body.len()).unwrap_or(u32::MAX);
    Ok(measures([("latencyMs", latency), ("statusCode", status.into()), ("bodyBytes", bytes.into())]))
}

/// What an error of a request means.
pub(super) fn not_sent(error: &reqwest::Error, url: &Url) -> ProbeError {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = cause {
        if let Some(socket) = inner.downcast_ref::<std::io::Error>()
            && socket.get_ref().is_none()
        {
            return super::socket_failed(socket, url);
        }
        if inner.is::<rustls::Error>() || inner.to_string().contains("certificate") {
            return failed(ProbeErrorKind::Tls, format!("{url}（{inner}）"));
        }
        cause = inner.source();
    }
    let kind = if error.is_timeout() { ProbeErrorKind::Timeout } else { ProbeErrorKind::Protocol };
    failed(kind, format!("{url}（{}）", chain(error)))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
