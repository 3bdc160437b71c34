//! Certificates: who may speak as whom in the cluster, and what the sample servers show. Made by authorities of the instance's own, renewed
//! by `up` before they run out.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod,
    KeyUsagePurpose, PublicKeyData as _, SanType, SerialNumber,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::addresses::{API, API_SERVICE, BRIDGE, LOOPBACK};
use crate::instance::{Instance, fingerprint, folder_with, random};
use crate::keys::Key;
use crate::launch::{account, own};
use crate::part::Made;
use crate::wait::now;

/// The node's name; a cluster has this one.
pub(crate) const NODE: &str = "opsmesh";
const DAY: u64 = 24 * 60 * 60;
/// A certificate is renewed while it still has this long, so that an instance that is up for weeks does not find it run out.
const RENEWED_BEFORE: u64 = 30 * DAY;
const AUTHORITY_LASTS: u64 = 3650 * DAY;
const CERTIFICATE_LASTS: u64 = 365 * DAY;

/// Who signs: the cluster's clients and servers, the API server's calls to extensions, etcd's (nobody else may read it), the sample servers.
const AUTHORITIES: &[&str] = &["cluster-authority", "front-proxy-authority", "etcd-authority", "estate-authority"];

/// A certificate to be made.
#[derive(Debug)]
struct Wanted {
    name: &'static str,
    authority: &'static str,
    /// Common name and organisation: to the API server, user and group.
    who: (&'static str, &'static str),
    /// The names a server is called by; a client has none.
    called: &'static [&'static str],
    /// The user whose process reads the key.
    reader: Option<&'static str>,
}

const fn client(name: &'static str, user: &'static str, group: &'static str) -> Wanted {
    Wanted { name, authority: "cluster-authority", who: (user, group), called: &[], reader: None }
}

const WANTED: &[Wanted] = &[
    client("admin", "admin", "system:masters"),
    client("kube-apiserver-kubelet-client", "kube-apiserver", "system:masters"),
    client("kube-controller-manager", "system:kube-controller-manager", ""),
    client("kube-scheduler", "system:kube-scheduler", ""),
    client("kube-proxy", "system:kube-proxy", ""),
    client("kubelet", "system:node:opsmesh", "system:nodes"),
    client("prometheus", "opsmesh:prometheus", ""),
    Wanted {
        name: "kube-apiserver",
        authority: "cluster-authority",
        who: ("kube-apiserver", ""),
        called: &[
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
            "localhost",
            API_SERVICE,
            BRIDGE,
            LOOPBACK,
        ],
        reader: None,
    },
    Wanted {
        name: "kubelet-server",
        authority: "cluster-authority",
        who: ("kubelet", ""),
        called: &[NODE, BRIDGE],
        reader: None,
    },
    Wanted {
        name: "front-proxy-client",
        authority: "front-proxy-authority",
        who: ("front-proxy-client", ""),
        called: &[],
        reader: None,
    },
    Wanted { name: "etcd", authority: "etcd-authority", who: ("etcd", ""), called: &["localhost", LOOPBACK], reader: None },
    Wanted { name: "etcd-client", authority: "etcd-authority", who: ("kube-apiserver", ""), called: &[], reader: None },
    Wanted {
        name: "nginx",
        authority: "estate-authority",
        who: ("nginx.gz-demo", ""),
        called: &["nginx.gz-demo", "localhost", LOOPBACK, BRIDGE],
        reader: Some("www-data"),
    },
];

/// Makes what is missing, has changed, or runs out soon.
pub(crate) fn make(instance: &Instance) -> Result<Made> {
    folder_with(&instance.path("pki"), 0o755)?;
    let mut made = Made::Already;
    for name in AUTHORITIES {
        made = made.or(make_authority(instance, name)?);
    }
    for wanted in WANTED {
        made = made.or(make_certificate(instance, wanted)?);
    }
    let accounts = Key::kept(&key(instance, "service-accounts"))?;
    fs::write(service_accounts(instance), accounts.public_pem()?)?;
    Key::kept(&key(instance, "issuer"))?;
    let text = kubeconfig(instance, "admin")?;
    let file = instance.path("kubeconfig");
    if fs::read_to_string(&file).ok().as_ref() != Some(&text) {
        private(&file, &text)?;
        made = Made::Now;
    }
    Ok(made)
}

/// Whether they are there.
pub(crate) fn ready(instance: &Instance) -> Result<(), String> {
    match WANTED.iter().find(|w| !crt(instance, w.name).exists()) {
        None => Ok(()),
        Some(wanted) => Err(format!("no certificate for {} yet", wanted.name)),
    }
}

/// The file of a certificate, or of an authority's.
pub(crate) fn crt(instance: &Instance, name: &str) -> std::path::PathBuf {
    instance.path(&format!("pki/{name}.crt"))
}

/// The file of its key.
pub(crate) fn key(instance: &Instance, name: &str) -> std::path::PathBuf {
    instance.path(&format!("pki/{name}.key"))
}

/// The file with which tokens of service accounts are checked.
pub(crate) fn service_accounts(instance: &Instance) -> std::path::PathBuf {
    instance.path("pki/service-accounts.pub")
}

