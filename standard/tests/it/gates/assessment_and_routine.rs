//! Generated, see `table.rs`.
use standard::procedure::GateKind;

use crate::walk::shut;
#[test]
fn without_its_record_7_2_3_is_refused() {
    shut("SV-ASSESS", "7.2.3", GateKind::Record);
}
#[test]
fn without_its_review_7_2_4_is_refused() {
    shut("SV-ASSESS", "7.2.4", GateKind::Review);
}
#[test]
fn without_its_precondition_7_2_5_is_refused() {
    shut("SV-ASSESS", "7.2.5", GateKind::Precondition);
}
#[test]
fn without_its_record_7_2_5_is_refused() {
    shut("SV-ASSESS", "7.2.5", GateKind::Record);
}
#[test]
fn without_its_confirmation_7_3_1_1_is_refused() {
    shut("SV-CHECK", "7.3.1.1", GateKind::Confirmation);
}
#[test]
fn without_its_plan_7_3_1_2_is_refused() {
    shut("SV-CHECK", "7.3.1.2", GateKind::Plan);
}
#[test]
fn without_its_record_7_3_1_3_is_refused() {
    shut("SV-CHECK", "7.3.1.3", GateKind::Record);
}
#[test]
fn without_its_record_7_3_1_3_a_is_refused() {
    shut("SV-CHECK", "7.3.1.3.a", GateKind::Record);
}
#[test]
fn without_its_test_7_3_1_3_c_is_refused() {
    shut("SV-CHECK", "7.3.1.3.c", GateKind::Test);
}
#[test]
fn without_its_record_7_3_1_3_c_is_refused() {
    shut("SV-CHECK", "7.3.1.3.c", GateKind::Record);
}
#[test]
fn without_its_plan_7_3_2_1_1_is_refused() {
    shut("SV-INSPECT", "7.3.2.1.1", GateKind::Plan);
}
#[test]
fn without_its_review_7_3_2_1_2_is_refused() {
    shut("SV-INSPECT", "7.3.2.1.2", GateKind::Review);
}
#[test]
fn without_its_notification_7_3_2_1_4_is_refused() {
    shut("SV-INSPECT", "7.3.2.1.4", GateKind::Notification);
}
#[test]
fn without_its_record_7_3_2_1_5_is_refused() {
    shut("SV-INSPECT", "7.3.2.1.5", GateKind::Record);
}
#[test]
fn without_its_record_7_3_2_1_6_is_refused() {
    shut("SV-INSPECT", "7.3.2.1.6", GateKind::Record);
}
#[test]
fn without_its_plan_7_3_2_2_1_is_refused() {
    shut("SV-MONITOR", "7.3.2.2.1", GateKind::Plan);
}
#[test]
fn without_its_precondition_7_3_2_2_2_is_refused() {
    shut("SV-MONITOR", "7.3.2.2.2", GateKind::Precondition);
}
#[test]
fn without_its_notification_7_3_2_2_3_is_refused() {
    shut("SV-MONITOR", "7.3.2.2.3", GateKind::Notification);
}
#[test]
fn without_its_record_7_3_2_2_4_is_refused() {
    shut("SV-MONITOR", "7.3.2.2.4", GateKind::Record);
}
#[test]
fn without_its_record_7_3_2_2_5_is_refused() {
    shut("SV-MONITOR", "7.3.2.2.5", GateKind::Record);
}
#[test]
fn without_its_confirmation_7_3_3_1_is_refused() {
    shut("SV-DOC", "7.3.3.1", GateKind::Confirmation);
}
#[test]
fn without_its_record_7_3_3_2_is_refused() {
    shut("SV-DOC", "7.3.3.2", GateKind::Record);
}
#[test]
fn without_its_record_7_3_3_2_a_is_refused() {
    shut("SV-DOC", "7.3.3.2.a", GateKind::Record);
}
#[test]
fn without_its_record_7_3_3_2_b_is_refused() {
    shut("SV-DOC", "7.3.3.2.b", GateKind::Record);
}
#[test]
fn without_its_review_7_3_3_2_c_is_refused() {
    shut("SV-DOC", "7.3.3.2.c", GateKind::Review);
}
#[test]
fn without_its_record_7_3_3_4_is_refused() {
    shut("SV-DOC", "7.3.3.4", GateKind::Record);
}
#[test]
fn without_its_test_7_3_3_6_is_refused() {
    shut("SV-DOC", "7.3.3.6", GateKind::Test);
}
#[test]
fn without_its_confirmation_7_3_4_1_is_refused() {
    shut("SV-LEDGER", "7.3.4.1", GateKind::Confirmation);
}
#[test]
fn without_its_precondition_7_3_4_2_is_refused() {
    shut("SV-LEDGER", "7.3.4.2", GateKind::Precondition);
}
#[test]
fn without_its_record_7_3_4_2_is_refused() {
    shut("SV-LEDGER", "7.3.4.2", GateKind::Record);
}
#[test]
fn without_its_confirmation_7_3_4_3_is_refused() {
    shut("SV-LEDGER", "7.3.4.3", GateKind::Confirmation);
}
#[test]
fn without_its_plan_7_3_4_6_is_refused() {
    shut("SV-LEDGER", "7.3.4.6", GateKind::Plan);
}
#[test]
fn without_its_record_7_3_4_7_is_refused() {
    shut("SV-LEDGER", "7.3.4.7", GateKind::Record);
}
#[test]
fn without_its_plan_7_3_5_1_2_is_refused() {
    shut("SV-EPLAN", "7.3.5.1.2", GateKind::Plan);
}
#[test]
fn without_its_review_7_3_5_1_3_is_refused() {
    shut("SV-EPLAN", "7.3.5.1.3", GateKind::Review);
}
#[test]
fn without_its_notification_7_3_5_1_4_is_refused() {
    shut("SV-EPLAN", "7.3.5.1.4", GateKind::Notification);
}
#[test]
fn without_its_plan_7_3_5_2_1_is_refused() {
    shut("SV-DRILL", "7.3.5.2.1", GateKind::Plan);
}
#[test]
fn without_its_precondition_7_3_5_2_2_is_refused() {
    shut("SV-DRILL", "7.3.5.2.2", GateKind::Precondition);
}
#[test]
fn without_its_record_7_3_5_2_4_is_refused() {
    shut("SV-DRILL", "7.3.5.2.4", GateKind::Record);
}
#[test]
fn without_its_record_7_3_5_2_5_is_refused() {
    shut("SV-DRILL", "7.3.5.2.5", GateKind::Record);
}
