//! What a calendar answers, and what it refuses.
use jiff::civil::date;
use worktime::calendar::{Calendar, Description};

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
