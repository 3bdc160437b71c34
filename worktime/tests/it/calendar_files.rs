//! Calendar files: what we write others read, what others write we read, and bad ones are refused with their line.
use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use jiff::{Timestamp, ToSpan, civil::date};
use proptest::prelude::*;
use serde_json::Value;
use worktime::{
    Calendar,
    calendar::{Description, Layer},
    ics::{export, import},
};

use crate::{holidays, random::case};

fn stamp() -> Timestamp {
    "2026-11-28T13:00:00Z".parse().unwrap()
}

fn office() -> Calendar {
    let yaml = "{zone: Asia/Shanghai, layers: [{name: 国家, national: cn, weeks: [{monday: &d ['08:30-12:00', '22:00-06:00'], tuesday: *d,
        wednesday: *d, thursday: *d, friday: *d}], overrides: [{date: 2026-06-07, reason: '高考保障, 通宵; 一条很长很长很长很长很长很长很长很长很长很长很长的理由',
        hours: ['00:00-24:00']}, {date: 2026-06-08, reason: 台风停工}]}]}";
    Calendar::try_new(serde_saphyr::from_str(yaml).unwrap()).unwrap()
}

/// Reads a calendar file with the icalendar package.
const READ: &str = r"
import icalendar, json, sys
calendar = icalendar.Calendar.from_ical(sys.stdin.buffer.read())
events = [{'from': str(e['DTSTART'].dt), 'until': str(e['DTEND'].dt), 'summary': str(e['SUMMARY']), 'uid': str(e['UID']),
           'category': e['CATEGORIES'].to_ical().decode()} for e in calendar.walk('VEVENT')]
print(json.dumps({'name': str(calendar['X-WR-CALNAME']), 'events': events}))
";

#[test]
fn what_we_write_another_program_reads() {
    let calendar = office();
    let text = export(&calendar, "运维工作日历", date(2026, 1, 1), date(2026, 12, 31), stamp());
    assert!(text.lines().all(|line| line.len() <= 75), "folded");
    assert!(text.ends_with("END:VCALENDAR\r\n"));
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", holidays::site()).args(["-c", READ]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = python.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read["name"], "运维工作日历");
    let events = read["events"].as_array().unwrap();
    let mut uids: Vec<&str> = events.iter().map(|event| event["uid"].as_str().unwrap()).collect();
    uids.sort_unstable();
    uids.dedup();
    assert_eq!(uids.len(), events.len(), "every event has an id of its own");
    let find = |category: &str, from: &str| {
        events.iter().find(|event| event["category"] == category && event["from"] == from).unwrap_or_else(|| panic!("{from}"))
    };
    let national = find("HOLIDAY", "2026-10-01");
    assert_eq!((&national["until"], &national["summary"]), (&"2026-10-08".into(), &"国庆节（休）".into()));
    assert_eq!(find("MAKE-UP", "2026-10-10")["summary"], "国庆节（班）");
    let reason = find("OVERRIDE", "2026-06-07")["summary"].as_str().unwrap();
    assert!(reason.starts_with("高考保障, 通宵; 一条很长"), "{reason}");
    assert_eq!(find("OPEN", "2026-01-05 14:00:00+00:00")["until"], "2026-01-05 22:00:00+00:00");
    let open = (0..365).map(|day| calendar.hours_on(date(2026, 1, 1) + day.days()).len()).sum::<usize>();
    assert_eq!(events.iter().filter(|event| event["category"] == "OPEN").count(), open);
}

