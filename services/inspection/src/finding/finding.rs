//! The rules of a finding. No I/O here, and no clock: time is an argument.
use chassis::{Agency, Origin};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    item::{Item, Severity, Verdict},
    plan::PlanId,
    run::{Run, RunId, Target},
};

/// The id of a finding: derived from the run that opened it, the item and the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct FindingId(Uuid);

impl From<Uuid> for FindingId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl std::fmt::Display for FindingId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A finding, exactly as its row has it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Finding {
    /// Whose it is.
    pub agency: Agency,
    /// Its id there.
    pub id: FindingId,
    /// The plan that looks.
    pub plan_id: PlanId,
    /// The item that fails.
    pub item_id: String,
    /// What people call it.
    pub item_title: String,
    /// The device it fails on.
    pub device_id: String,
    /// What people call it.
    pub device_display_name: String,
    /// Where it was probed.
    pub device_address: String,
    /// How grave.
    pub severity: Severity,
    /// Why it is a defect, as last seen.
    pub reason: String,
    /// The run that opened it.
    pub opening_run: RunId,
    /// When it was first seen.
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    pub opened_at: Timestamp,
    /// The run that last saw it.
    pub last_seen_run: RunId,
    /// When it was last seen.
    #[sqlx(try_from = "jiff_sqlx::Timestamp")]
    pub last_seen_at: Timestamp,
    /// How often it was seen.
    pub times_seen: i32,
    /// The run that saw the device well again.
    pub clearing_run: Option<RunId>,
    /// When that was.
    #[sqlx(try_from = "chassis::MaybeTimestamp")]
    pub cleared_at: Option<Timestamp>,
    /// The trace of the run that opened it.
    pub origin: Origin,
}

/// What just became true of a finding. Saving one demands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Fact {
    /// It fails where it did not before.
    Opened,
    /// It still fails.
    Seen,
    /// It is well again.
    Cleared,
}

/// A judged result, as far as findings are concerned.
#[derive(Debug, Clone, Copy)]
pub struct Sighting<'a> {
    /// The run.
    pub run: &'a Run,
    /// The item.
    pub item: &'a Item,
    /// The device.
    pub target: &'a Target,
    /// How it was judged.
    pub verdict: Verdict,
    /// Why.
    pub reason: &'a str,
    /// When it was seen.
    pub at: Timestamp,
}

/// What a sighting means, given the last finding of that item on that device: open, cleared, or none at all. A sighting from
/// before the last change says nothing new; a flag neither opens nor clears.
#[must_use]
pub fn decide(held: Option<Finding>, sighting: &Sighting<'_>) -> Option<(Finding, Fact)> {
    let since = held.as_ref().map(|finding| finding.cleared_at.unwrap_or(finding.last_seen_at));
    if since.is_some_and(|since| sighting.at <= since) {
        return None;
    }
    let open = held.filter(|finding| finding.cleared_at.is_none());
    match (sighting.verdict, open) {
        (Verdict::Fail, None) => Some((Finding::open(sighting), Fact::Opened)),
        (Verdict::Fail, Some(finding)) => {
            (finding.last_seen_run != sighting.run.id).then(|| (finding.seen_again(sighting), Fact::Seen))
        }
        (Verdict::Pass, Some(finding)) => Some((finding.cleared(sighting), Fact::Cleared)),
        (Verdict::Pass, None) | (Verdict::Flag, _) => None,
    }
}

impl Finding {
    fn open(Sighting { run, item, target, verdict: _, reason, at }: &Sighting<'_>) -> Self {
        let id = chassis::derived_id(
            run.scheduled_at,
            &["finding", run.agency.as_str(), &run.id.to_string(), &item.id, &target.device_id],
        );
        Self {
            agency: run.agency.clone(),
            id: FindingId(id),
            plan_id: run.plan_id.clone(),
            item_id: item.id.clone(),
            item_title: item.title.clone(),
            device_id: target.device_id.clone(),
            device_display_name: target.display_name.clone(),
            device_address: target.address.clone(),
            severity: item.severity,
            reason: (*reason).to_owned(),
            opening_run: run.id,
            opened_at: *at,
            last_seen_run: run.id,
            last_seen_at: *at,
            times_seen: 1,
            clearing_run: None,
            cleared_at: None,
            origin: run.origin,
        }
    }

