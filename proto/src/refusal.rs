//! How a refusal travels: `google.rpc.Status` with a stable reason, the sentence in English and in Chinese (AIP-193).
use std::time::Duration;

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

impl Refusal {
    /// The refusal, with when the same request may come again (`google.rpc.RetryInfo`).
    #[must_use]
    pub fn again_after(self, pause: Duration) -> Status {
        let mut details = self.details();
        details.set_retry_info(Some(pause));
        Status::with_error_details(self.code, self.en, details)
    }

    fn details(&self) -> ErrorDetails {
        let mut details = ErrorDetails::with_error_info(self.reason, DOMAIN, std::collections::HashMap::new());
        details.set_localized_message("zh-CN", &self.zh);
        details
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let details = refusal.details();
        Status::with_error_details(refusal.code, refusal.en, details)
    }
}
