//! A question to a Prometheus server, whose answer must be one number.
use reqwest::Url;
use serde::Deserialize;
use tokio::time::Instant;

use super::{
    Measures, failed,
    http::{Web, not_sent},
    measures, milliseconds,
};
use crate::item::{ProbeError, ProbeErrorKind};

#[derive(Debug, Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: serde_json::Value,
}

#[derive(Debug, Deserialize)]
struct Sample {
    value: (f64, String),
}

pub(super) async fn measure(
    web: &Web,
    address: &str,
    device: &str,
    url: Option<&str>,
    query: &str,
) -> Result<Measures, ProbeError> {
    let server = url.map_or_else(|| format!("http://{address}:9090"), str::to_owned);
    let query = query.replace("${device}", device).replace("${address}", address);
    let text = format!("{}/api/v1/query", server.trim_end_matches('/'));
    let mut url = Url::parse(&text).map_err(|error| failed(ProbeErrorKind::Runner, format!("{text}（{error}）")))?;
    url.query_pairs_mut().append_pair("query", &query);
    let begun = Instant::now();
    let answer = web.client(false)?.get(url.clone()).send().await.map_err(|error| not_sent(&error, &url))?;
    let answer: Answer = answer.json().await.map_err(|error| failed(ProbeErrorKind::Protocol, format!("{text}（{error}）")))?;
    let latency = milliseconds(begun);
    if answer.status != "success" {
        return Err(failed(ProbeErrorKind::Unexpected, format!("{query}：{}", answer.error)));
    }
    let unreadable = |error: serde_json::Error| failed(ProbeErrorKind::Protocol, format!("{text}（{error}）"));
    let value = match answer.data {
        Some(Data { result_type, result }) if result_type == "scalar" => {
            serde_json::from_value::<(f64, String)>(result).map_err(unreadable)?.1
        }
        Some(Data { result_type, result }) if result_type == "vector" => {
            let samples: Vec<Sample> = serde_json::from_value(result).map_err(unreadable)?;
            match <[Sample; 1]>::try_from(samples) {
                Ok([sample]) => sample.value.1,
                Err(samples) => {
                    return Err(failed(ProbeErrorKind::Unexpected, format!("{query} 得到 {} 个值，应为 1 个", samples.len())));
                }
            }
        }
        Some(_) | None => return Err(failed(ProbeErrorKind::Unexpected, format!("{query} 得到的不是一个数值"))),
    };
    let value = value.parse().map_err(|_| failed(ProbeErrorKind::Protocol, format!("{query} 得到 {value}")))?;
    Ok(measures([("latencyMs", latency), ("value", value)]))
}
