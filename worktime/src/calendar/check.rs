//! THE CHECK: from a description to a calendar that makes sense, or the place at which it does not.
//!
//! Sources: the IANA database for what a zone is; ours: no clause says what a calendar is, and so none says what is wrong
//! with one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{ToSpan, civil::Date, tz::TimeZoneDatabase};

use crate::holidays;

use super::{Calendar, Description, Layer, Shift, Special, Week, Weekday};

/// Why a description is not a calendar, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not in the IANA database.
    #[error("zone: `{zone}` is not an IANA zone")]
    UnknownZone {
        /// What was written.
        zone: String,
    },
    /// Two layers have the same name, or one has none.
    #[error("layers: the name `{layer}` is empty or not unique")]
    LayerName {
        /// The name.
        layer: String,
    },
    /// No such national set is shipped.
    #[error("layer `{layer}`, national: there is no set `{national}`")]
    UnknownNational {
        /// The layer.
        layer: String,
        /// What was written.
        national: String,
    },
    /// A range ends before it begins.
    #[error("layer `{layer}`, {what}: {until} is before {from}")]
    EmptyRange {
        /// The layer.
        layer: String,
        /// Which of its parts.
        what: String,
        /// Where it begins.
        from: Date,
        /// Where it ends.
        until: Date,
    },
    /// A holiday longer than a year is a mistake in writing.
    #[error("layer `{layer}`, holiday `{name}`: more than a year long")]
    LongHoliday {
        /// The layer.
        layer: String,
        /// The holiday.
        name: String,
    },
    /// The same list says something about one date twice.
    #[error("layer `{layer}`, {what}: {date} is there twice")]
    Twice {
        /// The layer.
        layer: String,
        /// Which of its lists.
        what: &'static str,
        /// The date.
        date: Date,
    },
    /// Two shifts have time in common.
    #[error("layer `{layer}`, {day}: the shift {second} overlaps {first}")]
    Overlap {
        /// The layer.
        layer: String,
        /// The weekday of the later one (with the number of the week, if there are several), or the date.
        day: String,
        /// The earlier one.
        first: Shift,
        /// The later one.
        second: Shift,
    },
    /// The service is never open.
    #[error("layer `{layer}`: no open time, on no date")]
    NeverOpen {
        /// The last layer that has weekly hours, or the last layer.
        layer: String,
    },
}

pub(super) fn check(mut description: Description) -> Result<Calendar, Refusal> {
    // The database that jiff brings along, and not the machine's: the same answer everywhere, and no I/O.
    let Ok(zone) = TimeZoneDatabase::bundled().get(&description.zone) else {
        return Err(Refusal::UnknownZone { zone: description.zone });
    };
    let mut names = BTreeSet::new();
    let mut special = Vec::new();
    let mut coverage: Option<Date> = None;
    for layer in &mut description.layers {
        if layer.name.is_empty() || !names.insert(layer.name.clone()) {
            return Err(Refusal::LayerName { layer: layer.name.clone() });
        }
        range(layer, "from", layer.from, layer.until)?;
        weeks(layer)?;
        special.push(dates(layer)?);
        let national = layer.national.as_deref().and_then(holidays::known_until);
        coverage = [coverage, layer.known_until, national].into_iter().flatten().min();
    }
    let calendar = Calendar { description, zone, special, coverage_until: coverage };
    opens(&calendar)?;
    Ok(calendar)
}

fn range(layer: &Layer, what: &str, from: Option<Date>, until: Option<Date>) -> Result<(), Refusal> {
    match (from, until) {
        (Some(from), Some(until)) if until < from => {
            Err(Refusal::EmptyRange { layer: layer.name.clone(), what: what.to_owned(), from, until })
        }
        _ => Ok(()),
    }
}

/// Puts the shifts of every weekday in order; those of one day, and of a night and the next morning, must be apart.
fn weeks(layer: &mut Layer) -> Result<(), Refusal> {
    let several = layer.weeks.len() > 1;
    for index in 0..layer.weeks.len() {
        let what = if several { format!("weeks[{index}]") } else { "weeks".to_owned() };
        range(layer, &what, layer.weeks[index].from, layer.weeks[index].until)?;
        let week = &mut layer.weeks[index];
        for weekday in Weekday::ALL {
            week.hours_mut(weekday).sort();
        }
        let week: &Week = &layer.weeks[index];
        for (number, weekday) in Weekday::ALL.into_iter().enumerate() {
            let name = format!("{weekday:?}").to_lowercase();
            let day = if several { format!("weeks[{index}], {name}") } else { name };
            let yesterday = week.hours(Weekday::ALL[(number + 6) % 7]);
            apart(&layer.name, &day, yesterday, week.hours(weekday))?;
        }
    }
    Ok(())
}

