//! Items, probes and observations as protobuf has them.
use std::time::Duration;

use proto::{Invalid, Wire, inspection::v1 as pb, parse, why};

use crate::item::{Item, Limit, Observation, Probe, ProbeError, ProbeErrorKind, Severity, Verdict};

proto::same_words!(Severity = pb::Severity { Minor, Major, Critical });
proto::same_words!(Verdict = pb::Verdict { Pass, Flag, Fail });
proto::same_words!(
    ProbeErrorKind = pb::ProbeErrorKind { Timeout, Refused, Unreachable, Tls, Protocol, Unexpected, Authentication, Runner }
);

/// A probe that takes longer belongs in a monitoring system.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);
const ITEMS: usize = 200;
const LIMITS: usize = 10;
const RECORD_TYPES: &[&str] = &["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"];

/// The items of a plan: at least one, each id once.
pub(crate) fn items(items: Vec<pb::Item>) -> Result<Vec<Item>, Invalid> {
    if items.is_empty() || items.len() > ITEMS {
        let length = items.len();
        return Err(Invalid::new(
            "items",
            why!("has {length} entries, 1 to {ITEMS} are allowed", "有 {length} 项，允许 1 到 {ITEMS} 项"),
        ));
    }
    let mut parsed: Vec<Item> = Vec::with_capacity(items.len());
    for (at, raw) in items.into_iter().enumerate() {
        let item = item(raw).map_err(|invalid| invalid.within(&format!("items[{at}]")))?;
        if parsed.iter().any(|other| other.id == item.id) {
            let id = &item.id;
            return Err(Invalid::at(format!("items[{at}].id"), why!("`{id}` stands twice", "“{id}”重复出现")));
        }
        parsed.push(item);
    }
    Ok(parsed)
}

/// One item.
pub(crate) fn item(item: pb::Item) -> Result<Item, Invalid> {
    let pb::Item { id, title, probe, limits, severity, timeout } = item;
    let label = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if !(1..=63).contains(&id.len()) || !id.bytes().all(label) {
        return Err(Invalid::new(
            "id",
            why!("must be 1 to 63 lower-case letters, digits and hyphens", "须为 1 到 63 个小写字母、数字或连字符"),
        ));
    }
    let probe = self::probe(parse::required("probe", probe)?).map_err(|invalid| invalid.within("probe"))?;
    if limits.len() > LIMITS {
        let length = limits.len();
        return Err(Invalid::new(
            "limits",
            why!("has {length} entries, at most {LIMITS} are allowed", "有 {length} 项，最多允许 {LIMITS} 项"),
        ));
    }
    let limits = limits
        .into_iter()
        .enumerate()
        .map(|(at, raw)| limit(raw, &probe).map_err(|invalid| invalid.within(&format!("limits[{at}]"))))
        .collect::<Result<_, _>>()?;
    let timeout = parse::required("timeout", timeout)?;
    let timeout = Duration::try_from(timeout).ok().filter(|timeout| !timeout.is_zero() && *timeout <= LONGEST_TIMEOUT);
    Ok(Item {
        id,
        title: parse::words("title", title, 200)?,
        probe,
        limits,
        severity: Severity::from_wire("severity", severity)?,
        timeout: timeout.ok_or_else(|| {
            let why = why!("must be more than nothing and at most {LONGEST_TIMEOUT:?}", "须大于零且不超过 {LONGEST_TIMEOUT:?}");
            Invalid::new("timeout", why)
        })?,
    })
}

fn limit(limit: pb::Limit, probe: &Probe) -> Result<Limit, Invalid> {
    let pb::Limit { measure, pass_min, pass_max, fail_below, fail_above } = limit;
    if !probe.measures().contains(&measure.as_str()) {
        let taken = probe.measures().join(", ");
        let why = why!("this probe takes no `{measure}`; it takes {taken}", "此探测不采集“{measure}”，可采集：{taken}");
        return Err(Invalid::new("measure", why));
    }
    let bounds = [pass_min, pass_max, fail_below, fail_above];
    if bounds.iter().all(Option::is_none) {
        return Err(Invalid::new("measure", why!("has no limit at all", "未设任何限值")));
    }
    if bounds.iter().flatten().any(|bound| !bound.is_finite()) {
        return Err(Invalid::new("measure", why!("has a limit that is no number", "有限值不是数")));
    }
    let ascending = [fail_below, pass_min, pass_max, fail_above];
    if ascending.iter().flatten().is_sorted() {
        Ok(Limit { measure, pass_min, pass_max, fail_below, fail_above })
    } else {
        Err(Invalid::new(
            "measure",
            why!(
                "must have fail_below ≤ pass_min ≤ pass_max ≤ fail_above",
                "须满足 fail_below ≤ pass_min ≤ pass_max ≤ fail_above"
            ),
        ))
    }
}

