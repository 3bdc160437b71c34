//! The engine, rule by rule: items, routes, reopening, giving up, the end.
use proptest::prelude::*;
use standard::procedure::{Act, Evidence, GateKind, Lack, Move, Outcome, Party, Progress, Refusal, Status, Unfit};

use crate::acts::{
    answer, begin, desk, diagnosed, finish, good, li, provider, refusal, reopen, show, status, take, through, waive_gate,
    waive_step,
};
use crate::walk::{missing, of, open};

fn route(row: &str) -> Act {
    Act::Route { step: "7.4.4.5".into(), row: row.into() }
}

#[test]
fn the_row_of_the_decision_table_chooses_the_item() {
    let mut progress = diagnosed();
    assert!(progress.next().iter().any(|next| matches!(&next.what, Move::Route(rows) if rows.len() == 7)));
    take(&mut progress, li(), begin("7.4.4.5", &[]));
    assert_eq!(status(&progress, "7.4.4.5.b"), Status::Undecided);
    let refused = refusal(&mut progress, li(), begin("7.4.4.5.b", &[]));
    assert_eq!(refused.to_string(), "7.4.4.5.b是否适用尚未确定：已过原厂保修期的办公设备");
    take(&mut progress, li(), route("RR-B"));
    let items = ["7.4.4.5.a", "7.4.4.5.b", "7.4.4.5.c", "7.4.4.5.d"].map(|item| status(&progress, item));
    assert_eq!(items, [Status::NotApplicable, Status::Ready, Status::NotApplicable, Status::NotApplicable]);
    take(&mut progress, li(), route("RR-A"));
    take(&mut progress, li(), begin("7.4.4.5.a", &[]));
    assert_eq!(refusal(&mut progress, li(), route("RR-B")), Refusal::InUse { step: "7.4.4.5.a".into() });
}

#[test]
fn an_item_that_was_waived_before_the_table_was_asked_leaves_the_table_to_be_asked() {
    let mut progress = diagnosed();
    take(&mut progress, li(), begin("7.4.4.5", &[]));
    take(&mut progress, li(), waive_step("7.4.4.5.a", of(Party::Administrator)));
    take(&mut progress, li(), route("RR-B"));
    let items = ["7.4.4.5.a", "7.4.4.5.b", "7.4.4.5.c"].map(|item| status(&progress, item));
    assert_eq!(items, [Status::Waived, Status::Ready, Status::NotApplicable]);
}

#[test]
fn a_step_that_will_not_apply_lets_nobody_by_before_the_steps_ahead_of_it_are_over() {
    let mut progress = open("SV-REPAIR");
    take(&mut progress, li(), answer("not_restored_in_time", false));
    assert_eq!(status(&progress, "7.4.4.4"), Status::NotApplicable);
    let waits_for = vec!["7.4.4.3".to_owned()];
    assert_eq!(refusal(&mut progress, li(), begin("7.4.4.5", &[])), Refusal::NotYet { step: "7.4.4.5".into(), waits_for });
}

#[test]
fn a_row_without_an_item_leaves_only_the_confirmation_of_the_route() {
    let mut progress = diagnosed();
    through_routed(&mut progress, "RR-X");
    assert_eq!(status(&progress, "7.4.4.5"), Status::Done);
    assert_eq!(status(&progress, "7.4.4.5.a"), Status::NotApplicable);
}

fn through_routed(progress: &mut Progress, row: &str) {
    take(progress, li(), route(row));
    take(progress, li(), begin("7.4.4.5", &[]));
    let confirmed = good(progress, "7.4.4.5", GateKind::Confirmation);
    take(progress, li(), show("7.4.4.5", GateKind::Confirmation, confirmed));
    take(progress, li(), finish("7.4.4.5"));
}

#[test]
fn an_unknown_row_and_a_step_without_a_table_are_refused() {
    let mut progress = diagnosed();
    let unknown = |step: &str, row: &str| Refusal::UnknownRow { step: step.into(), row: row.into() };
    assert_eq!(refusal(&mut progress, li(), route("RR-Z")), unknown("7.4.4.5", "RR-Z"));
    let act = Act::Route { step: "7.4.4.1".into(), row: "RR-A".into() };
    assert_eq!(refusal(&mut progress, li(), act), unknown("7.4.4.1", "RR-A"));
    assert!(matches!(refusal(&mut progress, desk(), route("RR-A")), Refusal::WrongRole { .. }));
    let mut early = open("SV-REPAIR");
    let already = Refusal::Already { step: "7.4.4.5".into(), status: Status::Waiting };
    assert_eq!(refusal(&mut early, li(), route("RR-A")), already);
}

