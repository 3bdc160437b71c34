//! The brute force: a wall clock that is watched step by step. It knows neither segments nor prefix sums, and reads a calendar's
//! description for itself.
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZoneDatabase,
};
use worktime::{
    calendar::{Description, Layer, Shift, Weekday},
    clock::{Basis, Clock},
};

/// Which steps are open.
pub(crate) struct Stepper {
    pub(crate) from: Timestamp,
    pub(crate) step: i64,
    pub(crate) open: Vec<bool>,
}

/// The shifts of a date, found by reading the layers from the last to the first.
fn shifts(description: &Description, date: Date) -> Vec<Shift> {
    let effective = |layer: &&Layer| layer.from.is_none_or(|from| from <= date) && layer.until.is_none_or(|until| date <= until);
    let layers: Vec<&Layer> = description.layers.iter().filter(effective).collect();
    let week = |weekday: Weekday| -> Vec<Shift> {
        for layer in layers.iter().rev() {
            for week in layer.weeks.iter().rev() {
                if week.from.is_none_or(|from| from <= date) && week.until.is_none_or(|until| date <= until) {
                    return week.hours(weekday).to_vec();
                }
            }
        }
        Vec::new()
    };
    for layer in layers.iter().rev() {
        if let Some(set) = layer.overrides.iter().find(|set| set.date == date) {
            return set.hours.clone();
        }
        if let Some(day) = layer.make_up.iter().find(|day| day.date == date) {
            return week(day.follows.or(layer.make_up_follows).unwrap_or(Weekday::Monday));
        }
        if layer.holidays.iter().any(|day| day.from <= date && date <= day.until.unwrap_or(day.from)) {
            return Vec::new();
        }
        if !layer.observes {
            break;
        }
    }
    week(Weekday::of(date))
}

/// Whether the wall shows a time of a shift.
fn is_open(wall: DateTime, today: &[Shift], yesterday: &[Shift]) -> bool {
    let minute = u16::try_from(wall.hour()).unwrap() * 60 + u16::try_from(wall.minute()).unwrap();
    let within = |shift: &Shift, minute| shift.begin() <= minute && minute < shift.end();
    today.iter().any(|shift| within(shift, minute)) || yesterday.iter().any(|shift| within(shift, minute + 1440))
}

impl Stepper {
    /// Watches from an instant on. During a repeated hour the service goes by the latest time that the wall has shown.
    pub(crate) fn watch(description: &Description, from: Timestamp, step: i64, steps: usize) -> Self {
        let zone = TimeZoneDatabase::bundled().get(&description.zone).unwrap();
        // An hour that is repeated at the beginning is known from the day before.
        let mut latest = (0..96)
            .map(|quarter| zone.to_datetime(from - SignedDuration::from_mins(15 * quarter) - SignedDuration::from_secs(1)))
            .max()
            .unwrap();
        let mut open = Vec::with_capacity(steps);
        let (mut known, mut today, mut yesterday) = (None, Vec::new(), Vec::new());
        for index in 0..steps {
            let at = from + SignedDuration::from_secs(step * i64::try_from(index).unwrap());
            latest = latest.max(zone.to_datetime(at));
            if known != Some(latest.date()) {
                today = shifts(description, latest.date());
                yesterday = shifts(description, latest.date().yesterday().unwrap());
                known = Some(latest.date());
            }
            open.push(is_open(latest, &today, &yesterday));
        }
        Self { from, step, open }
    }

    pub(crate) fn at(&self, index: usize) -> Timestamp {
        self.from + SignedDuration::from_secs(self.step * i64::try_from(index).unwrap())
    }

    pub(crate) fn last(&self) -> Timestamp {
        self.at(self.open.len())
    }

    /// What a clock has counted before each step, if a stop at the end is not regarded.
    pub(crate) fn count(&self, clock: &Clock) -> Vec<i64> {
        let mut counted = 0;
        let mut all = Vec::with_capacity(self.open.len() + 1);
        for index in 0..=self.open.len() {
            all.push(counted);
            let at = self.at(index);
            let stands = clock.pauses().iter().any(|pause| pause.from <= at && pause.until.is_none_or(|until| at < until));
            let counts = clock.rule().basis == Basis::AroundTheClock || self.open.get(index) == Some(&true);
            if at >= clock.started() && !stands && counts {
                counted += self.step;
            }
        }
        all
    }

    /// The step since which, without a break, a percentage of the target in force was reached; none if it is not at the end.
    pub(crate) fn due(&self, clock: &Clock, counted: &[i64], percent: i64) -> Option<usize> {
        let mut since = None;
        for (index, counted) in counted.iter().enumerate() {
            let at = self.at(index);
            let changed = clock.retargets().iter().rev().find(|retarget| retarget.at <= at);
            let target = changed.map_or(clock.rule().target, |retarget| retarget.target).as_secs();
            since = if counted * 100 >= target * percent { since.or(Some(index)) } else { None };
        }
        since
    }

    /// From a step on, the first that is open, or just closing.
    pub(crate) fn hold(&self, index: usize) -> Option<usize> {
        (index..=self.open.len()).find(|index| self.open.get(*index) == Some(&true) || (*index > 0 && self.open[*index - 1]))
    }
}
