//! THE SPREAD: `H` in a cron expression is some value, always the same for the same seed, so that what is due at the same
//! hour everywhere does not begin in the same minute.
//!
//! Sources: Jenkins for the letter and its forms; FNV-1a and the finaliser of MurmurHash3 for the hash; that it never changes
//! is ours, since a plan must keep its minute when the program is replaced.

use super::refusal::{Field, Refusal};

/// Days of the month over which `H` is spread: those that every month has.
const EVERY_MONTH: u8 = 28;

/// The same number for the same words, on every machine and in every version: FNV-1a of the bytes, its bits well mixed after.
#[must_use]
pub fn hash(seed: &str, salt: &str) -> u64 {
    let mut state: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in seed.bytes().chain([0]).chain(salt.bytes()) {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // FNV's low bits alone are not even enough for a remainder; this is the finaliser of MurmurHash3.
    state = (state ^ (state >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    state = (state ^ (state >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    state ^ (state >> 33)
}

/// A number below the bound.
pub(super) fn below(bound: u64, seed: &str, salt: &str) -> u64 {
    hash(seed, salt) % bound
}

/// The expression with every `H` replaced: `H` by a value, `H(0-29)` by one of a range, `H/15` and `H(0-29)/10` by a range with
/// that step and some first value. Everything else stays as it is written. Of an expression without `H` nothing changes.
///
/// # Errors
/// An `H` with a range or a step that cannot be.
pub fn resolve(expression: &str, seed: &str) -> Result<String, Refusal> {
    if expression.trim_start().starts_with('@') || !expression.split(|c: char| c.is_whitespace() || c == ',').any(is_spread) {
        return Ok(expression.to_owned());
    }
    let fields: Vec<&str> = expression.split_whitespace().collect();
    if fields.len() != Field::ALL.len() {
        return Err(Refusal::Fields { found: fields.len() });
    }
    let mut resolved = Vec::with_capacity(fields.len());
    for (field, text) in Field::ALL.into_iter().zip(fields) {
        let items: Result<Vec<String>, Refusal> =
            text.split(',').map(|item| if is_spread(item) { one(field, item, seed) } else { Ok(item.to_owned()) }).collect();
        resolved.push(items?.join(","));
    }
    Ok(resolved.join(" "))
}

fn is_spread(item: &str) -> bool {
    item == "H" || item.starts_with("H(") || item.starts_with("H/")
}

fn one(field: Field, item: &str, seed: &str) -> Result<String, Refusal> {
    let refuse = |why: String| Refusal::field(field, item, why);
    let (least, greatest) = field.bounds();
    let (base, step) = match item.split_once('/') {
        Some((base, step)) => (base, Some(step)),
        None => (item, None),
    };
    let (from, until) = match base.strip_prefix("H(").map(|rest| rest.strip_suffix(')')) {
        None => (least, if field == Field::DayOfMonth { EVERY_MONTH } else { greatest }),
        Some(range) => {
            let range = range.and_then(|range| range.split_once('-'));
            let range = range.and_then(|(from, until)| Some((from.parse::<u8>().ok()?, until.parse::<u8>().ok()?)));
            range.ok_or_else(|| refuse("is not a range to spread over, e.g. H(0-29)".into()))?
        }
    };
    if from < least || until > greatest || from > until {
        return Err(refuse(format!("is not a range within {least} and {greatest}")));
    }
    let width = u64::from(until - from) + 1;
    let salt = field.to_string();
    let Some(step) = step else {
        return Ok((u64::from(from) + below(width, seed, &salt)).to_string());
    };
    let step = step.parse::<u64>().ok().filter(|step| (1..=width).contains(step));
    let step = step.ok_or_else(|| refuse(format!("has a step that is not between 1 and {width}")))?;
    Ok(format!("{}-{until}/{step}", u64::from(from) + below(step, seed, &salt)))
}
