//! What a calendar answers, and what it refuses.
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, date},
};
use worktime::{
    Timeline,
    calendar::{Calendar, Description},
};

fn calendar(yaml: &str) -> Calendar {
    Calendar::try_new(serde_saphyr::from_str(yaml).unwrap()).unwrap()
}

fn refusal(yaml: &str) -> String {
    match serde_saphyr::from_str::<Description>(yaml) {
        Ok(description) => Calendar::try_new(description).unwrap_err().to_string(),
        Err(error) => error.to_string(),
    }
}

const OFFICE: &str = r#"
zone: Asia/Shanghai
layers:
- name: 市
  weeks:
  - {monday: ["14:00-17:30", "08:30-12:00"], tuesday: ["08:30-12:00"], friday: ["22:00-06:00"]}
  holidays:
  - {name: 国庆节, from: 2026-10-01, until: 2026-10-07}
  make_up:
  - {name: 国庆节, date: 2026-10-10, follows: monday}
  known_until: 2026-12-31
- name: 队
  overrides:
  - {date: 2026-10-05, reason: 保障, hours: ["09:00-10:00"]}
"#;

#[test]
fn a_make_up_day_has_the_hours_of_the_weekday_that_it_follows() {
    let calendar = calendar(OFFICE);
    let shifts: Vec<String> = calendar.day(date(2026, 10, 10)).shifts.iter().map(ToString::to_string).collect();
    assert_eq!(shifts, ["08:30-12:00", "14:00-17:30"]);
    assert!(!calendar.is_working_day(date(2026, 10, 6)));
    assert!(calendar.is_working_day(date(2026, 10, 5)), "the team's override goes before the city's holiday");
    assert_eq!(calendar.coverage_until(), Some(date(2026, 12, 31)));
}

#[test]
fn a_shift_over_midnight_belongs_to_the_day_on_which_it_begins() {
    let calendar = calendar(OFFICE);
    let hours = calendar.hours_on(date(2026, 9, 25));
    assert_eq!(hours[0].from.to_string(), "2026-09-25T14:00:00Z");
    assert_eq!(hours[0].until.to_string(), "2026-09-25T22:00:00Z");
    assert!(!calendar.is_working_day(date(2026, 9, 26)));
}

#[test]
fn overlapping_shifts_are_refused_with_layer_weekday_and_shift() {
    let refused = refusal("{zone: UTC, layers: [{name: a, weeks: [{monday: ['08:00-12:00', '11:59-13:00']}]}]}");
    assert_eq!(refused, "layer `a`, monday: the shift 11:59-13:00 overlaps 08:00-12:00");
    let refused = refusal("{zone: UTC, layers: [{name: a, weeks: [{sunday: ['22:00-06:00'], monday: ['05:00-09:00']}]}]}");
    assert_eq!(refused, "layer `a`, monday: the shift 05:00-09:00 overlaps 22:00-06:00");
}

#[test]
fn a_calendar_without_open_time_is_refused() {
    assert_eq!(refusal("{zone: UTC, layers: [{name: a, weeks: [{}]}]}"), "layer `a`: no open time, on no date");
    assert_eq!(refusal("{zone: UTC, layers: [{name: a, weeks: [{}]}, {name: b}]}"), "layer `a`: no open time, on no date");
    let covered = "{zone: UTC, layers: [{name: a, weeks: [{from: 2026-01-01, until: 2026-01-31, monday: ['08:00-09:00']}],
        holidays: [{name: h, from: 2026-01-01, until: 2026-01-31}]}]}";
    assert_eq!(refusal(covered), "layer `a`: no open time, on no date");
}

#[test]
fn unknown_keys_zones_and_times_are_refused_by_name() {
    assert!(refusal("{zone: UTC, layers: [{name: a, hollidays: []}]}").contains("hollidays"));
    assert!(refusal("{zone: Mars/Base, layers: []}").contains("Mars/Base"));
    assert!(refusal("{zone: UTC, layers: [{name: a, weeks: [{monday: ['8:00-09:00']}]}]}").contains("8:00-09:00"));
    assert!(refusal("{zone: UTC, layers: [{name: a, weeks: [{monday: ['08:00-08:00']}]}]}").contains("00:00-24:00"));
}

#[test]
fn summer_and_winter_hours_take_turns_and_a_layer_ends() {
    let calendar = calendar(
        "{zone: Asia/Shanghai, layers: [{name: 市, weeks: [{monday: ['08:30-12:00']},
            {from: 2026-06-01, until: 2026-09-30, monday: ['08:00-11:30']}]},
            {name: 驻场, from: 2026-07-06, until: 2026-07-12, weeks: [{monday: ['07:00-08:00']}],
            holidays: [{name: 停工, from: 2026-07-06, until: 2026-07-20}]}]}",
    );
    let begins = |month, day| calendar.day(date(2026, month, day)).shifts.first().map(|shift| shift.begin());
    assert_eq!(begins(5, 25), Some(510));
    assert_eq!(begins(6, 1), Some(480));
    assert_eq!(begins(9, 28), Some(480));
    assert_eq!(begins(10, 5), Some(510));
    assert_eq!(begins(7, 6), None);
    assert_eq!(begins(7, 13), Some(480), "a layer that has ended says nothing, of holidays neither");
}

