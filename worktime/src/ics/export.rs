//! THE CALENDAR FILE, written.
//!
//! Sources: RFC 5545: 3.1 lines, 3.3.4 dates, 3.3.5 times, 3.3.11 texts, 3.4 the object, 3.6.1 events, 3.8.2.7 `TRANSP`;
//! which events a calendar becomes is ours, since it has none for make-up days.

use std::fmt::Write as _;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{FOLLOWS, HOLIDAY, HOURS, LINE, MAKE_UP, NAME, OPEN, OVERRIDE};
use crate::calendar::{Calendar, DayKind};

/// Writes what a calendar says about the dates from one to another, both included: special days as all-day events, and every
/// open interval (RFC 5545: 3.4, 3.6.1; lines are folded and ended as 3.1 says). `name` is what programs call the calendar,
/// `stamp` when it was made (`DTSTAMP`).
#[must_use]
pub fn export(calendar: &Calendar, name: &str, from: Date, until: Date, stamp: Timestamp) -> String {
    let mut file = File { text: String::new(), stamp: utc(stamp) };
    file.line("BEGIN", "VCALENDAR");
    file.line("VERSION", "2.0");
    file.line("PRODID", "-//opsmesh//worktime//ZH");
    file.line("CALSCALE", "GREGORIAN");
    file.line("X-WR-CALNAME", &escaped(name));
    file.line("X-WR-TIMEZONE", &calendar.description().zone);
    let mut date = from;
    while date <= until {
        // Days of one holiday that follow each other are one event.
        let mut after = date.tomorrow().ok();
        let day = calendar.day(date);
        match day.kind {
            DayKind::Ordinary => {}
            DayKind::Holiday { name } => {
                let same = |next: &Date| *next <= until && calendar.day(*next).kind == day.kind;
                while let Some(next) = after.filter(same) {
                    after = next.tomorrow().ok();
                }
                file.begin(date, after, HOLIDAY, &format!("{name}（休）"));
                file.line(NAME, &escaped(name));
                file.end();
            }
            DayKind::MakeUp { name, follows } => {
                file.begin(date, after, MAKE_UP, &format!("{name}（班）"));
                file.line(NAME, &escaped(name));
                file.line(FOLLOWS, &format!("{follows:?}").to_uppercase());
                file.end();
            }
            DayKind::Override { reason } => {
                file.begin(date, after, OVERRIDE, reason);
                file.line(NAME, &escaped(reason));
                let hours: Vec<String> = day.shifts.iter().map(ToString::to_string).collect();
                file.line(HOURS, &hours.join(" "));
                file.end();
            }
        }
        for (number, open) in calendar.hours_on(date).into_iter().enumerate() {
            file.line("BEGIN", "VEVENT");
            file.line("UID", &format!("{date}-open-{number}@worktime.opsmesh.io"));
            let stamp = file.stamp.clone();
            file.line("DTSTAMP", &stamp);
            file.line("DTSTART", &utc(open.from));
            file.line("DTEND", &utc(open.until));
            file.line("SUMMARY", "服务时间");
            file.line("CATEGORIES", OPEN);
            file.line("TRANSP", "OPAQUE");
            file.end();
        }
        match if matches!(day.kind, DayKind::Holiday { .. }) { after } else { date.tomorrow().ok() } {
            Some(next) => date = next,
            None => break,
        }
    }
    file.line("END", "VCALENDAR");
    file.text
}

struct File {
    text: String,
    stamp: String,
}

impl File {
    /// An all-day event, as far as all have it.
    fn begin(&mut self, from: Date, after: Option<Date>, category: &str, summary: &str) {
        self.line("BEGIN", "VEVENT");
        self.line("UID", &format!("{from}-{}@worktime.opsmesh.io", category.to_lowercase()));
        let stamp = self.stamp.clone();
        self.line("DTSTAMP", &stamp);
        self.line("DTSTART;VALUE=DATE", &day(from));
        self.line("DTEND;VALUE=DATE", &day(after.unwrap_or(from)));
        self.line("SUMMARY", &escaped(summary));
        self.line("CATEGORIES", category);
        self.line("TRANSP", "TRANSPARENT");
    }

    fn end(&mut self) {
        self.line("END", "VEVENT");
    }

    /// One content line, folded so that no line is too long and no character is torn.
    fn line(&mut self, name: &str, value: &str) {
        let mut length = 0;
        for character in name.chars().chain([':']).chain(value.chars()) {
            if length + character.len_utf8() > LINE {
                self.text.push_str("\r\n ");
                length = 1;
            }
            self.text.push(character);
            length += character.len_utf8();
        }
        self.text.push_str("\r\n");
    }
}

fn day(date: Date) -> String {
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}

fn utc(at: Timestamp) -> String {
    let wall = TimeZone::UTC.to_datetime(at);
    let mut text = day(wall.date());
    write!(text, "T{:02}{:02}{:02}Z", wall.hour(), wall.minute(), wall.second()).expect("a String takes any text");
    text
}

/// TEXT (RFC 5545, 3.3.11).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            '\r' => {}
            _ => escaped.push(character),
        }
    }
    escaped
}