#[test]
fn what_others_write_becomes_a_layer() {
    let text = "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260215\nDTEND;VALUE=DATE:20260224\nSUMMARY:春节 假期\n\
        BEGIN:VALARM\nTRIGGER:-PT1H\nSUMMARY:补班\nEND:VALARM\nEND:VEVENT\n\
        BEGIN:VEVENT\nUID:2\nDTSTART;VALUE=DATE:20260214\nSUMMARY:春节\n  补班\nEND:VEVENT\n\
        BEGIN:VEVENT\nUID:3\nDTSTART:20260301T010000Z\nDTEND:20260301T020000Z\nRRULE:FREQ=DAILY\nSUMMARY:站会\nEND:VEVENT\n\
        BEGIN:VEVENT\nUID:4\nDTSTART;VALUE=DATE:20260223\nSUMMARY:补假\nEND:VEVENT\n\
        BEGIN:VEVENT\nUID:5\nDTSTART;VALUE=DATE:20260601\nSTATUS:CANCELLED\nSUMMARY:儿童节\nEND:VEVENT\nEND:VCALENDAR\n";
    let read = import(text, "导入").unwrap();
    assert_eq!(read.layer.holidays.len(), 1);
    assert_eq!(read.layer.holidays[0].name, "春节");
    assert_eq!(read.layer.holidays[0].until, Some(date(2026, 2, 23)));
    assert_eq!((read.layer.make_up[0].date, read.layer.make_up[0].name.as_str()), (date(2026, 2, 14), "春节"));
    assert_eq!(read.skipped, [(19, "not an all-day event"), (26, "a date of it was there before"), (31, "cancelled")]);
}

#[test]
fn holidays_that_follow_each_other_keep_their_names() {
    let event = |day: u8, name: &str| {
        format!("BEGIN:VEVENT\nUID:{day}\nDTSTART;VALUE=DATE:202509{day}\nCATEGORIES:HOLIDAY\nSUMMARY:{name}\nEND:VEVENT\n")
    };
    let events = event(28, "中秋节") + &event(29, "中秋节") + &event(30, "国庆节上班前一日");
    let read = import(&format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR"), "x").unwrap();
    let names: Vec<_> = read.layer.holidays.iter().map(|day| (day.name.as_str(), day.from, day.until)).collect();
    let day = |day| date(2025, 9, day);
    // The category goes before what the summary seems to say.
    assert_eq!(names, [("中秋节", day(28), Some(day(29))), ("国庆节前一日", day(30), None)]);
    assert!(read.layer.make_up.is_empty());
}

#[test]
fn a_bad_file_is_refused_with_its_line() {
    let refused = |text: &str| import(text, "x").unwrap_err().to_string();
    let event = |inner: &str| format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{inner}\nEND:VEVENT\nEND:VCALENDAR\n");
    assert_eq!(refused("hello"), "line 1: not `NAME:value`");
    assert_eq!(refused("VERSION:2.0"), "line 1: it is outside VCALENDAR");
    assert_eq!(refused("BEGIN:VCARD\nEND:VCARD"), "line 1: one VCALENDAR was expected");
    assert_eq!(refused("BEGIN:VCALENDAR\nBEGIN:VEVENT\n"), "line 2: it ends before END:VCALENDAR");
    assert_eq!(refused("BEGIN:VCALENDAR\nEND:VEVENT\n"), "line 2: it ends what did not begin");
    assert_eq!(refused(" BEGIN:VCALENDAR"), "line 1: the first line continues nothing");
    assert_eq!(refused(&event("SUMMARY:x")), "line 2: an event without DTSTART");
    assert_eq!(refused(&event("DTSTART;VALUE=DATE:20260230")), "line 3: not a date, YYYYMMDD");
    assert_eq!(refused(&event("DTSTART;VALUE=DATE:2026年1月")), "line 3: not a date, YYYYMMDD");
    assert!(refused(&event("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY")).starts_with("line 4: recurrence"));
    assert_eq!(refused(&event("DTSTART;VALUE=DATE:20200101\nDTEND;VALUE=DATE:20260101")), "line 2: an event of more than a year");
    assert_eq!(refused(&event("X-WORKTIME-FOLLOWS:SOMEDAY")), "line 3: not a weekday");
    assert!(refused(&event("X-WORKTIME-HOURS:9-5")).starts_with("line 3: not shifts"));
    assert_eq!(refused(""), "line 1: it ends before END:VCALENDAR");
}

/// A calendar file of these events, each given as its lines.
fn events(all: &[&str]) -> String {
    let events: String = all.iter().map(|lines| format!("BEGIN:VEVENT\n{lines}\nEND:VEVENT\n")).collect();
    format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n")
}

#[test]
fn what_a_text_may_not_have_is_escaped_and_read_again() {
    let yaml = r#"{zone: UTC, layers: [{name: 市, weeks: [{monday: ['09:00-17:00']}], overrides: [{date: 2026-06-02,
        reason: "补班;甲,乙\\丙\r\n丁", hours: ['10:00-12:00']}]}]}"#;
    let calendar = Calendar::try_new(serde_saphyr::from_str(yaml).unwrap()).unwrap();
    let text = export(&calendar, "历", date(2026, 6, 1), date(2026, 6, 3), stamp());
    assert!(text.contains(r"SUMMARY:补班\;甲\,乙\\丙\n丁"), "{text}");
    let read = import(&text, "读").unwrap();
    assert_eq!(read.layer.overrides[0].reason, "补班;甲,乙\\丙\n丁");
}

