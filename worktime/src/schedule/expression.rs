//! THE EXPRESSION: five fields, read into sets of bits.

use super::{
    days::Days,
    refusal::{Field, Refusal},
};

/// What the fields name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expression {
    /// Bits 0 to 59.
    pub(super) minutes: u64,
    /// Bits 0 to 23.
    pub(super) hours: u64,
    pub(super) days: Days,
}

/// Every hour.
pub(super) const ALL_HOURS: u64 = (1 << 24) - 1;

/// What a macro stands for.
pub(super) fn expand(text: &str) -> Result<&str, Refusal> {
    Ok(match text {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        unknown if unknown.starts_with('@') => return Err(Refusal::Macro { text: unknown.to_owned() }),
        fields => fields,
    })
}

impl Expression {
    /// Reads an expression in which every `H` has been replaced.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let text = expand(text.trim())?;
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(Refusal::Fields { found: fields.len() });
        };
        let mut days = Days::default();
        let minutes = set(Field::Minute, minute, |_| Ok(false))?.0;
        let hours = set(Field::Hour, hour, |_| Ok(false))?.0;
        let (bits, star) = set(Field::DayOfMonth, day, |item| days.special_date(item))?;
        (days.dates, days.any_date) = (bits, star);
        days.months = set(Field::Month, month, |_| Ok(false))?.0;
        let (bits, star) = set(Field::DayOfWeek, weekday, |item| days.special_weekday(item))?;
        (days.weekdays, days.any_weekday) = (bits, star);
        if !days.ever_come() {
            let field = if days.any_weekday { Field::DayOfMonth } else { Field::DayOfWeek };
            return Err(Refusal::Never { field, text: text.to_owned() });
        }
        Ok(Self { minutes, hours, days })
    }
}

/// The bits of a list, and whether it has a star. What `special` takes is no part of them.
fn set(field: Field, text: &str, mut special: impl FnMut(&str) -> Result<bool, Refusal>) -> Result<(u64, bool), Refusal> {
    let (mut bits, mut star) = (0, false);
    for item in text.split(',') {
        if special(item)? {
            continue;
        }
        let (more, is_star) = range(field, item)?;
        bits |= more;
        star |= is_star;
    }
    Ok((bits, star))
}

/// `*`, `5`, `5-10`, and each with a step; `5/10` means from 5 on.
fn range(field: Field, item: &str) -> Result<(u64, bool), Refusal> {
    let refuse = |why: String| Refusal::field(field, item, why);
    let (base, step) = match item.split_once('/') {
        Some((base, step)) => (base, Some(step)),
        None => (item, None),
    };
    let (least, greatest) = field.bounds();
    let step = match step {
        None => 1,
        Some(step) => step
            .parse::<u8>()
            .ok()
            .filter(|step| *step > 0)
            .ok_or_else(|| refuse("has a step that is not a number from 1 on".into()))?,
    };
    let star = base == "*" || base == "?" && matches!(field, Field::DayOfMonth | Field::DayOfWeek);
    let (from, until) = if star {
        (least, greatest)
    } else if let Some((from, until)) = base.split_once('-') {
        let (from, until) = (number(field, from, item)?, number(field, until, item)?);
        // A range of weekdays may end with Sunday, as weeks do.
        (from, if field == Field::DayOfWeek && until == 0 && from > 0 { 7 } else { until })
    } else {
        let from = number(field, base, item)?;
        (from, if item.contains('/') { greatest } else { from })
    };
    if from > until {
        return Err(refuse("begins after it ends".into()));
    }
    let mut bits = 0;
    for value in (from..=until).step_by(step.into()) {
        // 7 is Sunday, too.
        bits |= 1_u64 << if field == Field::DayOfWeek { value % 7 } else { value };
    }
    Ok((bits, star && step == 1))
}

/// A number in bounds, or a name.
pub(super) fn number(field: Field, text: &str, item: &str) -> Result<u8, Refusal> {
    let (least, greatest) = field.bounds();
    let greatest = if field == Field::DayOfWeek { 7 } else { greatest };
    if let Some(named) = field.named(text) {
        return Ok(named);
    }
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::field(field, item, "is not a number, a range, a list or a step".to_owned()));
    }
    let parsed = text.parse::<u8>().ok().filter(|number| (least..=greatest).contains(number));
    parsed.ok_or_else(|| Refusal::field(field, item, format!("is not between {least} and {greatest}")))
}
