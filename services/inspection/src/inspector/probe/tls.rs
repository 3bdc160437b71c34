//! A TLS handshake, for the certificate shown in it: it is looked at, not trusted.
use std::sync::Arc;

use jiff::Timestamp;
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{net::TcpStream, time::Instant};
use tokio_rustls::TlsConnector;

use super::{Measures, failed, measures, milliseconds, resolve, socket_failed};
use crate::item::{ProbeError, ProbeErrorKind};

const SECONDS_A_DAY: f64 = 86_400.0;

pub(super) async fn measure(address: &str, port: u16, server_name: Option<&str>, now: Timestamp) -> Result<Measures, ProbeError> {
    let name = server_name.unwrap_or(address);
    let name =
        ServerName::try_from(name.to_owned()).map_err(|error| failed(ProbeErrorKind::Runner, format!("{name}（{error}）")))?;
    let socket = resolve(address, port).await?;
    let begun = Instant::now();
    let stream = TcpStream::connect(socket).await.map_err(|error| socket_failed(&error, socket))?;
    let connector = TlsConnector::from(Arc::new(config()));
    let stream = connector.connect(name, stream).await.map_err(|error| match error.get_ref() {
        Some(inner) if inner.is::<rustls::Error>() => failed(ProbeErrorKind::Tls, format!("{socket}（{inner}）")),
        _ => socket_failed(&error, socket),
    })?;
    let latency = milliseconds(begun);
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let shown = shown.ok_or_else(|| failed(ProbeErrorKind::Protocol, format!("{socket} 未出示证书")))?;
    let (_, certificate) = x509_parser::parse_x509_certificate(shown)
        .map_err(|error| failed(ProbeErrorKind::Protocol, format!("{socket} 的证书无法解析（{error}）")))?;
    let seconds = certificate.validity().not_after.timestamp() - now.as_second();
    #[expect(clippy::cast_precision_loss, reason = "a certificate's life has fewer than 2⁵³ seconds")]
    let days_left = seconds as f64 / SECONDS_A_DAY;
    Ok(measures([("latencyMs", latency), ("daysLeft", (days_left * 100.0).floor() / 100.0)]))
}

fn config() -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(Looking(provider.clone()));
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks the default versions")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth()
}

/// Takes any certificate: an expired one is what we are here to see.
#[derive(Debug)]
struct Looking(Arc<CryptoProvider>);

impl ServerCertVerifier for Looking {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
