//! The CronJob model without the library beside it: what its parser takes, text by text, and ticks that one can count by hand.
use jiff::SignedDuration;
use worktime::schedule::{CronJob, Missed, Recent};

use crate::schedules::at;

/// Seconds after which the next tick comes, if the duration is taken.
fn every(duration: &str) -> Option<i64> {
    let now = at("2026-11-28T00:00:00Z");
    let cron = CronJob::try_new(&format!("@every {duration}"), "UTC").ok()?;
    cron.next(now).map(|next| next.duration_since(now).as_secs())
}

#[test]
fn durations_are_read_as_go_reads_them_in_whole_seconds_and_at_least_one() {
    let taken = [
        ("1h30m10s", 5410),
        ("1.5h", 5400),
        ("0.25m", 15),
        (".5m", 30),
        ("1.m", 60),
        ("1m1.25s", 61),
        ("+2s", 2),
        ("1500ms", 1),
        ("2500ms", 2),
        ("3000000us", 3),
        ("3000000µs", 3),
        ("3000000μs", 3),
        ("4000000000ns", 4),
        ("100000000000000000ns", 100_000_000),
        ("9223372036854775807ns", 9_223_372_036),
        ("00000000000000000000000090s", 90),
        ("1.00000000000000000000000000001m", 60),
        ("0.1234567890123456789123456789h", 444),
        ("0", 1),
        ("-5s", 1),
        ("1999999999ns", 1),
    ];
    for (text, seconds) in taken {
        assert_eq!(every(text), Some(seconds), "{text}");
    }
    for text in [
        "",
        "+",
        "1",
        "h",
        ".s",
        "1..5s",
        "1.5.5s",
        "1d",
        "1h-",
        "1 h",
        "3000000h",
        "9223372036854775808ns",
        "1000000000000000000000ns",
    ] {
        assert_eq!(every(text), None, "{text}");
    }
}

#[test]
fn what_the_controller_does_not_take_is_refused_with_its_reason() {
    let cases = [
        ("1-2-3 * * * *", "cron, minute: `1-2-3` has too many hyphens"),
        ("1/2/3 * * * *", "cron, minute: `1/2/3` has too many slashes"),
        ("1/x * * * *", "cron, minute: `1/x` has a step that is not a number"),
        ("*/0 * * * *", "cron, minute: `*/0` has a step of 0"),
        ("5-1 * * * *", "cron, minute: `5-1` begins after it ends"),
        ("60 * * * *", "cron, minute: `60` is not between 0 and 59"),
        ("50-60 * * * *", "cron, minute: `50-60` is not between 0 and 59"),
        ("0 0 0 * *", "cron, day of month: `0` is not between 1 and 31"),
        ("x * * * *", "cron, minute: `x` is not a number, a range, a list or a step"),
        ("1-x * * * *", "cron, minute: `1-x` is not a number, a range, a list or a step"),
        ("99999999999999999999 * * * *", "cron, minute: `99999999999999999999` is not a number, a range, a list or a step"),
        ("9223372036854775808 * * * *", "cron, minute: `9223372036854775808` is not a number, a range, a list or a step"),
        ("9223372036854775807 * * * *", "cron, minute: `9223372036854775807` is not between 0 and 59"),
        ("* * * *", "cron: five fields are needed (minute, hour, day of month, month, day of week), and there are 4"),
        (", * * * *", "cron, minute: `, * * * *` never comes, as 31 February never does"),
        ("* , * * *", "cron, hour: `* , * * *` never comes, as 31 February never does"),
        ("0 0 31 4,6 *", "cron, day of month: `0 0 31 4,6 *` never comes, as 31 February never does"),
    ];
    for (text, why) in cases {
        assert_eq!(CronJob::try_new(text, "UTC").unwrap_err().to_string(), why);
    }
    for text in ["@nightly", "@every 1x", "TZ=UTC 0 0 * * *", "CRON_TZ=UTC 0 0 * * *"] {
        assert!(CronJob::try_new(text, "UTC").unwrap_err().to_string().starts_with(&format!("cron: there is no `{text}`")));
    }
    for zone in ["utc", "Asia/Canton2"] {
        assert!(CronJob::try_new("0 0 * * *", zone).unwrap_err().to_string().contains("is not an IANA zone"));
    }
}

