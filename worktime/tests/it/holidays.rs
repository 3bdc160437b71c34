//! The holidays, day by day beside what two other hands wrote down. `./x test` says where theirs are; by hand they are fetched
//! into cargo's folder for tests.
use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    path::PathBuf,
    process::Command,
};

use jiff::{
    ToSpan,
    civil::{Date, date},
};
use worktime::{Calendar, calendar::DayKind, holidays};

/// Prints `<date> off` or `<date> work` for each day of a range.
const DUMP: &str = r"
import datetime, sys
import chinese_calendar, holidays
china = holidays.China(years=range(2003, 2028))
ask = {'chinese_calendar': chinese_calendar.is_workday, 'holidays': china.is_working_day}[sys.argv[1]]
day = datetime.date(2004, 1, 1)
while day <= datetime.date(2026, 12, 31):
    print(day, 'work' if ask(day) else 'off')
    day += datetime.timedelta(1)
";

/// Where another package differs, and why it is not followed.
const DIFFERENCES: &[(&str, &str, &str)] = &[(
    "chinese_calendar",
    "2005-12-31",
    "国办发明电〔2005〕35号 says 12月31日（星期六）上班; the package's years 2005 and 2006 both leave it out",
)];

pub(crate) fn site() -> PathBuf {
    if let Some(told) = env::var_os("OPSMESH_ORACLES") {
        return told.into();
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let pins = concat!(env!("CARGO_MANIFEST_DIR"), "/../xtask/oracles/requirements.txt");
    let (site, made) = (folder.join("oracles"), folder.join("oracles.made"));
    // Tests run beside each other, as threads or as processes; one of them fetches.
    let lock = File::create(folder.join("oracles.lock")).unwrap();
    lock.lock().unwrap();
    let wanted = fs::read(pins).unwrap();
    if fs::read(&made).ok().as_ref() != Some(&wanted) {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--upgrade", "-r", pins, "--target"]);
        assert!(pip.arg(&site).status().unwrap().success(), "the packages to compare with cannot be fetched");
        fs::write(made, wanted).unwrap();
    }
    site
}

fn other(site: &PathBuf, package: &str) -> BTreeMap<Date, bool> {
    let output = Command::new("python3").env("PYTHONPATH", site).args(["-c", DUMP, package]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let days: BTreeMap<Date, bool> = text
        .lines()
        .map(|line| {
            let (day, word) = line.split_once(' ').unwrap();
            (day.parse().unwrap(), word == "work")
        })
        .collect();
    assert_eq!(days.len(), 8401, "{package} says something of every day");
    days
}

fn china() -> Calendar {
    let yaml = "{zone: Asia/Shanghai, layers: [{name: 国家, national: cn, weeks: [{monday: &d ['09:00-17:00'], tuesday: *d,
        wednesday: *d, thursday: *d, friday: *d}]}]}";
    Calendar::try_new(serde_saphyr::from_str(yaml).unwrap()).unwrap()
}

#[test]
fn every_day_since_2004_is_what_two_other_packages_say_or_the_difference_is_explained() {
    let (calendar, site) = (china(), site());
    for package in ["chinese_calendar", "holidays"] {
        let mut found: Vec<String> = Vec::new();
        for (day, is_work) in other(&site, package) {
            if calendar.is_working_day(day) != is_work {
                found.push(day.to_string());
            }
        }
        let explained: Vec<&str> = DIFFERENCES.iter().filter(|(whose, ..)| *whose == package).map(|(_, day, _)| *day).collect();
        assert_eq!(found, explained, "{package}");
    }
}