#[test]
fn only_where_the_provider_cannot_repair_is_the_user_organisation_consulted() {
    let closed = |row: &str| {
        let mut progress = diagnosed();
        take(&mut progress, li(), route(row));
        take(&mut progress, li(), begin("7.4.4.5", &[]));
        let rules = good(&progress, "7.4.4.5.c", GateKind::Precondition);
        take(&mut progress, li(), show("7.4.4.5.c", GateKind::Precondition, rules));
        take(&mut progress, li(), begin("7.4.4.5.c", &[]));
        progress.take(crate::walk::record(li(), finish("7.4.4.5.c"))).map_err(|refusal| missing(&refusal)[0].gate)
    };
    assert_eq!(closed("RR-C1"), Ok(()));
    assert_eq!(closed("RR-C2"), Err(Some(GateKind::Confirmation)));
}

#[test]
fn a_gate_that_may_not_apply_asks_so_unless_it_was_waived() {
    let mut progress = diagnosed();
    through_routed(&mut progress, "RR-X");
    take(&mut progress, li(), begin("7.4.4.6", &[]));
    let tested = good(&progress, "7.4.4.6", GateKind::Test);
    take(&mut progress, li(), show("7.4.4.6", GateKind::Test, tested));
    let refused = missing(&refusal(&mut progress, li(), finish("7.4.4.6")));
    let asked = "7.4.4.6（前提）尚未回答是否“临时备品备件”（原文“回收临时备品备件，并做好数据安全管理”）";
    assert_eq!(refused.iter().map(ToString::to_string).collect::<Vec<_>>(), [asked]);
    take(&mut progress, li(), waive_gate("7.4.4.6", GateKind::Precondition, of(Party::Supervisor)));
    take(&mut progress, li(), finish("7.4.4.6"));
}

/// Security cooperation with 7.4.9.3 begun.
fn cooperating() -> Progress {
    let mut progress = open("SV-SECCOOP");
    through(&mut progress, &provider(), "7.4.9.1", &[]);
    through(&mut progress, &li(), "7.4.9.2", &[]);
    take(&mut progress, li(), begin("7.4.9.3", &[]));
    take(&mut progress, li(), answer("duty_support_needed", true));
    progress
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_parallel_items_does_not_matter(order in Just(["a", "b", "c"].to_vec()).prop_shuffle()) {
        let done = |order: &[&str]| {
            let mut progress = cooperating();
            for item in order {
                let modes: &[&str] = if *item == "b" { &["remote"] } else { &[] };
                through(&mut progress, &li(), &format!("7.4.9.3.{item}"), modes);
            }
            take(&mut progress, li(), finish("7.4.9.3"));
            progress.standing()
        };
        prop_assert_eq!(done(&order), done(&["a", "b", "c"]));
    }
}

#[test]
fn a_step_is_finished_after_its_items() {
    let mut progress = cooperating();
    through(&mut progress, &li(), "7.4.9.3.c", &[]);
    let left = missing(&refusal(&mut progress, li(), finish("7.4.9.3")));
    assert_eq!(left[0].lack, Lack::Items(vec!["7.4.9.3.a".into(), "7.4.9.3.b".into()]));
    assert_eq!(left[0].to_string(), "7.4.9.3尚有分项未完成：7.4.9.3.a、7.4.9.3.b");
    let early = open("SV-SECCOOP").standing();
    assert_eq!(early.steps[3], ("7.4.9.3.a".into(), Status::Waiting));
}

#[test]
fn an_item_waits_for_its_step_and_for_the_item_before_it() {
    let mut progress = open("SV-DEPLOY");
    through(&mut progress, &li(), "7.4.3.1", &[]);
    through(&mut progress, &li(), "7.4.3.2", &[]);
    let waits = |step: &str, before: &str| Refusal::NotYet { step: step.into(), waits_for: vec![before.into()] };
    assert_eq!(refusal(&mut progress, li(), begin("7.4.3.3.a", &[])), waits("7.4.3.3.a", "7.4.3.3"));
    take(&mut progress, li(), begin("7.4.3.3", &[]));
    assert_eq!(refusal(&mut progress, li(), begin("7.4.3.3.b", &[])), waits("7.4.3.3.b", "7.4.3.3.a"));
}

