//! An organisation's own values: set by path, marked, compared, refused.
use std::fs;
use std::path::Path;
use std::process::Command;

use standard::procedure::procedures;
use standard::{Book, Own, Refused, Status};

const OWN: &str = "organisation: 某某区政务局\nsource: 某发〔2026〕1号\nvalues:\n  incidents/grades.grades.I.response_minutes: 3\n  \
                   tickets/hotline.answer_seconds: 15\n";

fn own(values: &str) -> Result<Own, Refused> {
    Own::read(&[("own.yaml", format!("organisation: 某局\nsource: 某号\nvalues:\n{values}").as_bytes())])
}

#[test]
fn an_organisation_sets_a_value_and_it_says_so() {
    let own = Own::read(&[("own.yaml", OWN.as_bytes())]).unwrap();
    let time = &own.book.incident_grade("I").unwrap().response_minutes;
    assert_eq!((time.value.get(), time.mark.status), (3, Status::Organisation));
    assert_eq!((time.mark.source.as_str(), time.mark.set_in.as_str()), ("某某区政务局：某发〔2026〕1号", "own.yaml:4"));
    assert_eq!(Book::shipped().incident_grade("I").unwrap().response_minutes.value.get(), 5);
}

#[test]
fn what_differs_is_told_in_chinese_and_by_structure() {
    let own = Own::read(&[("own.yaml", OWN.as_bytes())]).unwrap();
    let found = own.differences();
    let paths: Vec<&str> = found.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["incidents/grades.grades.I.response_minutes", "tickets/hotline.answer_seconds"]);
    let text = Book::shipped().explain(&found[0]);
    assert!(text.contains("响应时限（分钟）：5〔产品默认值") && text.contains("→ 3〔本单位设定"), "{text}");
    assert_eq!(found[0].before.as_ref().map(|side| side.file.as_str()), Some("incidents/grades.yaml"));
    assert_eq!(found[0].after.as_ref().map(|side| (side.file.as_str(), side.line)), Some(("own.yaml", 4)));
    assert!(Book::shipped().diff(Book::shipped()).is_empty());
}

#[test]
fn every_value_that_is_not_the_standards_text_can_be_set_by_its_path() {
    let shipped = Book::shipped().values();
    let settable = || shipped.iter().filter(|(path, _)| !path.starts_with("clauses/"));
    let line = |(path, node)| format!("  {}: {}\n", serde_json::to_string(path).unwrap(), serde_json::to_string(node).unwrap());
    let own = own(&settable().map(line).collect::<String>()).unwrap();
    // Each is found in its place with its value, as the organisation's; nothing else differs.
    assert_eq!(own.differences().len(), settable().count());
    for (difference, (path, node)) in own.differences().iter().zip(settable()) {
        let after = difference.after.as_ref().unwrap();
        assert_eq!((&difference.path, serde_json::to_value(&after.value).unwrap()), (path, serde_json::to_value(node).unwrap()));
        assert_eq!(after.mark.as_ref().map(|mark| mark.status), Some(Status::Organisation), "{path}");
    }
}

#[test]
fn a_row_a_whole_table_and_a_whole_class_of_devices_can_be_set() {
    let row = "{code: EC90, name: {zh: 无人机, en: drones}, examples: {zh: 失联, en: lost}}";
    let times = "{category: EC90, minutes: {I: 90, II: 120, III: 240, IV: 480}, assumes_staff_in_room: false}";
    let alone = format!("  incidents/categories.categories.EC90: {row}\n");
    assert!(own(&alone).unwrap_err().why.contains("EC90 没有恢复时间"));
    let more = own(&format!("{alone}  incidents/recovery.rows.EC90: {times}\n")).unwrap();
    assert_eq!(more.book.incident_categories.categories.len(), Book::shipped().incident_categories.categories.len() + 1);
    assert_eq!(more.book.incident_categories.categories.last().unwrap().name.zh.mark.status, Status::Organisation);
    assert_eq!(more.differences()[0].before, None);

    let less = own("  spares.consumables.cable_tie: null\n").unwrap();
    assert_eq!(less.book.spares.consumables.len(), Book::shipped().spares.consumables.len() - 1);
    assert!(!less.differences().is_empty() && less.differences().iter().all(|one| one.after.is_none()));

    let limits = own(
        "  times/thresholds.thresholds.frequent_failure: {id: frequent_failure, clause: 7.4.4.8, words: 频繁发生故障的设备, \
                      rule: {zh: 次数, en: faults}, value: 5, unit: count, window: 30, window_unit: day}\n",
    );
    assert_eq!(limits.unwrap().differences().len(), 9);

    let class = "{class: {code: drone, name: {zh: 无人机, en: drones}, repair_group: it}, items: [], metrics: []}";
    let drones = own(&format!("  devices/drone: {class}\n")).unwrap();
    assert_eq!(drones.book.device("drone").unwrap().class.name.zh.value, "无人机");
    assert_eq!(drones.book.devices.len(), 18);
}

