//! From a client's certificate to whoever is calling. Other agencies' systems come through a door of its own, which asks for a certificate; the
//! certificate's one URI says who they are, as SPIFFE writes it:
//!
//! * `spiffe://{domain}/agency/{agency}/{role}`: a system of that agency, with that one role;
//! * `spiffe://{domain}/service/{name}`: what the settings say it is.
use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use proto::{Why, why};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};
use x509_parser::{extensions::GeneralName, prelude::parse_x509_certificate};

use crate::{
    Agency, NotAnAgency, Role,
    caller::{Reach, Who},
};

/// The door for those who show a certificate. Its files are looked at again while it is open.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateSettings {
    /// Where gRPC listens for them, with TLS.
    pub listen: SocketAddr,
    /// What we show: a PEM file, our own certificate first.
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: PathBuf,
    /// Who signs clients' certificates (PEM).
    pub client_ca: PathBuf,
    /// The trust domain of clients' names.
    pub trust_domain: String,
    /// What the services are that come with a certificate, by the last part of their name.
    #[serde(default)]
    pub services: BTreeMap<String, Role>,
}

/// Certificates remembered as read. More at once, and all are read again: nothing but time is lost.
const REMEMBERED: usize = 1_000;

/// Whom a certificate names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Badge {
    pub(crate) who: Arc<Who>,
    /// The one agency whose system it is; `None`: a service's.
    pub(crate) agency: Option<Agency>,
    /// As a token that is bound to the certificate names it (RFC 8705, `x5t#S256`).
    pub(crate) thumbprint: String,
}

/// Those whose certificates open the door.
#[derive(Debug, Default)]
pub(crate) struct Badges {
    trust_domain: String,
    services: BTreeMap<String, Role>,
    read: Mutex<HashMap<[u8; 32], Arc<Badge>>>,
}

impl Badges {
    pub(crate) fn new(settings: Option<&CertificateSettings>) -> Self {
        settings.map_or_else(Self::default, |settings| Self {
            trust_domain: settings.trust_domain.clone(),
            services: settings.services.clone(),
            read: Mutex::default(),
        })
    }

    /// Whom the certificate of this connection names; `None`: it came without. `Err` says why nobody is known by it.
    pub(crate) fn of(&self, extensions: &http::Extensions) -> Result<Option<Arc<Badge>>, Why> {
        let Some(certificates) = extensions.get::<TlsConnectInfo<TcpConnectInfo>>().and_then(TlsConnectInfo::peer_certs) else {
            return Ok(None);
        };
        let Some(own) = certificates.first() else { return Ok(None) };
        let digest: [u8; 32] = Sha256::digest(own).into();
        if let Some(badge) = self.read.lock().expect("nobody panics while remembering").get(&digest) {
            return Ok(Some(badge.clone()));
        }
        let badge = Arc::new(self.read(own, &digest)?);
        let mut read = self.read.lock().expect("nobody panics while remembering");
        if read.len() >= REMEMBERED {
            read.clear();
        }
        read.insert(digest, badge.clone());
        Ok(Some(badge))
    }

    /// Reads a certificate whose signature and time the handshake has checked.
    fn read(&self, der: &[u8], digest: &[u8; 32]) -> Result<Badge, Why> {
        let (_, certificate) = parse_x509_certificate(der).map_err(Why::quoted)?;
        let names = certificate.subject_alternative_name().map_err(Why::quoted)?;
        let uris = names.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        });
        let uris: Vec<&str> = uris.collect();
        // A SPIFFE certificate has exactly one.
        let [uri] = uris[..] else {
            let number = uris.len();
            return Err(why!("it has {number} URIs instead of one", "其中有 {number} 个 URI，应恰有一个"));
        };
        let (who, agency) = self.recognise(uri)?;
        Ok(Badge { who: Arc::new(who), agency, thumbprint: BASE64_URL_SAFE_NO_PAD.encode(digest) })
    }

    fn recognise(&self, uri: &str) -> Result<(Who, Option<Agency>), Why> {
        let (domain, path) = uri
            .strip_prefix("spiffe://")
            .and_then(|name| name.split_once('/'))
            .ok_or_else(|| why!("`{uri}` is no SPIFFE id", "“{uri}”不是 SPIFFE 标识"))?;
        // Without a domain nobody is trusted, whatever a certificate says.
        if self.trust_domain.is_empty() || domain != self.trust_domain {
            return Err(why!("`{domain}` is not the trust domain here", "“{domain}”不是此处的信任域"));
        }
        let subject = uri.into();
        match path.split('/').collect::<Vec<_>>()[..] {
            ["agency", agency, role] => {
                let agency: Agency = agency.parse().map_err(|error: NotAnAgency| {
                    let Why { en, zh } = error.into();
                    why!("`{agency}`: {en}", "“{agency}”：{zh}")
                })?;
                let role = Role::of_post(role).ok_or_else(|| {
                    why!("`{role}` is no role that an agency's system can have", "“{role}”不是使用方系统可具有的角色")
                })?;
                let reach = Reach::Agencies([agency.clone()].into());
                Ok((Who { subject, roles: [role].into(), reach }, Some(agency)))
            }
            ["service", name] => {
                let role = self.services.get(name).ok_or_else(|| why!("no service `{name}` is known", "没有服务“{name}”"))?;
                Ok((Who { subject, roles: [*role].into(), reach: Reach::Everywhere }, None))
            }
            _ => Err(why!("`{path}` is neither agency/…/… nor service/…", "“{path}”既非 agency/…/… 也非 service/…")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn badges() -> Badges {
        Badges {
            trust_domain: "opsmesh.test".into(),
            services: [("gateway".to_owned(), Role::Service)].into(),
            read: Mutex::default(),
        }
    }

    #[test]
    fn a_name_says_the_agency_and_the_role() {
        let (who, agency) = badges().recognise("spiffe://opsmesh.test/agency/gz/requester").unwrap();
        assert_eq!(agency, Some("gz".parse().unwrap()));
        assert_eq!((who.roles, who.reach), ([Role::Requester].into(), Reach::Agencies(["gz".parse().unwrap()].into())));
        let (who, agency) = badges().recognise("spiffe://opsmesh.test/service/gateway").unwrap();
        assert_eq!((who.roles, agency), ([Role::Service].into(), None));
    }

    #[test]
    fn a_name_that_is_not_ours_names_nobody() {
        for wrong in [
            "",
            "https://opsmesh.test/agency/gz/requester",
            "spiffe://elsewhere.test/agency/gz/requester",
            "spiffe://opsmesh.test/agency/gz",
            "spiffe://opsmesh.test/agency/GZ/requester",
            "spiffe://opsmesh.test/agency/*/requester",
            "spiffe://opsmesh.test/agency/gz/operator",
            "spiffe://opsmesh.test/agency/gz/requester/more",
            "spiffe://opsmesh.test/service/stranger",
            "spiffe://opsmesh.test/",
        ] {
            badges().recognise(wrong).unwrap_err();
        }
        Badges::default().recognise("spiffe:///agency/gz/requester").unwrap_err();
    }

    proptest! {
        #[test]
        fn whatever_is_shown_as_a_certificate_breaks_nothing(der in prop::collection::vec(any::<u8>(), 0..400)) {
            badges().read(&der, &[0; 32]).unwrap_err();
        }
    }
}
