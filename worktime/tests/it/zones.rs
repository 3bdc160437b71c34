//! Every zone of the IANA database from 2000 to 2040, around each change of its clocks.
use jiff::{SignedDuration, Timestamp, tz::TimeZoneDatabase};
use worktime::{Calendar, Timeline, calendar::Description};

use crate::stepper::Stepper;

/// Shifts around midnight, over it, and in the hours in which clocks are changed.
const WEEK: &str = "[{name: all, weeks: [{monday: &d ['00:00-00:30', '00:45-02:15', '02:30-03:10', '22:00-00:00'], tuesday: *d,
    wednesday: *d, thursday: *d, friday: *d, saturday: ['01:30-02:30', '23:00-01:15'], sunday: ['01:20-04:00', '23:30-24:00']}]}]";

#[test]
fn in_every_zone_each_change_of_the_clocks_is_lived_through_as_the_wall_shows_it() {
    let (from, until): (Timestamp, Timestamp) =
        ("2000-01-01T00:00:00Z".parse().unwrap(), "2040-12-31T00:00:00Z".parse().unwrap());
    let database = TimeZoneDatabase::bundled();
    let (mut zones, mut changes) = (0, 0);
    let mut seen = std::collections::BTreeSet::new();
    for name in database.available() {
        let zone = database.get(name.as_str()).unwrap();
        let all: Vec<(Timestamp, i32)> = zone
            .following(from)
            .take_while(|change| change.timestamp() < until)
            .map(|change| (change.timestamp(), change.offset().seconds()))
            .collect();
        zones += 1;
        // Links and zones that have gone alike need not be watched twice.
        if !seen.insert((zone.to_offset(from).seconds(), all.clone())) {
            continue;
        }
        let description: Description = serde_saphyr::from_str(&format!("{{zone: {name}, layers: {WEEK}}}")).unwrap();
        let calendar = Calendar::try_new(description.clone()).unwrap();
        let timeline = Timeline::compile(&calendar, from, until);
        for (change, _) in all.iter().filter(|(change, _)| *change > from + SignedDuration::from_hours(24)) {
            changes += 1;
            let begin = *change - SignedDuration::from_hours(5);
            let stepper = Stepper::watch(&description, begin, 60, 11 * 60);
            let mut open = 0;
            for (index, is_open) in stepper.open.iter().enumerate() {
                let at = stepper.at(index);
                assert_eq!(timeline.open_between(begin, at).unwrap().as_secs(), open, "{name}, {begin} until {at}");
                open += if *is_open { 60 } else { 0 };
            }
        }
    }
    assert!(zones > 500 && changes > 5_000, "{zones} zones, {changes} changes");
}
