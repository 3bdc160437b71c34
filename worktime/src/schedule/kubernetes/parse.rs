//! THE PARSER of robfig/cron v3: what it takes, and what that means to it. Where it is odd, so is this.

use super::super::refusal::{Field, Refusal};

use super::spec::{STAR, Spec};

/// A schedule as it is read there.
#[derive(Debug, Clone)]
pub(super) enum Parsed {
    Spec(Spec),
    /// `@every 1h`: so many seconds after the last.
    Every(i64),
}

impl Parsed {
    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        // Not in a new CronJob; the zone has a field of its own.
        if text.contains("TZ") {
            return Err(Refusal::Macro { text: text.to_owned() });
        }
        if let Some(every) = text.strip_prefix("@every ") {
            let nanos = duration(every).ok_or_else(|| Refusal::Macro { text: text.to_owned() })?;
            // Whole seconds, and one at least.
            return Ok(Self::Every(i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX).max(1)));
        }
        let text = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            unknown if unknown.starts_with('@') => return Err(Refusal::Macro { text: unknown.to_owned() }),
            fields => fields,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[minute, hour, date, month, weekday] = fields.as_slice() else {
            return Err(Refusal::Fields { found: fields.len() });
        };
        Ok(Self::Spec(Spec {
            minutes: list(Field::Minute, minute)?,
            hours: list(Field::Hour, hour)?,
            dates: list(Field::DayOfMonth, date)?,
            months: list(Field::Month, month)?,
            weekdays: list(Field::DayOfWeek, weekday)?,
        }))
    }
}

/// Empty parts of a list are passed over.
fn list(field: Field, text: &str) -> Result<u64, Refusal> {
    let mut bits = 0;
    for item in text.split(',').filter(|item| !item.is_empty()) {
        bits |= range(field, item)?;
    }
    Ok(bits)
}

fn range(field: Field, item: &str) -> Result<u64, Refusal> {
    let refuse = |why: String| Refusal::field(field, item, why);
    let (least, greatest) = field.bounds();
    let (least, greatest) = (u64::from(least), u64::from(greatest));
    let parts: Vec<&str> = item.split('/').collect();
    let ends: Vec<&str> = parts[0].split('-').collect();
    let mut star = 0;
    let (from, mut until) = if matches!(ends[0], "*" | "?") {
        star = STAR;
        (least, greatest)
    } else {
        let from = number(field, ends[0], item)?;
        match ends.len() {
            1 => (from, from),
            2 => (from, number(field, ends[1], item)?),
            _ => return Err(refuse("has too many hyphens".into())),
        }
    };
    let step = match parts.len() {
        1 => 1,
        2 => {
            let step = plain(parts[1]).ok_or_else(|| refuse("has a step that is not a number".into()))?;
            if ends.len() == 1 {
                until = greatest;
            }
            if step > 1 {
                star = 0;
            }
            step
        }
        _ => return Err(refuse("has too many slashes".into())),
    };
    if from < least || until > greatest {
        return Err(refuse(format!("is not between {least} and {greatest}")));
    }
    if from > until {
        return Err(refuse("begins after it ends".into()));
    }
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    if step == 0 {
        return Err(refuse("has a step of 0".into()));
    }
    Ok((from..=until).step_by(step).fold(star, |bits, value| bits | 1 << value))
}

fn number(field: Field, text: &str, item: &str) -> Result<u64, Refusal> {
    let named = field.named(text).map(u64::from);
    named.or_else(|| plain(text)).ok_or_else(|| Refusal::field(field, item, "is not a number, a range, a list or a step"))
}

/// As Go reads a number of 64 bits with a sign, none below 0.
fn plain(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|number| i64::try_from(*number).is_ok())
}

/// As many digits as a number of 64 bits always holds.
const READ_OF_A_FRACTION: usize = 18;

/// As Go reads a duration: `1h30m`, `1.5h`; in nanoseconds.
fn duration(text: &str) -> Option<i128> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (digits, after) = rest.split_at(end);
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        if (whole.is_empty() && part.is_empty()) || part.contains('.') {
            return None;
        }
        // Of a fraction the library reads what fits, and leaves the rest.
        let part = &part[..part.len().min(READ_OF_A_FRACTION)];
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len()));
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let read = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<u64>().ok().map(i128::from) };
        nanos += read(whole)? * unit + read(part)? * unit / 10_i128.pow(u32::try_from(part.len()).ok()?);
        if nanos > 1 << 63 {
            return None;
        }
        rest = after;
    }
    i64::try_from(sign * nanos).ok().map(i128::from)
}
