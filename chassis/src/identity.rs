//! From a bearer token to a [`Caller`]: people's tokens carry their roles and agencies; a workload's projected
//! service-account token says which pod it is, and the settings say what that makes it.
use std::{collections::BTreeMap, path::PathBuf};

use http::{HeaderMap, header::AUTHORIZATION};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk},
};
use serde::Deserialize;
use tonic::{Code, Status};

use crate::{
    Agency, Caller, Role,
    caller::Reach,
    keys::{Keys, Source},
};

/// An issuer whose tokens open the doors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub enum IssuerSettings {
    /// An OpenID Connect provider: the token's claims `roles` and `agencies` (`*`: all) say what its bearer may.
    People {
        /// `iss`.
        issuer: String,
        /// `aud`.
        audience: String,
        /// Where its JWKS is.
        keys: String,
    },
    /// A Kubernetes API server: a service account named here has that role; any other is a worker of its namespace.
    Workloads {
        /// `iss`.
        issuer: String,
        /// `aud`.
        audience: String,
        /// Where its JWKS is.
        keys: String,
        /// The certificate authority of that address.
        ca_file: Option<PathBuf>,
        /// A token that may read it.
        bearer_file: Option<PathBuf>,
        /// `system:serviceaccount:{namespace}:{name}` to role.
        roles: BTreeMap<String, Role>,
    },
}

/// Everybody whose tokens open the doors.
#[derive(Debug)]
pub(crate) struct Identity(Vec<Issuer>);

#[derive(Debug)]
struct Issuer {
    issuer: String,
    audience: String,
    keys: Keys,
    /// `None`: people.
    workloads: Option<BTreeMap<String, Role>>,
}

/// Why a token opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Rejected {
    #[error("the call carries no bearer token (metadata `authorization: Bearer …`)")]
    Missing,
    #[error("the bearer token is not a JWT: {0}")]
    Malformed(String),
    #[error("tokens of the issuer `{0}` are not accepted here")]
    Issuer(String),
    #[error("the token is for another audience; here it must be `{0}`")]
    Audience(String),
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid: {0}")]
    Invalid(String),
    #[error("the keys of the issuer cannot be had right now")]
    KeysAway,
}

impl From<Rejected> for Status {
    fn from(rejected: Rejected) -> Self {
        let en = rejected.to_string();
        let (code, reason, zh) = match rejected {
            Rejected::Missing => (Code::Unauthenticated, "TOKEN_MISSING", "请求未携带令牌（authorization: Bearer …）".to_owned()),
            Rejected::Malformed(_) => (Code::Unauthenticated, "TOKEN_MALFORMED", "令牌不是有效的 JWT".to_owned()),
            Rejected::Issuer(issuer) => (Code::Unauthenticated, "ISSUER_UNKNOWN", format!("此处不接受签发者“{issuer}”的令牌")),
            Rejected::Audience(audience) => (Code::Unauthenticated, "TOKEN_AUDIENCE", format!("令牌的受众应为“{audience}”")),
            Rejected::Expired => (Code::Unauthenticated, "TOKEN_EXPIRED", "令牌已过期".to_owned()),
            Rejected::Invalid(why) => (Code::Unauthenticated, "TOKEN_INVALID", format!("令牌无效：{why}")),
            Rejected::KeysAway => (Code::Unavailable, "KEYS_UNAVAILABLE", "暂时无法取得签发者的公钥".to_owned()),
        };
        proto::Refusal { code, reason, en, zh }.into()
    }
}

#[derive(Debug, Deserialize)]
struct Claimed {
    #[serde(default)]
    iss: String,
}

#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    agencies: Vec<String>,
    #[serde(rename = "kubernetes.io")]
    kubernetes: Option<Pod>,
}

#[derive(Debug, Deserialize)]
struct Pod {
    namespace: String,
}

impl Identity {
    pub(crate) fn new(settings: &[IssuerSettings]) -> Self {
        let issuer = |settings: &IssuerSettings| match settings.clone() {
            IssuerSettings::People { issuer, audience, keys } => Issuer {
                issuer,
                audience,
                keys: Keys::new(Source { url: keys, ca_file: None, bearer_file: None }),
                workloads: None,
            },
            IssuerSettings::Workloads { issuer, audience, keys, ca_file, bearer_file, roles } => {
                Issuer { issuer, audience, keys: Keys::new(Source { url: keys, ca_file, bearer_file }), workloads: Some(roles) }
            }
        };
        Self(settings.iter().map(issuer).collect())
    }

