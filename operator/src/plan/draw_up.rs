//! Drawing up: a checked plan becomes a CronJob. Pure. Its Jobs are born suspended: the operator lets each go when it knows
//! how many workers the run has, and what they know of the run they read from annotations that are added then.
use std::collections::BTreeMap;

use crds::keys;
use k8s_openapi::{
    api::{
        batch::v1::{
            CronJob, CronJobSpec, JobSpec, JobTemplateSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
            PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
        },
        core::v1::{
            Capabilities, Container, EnvVar, EnvVarSource, ObjectFieldSelector, PodSecurityContext, PodSpec, PodTemplateSpec,
            ProjectedVolumeSource, ResourceRequirements, SeccompProfile, SecretVolumeSource, SecurityContext,
            ServiceAccountTokenProjection, Sysctl, Volume, VolumeMount, VolumeProjection,
        },
    },
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::ObjectMeta},
};

use crate::{WorkerSettings, plan::check::Fit};

/// A worker that was told something impossible says so by this exit code; starting it again changes nothing.
const BAD_CONFIGURATION: i32 = 42;
/// A worker that dies otherwise is started again so often; what it has handed in stays.
const RETRIES: i32 = 3;
/// Finished Jobs are kept a day for a look; the truth of a run is in the inspection service.
const KEPT: i32 = 24 * 3600;
/// The user of our images.
const NOBODY: i64 = 65532;
const TOKEN_LIFE: i64 = 3600;

/// The CronJob of a plan.
pub(crate) fn draw_up(fit: &Fit, settings: &WorkerSettings) -> CronJob {
    let labels = labels(fit);
    let job = JobSpec {
        suspend: Some(true),
        completion_mode: Some("Indexed".into()),
        completions: Some(1),
        parallelism: Some(1),
        backoff_limit_per_index: Some(RETRIES),
        active_deadline_seconds: Some(fit.deadline.as_secs()),
        ttl_seconds_after_finished: Some(KEPT),
        pod_replacement_policy: Some("Failed".into()),
        pod_failure_policy: Some(failures()),
        template: PodTemplateSpec {
            metadata: Some(ObjectMeta { labels: Some(labels.clone()), ..ObjectMeta::default() }),
            spec: Some(pod(fit, settings)),
        },
        ..JobSpec::default()
    };
    CronJob {
        metadata: ObjectMeta {
            name: Some(fit.name.clone()),
            namespace: Some(fit.namespace.clone()),
            labels: Some(labels.clone()),
            owner_references: Some(vec![fit.owner.clone()]),
            ..ObjectMeta::default()
        },
        spec: Some(CronJobSpec {
            schedule: fit.schedule.cron().to_owned(),
            time_zone: Some(fit.plan.spec.schedule.time_zone.clone()),
            concurrency_policy: Some("Forbid".into()),
            starting_deadline_seconds: Some(fit.starting_deadline.as_secs()),
            suspend: Some(fit.plan.spec.suspend),
            successful_jobs_history_limit: Some(3),
            failed_jobs_history_limit: Some(3),
            job_template: JobTemplateSpec {
                metadata: Some(ObjectMeta { labels: Some(labels), ..ObjectMeta::default() }),
                spec: Some(job),
            },
        }),
        status: None,
    }
}

/// Only these: a label that a GitOps tool tracks its objects by must not reach objects that it does not know.
fn labels(fit: &Fit) -> BTreeMap<String, String> {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    [
        pair(keys::MANAGED_BY, keys::MANAGER),
        pair(keys::PLAN_KIND, "InspectionPlan"),
        pair(keys::PLAN_NAME, &fit.name),
        pair(keys::PLAN_UID, &fit.uid),
    ]
    .into()
}

fn failures() -> PodFailurePolicy {
    PodFailurePolicy {
        rules: vec![
            // A worker that was evicted or whose node went away is not to blame.
            PodFailurePolicyRule {
                action: "Ignore".into(),
                on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
                    type_: "DisruptionTarget".into(),
                    status: "True".into(),
                }]),
                on_exit_codes: None,
            },
            PodFailurePolicyRule {
                action: "FailIndex".into(),
                on_exit_codes: Some(PodFailurePolicyOnExitCodesRequirement {
                    container_name: Some("inspector".into()),
                    operator: "In".into(),
                    values: vec![BAD_CONFIGURATION],
                }),
                on_pod_conditions: None,
            },
        ],
    }
}

/// A pod that the *restricted* policy admits: no user but nobody, no capability, nothing to write on, no right at the API.
fn pod(fit: &Fit, settings: &WorkerSettings) -> PodSpec {
    let runner = &fit.plan.spec.runner;
    let mut volumes = vec![Volume {
        name: "token".into(),
        projected: Some(ProjectedVolumeSource {
            default_mode: Some(0o444),
            sources: Some(vec![VolumeProjection {
                service_account_token: Some(ServiceAccountTokenProjection {
                    audience: Some(settings.audience.clone()),
                    expiration_seconds: Some(TOKEN_LIFE),
                    path: "token".into(),
                }),
                ..VolumeProjection::default()
            }]),
        }),
        ..Volume::default()
    }];
    let mount = |name: &str| VolumeMount {
        name: name.into(),
        mount_path: format!("/var/run/opsmesh/{name}"),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    let mut mounts = vec![mount("token")];
    if let Some(secret) = &runner.credentials_secret {
        volumes.push(Volume {
            name: "credentials".into(),
            secret: Some(SecretVolumeSource {
                secret_name: Some(secret.clone()),
                default_mode: Some(0o444),
                ..SecretVolumeSource::default()
            }),
            ..Volume::default()
        });
        mounts.push(mount("credentials"));
    }
    PodSpec {
        restart_policy: Some("Never".into()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        node_selector: Some(runner.node_selector.clone()).filter(|selector| !selector.is_empty()),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: Some(NOBODY),
            run_as_group: Some(NOBODY),
            seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".into(), localhost_profile: None }),
            // Lets datagram ICMP sockets be opened without any capability; it is a safe sysctl.
            sysctls: Some(vec![Sysctl { name: "net.ipv4.ping_group_range".into(), value: "0 65535".into() }]),
            ..PodSecurityContext::default()
        }),
        containers: vec![Container {
            name: "inspector".into(),
            image: Some(settings.image.clone()),
            image_pull_policy: Some(settings.image_pull_policy.clone()),
            command: Some(vec!["/inspector".into()]),
            env: Some(environment(fit, settings)),
            volume_mounts: Some(mounts),
            resources: Some(runner.resources.clone().unwrap_or_else(resources)),
            security_context: Some(SecurityContext {
                allow_privilege_escalation: Some(false),
                read_only_root_filesystem: Some(true),
                capabilities: Some(Capabilities { drop: Some(vec!["ALL".into()]), add: None }),
                ..SecurityContext::default()
            }),
            ..Container::default()
        }],
        volumes: Some(volumes),
        ..PodSpec::default()
    }
}