#[test]
fn the_defaults_of_a_procedure_can_be_set_and_its_steps_cannot() {
    let own =
        own("  procedures/sv-repair.defaults.complete_work_hours: 12\n  procedures/sv-repair.defaults.ticket_grade: P2\n  \
                   procedures/sv-repair.defaults.note: 按合同\n  procedures/sv-drill.defaults.complete_work_hours: null\n");
    let own = own.unwrap();
    let defaults = &own.procedures.get("SV-REPAIR").unwrap().defaults;
    let hours = defaults.complete_work_hours.as_ref().unwrap();
    assert_eq!((hours.value, hours.mark.status, hours.mark.set_in.as_str()), (12, Status::Organisation, "own.yaml:4"));
    assert_eq!((defaults.ticket_grade.value.as_str(), defaults.ticket_grade.mark.set_in.as_str()), ("P2", "own.yaml:5"));
    assert_eq!(defaults.note.as_ref().map(|note| note.value.as_str()), Some("按合同"));
    assert_eq!(own.procedures.get("SV-DRILL").unwrap().defaults.complete_work_hours, None);
    assert_eq!(procedures().get("SV-REPAIR").unwrap().defaults.complete_work_hours.as_ref().map(|hours| hours.value), Some(8));
    let before: Vec<_> =
        own.differences().iter().map(|one| one.before.as_ref().map(|side| (side.file.as_str(), side.line))).collect();
    assert_eq!(before[1], Some(("procedures/sv-repair.yaml", 9)));
    assert_eq!(own.differences().len(), 4);
}

#[test]
fn an_agency_sets_its_values_over_its_citys() {
    let city = Own::read(&[("city.yaml", OWN.as_bytes())]).unwrap();
    let text = "organisation: 某街道\nsource: 某街〔2026〕3号\nvalues:\n  tickets/hotline.answer_seconds: 10\n  \
                procedures/sv-repair.defaults.note: 加急\n";
    let agency = Own::over(&city.book, &city.procedures, &[("agency.yaml", text.as_bytes())]).unwrap();
    assert_eq!(agency.book.hotline.answer_seconds.mark.set_in, "agency.yaml:4");
    assert_eq!(agency.book.incident_grade("I").unwrap().response_minutes.mark.set_in, "city.yaml:4");
    let differs = agency.differences().iter().find(|one| one.path == "tickets/hotline.answer_seconds").unwrap();
    assert_eq!(differs.before.as_ref().map(|side| (side.file.as_str(), side.line)), Some(("city.yaml", 5)));
}

#[test]
fn what_an_organisation_cannot_set_is_refused_with_its_line() {
    let refused = |value: &str, why: &str| {
        let refused = own(&format!("  {value}\n")).unwrap_err();
        assert_eq!((refused.file.as_str(), refused.line), ("own.yaml", 4), "{value}: {refused}");
        assert!(refused.why.contains(why), "{value}: {refused}");
    };
    refused("incidents/grades.grades.V.response_minutes: 3", "no such path");
    refused("incidents/grades.grades.I.response_minutes.x: 3", "no such path");
    refused("nothing.here: 3", "no such path");
    refused("incidents/grades.grades.I.response_minutes: 0", "not possible");
    refused("incidents/grades.grades.I.response_minutes: 3000", "先恢复");
    refused("incidents/grades.grades.I.calendar: 9x9", "there is no");
    refused("incidents/grades.grades.I.patience: 1", "unknown field");
    refused("incidents/grades.grades.I.calendar: null", "invalid type");
    refused("clauses/7.4.clauses.7.4.1.text: 改", "not for an organisation");
    // What ships elsewhere speaks of the grade.
    refused("incidents/grades.grades.IV: null", "with the values from here on");
    refused("procedures/sv-repair.steps: []", "only the defaults");
    refused("procedures/sv-repair.defaults.patience: 1", "only the defaults");
    refused("procedures/sv-none.defaults.note: 无", "there is no procedure");
    refused("procedures/sv-repair.defaults.ticket_grade: P9", "P1 to P5");
    refused("procedures/sv-repair.defaults.complete_work_hours: -1", "not possible");
    refused("procedures/sv-repair.defaults.complete_work_hours: 0", "not possible");
    refused("procedures/sv-repair.defaults.complete_work_hours: 很快", "whole number");
}

