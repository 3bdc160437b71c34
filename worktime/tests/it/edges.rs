//! Schedules at their edges: of the horizon, of a clock change, of a window.
use jiff::{SignedDuration, Timestamp};
use worktime::{
    Schedule,
    calendar::Interval,
    schedule::{AfterCompletion, Blackout, CronJob, Description, On, resolve},
};

use crate::schedules::{at, china, schedule, walls, written};

/// A schedule that is silent between two instants.
fn silent(cron: &str, zone: &str, from: &str, until: &str) -> Schedule {
    let blackouts = vec![Blackout::Once(Interval { from: at(from), until: at(until) })];
    Schedule::try_new(Description { blackouts, ..written(cron, zone) }, None).unwrap()
}

#[test]
fn forty_years_and_a_month_ahead_there_is_a_tick_and_beyond_there_is_none() {
    // On the wall it is November already, so December 2066 is the last month that is looked at.
    let now = at("2026-10-31T20:00:00Z");
    let next = |cron, until| silent(cron, "Asia/Shanghai", "2020-01-01T00:00:00Z", until).next(now);
    assert_eq!(next("0 8 15 * *", "2066-11-30T12:00:00Z"), Some(at("2066-12-15T00:00:00Z")));
    assert_eq!(next("0 8 15 * *", "2066-12-20T12:00:00Z"), None);
    assert_eq!(next("0 8 * * *", "2066-12-20T12:00:00Z"), Some(at("2066-12-21T00:00:00Z")));
    assert_eq!(next("0 8 * * *", "2067-01-02T12:00:00Z"), None);
}

#[test]
fn forty_years_and_a_month_ago_there_was_a_tick_and_before_there_was_none() {
    let now = at("2026-11-28T00:00:00Z");
    let previous = |cron, from| silent(cron, "UTC", from, "2030-01-01T00:00:00Z").previous(now);
    assert_eq!(previous("0 0 15 * *", "1986-11-10T00:00:00Z"), Some(at("1986-10-15T00:00:00Z")));
    assert_eq!(previous("0 0 15 * *", "1986-10-10T00:00:00Z"), None);
    assert_eq!(previous("0 0 * * *", "1986-10-10T12:00:00Z"), Some(at("1986-10-10T00:00:00Z")));
    assert_eq!(previous("0 0 * * *", "1986-09-10T12:00:00Z"), None);
    assert_eq!(previous("0 0 * * *", "2026-01-10T12:00:00Z"), Some(at("2026-01-10T00:00:00Z")));
}

#[test]
fn a_tick_comes_after_an_instant_within_a_second_before_1970_as_well() {
    let half = Timestamp::from_nanosecond(-500_000_000).unwrap();
    assert_eq!(schedule("* * * * *", "UTC").next(half), Some(Timestamp::UNIX_EPOCH));
    assert_eq!(CronJob::try_new("* * * * *", "UTC").unwrap().next(half), Some(Timestamp::UNIX_EPOCH));
    assert_eq!(schedule("* * * * *", "UTC").previous(half), Some(at("1969-12-31T23:59:00Z")));
    let after = Timestamp::from_nanosecond(500_000_000).unwrap();
    assert_eq!(schedule("* * * * *", "UTC").next(after), Some(at("1970-01-01T00:01:00Z")));
    assert_eq!(CronJob::try_new("* * * * *", "UTC").unwrap().next(after), Some(at("1970-01-01T00:01:00Z")));
    assert_eq!(schedule("* * * * *", "UTC").previous(after), Some(Timestamp::UNIX_EPOCH));
}

#[test]
fn the_ticks_of_a_range_have_its_beginning_and_not_its_end() {
    let (from, until) = (at("2026-11-28T00:00:00Z"), at("2026-11-28T02:00:00Z"));
    let ticks = [from, at("2026-11-28T01:00:00Z")];
    assert_eq!(schedule("0 * * * *", "UTC").ticks(from, until).collect::<Vec<_>>(), ticks);
    assert_eq!(CronJob::try_new("0 * * * *", "UTC").unwrap().ticks(from, until).collect::<Vec<_>>(), ticks);
}

