//! Why somebody is not let in, and what they are told.
use std::sync::Arc;

use proto::{Refusal, Why, reasons};

use crate::certificate::Badge;

/// Why a token opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Rejected {
    #[error("the call carries no bearer token (metadata `authorization: Bearer …`)")]
    Missing,
    #[error("the bearer token is not a JWT: {0}")]
    Malformed(Why),
    #[error("tokens of the issuer `{0}` are not accepted here")]
    Issuer(String),
    #[error("the token is for another audience; here it must be `{0}`")]
    Audience(String),
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid: {0}")]
    Invalid(Why),
    #[error("the keys of the issuer cannot be had right now")]
    KeysAway,
    #[error("the certificate names nobody who is known here: {0}")]
    Certificate(Why),
    #[error("the token may not be shown with this certificate")]
    Swapped(Option<Arc<Badge>>),
}

impl From<Rejected> for Refusal {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::Missing => reasons::TOKEN_MISSING.refusal(),
            Rejected::Malformed(why) => reasons::TOKEN_MALFORMED.refusal().because(why),
            Rejected::Issuer(issuer) => reasons::ISSUER_UNKNOWN.with("issuer", issuer),
            Rejected::Audience(audience) => reasons::TOKEN_AUDIENCE.with("audience", audience),
            Rejected::Expired => reasons::TOKEN_EXPIRED.refusal(),
            Rejected::Invalid(why) => reasons::TOKEN_INVALID.refusal().because(why),
            Rejected::KeysAway => reasons::KEYS_UNAVAILABLE.refusal(),
            Rejected::Certificate(why) => reasons::CERTIFICATE_UNKNOWN.refusal().because(why),
            Rejected::Swapped(_) => reasons::TOKEN_SWAPPED.refusal(),
        }
    }
}