#[test]
fn each_form_of_a_field_means_to_the_controller_what_it_means_to_the_library() {
    let cases: &[(&str, &[&str])] = &[
        ("@hourly", &["01-01 01:00", "01-01 02:00"]),
        ("@daily", &["01-02 00:00", "01-03 00:00"]),
        ("@midnight", &["01-02 00:00"]),
        ("@weekly", &["01-04 00:00", "01-11 00:00"]),
        ("@monthly", &["02-01 00:00", "03-01 00:00"]),
        ("@yearly", &["01-01 00:00"]),
        ("@annually", &["01-01 00:00"]),
        ("58,59 23 * * *", &["01-01 23:58", "01-01 23:59", "01-02 23:58"]),
        ("1,,1 5 * * *", &["01-01 05:01", "01-02 05:01"]),
        ("50/5 0 * * *", &["01-01 00:50", "01-01 00:55", "01-02 00:50"]),
        ("10-20/5 0 * * *", &["01-01 00:10", "01-01 00:15", "01-01 00:20", "01-02 00:10"]),
        ("5-5 0-1 * * *", &["01-01 00:05", "01-01 01:05", "01-02 00:05"]),
        ("0 */12 * * *", &["01-01 12:00", "01-02 00:00"]),
        // A star restricts nothing, unless it has a step of more than one: then a day of either field is one.
        ("0 0 * * 1", &["01-05 00:00", "01-12 00:00"]),
        ("0 0 */1 * 1", &["01-05 00:00", "01-12 00:00"]),
        ("0 0 ? * 1", &["01-05 00:00", "01-12 00:00"]),
        ("0 0 */15 * 1", &["01-05 00:00", "01-12 00:00", "01-16 00:00", "01-19 00:00"]),
        ("0 0 13 * */6", &["01-03 00:00", "01-04 00:00", "01-10 00:00", "01-11 00:00", "01-13 00:00"]),
        ("0 0 13 * *", &["01-13 00:00", "02-13 00:00"]),
        (
            "0 0 31 JAN,mar fri",
            &["01-02 00:00", "01-09 00:00", "01-16 00:00", "01-23 00:00", "01-30 00:00", "01-31 00:00", "03-06 00:00"],
        ),
        ("0 0 31 * *", &["01-31 00:00", "03-31 00:00", "05-31 00:00"]),
        ("59 23 31 12 *", &["12-31 23:59"]),
        ("* * 1 1 *", &["01-01 00:01", "01-01 00:02"]),
    ];
    for (text, expected) in cases {
        let cron = CronJob::try_new(text, "UTC").unwrap();
        let first = cron.next(at("2026-01-01T00:00:00Z"));
        let found = std::iter::successors(first, |tick| cron.next(*tick)).take(expected.len());
        assert_eq!(found.map(|tick| tick.strftime("%m-%d %H:%M").to_string()).collect::<Vec<_>>(), *expected, "{text}");
    }
}

