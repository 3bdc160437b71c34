//! What is explained adds up, and can be followed.
use jiff::{SignedDuration, Timestamp};
use proptest::{prelude::*, test_runner::TestCaseError};
use worktime::{
    Calendar, Timeline,
    clock::{Basis, Clock, Due, Reason, Rule},
    explain::{Language, explain, walk},
};

use crate::random::{case, life};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const OFFICE: &str = r#"
zone: Asia/Shanghai
layers:
- name: 国家
  national: cn
- name: 市
  weeks:
  - {monday: &day ["08:30-12:00", "14:00-17:30"], tuesday: *day, wednesday: *day, thursday: *day, friday: *day}
"#;

#[test]
fn a_deadline_over_the_national_day_can_be_followed_with_a_finger() {
    let calendar = Calendar::try_new(serde_saphyr::from_str(OFFICE).unwrap()).unwrap();
    let timeline = Timeline::compile(&calendar, at("2026-09-01T00:00:00Z"), at("2026-12-01T00:00:00Z"));
    let rule = Rule::new("处理", Basis::WorkingTime, SignedDuration::from_hours(16));
    let mut clock = Clock::start(rule, at("2026-09-30T16:00:00+08:00")).unwrap();
    clock.pause(at("2026-10-08T09:00:00+08:00"), Reason::Vendor).unwrap();
    clock.resume(at("2026-10-09T15:00:00+08:00")).unwrap();
    clock.retarget(at("2026-10-09T16:00:00+08:00"), SignedDuration::from_hours(8), "优先级 3 → 2").unwrap();
    let explanation = explain(&clock, &calendar, &timeline).unwrap();
    let zh = "\
处理：目标 8 小时，按工作时间计时，时区 Asia/Shanghai
开始 2026-09-30 周三 16:00
✓ 2026-09-30 周三 16:00 → 2026-09-30 周三 17:30　计 1 小时 30 分，累计 1 小时 30 分　工作班次 14:00-17:30（市）
× 2026-09-30 周三 17:30 → 2026-10-01 周四 00:00　不计　班次之外
× 2026-10-01 周四 00:00 → 2026-10-08 周四 00:00　不计　节假日：国庆节（国家）
× 2026-10-08 周四 00:00 → 2026-10-08 周四 08:30　不计　班次之外
✓ 2026-10-08 周四 08:30 → 2026-10-08 周四 09:00　计 30 分，累计 2 小时　工作班次 08:30-12:00（市）
× 2026-10-08 周四 09:00 → 2026-10-09 周五 15:00　不计　暂停：等待供应商
✓ 2026-10-09 周五 15:00 → 2026-10-09 周五 16:00　计 1 小时，累计 3 小时　工作班次 14:00-17:30（市）
※ 2026-10-09 周五 16:00 目标改为 8 小时（优先级 3 → 2），已计时间保留
✓ 2026-10-09 周五 16:00 → 2026-10-09 周五 17:30　计 1 小时 30 分，累计 4 小时 30 分　工作班次 14:00-17:30（市）
× 2026-10-09 周五 17:30 → 2026-10-10 周六 08:30　不计　班次之外
✓ 2026-10-10 周六 08:30 → 2026-10-10 周六 12:00　计 3 小时 30 分，累计 8 小时　国庆节调休上班，按周一班次 08:30-12:00（国家）
到期 2026-10-10 周六 12:00
";
    assert_eq!(explanation.text(Language::Zh, calendar.zone()), zh);
    let en = explanation.text(Language::En, calendar.zone());
    assert!(
        en.contains("✓ 2026-10-10 Sat 08:30 → 2026-10-10 Sat 12:00  counts 3h 30m, in all 8h  make-up day for 国庆节"),
        "{en}"
    );
    assert!(
        en.contains("× 2026-10-08 Thu 09:00 → 2026-10-09 Fri 15:00  does not count  standing: waiting for the vendor"),
        "{en}"
    );
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["due"], "2026-10-10T04:00:00Z");
    assert_eq!(json["segments"][2]["why"]["kind"], "holiday");
    assert_eq!(json["segments"][2]["counted"], "PT0S");
}