fn apart(layer: &str, day: &str, yesterday: &[Shift], today: &[Shift]) -> Result<(), Refusal> {
    let refuse = |first, second| Err(Refusal::Overlap { layer: layer.to_owned(), day: day.to_owned(), first, second });
    for pair in today.windows(2) {
        if pair[0].overlaps(pair[1]) {
            return refuse(pair[0], pair[1]);
        }
    }
    match (yesterday.last(), today.first()) {
        (Some(night), Some(morning)) if night.reaches_into(*morning) => refuse(*night, *morning),
        _ => Ok(()),
    }
}

/// What the layer's national set says; the layer's own words go before it.
fn national(layer: &Layer) -> Result<BTreeMap<Date, Special>, Refusal> {
    let mut special = BTreeMap::new();
    let Some(national) = &layer.national else { return Ok(special) };
    let years = holidays::national(national)
        .ok_or_else(|| Refusal::UnknownNational { layer: layer.name.clone(), national: national.clone() })?;
    let follows = layer.make_up_follows.unwrap_or(Weekday::Monday);
    for year in years {
        for (name, from, until) in year.holidays {
            for date in from.series(1.day()).take_while(|date| date <= until) {
                special.insert(date, Special::Holiday { name: (*name).to_owned() });
            }
        }
        for (name, date) in year.make_up {
            special.insert(*date, Special::MakeUp { name: (*name).to_owned(), follows });
        }
    }
    Ok(special)
}

/// What a layer says about single dates.
fn dates(layer: &mut Layer) -> Result<BTreeMap<Date, Special>, Refusal> {
    let mut special = national(layer)?;
    let twice = |what, date| Refusal::Twice { layer: layer.name.clone(), what, date };
    let mut seen = BTreeSet::new();
    for holiday in &layer.holidays {
        let until = holiday.until.unwrap_or(holiday.from);
        range(layer, &format!("holiday `{}`", holiday.name), Some(holiday.from), Some(until))?;
        if holiday.from.saturating_add(366.days()) < until {
            return Err(Refusal::LongHoliday { layer: layer.name.clone(), name: holiday.name.clone() });
        }
        for date in holiday.from.series(1.day()).take_while(|date| *date <= until) {
            if !seen.insert(date) {
                return Err(twice("holidays", date));
            }
            special.insert(date, Special::Holiday { name: holiday.name.clone() });
        }
    }
    seen.clear();
    for make_up in &layer.make_up {
        if !seen.insert(make_up.date) {
            return Err(twice("make_up", make_up.date));
        }
        let follows = make_up.follows.or(layer.make_up_follows).unwrap_or(Weekday::Monday);
        special.insert(make_up.date, Special::MakeUp { name: make_up.name.clone(), follows });
    }
    seen.clear();
    for (index, set) in layer.overrides.iter().enumerate() {
        if !seen.insert(set.date) {
            return Err(twice("overrides", set.date));
        }
        special.insert(set.date, Special::Override { index });
    }
    for set in &mut layer.overrides {
        set.hours.sort();
        apart(&layer.name, &set.date.to_string(), &[], &set.hours)?;
    }
    Ok(special)
}

/// Between two dates at which something begins or ends the week is the same, and so one open day there is enough.
fn opens(calendar: &Calendar) -> Result<(), Refusal> {
    let layers = &calendar.description.layers;
    let mut borders = BTreeSet::from([Date::constant(-9000, 1, 1)]);
    let ranges = layers.iter().flat_map(|layer| {
        let own = (layer.from, layer.until);
        std::iter::once(own).chain(layer.weeks.iter().map(|week| (week.from, week.until)))
    });
    for (from, until) in ranges {
        borders.extend(from);
        borders.extend(until.and_then(|until| until.tomorrow().ok()));
    }
    let borders: Vec<Date> = borders.into_iter().collect();
    for (number, from) in borders.iter().enumerate() {
        // Open-ended: no list of holidays is that long.
        let endless = number == 0 || number + 1 == borders.len();
        let until = borders.get(number + 1).copied().unwrap_or(Date::MAX);
        let is_open = if endless {
            calendar.week_on(*from).is_some_and(|(_, week)| week.is_open())
        } else {
            from.series(1.day()).take_while(|date| *date < until).any(|date| calendar.is_working_day(date))
        };
        if is_open {
            return Ok(());
        }
    }
    if calendar.special.iter().flat_map(BTreeMap::keys).any(|date| calendar.is_working_day(*date)) {
        return Ok(());
    }
    let named = layers.iter().rev().find(|layer| !layer.weeks.is_empty()).or(layers.last());
    Err(Refusal::NeverOpen { layer: named.map_or_else(String::new, |layer| layer.name.clone()) })
}
