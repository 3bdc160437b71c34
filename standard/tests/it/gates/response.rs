//! Generated, see `table.rs`.
use standard::procedure::GateKind;

use crate::walk::shut;
#[test]
fn without_its_record_7_4_1_1_is_refused() {
    shut("SV-HOTLINE", "7.4.1.1", GateKind::Record);
}
#[test]
fn without_its_record_7_4_1_2_is_refused() {
    shut("SV-HOTLINE", "7.4.1.2", GateKind::Record);
}
#[test]
fn without_its_confirmation_7_4_1_6_is_refused() {
    shut("SV-HOTLINE", "7.4.1.6", GateKind::Confirmation);
}
#[test]
fn without_its_notification_7_4_1_6_is_refused() {
    shut("SV-HOTLINE", "7.4.1.6", GateKind::Notification);
}
#[test]
fn without_its_record_7_4_2_1_is_refused() {
    shut("SV-EMERG", "7.4.2.1", GateKind::Record);
}
#[test]
fn without_its_precondition_7_4_2_2_is_refused() {
    shut("SV-EMERG", "7.4.2.2", GateKind::Precondition);
}
#[test]
fn without_its_notification_7_4_2_4_c_is_refused() {
    shut("SV-EMERG", "7.4.2.4.c", GateKind::Notification);
}
#[test]
fn without_its_record_7_4_2_5_is_refused() {
    shut("SV-EMERG", "7.4.2.5", GateKind::Record);
}
#[test]
fn without_its_record_7_4_2_6_is_refused() {
    shut("SV-EMERG", "7.4.2.6", GateKind::Record);
}
#[test]
fn without_its_confirmation_7_4_3_1_is_refused() {
    shut("SV-DEPLOY", "7.4.3.1", GateKind::Confirmation);
}
#[test]
fn without_its_plan_7_4_3_2_is_refused() {
    shut("SV-DEPLOY", "7.4.3.2", GateKind::Plan);
}
#[test]
fn without_its_record_7_4_3_3_is_refused() {
    shut("SV-DEPLOY", "7.4.3.3", GateKind::Record);
}
#[test]
fn without_its_precondition_7_4_3_3_a_is_refused() {
    shut("SV-DEPLOY", "7.4.3.3.a", GateKind::Precondition);
}
#[test]
fn without_its_record_7_4_3_3_b_is_refused() {
    shut("SV-DEPLOY", "7.4.3.3.b", GateKind::Record);
}
#[test]
fn without_its_test_7_4_3_3_c_is_refused() {
    shut("SV-DEPLOY", "7.4.3.3.c", GateKind::Test);
}
#[test]
fn without_its_record_7_4_3_4_is_refused() {
    shut("SV-DEPLOY", "7.4.3.4", GateKind::Record);
}
#[test]
fn without_its_confirmation_7_4_4_1_is_refused() {
    shut("SV-REPAIR", "7.4.4.1", GateKind::Confirmation);
}
#[test]
fn without_its_plan_7_4_4_2_is_refused() {
    shut("SV-REPAIR", "7.4.4.2", GateKind::Plan);
}
#[test]
fn without_its_precondition_7_4_4_2_is_refused() {
    shut("SV-REPAIR", "7.4.4.2", GateKind::Precondition);
}
#[test]
fn without_its_confirmation_7_4_4_5_is_refused() {
    shut("SV-REPAIR", "7.4.4.5", GateKind::Confirmation);
}
#[test]
fn without_its_confirmation_7_4_4_5_b_is_refused() {
    shut("SV-REPAIR", "7.4.4.5.b", GateKind::Confirmation);
}
#[test]
fn without_its_precondition_7_4_4_5_c_is_refused() {
    shut("SV-REPAIR", "7.4.4.5.c", GateKind::Precondition);
}
#[test]
fn without_its_confirmation_7_4_4_5_c_is_refused() {
    shut("SV-REPAIR", "7.4.4.5.c", GateKind::Confirmation);
}
#[test]
fn without_its_confirmation_7_4_4_5_d_is_refused() {
    shut("SV-REPAIR", "7.4.4.5.d", GateKind::Confirmation);
}
#[test]
fn without_its_test_7_4_4_6_is_refused() {
    shut("SV-REPAIR", "7.4.4.6", GateKind::Test);
}
#[test]
fn without_its_precondition_7_4_4_6_is_refused() {
    shut("SV-REPAIR", "7.4.4.6", GateKind::Precondition);
}
#[test]
fn without_its_record_7_4_4_7_is_refused() {
    shut("SV-REPAIR", "7.4.4.7", GateKind::Record);
}
#[test]
fn without_its_confirmation_7_4_5_1_1_is_refused() {
    shut("SV-SOFT", "7.4.5.1.1", GateKind::Confirmation);
}
#[test]
fn without_its_plan_7_4_5_1_2_is_refused() {
    shut("SV-SOFT", "7.4.5.1.2", GateKind::Plan);
}
#[test]
fn without_its_precondition_7_4_5_1_3_is_refused() {
    shut("SV-SOFT", "7.4.5.1.3", GateKind::Precondition);
}
#[test]
fn without_its_precondition_7_4_5_1_3_a_is_refused() {
    shut("SV-SOFT", "7.4.5.1.3.a", GateKind::Precondition);
}
#[test]
fn without_its_record_7_4_5_1_3_b_is_refused() {
    shut("SV-SOFT", "7.4.5.1.3.b", GateKind::Record);
}
#[test]
fn without_its_test_7_4_5_1_3_c_is_refused() {
    shut("SV-SOFT", "7.4.5.1.3.c", GateKind::Test);
}
#[test]
fn without_its_record_7_4_5_1_4_is_refused() {
    shut("SV-SOFT", "7.4.5.1.4", GateKind::Record);
}
#[test]
fn without_its_confirmation_7_4_5_2_1_is_refused() {
    shut("SV-CHECKSEC", "7.4.5.2.1", GateKind::Confirmation);
}
#[test]
fn without_its_precondition_7_4_5_2_2_is_refused() {
    shut("SV-CHECKSEC", "7.4.5.2.2", GateKind::Precondition);
}
#[test]
fn without_its_record_7_4_5_2_3_is_refused() {
    shut("SV-CHECKSEC", "7.4.5.2.3", GateKind::Record);
}
#[test]
fn without_its_precondition_7_4_5_2_3_a_is_refused() {
    shut("SV-CHECKSEC", "7.4.5.2.3.a", GateKind::Precondition);
}
#[test]
fn without_its_record_7_4_5_2_3_b_is_refused() {
    shut("SV-CHECKSEC", "7.4.5.2.3.b", GateKind::Record);
}
#[test]
fn without_its_record_7_4_5_2_4_is_refused() {
    shut("SV-CHECKSEC", "7.4.5.2.4", GateKind::Record);
}
#[test]
fn without_its_confirmation_7_4_6_1_is_refused() {
    shut("SV-CABLE", "7.4.6.1", GateKind::Confirmation);
}
#[test]
fn without_its_plan_7_4_6_2_is_refused() {
    shut("SV-CABLE", "7.4.6.2", GateKind::Plan);
}
#[test]
fn without_its_precondition_7_4_6_3_is_refused() {
    shut("SV-CABLE", "7.4.6.3", GateKind::Precondition);
}
#[test]
fn without_its_record_7_4_6_3_a_is_refused() {
    shut("SV-CABLE", "7.4.6.3.a", GateKind::Record);
}
#[test]
fn without_its_test_7_4_6_3_b_is_refused() {
    shut("SV-CABLE", "7.4.6.3.b", GateKind::Test);
}
#[test]
fn without_its_test_7_4_6_3_c_is_refused() {
    shut("SV-CABLE", "7.4.6.3.c", GateKind::Test);
}
#[test]
fn without_its_record_7_4_6_4_is_refused() {
    shut("SV-CABLE", "7.4.6.4", GateKind::Record);
}
#[test]
fn without_its_confirmation_7_4_7_1_is_refused() {
    shut("SV-BACKUP", "7.4.7.1", GateKind::Confirmation);
}
#[test]
fn without_its_plan_7_4_7_2_is_refused() {
    shut("SV-BACKUP", "7.4.7.2", GateKind::Plan);
}
#[test]
fn without_its_precondition_7_4_7_3_is_refused() {
    shut("SV-BACKUP", "7.4.7.3", GateKind::Precondition);
}
#[test]
fn without_its_test_7_4_7_4_is_refused() {
    shut("SV-BACKUP", "7.4.7.4", GateKind::Test);
}
#[test]
fn without_its_precondition_7_4_7_5_is_refused() {
    shut("SV-BACKUP", "7.4.7.5", GateKind::Precondition);
}
#[test]
fn without_its_record_7_4_7_5_is_refused() {
    shut("SV-BACKUP", "7.4.7.5", GateKind::Record);
}
#[test]
fn without_its_record_7_4_7_6_is_refused() {
    shut("SV-BACKUP", "7.4.7.6", GateKind::Record);
}
#[test]
fn without_its_confirmation_7_4_8_1_is_refused() {
    shut("SV-MEETING", "7.4.8.1", GateKind::Confirmation);
}
#[test]
fn without_its_plan_7_4_8_2_is_refused() {
    shut("SV-MEETING", "7.4.8.2", GateKind::Plan);
}
#[test]
fn without_its_record_7_4_8_3_is_refused() {
    shut("SV-MEETING", "7.4.8.3", GateKind::Record);
}
#[test]
fn without_its_test_7_4_8_3_a_is_refused() {
    shut("SV-MEETING", "7.4.8.3.a", GateKind::Test);
}
#[test]
fn without_its_notification_7_4_8_3_b_is_refused() {
    shut("SV-MEETING", "7.4.8.3.b", GateKind::Notification);
}
#[test]
fn without_its_record_7_4_8_3_c_is_refused() {
    shut("SV-MEETING", "7.4.8.3.c", GateKind::Record);
}
#[test]
fn without_its_record_7_4_8_4_is_refused() {
    shut("SV-MEETING", "7.4.8.4", GateKind::Record);
}
#[test]
fn without_its_confirmation_7_4_9_1_is_refused() {
    shut("SV-SECCOOP", "7.4.9.1", GateKind::Confirmation);
}
#[test]
fn without_its_precondition_7_4_9_2_is_refused() {
    shut("SV-SECCOOP", "7.4.9.2", GateKind::Precondition);
}
#[test]
fn without_its_record_7_4_9_3_a_is_refused() {
    shut("SV-SECCOOP", "7.4.9.3.a", GateKind::Record);
}
#[test]
fn without_its_notification_7_4_9_3_c_is_refused() {
    shut("SV-SECCOOP", "7.4.9.3.c", GateKind::Notification);
}
#[test]
fn without_its_record_7_4_9_4_is_refused() {
    shut("SV-SECCOOP", "7.4.9.4", GateKind::Record);
}
#[test]
fn without_its_confirmation_7_4_10_1_is_refused() {
    shut("SV-SPARE", "7.4.10.1", GateKind::Confirmation);
}
#[test]
fn without_its_test_7_4_10_2_is_refused() {
    shut("SV-SPARE", "7.4.10.2", GateKind::Test);
}
#[test]
fn without_its_record_7_4_10_2_is_refused() {
    shut("SV-SPARE", "7.4.10.2", GateKind::Record);
}
#[test]
fn without_its_test_7_4_10_3_is_refused() {
    shut("SV-SPARE", "7.4.10.3", GateKind::Test);
}
#[test]
fn without_its_test_7_4_10_4_is_refused() {
    shut("SV-SPARE", "7.4.10.4", GateKind::Test);
}
#[test]
fn without_its_record_7_4_10_5_is_refused() {
    shut("SV-SPARE", "7.4.10.5", GateKind::Record);
}
#[test]
fn without_its_record_7_4_10_6_is_refused() {
    shut("SV-SPARE", "7.4.10.6", GateKind::Record);
}
#[test]
fn without_its_confirmation_7_4_11_1_is_refused() {
    shut("SV-CONSUM", "7.4.11.1", GateKind::Confirmation);
}
#[test]
fn without_its_record_7_4_11_2_is_refused() {
    shut("SV-CONSUM", "7.4.11.2", GateKind::Record);
}
#[test]
fn without_its_test_7_4_11_3_is_refused() {
    shut("SV-CONSUM", "7.4.11.3", GateKind::Test);
}
#[test]
fn without_its_record_7_4_11_4_is_refused() {
    shut("SV-CONSUM", "7.4.11.4", GateKind::Record);
}
#[test]
fn without_its_record_7_4_11_5_is_refused() {
    shut("SV-CONSUM", "7.4.11.5", GateKind::Record);
}
