//! The rule for ticks, beside a stepper that looks at the clock every minute and knows nothing of fields or offsets.
use std::collections::BTreeSet;

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, DateTime},
    tz::{TimeZone, TimeZoneDatabase},
};
use proptest::{collection::btree_set, prelude::*, sample::select};
use worktime::{
    Calendar, Schedule,
    calendar::{Description as Written, Interval, Week, Weekday},
    schedule::{Blackout, Description, On},
};

const ZONES: &[&str] = &[
    "Asia/Shanghai",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "America/Havana",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Antarctica/Troll",
    "Asia/Tehran",
    "America/St_Johns",
    "Asia/Gaza",
];

#[derive(Debug, Clone)]
enum Day {
    Any,
    Days(BTreeSet<i8>),
    Last(i8),
    LastWorking,
    Nearest(i8),
}

#[derive(Debug, Clone)]
enum Weekdays {
    Any,
    Days(BTreeSet<i8>),
    Nth(i8, i8),
    Last(i8),
}

#[derive(Debug, Clone)]
struct Case {
    minutes: Option<BTreeSet<i8>>,
    hours: Option<BTreeSet<i8>>,
    day: Day,
    months: Option<BTreeSet<i8>>,
    weekdays: Weekdays,
    zone: &'static str,
    on: On,
    middle: Timestamp,
}

fn case() -> impl Strategy<Value = Case> {
    let some = |from: i8, until: i8| prop_oneof![1 => Just(None), 3 => btree_set(from..=until, 1..6).prop_map(Some)];
    let day = prop_oneof![
        4 => Just(Day::Any),
        2 => btree_set(1i8..=31, 1..12).prop_map(Day::Days),
        1 => (0i8..4).prop_map(Day::Last),
        1 => Just(Day::LastWorking),
        1 => (1i8..=31).prop_map(Day::Nearest),
    ];
    let weekdays = prop_oneof![
        4 => Just(Weekdays::Any),
        2 => btree_set(0i8..=6, 1..5).prop_map(Weekdays::Days),
        1 => (0i8..=6, 1i8..=5).prop_map(|(weekday, nth)| Weekdays::Nth(weekday, nth)),
        1 => (0i8..=6).prop_map(Weekdays::Last),
    ];
    let months = prop_oneof![4 => Just(None), 1 => btree_set(1i8..=12, 3..10).prop_map(Some)];
    let when = (select(ZONES), prop_oneof![Just(On::EveryDay), Just(On::WorkingDays)], 978_307_200i64..2_145_916_800, 0i64..48);
    // Hours of the night are those at which clocks change.
    let hours = prop_oneof![2 => some(0, 23), 2 => btree_set(0i8..=4, 1..4).prop_map(Some)];
    (some(0, 59), hours, day, months, weekdays, when).prop_map(|(minutes, hours, day, months, weekdays, when)| {
        let (zone, on, second, away) = when;
        let random = Timestamp::from_second(second - second % 60).unwrap();
        let change = zone_of(zone).following(random).next().map_or(random, |change| change.timestamp());
        Case { minutes, hours, day, months, weekdays, zone, on, middle: change + SignedDuration::from_hours(away - 24) }
    })
}

fn zone_of(zone: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(zone).unwrap()
}

fn china() -> Calendar {
    let yaml = "{zone: Asia/Shanghai, layers: [{name: 国家, national: cn, weeks: [{monday: &d ['09:00-17:00'], tuesday: *d,
        wednesday: *d, thursday: *d, friday: *d}]}]}";
    Calendar::try_new(serde_saphyr::from_str::<Written>(yaml).unwrap()).unwrap()
}

