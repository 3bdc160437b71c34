//! THE EXPLANATION: why a clock shows what it shows, segment by segment, so that a person can follow with a finger. It walks
//! the calendar day by day and shares no arithmetic with the timeline: that both agree is V6 (`ARCHITECTURE.md`).
//!
//! Sources: ours: no clause says how a deadline is explained; the limits that are argued about with it are T/DGAG 038-2025,
//! 7.4.1.1 and 7.4.2.4; BCP 47 names the languages.

mod text;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, civil::Date};
use serde::Serialize;

use crate::{
    Calendar, Interval, OutOfRange, Timeline,
    calendar::{Day, DayKind, Shift, Weekday},
    clock::{Basis, Clock, Due, Reason},
    timeline::{instant, micros},
};

/// The language of a text for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// 简体中文 (BCP 47: `zh-CN`)
    Zh,
    /// English (BCP 47: `en`)
    En,
}

/// Why a clock shows what it shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The clock's name.
    pub clock: String,
    /// The time that it counts.
    pub basis: Basis,
    /// The zone of the wall times in the text.
    pub zone: String,
    /// The target in force.
    pub target: SignedDuration,
    /// When it started.
    pub started: Timestamp,
    /// Since when the target in force has been reached; nothing while the clock stands.
    pub reached: Option<Timestamp>,
    /// When it is due: then, or when the service next opens if the rule holds what is due until it does.
    pub due: Option<Timestamp>,
    /// What is still to pass, where it stands before it is due.
    pub remaining: Option<SignedDuration>,
    /// When it stopped.
    pub stopped: Option<Timestamp>,
    /// Everything from its start until it is due, without a hole: what counted, what did not, why.
    pub segments: Vec<Segment>,
    /// What happened to the target.
    pub retargets: Vec<Marker>,
    /// The last date of which holidays are known, if the explanation goes beyond it: it is provisional from there on.
    pub provisional_after: Option<Date>,
}

/// A stretch of time and what a clock did in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Segment {
    /// When.
    #[serde(flatten)]
    pub interval: Interval,
    /// Why it counted, or did not.
    pub why: Why,
    /// What it counted of it: all, or nothing.
    pub counted: SignedDuration,
    /// What it had counted at the end.
    pub elapsed: SignedDuration,
    /// How much more time passed than the wall shows, where the clocks were changed: negative if they were put forward.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_change: Option<SignedDuration>,
}

/// Why a stretch counted, or did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Why {
    /// All time counts.
    AroundTheClock,
    /// A shift of an ordinary working day.
    Working {
        /// The day on which it begins.
        date: Date,
        /// Which.
        shift: Shift,
        /// Whose hours.
        layer: String,
    },
    /// A shift of a make-up day (调休上班).
    MakeUp {
        /// The day on which it begins.
        date: Date,
        /// Which.
        shift: Shift,
        /// Who says so.
        layer: String,
        /// The holiday that is made up for.
        holiday: String,
        /// Whose weekday's hours it has.
        follows: Weekday,
    },
    /// A shift that was set for this date.
    Set {
        /// The day on which it begins.
        date: Date,
        /// Which.
        shift: Shift,
        /// Who says so.
        layer: String,
        /// Why.
        reason: String,
    },
    /// The clock stood.
    Paused {
        /// Why.
        reason: Reason,
    },
    /// Before, between or after the shifts of a working day.
    OffHours,
    /// A day without shifts, by its weekday.
    RestDay,
    /// A holiday.
    Holiday {
        /// Its name.
        name: String,
        /// Who says so.
        layer: String,
    },
    /// Closed for this date.
    Closed {
        /// Who says so.
        layer: String,
        /// Why.
        reason: String,
    },
    /// The target was reached, but what is due waits for the service to open.
    Held,
}

/// Something that happened at an instant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Marker {
    /// When.
    pub at: Timestamp,
    /// The target from then on.
    pub target: SignedDuration,
    /// Why.
    pub cause: String,
}

/// Explains when a clock is due. One that stands is explained until it began to.
///
/// # Errors
/// The timeline, which is to be that of the calendar, does not reach that far.
pub fn explain(clock: &Clock, calendar: &Calendar, timeline: &Timeline) -> Result<Explanation, OutOfRange> {
    let (reached, remaining) = match clock.reached(timeline, 100)? {
        Due::At(at) => (Some(at), None),
        Due::Standing { remaining } => (None, Some(remaining)),
    };
    let due = match clock.due(timeline)? {
        Due::At(at) => Some(at),
        Due::Standing { .. } => None,
    };
    let until = reached.or_else(|| clock.standing().map(|pause| pause.from)).unwrap_or(clock.started());
    let mut segments = walk(clock, calendar, until);
    if let (Some(from), Some(until)) = (reached, due.filter(|due| reached.is_some_and(|reached| reached < *due))) {
        let elapsed = segments.last().map_or(SignedDuration::ZERO, |last| last.elapsed);
        let interval = Interval { from, until };
        segments.push(Segment { interval, why: Why::Held, counted: SignedDuration::ZERO, elapsed, clock_change: None });
    }
    let last = due.unwrap_or(until);
    let asks_calendar = clock.rule().basis == Basis::WorkingTime || clock.rule().hold_to_service_hours;
    Ok(Explanation {
        clock: clock.rule().name.clone(),
        basis: clock.rule().basis,
        zone: calendar.description().zone.clone(),
        target: clock.target(),
        started: clock.started(),
        reached,
        due,
        remaining,
        stopped: clock.stopped(),
        segments,
        retargets: clock
            .retargets()
            .iter()
            .map(|retarget| Marker { at: retarget.at, target: retarget.target, cause: retarget.cause.clone() })
            .collect(),
        provisional_after: calendar.coverage_until().filter(|known| asks_calendar && calendar.date_at(last) > *known),
    })
}

