//! InspectionPlan (巡检计划, T/DGAG 038-2025 7.3.2.1): what is inspected, where, and how often.
use std::collections::BTreeMap;

use k8s_openapi::{api::core::v1::ResourceRequirements, apimachinery::pkg::apis::meta::v1::Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Condition, Counts, Phase, Probe};

/// A standing order to inspect devices on a schedule. The agency is the one that the namespace's label `opsmesh.io/agency` names.
#[derive(CustomResource, Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "opsmesh.io",
    version = "v1alpha1",
    kind = "InspectionPlan",
    namespaced,
    status = "InspectionPlanStatus",
    shortname = "insp",
    category = "opsmesh",
    derive = "PartialEq",
    doc = "巡检计划 (T/DGAG 038-2025 7.3.2.1): what is inspected, where, and how often.",
    validation = Rule::new("self.metadata.name.size() <= 45").message("metadata.name: a plan's name has at most 45 characters, because its runs add to it"),
    validation = Rule::new("!self.metadata.name.contains('.')").message("metadata.name: a plan's name has no dots, because its pods take it into their host names"),
    printcolumn(name = "Schedule", type_ = "string", json_path = ".spec.schedule.cron"),
    printcolumn(name = "Zone", type_ = "string", json_path = ".spec.schedule.timeZone", priority = 1),
    printcolumn(name = "Suspend", type_ = "boolean", json_path = ".spec.suspend", priority = 1),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(name = "Last", type_ = "date", json_path = ".status.lastRun.scheduledTime"),
    printcolumn(name = "Result", type_ = "string", json_path = ".status.lastRun.phase"),
    printcolumn(name = "Passed", type_ = "string", json_path = ".status.lastRun.summary"),
    printcolumn(name = "Failed", type_ = "integer", json_path = ".status.lastRun.counts.failed"),
    printcolumn(name = "Next", type_ = "string", json_path = ".status.nextScheduleTime"),
    printcolumn(name = "Trace", type_ = "string", json_path = ".status.lastRun.traceId", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct InspectionPlanSpec {
    /// When.
    pub schedule: Schedule,
    /// What is measured (巡检项).
    #[schemars(length(min = 1, max = 200))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["id".into()]))]
    pub items: Vec<Item>,
    /// On which devices of the agency's ledger (设备台账): those that match every part that is given.
    #[serde(default)]
    pub devices: DeviceSelector,
    /// How the work is shared and where it runs.
    #[serde(default)]
    pub runner: Runner,
    /// A run that takes longer is ended and counts as incomplete, e.g. `10m`.
    #[schemars(length(max = 20))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('10s') && duration(self) <= duration('24h')").message("must be 10s to 24h, e.g. 10m"))]
    #[serde(default = "ten_minutes")]
    pub deadline: String,
    /// No new runs while true. What was due meanwhile is not made up for.
    #[serde(default)]
    pub suspend: bool,
}

/// When a plan runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// A cron expression of five fields: minute, hour, day of the month, month, day of the week. `H` is some value, always the same for the plan, e.g. `H 9 * * 1-5`.
    #[schemars(length(min = 9, max = 100))]
    #[x_kube(validation = Rule::new("self.matches('^\\\\S+( \\\\S+){4}$')").message("must have five fields with one space between them: minute hour day-of-month month day-of-week"))]
    pub cron: String,
    /// The IANA zone in which the expression is read.
    #[schemars(length(min = 1, max = 63))]
    #[serde(default = "shanghai")]
    pub time_zone: String,
    /// A run that could not begin within this time after its tick is skipped, e.g. `1h`.
    #[schemars(length(max = 20))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('10s') && duration(self) <= duration('24h')").message("must be 10s to 24h, e.g. 1h"))]
    #[serde(default = "one_hour")]
    pub starting_deadline: String,
}

/// An inspection item (巡检项).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Unique in the plan.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub id: String,
    /// What people call it (巡检内容).
    #[schemars(length(min = 1, max = 200))]
    pub title: String,
    /// How it is measured (巡检方法).
    pub probe: Probe,
    /// What is well (验收标准). A probe that gets no answer fails without any limit.
    #[schemars(length(max = 10))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Limit>,
    /// How grave a failure is.
    #[serde(default)]
    pub severity: Severity,
    /// How long one attempt may take, e.g. `5s`.
    #[schemars(length(max = 20))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('100ms') && duration(self) <= duration('60s')").message("must be 100ms to 60s, e.g. 5s"))]
    #[serde(default = "five_seconds")]
    pub timeout: String,
}

