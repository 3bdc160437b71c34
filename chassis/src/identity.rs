//! From a bearer token to whoever is calling: people's tokens carry their roles and agencies; a workload's projected
//! service-account token says which pod it is, and the settings say what that makes it.
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use http::{Extensions, HeaderMap, header::AUTHORIZATION};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk},
};
use proto::{Why, why};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{
    Agency, Role,
    caller::{Reach, Who},
    certificate::{Badge, Badges, CertificateSettings},
    keys::{Keys, Source},
    rejected::Rejected,
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

/// Clocks of issuers may differ from ours by so much.
const SKEW: Duration = Duration::from_secs(60);
/// A token that was verified is not verified again for so long (a signature takes 18 to 115 µs): also how long a key that
/// its issuer withdrew can still open a door.
const VERIFIED_FOR: Duration = Duration::from_secs(60);
/// Tokens remembered as verified. More at once, and all are verified again: nothing but time is lost.
const REMEMBERED: usize = 10_000;

/// Everybody whose tokens open the doors.
#[derive(Debug)]
pub(crate) struct Identity {
    issuers: Vec<Issuer>,
    badges: Badges,
    verified: Mutex<HashMap<[u8; 32], Verified>>,
}

/// Whose token it is, and until when that is believed without looking again.
#[derive(Debug, Clone)]
struct Verified {
    who: Arc<Who>,
    /// The one certificate with which it may be shown (RFC 8705).
    bound: Option<Arc<str>>,
    until: Instant,
}

#[derive(Debug)]
struct Issuer {
    issuer: String,
    audience: String,
    keys: Keys,
    /// `None`: people.
    workloads: Option<BTreeMap<String, Role>>,
}

#[derive(Debug, Deserialize)]
struct Claimed {
    #[serde(default)]
    iss: String,
}

#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    agencies: Vec<String>,
    #[serde(rename = "kubernetes.io")]
    kubernetes: Option<Pod>,
    cnf: Option<Confirmation>,
}

/// To what a token is bound (RFC 7800).
#[derive(Debug, Deserialize)]
struct Confirmation {
    #[serde(rename = "x5t#S256")]
    certificate: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Pod {
    namespace: String,
}

impl Identity {
    pub(crate) fn new(settings: &[IssuerSettings], certificates: Option<&CertificateSettings>) -> Self {
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
        Self { issuers: settings.iter().map(issuer).collect(), badges: Badges::new(certificates), verified: Mutex::default() }
    }

    /// Who sent these headers, through a connection of which `extensions` tells.
    pub(crate) async fn caller(&self, headers: &HeaderMap, extensions: &Extensions) -> Result<Arc<Who>, Rejected> {
        let badge = self.badges.of(extensions).map_err(Rejected::Certificate)?;
        let token = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")));
        let Some(token) = token else {
            return badge.map(|badge| badge.who.clone()).ok_or(Rejected::Missing);
        };
        let Verified { who, bound, until: _ } = self.verified(token.trim()).await?;
        if fits(&who, bound.as_deref(), badge.as_deref()) { Ok(who) } else { Err(Rejected::Swapped(badge)) }
    }

    /// Whose token it is.
    async fn verified(&self, token: &str) -> Result<Verified, Rejected> {
        let digest = Sha256::digest(token).into();
        if let Some(verified) = self.remembered(&digest, Instant::now()) {
            return Ok(verified);
        }
        // In a box: a call whose token is known does not carry what it takes to know one.
        Box::pin(self.verify(token, digest)).await
    }

    async fn verify(&self, token: &str, digest: [u8; 32]) -> Result<Verified, Rejected> {
        let malformed = |error: jsonwebtoken::errors::Error| Rejected::Malformed(Why::quoted(error));
        let header = jsonwebtoken::decode_header(token).map_err(malformed)?;
        // Only to know whose keys to ask; nothing is believed before the signature is.
        let claimed: Claimed = jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(malformed)?;
        let issuer = self.issuers.iter().find(|issuer| issuer.issuer == claimed.iss).ok_or(Rejected::Issuer(claimed.iss))?;
        let key = issuer.keys.find(header.kid.as_deref(), Instant::now()).await.map_err(|error| {
            tracing::warn!(error = format!("{error:#}"), issuer = issuer.issuer, "keys of the issuer cannot be had");
            Rejected::KeysAway
        })?;
        let key = key.ok_or_else(|| Rejected::Invalid(why!("the issuer has no such key", "签发者没有此密钥")))?;
        let (who, bound, expires) = issuer.verify(token, &key)?;
        Ok(self.remember(digest, Arc::new(who), bound, expires))
    }

