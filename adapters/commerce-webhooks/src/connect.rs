//! Connections to addresses that were checked.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use commerce_core::webhook::{DeliveryFailure, UrlRefusal};
use commerce_outbound::Network;
use http::Uri;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::address::is_public;

/// Which URLs and addresses webhooks may be sent to.
#[derive(Clone, Debug)]
pub(crate) struct Allowed {
    /// Networks that are allowed in addition to the public internet.
    pub(crate) networks: Vec<Network>,
    /// Whether a connection may be without TLS.
    pub(crate) http: bool,
}

/// Where a URL leads, as far as the URL tells.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// A name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) is_encrypted: bool,
}

impl Allowed {
    /// Whether webhooks may be sent to an address.
    fn admits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.networks.iter().any(|network| network.contains(address))
    }

    /// The place of a URL.
    pub(crate) fn place(&self, uri: &Uri) -> Result<Place, UrlRefusal> {
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(UrlRefusal::Malformed)?;
        let is_encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if self.http => false,
            Some("http") => return Err(UrlRefusal::NotEncrypted),
            _ => return Err(UrlRefusal::Malformed),
        };
        let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host).to_owned();
        if host.parse().is_ok_and(|address| !self.admits(address)) {
            return Err(UrlRefusal::NotPublic);
        }
        Ok(Place { host, port: uri.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 }), is_encrypted })
    }

    /// The addresses of a place. If one of them is not allowed, there is none: the name is not what it says.
    async fn addresses(&self, place: &Place) -> Result<Vec<SocketAddr>, DeliveryFailure> {
        let found = lookup_host((place.host.as_str(), place.port)).await.map_err(|_| DeliveryFailure::NotResolved)?;
        let found: Vec<_> = found.collect();
        if found.is_empty() {
            return Err(DeliveryFailure::NotResolved);
        }
        let is_allowed = found.iter().all(|address| self.admits(address.ip()));
        if is_allowed { Ok(found) } else { Err(DeliveryFailure::AddressRefused) }
    }

    /// A connection to one of the addresses of a place.
    pub(crate) async fn connect(
        &self,
        place: &Place,
        tls: &Arc<rustls::ClientConfig>,
    ) -> Result<Stream, DeliveryFailure> {
        let addresses = self.addresses(place).await?;
        let tcp = TcpStream::connect(&*addresses).await.map_err(|_| DeliveryFailure::NotConnected)?;
        tcp.set_nodelay(true).ok();
        if !place.is_encrypted {
            return Ok(Stream::Plain(tcp));
        }
        let name = ServerName::try_from(place.host.clone()).map_err(|_| DeliveryFailure::TlsFailed)?;
        let tls = TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await;
        tls.map(|tls| Stream::Encrypted(Box::new(tls))).map_err(|_| DeliveryFailure::TlsFailed)
    }
}

/// A connection with or without TLS.
pub(crate) enum Stream {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

macro_rules! poll {
    ($self:ident.$method:ident($($argument:ident),*)) => {
        match $self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).$method($($argument),*),
            Self::Encrypted(tls) => Pin::new(tls).$method($($argument),*),
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        poll!(self.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        poll!(self.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll!(self.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll!(self.poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use commerce_core::webhook::UrlRefusal;

    use super::{Allowed, Place};

    fn place(url: &str, networks: &[&str], http: bool) -> Result<Place, UrlRefusal> {
        let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
        Allowed { networks, http }.place(&url.parse().unwrap())
    }

    #[test]
    fn a_url_leads_to_a_host_and_a_port() {
        let at = |host: &str, port, is_encrypted| Ok(Place { host: host.to_owned(), port, is_encrypted });
        assert_eq!(place("https://a.example/x", &[], false), at("a.example", 443, true));
        assert_eq!(place("https://a.example:8443", &[], false), at("a.example", 8443, true));
        assert_eq!(place("https://[2606:4700::1]/", &[], false), at("2606:4700::1", 443, true));
        assert_eq!(place("http://a.example/x", &[], true), at("a.example", 80, false));
        assert_eq!(place("http://a.example/x", &[], false), Err(UrlRefusal::NotEncrypted));
    }

    #[test]
    fn addresses_inside_are_refused_unless_they_are_allowed() {
        for inside in ["127.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254"] {
            let url = format!("https://{inside}/");
            assert_eq!(place(&url, &[], true), Err(UrlRefusal::NotPublic), "{url}");
        }
        assert!(place("https://10.1.2.3/", &["10.0.0.0/8"], false).is_ok());
        assert!(place("https://[::ffff:10.1.2.3]/", &["10.0.0.0/8"], false).is_ok());
        assert_eq!(place("https://11.1.2.3:1/", &["10.0.0.0/8"], false).unwrap().port, 1, "it is public");
        assert_eq!(place("https://192.168.0.1/", &["10.0.0.0/8"], false), Err(UrlRefusal::NotPublic));
    }
}
