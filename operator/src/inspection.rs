//! The inspection service, as the operator uses it: plans and runs into its words, its answers into ours.
use chassis::{Origin, Upstream};
use crds::{Counts, DeviceClass, DeviceSelector, InspectionPlanSpec, Item, Limit, Phase, Probe, Severity};
use jiff::{SignedDuration, Timestamp};
use prost::Message;
use proto::{
    inspection::v1::{self as pb, inspection_client::InspectionClient},
    inventory::v1 as inventory,
    stamp,
};
use sha2::{Digest, Sha256};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Why inspection does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It will not, ever: what is asked is wrong.
    #[error("{0}")]
    Refused(String),
    /// It cannot now.
    #[error("the inspection service does not answer: {0}")]
    Away(String),
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        match status.code() {
            Code::InvalidArgument | Code::FailedPrecondition | Code::NotFound | Code::AlreadyExists | Code::OutOfRange => {
                // The door names the field as the wire spells it; our user wrote the manifest.
                let field = status.get_details_bad_request().and_then(|details| details.field_violations.into_iter().next());
                Self::Refused(field.map_or_else(
                    || status.message().to_owned(),
                    |violation| format!("{}: {}", violation.field.replacen("plan.", "spec.", 1), violation.description),
                ))
            }
            _ => Self::Away(format!("{:?}: {}", status.code(), status.message())),
        }
    }
}

/// A run, as inspection tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) phase: Phase,
    pub(crate) shards: i32,
    pub(crate) counts: Counts,
    pub(crate) reason: String,
}

/// What makes a run.
#[derive(Debug, Clone)]
pub(crate) struct Cause {
    /// `agencies/{agency}/plans/{plan}`.
    pub(crate) plan: String,
    pub(crate) cause: String,
    pub(crate) scheduled_at: Timestamp,
    pub(crate) origin: Origin,
}

/// The plan of an InspectionPlan.
pub(crate) fn plan_of(name: String, uid: &str, generation: i64, spec: &InspectionPlanSpec) -> pb::Plan {
    let InspectionPlanSpec { schedule, items, devices, runner, deadline: _, suspend: _ } = spec;
    pb::Plan {
        name,
        uid: uid.to_owned(),
        generation,
        schedule: schedule.cron.clone(),
        time_zone: schedule.time_zone.clone(),
        items: items.iter().map(item).collect(),
        selector: Some(selector(devices)),
        shard_size: runner.devices_per_worker,
        max_shards: runner.max_workers,
        update_time: None,
    }
}

pub(crate) async fn put_plan(client: &InspectionClient<Upstream>, plan: pb::Plan) -> Result<(), Error> {
    let mut request = pb::PutPlanRequest { plan: Some(plan), request_id: String::new(), ..Default::default() };
    request.request_id = request_id(&request);
    client.clone().put_plan(request).await?;
    Ok(())
}

pub(crate) async fn create_run(client: &InspectionClient<Upstream>, cause: &Cause) -> Result<Told, Error> {
    let mut request = pb::CreateRunRequest {
        plan: cause.plan.clone(),
        cause: cause.cause.clone(),
        scheduled_time: Some(stamp(cause.scheduled_at)),
        traceparent: cause.origin.to_string(),
        request_id: String::new(),
        ..Default::default()
    };
    request.request_id = request_id(&request);
    told(client.clone().create_run(request).await?.into_inner())
}

pub(crate) async fn finish_run(client: &InspectionClient<Upstream>, name: &str, reason: &str) -> Result<Told, Error> {
    let mut request = pb::FinishRunRequest {
        name: name.to_owned(),
        reason: reason.to_owned(),
        request_id: String::new(),
        ..Default::default()
    };
    request.request_id = request_id(&request);
    told(client.clone().finish_run(request).await?.into_inner())
}