    fn remembered(&self, digest: &[u8; 32], now: Instant) -> Option<Verified> {
        let verified = self.verified.lock().expect("nobody panics while remembering");
        verified.get(digest).filter(|verified| now < verified.until).cloned()
    }

    /// Remembers a verified token, never beyond its own end.
    fn remember(&self, digest: [u8; 32], who: Arc<Who>, bound: Option<Arc<str>>, expires: u64) -> Verified {
        let left = Duration::from_secs(expires.saturating_sub(jsonwebtoken::get_current_timestamp()));
        let until = Instant::now() + left.min(VERIFIED_FOR);
        let new = Verified { who, bound, until };
        let mut verified = self.verified.lock().expect("nobody panics while remembering");
        if verified.len() >= REMEMBERED {
            let now = Instant::now();
            verified.retain(|_, verified| now < verified.until);
            if verified.len() >= REMEMBERED {
                verified.clear();
            }
        }
        verified.insert(digest, new.clone());
        new
    }
}

/// Whether somebody may show this token here: one that is bound to a certificate only with that certificate, and with an agency's certificate only
/// that agency's tokens.
fn fits(who: &Who, bound: Option<&str>, badge: Option<&Badge>) -> bool {
    let bound_to_another = bound.is_some_and(|bound| badge.is_none_or(|badge| badge.thumbprint != bound));
    let of_another = badge.and_then(|badge| badge.agency.as_ref()).is_some_and(|agency| match &who.reach {
        Reach::Agencies(agencies) => agencies.iter().any(|theirs| theirs != agency),
        Reach::Everywhere | Reach::Namespace(_) => true,
    });
    !bound_to_another && !of_another
}

impl Issuer {
    /// Whose token it is, to which certificate it is bound, and when it ends.
    fn verify(&self, token: &str, key: &Jwk) -> Result<(Who, Option<Arc<str>>, u64), Rejected> {
        let mut validation = Validation::new(algorithm(key)?);
        validation.leeway = SKEW.as_secs();
        validation.validate_nbf = true;
        validation.set_audience(&[&self.audience]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let decoding = DecodingKey::from_jwk(key).map_err(|error| Rejected::Invalid(Why::quoted(error)))?;
        let mut claims = jsonwebtoken::decode::<Claims>(token, &decoding, &validation).map_err(|error| match error.kind() {
            ErrorKind::InvalidAudience => Rejected::Audience(self.audience.clone()),
            ErrorKind::ExpiredSignature => Rejected::Expired,
            _ => Rejected::Invalid(Why::quoted(error)),
        })?;
        let expires = claims.claims.exp;
        let bound = claims.claims.cnf.take().and_then(|cnf| cnf.certificate).map(Into::into);
        Ok((self.recognise(claims.claims)?, bound, expires))
    }

    fn recognise(&self, claims: Claims) -> Result<Who, Rejected> {
        let Claims { sub, exp: _, roles, agencies, kubernetes, cnf: _ } = claims;
        let subject = sub.as_str().into();
        match &self.workloads {
            None => {
                let roles = roles.into_iter().filter_map(|word| Role::of_post(&word)).collect();
                let reach = if agencies.iter().any(|agency| agency == "*") {
                    Reach::Everywhere
                } else {
                    Reach::Agencies(agencies.iter().filter_map(|agency| agency.parse::<Agency>().ok()).collect())
                };
                Ok(Who { subject, roles, reach })
            }
            Some(known) => match (known.get(&sub), kubernetes) {
                (Some(role), _) => Ok(Who { subject, roles: [*role].into(), reach: Reach::Everywhere }),
                (None, Some(pod)) => {
                    Ok(Who { subject, roles: [Role::Inspector].into(), reach: Reach::Namespace(pod.namespace.into()) })
                }
                (None, None) => Err(Rejected::Invalid(why!("it is bound to no namespace", "未绑定命名空间"))),
            },
        }
    }
}

/// The one algorithm that a key is for, whatever a token says of itself.
fn algorithm(key: &Jwk) -> Result<Algorithm, Rejected> {
    match &key.algorithm {
        AlgorithmParameters::RSA(_) => Ok(Algorithm::RS256),
        AlgorithmParameters::EllipticCurve(parameters) => match parameters.curve {
            EllipticCurve::P256 => Ok(Algorithm::ES256),
            EllipticCurve::P384 => Ok(Algorithm::ES384),
            _ => Err(Rejected::Invalid(why!("its key is of a curve that is not accepted", "不接受其密钥所用的曲线"))),
        },
        AlgorithmParameters::OctetKeyPair(_) => Ok(Algorithm::EdDSA),
        _ => Err(Rejected::Invalid(why!("its key is of a kind that is not accepted", "不接受其密钥的类型"))),
    }
}

#[cfg(test)]
mod tests {
    use ::tests::{Issuer as Signer, PEOPLE, WORKLOADS};
    use http::HeaderValue;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// An issuer, and the door that believes it.
    fn door(test: &str) -> (Signer, Identity) {
        let file = std::env::temp_dir().join(format!("opsmesh-{}-{test}.json", std::process::id()));
        let keys = format!("file:{}", file.display());
        let settings = [
            IssuerSettings::People { issuer: PEOPLE.into(), audience: "opsmesh".into(), keys: keys.clone() },
            IssuerSettings::Workloads {
                issuer: WORKLOADS.into(),
                audience: "opsmesh".into(),
                keys,
                ca_file: None,
                bearer_file: None,
                roles: BTreeMap::new(),
            },
        ];
        (Signer::new(file), Identity::new(&settings, None))
    }

