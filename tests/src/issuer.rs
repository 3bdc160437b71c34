//! An issuer of a test's own: people's tokens and pods' tokens, signed with a key that only this test knows.
use std::path::PathBuf;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use serde_json::{Value, json};

/// The issuer of people's tokens.
pub const PEOPLE: &str = "https://people.test";
/// The issuer of pods' tokens.
pub const WORKLOADS: &str = "https://kubernetes.test";
const AUDIENCE: &str = "opsmesh";
const KEY_ID: &str = "test";

/// Signs tokens.
pub struct Issuer {
    key: EncodingKey,
    file: PathBuf,
}

impl Issuer {
    /// With a new key, whose public half is written to `file`.
    #[must_use]
    pub fn new(file: PathBuf) -> Self {
        // A random number is a key, but for one in 2³².
        let secret = loop {
            let bytes = [uuid(), uuid()].concat();
            if let Ok(secret) = p256::SecretKey::from_slice(&bytes) {
                break secret;
            }
        };
        let pem = secret.to_pkcs8_pem(LineEnding::LF).unwrap();
        let key = EncodingKey::from_ec_pem(pem.as_bytes()).unwrap();
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
        jwk.common.key_id = Some(KEY_ID.into());
        std::fs::write(&file, json!({"keys": [jwk]}).to_string()).unwrap();
        Self { key, file }
    }

    /// Where the public key is, as settings name it.
    pub(crate) fn keys(&self) -> String {
        format!("file:{}", self.file.display())
    }

    /// Signs any claims.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(KEY_ID.into()), ..Header::new(Algorithm::ES256) };
        encode(&header, claims, &self.key).unwrap()
    }

    /// The claims of a person's token that opens doors for an hour.
    #[must_use]
    pub fn person(&self, name: &str, roles: &[&str], agencies: &[&str]) -> Value {
        let now = now();
        json!({"iss": PEOPLE, "sub": name, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 3600, "roles": roles, "agencies": agencies})
    }

    /// The claims of a projected service-account token.
    #[must_use]
    pub fn workload(&self, namespace: &str, account: &str, audience: &str) -> Value {
        let now = now();
        json!({
            "iss": WORKLOADS, "sub": format!("system:serviceaccount:{namespace}:{account}"), "aud": [audience],
            "iat": now, "nbf": now, "exp": now + 3600, "kubernetes.io": {"namespace": namespace},
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "a token's life is counted by the real clock")]
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[expect(clippy::disallowed_methods, reason = "a test's key is nobody's but its own")]
fn uuid() -> [u8; 16] {
    // Sixteen random bytes, of which six bits say that they are.
    *uuid::Uuid::new_v4().as_bytes()
}