/// A worker waits for the network nearly all its time.
fn resources() -> ResourceRequirements {
    let quantities = |cpu: &str, memory: &str| {
        Some([("cpu".to_owned(), Quantity(cpu.into())), ("memory".to_owned(), Quantity(memory.into()))].into())
    };
    ResourceRequirements { requests: quantities("50m", "32Mi"), limits: quantities("1", "256Mi"), claims: None }
}

fn environment(fit: &Fit, settings: &WorkerSettings) -> Vec<EnvVar> {
    let value = |name: &str, value: &str| EnvVar { name: name.into(), value: Some(value.into()), value_from: None };
    let annotation = |name: &str, key: &str| EnvVar {
        name: name.into(),
        value: None,
        value_from: Some(EnvVarSource {
            // Written out as the API server stores it, so that what is drawn up and what is held compare equal.
            field_ref: Some(ObjectFieldSelector {
                api_version: Some("v1".into()),
                field_path: format!("metadata.annotations['{key}']"),
            }),
            ..EnvVarSource::default()
        }),
    };
    vec![
        annotation("INSPECTOR__SERVICE__RUN", keys::RUN),
        annotation("INSPECTOR__SERVICE__TRACEPARENT", keys::TRACEPARENT),
        annotation("INSPECTOR__SERVICE__SHARD", "batch.kubernetes.io/job-completion-index"),
        value("INSPECTOR__SERVICE__CONCURRENCY", &fit.plan.spec.runner.concurrency.to_string()),
        value("INSPECTOR__SERVICE__INSPECTION__URL", &settings.inspection_url),
        value("INSPECTOR__HOST__TELEMETRY__OTLP", &settings.otlp),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::check::{
        check,
        tests::{now, plan},
    };

    fn drawn() -> CronJob {
        drawn_with("30 9 * * 1-5")
    }

    fn drawn_with(cron: &str) -> CronJob {
        let settings = WorkerSettings {
            image: "opsmesh/inspection:1".into(),
            image_pull_policy: "Never".into(),
            inspection_url: "http://inspection:7000".into(),
            audience: "opsmesh-inspection".into(),
            otlp: String::new(),
        };
        draw_up(&check(&plan(cron, "Asia/Shanghai"), Some("gz"), now()).unwrap(), &settings)
    }

    #[test]
    fn a_plan_owns_its_cronjob_which_keeps_its_schedule_and_zone() {
        let CronJob { metadata, spec, .. } = drawn();
        assert_eq!(metadata.owner_references.unwrap()[0].kind, "InspectionPlan");
        let spec = spec.unwrap();
        assert_eq!(
            (spec.schedule.as_str(), spec.time_zone.as_deref(), spec.suspend),
            ("30 9 * * 1-5", Some("Asia/Shanghai"), Some(false))
        );
    }

    #[test]
    fn the_cronjob_has_a_number_where_the_plan_has_an_h() {
        let schedule = drawn_with("H 9 * * 1-5").spec.unwrap().schedule;
        let minute: u8 = schedule.strip_suffix(" 9 * * 1-5").unwrap().parse().unwrap();
        assert!(minute < 60);
        assert_eq!(drawn_with("H 9 * * 1-5").spec.unwrap().schedule, schedule);
    }

    #[test]
    fn its_jobs_are_born_suspended_and_indexed() {
        let job = drawn().spec.unwrap().job_template.spec.unwrap();
        assert_eq!(
            (job.suspend, job.completion_mode.as_deref(), job.active_deadline_seconds),
            (Some(true), Some("Indexed"), Some(600))
        );
    }

    #[test]
    fn a_worker_has_no_right_but_its_own_token() {
        let pod = drawn().spec.unwrap().job_template.spec.unwrap().template.spec.unwrap();
        assert_eq!(pod.automount_service_account_token, Some(false));
        let context = pod.containers[0].security_context.clone().unwrap();
        assert_eq!((context.allow_privilege_escalation, context.read_only_root_filesystem), (Some(false), Some(true)));
        assert_eq!(context.capabilities.unwrap().drop, Some(vec!["ALL".to_owned()]));
        let volumes = pod.volumes.unwrap();
        assert_eq!(volumes.len(), 1);
        let sources = volumes[0].projected.clone().unwrap().sources.unwrap();
        assert_eq!(sources[0].service_account_token.clone().unwrap().audience.as_deref(), Some("opsmesh-inspection"));
    }

    #[test]
    fn the_same_plan_is_drawn_up_the_same() {
        assert_eq!(drawn(), drawn());
    }
}
