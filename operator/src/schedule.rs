//! Schedules: when the next tick is, and whether there ever is one. Pure. The CronJob controller makes the ticks; this says
//! beforehand when it will.
use cronexpr::Crontab;
use jiff::{Timestamp, Zoned, tz::TimeZone};

/// A cron expression in a zone, known to be both.
#[derive(Debug, Clone)]
pub(crate) struct Schedule(Crontab);

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
    pub(crate) fn parse(expression: &str, zone: &str, now: Timestamp) -> Result<Self, Unkeepable> {
        // A fixed offset or a POSIX rule is not what the API server takes.
        if TimeZone::get(zone).ok().is_none_or(|found| found.iana_name().is_none()) {
            return Err(Unkeepable::Zone(zone.to_owned()));
        }
        let crontab = cronexpr::parse_crontab(&format!("{expression} {zone}")).map_err(|error| {
            // Only the first line is a sentence; the rest draws arrows under a text that the user did not write.
            let why = error.to_string().lines().next().unwrap_or_default().to_owned();
            Unkeepable::Expression { expression: expression.to_owned(), why }
        })?;
        let schedule = Self(crontab);
        match schedule.next(now) {
            Some(_) => Ok(schedule),
            None => Err(Unkeepable::Never(expression.to_owned())),
        }
    }

    /// The first tick after `now`.
    pub(crate) fn next(&self, now: Timestamp) -> Option<Zoned> {
        self.0.find_next(now).ok()
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
        let schedule = Schedule::parse("30 9 * * 1-5", "Asia/Shanghai", now()).unwrap();
        assert_eq!(schedule.next(now()).unwrap().timestamp().to_string(), "2026-11-23T01:30:00Z");
        let friday: Timestamp = "2026-11-27T02:00:00Z".parse().unwrap();
        assert_eq!(schedule.next(friday).unwrap().timestamp().to_string(), "2026-11-30T01:30:00Z");
    }

    #[test]
    fn what_never_comes_is_refused() {
        for never in ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"] {
            assert_eq!(Schedule::parse(never, "UTC", now()).unwrap_err(), Unkeepable::Never(never.into()));
        }
        assert!(Schedule::parse("0 0 29 2 *", "UTC", now()).is_ok());
    }

    #[test]
    fn nonsense_is_refused_with_its_field() {
        for zone in ["Asia/Guangzhouu", "UTC+8", "", "CST-8"] {
            assert_eq!(Schedule::parse("* * * * *", zone, now()).unwrap_err(), Unkeepable::Zone(zone.into()));
        }
        for expression in ["61 * * * *", "* * * * * *", "* * * *", "a b c d e", "0 24 * * *", "*/0 * * * *"] {
            let refused = Schedule::parse(expression, "Asia/Shanghai", now()).unwrap_err();
            assert!(refused.to_string().starts_with("spec.schedule.cron: "), "{expression}: {refused}");
        }
    }
}
