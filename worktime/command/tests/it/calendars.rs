//! `worktime diff` and `worktime ics`.

use serde_json::Value;

use super::{told, worktime, written};

#[test]
fn two_calendars_differ_on_the_days_that_are_told() {
    let output = worktime(&["diff", "city.yaml", "summer.yaml", "--from", "2026-09-30", "--until", "2026-10-09"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "\
2026-09-30 周三
  - 工作日 08:30-12:00 14:00-17:30
  + 工作日 08:30-12:00 14:30-18:00
2026-10-05 周一
  - 节假日：国庆节
  + 当日特定：国庆保障 09:00-17:00
2026-10-08 周四
  - 工作日 08:30-12:00 14:00-17:30
  + 节假日：设备搬迁
比较 10 天，3 天不同；服务时间 21:00 → 22:00
"
    );
}

#[test]
fn a_calendar_does_not_differ_from_itself() {
    let text = told(&["diff", "city.yaml", "city.yaml", "--from", "2026-01-01", "--until", "2026-12-31", "--language", "en"]);
    assert!(text.starts_with("365 days compared, 0 differ; open time "), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn a_difference_is_data_for_programs() {
    let output = worktime(&["diff", "city.yaml", "summer.yaml", "--from", "2026-10-01", "--until", "2026-10-07", "--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["compared"], 7);
    assert_eq!(json["days"][0]["date"], "2026-10-05");
    assert_eq!(json["days"][0]["other"]["hours"], "09:00-17:00");
    assert_eq!(json["days"][0]["one"]["open"], "PT0S");
}

#[test]
fn what_is_exported_comes_back_as_the_same_days() {
    let words = ["ics", "export", "summer.yaml", "--from", "2026-09-20", "--until", "2026-10-10", "--stamp", "2026-01-01T00:00Z"];
    let file = told(&words);
    assert!(file.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"), "{file}");
    assert_eq!(file, told(&words));
    let path = written("out.ics", &file);
    let layer = told(&["ics", "import", path.to_str().unwrap(), "--layer", "国家"]);
    // The layer goes into a calendar in place of the nation's and the team's, and nothing differs.
    let hours = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/samples/summer.yaml")).unwrap();
    let week = &hours[hours.find("  - name: 局").unwrap()..hours.find("  - name: 队").unwrap()];
    let layer: String = layer.lines().map(|line| format!("  {line}\n")).collect();
    let again = written("again.yaml", &format!("zone: Asia/Shanghai\nlayers:\n{layer}{week}"));
    let again = again.to_str().unwrap();
    let text = told(&["diff", "summer.yaml", again, "--from", "2026-09-20", "--until", "2026-10-10"]);
    assert!(text.starts_with("比较 21 天，0 天不同；"), "{text}");
}

#[test]
fn what_is_left_out_of_a_calendar_file_is_remarked_upon() {
    let path = written(
        "mixed.ics",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261001T080000Z\nSUMMARY:例会\nEND:VEVENT\n\
         BEGIN:VEVENT\nDTSTART;VALUE=DATE:20261010\nSUMMARY:国庆节（班）\nEND:VEVENT\nEND:VCALENDAR\n",
    );
    let output = worktime(&["ics", "import", path.to_str().unwrap(), "--layer", "国家", "--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["layer"]["make_up"][0]["date"], "2026-10-10");
    assert_eq!(json["layer"]["make_up"][0]["name"], "国庆节");
    let remark = String::from_utf8(output.stderr).unwrap();
    assert!(remark.ends_with("mixed.ics:2: 略过: not an all-day event\n"), "{remark}");
}
