//! Schedules: when the next tick is, and whether there ever is one. Pure. The CronJob controller makes the ticks; `worktime`
//! says beforehand when it will. `H` in an expression is some value, always the same for the plan; the controller does not
//! know `H`, and gets the value.
use jiff::{Timestamp, Zoned, tz::TimeZone};
use worktime::schedule::{CronJob, Quiet, Refusal, resolve};

/// A cron expression in a zone, known to be both.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    cron: String,
    zone: TimeZone,
    cron_job: CronJob,
}

/// Why a schedule cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unkeepable {
    #[error("spec.schedule.timeZone: `{0}` is not an IANA time zone, e.g. Asia/Shanghai")]
    Zone(String),
    #[error("spec.schedule.cron: `{expression}` is not a cron expression: {why}")]
    Expression { expression: String, why: String },
    #[error("spec.schedule.cron: `{0}` never comes, as 31 February never does")]
    Never(String),
}

impl Schedule {
    /// Reads the schedule of the plan that the seed names.
    pub(crate) fn parse(expression: &str, zone: &str, seed: &str, now: Timestamp) -> Result<Self, Unkeepable> {
        let refused = |refusal| match refusal {
            Refusal::Zone { zone } => Unkeepable::Zone(zone),
            Refusal::Never { .. } => Unkeepable::Never(expression.to_owned()),
            Refusal::Field { field, text, why } => {
                Unkeepable::Expression { expression: expression.to_owned(), why: format!("{field}: `{text}` {why}") }
            }
            other => Unkeepable::Expression { expression: expression.to_owned(), why: other.to_string() },
        };
        let cron = resolve(expression, seed).map_err(refused)?;
        let cron_job = CronJob::try_new(&cron, zone).map_err(refused)?;
        let zone = TimeZone::get(zone).map_err(|_| Unkeepable::Zone(zone.to_owned()))?;
        match cron_job.next(now) {
            Some(_) => Ok(Self { cron, zone, cron_job }),
            None => Err(Unkeepable::Never(expression.to_owned())),
        }
    }

    /// For the CronJob: as it was written, with a value in place of each `H`.
    pub(crate) fn cron(&self) -> &str {
        &self.cron
    }

    /// The first tick after `now`.
    pub(crate) fn next(&self, now: Timestamp) -> Option<Zoned> {
        self.cron_job.next(now).map(|tick| tick.to_zoned(self.zone.clone()))
    }

    /// What a person should be told whose plan does nothing for more than a year.
    pub(crate) fn quiet(&self, now: Timestamp) -> Option<String> {
        self.cron_job.quiet(now).map(|quiet| match quiet {
            Quiet::Until(next) => {
                let next = next.to_zoned(self.zone.clone());
                format!("it does not fire for over a year: next on {}", next.strftime("%Y-%m-%d %H:%M"))
            }
            Quiet::ForEver => quiet.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T01:02:03Z".parse().unwrap()
    }

    #[test]
    fn the_next_tick_is_in_the_plans_zone() {
        let schedule = Schedule::parse("30 9 * * 1-5", "Asia/Shanghai", "gz-demo/web", now()).unwrap();
        assert_eq!(schedule.next(now()).unwrap().timestamp().to_string(), "2026-11-23T01:30:00Z");
        let friday: Timestamp = "2026-11-27T02:00:00Z".parse().unwrap();
        assert_eq!(schedule.next(friday).unwrap().timestamp().to_string(), "2026-11-30T01:30:00Z");
    }

    #[test]
    fn what_never_comes_is_refused() {
        for never in ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"] {
            assert_eq!(Schedule::parse(never, "UTC", "gz-demo/web", now()).unwrap_err(), Unkeepable::Never(never.into()));
        }
        assert!(Schedule::parse("0 0 29 2 *", "UTC", "gz-demo/web", now()).is_ok());
    }

    #[test]
    fn nonsense_is_refused_with_its_field() {
        for zone in ["Asia/Guangzhouu", "UTC+8", "", "CST-8", "asia/shanghai", "Etc/Unknown"] {
            assert_eq!(Schedule::parse("* * * * *", zone, "", now()).unwrap_err(), Unkeepable::Zone(zone.into()));
        }
        for expression in
            ["61 * * * *", "* * * * * *", "* * * *", "a b c d e", "0 24 * * *", "*/0 * * * *", "0 0 LW * *", "H/0 * * * *"]
        {
            let refused = Schedule::parse(expression, "Asia/Shanghai", "gz-demo/web", now()).unwrap_err();
            assert!(refused.to_string().starts_with("spec.schedule.cron: "), "{expression}: {refused}");
        }
    }

    #[test]
    fn h_is_the_same_value_for_the_same_plan_and_the_rest_stays_as_it_was_written() {
        let parse = |expression: &str, plan: &str| Schedule::parse(expression, "Asia/Shanghai", plan, now()).unwrap();
        let web = parse("H 9 * * MON-FRI", "gz-demo/web");
        assert_eq!(web.cron(), parse("H 9 * * MON-FRI", "gz-demo/web").cron());
        let minute: i8 = web.cron().strip_suffix(" 9 * * MON-FRI").unwrap().parse().unwrap();
        assert_eq!(web.next(now()).unwrap().minute(), minute);
        let minutes: std::collections::BTreeSet<String> =
            (0..60).map(|plan| parse("H 9 * * *", &format!("gz-demo/{plan}")).cron().to_owned()).collect();
        assert!(minutes.len() > 25, "{minutes:?}");
        assert_eq!(parse("*/5 9-17 ? JAN-dec 1,3", "gz-demo/web").cron(), "*/5 9-17 ? JAN-dec 1,3");
    }

    #[test]
    fn a_plan_that_does_nothing_for_a_year_is_told() {
        let parse = |expression| Schedule::parse(expression, "Asia/Shanghai", "gz-demo/web", now()).unwrap();
        let said = parse("0 3 29 2 *").quiet(now()).unwrap();
        assert_eq!(said, "it does not fire for over a year: next on 2028-02-29 03:00");
        assert_eq!(parse("0 3 1 1 *").quiet(now()), None);
    }
}
