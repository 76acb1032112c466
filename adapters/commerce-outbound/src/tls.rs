//! Certificates and keys in files, and TLS of calls to other services.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use thiserror::Error;

/// The largest file of certificates, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// Why certificates or a key cannot be used. Messages contain no key.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum TlsError {
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: {problem}", path.display())]
    Unusable { path: PathBuf, problem: &'static str },
    #[error("{}: {source}", path.display())]
    Refused { path: PathBuf, source: rustls::Error },
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// A certificate chain and its key, in two files of PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CertificateFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl CertificateFiles {
    /// Reads the chain and the key. They fit each other, and the certificate is valid today.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(&self) -> Result<CertifiedKey, TlsError> {
        let chain = certificates(&self.certificate)?;
        let pem = read(&self.key)?;
        let key = PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|_| unusable(&self.key, "it contains no private key in PEM (PKCS#8, PKCS#1 or SEC1)"))?;
        check_dates(&self.certificate, &chain)?;
        let certified = CertifiedKey::from_der(chain, key, &provider());
        certified.map_err(|source| {
            if matches!(source, rustls::Error::InconsistentKeys(_)) {
                return unusable(&self.key, "it is not the key of the certificate");
            }
            TlsError::Refused { path: self.certificate.clone(), source }
        })
    }
}

/// How calls to other services are made over TLS.
#[derive(Clone, Debug)]
pub struct Tls(pub(crate) ClientConfig);

impl Tls {
    /// Trusts the public authorities.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn public() -> Result<Self, rustls::Error> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
        Ok(Self(config.with_root_certificates(roots).with_no_client_auth()))
    }

    /// Trusts the public authorities, those of a file, and shows a certificate to services that ask for one.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn new(authorities: Option<&Path>, own: Option<&CertificateFiles>) -> Result<Self, TlsError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(path) = authorities {
            add_authorities(&mut roots, path)?;
        }
        let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
        let config = config.with_root_certificates(roots);
        Ok(Self(match own {
            None => config.with_no_client_auth(),
            Some(files) => {
                let resolver = rustls::sign::SingleCertAndKey::from(files.load()?);
                config.with_client_cert_resolver(Arc::new(resolver))
            }
        }))
    }
}

/// The authorities of a file.
///
/// # Errors
/// [`TlsError`].
pub fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    add_authorities(&mut roots, path)?;
    Ok(roots)
}

fn add_authorities(roots: &mut RootCertStore, path: &Path) -> Result<(), TlsError> {
    for authority in certificates(path)? {
        roots.add(authority).map_err(|source| TlsError::Refused { path: path.to_owned(), source })?;
    }
    Ok(())
}

/// The one provider of cryptography.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(path)?;
    let found = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|_| unusable(path, "it is not PEM"))?;
    if found.is_empty() { Err(unusable(path, "it contains no certificate in PEM")) } else { Ok(found) }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |source| TlsError::Unreadable { path: path.to_owned(), source };
    if fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE {
        return Err(unusable(path, "it is larger than 1 MiB"));
    }
    fs::read(path).map_err(unreadable)
}

/// Refuses a certificate that is not valid today. The library checks dates only of others' certificates, so this one is checked as if
/// it were one; everything else that it finds does not matter here.
fn check_dates(path: &Path, chain: &[CertificateDer<'static>]) -> Result<(), TlsError> {
    let Some(first) = chain.first() else { return Ok(()) };
    let mut roots = RootCertStore::empty();
    roots.add(first.clone()).map_err(|source| TlsError::Refused { path: path.to_owned(), source })?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    let (Ok(verifier), Ok(name)) = (verifier, ServerName::try_from("localhost")) else { return Ok(()) };
    let Err(rustls::Error::InvalidCertificate(problem)) =
        verifier.verify_server_cert(first, &[], &name, &[], UnixTime::now())
    else {
        return Ok(());
    };
    if matches!(problem, CertificateError::Expired | CertificateError::ExpiredContext { .. }) {
        return Err(unusable(path, "the certificate has expired"));
    }
    if matches!(problem, CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) {
        return Err(unusable(path, "the certificate is not valid yet"));
    }
    Ok(())
}

fn unusable(path: &Path, problem: &'static str) -> TlsError {
    TlsError::Unusable { path: path.to_owned(), problem }
}