    /// Who sent these headers.
    pub(crate) async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Rejected> {
        let token = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")))
            .ok_or(Rejected::Missing)?
            .trim();
        let malformed = |error: jsonwebtoken::errors::Error| Rejected::Malformed(error.to_string());
        let header = jsonwebtoken::decode_header(token).map_err(malformed)?;
        // Only to know whose keys to ask; nothing is believed before the signature is.
        let claimed: Claimed = jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(malformed)?;
        let issuer = self.0.iter().find(|issuer| issuer.issuer == claimed.iss).ok_or(Rejected::Issuer(claimed.iss))?;
        let key = issuer.keys.find(header.kid.as_deref()).await.map_err(|error| {
            tracing::warn!(error = format!("{error:#}"), issuer = issuer.issuer, "keys of the issuer cannot be had");
            Rejected::KeysAway
        })?;
        let key = key.ok_or_else(|| Rejected::Invalid("the issuer has no such key".into()))?;
        issuer.verify(token, &key)
    }
}

impl Issuer {
    fn verify(&self, token: &str, key: &Jwk) -> Result<Caller, Rejected> {
        let mut validation = Validation::new(algorithm(key)?);
        validation.validate_nbf = true;
        validation.set_audience(&[&self.audience]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let decoding = DecodingKey::from_jwk(key).map_err(|error| Rejected::Invalid(error.to_string()))?;
        let claims = jsonwebtoken::decode::<Claims>(token, &decoding, &validation).map_err(|error| match error.kind() {
            ErrorKind::InvalidAudience => Rejected::Audience(self.audience.clone()),
            ErrorKind::ExpiredSignature => Rejected::Expired,
            _ => Rejected::Invalid(error.to_string()),
        })?;
        self.recognise(claims.claims)
    }

    fn recognise(&self, claims: Claims) -> Result<Caller, Rejected> {
        let Claims { sub, roles, agencies, kubernetes } = claims;
        let subject = sub.as_str().into();
        match &self.workloads {
            None => {
                let roles = roles.into_iter().filter_map(|word| person(&word)).collect();
                let reach = if agencies.iter().any(|agency| agency == "*") {
                    Reach::Everywhere
                } else {
                    Reach::Agencies(agencies.iter().filter_map(|agency| agency.parse::<Agency>().ok()).collect())
                };
                Ok(Caller { subject, roles, reach })
            }
            Some(known) => match (known.get(&sub), kubernetes) {
                (Some(role), _) => Ok(Caller { subject, roles: [*role].into(), reach: Reach::Everywhere }),
                (None, Some(pod)) => Ok(Caller { subject, roles: [].into(), reach: Reach::Namespace(pod.namespace.into()) }),
                (None, None) => Err(Rejected::Invalid("it is bound to no namespace".into())),
            },
        }
    }
}

/// The role that a person's claim names. A person's token cannot make its bearer a part of the platform; a word that we do
/// not know gives nothing.
fn person(word: &str) -> Option<Role> {
    let role: Role = serde_json::from_value(word.into()).ok()?;
    match role {
        Role::DeskAgent | Role::Engineer | Role::Requester | Role::Manager | Role::Auditor | Role::Admin => Some(role),
        Role::Operator | Role::Service => None,
    }
}

/// The one algorithm that a key is for, whatever a token says of itself.
fn algorithm(key: &Jwk) -> Result<Algorithm, Rejected> {
    match &key.algorithm {
        AlgorithmParameters::RSA(_) => Ok(Algorithm::RS256),
        AlgorithmParameters::EllipticCurve(parameters) => match parameters.curve {
            EllipticCurve::P256 => Ok(Algorithm::ES256),
            EllipticCurve::P384 => Ok(Algorithm::ES384),
            _ => Err(Rejected::Invalid("its key is of a curve that is not accepted".into())),
        },
        AlgorithmParameters::OctetKeyPair(_) => Ok(Algorithm::EdDSA),
        _ => Err(Rejected::Invalid("its key is of a kind that is not accepted".into())),
    }
}
