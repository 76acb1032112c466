//! The settings of calls to other services, and of TLS for clients.

use std::path::{Path, PathBuf};

use commerce_outbound::tls::{CertificateFiles, Tls};
use serde::Deserialize;

use super::{ConfigError, refused};

/// Certificates for calls to services of the house: users, payments, published keys.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "the settings are named like that everywhere")]
pub(crate) struct Outgoing {
    certificate_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

impl Outgoing {
    pub(super) fn stand_in(&mut self, directory: &Path) {
        let files = [&mut self.certificate_file, &mut self.key_file, &mut self.ca_file];
        files.into_iter().flatten().for_each(|path| *path = directory.join(&*path));
    }

    /// How services are called. `None`: as the public.
    ///
    /// # Errors
    /// A file is missing, cannot be read, or does not fit the others.
    pub(crate) fn tls(&self) -> Result<Option<Tls>, ConfigError> {
        let own = pair("outgoing.key_file", self.certificate_file.as_ref(), self.key_file.as_ref())?;
        if own.is_none() && self.ca_file.is_none() {
            return Ok(None);
        }
        let tls = Tls::new(self.ca_file.as_deref(), own.as_ref());
        tls.map(Some).map_err(|error| refused("outgoing", error.to_string()))
    }
}

/// TLS for the clients of the shop.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TlsSection {
    certificate_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    client_ca_file: Option<PathBuf>,
    client_certificates: ClientCertificates,
}

/// Whether clients must show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientCertificates {
    #[default]
    Required,
    Optional,
}

/// The files of TLS for clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    pub(crate) own: CertificateFiles,
    /// The authorities of clients, and whether a certificate is required.
    pub(crate) clients: Option<(PathBuf, ClientCertificates)>,
}

impl TlsSection {
    pub(super) fn stand_in(&mut self, directory: &Path) {
        let files = [&mut self.certificate_file, &mut self.key_file, &mut self.client_ca_file];
        files.into_iter().flatten().for_each(|path| *path = directory.join(&*path));
    }

    /// The files. `None`: clients connect without TLS.
    ///
    /// # Errors
    /// A setting stands alone.
    pub(crate) fn files(&self) -> Result<Option<TlsFiles>, ConfigError> {
        let own = pair("tls.key_file", self.certificate_file.as_ref(), self.key_file.as_ref())?;
        if self.client_ca_file.is_some() && own.is_none() {
            return Err(refused("tls.client_ca_file", "needs certificate_file and key_file"));
        }
        if self.client_ca_file.is_none() && self.client_certificates == ClientCertificates::Optional {
            return Err(refused("tls.client_certificates", "needs client_ca_file"));
        }
        let clients = self.client_ca_file.clone().map(|path| (path, self.client_certificates));
        Ok(own.map(|own| TlsFiles { own, clients }))
    }
}

fn pair(
    key: &'static str,
    certificate: Option<&PathBuf>,
    own_key: Option<&PathBuf>,
) -> Result<Option<CertificateFiles>, ConfigError> {
    match (certificate, own_key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            Ok(Some(CertificateFiles { certificate: certificate.clone(), key: key.clone() }))
        }
        _ => Err(refused(key, "a certificate_file and a key_file belong together")),
    }
}
