//! Random calendars and clocks that make sense; proptest shrinks them.
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZoneDatabase};
use proptest::{collection::vec, prelude::*, sample::select};
use worktime::{
    calendar::{Description, Holiday, Layer, MakeUp, Override, Shift, Week, Weekday},
    clock::{Basis, Clock, Reason, Rule},
};

/// Zones with every sort of clock change that the years 2000 to 2040 know: half an hour, at midnight, over the date line, twice
/// a year around Ramadan, two hours, and none.
const ZONES: &[&str] = &[
    "Asia/Shanghai",
    "UTC",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "America/Havana",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Antarctica/Troll",
    "Asia/Tehran",
    "America/St_Johns",
    "Asia/Gaza",
];

/// A calendar, and an instant near which it has something to say.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) description: Description,
    pub(crate) from: Timestamp,
}

fn shift(begin: u16, end: u16) -> Shift {
    let wall = |minute: u16| {
        let minute = if minute > 1440 { minute - 1440 } else { minute };
        format!("{:02}:{:02}", minute / 60, minute % 60)
    };
    format!("{}-{}", wall(begin), wall(end)).parse().unwrap()
}

/// Shifts of one day: apart, in order.
fn hours() -> impl Strategy<Value = Vec<Shift>> {
    let minute = prop_oneof![3 => (0u16..=96).prop_map(|quarter| quarter * 15), 1 => 0u16..=1440];
    vec(minute, 0..7).prop_map(|mut minutes| {
        minutes.sort_unstable();
        minutes.dedup();
        minutes.chunks_exact(2).map(|pair| shift(pair[0], pair[1])).collect()
    })
}

/// A week; some nights go on until the next day's first shift, or six.
fn week() -> impl Strategy<Value = Week> {
    (vec(hours(), 7), vec(any::<bool>(), 7)).prop_map(|(days, nights)| {
        let mut week = Week::default();
        for (index, weekday) in Weekday::ALL.into_iter().enumerate() {
            let mut shifts = days[index].clone();
            let begin = shifts.last().map_or(1200, |last| last.end().max(1200));
            let end = days[(index + 1) % 7].first().map_or(360, |first| first.begin().min(360));
            if nights[index] && begin < 1440 && end > 0 {
                shifts.push(shift(begin, 1440 + end));
            }
            *week.hours_mut(weekday) = shifts;
        }
        week
    })
}

/// One layer; dates are days from the middle of the range.
fn layer(name: String) -> impl Strategy<Value = (Layer, Vec<i32>)> {
    let weekday = select(&Weekday::ALL[..]);
    let special = (vec((-5i32..5, 0i32..3), 0..2), vec((-5i32..5, weekday), 0..3), vec((-5i32..5, hours()), 0..2));
    let effective = proptest::option::weighted(0.3, (-6i32..2, 0i32..8));
    (vec(week(), 0..2), special, effective, proptest::bool::weighted(0.8)).prop_map(
        move |(weeks, (holidays, make_up, overrides), effective, observes)| {
            let mut layer = Layer { weeks, observes, ..Layer::new(name.clone()) };
            let mut days = Vec::new();
            // Dates are put in later, when the middle is known; until then they are counted from a day of no importance.
            let day = |offset: i32| EPOCH + offset.days();
            layer.from = effective.map(|(from, _)| day(from));
            layer.until = effective.map(|(from, long)| day(from + long));
            let mut taken = Vec::new();
            for (from, long) in holidays {
                if taken.iter().all(|(first, last)| from > *last || from + long < *first) {
                    taken.push((from, from + long));
                    layer.holidays.push(Holiday { name: "节".into(), from: day(from), until: Some(day(from + long)) });
                }
            }
            for (date, follows) in make_up {
                if layer.make_up.iter().all(|other| other.date != day(date)) {
                    layer.make_up.push(MakeUp { name: "节".into(), date: day(date), follows: Some(follows) });
                }
            }
            for (date, hours) in overrides {
                if layer.overrides.iter().all(|other| other.date != day(date)) {
                    layer.overrides.push(Override { date: day(date), reason: "保障".into(), hours });
                }
                days.push(date);
            }
            (layer, days)
        },
    )
}

