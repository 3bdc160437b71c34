//! The handshake at the door for those who show a certificate: what we show, and whose signatures we believe. Certificates are renewed
//! while we run (cert-manager's, an issuer's of an hour), so the files are looked at again and again; what is new counts from the next
//! handshake on, and who came before goes with the age of connections.
use std::{
    io,
    sync::{Arc, RwLock},
    time::Duration,
};

use anyhow::Context;
use futures::{Stream, stream};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;
use x509_parser::prelude::parse_x509_certificate;

use crate::{Meter, certificate::CertificateSettings, gather::Gather};

/// A client that does not come to an end with its handshake is hung up on.
const WITHIN: Duration = Duration::from_secs(5);
/// Handshakes at once: more wait in the kernel, so that they cannot take all of us.
const AT_ONCE: usize = 256;
/// A kubelet takes a minute to bring a renewed Secret; this adds little, and costs three reads.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A connection whose client has shown a certificate.
type Secured = Gather<TlsStream<TcpStream>>;

/// What the three files say.
#[derive(Debug, PartialEq, Eq)]
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Vec<u8>,
}

impl Files {
    fn read(settings: &CertificateSettings) -> anyhow::Result<Self> {
        let read = |path: &std::path::Path| std::fs::read(path).with_context(|| path.display().to_string());
        Ok(Self { certificate: read(&settings.certificate)?, key: read(&settings.key)?, client_ca: read(&settings.client_ca)? })
    }

    /// What they mean, and when what we show runs out, in seconds since 1970.
    fn understand(&self) -> anyhow::Result<(ServerConfig, i64)> {
        let certificates = |pem: &[u8]| CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let shown = certificates(&self.certificate).context("certificate")?;
        let first = shown.first().context("certificate: there is none in the file")?;
        let (_, own) = parse_x509_certificate(first).context("certificate")?;
        let runs_out = own.validity().not_after.timestamp();
        let key = PrivateKeyDer::from_pem_slice(&self.key).context("key")?;
        let mut roots = RootCertStore::empty();
        for root in certificates(&self.client_ca).context("client_ca")? {
            roots.add(root).context("client_ca")?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone()).build().context("client_ca")?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(shown, key)
            .context("certificate and key")?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok((config, runs_out))
    }
}

/// What became of files that were not as before.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// What is shown and believed now.
pub(crate) struct Handshake {
    settings: CertificateSettings,
    /// The files as they were last seen, or why they could not be read.
    seen: Result<Files, String>,
    config: Arc<RwLock<Arc<ServerConfig>>>,
    runs_out: Gauge,
    renewals: Family<Outcome, Counter>,
}

impl Handshake {
    /// As the files say at the start: if they say nothing that can be used, there is no start.
    pub(crate) fn new(settings: &CertificateSettings, meter: &Meter) -> anyhow::Result<Self> {
        let files = Files::read(settings)?;
        let (config, not_after) = files.understand()?;
        let runs_out = meter.register(
            "opsmesh_certificate_not_after_seconds",
            "When the certificate that is shown runs out, in seconds since 1970",
            Gauge::default(),
        );
        runs_out.set(not_after);
        let renewals = meter.register(
            "opsmesh_certificate_renewals",
            "Changes of the certificate files, by whether they could be used",
            Family::default(),
        );
        let config = Arc::new(RwLock::new(Arc::new(config)));
        Ok(Self { settings: settings.clone(), seen: Ok(files), config, runs_out, renewals })
    }

    /// Looks at the files until told to stop. What cannot be used is said once, and what was there before is kept: a certificate may be
    /// there before its key.
    pub(crate) async fn renew(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let settings = self.settings.clone();
            let files = tokio::task::spawn_blocking(move || Files::read(&settings).map_err(|error| format!("{error:#}"))).await?;
            if files != self.seen {
                let understood = files.as_ref().map_err(Clone::clone);
                let understood = understood.and_then(|files| files.understand().map_err(|error| format!("{error:#}")));
                self.take(understood);
                self.seen = files;
            }
        }
    }

    fn take(&self, understood: Result<(ServerConfig, i64), String>) {
        let outcome = match understood {
            Ok((config, not_after)) => {
                *self.config.write().expect("nobody panics while renewing") = Arc::new(config);
                self.runs_out.set(not_after);
                tracing::info!(not_after, "the certificate and whom it believes were read again");
                "used"
            }
            Err(error) => {
                tracing::warn!(error, "host.certificates cannot be used as they are now; the ones before stay");
                "refused"
            }
        };
        self.renewals.get_or_create(&Outcome { outcome }).inc();
    }

    /// Connections whose clients have shown a certificate of somebody we believe. Whoever fails is hung up on; who waits does not hold
    /// up others.
    pub(crate) fn connections(&self, listener: TcpListener) -> impl Stream<Item = io::Result<Secured>> + use<> {
        let arriving = Arriving { listener, config: self.config.clone(), under_way: JoinSet::new() };
        stream::unfold(arriving, async |mut arriving| Some((arriving.next().await, arriving)))
    }
}

/// Those whose handshakes are under way.
struct Arriving {
    listener: TcpListener,
    config: Arc<RwLock<Arc<ServerConfig>>>,
    under_way: JoinSet<io::Result<Secured>>,
}

impl Arriving {
    async fn next(&mut self) -> io::Result<Secured> {
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if self.under_way.len() < AT_ONCE => {
                    let (stream, _) = accepted?;
                    let config = self.config.read().expect("nobody panics while renewing").clone();
                    self.under_way.spawn(greet(stream, config));
                }
                Some(done) = self.under_way.join_next() => match done.map_err(io::Error::other).flatten() {
                    Ok(stream) => return Ok(stream),
                    Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "a handshake failed"),
                }
            }
        }
    }
}

async fn greet(stream: TcpStream, config: Arc<ServerConfig>) -> io::Result<Secured> {
    // Answers leave at once, as at the other door.
    stream.set_nodelay(true)?;
    let secured = tokio::time::timeout(WITHIN, TlsAcceptor::from(config).accept(stream)).await??;
    Ok(Gather::new(secured))
}
