//! THE TIMELINE: a calendar compiled for a range, so that millions of questions a second can be put to it. Open segments with
//! the open time before each, and for every few hours the first segment that can matter.
//!
//! Source: ours: no clause says how open time is found. What is open, [`crate::calendar`] says, and what is counted,
//! [`crate::clock`].

use jiff::{SignedDuration, Timestamp};

use crate::calendar::{Calendar, Interval};

/// Microseconds of the strides into which a timeline is divided: so short that a segment seldom ends in one, so long that the
/// strides of three years fit into the nearest cache.
const STRIDE: i64 = 4 * 60 * 60 * 1_000_000;
/// The longest range that is compiled, in years: segments of more would not fit into a processor's cache, nor into anybody's plans.
const LONGEST: i64 = 200;

/// The open time of a calendar between two instants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    from: i64,
    until: i64,
    /// In order, apart; behind the last one there is one that never begins.
    segments: Vec<Segment>,
    /// For each stride the first segment that ends after its beginning.
    first: Vec<u32>,
    total: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Segment {
    from: i64,
    until: i64,
    /// Open time before it.
    before: i64,
}

/// A question about a time that the timeline does not reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the timeline reaches from {from} until {until}, and the answer lies outside")]
pub struct OutOfRange {
    /// Its first instant.
    pub from: Timestamp,
    /// Where it ends.
    pub until: Timestamp,
}

impl Timeline {
    /// Compiles a range of a calendar. A range of more than 200 years is cut there.
    #[must_use]
    pub fn compile(calendar: &Calendar, from: Timestamp, until: Timestamp) -> Self {
        let longest = from.saturating_add(SignedDuration::from_hours(LONGEST * 366 * 24)).unwrap_or(until);
        let until = until.min(longest).max(from);
        let (from_micros, until_micros) = (micros(from), micros(until));
        let mut total = 0;
        let mut segments = Vec::new();
        for Interval { from, until } in calendar.open_segments(from, until) {
            let segment = Segment { from: micros(from), until: micros(until), before: total };
            total += segment.until - segment.from;
            segments.push(segment);
        }
        segments.push(Segment { from: i64::MAX, until: i64::MAX, before: total });
        let mut first = Vec::new();
        let mut index = 0;
        let mut stride = from_micros;
        while stride <= until_micros {
            while segments[index].until <= stride {
                index += 1;
            }
            first.push(u32::try_from(index).unwrap_or(u32::MAX));
            stride += STRIDE;
        }
        Self { from: from_micros, until: until_micros, segments, first, total }
    }

    /// Its first instant.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        instant(self.from)
    }

    /// Where it ends.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        instant(self.until)
    }

    /// The open time between two instants; nothing if the second is not after the first.
    ///
    /// # Errors
    /// One of them lies outside.
    pub fn open_between(&self, from: Timestamp, until: Timestamp) -> Result<SignedDuration, OutOfRange> {
        let before = |at| self.open(micros(at)).ok_or_else(|| self.out_of_range());
        Ok(SignedDuration::from_micros((before(until)? - before(from)?).max(0)))
    }

    /// The first instant that has so much open time between it and an earlier one; that one itself, if it is nothing.
    ///
    /// # Errors
    /// It lies outside.
    pub fn after(&self, from: Timestamp, open: SignedDuration) -> Result<Timestamp, OutOfRange> {
        let wanted = i64::try_from(open.as_micros()).unwrap_or(i64::MAX);
        if wanted <= 0 {
            return Ok(from);
        }
        let before = self.open(micros(from));
        let reached = before.and_then(|before| self.reached(before.saturating_add(wanted)));
        reached.map(instant).ok_or_else(|| self.out_of_range())
    }

    /// This instant if the service is open, or is just closing; else the next at which it opens.
    ///
    /// # Errors
    /// It lies outside.
    pub fn hold(&self, at: Timestamp) -> Result<Timestamp, OutOfRange> {
        let micro = micros(at);
        let index = self.index(micro).ok_or_else(|| self.out_of_range())?;
        let just_closing = index > 0 && self.segments[index - 1].until == micro;
        match self.segments[index].from {
            from if from <= micro || just_closing => Ok(at),
            i64::MAX => Err(self.out_of_range()),
            from => Ok(instant(from)),
        }
    }

    /// Open time before an instant; none outside.
    #[inline]
    pub(crate) fn open(&self, at: i64) -> Option<i64> {
        let segment = self.segments.get(self.index(at)?)?;
        Some(segment.before + (at - segment.from).max(0))
    }

    /// The first segment that ends after an instant.
    #[inline]
    fn index(&self, at: i64) -> Option<usize> {
        if at < self.from || at > self.until {
            return None;
        }
        let stride = usize::try_from((at - self.from) / STRIDE).ok()?;
        let mut index = *self.first.get(stride)? as usize;
        while self.segments.get(index)?.until <= at {
            index += 1;
        }
        Some(index)
    }

    /// The first instant with so much open time before it; more than nothing. None if there is not so much.
    #[inline]
    pub(crate) fn reached(&self, open: i64) -> Option<i64> {
        if open > self.total {
            return None;
        }
        let index = self.segments.partition_point(|segment| segment.before < open);
        let segment = self.segments.get(index.checked_sub(1)?)?;
        Some(segment.from + (open - segment.before))
    }

    #[cold]
    pub(crate) fn out_of_range(&self) -> OutOfRange {
        OutOfRange { from: self.from(), until: self.until() }
    }
}

/// The microsecond that an instant is in.
#[inline]
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_second() * 1_000_000 + i64::from(at.subsec_nanosecond()).div_euclid(1000)
}

/// The instant at which a microsecond begins; the last there is, if it is beyond.
pub(crate) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}