const EPOCH: Date = Date::constant(2000, 1, 1);

fn moved(mut layer: Layer, middle: Date) -> Layer {
    let by = EPOCH.until(middle).unwrap();
    let put = |date: Date| date.checked_add(by).unwrap();
    layer.from = layer.from.map(put);
    layer.until = layer.until.map(put);
    for holiday in &mut layer.holidays {
        holiday.from = put(holiday.from);
        holiday.until = holiday.until.map(put);
    }
    for day in &mut layer.make_up {
        day.date = put(day.date);
    }
    for set in &mut layer.overrides {
        set.date = put(set.date);
    }
    layer
}

/// A calendar of one to three layers, most of them near a clock change of its zone.
pub(crate) fn case(days_before: i64) -> impl Strategy<Value = Case> {
    let layers = (layer("市".into()), proptest::option::of(layer("局".into())), proptest::option::of(layer("队".into())));
    let at = 946_684_800i64..2_208_988_800;
    (select(ZONES), at, proptest::bool::weighted(0.7), week(), layers).prop_map(
        move |(zone, second, near, week, (first, second_layer, third))| {
            let tz = TimeZoneDatabase::bundled().get(zone).unwrap();
            let mut middle = Timestamp::from_second(second - second % 60).unwrap();
            if near {
                middle = tz.following(middle).next().map_or(middle, |change| change.timestamp());
            }
            let date = tz.to_datetime(middle).date();
            let mut layers: Vec<Layer> =
                [Some(first), second_layer, third].into_iter().flatten().map(|(layer, _)| moved(layer, date)).collect();
            layers[0].weeks.insert(0, week);
            let description = Description { zone: zone.into(), layers };
            Case { description, from: middle - SignedDuration::from_hours(24 * days_before) }
        },
    )
}

#[derive(Debug, Clone)]
pub(crate) enum Act {
    Pause(u8),
    Resume,
    Retarget(i64),
    Stop,
    Reopen,
}

/// How a clock is started, and what happens to it after how many steps.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    pub(crate) basis: Basis,
    pub(crate) target: i64,
    pub(crate) hold: bool,
    pub(crate) start: i64,
    pub(crate) acts: Vec<(i64, Act)>,
}

/// A life in steps; gaps and targets up to so many of them.
pub(crate) fn life(longest: i64) -> impl Strategy<Value = Life> {
    let act = prop_oneof![
        4 => (0u8..3).prop_map(Act::Pause),
        4 => Just(Act::Resume),
        1 => (1..longest).prop_map(Act::Retarget),
        1 => Just(Act::Stop),
        1 => Just(Act::Reopen),
    ];
    let basis = prop_oneof![3 => Just(Basis::WorkingTime), 1 => Just(Basis::AroundTheClock)];
    (basis, 1..longest, any::<bool>(), 0..longest, vec((0..longest / 4, act), 0..12))
        .prop_map(|(basis, target, hold, start, acts)| Life { basis, target, hold, start, acts })
}

impl Life {
    /// Lives it; what a clock refuses has not happened.
    pub(crate) fn clock(&self, from: Timestamp, step: i64) -> Clock {
        let mut rule = Rule::new("处理", self.basis, SignedDuration::from_secs(self.target * step));
        rule.hold_to_service_hours = self.hold;
        rule.warnings = vec![50, 75, 150];
        let mut at = from + SignedDuration::from_secs(self.start * step);
        let mut clock = Clock::start(rule, at).unwrap();
        for (gap, act) in &self.acts {
            at += SignedDuration::from_secs(gap * step);
            drop(match act {
                Act::Pause(0) => clock.pause(at, Reason::User),
                Act::Pause(1) => clock.pause(at, Reason::Vendor),
                Act::Pause(_) => clock.pause(at, Reason::Spare),
                Act::Resume => clock.resume(at),
                Act::Retarget(steps) => clock.retarget(at, SignedDuration::from_secs(steps * step), "优先级变更"),
                Act::Stop => clock.stop(at),
                Act::Reopen => clock.reopen(at),
            });
        }
        clock
    }
}
