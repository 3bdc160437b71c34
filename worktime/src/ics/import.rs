//! THE CALENDAR FILE, read: from anybody's all-day events to a layer.
//!
//! Sources: RFC 5545: 3.1 lines, 3.3.4 dates, 3.3.11 texts, 3.4 the object, 3.6.1 events, 3.8.1.11 `STATUS`; which events are
//! holidays or make-up days, by category or by the words of the summary, is ours: there is no standard for it.

use std::collections::BTreeMap;

use jiff::{
    ToSpan,
    civil::{Date, date},
};

use super::{FOLLOWS, HOLIDAY, HOURS, MAKE_UP, NAME, OPEN, OVERRIDE};
use crate::calendar::{Holiday, Layer, MakeUp, Override, Shift, Weekday};

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Holidays, make-up days and hours of single dates.
    pub layer: Layer,
    /// What was left out: the line on which the event begins, and why.
    pub skipped: Vec<(usize, &'static str)>,
}

/// Why a text is not read: RFC 5545, 3.1 (content lines), 3.4 (the object), 3.6.1 (events).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Refusal {
    /// Which line, counted from 1; a folded one is where it begins.
    pub line: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

/// The longest event that is taken; more is a mistake.
const LONGEST: i32 = 366;
/// What people write at make-up days.
const WORKED: &[&str] = &["（班）", "(班)", "补班", "上班", "调休工作日"];
/// And at holidays, behind the name.
const OFF: &[&str] = &["（休）", "(休)", "假期", "放假"];

/// Reads holidays, make-up days and hours of single dates. Of other people's events the all-day ones count: as a make-up day
/// if their summary says that people work, else as a holiday. Of a date that is there twice the first counts.
///
/// RFC 5545: 3.1 folded lines, 3.3.4 dates, 3.6.1 all-day events (`DTEND` is the day after the last), 3.8.1.11 cancelled ones.
///
/// # Errors
/// What is not RFC 5545, and a rule of recurrence: dates that would have to be guessed are not.
pub fn import(text: &str, name: &str) -> Result<Import, Refusal> {
    let mut import = Import { layer: Layer::new(name), skipped: Vec::new() };
    let mut days = Days::default();
    let mut open: Vec<String> = Vec::new();
    let mut event: Option<Event> = None;
    let mut complete = false;
    for (line, text) in unfolded(text)? {
        if text.is_empty() {
            continue;
        }
        let refuse = |why| Refusal { line, why };
        let property = Property::parse(&text).ok_or_else(|| refuse("not `NAME:value`"))?;
        match (property.name.as_str(), property.value.to_uppercase().as_str()) {
            ("BEGIN", component) => {
                if open.is_empty() && (component != "VCALENDAR" || complete) {
                    return Err(refuse("one VCALENDAR was expected"));
                }
                if component == "VEVENT" {
                    event = Some(Event { line, ..Event::default() });
                }
                open.push(component.to_owned());
            }
            ("END", component) => {
                if open.pop().as_deref() != Some(component) {
                    return Err(refuse("it ends what did not begin"));
                }
                complete = open.is_empty();
                if component == "VEVENT"
                    && let Some(event) = event.take()
                {
                    days.take(event, &mut import.skipped)?;
                }
            }
            _ if open.is_empty() => return Err(refuse("it is outside VCALENDAR")),
            _ => {
                // An alarm inside an event has properties of its own.
                if let (Some(event), Some("VEVENT")) = (&mut event, open.last().map(String::as_str)) {
                    event.set(property, line)?;
                }
            }
        }
    }
    if !complete {
        return Err(Refusal { line: text.lines().count().max(1), why: "it ends before END:VCALENDAR" });
    }
    days.put(&mut import.layer);
    Ok(import)
}

/// Content lines with the number of the line on which each begins.
fn unfolded(text: &str) -> Result<Vec<(usize, String)>, Refusal> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, before))) => before.push_str(rest),
            (Some(_), None) => return Err(Refusal { line: number + 1, why: "the first line continues nothing" }),
            (None, _) => lines.push((number + 1, line.to_owned())),
        }
    }
    Ok(lines)
}

struct Property {
    name: String,
    is_date: bool,
    value: String,
}

impl Property {
    /// `NAME;PARAM=value;PARAM="a:b":value`.
    fn parse(line: &str) -> Option<Self> {
        let mut quoted = false;
        let colon = line.char_indices().find_map(|(index, character)| {
            quoted ^= character == '"';
            (character == ':' && !quoted).then_some(index)
        })?;
        let (head, value) = (&line[..colon], &line[colon + 1..]);
        let mut parts = head.split(';');
        let name = parts.next().filter(|name| !name.is_empty())?.to_uppercase();
        let is_date = parts.any(|parameter| parameter.eq_ignore_ascii_case("VALUE=DATE"));
        Some(Self { name, is_date, value: value.to_owned() })
    }
}