/// A limit on one measure: inside [passMin, passMax] passes; below failBelow or above failAbove fails; between is flagged; where a side has no fail limit, outside pass on that side fails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.passMin) || has(self.passMax) || has(self.failBelow) || has(self.failAbove)").message("a limit needs at least one of passMin, passMax, failBelow, failAbove"))]
pub struct Limit {
    /// One of the measures that the probe takes.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z][A-Za-z]*$"))]
    pub measure: String,
    /// Not below this to pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_min: Option<f64>,
    /// Not above this to pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_max: Option<f64>,
    /// Below this it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_below: Option<f64>,
    /// Above this it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_above: Option<f64>,
}

/// How grave a failed item is (product default, to be replaced by DB4401/T 294.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Severity {
    /// 一般
    Minor,
    /// 严重
    #[default]
    Major,
    /// 紧急
    Critical,
}

/// Which devices are meant: those that match every part that is given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeviceSelector {
    /// Any of these classes; none: every class.
    #[schemars(length(max = 17))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<DeviceClass>,
    /// Any of these sites; none: every site.
    #[schemars(length(max = 100))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<String>,
    /// All of these labels, with exactly these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
}

/// A class of devices, in the catalogue's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeviceClass {
    /// 服务器
    Server,
    /// 存储
    Storage,
    /// 交换机
    NetworkSwitch,
    /// 路由器
    NetworkRouter,
    /// 防火墙
    Firewall,
    /// 无线
    Wireless,
    /// 桌面终端
    Desktop,
    /// 打印机及外设
    Printer,
    /// UPS及蓄电池
    Ups,
    /// 配电
    PowerDistribution,
    /// 精密空调
    PrecisionAc,
    /// 消防
    FireProtection,
    /// 动环监控
    EnvironmentMonitoring,
    /// 机房
    EquipmentRoom,
    /// 布线
    Cabling,
    /// 会议音视频
    ConferenceAv,
    /// 软件
    Software,
}

/// How the work of a run is shared and where it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Runner {
    /// A worker is added for so many devices.
    #[schemars(range(min = 1, max = 1000))]
    #[serde(default = "fifty")]
    pub devices_per_worker: i32,
    /// At most so many workers at once; with more devices each does more.
    #[schemars(range(min = 1, max = 100))]
    #[serde(default = "four")]
    pub max_workers: i32,
    /// Probes that a worker has under way at once.
    #[schemars(range(min = 1, max = 512))]
    #[serde(default = "thirty_two")]
    pub concurrency: i32,
    /// A Secret of this namespace with pairs `{name}.username`, `{name}.password` for probes that log in.
    #[schemars(length(min = 1, max = 253))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_secret: Option<String>,
    /// What a worker may use of its node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// Nodes on which workers may run, by label: those that reach the devices.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,
}

impl Default for Runner {
    fn default() -> Self {
        Self {
            devices_per_worker: fifty(),
            max_workers: four(),
            concurrency: thirty_two(),
            credentials_secret: None,
            resources: None,
            node_selector: BTreeMap::new(),
        }
    }
}

/// What the operator says of a plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct InspectionPlanStatus {
    /// The generation that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is so and what is not.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// The plan in the inspection service, `agencies/{agency}/plans/{namespace}.{name}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The next tick, in the plan's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_schedule_time: Option<String>,
    /// The last run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<LastRun>,
}

/// The last run of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastRun {
    /// The OperationRun.
    pub name: String,
    /// Its tick.
    pub scheduled_time: Time,
    /// Where it stands.
    pub phase: Phase,
    /// What it came to, e.g. `11/12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The same in numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// The trace that leads through it: 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}

fn ten_minutes() -> String {
    "10m".into()
}

fn one_hour() -> String {
    "1h".into()
}

fn five_seconds() -> String {
    "5s".into()
}

fn shanghai() -> String {
    "Asia/Shanghai".into()
}

fn fifty() -> i32 {
    50
}

fn four() -> i32 {
    4
}

fn thirty_two() -> i32 {
    32
}
