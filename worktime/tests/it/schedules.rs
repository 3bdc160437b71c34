//! Schedules as people write them, and what is told to them.
use jiff::{SignedDuration, Timestamp};
use worktime::{
    Calendar, Schedule,
    calendar::{Description as Written, Interval, Shift, Week},
    schedule::{AfterCompletion, Blackout, CronJob, Description, On, Quiet, hash, resolve},
};

pub(crate) fn china() -> Calendar {
    let yaml = "{zone: Asia/Shanghai, layers: [{name: 国家, national: cn, weeks: [{monday: &d ['09:00-17:00'], tuesday: *d,
        wednesday: *d, thursday: *d, friday: *d}]}]}";
    Calendar::try_new(serde_saphyr::from_str::<Written>(yaml).unwrap()).unwrap()
}

pub(crate) fn written(cron: &str, zone: &str) -> Description {
    Description { cron: cron.into(), zone: zone.into(), ..Description::default() }
}

pub(crate) fn schedule(cron: &str, zone: &str) -> Schedule {
    Schedule::try_new(written(cron, zone), None).unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The first ticks after an instant, on the wall.
pub(crate) fn walls(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
    let zone = jiff::tz::TimeZoneDatabase::bundled().get(&schedule.description().zone).unwrap();
    let first = schedule.next(at(after));
    std::iter::successors(first, |tick| schedule.next(*tick))
        .take(count)
        .map(|tick| zone.to_datetime(tick).strftime("%Y-%m-%d %H:%M").to_string())
        .collect()
}

#[test]
fn every_form_of_a_day_is_the_day_that_is_meant() {
    let cases: &[(&str, &[&str])] = &[
        ("0 9 L * *", &["2026-01-31 09:00", "2026-02-28 09:00", "2026-03-31 09:00"]),
        ("0 9 L-2 * *", &["2026-01-29 09:00", "2026-02-26 09:00"]),
        ("0 9 LW * *", &["2026-01-30 09:00", "2026-02-27 09:00", "2026-03-31 09:00"]),
        ("0 9 15W * *", &["2026-01-15 09:00", "2026-02-16 09:00", "2026-03-16 09:00"]),
        ("0 9 1W 8 *", &["2026-08-03 09:00"]),
        ("0 9 31W 10 *", &["2026-10-30 09:00", "2027-10-29 09:00"]),
        ("0 9 * * 5#2", &["2026-01-09 09:00", "2026-02-13 09:00"]),
        ("0 9 * * FRI#5", &["2026-01-30 09:00", "2026-05-29 09:00"]),
        ("0 9 * * 5L", &["2026-01-30 09:00", "2026-02-27 09:00"]),
        ("0 9 * * fri-sun", &["2026-01-02 09:00", "2026-01-03 09:00", "2026-01-04 09:00", "2026-01-09 09:00"]),
        ("0 9 13 * 5", &["2026-01-02 09:00", "2026-01-09 09:00", "2026-01-13 09:00"]),
        ("0 9 13 * ?", &["2026-01-13 09:00", "2026-02-13 09:00"]),
        ("@yearly", &["2027-01-01 00:00"]),
        ("5/20 8,18 1 JAN *", &["2026-01-01 08:05", "2026-01-01 08:25", "2026-01-01 08:45", "2026-01-01 18:05"]),
    ];
    for (cron, expected) in cases {
        assert_eq!(walls(&schedule(cron, "Asia/Shanghai"), "2025-12-31T16:00:00Z", expected.len()), *expected, "{cron}");
    }
}

#[test]
fn working_days_are_the_calendars_with_its_holidays_and_make_up_days() {
    let on = |cron: &str, days| {
        let description = Description { days, ..written(cron, "Asia/Shanghai") };
        Schedule::try_new(description, Some(china())).unwrap()
    };
    // 春节 2026: 15 to 23 February, people work on Saturday 14 and Saturday 28.
    let daily = on("0 9 * * *", On::WorkingDays);
    assert_eq!(walls(&daily, "2026-02-13T02:00:00Z", 3), ["2026-02-14 09:00", "2026-02-24 09:00", "2026-02-25 09:00"]);
    assert_eq!(walls(&on("0 9 LW * *", On::EveryDay), "2026-02-13T02:00:00Z", 1), ["2026-02-28 09:00"]);
    assert_eq!(walls(&on("0 9 17W * *", On::EveryDay), "2026-02-01T02:00:00Z", 1), ["2026-02-14 09:00"]);
    let refused = Schedule::try_new(Description { days: On::WorkingDays, ..written("0 9 * * *", "UTC") }, None).unwrap_err();
    assert_eq!(refused.to_string(), "days: working days need a calendar");
}

#[test]
fn what_cannot_be_is_refused_with_its_field() {
    let cases = [
        ("61 * * * *", "cron, minute: `61` is not between 0 and 59"),
        ("0 24 * * *", "cron, hour: `24` is not between 0 and 23"),
        ("0 0 0 * *", "cron, day of month: `0` is not between 1 and 31"),
        ("0 0 1 13 *", "cron, month: `13` is not between 1 and 12"),
        ("0 0 * * 8", "cron, day of week: `8` is not between 0 and 7"),
        ("*/0 * * * *", "cron, minute: `*/0` has a step that is not a number from 1 on"),
        ("9-5 * * * *", "cron, minute: `9-5` begins after it ends"),
        ("0 0 * * L", "cron, day of week: `L` does not say of which weekday; the last Friday is 5L"),
        ("0 0 * * 5#6", "cron, day of week: `5#6` is not one of the first five of a month"),
        ("0 0 31 2 *", "cron, day of month: `0 0 31 2 *` never comes, as 31 February never does"),
        ("0 0 31W 4,6 *", "cron, day of month: `0 0 31W 4,6 *` never comes, as 31 February never does"),
        ("H(5-70) * * * *", "cron, minute: `H(5-70)` is not a range within 0 and 59"),
        ("H/61 * * * *", "cron, minute: `H/61` has a step that is not between 1 and 60"),
        ("1,,2 * * * *", "cron, minute: `` is not a number, a range, a list or a step"),
        ("? * * * *", "cron, minute: `?` is not a number, a range, a list or a step"),
        (
            "@nightly",
            "cron: there is no `@nightly`; there are @hourly, @daily, @midnight, @weekly, @monthly, @yearly and @annually",
        ),
        ("* * * *", "cron: five fields are needed (minute, hour, day of month, month, day of week), and there are 4"),
    ];
    for (cron, why) in cases {
        assert_eq!(Schedule::try_new(written(cron, "UTC"), None).unwrap_err().to_string(), why);
    }
    assert_eq!(
        Schedule::try_new(written("* * * * *", "Asia/Canton2"), None).unwrap_err().to_string(),
        "zone: `Asia/Canton2` is not an IANA zone, e.g. Asia/Shanghai"
    );
    assert!(Schedule::try_new(written("0 0 29 2 *", "UTC"), None).is_ok());
    for never in ["0 0 30 2 *", ", * * * *"] {
        assert!(CronJob::try_new(never, "UTC").unwrap_err().to_string().contains("never comes"), "{never}");
    }
    assert!(CronJob::try_new("0 0 * * 7", "UTC").unwrap_err().to_string().starts_with("cron, day of week: `7`"));
}

#[test]
fn a_schedule_that_is_silent_for_over_a_year_says_so() {
    let now = at("2026-11-28T00:00:00Z");
    let leap = schedule("0 0 29 2 *", "UTC");
    assert_eq!(leap.quiet(now).unwrap().to_string(), "it does not fire for over a year: next at 2028-02-29T00:00:00Z");
    assert_eq!(CronJob::try_new("0 0 29 2 *", "UTC").unwrap().quiet(now), leap.quiet(now));
    assert_eq!(schedule("0 0 27 11 *", "UTC").quiet(now), None);
    let blackout = Blackout::Once(Interval { from: now, until: at("9999-01-01T00:00:00Z") });
    let silenced = Description { blackouts: vec![blackout], ..written("* * * * *", "UTC") };
    let silenced = Schedule::try_new(silenced, None).unwrap();
    assert_eq!((silenced.quiet(now), silenced.next(now)), (Some(Quiet::ForEver), None));
}

#[test]
fn what_is_jumped_over_comes_at_the_jump_and_what_comes_twice_comes_once() {
    let daily = schedule("30 2 * * *", "Europe/Berlin");
    assert_eq!(walls(&daily, "2026-03-28T02:00:00Z", 2), ["2026-03-29 03:00", "2026-03-30 02:30"]);
    assert_eq!(daily.ticks(at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z")).count(), 1);
    assert_eq!(daily.next(at("2026-10-24T22:00:00Z")).unwrap(), at("2026-10-25T00:30:00Z"), "the first of two");
    let hourly = schedule("30 * * * *", "Europe/Berlin");
    assert_eq!(hourly.ticks(at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z")).count(), 25);
    assert_eq!(hourly.ticks(at("2026-03-28T23:00:00Z"), at("2026-03-29T22:00:00Z")).count(), 23);
    // The controller leaves the first one out, and does the second twice: that is what its model is for.
    let controller = CronJob::try_new("30 2 * * *", "Europe/Berlin").unwrap();
    assert_eq!(controller.next(at("2026-03-28T02:00:00Z")).unwrap(), at("2026-03-30T00:30:00Z"));
}

#[test]
fn h_is_stable_and_spread_evenly() {
    assert_eq!(resolve("H H(2-5) H H/3 H", "gz-demo/web").unwrap(), resolve("H H(2-5) H H/3 H", "gz-demo/web").unwrap());
    // Never to change: what has been planned for a minute stays there.
    assert_eq!((hash("", ""), hash("gz-demo/web", "minute")), (PINNED.0, PINNED.1));
    assert_eq!(resolve("H 9 * * 1-5", "gz-demo/web").unwrap(), PINNED.2);
    assert_eq!(resolve("*/5  9 * * THU", "x").unwrap(), "*/5  9 * * THU", "without H nothing is touched");
    let mut minutes = [0_u32; 60];
    for number in 0..60_000 {
        let resolved = resolve("H * * * *", &format!("namespace-{}/plan-{number}", number % 7)).unwrap();
        minutes[resolved.split(' ').next().unwrap().parse::<usize>().unwrap()] += 1;
    }
    // 1000 each, with a standard deviation of 31: no minute is five of them off.
    assert!(minutes.iter().all(|count| (845..1155).contains(count)), "{minutes:?}");
    for seed in 0..200 {
        let resolved = resolve("H(30-40)/3 * H * *", &seed.to_string()).unwrap();
        let fields: Vec<&str> = resolved.split(' ').collect();
        let first: u8 = fields[0].strip_suffix("-40/3").unwrap().parse().unwrap();
        assert!((30..33).contains(&first) && (1..=28).contains(&fields[2].parse::<u8>().unwrap()), "{resolved}");
        assert!(CronJob::try_new(&resolved, "UTC").is_ok());
    }
}

const PINNED: (u64, u64, &str) = (13_331_581_593_930_102_267, 17_011_447_035_987_369_999, "39 9 * * 1-5");

#[test]
fn the_work_begins_within_its_window_and_not_in_a_blackout() {
    let window = Some(SignedDuration::from_mins(30));
    let description = |seed: &str, cron: &str| Description {
        seed: seed.into(),
        start_window: window,
        blackouts: vec![Blackout::Weekly(serde_saphyr::from_str("{monday: ['09:20-10:00']}").unwrap())],
        ..written(cron, "Asia/Shanghai")
    };
    let monday = at("2026-11-30T01:00:00Z");
    let schedule = Schedule::try_new(description("a", "0 9 * * *"), None).unwrap();
    assert_eq!(schedule.window(monday).until, at("2026-11-30T01:20:00Z"), "until the blackout");
    assert_eq!(schedule.window(at("2026-12-01T01:00:00Z")).until, at("2026-12-01T01:30:00Z"));
    let often = Schedule::try_new(description("a", "*/10 * * * *"), None).unwrap();
    assert_eq!(often.window(at("2026-12-01T01:00:00Z")).until, at("2026-12-01T01:10:00Z"), "until the next tick");
    let starts: std::collections::BTreeSet<Timestamp> = (0..200)
        .map(|seed| Schedule::try_new(description(&seed.to_string(), "0 9 * * *"), None).unwrap().start(monday))
        .inspect(|start| assert!((monday..at("2026-11-30T01:20:00Z")).contains(start)))
        .collect();
    assert!(starts.len() > 150, "{}", starts.len());
    let refused = Description { start_window: Some(SignedDuration::ZERO), ..written("* * * * *", "UTC") };
    assert_eq!(Schedule::try_new(refused, None).unwrap_err().to_string(), "start_window: more than nothing and at most 24 h");
}

#[test]
fn what_is_due_after_completion_counts_from_the_day_of_completion() {
    let shift = "09:00-17:00".parse().unwrap();
    let every =
        |days, on, blackouts| AfterCompletion::try_new(days, shift, "Asia/Shanghai", on, Some(china()), blackouts).unwrap();
    let completed = at("2026-02-06T15:00:00Z");
    assert_eq!(every(10, On::EveryDay, vec![]).next(completed).unwrap(), at("2026-02-16T01:00:00Z"));
    assert_eq!(every(10, On::WorkingDays, vec![]).next(completed).unwrap(), at("2026-02-24T01:00:00Z"));
    let freeze = Blackout::Once(Interval { from: at("2026-02-16T00:00:00Z"), until: at("2026-02-18T01:00:01Z") });
    assert_eq!(every(10, On::EveryDay, vec![freeze]).next(completed).unwrap(), at("2026-02-19T01:00:00Z"));
    assert!(AfterCompletion::try_new(0, shift, "UTC", On::EveryDay, None, vec![]).is_err());
}

#[test]
fn a_blackout_that_is_no_time_is_refused_with_its_place() {
    let once = |from, until| Blackout::Once(Interval { from: at(from), until: at(until) });
    let sound = once("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z");
    let bad = [
        once("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        once("2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z"),
        Blackout::Weekly(Week::default()),
    ];
    for bad in bad {
        let blackouts = vec![sound.clone(), bad];
        let description = Description { blackouts: blackouts.clone(), ..written("0 0 * * *", "UTC") };
        let said = "blackouts[1]: it ends before it begins, or has no shift";
        assert_eq!(Schedule::try_new(description, None).unwrap_err().to_string(), said);
        let interval = AfterCompletion::try_new(1, Shift::ALL_DAY, "UTC", On::EveryDay, None, blackouts);
        assert_eq!(interval.unwrap_err().to_string(), said);
    }
    let description = Description { blackouts: vec![sound], ..written("0 0 * * *", "UTC") };
    let schedule = Schedule::try_new(description, None).unwrap();
    assert_eq!(schedule.next(at("2025-12-31T12:00:00Z")), Some(at("2026-01-02T00:00:00Z")));
}

#[test]
fn a_blackout_that_ends_with_a_tick_takes_nothing_of_its_window() {
    let night = Blackout::Once(Interval { from: at("2025-12-31T23:59:59Z"), until: at("2026-01-01T00:00:00Z") });
    let start_window = Some(SignedDuration::from_hours(1));
    let description = Description { blackouts: vec![night], start_window, ..written("0 0 * * *", "UTC") };
    let schedule = Schedule::try_new(description, None).unwrap();
    let tick = at("2026-01-01T00:00:00Z");
    assert_eq!(schedule.window(tick), Interval { from: tick, until: at("2026-01-01T01:00:00Z") });
}

#[test]
fn a_blackout_takes_the_tick_with_which_it_begins_and_leaves_the_one_with_which_it_ends() {
    let morning = Blackout::Once(Interval { from: at("2026-01-01T08:00:00Z"), until: at("2026-01-01T10:00:00Z") });
    let schedule = Schedule::try_new(Description { blackouts: vec![morning], ..written("0 * * * *", "UTC") }, None).unwrap();
    assert_eq!(schedule.next(at("2026-01-01T07:00:00Z")), Some(at("2026-01-01T10:00:00Z")));
    assert_eq!(schedule.previous(at("2026-01-01T10:00:00Z")), Some(at("2026-01-01T07:00:00Z")));
}

#[test]
fn a_day_that_is_named_twice_is_named() {
    let next = |cron: &str, after: &str| walls(&schedule(cron, "UTC"), after, 1).remove(0);
    assert_eq!(next("0 0 31,L 1 *", "2026-01-01T00:00:00Z"), "2026-01-31 00:00");
    assert_eq!(next("0 0 30,LW 10 *", "2026-10-01T00:00:00Z"), "2026-10-30 00:00");
    assert_eq!(next("0 0 15,15W 10 *", "2026-10-01T00:00:00Z"), "2026-10-15 00:00");
    assert_eq!(next("0 0 * 10 5,5#2", "2026-10-08T00:00:00Z"), "2026-10-09 00:00");
    assert_eq!(next("0 0 * 10 5,5L", "2026-10-29T00:00:00Z"), "2026-10-30 00:00");
    assert_eq!(next("0 0 L-30 * *", "2026-04-01T00:00:00Z"), "2026-05-01 00:00");
    assert!(Schedule::try_new(written("0 0 L-31 * *", "UTC"), None).is_err());
}
