//! THE TIMELINE: a calendar compiled for a range, so that millions of questions a second can be put to it. Open segments with
//! the open time before each, and for every day the first segment that can matter.

use jiff::{SignedDuration, Timestamp};

use crate::calendar::{Calendar, Interval};

/// Microseconds of the days into which a timeline is divided; they are not anybody's calendar days.
const STRIDE: i64 = 24 * 60 * 60 * 1_000_000;
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
        let open = self.open(micros(until))? - self.open(micros(from))?;
        Ok(SignedDuration::from_micros(open.max(0)))
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
        self.reached(self.open(micros(from))?.saturating_add(wanted)).map(instant)
    }

    /// This instant if the service is open, or is just closing; else the next at which it opens.
    ///
    /// # Errors
    /// It lies outside.
    pub fn hold(&self, at: Timestamp) -> Result<Timestamp, OutOfRange> {
        let micro = micros(at);
        let index = self.index(micro)?;
        let just_closing = index > 0 && self.segments[index - 1].until == micro;
        match self.segments[index].from {
            from if from <= micro || just_closing => Ok(at),
            i64::MAX => Err(self.out_of_range()),
            from => Ok(instant(from)),
        }
    }

    /// Open time before an instant.
    #[inline]
    pub(crate) fn open(&self, at: i64) -> Result<i64, OutOfRange> {
        let segment = &self.segments[self.index(at)?];
        Ok(segment.before + (at - segment.from).max(0))
    }

    /// The first segment that ends after an instant.
    #[inline]
    fn index(&self, at: i64) -> Result<usize, OutOfRange> {
        if at < self.from || at > self.until {
            return Err(self.out_of_range());
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 200 years of days")]
        let mut index = self.first[((at - self.from) / STRIDE) as usize] as usize;
        while self.segments[index].until <= at {
            index += 1;
        }
        Ok(index)
    }

    /// The first instant with so much open time before it; more than nothing.
    #[inline]
    pub(crate) fn reached(&self, open: i64) -> Result<i64, OutOfRange> {
        if open > self.total {
            return Err(self.out_of_range());
        }
        let index = self.segments.partition_point(|segment| segment.before < open) - 1;
        let segment = &self.segments[index];
        Ok(segment.from + (open - segment.before))
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

/// The instant at which a microsecond begins.
pub(crate) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