fn port(raw: i32, default: Option<u16>) -> Result<u16, Invalid> {
    match (raw, default) {
        (0, Some(default)) => Ok(default),
        (1..=65535, _) => Ok(u16::try_from(raw).expect("it is in range")),
        _ => Err(Invalid::new("port", why!("{raw} is not a port", "{raw} 不是端口号"))),
    }
}

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn probe(probe: pb::Probe) -> Result<Probe, Invalid> {
    use pb::probe::Kind;
    match parse::required("kind", probe.kind)? {
        Kind::Tcp(pb::TcpProbe { port }) => {
            Ok(Probe::Tcp { port: self::port(port, None).map_err(|invalid| invalid.within("tcp"))? })
        }
        Kind::Http(probe) => http(probe).map_err(|invalid| invalid.within("http")),
        Kind::Tls(pb::TlsProbe { port, server_name }) => Ok(Probe::Tls {
            port: self::port(port, Some(443)).map_err(|invalid| invalid.within("tls"))?,
            server_name: filled(server_name),
        }),
        Kind::Dns(probe) => dns(probe).map_err(|invalid| invalid.within("dns")),
        Kind::Icmp(pb::IcmpProbe { count }) => match count {
            0 => Ok(Probe::Icmp { count: 3 }),
            1..=20 => Ok(Probe::Icmp { count: u16::try_from(count).expect("it is in range") }),
            _ => Err(Invalid::new("icmp.count", why!("must be 1 to 20", "须为 1 到 20"))),
        },
        Kind::Postgresql(pb::PostgresqlProbe { port, database, credentials }) => Ok(Probe::Postgresql {
            port: self::port(port, Some(5432)).map_err(|invalid| invalid.within("postgresql"))?,
            database: filled(database).unwrap_or_else(|| "postgres".into()),
            credentials: filled(credentials),
        }),
        Kind::Rabbitmq(pb::RabbitmqProbe { port, vhost, credentials }) => Ok(Probe::Rabbitmq {
            port: self::port(port, Some(5672)).map_err(|invalid| invalid.within("rabbitmq"))?,
            vhost: filled(vhost).unwrap_or_else(|| "/".into()),
            credentials: filled(credentials),
        }),
        Kind::Redis(pb::RedisProbe { port, credentials }) => Ok(Probe::Redis {
            port: self::port(port, Some(6379)).map_err(|invalid| invalid.within("redis"))?,
            credentials: filled(credentials),
        }),
        Kind::Prometheus(pb::PrometheusProbe { url, query }) => {
            let query = parse::words("prometheus.query", query, 2_000)?;
            match filled(url) {
                Some(url) if !url.starts_with("http://") && !url.starts_with("https://") => Err(Invalid::new(
                    "prometheus.url",
                    why!("must begin with http:// or https://", "须以 http:// 或 https:// 开头"),
                )),
                url => Ok(Probe::Prometheus { url, query }),
            }
        }
    }
}

fn http(probe: pb::HttpProbe) -> Result<Probe, Invalid> {
    let pb::HttpProbe { port, tls, path, host, expect_status, expect_body, insecure_skip_verify } = probe;
    let path = filled(path).unwrap_or_else(|| "/".into());
    if !path.starts_with('/') {
        return Err(Invalid::new("path", why!("must begin with /", "须以 / 开头")));
    }
    let status = |status: i32| u16::try_from(status).ok().filter(|status| (100..=599).contains(status));
    let expect_status = expect_status
        .into_iter()
        .map(|raw| {
            status(raw)
                .ok_or_else(|| Invalid::new("expect_status", why!("{raw} is not an HTTP status", "{raw} 不是 HTTP 状态码")))
        })
        .collect::<Result<_, _>>()?;
    Ok(Probe::Http {
        port: self::port(port, Some(if tls { 443 } else { 80 }))?,
        tls,
        path,
        host: filled(host),
        expect_status,
        expect_body: filled(expect_body),
        insecure_skip_verify,
    })
}

