//! THE DESCRIPTION: a calendar as people write it down. Unknown keys are refused.
//!
//! Sources: the IANA database for names of zones; ISO 8601 for dates and the week that begins on Monday; the State Council
//! for what holidays and make-up days are; layers, weekly hours, single dates and whose hours a make-up day has are ours: no
//! clause describes a calendar.

use jiff::civil::{self, Date};
use serde::{Deserialize, Serialize};

use super::Shift;

/// A calendar as it is written: a zone, and layers of which a later one refines those before it (city → agency → team).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Name in the IANA Time Zone Database: `Asia/Shanghai`.
    pub zone: String,
    /// From the most general to the most particular.
    pub layers: Vec<Layer>,
}

/// One layer. Of a date that several layers speak about, the last one decides; of what it does not say, those before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// What people call it; unique in the calendar.
    pub name: String,
    /// The first date on which it says anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last date on which it says anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// National holidays and make-up days that it observes: `cn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub national: Option<String>,
    /// Whether holidays and make-up days of the layers before it concern it; a team on duty all year says no.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub observes: bool,
    /// Whose hours a make-up day has that does not say so itself. The State Council's notices do not: Monday is the
    /// product's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make_up_follows: Option<Weekday>,
    /// Weekly hours; of several that are effective on a date the last one counts. Without any, those of the layers before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weeks: Vec<Week>,
    /// Days on which nobody works.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
    /// Days off on which people work (调休上班, as in the State Council's yearly notices).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub make_up: Vec<MakeUp>,
    /// Hours of single dates, whatever else is said about them in this layer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// The last date up to which its holidays are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_until: Option<Date>,
}

/// Weekly hours, for as long as they are effective.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Week {
    /// The first date; without, from ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last date; without, for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// 周一
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub monday: Vec<Shift>,
    /// 周二
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tuesday: Vec<Shift>,
    /// 周三
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wednesday: Vec<Shift>,
    /// 周四
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thursday: Vec<Shift>,
    /// 周五
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub friday: Vec<Shift>,
    /// 周六
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub saturday: Vec<Shift>,
    /// 周日
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sunday: Vec<Shift>,
}

/// A day of the week; the week begins on Monday (ISO 8601).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// 周一
    Monday,
    /// 周二
    Tuesday,
    /// 周三
    Wednesday,
    /// 周四
    Thursday,
    /// 周五
    Friday,
    /// 周六
    Saturday,
    /// 周日
    Sunday,
}

/// Days on which nobody works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// What people call it: 春节.
    pub name: String,
    /// The first day.
    pub from: Date,
    /// The last day; without, it is one day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// A day off on which people work (调休上班).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MakeUp {
    /// The holiday it is for: 春节.
    pub name: String,
    /// The day.
    pub date: Date,
    /// Whose weekday's hours it has; without, the layer's `make_up_follows`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<Weekday>,
}

/// The hours of one date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The date.
    pub date: Date,
    /// Why: 台风停工, 高考保障.
    pub reason: String,
    /// Its shifts; none means closed.
    #[serde(default)]
    pub hours: Vec<Shift>,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_yes(value: &bool) -> bool {
    *value
}

impl Layer {
    /// A layer that says nothing yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), observes: true, ..Self::default() }
    }

    /// Whether it says anything on that date.
    #[must_use]
    pub fn is_effective(&self, date: Date) -> bool {
        within(self.from, self.until, date)
    }
}

impl Week {
    /// The same shifts from Monday to Friday.
    #[must_use]
    pub fn working_days(shifts: &[Shift]) -> Self {
        let mut week = Self::default();
        for weekday in &Weekday::ALL[..5] {
            *week.hours_mut(*weekday) = shifts.to_vec();
        }
        week
    }

    /// Around the clock.
    #[must_use]
    pub fn around_the_clock() -> Self {
        let mut week = Self::default();
        for weekday in Weekday::ALL {
            *week.hours_mut(weekday) = vec![Shift::ALL_DAY];
        }
        week
    }

    /// The shifts that begin on that weekday.
    #[must_use]
    pub fn hours(&self, weekday: Weekday) -> &[Shift] {
        match weekday {
            Weekday::Monday => &self.monday,
            Weekday::Tuesday => &self.tuesday,
            Weekday::Wednesday => &self.wednesday,
            Weekday::Thursday => &self.thursday,
            Weekday::Friday => &self.friday,
            Weekday::Saturday => &self.saturday,
            Weekday::Sunday => &self.sunday,
        }
    }

    /// The shifts that begin on that weekday, to be changed.
    pub fn hours_mut(&mut self, weekday: Weekday) -> &mut Vec<Shift> {
        match weekday {
            Weekday::Monday => &mut self.monday,
            Weekday::Tuesday => &mut self.tuesday,
            Weekday::Wednesday => &mut self.wednesday,
            Weekday::Thursday => &mut self.thursday,
            Weekday::Friday => &mut self.friday,
            Weekday::Saturday => &mut self.saturday,
            Weekday::Sunday => &mut self.sunday,
        }
    }

    /// Whether it counts on that date.
    #[must_use]
    pub fn is_effective(&self, date: Date) -> bool {
        within(self.from, self.until, date)
    }

    /// Whether anybody ever works.
    #[must_use]
    pub fn is_open(&self) -> bool {
        Weekday::ALL.iter().any(|weekday| !self.hours(*weekday).is_empty())
    }
}

fn within(from: Option<Date>, until: Option<Date>, date: Date) -> bool {
    from.is_none_or(|from| from <= date) && until.is_none_or(|until| date <= until)
}

impl Weekday {
    /// All of them, as the week goes.
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// That of a date.
    #[must_use]
    pub fn of(date: Date) -> Self {
        match date.weekday() {
            civil::Weekday::Monday => Self::Monday,
            civil::Weekday::Tuesday => Self::Tuesday,
            civil::Weekday::Wednesday => Self::Wednesday,
            civil::Weekday::Thursday => Self::Thursday,
            civil::Weekday::Friday => Self::Friday,
            civil::Weekday::Saturday => Self::Saturday,
            civil::Weekday::Sunday => Self::Sunday,
        }
    }

    /// In Chinese: 周一.
    #[must_use]
    pub fn zh(self) -> &'static str {
        ["周一", "周二", "周三", "周四", "周五", "周六", "周日"][self as usize]
    }

    /// In English, three letters: Mon.
    #[must_use]
    pub fn en(self) -> &'static str {
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][self as usize]
    }
}