#[test]
fn at_least_one_check_is_done_where_the_clause_leaves_the_choice() {
    let mut progress = open("SV-CHECKSEC");
    through(&mut progress, &li(), "7.4.5.2.1", &[]);
    through(&mut progress, &li(), "7.4.5.2.2", &[]);
    take(&mut progress, li(), begin("7.4.5.2.3", &[]));
    for condition in ["remote_check", "on_site_check"] {
        take(&mut progress, li(), answer(condition, false));
    }
    take(&mut progress, li(), answer("problem_found", true));
    through(&mut progress, &li(), "7.4.5.2.3.c", &[]);
    let record = good(&progress, "7.4.5.2.3", GateKind::Record);
    take(&mut progress, li(), show("7.4.5.2.3", GateKind::Record, record));
    let refused = missing(&refusal(&mut progress, li(), finish("7.4.5.2.3")));
    assert_eq!(refused[0].to_string(), "7.4.5.2.3至少完成其一：7.4.5.2.3.a、7.4.5.2.3.b");
    take(&mut progress, li(), reopen("7.4.5.2.3.b"));
    take(&mut progress, li(), answer("on_site_check", true));
    through(&mut progress, &li(), "7.4.5.2.3.b", &[]);
    take(&mut progress, li(), answer("problem_found", false));
    take(&mut progress, li(), finish("7.4.5.2.3"));
}

#[test]
fn what_goes_on_holds_up_neither_the_end_nor_what_comes_after() {
    let mut progress = open("SV-PERF");
    for (step, modes) in [("1", vec![]), ("2", vec![]), ("3", vec!["monitoring", "on_site"]), ("4", vec![]), ("5", vec![])] {
        through(&mut progress, &li(), &format!("7.5.1.{step}"), &modes);
    }
    // What goes on waits itself, and so does what comes after it.
    assert_eq!(status(&progress, "7.5.1.7"), Status::Waiting);
    let waits = Refusal::NotYet { step: "7.5.1.8".into(), waits_for: vec!["7.5.1.6".into()] };
    assert_eq!(refusal(&mut progress, li(), begin("7.5.1.8", &[])), waits);
    through(&mut progress, &li(), "7.5.1.6", &[]);
    through(&mut progress, &li(), "7.5.1.8", &[]);
    assert!(progress.complete());
    assert_eq!(status(&progress, "7.5.1.7"), Status::Ready);
    assert_eq!(progress.next()[0].step, "7.5.1.7");
    through(&mut progress, &li(), "7.5.1.7", &[]);
    assert_eq!(progress.next(), []);
}

#[test]
fn reopening_starts_a_step_and_what_waits_for_it_anew() {
    let mut progress = diagnosed();
    through_routed(&mut progress, "RR-X");
    take(&mut progress, of(Party::User), reopen("7.4.4.2"));
    let of_steps = ["7.4.4.1", "7.4.4.2", "7.4.4.3", "7.4.4.4", "7.4.4.5", "7.4.4.5.a"].map(|step| status(&progress, step));
    use Status::{Done, Ready, Waiting};
    assert_eq!(of_steps, [Done, Ready, Waiting, Waiting, Waiting, Waiting]);
    take(&mut progress, li(), begin("7.4.4.2", &[]));
    let again = missing(&refusal(&mut progress, li(), finish("7.4.4.2")));
    assert_eq!(again.iter().map(|missing| &missing.lack).collect::<Vec<_>>(), [&Lack::Evidence, &Lack::Evidence]);
}

#[test]
fn reopening_an_item_takes_its_step_up_again_and_asks_for_its_record_anew() {
    let mut progress = open("SV-DEPLOY");
    through(&mut progress, &li(), "7.4.3.1", &[]);
    through(&mut progress, &li(), "7.4.3.2", &[]);
    take(&mut progress, li(), begin("7.4.3.3", &[]));
    for item in ["7.4.3.3.a", "7.4.3.3.b", "7.4.3.3.c"] {
        through(&mut progress, &li(), item, &[]);
    }
    let record = good(&progress, "7.4.3.3", GateKind::Record);
    take(&mut progress, li(), show("7.4.3.3", GateKind::Record, record));
    take(&mut progress, li(), finish("7.4.3.3"));
    take(&mut progress, li(), begin("7.4.3.4", &[]));
    take(&mut progress, of(Party::Consumer), reopen("7.4.3.3.b"));
    let of_steps = ["7.4.3.3", "7.4.3.3.a", "7.4.3.3.b", "7.4.3.3.c", "7.4.3.4"].map(|step| status(&progress, step));
    use Status::{Done, InProgress, Ready, Waiting};
    assert_eq!(of_steps, [InProgress, Done, Ready, Waiting, Waiting]);
    through(&mut progress, &li(), "7.4.3.3.b", &[]);
    through(&mut progress, &li(), "7.4.3.3.c", &[]);
    assert_eq!(missing(&refusal(&mut progress, li(), finish("7.4.3.3")))[0].lack, Lack::Evidence);
}