#[test]
fn what_the_wall_clock_would_have_shown_at_the_instant_of_a_change_is_not_shown() {
    // On Lord Howe the clocks go from 02:00 to 02:30, at 15:30 UTC.
    let hourly = schedule("0 * * * *", "Australia/Lord_Howe");
    assert_eq!(hourly.next(at("2026-10-03T15:00:00Z")), Some(at("2026-10-03T16:00:00Z")));
    assert_eq!(hourly.previous(at("2026-10-03T15:45:00Z")), Some(at("2026-10-03T14:30:00Z")));
    // What falls into the jump comes with it, and not before.
    let daily = schedule("30 2 * * *", "Europe/Berlin");
    assert_eq!(daily.previous(at("2026-03-29T01:00:00Z")), Some(at("2026-03-28T01:30:00Z")));
    assert_eq!(daily.previous(at("2026-03-29T01:00:01Z")), Some(at("2026-03-29T01:00:00Z")));
}

#[test]
fn a_silence_of_a_leap_year_is_not_yet_one_to_be_told() {
    assert_eq!(schedule("0 0 1 1 *", "UTC").quiet(at("2028-01-01T00:00:00Z")), None);
    let leap = schedule("0 0 29 2 *", "UTC");
    assert_eq!(leap.quiet(at("2027-02-27T23:59:59Z")).map(|quiet| quiet.to_string().contains("2028-02-29")), Some(true));
    assert_eq!(leap.quiet(at("2027-02-28T00:00:00Z")), None);
}

#[test]
fn a_window_lasts_from_a_second_to_a_day() {
    let with = |seconds| {
        let start_window = Some(SignedDuration::from_secs(seconds));
        Schedule::try_new(Description { start_window, ..written("0 0 1 1 *", "UTC") }, None).map(|schedule| {
            let Interval { from, until } = schedule.window(at("2026-01-01T00:00:00Z"));
            until.duration_since(from).as_secs()
        })
    };
    assert_eq!((with(1).ok(), with(86_400).ok()), (Some(1), Some(86_400)));
    assert_eq!((with(0).ok(), with(86_401).ok(), with(172_800).ok()), (None, None, None));
}

#[test]
fn a_schedule_tells_the_calendar_that_it_was_given() {
    assert!(schedule("0 0 * * *", "UTC").calendar().is_none());
    assert!(Schedule::try_new(written("0 0 * * *", "UTC"), Some(china())).unwrap().calendar().is_some());
}

#[test]
fn h_of_a_range_of_one_is_that_one() {
    assert_eq!(resolve("H(5-5) H(23-23)/1 * * *", "x").unwrap(), "5 23-23/1 * * *");
    assert_eq!(resolve("H(0-59) * * * *", "x").map(drop), Ok(()));
    for bad in ["H(9-5) * * * *", "* * H(0-3) * *", "H(5-60) * * * *"] {
        assert!(resolve(bad, "x").unwrap_err().to_string().contains("is not a range within"), "{bad}");
    }
}

#[test]
fn the_day_of_completion_is_that_on_the_wall_and_forty_years_on_nobody_waits_any_more() {
    let shift = "09:00-17:00".parse().unwrap();
    let every = |zone, blackouts| AfterCompletion::try_new(1, shift, zone, On::EveryDay, None, blackouts).unwrap();
    // One in the morning of the seventh.
    let next = every("Asia/Shanghai", vec![]).next(at("2026-02-06T17:00:00Z"));
    assert_eq!(next, Some(at("2026-02-08T01:00:00Z")));
    let half = Timestamp::from_nanosecond(-500_000_000).unwrap();
    assert_eq!(every("UTC", vec![]).next(half), Some(at("1970-01-01T09:00:00Z")));
    assert_eq!(every("UTC", vec![]).next(Timestamp::UNIX_EPOCH), Some(at("1970-01-02T09:00:00Z")));
    let freeze = |until| vec![Blackout::Once(Interval { from: at("2020-01-01T00:00:00Z"), until: at(until) })];
    let completed = at("2026-02-06T17:00:00Z");
    assert_eq!(every("UTC", freeze("2066-01-01T00:00:00Z")).next(completed), Some(at("2066-01-01T09:00:00Z")));
    assert_eq!(every("UTC", freeze("2070-01-01T00:00:00Z")).next(completed), None);
}

