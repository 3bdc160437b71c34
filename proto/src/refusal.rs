//! How a refusal travels: `google.rpc.Status` with a stable reason, the sentence in English and in Chinese (AIP-193), the
//! field that is wrong, the clause that asks for it, and whether to try again. The one place where a `Status` is made.
use std::{borrow::Cow, collections::HashMap, fmt::Display, time::Duration};

use tonic::Status;
use tonic_types::{ErrorDetails, FieldViolation, LocalizedMessage, StatusExt};

use crate::{Why, reasons::Reason};

/// The domain of every reason that the platform gives.
pub const DOMAIN: &str = "opsmesh.io";
/// The clauses of the standard, each under its number.
const CLAUSES: &str = "urn:opsmesh:standard:T-DGAG-038-2025:";
/// The language of the second sentence.
const CHINESE: &str = "zh-CN";
/// What is quoted of a value: a refusal travels in the trailers of its call, which are small.
const QUOTED: usize = 200;

/// A refusal the caller can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: &'static Reason,
    /// What the sentences of the reason speak of; programs find them in the metadata of `google.rpc.ErrorInfo`.
    pub values: Vec<(&'static str, String)>,
    /// What `{why}` stands for in the sentences.
    pub why: Option<Why>,
    /// The path of the field that is wrong.
    pub field: Option<String>,
    /// After how long the same request may be sent again.
    pub retry: Option<Duration>,
}

impl Refusal {
    /// The same with another value.
    #[must_use]
    pub fn and(mut self, name: &'static str, value: impl Display) -> Self {
        self.values.push((name, quoted(&value.to_string()).into_owned()));
        self
    }

    /// The same, for this cause.
    #[must_use]
    pub fn because(self, why: Why) -> Self {
        Self { why: Some(why), ..self }
    }

    /// The same, to be sent again after `wait`.
    #[must_use]
    pub fn again_after(self, wait: Duration) -> Self {
        Self { retry: Some(wait), ..self }
    }

    /// A sentence of the reason, with the values and the cause in it. Values are put in in one pass: what a caller wrote is never read as
    /// a place for another value.
    fn sentence(&self, template: &str, why: Option<&str>) -> String {
        let mut sentence = String::with_capacity(template.len() + 32);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            sentence.push_str(before);
            let value = self.values.iter().find(|(of, _)| *of == name).map(|(_, value)| value.as_str());
            sentence.push_str(why.filter(|_| name == "why").or(value).unwrap_or("?"));
            rest = after;
        }
        sentence.push_str(rest);
        sentence
    }
}

/// As much of a text as is quoted.
fn quoted(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let why = refusal.why.as_ref().map(|why| (quoted(&why.en), quoted(&why.zh)));
        let (why_en, why_zh) = (why.as_ref().map(|(en, _)| &**en), why.as_ref().map(|(_, zh)| &**zh));
        let en = refusal.sentence(refusal.reason.en, why_en);
        let zh = refusal.sentence(refusal.reason.zh, why_zh);
        let values = refusal.values.iter().map(|(name, value)| (*name, value.as_str())).chain(why_en.map(|why| ("why", why)));
        let metadata: HashMap<String, String> = values.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut details = ErrorDetails::with_error_info(refusal.reason.name, DOMAIN, metadata);
        if let (Some(field), Some(Why { en, zh })) = (refusal.field, refusal.why) {
            let localized_message = Some(LocalizedMessage::new(CHINESE, zh));
            details.set_bad_request(vec![FieldViolation { field, description: en, reason: String::new(), localized_message }]);
        }
        if let Some(clause) = refusal.reason.clause {
            details.set_help(vec![tonic_types::HelpLink::new(format!("T/DGAG 038-2025 {clause}"), format!("{CLAUSES}{clause}"))]);
        }
        if let Some(wait) = refusal.retry {
            details.set_retry_info(Some(wait));
        }
        details.set_localized_message(CHINESE, zh);
        Status::with_error_details(refusal.reason.code, en, details)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Invalid, reasons, why};

    #[test]
    fn a_refusal_says_its_clause_and_both_sentences() {
        let status = Status::from(reasons::TICKET_NOT_CONFIRMED.with("ticket", 7));
        assert_eq!(status.message(), "ticket 7 is not confirmed by its user and cannot be closed");
        assert_eq!(status.get_details_localized_message().unwrap().message, "工单 7 未经使用方确认，不能关闭");
        assert_eq!(status.get_details_help().unwrap().links[0].description, "T/DGAG 038-2025 7.4.1.6");
        assert_eq!(status.get_details_error_info().unwrap().metadata["ticket"], "7");
        assert!(status.get_details_retry_info().is_none());
    }

    #[test]
    fn a_field_says_why_it_is_wrong_in_both_languages() {
        let status = Status::from(Invalid::new("count", why!("must be 1 to 20", "须为 1 到 20")));
        assert_eq!(status.message(), "count: must be 1 to 20");
        assert_eq!(status.get_details_error_info().unwrap().metadata["why"], "must be 1 to 20");
        assert_eq!(status.get_details_localized_message().unwrap().message, "字段 count 不正确：须为 1 到 20");
        let violation = &status.get_details_bad_request().unwrap().field_violations[0];
        assert_eq!((violation.field.as_str(), violation.description.as_str()), ("count", "must be 1 to 20"));
        assert_eq!(violation.localized_message.as_ref().unwrap().message, "须为 1 到 20");
    }

    #[test]
    fn what_may_be_sent_again_says_when() {
        let status = Status::from(reasons::RATE_LIMITED.with("budget", "gz").again_after(Duration::from_millis(250)));
        assert_eq!(status.get_details_retry_info().unwrap().retry_delay, Some(Duration::from_millis(250)));
    }

    proptest! {
        #[test]
        fn a_value_is_said_as_it_is_and_never_read_as_a_place(why in "[{}a-z]{0,20}") {
            let refusal = reasons::INVALID_FIELD.with("field", "{why}").because(Why::quoted(&why));
            let status = Status::from(refusal);
            prop_assert_eq!(status.message(), format!("{{why}}: {why}"));
        }

        #[test]
        fn every_reason_makes_a_status_whatever_the_values(value in "\\PC{0,300}") {
            for reason in reasons::ALL {
                let mut refusal = reason.refusal().because(Why::quoted(&value));
                for name in ["ticket", "device", "plan", "run", "finding", "agency", "subject", "rpc"] {
                    refusal = refusal.and(name, &value);
                }
                let status = Status::from(refusal);
                prop_assert_eq!(status.get_details_error_info().unwrap().reason, reason.name);
                prop_assert!(status.message().chars().count() <= 500);
            }
        }
    }
}