#[test]
fn the_page_that_explains_says_what_the_program_says() {
    let page = include_str!("../../../docs/worktime.md");
    let calendar = Calendar::try_new(serde_saphyr::from_str(OFFICE).unwrap()).unwrap();
    let timeline = Timeline::compile(&calendar, at("2026-09-01T00:00:00Z"), at("2026-12-01T00:00:00Z"));
    let rule = Rule::new("处理时限", Basis::WorkingTime, SignedDuration::from_hours(8));
    let mut clock = Clock::start(rule, at("2026-09-30T16:00:00+08:00")).unwrap();
    clock.pause(at("2026-10-08T09:00:00+08:00"), Reason::Vendor).unwrap();
    clock.resume(at("2026-10-09T15:00:00+08:00")).unwrap();
    let text = explain(&clock, &calendar, &timeline).unwrap().text(Language::Zh, calendar.zone());
    assert!(page.contains(&text), "{text}");
    // The lengths that its drawing gives to a night shift over either change.
    let night = "{zone: Europe/London, layers: [{name: n, weeks: [{saturday: ['22:00-06:00']}]}]}";
    let night = Calendar::try_new(serde_saphyr::from_str(night).unwrap()).unwrap();
    for (date, hours) in [("2026-03-28", 7), ("2026-10-24", 9)] {
        let shift = night.hours_on(date.parse().unwrap())[0];
        assert_eq!(shift.until.duration_since(shift.from), SignedDuration::from_hours(hours));
        assert!(page.contains(&format!("实长 {hours} 小时")));
    }
}

#[test]
fn what_lies_behind_the_last_announced_year_is_said_to_be_provisional() {
    let calendar = Calendar::try_new(serde_saphyr::from_str(OFFICE).unwrap()).unwrap();
    let timeline = Timeline::compile(&calendar, at("2026-12-01T00:00:00Z"), at("2027-03-01T00:00:00Z"));
    let rule = Rule::new("处理", Basis::WorkingTime, SignedDuration::from_hours(16));
    let clock = Clock::start(rule, at("2026-12-31T15:00:00+08:00")).unwrap();
    let explanation = explain(&clock, &calendar, &timeline).unwrap();
    assert_eq!(explanation.provisional_after, calendar.coverage_until());
    assert!(explanation.text(Language::Zh, calendar.zone()).contains("2026-12-31 之后的节假日尚未公布"));
    let rule = Rule::new("响应", Basis::AroundTheClock, SignedDuration::from_hours(16));
    let clock = Clock::start(rule, at("2026-12-31T15:00:00+08:00")).unwrap();
    let explanation = explain(&clock, &calendar, &timeline).unwrap();
    assert_eq!(explanation.provisional_after, None, "around the clock nobody's holidays matter");
    let rule = Rule::new("处理", Basis::WorkingTime, SignedDuration::from_hours(1));
    let clock = Clock::start(rule, at("2026-12-31T08:30:00+08:00")).unwrap();
    let explanation = explain(&clock, &calendar, &timeline).unwrap();
    assert_eq!(explanation.due, Some(at("2026-12-31T09:30:00+08:00")));
    assert_eq!(explanation.provisional_after, None, "the last day that is known is known");
}

#[test]
fn a_day_of_rest_a_closed_date_and_the_hours_of_a_date_are_told_apart() {
    let yaml = "{zone: Asia/Shanghai, layers: [{name: 市, weeks: [{friday: ['09:00-17:00']}], overrides: [
        {date: 2026-06-01, reason: 台风停工}, {date: 2026-06-02, reason: 高考保障, hours: ['10:00-12:00']}]}]}";
    let calendar = Calendar::try_new(serde_saphyr::from_str(yaml).unwrap()).unwrap();
    let timeline = Timeline::compile(&calendar, at("2026-05-01T00:00:00Z"), at("2026-07-01T00:00:00Z"));
    let rule = Rule::new("处理", Basis::WorkingTime, SignedDuration::from_hours(2));
    let clock = Clock::start(rule, at("2026-05-29T16:00:00+08:00")).unwrap();
    let explanation = explain(&clock, &calendar, &timeline).unwrap();
    let whys: Vec<String> = explanation.segments.iter().map(|segment| segment.why.text(Language::Zh)).collect();
    let expected = [
        "工作班次 09:00-17:00（市）",
        "班次之外",
        "休息日",
        "当日停止服务：台风停工（市）",
        "班次之外",
        "当日特定班次 10:00-12:00：高考保障（市）",
    ];
    assert_eq!(whys, expected);
}

#[test]
fn a_pause_of_no_length_parts_nothing() {
    let calendar = Calendar::try_new(serde_saphyr::from_str(OFFICE).unwrap()).unwrap();
    let (start, hour) = (at("2026-06-01T08:00:00+08:00"), SignedDuration::from_hours(1));
    let mut clock = Clock::start(Rule::new("响应", Basis::AroundTheClock, hour * 4), start).unwrap();
    clock.pause(start + hour, Reason::User).unwrap();
    clock.resume(start + hour).unwrap();
    let segments = walk(&clock, &calendar, start + hour * 3);
    assert_eq!(segments.iter().map(|segment| segment.counted).collect::<Vec<_>>(), [hour * 3]);
}