#[test]
fn the_search_for_a_tick_begins_anew_with_the_next_minute_hour_day_month_and_year() {
    let next = |text: &str, after: &str| CronJob::try_new(text, "UTC").unwrap().next(at(after)).map(|tick| tick.to_string());
    let is = |text, after, tick: &str| assert_eq!(next(text, after).as_deref(), Some(tick), "{text} after {after}");
    is("* * * * *", "2026-12-31T23:59:01Z", "2027-01-01T00:00:00Z");
    is("* * * * *", "2026-06-15T12:30:59Z", "2026-06-15T12:31:00Z");
    is("30 * * * *", "2026-06-15T12:30:00Z", "2026-06-15T13:30:00Z");
    is("30 * * * *", "2026-06-15T12:29:17Z", "2026-06-15T12:30:00Z");
    is("30 6 * * *", "2026-06-15T06:30:00Z", "2026-06-16T06:30:00Z");
    is("30 6 * * *", "2026-06-15T07:45:45Z", "2026-06-16T06:30:00Z");
    is("30 6 15 * *", "2026-06-15T06:30:00Z", "2026-07-15T06:30:00Z");
    is("30 6 15 3 *", "2026-06-15T06:31:00Z", "2027-03-15T06:30:00Z");
    is("30 6 15 9 *", "2026-06-15T06:31:00Z", "2026-09-15T06:30:00Z");
    is("0 0 29 2 *", "2026-06-15T06:31:00Z", "2028-02-29T00:00:00Z");
    // Five years on it gives up: the year 2100 has no leap day.
    assert_eq!(next("0 0 29 2 *", "2096-03-01T00:00:00Z"), None);
    is("0 0 29 2 *", "2099-01-01T00:00:00Z", "2104-02-29T00:00:00Z");
    assert_eq!(next("0 0 29 2 *", "2098-12-31T23:59:58Z"), None);
}

#[test]
fn what_the_controller_finds_after_a_pause_depends_on_how_many_ticks_passed() {
    let hourly = CronJob::try_new("0 * * * *", "UTC").unwrap();
    let last = at("2026-01-01T00:00:00Z");
    let recent = |seconds: i64, deadline: Option<i64>| {
        hourly.recent(last, deadline.map(SignedDuration::from_secs), last + SignedDuration::from_secs(seconds))
    };
    let found = |hours: i64, missed| Recent { tick: Some(last + SignedDuration::from_hours(hours)), missed };
    assert_eq!(recent(3599, None), Recent { tick: None, missed: Missed::None });
    assert_eq!(recent(3600, None), found(1, Missed::None));
    assert_eq!(recent(7199, None), found(1, Missed::None));
    assert_eq!(recent(7200, None), found(2, Missed::Few));
    assert_eq!(recent(100 * 3600, None), found(100, Missed::Few));
    assert_eq!(recent(101 * 3600, None), found(101, Missed::Many));
    // A deadline leaves only what is younger.
    assert_eq!(recent(101 * 3600 + 30, Some(60)), found(101, Missed::None));
    assert_eq!(recent(101 * 3600 + 60, Some(30)), Recent { tick: None, missed: Missed::None });
    assert_eq!(recent(3600, Some(1_000_000)), found(1, Missed::None));
}

#[test]
fn where_clocks_change_the_controller_does_what_the_library_does() {
    let ticks = |text: &str, zone: &str, after: &str, count: usize| {
        let cron = CronJob::try_new(text, zone).unwrap();
        let first = cron.next(at(after));
        std::iter::successors(first, |tick| cron.next(*tick)).take(count).map(|tick| tick.to_string()).collect::<Vec<_>>()
    };
    // East of Greenwich a day without midnight is left out; west of it, it is not.
    assert_eq!(ticks("0 12 29 3 *", "Asia/Beirut", "2026-03-20T00:00:00Z", 1), ["2027-03-29T09:00:00Z"]);
    assert_eq!(ticks("0 0 * * *", "Asia/Beirut", "2026-03-27T22:00:00Z", 1), ["2026-03-29T21:00:00Z"]);
    let november = ["2018-11-04T14:00:00Z", "2019-11-04T15:00:00Z"];
    assert_eq!(ticks("0 12 4 11 *", "America/Sao_Paulo", "2018-11-01T00:00:00Z", 2), november);
    let noon = ["2026-03-28T11:00:00Z", "2026-03-29T10:00:00Z"];
    assert_eq!(ticks("0 12 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 2), noon);
    let twice = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"];
    assert_eq!(ticks("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 3), twice);
    let evenly = ["2026-10-03T15:15:00Z", "2026-10-03T15:45:00Z", "2026-10-03T16:15:00Z"];
    assert_eq!(ticks("15,45 * * * *", "Australia/Lord_Howe", "2026-10-03T15:00:00Z", 3), evenly);
}