#[test]
fn ranges_of_weekdays_and_lists_that_say_a_thing_twice() {
    let friday = "2026-01-02T10:00:00Z";
    let next = |cron: &str, count| walls(&schedule(cron, "UTC"), friday, count);
    assert_eq!(next("0 9 * * 1-5", 2), ["2026-01-05 09:00", "2026-01-06 09:00"]);
    assert_eq!(next("0 9 * * 0-7", 2), ["2026-01-03 09:00", "2026-01-04 09:00"]);
    assert_eq!(next("0 9 * * 0-0", 2), ["2026-01-04 09:00", "2026-01-11 09:00"]);
    assert_eq!(next("0 9 *,* * 5", 2), ["2026-01-09 09:00", "2026-01-16 09:00"]);
    assert_eq!(next("5,5 9 * * *", 2), ["2026-01-03 09:05", "2026-01-04 09:05"]);
    assert_eq!(next("0 8-18/5 * * *", 3), ["2026-01-02 13:00", "2026-01-02 18:00", "2026-01-03 08:00"]);
    let backwards = Schedule::try_new(written("30-0 * * * *", "UTC"), None).unwrap_err().to_string();
    assert_eq!(backwards, "cron, minute: `30-0` begins after it ends");
}

#[test]
fn the_leap_day_that_comes_every_four_hundred_years_is_one() {
    let leap = schedule("0 0 29 2 *", "UTC");
    assert_eq!(leap.next(at("2000-01-31T00:00:00Z")), Some(at("2000-02-29T00:00:00Z")));
    assert_eq!(leap.previous(at("2000-03-31T00:00:00Z")), Some(at("2000-02-29T00:00:00Z")));
    assert_eq!(schedule("0 12 29 2 *", "UTC").next(at("2000-02-29T00:00:00Z")), Some(at("2000-02-29T12:00:00Z")));
    assert_eq!(leap.next(at("2096-03-01T00:00:00Z")), Some(at("2104-02-29T00:00:00Z")));
}

#[test]
fn a_blackout_cuts_a_window_where_it_begins_after_the_tick() {
    let weekly = Blackout::Weekly(serde_saphyr::from_str("{monday: ['09:20-10:00']}").unwrap());
    let once = Blackout::Once(Interval { from: at("2026-12-01T09:20:00Z"), until: at("2026-12-01T10:00:00Z") });
    let start_window = Some(SignedDuration::from_mins(30));
    let description = Description { start_window, blackouts: vec![weekly, once], ..written("0 9 * * *", "UTC") };
    let schedule = Schedule::try_new(description, None).unwrap();
    for day in ["2026-11-30", "2026-12-01"] {
        let on = |time: &str| at(&format!("{day}T{time}Z"));
        assert_eq!(schedule.window(on("09:19:59")).until, on("09:20:00"));
        assert_eq!(schedule.window(on("09:20:00")).until, on("09:50:00"), "it began with that instant");
        assert_eq!(schedule.window(on("08:50:00")).until, on("09:00:00"), "the next tick");
        assert_eq!(schedule.window(on("09:00:00")).until, on("09:20:00"));
    }
}

#[test]
fn a_blackout_within_a_second_holds_up_the_seconds_that_are_in_it() {
    let next = |from, until| silent("* * * * *", "UTC", from, until).next(at("2026-11-30T08:59:30Z"));
    let (nine, later) = (Some(at("2026-11-30T09:00:00Z")), Some(at("2026-11-30T09:01:00Z")));
    assert_eq!(next("2026-11-30T09:00:00.5Z", "2026-11-30T09:01:00Z"), nine);
    assert_eq!(next("2026-11-30T08:59:59.5Z", "2026-11-30T09:00:00Z"), nine);
    assert_eq!(next("2026-11-30T09:00:00Z", "2026-11-30T09:00:00.5Z"), later);
    assert_eq!(next("2026-11-30T08:59:59.5Z", "2026-11-30T09:00:00.5Z"), later);
}