fn dns(probe: pb::DnsProbe) -> Result<Probe, Invalid> {
    let pb::DnsProbe { name, record_type, port } = probe;
    let record_type = filled(record_type).unwrap_or_else(|| "A".into());
    if !RECORD_TYPES.contains(&record_type.as_str()) {
        let known = RECORD_TYPES.join(", ");
        return Err(Invalid::new("record_type", why!("must be one of {known}", "须为其中之一：{known}")));
    }
    Ok(Probe::Dns { name: parse::words("name", name, 253)?, record_type, port: self::port(port, Some(53))? })
}

impl From<Item> for pb::Item {
    fn from(item: Item) -> Self {
        let Item { id, title, probe, limits, severity, timeout } = item;
        let limits = limits.into_iter().map(|limit| {
            let Limit { measure, pass_min, pass_max, fail_below, fail_above } = limit;
            pb::Limit { measure, pass_min, pass_max, fail_below, fail_above }
        });
        Self {
            id,
            title,
            probe: Some(probe.into()),
            limits: limits.collect(),
            severity: severity.to_wire(),
            timeout: Some(timeout.into()),
        }
    }
}

impl From<Probe> for pb::Probe {
    fn from(probe: Probe) -> Self {
        use pb::probe::Kind;
        let kind = match probe {
            Probe::Tcp { port } => Kind::Tcp(pb::TcpProbe { port: port.into() }),
            Probe::Http { port, tls, path, host, expect_status, expect_body, insecure_skip_verify } => {
                Kind::Http(pb::HttpProbe {
                    port: port.into(),
                    tls,
                    path,
                    host: host.unwrap_or_default(),
                    expect_status: expect_status.into_iter().map(Into::into).collect(),
                    expect_body: expect_body.unwrap_or_default(),
                    insecure_skip_verify,
                })
            }
            Probe::Tls { port, server_name } => {
                Kind::Tls(pb::TlsProbe { port: port.into(), server_name: server_name.unwrap_or_default() })
            }
            Probe::Dns { name, record_type, port } => Kind::Dns(pb::DnsProbe { name, record_type, port: port.into() }),
            Probe::Icmp { count } => Kind::Icmp(pb::IcmpProbe { count: count.into() }),
            Probe::Postgresql { port, database, credentials } => Kind::Postgresql(pb::PostgresqlProbe {
                port: port.into(),
                database,
                credentials: credentials.unwrap_or_default(),
            }),
            Probe::Rabbitmq { port, vhost, credentials } => {
                Kind::Rabbitmq(pb::RabbitmqProbe { port: port.into(), vhost, credentials: credentials.unwrap_or_default() })
            }
            Probe::Redis { port, credentials } => {
                Kind::Redis(pb::RedisProbe { port: port.into(), credentials: credentials.unwrap_or_default() })
            }
            Probe::Prometheus { url, query } => Kind::Prometheus(pb::PrometheusProbe { url: url.unwrap_or_default(), query }),
        };
        Self { kind: Some(kind) }
    }
}

/// What a worker says it saw.
pub(crate) fn observation(observation: pb::Observation) -> Result<Observation, Invalid> {
    let pb::Observation { mut measures, error, attempts } = observation;
    if measures.len() > 32 {
        return Err(Invalid::new("measures", why!("has more than 32 entries", "超过 32 项")));
    }
    // What is no number was not measured.
    measures.retain(|_, value| value.is_finite());
    let error = error.map(|error| {
        let pb::ProbeError { kind, detail } = error;
        let kind = ProbeErrorKind::from_wire("error.kind", kind)?;
        Ok(ProbeError { kind, detail: detail.chars().take(1_000).collect() })
    });
    let attempts =
        u16::try_from(attempts).map_err(|_| Invalid::new("attempts", why!("must be 0 to 65535", "须为 0 到 65535")))?;
    Ok(Observation { measures, error: error.transpose()?, attempts })
}

impl From<Observation> for pb::Observation {
    fn from(observation: Observation) -> Self {
        let Observation { measures, error, attempts } = observation;
        let error = error.map(|ProbeError { kind, detail }| pb::ProbeError { kind: kind.to_wire(), detail });
        Self { measures, error, attempts: attempts.into() }
    }
}
