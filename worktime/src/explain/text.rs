//! THE EXPLANATION in words: one line a segment, what counted with ✓, what did not with ×.
//!
//! Source: ours: no clause says how an explanation reads.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use super::{Explanation, Language, Segment, Why};
use crate::{
    calendar::Weekday,
    clock::Basis,
    explain::Language::{En, Zh},
};

impl Explanation {
    /// For people, in one language; wall times are those of the calendar's zone.
    #[must_use]
    pub fn text(&self, language: Language, zone: &TimeZone) -> String {
        let wall = |at: Timestamp| wall(language, zone.to_datetime(at));
        let words = |zh: &'static str, en: &'static str| if language == Zh { zh } else { en };
        let mut text = String::new();
        let mut line = |words: String| writeln!(text, "{words}").expect("a String takes any text");
        let basis = match self.basis {
            Basis::AroundTheClock => words("全天候计时（7×24）", "around the clock (24x7)"),
            Basis::WorkingTime => words("按工作时间计时", "working time"),
        };
        line(match language {
            Zh => format!("{}：目标 {}，{basis}，时区 {}", self.clock, length(Zh, self.target), self.zone),
            En => format!("{}: target {}, {basis}, zone {}", self.clock, length(En, self.target), self.zone),
        });
        line(format!("{}{}", words("开始 ", "started "), wall(self.started)));
        let mut markers = self.retargets.iter().peekable();
        for segment in &self.segments {
            while let Some(marker) = markers.next_if(|marker| marker.at <= segment.interval.from) {
                let (at, target) = (wall(marker.at), length(language, marker.target));
                line(match language {
                    Zh => format!("※ {at} 目标改为 {target}（{}），已计时间保留", marker.cause),
                    En => format!("* {at} target becomes {target} ({}), what has elapsed stays", marker.cause),
                });
            }
            line(segment.text(language, zone));
        }
        for marker in markers {
            let (at, target) = (wall(marker.at), length(language, marker.target));
            line(match language {
                Zh => format!("※ {at} 目标改为 {target}（{}）", marker.cause),
                En => format!("* {at} target becomes {target} ({})", marker.cause),
            });
        }
        match (self.due, self.remaining) {
            (Some(due), _) => line(format!("{}{}", words("到期 ", "due "), wall(due))),
            (None, Some(remaining)) => line(format!(
                "{}{}",
                words("暂停中，恢复后还剩 ", "standing; once it goes on there remain "),
                length(language, remaining)
            )),
            (None, None) => {}
        }
        if let Some(stopped) = self.stopped {
            let in_time = self.due.is_none_or(|due| stopped <= due);
            let verdict = if in_time { words("，未超时", ", in time") } else { words("，已超时", ", late") };
            line(format!("{}{}{verdict}", words("停止 ", "stopped "), wall(stopped)));
        }
        if let Some(known) = self.provisional_after {
            line(match language {
                Zh => format!("注意：{known} 之后的节假日尚未公布，按每周工时推算，公布后可能变化"),
                En => format!("note: holidays after {known} are not known; what lies later goes by weekly hours and may change"),
            });
        }
        text
    }
}

impl Segment {
    /// One line.
    fn text(&self, language: Language, zone: &TimeZone) -> String {
        let (from, until) = (zone.to_datetime(self.interval.from), zone.to_datetime(self.interval.until));
        let (from, until) = (wall(language, from), wall(language, until));
        let why = self.why.text(language);
        let sum = match (self.why.counts(), language) {
            (true, Zh) => format!("计 {}，累计 {}", length(Zh, self.counted), length(Zh, self.elapsed)),
            (true, En) => format!("counts {}, in all {}", length(En, self.counted), length(En, self.elapsed)),
            (false, Zh) => "不计".to_owned(),
            (false, En) => "does not count".to_owned(),
        };
        let mark = if self.why.counts() { '✓' } else { '×' };
        let change = self.clock_change.map_or_else(String::new, |change| match (change.is_positive(), language) {
            (true, Zh) => format!("；其间时钟拨慢 {}", length(Zh, change)),
            (true, En) => format!("; the clocks were put back by {}", length(En, change)),
            (false, Zh) => format!("；其间时钟拨快 {}", length(Zh, -change)),
            (false, En) => format!("; the clocks were put forward by {}", length(En, -change)),
        });
        match language {
            Zh => format!("{mark} {from} → {until}　{sum}　{why}{change}"),
            En => format!("{mark} {from} → {until}  {sum}  {why}{change}"),
        }
    }
}

