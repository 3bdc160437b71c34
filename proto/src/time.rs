//! Moments between the wire and the rules.
use jiff::Timestamp;

use crate::{Invalid, why};

/// A moment, as the wire has it.
#[must_use]
pub fn stamp(at: Timestamp) -> pbjson_types::Timestamp {
    pbjson_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}

/// A moment that the caller must give.
pub fn moment(field: &'static str, stamp: Option<pbjson_types::Timestamp>) -> Result<Timestamp, Invalid> {
    instant(&stamp.ok_or_else(|| Invalid::new(field, why!("is required", "必填")))?).ok_or_else(|| {
        Invalid::new(field, why!("is not a moment between the years 1 and 9999", "不是公元 1 年至 9999 年之间的时刻"))
    })
}

/// A moment, if it is one.
#[must_use]
pub fn instant(stamp: &pbjson_types::Timestamp) -> Option<Timestamp> {
    if !(0..1_000_000_000).contains(&stamp.nanos) {
        return None;
    }
    Timestamp::new(stamp.seconds, stamp.nanos).ok()
}