#[derive(Default)]
struct Event {
    line: usize,
    from: Option<Date>,
    after: Option<Date>,
    is_timed: bool,
    is_cancelled: bool,
    summary: String,
    categories: Vec<String>,
    name: Option<String>,
    follows: Option<Weekday>,
    hours: Option<Vec<Shift>>,
}

impl Event {
    fn set(&mut self, property: Property, line: usize) -> Result<(), Refusal> {
        let refuse = |why| Refusal { line, why };
        let Property { name, is_date, value } = property;
        match name.as_str() {
            "DTSTART" | "DTEND" if !is_date && value.contains('T') => self.is_timed = true,
            "DTSTART" => self.from = Some(day(&value).ok_or_else(|| refuse("not a date, YYYYMMDD"))?),
            "DTEND" => self.after = Some(day(&value).ok_or_else(|| refuse("not a date, YYYYMMDD"))?),
            "SUMMARY" => self.summary = plain(&value),
            "CATEGORIES" => self.categories = value.split(',').map(|word| word.trim().to_uppercase()).collect(),
            "STATUS" => self.is_cancelled = value.eq_ignore_ascii_case("CANCELLED"),
            "RRULE" | "RDATE" | "DURATION" if !self.is_timed => {
                return Err(refuse("recurrence and duration are not taken; list every date"));
            }
            NAME => self.name = Some(plain(&value)),
            FOLLOWS => {
                let named = |weekday: &&Weekday| format!("{weekday:?}").eq_ignore_ascii_case(&value);
                self.follows = Some(*Weekday::ALL.iter().find(named).ok_or_else(|| refuse("not a weekday"))?);
            }
            HOURS => {
                let shifts = value.split_whitespace().map(str::parse).collect::<Result<Vec<Shift>, _>>();
                self.hours = Some(shifts.map_err(|_| refuse("not shifts, 08:30-12:00 14:00-17:30"))?);
            }
            _ => {}
        }
        Ok(())
    }

    fn is(&self, category: &str) -> bool {
        self.categories.iter().any(|own| own == category)
    }
}

/// What was said about single dates.
#[derive(Default)]
struct Days {
    holidays: BTreeMap<Date, String>,
    make_up: BTreeMap<Date, MakeUp>,
    overrides: BTreeMap<Date, Override>,
}

impl Days {
    fn take(&mut self, event: Event, skipped: &mut Vec<(usize, &'static str)>) -> Result<(), Refusal> {
        let Event { line, .. } = event;
        if event.is(OPEN) {
            return Ok(());
        }
        if event.is_cancelled {
            skipped.push((line, "cancelled"));
            return Ok(());
        }
        if event.is_timed {
            skipped.push((line, "not an all-day event"));
            return Ok(());
        }
        let from = event.from.ok_or(Refusal { line, why: "an event without DTSTART" })?;
        // DTEND is the first day that is no longer part of it; without, or with the same, it is one day.
        let last = event.after.and_then(|after| after.yesterday().ok()).unwrap_or(from).max(from);
        if from.saturating_add(LONGEST.days()) < last {
            return Err(Refusal { line, why: "an event of more than a year" });
        }
        let is_worked = event.is(MAKE_UP) || !event.is(HOLIDAY) && WORKED.iter().any(|word| event.summary.contains(word));
        let mut name = event.name.clone().unwrap_or_else(|| event.summary.clone());
        if event.name.is_none() {
            for word in WORKED.iter().chain(OFF) {
                name = name.replace(word, "");
            }
        }
        let name = name.trim().to_owned();
        let mut twice = false;
        for date in from.series(1.day()).take_while(|date| *date <= last) {
            if let (true, Some(hours)) = (event.is(OVERRIDE), &event.hours) {
                let set = Override { date, reason: name.clone(), hours: hours.clone() };
                twice |= self.overrides.contains_key(&date);
                self.overrides.entry(date).or_insert(set);
            } else if is_worked {
                twice |= self.make_up.contains_key(&date);
                let day = MakeUp { name: name.clone(), date, follows: event.follows };
                self.make_up.entry(date).or_insert(day);
            } else {
                twice |= self.holidays.contains_key(&date);
                self.holidays.entry(date).or_insert_with(|| name.clone());
            }
        }
        if twice {
            skipped.push((line, "a date of it was there before"));
        }
        Ok(())
    }

    /// Days of one holiday that follow each other become one entry.
    fn put(self, layer: &mut Layer) {
        for (date, name) in self.holidays {
            match layer.holidays.last_mut() {
                Some(last) if last.name == name && last.until.unwrap_or(last.from).tomorrow().ok() == Some(date) => {
                    last.until = Some(date);
                }
                _ => layer.holidays.push(Holiday { name, from: date, until: None }),
            }
        }
        layer.make_up = self.make_up.into_values().collect();
        layer.overrides = self.overrides.into_values().collect();
    }
}

fn day(text: &str) -> Option<Date> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Date::new(text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..].parse().ok()?).ok().filter(|day| *day >= date(1, 1, 1))
}

/// TEXT (RFC 5545, 3.3.11).
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => {}
            },
            _ => plain.push(character),
        }
    }
    plain
}
