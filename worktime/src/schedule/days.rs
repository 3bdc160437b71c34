//! THE DAYS: which days of a month an expression names, as bits 1 to 31.

use super::{
    civil,
    expression::number,
    refusal::{Field, Refusal},
};

/// What the three fields for days name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Days {
    /// Bits 1 to 31.
    pub(super) dates: u64,
    pub(super) any_date: bool,
    /// Bits 1 to 12.
    pub(super) months: u64,
    /// Bits 0 to 6, from Sunday.
    pub(super) weekdays: u64,
    pub(super) any_weekday: bool,
    /// `L`, `L-3`: so many days before the last.
    before_last: Vec<i64>,
    /// `LW`.
    last_working: bool,
    /// `15W`.
    nearest: Vec<i64>,
    /// `5#2`: weekday, and which of the month.
    nth: Vec<(i64, i64)>,
    /// `5L`.
    last: Vec<i64>,
}

/// Forty years: no weekday is missing longer from the 29ths of February (2072 to 2112), so what has not come by then does not come.
pub(super) const HORIZON_MONTHS: i64 = 40 * 12 + 1;

impl Days {
    /// Takes `L`, `L-3`, `LW` and `15W`.
    pub(super) fn special_date(&mut self, item: &str) -> Result<bool, Refusal> {
        let field = Field::DayOfMonth;
        match item {
            "L" => self.before_last.push(0),
            "LW" => self.last_working = true,
            _ => {
                if let Some(before) = item.strip_prefix("L-") {
                    let before = number(field, before, item)?;
                    if before > 30 {
                        return Err(Refusal::field(field, item, "is before the month begins"));
                    }
                    self.before_last.push(before.into());
                } else if let Some(near) = item.strip_suffix('W') {
                    self.nearest.push(number(field, near, item)?.into());
                } else {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Takes `5#2` and `5L`.
    pub(super) fn special_weekday(&mut self, item: &str) -> Result<bool, Refusal> {
        let field = Field::DayOfWeek;
        if let Some((weekday, nth)) = item.split_once('#') {
            let weekday = number(field, weekday, item)?;
            let nth = nth.parse::<u8>().ok().filter(|nth| (1..=5).contains(nth));
            let nth = nth.ok_or_else(|| Refusal::field(field, item, "is not one of the first five of a month"))?;
            self.nth.push((weekday.into(), nth.into()));
        } else if let Some(weekday) = item.strip_suffix('L') {
            if weekday.is_empty() {
                return Err(Refusal::field(field, item, "does not say of which weekday; the last Friday is 5L"));
            }
            self.last.push(number(field, weekday, item)?.into());
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// The days of a month, counted from January of the year 0. If both fields are restricted a day of either is one; else it
    /// must be in both.
    pub(super) fn of_month(&self, month: i64, is_working: impl Fn(i64) -> bool) -> u32 {
        let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
        if self.months & (1 << month) == 0 {
            return 0;
        }
        let before = civil::days(year, month, 1) - 1;
        let length = civil::days(year, month + 1, 1) - before - 1;
        let dates = self.named_dates(before, length, is_working);
        let weekdays = self.named_weekdays(before, length);
        let named = if self.any_date || self.any_weekday { dates & weekdays } else { dates | weekdays };
        // Bits of days that the month does not have fall off.
        u32::try_from(named & ((2 << length) - 2)).unwrap_or(0)
    }

    fn named_dates(&self, before: i64, length: i64, is_working: impl Fn(i64) -> bool) -> u64 {
        let mut bits = self.dates;
        for from_last in &self.before_last {
            if *from_last < length {
                bits |= 1 << (length - from_last);
            }
        }
        let working = |day: &i64| is_working(before + day);
        if self.last_working {
            bits |= (1..=length).rev().find(working).map_or(0, |day| 1 << day);
        }
        for near in self.nearest.iter().filter(|near| **near <= length) {
            // Never into another month; of two that are as near, the earlier, as Saturday goes to Friday.
            let found = (0..length)
                .find_map(|far| [near - far, near + far].into_iter().find(|day| (1..=length).contains(day) && working(day)));
            bits |= found.map_or(0, |day| 1 << day);
        }
        bits
    }

    fn named_weekdays(&self, before: i64, length: i64) -> u64 {
        let mut bits = 0;
        // 7 is Sunday as well as 0.
        let first = |weekday: i64| 1 + (weekday - civil::weekday(before + 1)).rem_euclid(7);
        for weekday in (0..7).filter(|weekday| self.weekdays & (1 << weekday) != 0) {
            bits |= 0x2040_8102_u64 << first(weekday) >> 1;
        }
        for (weekday, nth) in &self.nth {
            bits |= 1 << (first(*weekday) + 7 * (nth - 1));
        }
        for weekday in &self.last {
            let first = first(*weekday);
            bits |= 1 << (first + (length - first) / 7 * 7);
        }
        bits
    }

    /// Whether there is such a day at all, whoever works on it.
    pub(super) fn ever_come(&self) -> bool {
        let start = 2000 * 12;
        (start..start + HORIZON_MONTHS).any(|month| self.of_month(month, |_| true) != 0)
    }
}
