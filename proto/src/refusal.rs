//! How a refusal travels: `google.rpc.Status` with a stable reason, the sentence in English and in Chinese (AIP-193).
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The domain of every reason that the platform gives.
pub const DOMAIN: &str = "opsmesh.io";

/// A refusal the caller can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The gRPC code.
    pub code: Code,
    /// Stable, in `UPPER_SNAKE_CASE`; programs compare it.
    pub reason: &'static str,
    /// For people, English.
    pub en: String,
    /// For people, Chinese.
    pub zh: String,
}

impl From<Refusal> for Status {
    fn from(Refusal { code, reason, en, zh }: Refusal) -> Self {
        let mut details = ErrorDetails::with_error_info(reason, DOMAIN, std::collections::HashMap::new());
        details.set_localized_message("zh-CN", zh);
        Status::with_error_details(code, en, details)
    }
}