#[test]
fn a_value_is_set_once_and_somebody_answers_for_it() {
    let twice = |first: &str, second: &str| {
        let file = |value: &str| format!("organisation: 某局\nsource: 某号\nvalues:\n  {value}\n");
        let refused = Own::read(&[("a.yaml", file(first).as_bytes()), ("b.yaml", file(second).as_bytes())]).unwrap_err();
        assert_eq!((refused.file.as_str(), refused.line), ("b.yaml", 4), "{refused}");
        assert!(refused.why.contains("is set in a.yaml:4 already"), "{refused}");
    };
    twice("tickets/hotline.answer_seconds: 15", "tickets/hotline.answer_seconds: 15");
    twice("tickets/hotline: {}", "tickets/hotline.answer_seconds: 15");
    twice("tickets/hotline.answer_seconds: 15", "tickets/hotline: {}");
    let head = |text: &str| Own::read(&[("own.yaml", text.as_bytes())]).unwrap_err();
    assert_eq!(head("organisation: ''\nsource: 某号\nvalues: {}\n").field, "organisation");
    assert_eq!(head("organisation: 某局\nsource: ' '\nvalues: {}\n").field, "source");
    assert_eq!(head("organisation: 某局\nsource: 某号\nvalues: []\n").field, "values");
    assert!(head("organisation: 某局\nsource: 某号\n").why.contains("missing field"));
    assert!(head("organisation: 某局\nsource: 某号\nvalues: {}\nvalue: {}\n").why.contains("unknown field"));
}

/// The example of the page, as a file.
fn example() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/own-book.md");
    let page = fs::read_to_string(page).unwrap();
    page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap().to_owned()
}

#[test]
fn the_example_of_the_page_is_taken_as_it_is_written() {
    let own = Own::read(&[("own.yaml", example().as_bytes())]).unwrap();
    let files: Vec<&str> = own.differences().iter().filter_map(|one| one.path.split('.').next()).collect();
    for file in
        ["incidents/grades", "tickets/hotline", "incidents/categories", "spares", "times/thresholds", "procedures/sv-repair"]
    {
        assert!(files.contains(&file), "{files:?}");
    }
}

#[test]
fn the_command_prints_what_differs_and_refuses_what_is_wrong() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("own-book");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_opsmesh-book")).args(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let name = folder.to_str().unwrap();
    assert_eq!(run(&["diff", name]).0, 1);
    fs::write(folder.join("own.yaml"), example()).unwrap();
    let (code, text, _) = run(&["diff", name]);
    assert_eq!(code, 0);
    assert!(text.contains("响应时限（分钟）：5〔产品默认值") && text.contains("own.yaml:5〕"), "{text}");
    let (_, json, _) = run(&["diff", name, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let first = &json["differences"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["path"] == "incidents/grades.grades.I.response_minutes")
        .unwrap();
    assert_eq!((&first["before"]["value"], &first["after"]["value"]), (&5.into(), &3.into()));
    assert_eq!(first["after"]["mark"]["status"], "organisation");
    fs::write(folder.join("wrong.yml"), OWN.replace("15", "-15")).unwrap();
    let (code, _, error) = run(&["diff", name]);
    assert_eq!((code, error.contains("wrong.yml:")), (1, true), "{error}");
    let (_, values, _) = run(&["values", "tickets/hotline."]);
    assert!(values.starts_with("tickets/hotline.abandon_rate_percent: 10  # 产品默认值"), "{values}");
    assert_eq!((run(&[]).0, run(&["diff"]).0, run(&["--help"]).0), (2, 2, 0));
}
