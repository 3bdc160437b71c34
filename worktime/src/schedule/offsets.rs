//! THE OFFSETS: what a zone's clocks show, looked up once and kept. All in whole seconds.

use jiff::{Timestamp, civil, tz::TimeZone};

/// The clocks of a zone, as stretches of constant offset in order. Clocks are taken to change no more after the year 2200: no
/// rule of today will be in force by then, and no plan reaches so far.
#[derive(Debug, Clone)]
pub(super) struct Offsets {
    /// Where each stretch begins; the first has always been.
    starts: Vec<i64>,
    /// How far its wall clock is ahead of UTC.
    ahead: Vec<i64>,
    /// The least wall time that was never shown before it began.
    high: Vec<i64>,
}

impl Offsets {
    pub(super) fn new(zone: &TimeZone) -> Self {
        let end = civil::date(2200, 1, 1).to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |end| end.timestamp());
        let first = zone.following(Timestamp::MIN).next();
        let before = first.map_or(Timestamp::MIN, |change| {
            change.timestamp().checked_sub(jiff::SignedDuration::from_secs(1)).unwrap_or(Timestamp::MIN)
        });
        let mut offsets =
            Self { starts: vec![i64::MIN], ahead: vec![i64::from(zone.to_offset(before).seconds())], high: vec![i64::MIN] };
        for change in zone.following(Timestamp::MIN).take_while(|change| change.timestamp() < end) {
            let last = offsets.starts.len() - 1;
            let (start, ahead) = (change.timestamp().as_second(), i64::from(change.offset().seconds()));
            if ahead != offsets.ahead[last] {
                offsets.starts.push(start);
                offsets.high.push(offsets.high[last].max(start + offsets.ahead[last]));
                offsets.ahead.push(ahead);
            }
        }
        offsets
    }

    /// The stretch that an instant is in.
    #[inline]
    pub(super) fn stretch(&self, at: i64) -> usize {
        let last = self.starts.len() - 1;
        // Most zones' clocks change no more.
        if self.starts[last] <= at { last } else { self.starts[..last].partition_point(|start| *start <= at) - 1 }
    }

    #[inline]
    pub(super) fn ahead(&self, stretch: usize) -> i64 {
        self.ahead[stretch]
    }

    #[inline]
    pub(super) fn start(&self, stretch: usize) -> i64 {
        self.starts[stretch]
    }

    /// The first instant of the next one.
    #[inline]
    pub(super) fn end(&self, stretch: usize) -> i64 {
        self.starts.get(stretch + 1).copied().unwrap_or(i64::MAX)
    }

    /// How far the wall clock is ahead of UTC at an instant.
    #[inline]
    pub(super) fn ahead_at(&self, at: i64) -> i64 {
        self.ahead[self.stretch(at)]
    }

    /// The greatest wall time that has been shown by an instant of that stretch.
    #[inline]
    pub(super) fn shown(&self, at: i64, stretch: usize) -> i64 {
        (at + self.ahead[stretch]).max(self.high[stretch].saturating_sub(1))
    }

    /// The first instant at which the wall clock shows this or more.
    pub(super) fn first_at(&self, wall: i64) -> i64 {
        let stretch = self.high[1..].partition_point(|high| *high <= wall);
        self.entered(wall, stretch)
    }

    /// The same, not before that stretch.
    #[inline]
    pub(super) fn first_from(&self, wall: i64, mut stretch: usize) -> i64 {
        while self.high.get(stretch + 1).is_some_and(|high| *high <= wall) {
            stretch += 1;
        }
        self.entered(wall, stretch)
    }

    #[inline]
    fn entered(&self, wall: i64, stretch: usize) -> i64 {
        (wall - self.ahead[stretch]).max(self.starts[stretch])
    }
}
