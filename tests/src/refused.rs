//! What a refusal says of the field that is wrong.
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// The path of the field that a refusal names, and why in English and in Chinese.
///
/// # Panics
///
/// If it names none, or speaks one language only.
#[must_use]
pub fn wrong_field(refused: &Status) -> String {
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    let chinese = |text: &str| text.contains(|c| ('一'..='鿿').contains(&c));
    let sentence = refused.get_details_localized_message().expect("a refusal speaks Chinese");
    assert_eq!(sentence.locale, "zh-CN");
    let violations = refused.get_details_bad_request().expect("a refusal names the field").field_violations;
    let [violation] = &violations[..] else { panic!("{violations:?}") };
    let why = violation.localized_message.as_ref().expect("a violation speaks Chinese").message.as_str();
    assert!(chinese(why) && sentence.message.ends_with(why), "{why}: {}", sentence.message);
    assert!(!violation.description.is_empty() && refused.message().ends_with(&violation.description), "{refused:?}");
    violation.field.clone()
}