#[test]
fn a_line_of_75_octets_is_not_folded_and_one_of_76_is() {
    let lines = |length: usize| {
        let text = export(&office(), &"a".repeat(length - "X-WR-CALNAME:".len()), date(2026, 6, 1), date(2026, 6, 1), stamp());
        let at = text.find("X-WR-CALNAME:").unwrap();
        text[at..].split("\r\n").take(2).map(str::len).collect::<Vec<_>>()
    };
    assert_eq!(lines(75)[0], 75);
    assert_eq!(lines(76), [75, 2]);
}

#[test]
fn dates_are_read_with_other_parameters_before_them_or_with_none() {
    let from = |line: &str| import(&events(&[line]), "x").map(|read| read.layer.holidays.first().map(|day| day.from));
    assert_eq!(from("DTSTART;X-BY=\"a:b;c\";VALUE=DATE:20260601"), Ok(Some(date(2026, 6, 1))));
    assert_eq!(from("DTSTART:20260601"), Ok(Some(date(2026, 6, 1))));
    assert_eq!(from("DTSTART:20260601T080000Z"), Ok(None));
    for bad in ["2026+1+1", "202601011", "2026011"] {
        assert!(from(&format!("DTSTART;VALUE=DATE:{bad}")).is_err(), "{bad}");
    }
}

#[test]
fn an_event_lasts_a_year_at_most_and_a_date_that_was_there_before_is_told_once() {
    let lasting = |until: &str| import(&events(&[&format!("DTSTART:20260101\nDTEND:{until}\nSUMMARY:停业")]), "x");
    assert!(lasting("20270103").is_ok());
    assert!(lasting("20270104").is_err());
    for category in ["HOLIDAY", "MAKE-UP", "OVERRIDE"] {
        let two = format!("DTSTART:20260601\nDTEND:20260603\nCATEGORIES:{category}\nX-WORKTIME-HOURS:09:00-12:00\nSUMMARY:甲");
        let next = two.replace("20260603", "20260604").replace("20260601", "20260603");
        let read = import(&events(&[&two, &next, &two]), "x").unwrap();
        assert_eq!(read.skipped, [(16, "a date of it was there before")], "{category}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_calendar_that_was_written_and_read_has_the_same_days(case in case(0)) {
        let Ok(calendar) = Calendar::try_new(case.description.clone()) else { return Err(TestCaseError::reject("never open")) };
        let middle = calendar.date_at(case.from);
        let (from, until) = (middle - 20.days(), middle + 20.days());
        let read = import(&export(&calendar, "历", from, until, stamp()), "读").unwrap();
        prop_assert_eq!(read.skipped, []);
        // The same weekly hours, without anything about single dates; the file brings that.
        let plain = |layer: &Layer| Layer {
            holidays: Vec::new(), make_up: Vec::new(), overrides: Vec::new(), ..layer.clone()
        };
        let layers = case.description.layers.iter().map(plain).chain([read.layer]).collect();
        let other = Calendar::try_new(Description { layers, ..case.description.clone() });
        let Ok(other) = other else { return Err(TestCaseError::reject("open on single dates only")) };
        for day in 0..=40 {
            let day = from + day.days();
            prop_assert_eq!(calendar.day(day).shifts, other.day(day).shifts, "{}", day);
            prop_assert_eq!(calendar.day(day).kind, other.day(day).kind, "{}", day);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(BEGIN:VCALENDAR\r\n|BEGIN:VEVENT\n|END:VEVENT\n|END:VCALENDAR|DTSTART;VALUE=DATE:|2026010|1\n|:|\"|;| |\\PC|\n){0,40}") {
        drop(import(&text, "x"));
    }
}