/// The same request has the same id, whichever replica sends it and however often.
fn request_id(request: &impl Message) -> String {
    let digest = Sha256::digest(request.encode_to_vec());
    let bytes: [u8; 16] = digest[..16].try_into().expect("a digest is longer than a UUID");
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

fn told(run: pb::Run) -> Result<Told, Error> {
    let phase = match run.state() {
        pb::RunState::Open => Phase::Running,
        pb::RunState::Succeeded => Phase::Succeeded,
        pb::RunState::Incomplete => Phase::Incomplete,
        pb::RunState::Skipped => Phase::Skipped,
        pb::RunState::Unspecified => return Err(Error::Away("a run without a state".into())),
    };
    let pb::RunCounts { targets, expected, recorded, passed, flagged, failed } = run.counts.unwrap_or_default();
    let counts = Counts { targets, expected, recorded, passed, flagged, failed };
    Ok(Told { name: run.name, phase, shards: run.shard_count, counts, reason: run.reason })
}

/// A duration as a manifest writes it; the schema has checked that it is one.
pub(crate) fn duration(text: &str) -> Option<SignedDuration> {
    text.parse().ok()
}

fn item(item: &Item) -> pb::Item {
    let Item { id, title, probe, limits, severity, timeout } = item;
    pb::Item {
        id: id.clone(),
        title: title.clone(),
        probe: Some(pb::Probe { kind: Some(kind(probe)) }),
        limits: limits.iter().map(limit).collect(),
        severity: match severity {
            Severity::Minor => pb::Severity::Minor,
            Severity::Major => pb::Severity::Major,
            Severity::Critical => pb::Severity::Critical,
        }
        .into(),
        timeout: duration(timeout)
            .map(|timeout| pbjson_types::Duration { seconds: timeout.as_secs(), nanos: timeout.subsec_nanos() }),
    }
}

fn limit(limit: &Limit) -> pb::Limit {
    let Limit { measure, pass_min, pass_max, fail_below, fail_above } = limit.clone();
    pb::Limit { measure, pass_min, pass_max, fail_below, fail_above }
}

fn kind(probe: &Probe) -> pb::probe::Kind {
    use pb::probe::Kind;
    match probe.clone() {
        Probe::Tcp(crds::TcpProbe { port }) => Kind::Tcp(pb::TcpProbe { port }),
        Probe::Http(crds::HttpProbe { port, tls, path, host, expect_status, expect_body, insecure_skip_verify }) => {
            Kind::Http(pb::HttpProbe {
                port: port.unwrap_or_default(),
                tls,
                path,
                host: host.unwrap_or_default(),
                expect_status,
                expect_body: expect_body.unwrap_or_default(),
                insecure_skip_verify,
            })
        }
        Probe::Tls(crds::TlsProbe { port, server_name }) => {
            Kind::Tls(pb::TlsProbe { port, server_name: server_name.unwrap_or_default() })
        }
        Probe::Dns(crds::DnsProbe { name, record_type, port }) => Kind::Dns(pb::DnsProbe { name, record_type, port }),
        Probe::Icmp(crds::IcmpProbe { count }) => Kind::Icmp(pb::IcmpProbe { count }),
        Probe::Postgresql(crds::PostgresqlProbe { port, database, credentials }) => {
            Kind::Postgresql(pb::PostgresqlProbe { port, database, credentials: credentials.unwrap_or_default() })
        }
        Probe::Rabbitmq(crds::RabbitmqProbe { port, vhost, credentials }) => {
            Kind::Rabbitmq(pb::RabbitmqProbe { port, vhost, credentials: credentials.unwrap_or_default() })
        }
        Probe::Redis(crds::RedisProbe { port, credentials }) => {
            Kind::Redis(pb::RedisProbe { port, credentials: credentials.unwrap_or_default() })
        }
        Probe::Prometheus(crds::PrometheusProbe { url, query }) => {
            Kind::Prometheus(pb::PrometheusProbe { url: url.unwrap_or_default(), query })
        }
    }
}

fn selector(selector: &DeviceSelector) -> inventory::DeviceSelector {
    let DeviceSelector { classes, sites, match_labels } = selector;
    let class = |class: &DeviceClass| match class {
        DeviceClass::Server => inventory::DeviceClass::Server,
        DeviceClass::Storage => inventory::DeviceClass::Storage,
        DeviceClass::NetworkSwitch => inventory::DeviceClass::NetworkSwitch,
        DeviceClass::NetworkRouter => inventory::DeviceClass::NetworkRouter,
        DeviceClass::Firewall => inventory::DeviceClass::Firewall,
        DeviceClass::Wireless => inventory::DeviceClass::Wireless,
        DeviceClass::Desktop => inventory::DeviceClass::Desktop,
        DeviceClass::Printer => inventory::DeviceClass::Printer,
        DeviceClass::Ups => inventory::DeviceClass::Ups,
        DeviceClass::PowerDistribution => inventory::DeviceClass::PowerDistribution,
        DeviceClass::PrecisionAc => inventory::DeviceClass::PrecisionAc,
        DeviceClass::FireProtection => inventory::DeviceClass::FireProtection,
        DeviceClass::EnvironmentMonitoring => inventory::DeviceClass::EnvironmentMonitoring,
        DeviceClass::EquipmentRoom => inventory::DeviceClass::EquipmentRoom,
        DeviceClass::Cabling => inventory::DeviceClass::Cabling,
        DeviceClass::ConferenceAv => inventory::DeviceClass::ConferenceAv,
        DeviceClass::Software => inventory::DeviceClass::Software,
    };
    inventory::DeviceSelector {
        device_classes: classes.iter().map(|found| class(found).into()).collect(),
        sites: sites.clone(),
        match_labels: match_labels.clone(),
    }
}
