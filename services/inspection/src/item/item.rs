//! The rules of an inspection item: what is measured, and how a measurement is judged. Pure: this is the line that decides
//! whether a result is a finding.
use std::{cmp::Ordering, fmt::Write, time::Duration};

use serde::{Deserialize, Serialize};

use crate::item::{Observation, Probe, measure};

/// How grave a failed item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "severity", rename_all = "snake_case")]
pub enum Severity {
    /// 一般
    Minor,
    /// 严重
    Major,
    /// 紧急
    Critical,
}

/// An inspection item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Unique in the plan.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// How it is measured.
    pub probe: Probe,
    /// What is well.
    pub limits: Vec<Limit>,
    /// How grave a failure is.
    pub severity: Severity,
    /// How long one attempt may take.
    pub timeout: Duration,
}

/// A limit on one measure. Inside [pass_min, pass_max] passes; below fail_below or above fail_above fails; between is
/// flagged; where a side has no fail limit, outside pass on that side fails (catalogue: inspection_items.judgement).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// Of the probe's measures.
    pub measure: String,
    /// Not below this to pass.
    pub pass_min: Option<f64>,
    /// Not above this to pass.
    pub pass_max: Option<f64>,
    /// Below this it fails.
    pub fail_below: Option<f64>,
    /// Above this it fails.
    pub fail_above: Option<f64>,
}

/// How a result is judged, from well to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(type_name = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// 通过
    Pass,
    /// 提示
    Flag,
    /// 不合格
    Fail,
}

/// A verdict with its reason for people; a pass needs none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// Judges what a probe saw: a failed probe fails, and so does a limit whose measure is missing; else the worst limit decides.
#[must_use]
pub fn judge(limits: &[Limit], seen: &Observation) -> Judgement {
    if let Some(error) = &seen.error {
        return Judgement { verdict: Verdict::Fail, reason: format!("{}：{}", error.kind.zh(), error.detail) };
    }
    let mut judgement = Judgement { verdict: Verdict::Pass, reason: String::new() };
    for limit in limits {
        let (verdict, reason) = limit.judge(seen.measures.get(&limit.measure).copied());
        if verdict > judgement.verdict {
            judgement = Judgement { verdict, reason };
        } else if verdict == judgement.verdict && verdict != Verdict::Pass {
            write!(judgement.reason, "；{reason}").expect("a String takes any text");
        }
    }
    judgement
}

impl Limit {
    fn judge(&self, value: Option<f64>) -> (Verdict, String) {
        let Some(value) = value.filter(|value| value.is_finite()) else {
            return (Verdict::Fail, measure::missing(&self.measure));
        };
        let low = self.pass_min.or(self.fail_below).filter(|limit| value < *limit);
        let high = self.pass_max.or(self.fail_above).filter(|limit| value > *limit);
        let beyond_low = self.fail_below.or(self.pass_min).is_some_and(|limit| value < limit);
        let beyond_high = self.fail_above.or(self.pass_max).is_some_and(|limit| value > limit);
        let verdict = if beyond_low || beyond_high {
            Verdict::Fail
        } else if low.is_some() || high.is_some() {
            Verdict::Flag
        } else {
            return (Verdict::Pass, String::new());
        };
        let (side, limit) = low
            .map_or_else(|| (Ordering::Greater, high.or(self.fail_above).unwrap_or_default()), |limit| (Ordering::Less, limit));
        (verdict, measure::beyond(&self.measure, value, side, limit))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::item::{ProbeError, ProbeErrorKind};

    fn limit(pass_min: Option<f64>, pass_max: Option<f64>, fail_below: Option<f64>, fail_above: Option<f64>) -> Limit {
        Limit { measure: "m".into(), pass_min, pass_max, fail_below, fail_above }
    }

    fn seen(value: f64) -> Observation {
        Observation { measures: [("m".to_owned(), value)].into(), error: None, attempts: 1 }
    }

    fn verdict(limits: &[Limit], value: f64) -> Verdict {
        judge(limits, &seen(value)).verdict
    }

    #[test]
    fn between_pass_and_fail_is_flagged() {
        let limits = [limit(None, Some(80.0), None, Some(90.0))];
        assert_eq!(
            [80.0, 80.1, 90.0, 90.1].map(|value| verdict(&limits, value)),
            [Verdict::Pass, Verdict::Flag, Verdict::Flag, Verdict::Fail]
        );
    }

    #[test]
    fn where_a_side_has_no_fail_limit_outside_pass_fails() {
        let limits = [limit(Some(10.0), None, None, Some(90.0))];
        assert_eq!(
            [9.9, 10.0, 90.0, 90.1].map(|value| verdict(&limits, value)),
            [Verdict::Fail, Verdict::Pass, Verdict::Pass, Verdict::Fail]
        );
    }

    #[test]
    fn a_failed_probe_fails_whatever_it_measured() {
        let error = Some(ProbeError { kind: ProbeErrorKind::Refused, detail: "10.0.0.7:80".into() });
        let judgement = judge(&[limit(None, Some(80.0), None, None)], &Observation { error, ..seen(1.0) });
        assert_eq!(judgement.verdict, Verdict::Fail);
        assert_eq!(judgement.reason, "连接被拒绝：10.0.0.7:80");
    }

    #[test]
    fn a_measure_that_is_missing_or_no_number_fails() {
        let limits = [limit(None, Some(80.0), None, None)];
        assert_eq!(judge(&limits, &Observation::default()).reason, "未测得 m");
        assert_eq!(verdict(&limits, f64::NAN), Verdict::Fail);
    }

    #[test]
    fn the_worst_limit_decides_and_says_why() {
        let flagged = Limit { measure: "a".into(), ..limit(None, Some(1.0), None, Some(9.0)) };
        let failed = Limit { measure: "b".into(), ..limit(Some(5.0), None, None, None) };
        let seen = Observation { measures: [("a".to_owned(), 2.0), ("b".to_owned(), 2.0)].into(), error: None, attempts: 1 };
        let judgement = judge(&[flagged, failed], &seen);
        assert_eq!((judgement.verdict, judgement.reason.as_str()), (Verdict::Fail, "b 为 2，低于 5"));
    }

    proptest! {
        /// The catalogue's rule, once more in its own words.
        #[test]
        fn a_limit_judges_as_the_catalogue_says(
            value in -100.0..100.0_f64,
            pass_min in proptest::option::of(-50.0..0.0_f64), pass_max in proptest::option::of(0.0..50.0_f64),
            below in proptest::option::of(0.0..40.0_f64), above in proptest::option::of(0.0..40.0_f64),
        ) {
            let fail_below = below.map(|by| pass_min.unwrap_or(0.0) - by);
            let fail_above = above.map(|by| pass_max.unwrap_or(0.0) + by);
            let fails = match (pass_min, fail_below) { (_, Some(limit)) | (Some(limit), None) => value < limit, (None, None) => false }
                || match (pass_max, fail_above) { (_, Some(limit)) | (Some(limit), None) => value > limit, (None, None) => false };
            let passes = pass_min.is_none_or(|limit| value >= limit) && pass_max.is_none_or(|limit| value <= limit);
            let expected = if fails { Verdict::Fail } else if passes { Verdict::Pass } else { Verdict::Flag };
            prop_assert_eq!(verdict(&[limit(pass_min, pass_max, fail_below, fail_above)], value), expected);
        }
    }
}
