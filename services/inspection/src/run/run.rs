//! The rules of a run. No I/O here, and no clock: time is an argument.
use chassis::{Agency, Origin};
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::{
    item::Item,
    plan::{Plan, PlanId},
};

/// The id of a run: derived from its plan and its cause, so that everybody who retries finds the same run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct RunId(Uuid);

impl RunId {
    /// The run of `plan` that `cause` made at `scheduled_at`.
    #[must_use]
    pub fn of(plan: &Plan, cause: &str, scheduled_at: Timestamp) -> Self {
        Self(chassis::derived_id(scheduled_at, &["run", plan.agency.as_str(), &plan.id.to_string(), &plan.uid, cause]))
    }
}

impl From<Uuid> for RunId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "run_state", rename_all = "snake_case")]
pub enum State {
    /// Workers probe and submit.
    Open,
    /// Everything expected is recorded.
    Succeeded,
    /// It ended before everything expected was recorded.
    Incomplete,
    /// There was nothing to inspect.
    Skipped,
}

/// A device of a run, as it was when the run was opened.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Target {
    /// Its place; workers share the targets by it.
    pub ordinal: i32,
    /// The id of the device.
    pub device_id: String,
    /// What people call it.
    pub display_name: String,
    /// Where probes reach it.
    pub address: String,
}

/// What the results of a run come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Balance {
    /// Recorded.
    pub recorded: i32,
    /// Of these well.
    pub passed: i32,
    /// Of these between well and failed.
    pub flagged: i32,
    /// Of these failed.
    pub failed: i32,
}

/// A run, exactly as its row has it.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Run {
    /// Whose it is.
    pub agency: Agency,
    /// Its id there.
    pub id: RunId,
    /// Its plan.
    pub plan_id: PlanId,
    /// The Kubernetes namespace whose pods work on it.
    pub namespace: String,
    /// The tick.
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    pub scheduled_at: Timestamp,
    /// Where it stands.
    pub state: State,
    /// What is measured, as the plan said when the run was opened.
    pub items: Json<Vec<Item>>,
    /// Devices selected.
    pub targets: i32,
    /// At most so many devices a worker.
    pub shard_size: i32,
    /// What the results come to, once it has ended.
    #[sqlx(flatten)]
    pub balance: Balance,
    /// The trace of the run.
    pub origin: Origin,
    /// Why it ended incomplete or skipped.
    pub reason: String,
    /// When it was opened.
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    pub created_at: Timestamp,
    /// When it ended.
    #[sqlx(try_from = "chassis::MaybeTimestamp")]
    pub finished_at: Option<Timestamp>,
}

/// What just became true of a run. Saving one demands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Fact {
    /// It was opened.
    Opened,
    /// It ended.
    Finished,
}

/// Why a run does not take what it is given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has ended.
    #[error("run {0} has ended")]
    Finished(RunId),
    /// It has fewer parts.
    #[error("run {run} has {shards} parts, numbered from 0; there is no part {index}")]
    NoShard {
        /// Which run.
        run: RunId,
        /// How many parts it has.
        shards: i32,
        /// Which was asked for.
        index: i32,
    },
}

impl Run {
    /// A run of `plan` is opened for `targets` devices. With none there is nothing to do, and it ends at once.
    pub fn open(plan: &Plan, id: RunId, scheduled_at: Timestamp, targets: i32, origin: Origin, now: Timestamp) -> (Self, Fact) {
        let nothing = targets == 0;
        let run = Self {
            agency: plan.agency.clone(),
            id,
            plan_id: plan.id.clone(),
            namespace: plan.id.namespace().to_owned(),
            scheduled_at,
            state: if nothing { State::Skipped } else { State::Open },
            items: plan.items.clone(),
            targets,
            shard_size: plan.shard_size.max(parts(targets, plan.max_shards)),
            balance: Balance::default(),
            origin,
            reason: if nothing {
                "所选范围内没有在用设备 (the selector matches no device in service)".into()
            } else {
                String::new()
            },
            created_at: now,
            finished_at: nothing.then_some(now),
        };
        (run, if nothing { Fact::Finished } else { Fact::Opened })
    }

    /// How many workers share it.
    #[must_use]
    pub fn shards(&self) -> i32 {
        parts(self.targets, self.shard_size)
    }

    /// Results to be had.
    #[must_use]
    pub fn expected(&self) -> i32 {
        self.targets.saturating_mul(i32::try_from(self.items.len()).unwrap_or(i32::MAX))
    }

    /// The ordinals of the targets that part `index` has.
    pub fn shard(&self, index: i32) -> Result<std::ops::Range<i32>, Refusal> {
        if !(0..self.shards()).contains(&index) {
            return Err(Refusal::NoShard { run: self.id, shards: self.shards(), index });
        }
        let from = index * self.shard_size;
        Ok(from..(from + self.shard_size).min(self.targets))
    }

