//! DIFF: two calendars day by day; only the days on which they differ are told.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;
use jiff::{SignedDuration, ToSpan as _, civil::Date};
use serde_json::{Value, json};
use worktime::{
    Calendar, Interval,
    calendar::{Day, DayKind, Weekday},
    explain::Language,
};

use crate::{Answer, Form, file};

/// Which two, and where.
#[derive(Args)]
pub(crate) struct Question {
    /// 日历文件甲 (one calendar file)
    one: PathBuf,
    /// 日历文件乙 (the other)
    other: PathBuf,
    /// 第一天 (first date)
    #[arg(long)]
    from: Date,
    /// 最后一天 (last date)
    #[arg(long)]
    until: Date,
}

/// A day as one calendar has it.
struct Seen {
    kind: String,
    hours: String,
    open: Vec<Interval>,
}

/// Days that are compared: a hundred years, more than any calendar is written for.
const LONGEST: i64 = 36_600;

impl Question {
    pub(crate) fn answer(&self, form: Form) -> Result<Answer> {
        let Self { one, other, from, until } = self;
        ensure!(from <= until, "--until: {until} is before {from}");
        ensure!(until.duration_since(*from).as_hours() / 24 < LONGEST, "--until: more than a hundred years");
        let calendars = [file::calendar(one)?, file::calendar(other)?];
        let mut days = Vec::new();
        let (mut compared, mut open) = (0, [SignedDuration::ZERO; 2]);
        for date in from.series(1.day()).take_while(|date| date <= until) {
            let both = [&calendars[0], &calendars[1]].map(|calendar| Seen::on(calendar, date, form));
            compared += 1;
            for (sum, seen) in open.iter_mut().zip(&both) {
                *sum += seen.time();
            }
            if both[0].kind != both[1].kind || both[0].open != both[1].open {
                days.push((date, both));
            }
        }
        let text = if form.json { as_json(compared, open, &days) } else { as_text(form, compared, open, &days) };
        Ok(Answer { text, remarks: Vec::new(), differs: !days.is_empty() })
    }
}

impl Seen {
    fn on(calendar: &Calendar, date: Date, form: Form) -> Self {
        let day = calendar.day(date);
        let shifts: Vec<String> = day.shifts.iter().map(ToString::to_string).collect();
        Self { kind: kind(&day, form), hours: shifts.join(" "), open: calendar.hours_on(date) }
    }

    fn time(&self) -> SignedDuration {
        self.open.iter().map(|open| open.until.duration_since(open.from)).sum()
    }

    fn text(&self) -> String {
        if self.hours.is_empty() { self.kind.clone() } else { format!("{} {}", self.kind, self.hours) }
    }

    fn json(&self) -> Value {
        json!({"kind": self.kind, "hours": self.hours, "open": self.time()})
    }
}

/// What sort of day it is, in words.
pub(crate) fn kind(day: &Day<'_>, form: Form) -> String {
    match day.kind {
        DayKind::Ordinary if day.shifts.is_empty() => form.words("休息日", "day of rest").to_owned(),
        DayKind::Ordinary => form.words("工作日", "working day").to_owned(),
        DayKind::Holiday { name } => format!("{}{name}", form.words("节假日：", "holiday: ")),
        DayKind::MakeUp { name, .. } => format!("{}{name}", form.words("调休上班：", "make-up day: ")),
        DayKind::Override { reason } => format!("{}{reason}", form.words("当日特定：", "this date: ")),
    }
}

fn as_text(form: Form, compared: usize, open: [SignedDuration; 2], days: &[(Date, [Seen; 2])]) -> String {
    let mut text = String::new();
    for (date, [one, other]) in days {
        let weekday = Weekday::of(*date);
        let weekday = if form.language == Language::Zh { weekday.zh() } else { weekday.en() };
        writeln!(text, "{date} {weekday}\n  - {}\n  + {}", one.text(), other.text()).expect("a String takes any text");
    }
    let hours = open.map(|time| format!("{}:{:02}", time.as_hours(), time.as_mins() % 60));
    let (differing, [one, other]) = (days.len(), &hours);
    text + &match form.language {
        Language::Zh => format!("比较 {compared} 天，{differing} 天不同；服务时间 {one} → {other}\n"),
        Language::En => format!("{compared} days compared, {differing} differ; open time {one} → {other}\n"),
    }
}

fn as_json(compared: usize, open: [SignedDuration; 2], days: &[(Date, [Seen; 2])]) -> String {
    let days: Vec<Value> =
        days.iter().map(|(date, [one, other])| json!({"date": date, "one": one.json(), "other": other.json()})).collect();
    format!("{:#}\n", json!({"compared": compared, "open": open, "days": days}))
}
