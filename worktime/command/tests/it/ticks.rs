//! `worktime ticks`.

use serde_json::Value;

use super::told;

#[test]
fn ticks_on_working_days_stand_beside_those_of_the_cronjob() {
    let words = ["ticks", "30 9 * * 1-6", "--calendar", "city.yaml", "--working-days", "--from", "2026-09-30", "--count", "3"];
    assert_eq!(
        told(&words),
        "\
30 9 * * 1-6  Asia/Shanghai
2026-09-30 周三 09:30 +08:00
2026-10-01 周四 09:30 +08:00  仅 CronJob (节假日：国庆节)
2026-10-02 周五 09:30 +08:00  仅 CronJob (节假日：国庆节)
2026-10-03 周六 09:30 +08:00  仅 CronJob (节假日：国庆节)
2026-10-05 周一 09:30 +08:00  仅 CronJob (节假日：国庆节)
2026-10-06 周二 09:30 +08:00  仅 CronJob (节假日：国庆节)
2026-10-07 周三 09:30 +08:00  仅 CronJob (节假日：国庆节)
2026-10-08 周四 09:30 +08:00
2026-10-09 周五 09:30 +08:00
"
    );
}

#[test]
fn where_clocks_are_changed_both_are_told_apart() {
    let words = ["ticks", "30 2 * * *", "--zone", "Europe/Berlin", "--from", "2026-03-28", "--until", "2026-03-31"];
    let text = told(&[&words[..], &["--language", "en"]].concat());
    assert_eq!(
        text,
        "\
30 2 * * *  Europe/Berlin
2026-03-28 Sat 02:30 +01:00
2026-03-29 Sun 03:00 +02:00  schedule only (the clocks are changed)
2026-03-30 Mon 02:30 +02:00
"
    );
}

#[test]
fn ticks_before_an_instant_are_the_nearest_and_in_order() {
    let words = ["ticks", "0 9 LW * *", "--zone", "Asia/Shanghai", "--from", "2026-11-28", "--previous", "--count", "2"];
    let text = told(&words);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1..3], ["2026-09-30 周三 09:00 +08:00", "2026-10-30 周五 09:00 +08:00"], "{text}");
    assert!(lines[3].starts_with("CronJob 不接受：cron, day of month: `LW`"), "{text}");
    assert_eq!(lines.len(), 4);
}

#[test]
fn h_is_a_number_for_the_name_and_the_same_for_both() {
    let words = |seed| ["ticks", "H 3 * * *", "--zone", "UTC", "--seed", seed, "--from", "2026-11-28", "--count", "1", "--json"];
    let asked = |seed| serde_json::from_str::<Value>(&told(&words(seed))).unwrap();
    let web = asked("gz-demo/web");
    assert_eq!(web, asked("gz-demo/web"));
    assert_ne!(web["resolved"], asked("gz-demo/db")["resolved"]);
    let minute = web["resolved"].as_str().unwrap().strip_suffix(" 3 * * *").unwrap().parse::<u8>().unwrap();
    assert_eq!(web["ticks"][0]["at"], format!("2026-11-28T03:{minute:02}:00Z"));
    assert_eq!(web["ticks"][0]["cron_job"], true);
}

#[test]
fn a_schedule_file_has_blackouts_and_a_start_window() {
    let words = ["ticks", "--schedule", "schedule.yaml", "--calendar", "city.yaml"];
    let range = ["--from", "2026-09-29", "--until", "2026-10-02"];
    let text = told(&[&words[..], &range].concat());
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].starts_with("2026-09-29 周二 22:00 +08:00  启动 +"), "{text}");
    assert_eq!(lines[2], "2026-09-30 周三 22:00 +08:00  仅 CronJob (停用时段)");
    assert_eq!(lines[3], "2026-10-01 周四 22:00 +08:00  仅 CronJob (节假日：国庆节)");
    let json: Value = serde_json::from_str(&told(&[&words[..], &range, &["--json"]].concat())).unwrap();
    let tick = &json["ticks"][0];
    let at = |key: &str| tick[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let after = at("start").duration_since(at("at"));
    assert!(after >= jiff::SignedDuration::ZERO && after < jiff::SignedDuration::from_hours(2), "{tick}");
}

#[test]
fn one_that_does_not_fire_for_a_year_says_so() {
    let text = told(&["ticks", "0 3 29 2 *", "--zone", "UTC", "--from", "2026-11-28", "--count", "1"]);
    assert!(text.ends_with("注意：it does not fire for over a year: next at 2028-02-29T03:00:00Z\n"), "{text}");
}
