//! What it refuses: each with the file, the place and the field.

use super::{refused, written};

#[test]
fn a_file_that_is_not_there_is_named() {
    let said = refused(&["explain", "nowhere.yaml", "--target", "8h", "--from", "2026-10-09T15:00"]);
    assert!(said.starts_with("worktime: nowhere.yaml: "), "{said}");
}

#[test]
fn a_mistake_in_a_file_is_told_with_its_line_and_field() {
    let path = written("typo.yaml", "zone: Asia/Shanghai\nlayers:\n  - name: 局\n    week:\n      - monday: [09:00-17:00]\n");
    let said = refused(&["diff", path.to_str().unwrap(), "city.yaml", "--from", "2026-01-01", "--until", "2026-01-02"]);
    assert!(said.contains("typo.yaml:4:5: "), "{said}");
    assert!(said.contains("`week`"), "{said}");
    let path = written("shift.yaml", "zone: Asia/Shanghai\nlayers:\n  - name: 局\n    weeks:\n      - monday: [9-17]\n");
    let said = refused(&["diff", path.to_str().unwrap(), "city.yaml", "--from", "2026-01-01", "--until", "2026-01-02"]);
    assert!(said.contains("shift.yaml:5:") && said.contains("`9-17` is not a shift"), "{said}");
}

#[test]
fn a_calendar_that_makes_no_sense_is_told_with_layer_and_day() {
    let path = written(
        "overlap.yaml",
        "zone: Asia/Shanghai\nlayers:\n  - name: 局\n    weeks:\n      - monday: [09:00-12:00, 11:00-17:00]\n",
    );
    let said = refused(&["explain", path.to_str().unwrap(), "--target", "8h", "--from", "2026-10-09T15:00"]);
    assert!(said.ends_with("overlap.yaml: layer `局`, monday: the shift 11:00-17:00 overlaps 09:00-12:00\n"), "{said}");
}

#[test]
fn a_priority_without_target_is_told_with_the_ticket() {
    let path = written("third.yaml", "ticket: INC-9\nopened: 2026-09-30T16:00:00+08:00\npriority: 三级\n");
    let said = refused(&["explain", "city.yaml", "--policy", "policy.yaml", "--ticket", path.to_str().unwrap()]);
    assert!(said.contains("third.yaml: ") && said.contains("clock `响应`, targets: none for priority `三级`"), "{said}");
}

#[test]
fn a_time_that_the_clock_shows_never_or_twice_needs_an_offset() {
    for wall in ["2026-03-29T02:30", "2026-10-25T02:30"] {
        let said = refused(&["ticks", "0 9 * * *", "--zone", "Europe/Berlin", "--from", wall]);
        assert!(said.contains(&format!("--from: `{wall}`: the clocks of Europe/Berlin are changed there")), "{said}");
    }
    let said = refused(&["ticks", "0 9 * * *", "--zone", "Europe/Berlin", "--from", "tomorrow"]);
    assert!(said.contains("--from: `tomorrow` is not a time"), "{said}");
}

#[test]
fn pauses_out_of_order_and_without_an_end_are_refused() {
    let words = ["explain", "city.yaml", "--target", "8h", "--from", "2026-10-09T15:00", "--pause"];
    for (pause, why) in [
        ("vendor", "write it as REASON=FROM/UNTIL"),
        ("vendor=2026-10-09T16:00", "write it as REASON=FROM/UNTIL"),
        ("vendor=2026-10-09T14:00/", "is before"),
        ("vendor=2026-10-09T17:00/2026-10-09T16:00", "is before"),
    ] {
        let said = refused(&[&words[..], &[pause]].concat());
        assert!(said.starts_with(&format!("worktime: --pause {pause}: ")) && said.contains(why), "{said}");
    }
}

#[test]
fn expressions_and_ranges_that_cannot_be_are_refused_with_their_field() {
    let ticks = |expression, zone| refused(&["ticks", expression, "--zone", zone, "--from", "2026-01-01"]);
    assert!(ticks("61 * * * *", "UTC").contains("cron, minute: `61` is not between 0 and 59"));
    assert!(ticks("0 0 31 2 *", "UTC").contains("never comes"));
    assert!(ticks("0 0 * * *", "Mars/Olympus").contains("zone: `Mars/Olympus` is not an IANA zone"));
    assert!(refused(&["ticks", "0 0 * * *"]).contains("--zone"));
    let all = ["ticks", "* * * * *", "--zone", "UTC", "--from", "2026-01-01", "--until", "2027-01-01"];
    assert!(refused(&all).contains("more than 100000 ticks"));
    let backwards = ["diff", "city.yaml", "city.yaml", "--from", "2026-01-02", "--until", "2026-01-01"];
    assert!(refused(&backwards).contains("--until: 2026-01-01 is before 2026-01-02"));
    let none = ["explain", "city.yaml", "--policy", "policy.yaml", "--ticket", "ticket.yaml", "--clock", "回访"];
    assert!(refused(&none).contains("--clock: policy.yaml has no clock `回访`"));
}