#[test]
fn there_is_nothing_to_reopen_in_a_step_that_has_not_begun() {
    let mut progress = open("SV-DEPLOY");
    for (step, status) in [("7.4.3.1", Status::Ready), ("7.4.3.2", Status::Waiting)] {
        assert_eq!(refusal(&mut progress, li(), reopen(step)), Refusal::Already { step: step.into(), status });
    }
    through(&mut progress, &li(), "7.4.3.1", &[]);
    assert!(matches!(refusal(&mut progress, desk(), reopen("7.4.3.1")), Refusal::WrongRole { .. }));
}

#[test]
fn a_step_is_begun_and_finished_once() {
    let mut progress = open("SV-DEPLOY");
    take(&mut progress, li(), begin("7.4.3.1", &[]));
    let already = |status| Refusal::Already { step: "7.4.3.1".into(), status };
    assert_eq!(refusal(&mut progress, li(), begin("7.4.3.1", &[])), already(Status::InProgress));
    let confirmed = good(&progress, "7.4.3.1", GateKind::Confirmation);
    take(&mut progress, li(), show("7.4.3.1", GateKind::Confirmation, confirmed));
    take(&mut progress, li(), finish("7.4.3.1"));
    assert_eq!(refusal(&mut progress, li(), finish("7.4.3.1")), already(Status::Done));
    assert_eq!(refusal(&mut progress, li(), finish("7.9")), Refusal::UnknownStep { step: "7.9".into() });
    let test = show("7.4.3.1", GateKind::Test, good(&progress, "7.4.3.1", GateKind::Confirmation));
    assert_eq!(refusal(&mut progress, li(), test), Refusal::UnknownGate { step: "7.4.3.1".into(), gate: GateKind::Test });
}

#[test]
fn giving_up_needs_a_reason_and_the_word_of_somebody_outside_the_provider() {
    let give_up = |approved_by| Act::Abandon { reason: "使用方撤回需求".into(), approved_by };
    let mut progress = open("SV-DEPLOY");
    assert!(matches!(refusal(&mut progress, li(), give_up(provider())), Refusal::Unfit { why: Unfit::Role(_), .. }));
    let consumer = of(Party::Consumer);
    let refused = refusal(&mut progress, consumer.clone(), give_up(consumer.clone()));
    assert!(matches!(refused, Refusal::Unfit { why: Unfit::SamePerson(_), .. }));
    assert_eq!(refused.clause(), Some("7.4.3"));
    take(&mut progress, li(), give_up(consumer));
    assert!(progress.abandoned() && progress.standing().abandoned && !progress.complete());
    assert_eq!(progress.next(), []);
    assert_eq!(refusal(&mut progress, li(), begin("7.4.3.1", &[])), Refusal::Over);
}

#[test]
fn what_is_complete_is_not_given_up_but_may_be_reopened() {
    let mut progress = open("SV-DEPLOY");
    for step in ["7.4.3.1", "7.4.3.2", "7.4.3.3", "7.4.3.4"] {
        take(&mut progress, li(), waive_step(step, of(Party::Administrator)));
    }
    assert!(progress.standing().complete);
    let give_up = Act::Abandon { reason: "晚了".into(), approved_by: of(Party::Consumer) };
    assert_eq!(refusal(&mut progress, li(), give_up), Refusal::Over);
    take(&mut progress, of(Party::Consumer), reopen("7.4.3.4"));
    assert!(!progress.complete());
}

#[test]
fn reminders_name_what_the_clause_enumerates_without_a_gate() {
    let progress = open("SV-ASSESS");
    let next = progress.next();
    let reminders: Vec<&str> = next[0].reminders.iter().map(|content| content.words.zh.value.as_str()).collect();
    assert_eq!(reminders, ["操作手册", "维护记录", "事故报告"]);
}

#[test]
fn a_failed_outcome_is_kept_in_the_records() {
    let mut progress = open("SV-DEPLOY");
    take(&mut progress, li(), begin("7.4.3.1", &[]));
    let no = Evidence { outcome: Outcome::Negative, ..good(&progress, "7.4.3.1", GateKind::Confirmation) };
    take(&mut progress, li(), show("7.4.3.1", GateKind::Confirmation, no.clone()));
    assert_eq!(progress.records()[1].act, show("7.4.3.1", GateKind::Confirmation, no));
}