/// What a client of the API server is configured with: where it is, and who the client is.
pub(crate) fn kubeconfig(instance: &Instance, name: &str) -> Result<String> {
    let data = |file| -> Result<String> { Ok(BASE64_STANDARD.encode(fs::read(file)?)) };
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "opsmesh",
        "contexts": [{"name": "opsmesh", "context": {"cluster": "opsmesh", "user": name}}],
        "clusters": [{"name": "opsmesh", "cluster": {
            "server": format!("https://{}", API.at(BRIDGE)),
            "certificate-authority-data": data(crt(instance, "cluster-authority"))?,
        }}],
        "users": [{"name": name, "user": {
            "client-certificate-data": data(crt(instance, name))?,
            "client-key-data": data(key(instance, name))?,
        }}],
    });
    Ok(format!("{config:#}\n"))
}

impl Made {
    fn or(self, other: Self) -> Self {
        if self == Self::Already { other } else { self }
    }
}

fn make_authority(instance: &Instance, name: &str) -> Result<Made> {
    if holds(instance, name, name) {
        return Ok(Made::Already);
    }
    forget(instance, name)?;
    let key = Key::fresh()?;
    let mut params = dated(AUTHORITY_LASTS)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    name_authority(&mut params, name, &key);
    let text = params.self_signed(&key)?.pem();
    key.keep(&self::key(instance, name))?;
    keep(instance, name, name, &text, AUTHORITY_LASTS)
}

fn make_certificate(instance: &Instance, wanted: &Wanted) -> Result<Made> {
    let authority = fs::read(crt(instance, wanted.authority))?;
    let made_from = fingerprint(&[format!("{wanted:?}").as_bytes(), &authority].concat());
    if holds(instance, wanted.name, &made_from) {
        return Ok(Made::Already);
    }
    forget(instance, wanted.name)?;
    let signer = Key::kept(&key(instance, wanted.authority))?;
    let mut issuer = CertificateParams::default();
    name_authority(&mut issuer, wanted.authority, &signer);
    let issuer = Issuer::new(issuer, signer);

    let own_key = Key::fresh()?;
    let mut params = dated(CERTIFICATE_LASTS)?;
    let (user, group) = wanted.who;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, user);
    if !group.is_empty() {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    if !wanted.called.is_empty() {
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    }
    for called in wanted.called {
        params.subject_alt_names.push(match called.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName((*called).try_into()?),
        });
    }
    params.key_identifier_method = KeyIdMethod::PreSpecified(key_identifier(&own_key));
    let text = params.signed_by(&own_key, &issuer)?.pem();
    let file = key(instance, wanted.name);
    own_key.keep(&file)?;
    own(&file, wanted.reader.map(account).transpose()?)?;
    keep(instance, wanted.name, &made_from, &text, CERTIFICATE_LASTS)
}

fn dated(lasts: u64) -> Result<CertificateParams> {
    let mut params = CertificateParams::default();
    let at = |seconds: u64| OffsetDateTime::from_unix_timestamp(i64::try_from(seconds)?).context("a date");
    // A minute back, for clocks that differ a little.
    params.not_before = at(now() - 60)?;
    params.not_after = at(now() + lasts)?;
    params.serial_number = Some(SerialNumber::from_slice(&serial()?));
    Ok(params)
}

/// A serial number is positive: its first bit is not set.
fn serial() -> Result<[u8; 16]> {
    let mut bytes = random::<16>()?;
    bytes[0] = bytes[0] & 0x7f | 0x01;
    Ok(bytes)
}

fn name_authority(params: &mut CertificateParams, name: &str, key: &Key) {
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("opsmesh {name}"));
    params.key_identifier_method = KeyIdMethod::PreSpecified(key_identifier(key));
}

fn key_identifier(key: &Key) -> Vec<u8> {
    Sha256::digest(key.der_bytes())[..20].to_vec()
}

/// Whether the certificate on the disk was made from this, and lasts long enough.
fn holds(instance: &Instance, name: &str, made_from: &str) -> bool {
    let note = fs::read_to_string(instance.path(&format!("pki/{name}.note"))).unwrap_or_default();
    let Some((from, until)) = note.trim().split_once(' ') else {
        return false;
    };
    from == made_from
        && until.parse().is_ok_and(|until: u64| until > now() + RENEWED_BEFORE)
        && crt(instance, name).exists()
        && key(instance, name).exists()
}

/// Before key and certificate are replaced one after the other: a crash between the two must not leave a pair that does not fit.
fn forget(instance: &Instance, name: &str) -> Result<()> {
    let note = instance.path(&format!("pki/{name}.note"));
    if note.exists() {
        fs::remove_file(note)?;
    }
    Ok(())
}

fn keep(instance: &Instance, name: &str, made_from: &str, text: &str, lasts: u64) -> Result<Made> {
    fs::write(crt(instance, name), text)?;
    let note = format!("{made_from} {}\n", now() + lasts);
    fs::write(instance.path(&format!("pki/{name}.note")), note)?;
    Ok(Made::Now)
}

fn private(file: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(file, "")?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600))?;
    Ok(fs::write(file, text)?)
}