    async fn ask(identity: &Identity, token: &str) -> Result<Arc<Who>, Rejected> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| Rejected::Missing)?);
        identity.caller(&headers, &Extensions::new()).await
    }

    #[tokio::test]
    async fn clocks_may_differ_by_a_minute_and_not_by_two() {
        let (signer, identity) = door("skew");
        let now = i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap();
        let token = |exp: i64, nbf: i64| {
            let mut claims = signer.person("li", &["engineer"], &["gz"]);
            (claims["exp"], claims["nbf"]) = ((now + exp).into(), (now + nbf).into());
            signer.sign(&claims)
        };
        assert!(ask(&identity, &token(-30, -90)).await.is_ok());
        assert!(ask(&identity, &token(600, 30)).await.is_ok());
        assert_eq!(ask(&identity, &token(-120, -300)).await, Err(Rejected::Expired));
        assert!(matches!(ask(&identity, &token(600, 120)).await, Err(Rejected::Invalid(_))));
    }

    #[tokio::test]
    async fn a_token_that_was_verified_is_not_verified_again_nor_believed_beyond_its_end() {
        let (signer, identity) = door("remembered");
        let token = signer.sign(&signer.person("li", &["engineer"], &["gz"]));
        let first = ask(&identity, &token).await.unwrap();
        assert!(Arc::ptr_eq(&first, &ask(&identity, &token).await.unwrap()));
        let digest = Sha256::digest(&token).into();
        assert!(identity.remembered(&digest, Instant::now() + VERIFIED_FOR).is_none());
        identity.remember(digest, first, None, jsonwebtoken::get_current_timestamp());
        assert!(identity.remembered(&digest, Instant::now()).is_none(), "at its end it is verified again");
    }

    #[tokio::test]
    async fn a_key_that_is_new_is_found_and_one_that_is_gone_opens_nothing() {
        let (old, identity) = door("rotation");
        let claims = old.person("li", &["engineer"], &["gz"]);
        assert!(ask(&identity, &old.sign(&claims)).await.is_ok());
        // The file now has another key under the same name; a fresh door believes only that one.
        let (new, identity) = door("rotation");
        assert!(ask(&identity, &new.sign(&claims)).await.is_ok());
        assert!(matches!(
            ask(&identity, &old.sign(&json!({"iss": PEOPLE, "sub": "x", "aud": "opsmesh", "exp": 9_000_000_000_u64}))).await,
            Err(Rejected::Invalid(_))
        ));
    }

    proptest! {
        #[test]
        fn whatever_is_shown_as_a_token_is_refused_and_breaks_nothing(
            parts in prop::collection::vec("[A-Za-z0-9_-]{0,40}|\\PC{0,10}", 0..5),
            spoiled in prop::option::of((0..200_usize, any::<u8>())),
        ) {
            let (signer, identity) = door("fuzz");
            let mut token = parts.join(".");
            if let Some((at, byte)) = spoiled {
                let mut bytes = signer.sign(&signer.person("li", &["admin"], &["*"])).into_bytes();
                let at = at % bytes.len();
                prop_assume!(bytes[at] != byte && byte.is_ascii_graphic());
                // The last sign of a signature has bits that mean nothing.
                prop_assume!(at + 1 < bytes.len());
                bytes[at] = byte;
                token = String::from_utf8(bytes).unwrap();
            }
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let answer = runtime.block_on(ask(&identity, &token));
            prop_assert!(matches!(answer, Err(ref rejected) if *rejected != Rejected::KeysAway), "{:?}", answer);
        }
    }
}