#[test]
fn the_years_are_without_a_gap_and_say_where_they_are_from() {
    let years = holidays::national("cn").unwrap();
    assert_eq!(years.first().unwrap().year, 2004);
    for pair in years.windows(2) {
        assert_eq!(pair[0].year + 1, pair[1].year);
    }
    assert_eq!(holidays::known_until("cn"), Some(date(years.last().unwrap().year, 12, 31)));
    for year in years {
        let notice = year.notices.first().unwrap_or_else(|| panic!("{}: no notice", year.year));
        assert!(notice.title.contains(&year.year.to_string()), "{}", notice.title);
        assert!(
            notice.number.is_some() && notice.issued.is_some() || !year.note.is_empty(),
            "{}: what is not known is said",
            year.year
        );
        for notice in year.notices {
            assert!(notice.issued.is_none_or(|issued| (year.year - 1..=year.year).contains(&issued.year())), "{notice:?}");
        }
        let mut days = Vec::new();
        for (name, from, until) in year.holidays {
            assert!(from <= until && *until < *from + 11.days(), "{name} {from}");
            days.extend(from.series(1.day()).take_while(|day| day <= until));
        }
        // A day off on which people work is a Saturday or Sunday, and no holiday of the same notice.
        for (name, day) in year.make_up {
            assert!(!calendar_works(*day), "{name} {day} would be a working day anyhow");
            days.push(*day);
        }
        let said = days.len();
        days.sort();
        days.dedup();
        assert_eq!(days.len(), said, "{}: a day is said twice", year.year);
        assert!(days.iter().all(|day| (year.year - 1..=year.year).contains(&day.year())), "{}", year.year);
    }
}

fn calendar_works(day: Date) -> bool {
    day.weekday().to_monday_zero_offset() < 5
}

#[test]
fn a_make_up_day_follows_monday_unless_the_layer_says_whose() {
    let calendar = china();
    let spring = calendar.day(date(2026, 2, 28));
    assert!(matches!(spring.kind, DayKind::MakeUp { name: "春节", .. }));
    assert_eq!(spring.shifts.len(), 1);
    let yaml = "{zone: Asia/Shanghai, layers: [{name: 国家, national: cn, make_up_follows: friday,
        weeks: [{monday: ['09:00-17:00'], friday: ['09:00-12:00']}]}]}";
    let calendar = Calendar::try_new(serde_saphyr::from_str(yaml).unwrap()).unwrap();
    assert_eq!(calendar.day(date(2026, 2, 28)).shifts[0].to_string(), "09:00-12:00");
}

#[test]
fn what_has_not_been_announced_is_not_known_and_an_unknown_set_is_refused() {
    let calendar = china();
    assert_eq!(calendar.coverage_until(), Some(date(2026, 12, 31)));
    assert!(calendar.is_working_day(date(2027, 10, 1)), "nothing is extrapolated");
    let yaml = "{zone: UTC, layers: [{name: a, national: atlantis}]}";
    let refused = Calendar::try_new(serde_saphyr::from_str(yaml).unwrap()).unwrap_err();
    assert_eq!(refused.to_string(), "layer `a`, national: there is no set `atlantis`");
}

#[test]
fn an_agency_goes_by_the_citys_holidays_with_its_own_hours_and_a_team_on_duty_by_none() {
    let yaml = "{zone: Asia/Shanghai, layers: [
        {name: 市, national: cn, weeks: [{monday: ['09:00-17:00']}]},
        {name: 局, weeks: [{monday: ['08:00-12:00'], tuesday: ['08:00-12:00']}], holidays: [{name: 建局日, from: 2026-06-02}]}";
    let agency = Calendar::try_new(serde_saphyr::from_str(&format!("{yaml}]}}")).unwrap()).unwrap();
    assert_eq!(agency.day(date(2026, 10, 10)).shifts[0].to_string(), "08:00-12:00");
    assert_eq!(agency.day(date(2026, 10, 6)).layer, "市");
    assert_eq!(agency.day(date(2026, 6, 2)).kind, DayKind::Holiday { name: "建局日" });
    let duty = "{name: 值班, observes: false, weeks: [{saturday: ['00:00-24:00'], tuesday: ['20:00-08:00']}]}";
    let duty = format!("{yaml}, {duty}]}}");
    let duty = Calendar::try_new(serde_saphyr::from_str(&duty).unwrap()).unwrap();
    assert!(duty.is_working_day(date(2026, 10, 6)), "a Tuesday in the national holiday");
    assert!(!duty.is_working_day(date(2026, 9, 20)), "a make-up Sunday");
    assert!(duty.is_working_day(date(2026, 6, 2)), "the agency's holiday is not the team's");
}