impl Why {
    /// The reason in words.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        match (self, language) {
            (Self::AroundTheClock, Zh) => "全天候".into(),
            (Self::AroundTheClock, En) => "around the clock".into(),
            (Self::Working { shift, layer, .. }, Zh) => format!("工作班次 {shift}（{layer}）"),
            (Self::Working { shift, layer, .. }, En) => format!("shift {shift} ({layer})"),
            (Self::MakeUp { shift, layer, holiday, follows, .. }, Zh) => {
                format!("{holiday}调休上班，按{}班次 {shift}（{layer}）", follows.zh())
            }
            (Self::MakeUp { shift, layer, holiday, follows, .. }, En) => {
                format!("make-up day for {holiday}, {}'s shift {shift} ({layer})", follows.en())
            }
            (Self::Set { shift, layer, reason, .. }, Zh) => format!("当日特定班次 {shift}：{reason}（{layer}）"),
            (Self::Set { shift, layer, reason, .. }, En) => format!("shift of this date {shift}: {reason} ({layer})"),
            (Self::Paused { reason }, Zh) => format!("暂停：{}", reason.zh()),
            (Self::Paused { reason }, En) => format!("standing: {}", reason.en()),
            (Self::OffHours, Zh) => "班次之外".into(),
            (Self::OffHours, En) => "outside the shifts".into(),
            (Self::RestDay, Zh) => "休息日".into(),
            (Self::RestDay, En) => "day of rest".into(),
            (Self::Holiday { name, layer }, Zh) => format!("节假日：{name}（{layer}）"),
            (Self::Holiday { name, layer }, En) => format!("holiday: {name} ({layer})"),
            (Self::Closed { layer, reason }, Zh) => format!("当日停止服务：{reason}（{layer}）"),
            (Self::Closed { layer, reason }, En) => format!("closed on this date: {reason} ({layer})"),
            (Self::Held, Zh) => "已到期，顺延至服务时间".into(),
            (Self::Held, En) => "due, and held until the service opens".into(),
        }
    }
}

/// `2026-10-01 周四 08:30`, with seconds where there are some.
fn wall(language: Language, at: DateTime) -> String {
    let weekday = Weekday::of(at.date());
    let weekday = if language == Zh { weekday.zh() } else { weekday.en() };
    let mut text = format!("{} {weekday} {:02}:{:02}", at.date(), at.hour(), at.minute());
    if at.second() != 0 || at.subsec_nanosecond() != 0 {
        write!(text, ":{:02}", at.second()).expect("a String takes any text");
    }
    text
}

/// `1 小时 30 分`, `1h 30m`; never in days, which are not as long for everybody.
pub(crate) fn length(language: Language, duration: SignedDuration) -> String {
    let seconds = duration.as_secs().abs();
    let parts = [seconds / 3600, seconds / 60 % 60, seconds % 60];
    let names = if language == Zh { [" 小时", " 分", " 秒"] } else { ["h", "m", "s"] };
    let mut words: Vec<String> =
        parts.iter().zip(names).filter(|(part, _)| **part != 0).map(|(part, name)| format!("{part}{name}")).collect();
    if words.is_empty() {
        words.push(format!("0{}", names[1]));
    }
    let sign = if duration.is_negative() { "-" } else { "" };
    format!("{sign}{}", words.join(" "))
}
