//! THE DAY: what a date is, which shifts it has, and which layer says so.
//!
//! Sources: the State Council for holidays (节假日) and make-up days (调休上班); days set one by one, and which layer decides, are
//! ours: no clause knows calendars.

use jiff::civil::Date;

use super::{Calendar, Shift, Special, Week, Weekday};

/// A date in the eyes of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day<'a> {
    /// The date.
    pub date: Date,
    /// What sort of day.
    pub kind: DayKind<'a>,
    /// The name of the layer that says so; empty if no layer has weekly hours for it.
    pub layer: &'a str,
    /// The shifts that begin on it, in order.
    pub shifts: &'a [Shift],
}

/// What sort of day a date is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind<'a> {
    /// 工作日 or 休息日: as its weekday says.
    Ordinary,
    /// 节假日: nobody works (《全国年节及纪念日放假办法》, or a layer's own).
    Holiday {
        /// What people call it.
        name: &'a str,
    },
    /// 调休上班: a day off on which people work (the notices of the General Office of the State Council).
    MakeUp {
        /// The holiday it is for.
        name: &'a str,
        /// Whose weekday's hours it has.
        follows: Weekday,
    },
    /// Its hours were set for this date alone.
    Override {
        /// Why.
        reason: &'a str,
    },
}

impl Calendar {
    /// What a date is. The last layer decides that says something about this very date; in it an override goes before a make-up
    /// day, and that before a holiday. If none does, the last layer decides that has weekly hours for it.
    #[must_use]
    pub fn day(&self, date: Date) -> Day<'_> {
        let (week_layer, week) = match self.week_on(date) {
            Some((layer, week)) => (layer, Some(week)),
            None => ("", None),
        };
        let hours = |weekday| week.map_or(&[][..], |week| week.hours(weekday));
        for (layer, special) in self.description.layers.iter().zip(&self.special).rev() {
            if !layer.is_effective(date) {
                continue;
            }
            let name = layer.name.as_str();
            match special.get(&date) {
                Some(Special::Override { index }) => {
                    let Some(set) = layer.overrides.get(*index) else { continue };
                    let kind = DayKind::Override { reason: &set.reason };
                    return Day { date, kind, layer: name, shifts: &set.hours };
                }
                Some(Special::MakeUp { name: of, follows }) => {
                    let kind = DayKind::MakeUp { name: of, follows: *follows };
                    return Day { date, kind, layer: name, shifts: hours(*follows) };
                }
                Some(Special::Holiday { name: of }) => {
                    return Day { date, kind: DayKind::Holiday { name: of }, layer: name, shifts: &[] };
                }
                None if !layer.observes => break,
                None => {}
            }
        }
        Day { date, kind: DayKind::Ordinary, layer: week_layer, shifts: hours(Weekday::of(date)) }
    }

    /// The weekly hours that count on a date, and whose they are.
    pub(super) fn week_on(&self, date: Date) -> Option<(&str, &Week)> {
        self.description.layers.iter().rev().filter(|layer| layer.is_effective(date)).find_map(|layer| {
            let week = layer.weeks.iter().rev().find(|week| week.is_effective(date))?;
            Some((layer.name.as_str(), week))
        })
    }
}
