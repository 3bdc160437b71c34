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

/// Signs tokens, with the newest of its keys.
pub struct Issuer {
    keys: Vec<Key>,
    file: PathBuf,
}

struct Key {
    private: EncodingKey,
    public: Jwk,
}

impl Key {
    fn new(id: &str) -> Self {
        // A random number is a key, but for one in 2³².
        let secret = loop {
            let bytes = [uuid(), uuid()].concat();
            if let Ok(secret) = p256::SecretKey::from_slice(&bytes) {
                break secret;
            }
        };
        let pem = secret.to_pkcs8_pem(LineEnding::LF).unwrap();
        let private = EncodingKey::from_ec_pem(pem.as_bytes()).unwrap();
        let mut public = Jwk::from_encoding_key(&private, Algorithm::ES256).unwrap();
        public.common.key_id = Some(id.into());
        Self { private, public }
    }
}

impl Issuer {
    /// With a new key, whose public half is written to `file`.
    #[must_use]
    pub fn new(file: PathBuf) -> Self {
        let issuer = Self { keys: vec![Key::new("test")], file };
        issuer.publish();
        issuer
    }

    /// Takes a new key, beside those that it has.
    pub fn rotate(&mut self) {
        self.keys.push(Key::new(&format!("test-{}", self.keys.len())));
        self.publish();
    }

    /// Is away: its keys cannot be had.
    pub fn go_away(&self) {
        std::fs::remove_file(&self.file).unwrap();
    }

    /// Says what its keys are.
    fn publish(&self) {
        let keys: Vec<&Jwk> = self.keys.iter().map(|key| &key.public).collect();
        // At once: nobody reads half of it.
        let new = self.file.with_extension("new");
        std::fs::write(&new, json!({"keys": keys}).to_string()).unwrap();
        std::fs::rename(new, &self.file).unwrap();
    }

    /// Where the public key is, as settings name it.
    pub(crate) fn keys(&self) -> String {
        format!("file:{}", self.file.display())
    }

    /// Signs any claims.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        Self::sign_with(self.keys.last().unwrap(), claims)
    }

    /// Signs with the first key it had.
    #[must_use]
    pub fn sign_as_before(&self, claims: &Value) -> String {
        Self::sign_with(&self.keys[0], claims)
    }

    fn sign_with(key: &Key, claims: &Value) -> String {
        let header = Header { kid: key.public.common.key_id.clone(), ..Header::new(Algorithm::ES256) };
        encode(&header, claims, &key.private).unwrap()
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