    fn seen_again(self, Sighting { run, reason, at, .. }: &Sighting<'_>) -> Self {
        Self {
            reason: (*reason).to_owned(),
            last_seen_run: run.id,
            last_seen_at: *at,
            times_seen: self.times_seen.saturating_add(1),
            ..self
        }
    }

    fn cleared(self, Sighting { run, at, .. }: &Sighting<'_>) -> Self {
        Self { clearing_run: Some(run.id), cleared_at: Some(*at), ..self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::run::tests::{plan, run};

    fn run_at(tick: i64) -> Run {
        let plan = plan(1, 10);
        let at = Timestamp::from_second(tick).unwrap();
        Run { id: RunId::of(&plan, &tick.to_string(), at), scheduled_at: at, ..run(1, 10, 1) }
    }

    fn target() -> Target {
        Target { ordinal: 0, device_id: "web-01".into(), display_name: "门户".into(), address: "10.0.0.7".into() }
    }

    fn sight(held: Option<Finding>, tick: i64, verdict: Verdict, seconds: i64) -> Option<(Finding, Fact)> {
        let run = run_at(tick);
        let target = target();
        let at = Timestamp::from_second(seconds).unwrap();
        decide(held, &Sighting { run: &run, item: &run.items[0], target: &target, verdict, reason: "连接被拒绝", at })
    }

    #[test]
    fn the_same_defect_is_one_finding_until_it_clears() {
        let (opened, fact) = sight(None, 60, Verdict::Fail, 61).unwrap();
        assert_eq!(fact, Fact::Opened);
        let (seen, fact) = sight(Some(opened.clone()), 120, Verdict::Fail, 121).unwrap();
        assert_eq!((fact, seen.id, seen.times_seen), (Fact::Seen, opened.id, 2));
        let (cleared, fact) = sight(Some(seen), 180, Verdict::Pass, 181).unwrap();
        assert_eq!((fact, cleared.id, cleared.cleared_at), (Fact::Cleared, opened.id, Timestamp::from_second(181).ok()));
        let (again, fact) = sight(Some(cleared), 240, Verdict::Fail, 241).unwrap();
        assert_eq!(fact, Fact::Opened);
        assert_ne!(again.id, opened.id);
    }

    #[test]
    fn a_flag_neither_opens_nor_clears() {
        assert_eq!(sight(None, 60, Verdict::Flag, 61), None);
        let (opened, _) = sight(None, 60, Verdict::Fail, 61).unwrap();
        assert_eq!(sight(Some(opened), 120, Verdict::Flag, 121), None);
    }

    #[test]
    fn a_sighting_from_before_the_last_change_says_nothing_new() {
        let (opened, _) = sight(None, 120, Verdict::Fail, 121).unwrap();
        assert_eq!(sight(Some(opened.clone()), 60, Verdict::Pass, 61), None);
        let (cleared, _) = sight(Some(opened), 180, Verdict::Pass, 181).unwrap();
        assert_eq!(sight(Some(cleared), 120, Verdict::Fail, 122), None);
    }

    proptest! {
        /// However sightings arrive, at any moment at most one finding is open, and the last sighting in time decides.
        #[test]
        fn in_order_the_last_sighting_decides(verdicts in proptest::collection::vec(prop_oneof![Just(Verdict::Pass), Just(Verdict::Fail)], 1..30)) {
            let mut held: Option<Finding> = None;
            let mut opened = 0;
            for (tick, verdict) in (1_i64..).zip(&verdicts) {
                if let Some((finding, fact)) = sight(held.clone(), tick * 60, *verdict, tick * 60 + 1) {
                    opened += u32::from(fact == Fact::Opened);
                    held = Some(finding);
                }
            }
            let is_open = held.as_ref().is_some_and(|finding| finding.cleared_at.is_none());
            prop_assert_eq!(is_open, verdicts.last() == Some(&Verdict::Fail));
            let stretches = verdicts.iter().enumerate().filter(|(at, verdict)| **verdict == Verdict::Fail && (*at == 0 || verdicts[at - 1] == Verdict::Pass)).count();
            prop_assert_eq!(usize::try_from(opened).unwrap(), stretches);
        }
    }
}