#[test]
fn a_clock_that_stands_or_has_stopped_says_so() {
    let calendar = Calendar::try_new(serde_saphyr::from_str(OFFICE).unwrap()).unwrap();
    let timeline = Timeline::compile(&calendar, at("2026-01-01T00:00:00Z"), at("2026-12-01T00:00:00Z"));
    let rule = Rule::new("处理", Basis::WorkingTime, SignedDuration::from_hours(4));
    let mut clock = Clock::start(rule, at("2026-06-01T09:00:00+08:00")).unwrap();
    clock.pause(at("2026-06-01T10:00:30+08:00"), Reason::Other("等台账核对".into())).unwrap();
    let standing = explain(&clock, &calendar, &timeline).unwrap();
    assert_eq!((standing.due, standing.remaining), (None, Some(SignedDuration::from_secs(3 * 3600 - 30))));
    let zh = standing.text(Language::Zh, calendar.zone());
    assert!(
        zh.ends_with(
            "10:00:30　计 1 小时 30 秒，累计 1 小时 30 秒　工作班次 08:30-12:00（市）\n暂停中，恢复后还剩 2 小时 59 分 30 秒\n"
        ),
        "{zh}"
    );
    clock.resume(at("2026-06-01T11:00:00+08:00")).unwrap();
    clock.stop(at("2026-06-02T08:45:00+08:00")).unwrap();
    let stopped = explain(&clock, &calendar, &timeline).unwrap().text(Language::En, calendar.zone());
    assert!(stopped.contains("does not count  standing: 等台账核对"), "{stopped}");
    assert!(stopped.ends_with("due 2026-06-01 Mon 15:59:30\nstopped 2026-06-02 Tue 08:45, late\n"), "{stopped}");
}

#[test]
fn a_changed_clock_and_a_held_deadline_are_told() {
    let yaml = "{zone: Europe/London, layers: [{name: ops, weeks: [{saturday: ['20:00-24:00'], sunday: ['00:00-24:00']}]}]}";
    let calendar = Calendar::try_new(serde_saphyr::from_str(yaml).unwrap()).unwrap();
    let timeline = Timeline::compile(&calendar, at("2026-10-01T00:00:00Z"), at("2026-12-01T00:00:00Z"));
    let mut rule = Rule::new("response", Basis::AroundTheClock, SignedDuration::from_hours(30));
    rule.hold_to_service_hours = true;
    let clock = Clock::start(rule, at("2026-10-25T00:00:00Z")).unwrap();
    let explanation = explain(&clock, &calendar, &timeline).unwrap();
    let en = explanation.text(Language::En, calendar.zone());
    assert!(en.contains("the clocks were put back by 1h"), "{en}");
    assert!(en.contains("→ 2026-10-31 Sat 20:00  does not count  due, and held until the service opens"), "{en}");
    assert_eq!(explanation.due, Some(at("2026-10-31T20:00:00Z")));
}

/// The law: without a hole, and what counted is what has elapsed.
fn adds_up(case: &crate::random::Case, life: &crate::random::Life) -> Result<(), TestCaseError> {
    let Ok(calendar) = Calendar::try_new(case.description.clone()) else {
        return Err(TestCaseError::reject("never open"));
    };
    let month = SignedDuration::from_hours(24 * 60);
    let timeline = Timeline::compile(&calendar, case.from, case.from + month);
    let clock = life.clock(case.from, 60);
    let Ok(explanation) = explain(&clock, &calendar, &timeline) else { return Ok(()) };
    let mut at = clock.started();
    let mut elapsed = SignedDuration::ZERO;
    for segment in &explanation.segments {
        prop_assert_eq!(segment.interval.from, at);
        prop_assert!(segment.interval.until > at);
        let whole = segment.interval.until.duration_since(at);
        prop_assert_eq!(segment.counted, if segment.why.counts() { whole } else { SignedDuration::ZERO });
        at = segment.interval.until;
        elapsed += segment.counted;
        prop_assert_eq!(segment.elapsed, elapsed);
    }
    let going_on = {
        let mut record = serde_json::to_value(&clock).unwrap();
        record.as_object_mut().unwrap().remove("stopped");
        serde_json::from_value::<Clock>(record).unwrap()
    };
    match clock.due(&timeline).unwrap() {
        Due::At(due) => {
            prop_assert_eq!(at, due);
            prop_assert_eq!(going_on.elapsed(&timeline, explanation.reached.unwrap()), Ok(elapsed));
            if clock.retargets().is_empty() {
                prop_assert_eq!(elapsed, clock.target());
            }
        }
        Due::Standing { remaining } => prop_assert_eq!(remaining, clock.target() - elapsed),
    }
    let sum: SignedDuration = walk(&going_on, &calendar, case.from + month).iter().map(|segment| segment.counted).sum();
    prop_assert_eq!(going_on.elapsed(&timeline, case.from + month), Ok(sum));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 4096, ..ProptestConfig::with_cases(3_000) })]

    #[test]
    fn the_segments_of_an_explanation_leave_no_hole_and_sum_to_what_has_elapsed((case, life) in (case(3), life(4_000))) {
        adds_up(&case, &life)?;
    }
}