/// Everything from a clock's start until an instant, without a hole; what counted sums up to what has elapsed, if a stop is
/// not regarded.
#[must_use]
pub fn walk(clock: &Clock, calendar: &Calendar, until: Timestamp) -> Vec<Segment> {
    let (start, end) = (micros(clock.started()), micros(until));
    let pieces = match clock.rule().basis {
        Basis::AroundTheClock => vec![(start, end, Why::AroundTheClock)],
        Basis::WorkingTime => days(calendar, start, end),
    };
    // Cut where a pause begins or ends, and where the target changed.
    let mut cuts = BTreeSet::new();
    for pause in clock.pauses() {
        cuts.insert(micros(pause.from));
        cuts.extend(pause.until.map(micros));
    }
    cuts.extend(clock.retargets().iter().map(|retarget| micros(retarget.at)));
    let mut segments: Vec<Segment> = Vec::new();
    let mut elapsed = SignedDuration::ZERO;
    for (from, until, why) in pieces {
        let mut from = from;
        let inner: Vec<i64> = cuts.range(from + 1..until.max(from + 1)).copied().collect();
        for until in inner.into_iter().chain([until]) {
            if from < until {
                push(&mut segments, clock, calendar, (from, until), &why, &mut elapsed);
            }
            from = until;
        }
    }
    segments
}

fn push(
    segments: &mut Vec<Segment>,
    clock: &Clock,
    calendar: &Calendar,
    (from, until): (i64, i64),
    why: &Why,
    elapsed: &mut SignedDuration,
) {
    let interval = Interval { from: instant(from), until: instant(until) };
    let pause =
        clock.pauses().iter().find(|pause| micros(pause.from) <= from && pause.until.is_none_or(|end| until <= micros(end)));
    let why = pause.map_or_else(|| why.clone(), |pause| Why::Paused { reason: pause.reason.clone() });
    let length = SignedDuration::from_micros(until - from);
    let counted = if why.counts() { length } else { SignedDuration::ZERO };
    *elapsed += counted;
    let retargeted = clock.retargets().iter().any(|retarget| micros(retarget.at) == from);
    match segments.last_mut() {
        Some(last) if last.why == why && !retargeted => {
            last.interval.until = interval.until;
            last.counted += counted;
            last.elapsed = *elapsed;
        }
        _ => segments.push(Segment { interval, why, counted, elapsed: *elapsed, clock_change: None }),
    }
    let Some(last) = segments.last_mut() else { return };
    let wall = |at| calendar.zone().to_datetime(at);
    let shown = wall(last.interval.until).duration_since(wall(last.interval.from));
    let passed = last.interval.until.duration_since(last.interval.from);
    last.clock_change = Some(passed - shown).filter(|change| !change.is_zero());
}

/// The calendar's own pieces: every shift, and what is between them, by date.
fn days(calendar: &Calendar, start: i64, end: i64) -> Vec<(i64, i64, Why)> {
    let mut pieces = Vec::new();
    let mut at = start;
    let last = calendar.date_at(instant(end));
    let mut date = calendar.date_at(instant(start));
    // A shift may reach into the first date, and a zone may have jumped over the one before.
    for _ in 0..2 {
        date = date.yesterday().unwrap_or(date);
    }
    let add = |at: &mut i64, until: i64, why: Why, pieces: &mut Vec<_>| {
        let until = until.min(end);
        if *at < until {
            pieces.push((*at, until, why));
            *at = until;
        }
    };
    loop {
        let day = calendar.day(date);
        let next = date.tomorrow().ok();
        let closed = closed(&day);
        for shift in day.shifts {
            let Interval { from, until } = calendar.interval(date, *shift);
            add(&mut at, micros(from), closed.clone(), &mut pieces);
            add(&mut at, micros(until), open(&day, *shift), &mut pieces);
        }
        if let Some(next) = next {
            add(&mut at, micros(calendar.midnight(next)), closed, &mut pieces);
        }
        match next {
            Some(next) if date <= last && at < end => date = next,
            _ => return pieces,
        }
    }
}

fn closed(day: &Day<'_>) -> Why {
    let layer = day.layer.to_owned();
    match day.kind {
        DayKind::Holiday { name } => Why::Holiday { name: name.to_owned(), layer },
        DayKind::Override { reason } if day.shifts.is_empty() => Why::Closed { layer, reason: reason.to_owned() },
        DayKind::Ordinary | DayKind::MakeUp { .. } | DayKind::Override { .. } if day.shifts.is_empty() => Why::RestDay,
        DayKind::Ordinary | DayKind::MakeUp { .. } | DayKind::Override { .. } => Why::OffHours,
    }
}

fn open(day: &Day<'_>, shift: Shift) -> Why {
    let (date, layer) = (day.date, day.layer.to_owned());
    match day.kind {
        DayKind::MakeUp { name, follows } => Why::MakeUp { date, shift, layer, holiday: name.to_owned(), follows },
        DayKind::Override { reason } => Why::Set { date, shift, layer, reason: reason.to_owned() },
        DayKind::Ordinary | DayKind::Holiday { .. } => Why::Working { date, shift, layer },
    }
}

impl Why {
    /// Whether time counts for this reason.
    #[must_use]
    pub fn counts(&self) -> bool {
        match self {
            Self::AroundTheClock | Self::Working { .. } | Self::MakeUp { .. } | Self::Set { .. } => true,
            Self::Paused { .. } | Self::OffHours | Self::RestDay | Self::Holiday { .. } | Self::Closed { .. } | Self::Held => {
                false
            }
        }
    }
}
