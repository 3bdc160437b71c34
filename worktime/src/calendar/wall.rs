//! THE WALL CLOCK: which instant a wall time is. One rule for everything, gaps and overlaps included: **a wall time is the
//! first instant at which the wall clock shows it, or more**. So a time that a clock change jumps over is the instant of the
//! jump, a time that comes twice is its first coming, and the order of wall times is the order of their instants. (RFC 5545, 3.3.5,
//! also takes the first of two; of a time that is jumped over it takes the offset before the jump, and so may change the order.)

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::{AmbiguousOffset, TimeZone},
};

/// Minutes of a day on the wall.
pub(crate) const DAY: u16 = 24 * 60;

/// The first instant at which the wall clock shows so many minutes after the date's midnight, or more; up to two days.
pub(crate) fn first_at(zone: &TimeZone, date: Date, minute: u16) -> Timestamp {
    let mut date = date;
    let mut minute = minute;
    while minute >= DAY {
        minute -= DAY;
        // The calendar of the proleptic year 9999 has no tomorrow; nobody's deadline is there.
        date = date.tomorrow().unwrap_or(date);
    }
    let (hour, minute) = (i8::try_from(minute / 60), i8::try_from(minute % 60));
    let time = Time::constant(hour.unwrap_or(0), minute.unwrap_or(0), 0, 0);
    instant(zone, DateTime::from_parts(date, time))
}

/// The first instant at which the wall clock shows this, or more.
pub(crate) fn instant(zone: &TimeZone, wall: DateTime) -> Timestamp {
    let ambiguous = zone.to_ambiguous_timestamp(wall);
    let at = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => offset.to_timestamp(wall),
        // Before the jump the clock shows less, after it more: the jump itself is between the two readings.
        AmbiguousOffset::Gap { after, .. } => {
            after.to_timestamp(wall).map(|early| zone.following(early).next().map_or(early, |jump| jump.timestamp()))
        }
    };
    at.unwrap_or(if wall.year() < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
