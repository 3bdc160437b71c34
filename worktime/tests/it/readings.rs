//! What a clock shows at the very instants at which it turns.
use jiff::{SignedDuration, Timestamp};
use worktime::{
    Calendar, Timeline,
    calendar::Shift,
    clock::{Basis, Clock, Due, Rule},
    ics,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn office() -> Calendar {
    let yaml = "{zone: UTC, layers: [{name: 市, weeks: [{monday: ['09:00-12:00', '12:00-17:00']}]}]}";
    Calendar::try_new(serde_saphyr::from_str(yaml).unwrap()).unwrap()
}

fn timeline() -> Timeline {
    Timeline::compile(&office(), at("2026-06-01T00:00:00Z"), at("2026-07-01T00:00:00Z"))
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

#[test]
fn a_clock_is_late_from_the_instant_at_which_it_is_due_unless_it_stops_then() {
    let timeline = timeline();
    let start = at("2026-06-01T08:00:00Z");
    let mut clock = Clock::start(Rule::new("响应", Basis::AroundTheClock, hours(1)), start).unwrap();
    let early = clock.read(&timeline, at("2026-06-01T08:59:59Z")).unwrap();
    assert_eq!((early.remaining, early.is_breached), (SignedDuration::from_secs(1), false));
    let due = clock.read(&timeline, start + hours(1)).unwrap();
    assert_eq!((due.elapsed, due.remaining, due.is_breached), (hours(1), SignedDuration::ZERO, true));
    let late = clock.read(&timeline, start + hours(3)).unwrap();
    assert_eq!((late.remaining, late.is_breached), (-hours(2), true));
    let mut in_time = clock.clone();
    in_time.stop(start + hours(1)).unwrap();
    assert!(!in_time.read(&timeline, start + hours(1)).unwrap().is_breached);
    assert!(!in_time.read(&timeline, start + hours(3)).unwrap().is_breached);
    clock.stop(start + hours(2)).unwrap();
    assert!(clock.read(&timeline, start + hours(1)).unwrap().is_breached, "it stops only later");
}

#[test]
fn a_deadline_at_night_is_held_only_if_the_rule_says_so() {
    let mut rule = Rule::new("响应", Basis::AroundTheClock, hours(1));
    let night = at("2026-06-01T18:00:00Z");
    let due = |rule: &Rule| Clock::start(rule.clone(), night).unwrap().due(&timeline()).unwrap();
    assert_eq!(due(&rule), Due::At(at("2026-06-01T19:00:00Z")));
    rule.hold_to_service_hours = true;
    assert_eq!(due(&rule), Due::At(at("2026-06-08T09:00:00Z")));
}

#[test]
fn of_several_changes_of_the_target_the_one_before_says_whether_there_was_time() {
    let start = at("2026-06-01T08:00:00Z");
    let mut clock = Clock::start(Rule::new("处理", Basis::AroundTheClock, hours(4)), start).unwrap();
    clock.retarget(start + hours(1), hours(10), "3 → 4").unwrap();
    clock.retarget(start + hours(3), hours(2), "4 → 1").unwrap();
    assert_eq!(clock.due(&timeline()).unwrap(), Due::At(start + hours(3)));
}

#[test]
fn what_was_reached_before_a_change_of_the_target_was_reached_then() {
    let timeline = timeline();
    let start = at("2026-06-01T16:00:00Z");
    let mut clock = Clock::start(Rule::new("处理", Basis::WorkingTime, hours(1)), start).unwrap();
    clock.retarget(start + hours(5), hours(1) / 2, "3 → 1").unwrap();
    assert_eq!(clock.due(&timeline).unwrap(), Due::At(start + hours(1)), "not only when it was changed, after hours");
}

#[test]
fn changes_of_the_target_are_in_order_and_may_be_at_one_instant() {
    let start = at("2026-06-01T08:00:00Z");
    let mut clock = Clock::start(Rule::new("处理", Basis::AroundTheClock, hours(4)), start).unwrap();
    for (after, target) in [(0, 5), (0, 6), (1, 7)] {
        clock.retarget(start + hours(after), hours(target), "3 → 4").unwrap();
    }
    let mut written = serde_json::to_value(&clock).unwrap();
    assert_eq!(serde_json::from_value::<Clock>(written.clone()).unwrap(), clock);
    written["retargets"].as_array_mut().unwrap().swap(0, 2);
    assert!(serde_json::from_value::<Clock>(written).unwrap_err().to_string().contains("before"));
}

#[test]
fn shifts_may_meet_and_a_day_has_24_hours_of_60_minutes() {
    assert!(office().is_working_day(jiff::civil::date(2026, 6, 1)), "shifts that meet do not overlap");
    let shift = |text: &str| text.parse::<Shift>().unwrap();
    assert!(!shift("09:00-12:00").overlaps(shift("12:00-17:00")));
    assert!(!shift("12:00-17:00").overlaps(shift("09:00-12:00")));
    assert_eq!(Shift::ALL_DAY.to_string(), "00:00-24:00");
    assert!("09:60-12:00".parse::<Shift>().is_err());
}

#[test]
fn no_line_of_a_calendar_file_is_longer_than_75_octets() {
    let date = jiff::civil::date(2026, 6, 1);
    let name = "市级政务云运行维护服务工作时间与值班安排".repeat(5);
    let file = ics::export(&office(), &name, date, date, Timestamp::UNIX_EPOCH);
    assert!(file.split("\r\n").all(|line| line.len() <= 75), "{file}");
    assert!(file.replace("\r\n ", "").contains(&format!("X-WR-CALNAME:{name}\r\n")));
}

#[test]
fn a_clock_may_go_on_at_the_instant_at_which_it_stopped_and_a_target_has_less_than_a_thousand_years() {
    let start = at("2026-06-01T08:00:00Z");
    let mut clock = Clock::start(Rule::new("处理", Basis::AroundTheClock, hours(4)), start).unwrap();
    clock.stop(start + hours(1)).unwrap();
    clock.reopen(start + hours(1)).unwrap();
    assert_eq!(clock.due(&timeline()).unwrap(), Due::At(start + hours(4)));
    let longest = hours(1000 * 366 * 24);
    let started = |target| Clock::start(Rule::new("处理", Basis::AroundTheClock, target), start);
    assert!(started(longest).is_err());
    assert!(started(longest - SignedDuration::from_nanos(1)).is_ok());
}
