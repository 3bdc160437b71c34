//! THE MOMENT: instants as people write them.

use anyhow::{Context as _, Result, bail};
use jiff::{Timestamp, Zoned, civil::DateTime, tz::TimeZone};

/// Reads `2026-09-30T16:00` by the zone's wall clock, or an instant with an offset, `2026-09-30T16:00+08:00`. What the wall
/// clock shows never, or twice, is refused: here a person can say which is meant.
pub(crate) fn read(text: &str, zone: &TimeZone) -> Result<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let wall: DateTime =
        text.parse().with_context(|| format!("`{text}` is not a time: write 2026-09-30T16:00, or 2026-09-30T16:00+08:00"))?;
    let name = zone.iana_name().unwrap_or_default();
    let ambiguous = zone.to_ambiguous_zoned(wall);
    if ambiguous.is_ambiguous() {
        bail!("`{text}`: the clocks of {name} are changed there, and show this never or twice; write it with its offset");
    }
    Ok(ambiguous.unambiguous()?.timestamp())
}

/// This instant, for a person who does not say which.
#[expect(clippy::disallowed_methods, reason = "a person at a prompt who names no instant means now")]
pub(crate) fn now() -> Timestamp {
    Zoned::now().timestamp()
}
