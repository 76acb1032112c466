//! TLS for clients. Certificates are read again when their files change, or when the program is told so.

use std::fs;
use std::io::{self, IoSlice};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::SystemTime;

use commerce_outbound::tls::{TlsError, authorities, provider};
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::SingleCertAndKey;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::pace::PacedStream;
use crate::config::{ClientCertificates, TlsFiles};

/// The certificate of the server, and what it demands of clients. Clones share them, also after they were read again.
#[derive(Clone, Debug)]
pub struct Certificates {
    files: Arc<TlsFiles>,
    current: Arc<RwLock<Current>>,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    changed: Vec<Option<SystemTime>>,
}

impl Certificates {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub(crate) fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = Current { changed: changed(&files), config: config(&files)? };
        Ok(Self { files: Arc::new(files), current: Arc::new(RwLock::new(current)) })
    }

    /// Whether a file changed since it was read.
    pub(crate) fn are_old(&self) -> bool {
        self.current.read().unwrap_or_else(PoisonError::into_inner).changed != changed(&self.files)
    }

    /// Reads the files again. Connections that are open go on as they are.
    ///
    /// # Errors
    /// [`TlsError`]. The certificates stay as they were, and these files are not tried again until they change.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        let (changed, config) = (changed(&self.files), config(&self.files));
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.changed = changed;
        current.config = config?;
        Ok(())
    }

    /// Begins TLS on a connection.
    pub(super) async fn accept(&self, stream: PacedStream) -> io::Result<Wire> {
        let config = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).config);
        Ok(Wire::Tls(Box::new(TlsAcceptor::from(config).accept(stream).await?)))
    }
}

fn changed(files: &TlsFiles) -> Vec<Option<SystemTime>> {
    let clients = files.clients.iter().map(|(path, _)| path.as_path());
    let all = [files.own.certificate.as_path(), files.own.key.as_path()].into_iter().chain(clients);
    all.map(|path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok()).collect()
}

fn config(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = match &files.clients {
        None => builder.with_no_client_auth(),
        Some((path, demand)) => builder.with_client_cert_verifier(verifier(path, *demand)?),
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(files.own.load()?)));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn verifier(path: &Path, demand: ClientCertificates) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities(path)?), provider());
    let builder = match demand {
        ClientCertificates::Required => builder,
        ClientCertificates::Optional => builder.allow_unauthenticated(),
    };
    builder.build().map_err(|error| TlsError::Setup(rustls::Error::General(error.to_string())))
}

/// A connection with or without TLS.
#[derive(Debug)]
pub(super) enum Wire {
    Plain(PacedStream),
    Tls(Box<TlsStream<PacedStream>>),
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
