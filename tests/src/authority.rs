//! A certificate authority of a test's own, and the certificates that it signs.
use std::path::Path;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chassis::CertificateSettings;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use sha2::{Digest, Sha256};

/// The name in the certificate of a service on a stage.
pub(crate) const SERVER: &str = "localhost";
/// The trust domain of a stage's agencies.
pub const TRUST_DOMAIN: &str = "opsmesh.test";

/// Signs certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// What one end of a connection shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The certificate, PEM.
    pub certificate: String,
    /// Its private key, PEM.
    pub key: String,
    /// As a token that is bound to the certificate names it (RFC 8705, `x5t#S256`).
    pub thumbprint: String,
}

impl Authority {
    /// One that nobody else knows.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each is another")]
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Its own certificate, PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// What a client shows whose certificate has these URIs (none, one or more).
    #[must_use]
    pub fn client(&self, uris: &[&str]) -> Shown {
        self.sign(client(uris))
    }

    /// The same, run out long ago.
    #[must_use]
    pub fn expired(&self, uris: &[&str]) -> Shown {
        let mut params = client(uris);
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        self.sign(params)
    }

    /// What a service is told that opens a door for clients of this authority; its files go into `folder`.
    #[must_use]
    pub fn door(&self, folder: &Path) -> CertificateSettings {
        let mut params = CertificateParams::new(vec![SERVER.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let server = self.sign(params);
        let write = |name: &str, pem: &str| {
            let file = folder.join(name);
            std::fs::write(&file, pem).unwrap();
            file
        };
        CertificateSettings {
            listen: ([127, 0, 0, 1], 0).into(),
            certificate: write("server.crt", &server.certificate),
            key: write("server.key", &server.key),
            client_ca: write("clients.crt", &self.pem),
            trust_domain: TRUST_DOMAIN.into(),
            services: std::collections::BTreeMap::new(),
        }
    }

    fn sign(&self, params: CertificateParams) -> Shown {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Shown {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            thumbprint: BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(certificate.der())),
        }
    }
}

fn client(uris: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.subject_alt_names = uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap())).collect();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}