fn listed(set: Option<&BTreeSet<i8>>) -> String {
    set.map_or("*".into(), |set| set.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
}

impl Case {
    fn expression(&self) -> String {
        let day = match &self.day {
            Day::Any => "*".into(),
            Day::Days(days) => listed(Some(days)),
            Day::Last(0) => "L".into(),
            Day::Last(before) => format!("L-{before}"),
            Day::LastWorking => "LW".into(),
            Day::Nearest(day) => format!("{day}W"),
        };
        let weekday = match &self.weekdays {
            Weekdays::Any => "*".into(),
            Weekdays::Days(days) => listed(Some(days)),
            Weekdays::Nth(weekday, nth) => format!("{weekday}#{nth}"),
            Weekdays::Last(weekday) => format!("{weekday}L"),
        };
        let (minutes, hours) = (listed(self.minutes.as_ref()), listed(self.hours.as_ref()));
        format!("{minutes} {hours} {day} {} {weekday}", listed(self.months.as_ref()))
    }

    fn schedule(&self, blackouts: Vec<Blackout>) -> Option<Schedule> {
        let description =
            Description { cron: self.expression(), zone: self.zone.into(), days: self.on, blackouts, ..Description::default() };
        Schedule::try_new(description, Some(china())).ok()
    }

    fn range(&self) -> (Timestamp, Timestamp) {
        let half = SignedDuration::from_hours(24 * 4);
        (self.middle - half, self.middle + half)
    }

    fn names(&self, wall: DateTime, calendar: &Calendar) -> bool {
        let date = wall.date();
        let within = |set: &Option<BTreeSet<i8>>, value| set.as_ref().is_none_or(|set| set.contains(&value));
        let working = |date: Date| calendar.is_working_day(date);
        let month = || (1..=date.days_in_month()).map(|day| Date::new(date.year(), date.month(), day).unwrap());
        let by_day = match &self.day {
            Day::Any => true,
            Day::Days(days) => days.contains(&date.day()),
            Day::Last(before) => (date + i64::from(*before).days() + 1.day()).day() == 1,
            Day::LastWorking => month().rev().find(|day| working(*day)) == Some(date),
            Day::Nearest(day) if *day > date.days_in_month() => false,
            Day::Nearest(day) => {
                month().filter(|each| working(*each)).min_by_key(|each| ((each.day() - day).abs(), each.day())) == Some(date)
            }
        };
        let weekday = date.weekday().to_sunday_zero_offset();
        let by_weekday = match &self.weekdays {
            Weekdays::Any => true,
            Weekdays::Days(days) => days.contains(&weekday),
            Weekdays::Nth(wanted, nth) => weekday == *wanted && (date.day() - 1) / 7 + 1 == *nth,
            Weekdays::Last(wanted) => weekday == *wanted && date.day() + 7 > date.days_in_month(),
        };
        let restricted = (!matches!(self.day, Day::Any), !matches!(self.weekdays, Weekdays::Any));
        let day = if restricted == (true, true) { by_day || by_weekday } else { by_day && by_weekday };
        let time = within(&self.minutes, wall.minute()) && within(&self.hours, wall.hour());
        time && day && within(&self.months, wall.month()) && (self.on == On::EveryDay || working(date))
    }

    /// Every minute: what the clock shows, and what it has shown for the first time since the minute before.
    fn step(&self) -> Vec<Timestamp> {
        let (zone, calendar, (from, until)) = (zone_of(self.zone), china(), self.range());
        let mut ticks = Vec::new();
        let mut at = from - SignedDuration::from_hours(72);
        let mut shown = zone.to_datetime(at);
        while at < until {
            let wall = zone.to_datetime(at);
            let ticks_now = if self.hours.as_ref().is_none_or(|hours| hours.len() == 24) {
                self.names(wall, &calendar)
            } else {
                let mut next = shown;
                let mut named = false;
                while next < wall {
                    next += 1.minute();
                    named |= self.names(next, &calendar);
                }
                named
            };
            shown = shown.max(wall);
            if ticks_now && at >= from {
                ticks.push(at);
            }
            at += SignedDuration::from_mins(1);
        }
        ticks
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_stepper_that_looks_every_minute_sees_the_same_ticks(case in case()) {
        let Some(schedule) = case.schedule(Vec::new()) else { return Ok(()) };
        let (from, until) = case.range();
        let ticks: Vec<Timestamp> = schedule.ticks(from, until).collect();
        prop_assert_eq!(&ticks, &case.step(), "{} in {}", case.expression(), case.zone);
        let mut back = Vec::new();
        let mut at = until;
        while let Some(tick) = schedule.previous(at).filter(|tick| *tick >= from) {
            back.push(tick);
            at = tick;
        }
        back.reverse();
        prop_assert_eq!(ticks, back, "backwards");
    }

    #[test]
    fn next_and_previous_are_inverse(case in case(), second in -400_000_000i64..400_000_000, nanos in 0i32..1_000_000_000) {
        let Some(schedule) = case.schedule(Vec::new()) else { return Ok(()) };
        let at = case.middle + SignedDuration::new(second, nanos);
        let Some(next) = schedule.next(at) else { return Ok(()) };
        prop_assert!(next > at);
        let before = schedule.previous(next);
        prop_assert!(before.is_none_or(|before| before <= at), "{:?} is between {} and {}", before, at, next);
        prop_assert_eq!(schedule.previous(next + SignedDuration::from_nanos(1)), Some(next));
        if let Some(before) = before {
            prop_assert_eq!(schedule.next(before), Some(next));
            prop_assert_eq!(schedule.next(before - SignedDuration::from_nanos(1)), Some(before));
        }
    }
}

proptest! {
    // Each looks a day back from every tick.
    #![proptest_config(ProptestConfig { cases: 20, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_begun_in_a_blackout_and_nothing_else_is_left_out(case in case(), long in 1i64..100, shift in 0u16..1300, width in 30u16..1000) {
        let (from, until) = case.range();
        let once = Interval { from: case.middle, until: case.middle + SignedDuration::from_hours(long) };
        let mut week = Week::default();
        let wall = |minute: u16| format!("{:02}:{:02}", minute / 60 % 24, minute % 60);
        *week.hours_mut(Weekday::Sunday) = vec![format!("{}-{}", wall(shift), wall(shift + width)).parse().unwrap()];
        let blackouts = vec![Blackout::Once(once), Blackout::Weekly(week)];
        let (Some(all), Some(some)) = (case.schedule(Vec::new()), case.schedule(blackouts)) else { return Ok(()) };
        // The clock that never goes back: what it has shown at most.
        let zone = zone_of(case.zone);
        let shown = |at: Timestamp| (0..=60 * 25).map(|minutes| zone.to_datetime(at - SignedDuration::from_mins(minutes))).max().unwrap();
        let inside = |at: Timestamp| {
            let shown = shown(at);
            let sunday = |date: Date| date.weekday() == jiff::civil::Weekday::Sunday;
            let begins = |date: Date| date.to_datetime(jiff::civil::Time::midnight()) + i64::from(shift).minutes();
            let dates = [shown.date(), shown.date().yesterday().unwrap(), shown.date() - 2.days()];
            let covered = dates.into_iter().filter(|date| sunday(*date)).map(begins).any(|begin| begin <= shown && shown < begin + i64::from(width).minutes());
            covered || once.from <= at && at < once.until
        };
        let expected: Vec<Timestamp> = all.ticks(from, until).filter(|tick| !inside(*tick)).collect();
        prop_assert_eq!(some.ticks(from, until).collect::<Vec<_>>(), expected);
    }
}