    /// Whether it still takes results.
    pub fn takes_results(&self) -> Result<(), Refusal> {
        match self.state {
            State::Open => Ok(()),
            State::Succeeded | State::Incomplete | State::Skipped => Err(Refusal::Finished(self.id)),
        }
    }

    /// It ends with what was recorded; `reason` is kept where something is missing. `None`: it has ended before.
    pub fn finish(&mut self, balance: Balance, reason: String, now: Timestamp) -> Option<Fact> {
        match self.state {
            State::Succeeded | State::Incomplete | State::Skipped => None,
            State::Open => {
                let missing = self.expected() - balance.recorded;
                if missing == 0 {
                    self.state = State::Succeeded;
                } else {
                    self.state = State::Incomplete;
                    self.reason = format!("缺少 {missing} 项结果 ({missing} results are missing)：{reason}");
                }
                self.balance = balance;
                self.finished_at = Some(now);
                Some(Fact::Finished)
            }
        }
    }
}

/// `whole` in parts of at most `size`.
fn parts(whole: i32, size: i32) -> i32 {
    whole / size + i32::from(whole % size != 0)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        item::{Probe, Severity},
        plan::{Selector, Terms},
    };

    pub(crate) fn plan(items: usize, shard_size: i32) -> Plan {
        let item = |at: usize| Item {
            id: format!("i{at}"),
            title: "端口".into(),
            probe: Probe::Tcp { port: 80 },
            limits: Vec::new(),
            severity: Severity::Major,
            timeout: std::time::Duration::from_secs(1),
        };
        let terms = Terms {
            uid: "e6ac".into(),
            generation: 1,
            schedule: "* * * * *".into(),
            time_zone: "UTC".into(),
            items: (0..items).map(item).collect(),
            selector: Selector::default(),
            shard_size,
            max_shards: 100,
        };
        Plan::program("gz".parse().unwrap(), "gz-demo.web".parse().unwrap(), terms, Timestamp::UNIX_EPOCH).0
    }

    pub(crate) fn run(items: usize, shard_size: i32, targets: i32) -> Run {
        let plan = plan(items, shard_size);
        let origin = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap();
        let tick = Timestamp::from_second(60).unwrap();
        Run::open(&plan, RunId::of(&plan, "60", tick), tick, targets, origin, tick).0
    }

    proptest! {
        #[test]
        fn the_parts_of_a_run_are_its_targets_each_once(targets in 0..5_000_i32, size in 1..700_i32) {
            let run = run(1, size, targets);
            let parts: Vec<i32> = (0..run.shards()).flat_map(|index| run.shard(index).unwrap()).collect();
            prop_assert_eq!(parts, (0..targets).collect::<Vec<_>>());
            prop_assert!(run.shard(run.shards()).is_err() && run.shard(-1).is_err());
            prop_assert!(run.shards() <= 100);
        }
    }

    #[test]
    fn a_run_without_targets_ends_at_once_and_says_why() {
        let run = run(3, 50, 0);
        assert_eq!((run.state, run.shards(), run.finished_at.is_some()), (State::Skipped, 0, true));
        assert!(run.reason.contains("no device"));
    }

    #[test]
    fn a_run_ends_once_complete_or_with_what_is_missing() {
        let mut complete = run(2, 50, 3);
        let all = Balance { recorded: 6, passed: 6, flagged: 0, failed: 0 };
        assert_eq!(complete.finish(all, "x".into(), Timestamp::MAX), Some(Fact::Finished));
        assert_eq!((complete.state, complete.reason.as_str()), (State::Succeeded, ""));
        assert_eq!(complete.finish(Balance::default(), "y".into(), Timestamp::MAX), None);
        assert_eq!(complete.takes_results(), Err(Refusal::Finished(complete.id)));

        let mut incomplete = run(2, 50, 3);
        let most = Balance { recorded: 5, passed: 4, flagged: 0, failed: 1 };
        assert_eq!(incomplete.finish(most, "超过期限".into(), Timestamp::MAX), Some(Fact::Finished));
        assert_eq!(incomplete.state, State::Incomplete);
        assert!(incomplete.reason.contains("1 results are missing") && incomplete.reason.contains("超过期限"));
    }

    #[test]
    fn the_same_cause_is_the_same_run() {
        let plan = plan(1, 1);
        let tick = Timestamp::from_second(60).unwrap();
        assert_eq!(RunId::of(&plan, "60", tick), RunId::of(&plan, "60", tick));
        assert_ne!(RunId::of(&plan, "60", tick), RunId::of(&plan, "job-uid", tick));
    }
}
