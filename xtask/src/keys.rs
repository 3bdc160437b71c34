//! Elliptic-curve keys (P-256): they sign certificates, and tokens.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use rcgen::{PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm};
use serde_json::{Value, json};

use crate::instance::{fingerprint, random};

/// A private key with its public point.
pub(crate) struct Key {
    secret: SecretKey,
    point: Vec<u8>,
}

impl Key {
    /// The key in this file; a fresh one if there is none.
    pub(crate) fn kept(file: &Path) -> Result<Self> {
        match fs::read_to_string(file) {
            Ok(text) => Ok(Self::new(
                SecretKey::from_pkcs8_pem(&text).with_context(|| format!("{} is not a key of ours", file.display()))?,
            )),
            Err(_) => {
                let fresh = Self::fresh()?;
                fresh.keep(file)?;
                Ok(fresh)
            }
        }
    }

    /// A key that nobody has seen yet.
    pub(crate) fn fresh() -> Result<Self> {
        // All but a vanishing share of 32-byte numbers is a key.
        loop {
            if let Ok(secret) = SecretKey::from_slice(&random::<32>()?) {
                return Ok(Self::new(secret));
            }
        }
    }

    /// Writes it where only root can read it.
    pub(crate) fn keep(&self, file: &Path) -> Result<()> {
        let pem = self.secret.to_pkcs8_pem(LineEnding::LF)?;
        fs::write(file, "").with_context(|| format!("cannot write {}", file.display()))?;
        fs::set_permissions(file, fs::Permissions::from_mode(0o600))?;
        Ok(fs::write(file, pem.as_bytes())?)
    }

    /// Its public half, as a file.
    pub(crate) fn public_pem(&self) -> Result<String> {
        Ok(self.secret.public_key().to_public_key_pem(LineEnding::LF)?)
    }

    /// A JSON Web Token with these claims, signed by it (ES256).
    pub(crate) fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": self.id()});
        let said = format!("{}.{}", part(&header), part(claims));
        let signature: Signature = SigningKey::from(&self.secret).sign(said.as_bytes());
        format!("{said}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// Its public half, as a JSON Web Key.
    pub(crate) fn public(&self) -> Value {
        // An uncompressed point: a byte that says so, then two coordinates of 32 bytes.
        let (x, y) = self.point[1..].split_at(32);
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id(),
            "x": BASE64_URL_SAFE_NO_PAD.encode(x), "y": BASE64_URL_SAFE_NO_PAD.encode(y),
        })
    }

    /// What it is called by: a fingerprint of its public half.
    pub(crate) fn id(&self) -> String {
        fingerprint(&self.point)
    }

    fn new(secret: SecretKey) -> Self {
        let point = secret.public_key().to_encoded_point(false).as_bytes().to_vec();
        Self { secret, point }
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature: Signature = SigningKey::from(&self.secret).sign(message);
        Ok(signature.to_der().as_bytes().to_vec())
    }
}

fn part(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::VerifyingKey;
    use p256::ecdsa::signature::Verifier as _;

    use super::*;

    #[test]
    fn a_token_is_verified_by_the_public_half() {
        let key = Key::fresh().unwrap();
        let token = key.token(&json!({"sub": "chen"}));
        let (said, signature) = token.rsplit_once('.').unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        VerifyingKey::from_sec1_bytes(&key.point)
            .unwrap()
            .verify(said.as_bytes(), &Signature::from_slice(&signature).unwrap())
            .expect("signed by this key");
        assert_eq!(key.public()["kid"], key.id());
    }
}