#[test]
fn what_is_said_twice_or_backwards_is_refused_with_the_place() {
    let layer =
        |words: &str| refusal(&format!("{{zone: UTC, layers: [{{name: a, weeks: [{{monday: ['08:00-09:00']}}], {words}}}]}}"));
    assert_eq!(layer("from: 2026-02-01, until: 2026-01-01"), "layer `a`, from: 2026-01-01 is before 2026-02-01");
    assert_eq!(
        layer("holidays: [{name: h, from: 2026-02-02, until: 2026-02-01}]"),
        "layer `a`, holiday `h`: 2026-02-01 is before 2026-02-02"
    );
    let twice = layer("holidays: [{name: h, from: 2026-02-01, until: 2026-02-03}, {name: i, from: 2026-02-03}]");
    assert_eq!(twice, "layer `a`, holidays: 2026-02-03 is there twice");
    assert_eq!(
        layer("holidays: [{name: h, from: 2020-02-01, until: 2026-02-03}]"),
        "layer `a`, holiday `h`: more than a year long"
    );
    assert_eq!(
        layer("make_up: [{name: h, date: 2026-02-01}, {name: h, date: 2026-02-01}]"),
        "layer `a`, make_up: 2026-02-01 is there twice"
    );
    assert_eq!(
        layer("overrides: [{date: 2026-02-01, reason: x}, {date: 2026-02-01, reason: y}]"),
        "layer `a`, overrides: 2026-02-01 is there twice"
    );
    assert_eq!(
        layer("overrides: [{date: 2026-02-01, reason: x, hours: ['08:00-10:00', '09:00-11:00']}]"),
        "layer `a`, 2026-02-01: the shift 09:00-11:00 overlaps 08:00-10:00"
    );
    let several = "{zone: UTC, layers: [{name: a, weeks: [{}, {from: 2026-01-01, tuesday: ['08:00-10:00', '09:00-11:00']}]}]}";
    assert_eq!(refusal(several), "layer `a`, weeks[1], tuesday: the shift 09:00-11:00 overlaps 08:00-10:00");
    let backwards = "{zone: UTC, layers: [{name: a, weeks: [{}, {from: 2026-01-02, until: 2026-01-01}]}]}";
    assert_eq!(refusal(backwards), "layer `a`, weeks[1]: 2026-01-01 is before 2026-01-02");
    assert_eq!(refusal("{zone: UTC, layers: [{name: a}, {name: a}]}"), "layers: the name `a` is empty or not unique");
    assert_eq!(refusal("{zone: UTC, layers: []}"), "layer ``: no open time, on no date");
}

#[test]
fn open_on_a_single_date_or_in_a_season_is_open() {
    let once = calendar("{zone: UTC, layers: [{name: a, overrides: [{date: 2026-02-01, reason: x, hours: ['08:00-10:00']}]}]}");
    assert!(once.is_working_day(date(2026, 2, 1)));
    let season = "{zone: UTC, layers: [{name: a, weeks: [{from: 2026-01-01, until: 2026-01-31, monday: ['08:00-09:00']}]}]}";
    assert!(calendar(season).is_working_day(date(2026, 1, 5)));
    let follows = "{zone: UTC, layers: [{name: a, weeks: [{from: 2026-01-05, until: 2026-01-05, friday: ['08:00-09:00']}],
        make_up: [{name: h, date: 2026-01-05, follows: friday}]}]}";
    assert!(calendar(follows).is_working_day(date(2026, 1, 5)));
}

#[test]
fn at_the_ends_of_time_nothing_panics() {
    let calendar =
        calendar("{zone: Asia/Shanghai, layers: [{name: a, weeks: [{monday: &d ['22:00-06:00'], friday: *d, saturday: *d}]}]}");
    for day in [Date::MIN, Date::MAX] {
        drop(calendar.hours_on(day));
    }
    let century = SignedDuration::from_hours(876_000);
    assert!(!calendar.open_segments(Timestamp::MIN, Timestamp::MIN + century).is_empty());
    assert!(!calendar.open_segments(Timestamp::MAX - century, Timestamp::MAX).is_empty());
    let timeline = Timeline::compile(&calendar, Timestamp::MIN, Timestamp::MAX);
    assert_eq!(timeline.until(), Timestamp::MIN + SignedDuration::from_hours(200 * 366 * 24), "cut at 200 years");
    assert!(timeline.open_between(Timestamp::MIN, Timestamp::MAX).is_err());
    assert_eq!(calendar.open_segments(Timestamp::MAX, Timestamp::MIN), []);
}

