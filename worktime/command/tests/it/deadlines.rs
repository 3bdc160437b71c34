//! `worktime explain`.

use serde_json::Value;

use super::{told, worktime};

/// Without a policy and a ticket.
const BY_HAND: &[&str] = &[
    "explain",
    "city.yaml",
    "--target",
    "8h",
    "--from",
    "2026-10-09T15:00",
    "--pause",
    "vendor=2026-10-09T16:00/2026-10-09T17:00",
];

#[test]
fn the_clocks_of_a_ticket_are_explained_segment_by_segment() {
    let text = told(&["explain", "city.yaml", "--policy", "policy.yaml", "--ticket", "ticket.yaml"]);
    assert_eq!(
        text,
        "\
响应：目标 30 分，全天候计时（7×24），时区 Asia/Shanghai
开始 2026-09-30 周三 16:00
✓ 2026-09-30 周三 16:00 → 2026-09-30 周三 16:30　计 30 分，累计 30 分　全天候
到期 2026-09-30 周三 16:30
停止 2026-09-30 周三 16:10，未超时

解决：目标 8 小时，按工作时间计时，时区 Asia/Shanghai
开始 2026-09-30 周三 16:00
✓ 2026-09-30 周三 16:00 → 2026-09-30 周三 17:30　计 1 小时 30 分，累计 1 小时 30 分　工作班次 14:00-17:30（局）
× 2026-09-30 周三 17:30 → 2026-10-01 周四 00:00　不计　班次之外
× 2026-10-01 周四 00:00 → 2026-10-08 周四 00:00　不计　节假日：国庆节（国家）
× 2026-10-08 周四 00:00 → 2026-10-08 周四 08:30　不计　班次之外
✓ 2026-10-08 周四 08:30 → 2026-10-08 周四 09:00　计 30 分，累计 2 小时　工作班次 08:30-12:00（局）
× 2026-10-08 周四 09:00 → 2026-10-09 周五 15:00　不计　暂停：等待供应商
✓ 2026-10-09 周五 15:00 → 2026-10-09 周五 17:30　计 2 小时 30 分，累计 4 小时 30 分　工作班次 14:00-17:30（局）
× 2026-10-09 周五 17:30 → 2026-10-10 周六 08:30　不计　班次之外
✓ 2026-10-10 周六 08:30 → 2026-10-10 周六 12:00　计 3 小时 30 分，累计 8 小时　国庆节调休上班，按周一班次 08:30-12:00（国家）
到期 2026-10-10 周六 12:00
"
    );
}

#[test]
fn one_clock_can_be_explained_in_english() {
    let words = ["explain", "city.yaml", "--policy", "policy.yaml", "--ticket", "ticket.yaml", "--clock", "解决"];
    let text = told(&[&words[..], &["--language", "en"]].concat());
    assert!(text.starts_with("解决: target 8h, working time, zone Asia/Shanghai\nstarted 2026-09-30 Wed 16:00\n"), "{text}");
    assert!(text.ends_with("due 2026-10-10 Sat 12:00\n"), "{text}");
    assert_eq!(text.matches("target").count(), 1, "{text}");
}

#[test]
fn the_segments_that_count_sum_to_the_target() {
    let words = ["explain", "city.yaml", "--policy", "policy.yaml", "--ticket", "ticket.yaml", "--json"];
    let clocks: Value = serde_json::from_str(&told(&words)).unwrap();
    let clocks = clocks.as_array().unwrap();
    assert_eq!(clocks.len(), 2);
    assert_eq!(clocks[1]["due"], "2026-10-10T04:00:00Z");
    for clock in clocks {
        let length = |value: &Value| value.as_str().unwrap().parse::<jiff::SignedDuration>().unwrap();
        let counted: jiff::SignedDuration =
            clock["segments"].as_array().unwrap().iter().map(|segment| length(&segment["counted"])).sum();
        assert_eq!(counted, length(&clock["target"]));
    }
}

#[test]
fn a_clock_by_hand_stands_while_somebody_is_waited_for() {
    let text = told(BY_HAND);
    assert!(text.contains("× 2026-10-09 周五 16:00 → 2026-10-09 周五 17:00　不计　暂停：等待供应商\n"), "{text}");
    // One and a half hours on Friday, the other six and a half on the make-up Saturday.
    assert!(text.ends_with("到期 2026-10-10 周六 17:00\n"), "{text}");
}

#[test]
fn one_that_still_stands_says_what_remains() {
    let text =
        told(&["explain", "city.yaml", "--target", "2h", "--from", "2026-10-09T15:00", "--pause", "盘点=2026-10-09T16:00/"]);
    assert!(text.ends_with("暂停中，恢复后还剩 1 小时\n"), "{text}");
}

#[test]
fn around_the_clock_and_held_to_service_hours_are_asked_for() {
    let words = ["explain", "city.yaml", "--target", "4h", "--from", "2026-10-09T15:00", "--around-the-clock"];
    assert!(told(&words).ends_with("到期 2026-10-09 周五 19:00\n"));
    let held = told(&[&words[..], &["--hold-to-service-hours"]].concat());
    assert!(held.ends_with("到期 2026-10-10 周六 08:30\n"), "{held}");
}

#[test]
fn a_deadline_of_years_is_found_and_said_to_be_provisional() {
    let text = told(&["explain", "city.yaml", "--target", "9000h", "--from", "2026-10-09T15:00"]);
    assert!(text.contains("注意：2026-12-31 之后的节假日尚未公布"), "{text}");
}

#[test]
fn the_help_names_every_sub_command() {
    let output = worktime(&["--help"]);
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    for word in ["explain", "ticks", "diff", "ics"] {
        assert!(help.contains(word), "{help}");
    }
}