#[test]
fn hours_that_the_clocks_jump_over_are_none_and_those_at_the_ends_of_time_are_cut_there() {
    let daily = |zone: &str, hours: &str| {
        let days = "tuesday: *d, wednesday: *d, thursday: *d, friday: *d, saturday: *d, sunday: *d";
        calendar(&format!("{{zone: {zone}, layers: [{{name: a, weeks: [{{monday: &d [{hours}], {days}}}]}}]}}"))
    };
    let berlin = daily("Europe/Berlin", "'02:15-02:45', '09:00-10:00'");
    assert_eq!([28, 29, 30].map(|day| berlin.hours_on(date(2026, 3, day)).len()), [2, 1, 2]);
    let first = daily("Asia/Shanghai", "'09:00-12:00'").hours_on(date(-9999, 1, 2));
    assert_eq!(first.iter().map(|hours| hours.from).collect::<Vec<_>>(), [Timestamp::MIN]);
    let last = daily("UTC", "'21:00-23:00'").hours_on(date(9999, 12, 30));
    assert_eq!(last.iter().map(|hours| hours.until).collect::<Vec<_>>(), [Timestamp::MAX]);
}

#[test]
fn what_goes_without_saying_is_not_written_down() {
    let written = |yaml: &str| serde_json::to_value(calendar(yaml).description()).unwrap()["layers"][0]["observes"].clone();
    assert!(written("{zone: UTC, layers: [{name: a, weeks: [{monday: ['08:00-09:00']}]}]}").is_null());
    assert_eq!(written("{zone: UTC, layers: [{name: a, observes: false, weeks: [{monday: ['08:00-09:00']}]}]}"), false);
}

#[test]
fn a_timeline_answers_at_its_edges_and_not_beyond() {
    let calendar = calendar("{zone: UTC, layers: [{name: a, weeks: [{monday: ['08:00-09:00', '10:00-11:00']}]}]}");
    let at = |text: &str| format!("2026-01-{text}:00Z").parse::<Timestamp>().unwrap();
    let timeline = Timeline::compile(&calendar, at("05T00:00"), at("12T08:30"));
    let minutes = SignedDuration::from_mins;
    assert_eq!(timeline.open_between(at("05T00:00"), at("12T08:30")), Ok(minutes(150)));
    assert_eq!(timeline.open_between(at("05T10:30"), at("05T08:30")), Ok(minutes(0)));
    assert_eq!(timeline.after(at("05T08:30"), minutes(30)), Ok(at("05T09:00")), "the closing instant, and not the next opening");
    assert_eq!(timeline.after(at("05T09:30"), minutes(0)), Ok(at("05T09:30")));
    assert_eq!(timeline.after(at("05T09:30"), minutes(61)), Ok(at("12T08:01")));
    assert_eq!(timeline.after(at("05T00:00"), minutes(150)), Ok(at("12T08:30")));
    let beyond = timeline.after(at("05T00:00"), minutes(151)).unwrap_err().to_string();
    assert!(beyond.contains("2026-01-05T00:00:00Z until 2026-01-12T08:30:00Z"), "{beyond}");
    assert_eq!(timeline.hold(at("05T08:30")), Ok(at("05T08:30")));
    assert_eq!(timeline.hold(at("05T09:00")), Ok(at("05T09:00")), "just closing");
    assert_eq!(timeline.hold(at("05T09:01")), Ok(at("05T10:00")));
    assert_eq!(timeline.hold(at("05T11:01")), Ok(at("12T08:00")));
    assert!(timeline.hold(at("04T23:59")).is_err());
    assert!(timeline.open_between(at("05T00:00"), at("12T08:31")).is_err());
}

#[test]
fn a_timeline_counts_microseconds_and_may_begin_with_the_epoch() {
    let calendar = calendar("{zone: UTC, layers: [{name: a, weeks: [{thursday: ['08:00-09:00'], friday: ['08:00-09:00']}]}]}");
    let at = |text: &str| format!("1970-01-{text}Z").parse::<Timestamp>().unwrap();
    let timeline = Timeline::compile(&calendar, Timestamp::UNIX_EPOCH, at("09T00:00:00"));
    let quarter = at("01T08:00:00.25");
    assert_eq!(timeline.open_between(quarter, at("01T08:00:01")), Ok(SignedDuration::from_millis(750)));
    assert_eq!(timeline.after(quarter, SignedDuration::from_micros(3)), Ok(at("01T08:00:00.250003")));
    assert_eq!(timeline.open_between(quarter, at("02T08:00:00.5")), Ok(SignedDuration::from_millis(3_600_250)));
    let early = Timeline::compile(&calendar, at("01T00:00:00") - SignedDuration::from_hours(24 * 7), at("01T00:00:00"));
    let before = "1969-12-26T08:00:00.75Z".parse().unwrap();
    assert_eq!(early.open_between(before, at("01T00:00:00")), Ok(SignedDuration::from_millis(3_599_250)));
}

#[test]
fn a_holiday_of_a_year_is_taken_and_one_of_a_day_more_is_not() {
    let written = |until: &str| {
        let holiday = format!("{{name: 停业, from: 2026-01-01, until: {until}}}");
        format!("{{zone: UTC, layers: [{{name: 市, weeks: [{{monday: ['09:00-17:00']}}], holidays: [{holiday}]}}]}}")
    };
    assert!(!calendar(&written("2027-01-02")).is_working_day(date(2026, 12, 28)));
    assert_eq!(refusal(&written("2027-01-03")), "layer `市`, holiday `停业`: more than a year long");
}
