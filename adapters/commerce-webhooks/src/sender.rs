//! The client that sends webhooks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use commerce_core::ids::WebhookEndpointId;
use commerce_core::port::{WebhookRequest, WebhookSecret, WebhookSender};
use commerce_core::webhook::{DeliveryFailure, DeliveryOutcome, SecretVersion, UrlRefusal, WebhookUrl};
use commerce_outbound::{Network, standard};
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::Full;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

use crate::SigningKeys;
use crate::connect::{Allowed, Place};
use crate::connection::{Connection, Idle, Unanswered};

const CONTENT: &str = "application/cloudevents+json";
const AGENT: &str = concat!("commerce/", env!("CARGO_PKG_VERSION"));

/// What an attempt may take beyond its limit, so that a status which has arrived is told.
const SPARE: Duration = Duration::from_millis(100);

/// How webhooks are sent.
#[derive(Clone, Debug)]
pub struct Config {
    /// The keys that the secrets of endpoints are derived from.
    pub signing_keys: SigningKeys,
    /// Networks that webhooks may be sent to in addition to the public internet.
    pub allowed_networks: Vec<Network>,
    /// Whether webhooks may be sent without TLS.
    pub allow_http: bool,
    /// Certificates of authorities in PEM that are trusted in addition to the public ones.
    pub authorities: Option<String>,
    /// The limit for a whole attempt.
    pub time_out: Duration,
}

impl Config {
    /// Ten seconds, over https, to the public internet.
    pub const fn new(signing_keys: SigningKeys) -> Self {
        let time_out = Duration::from_secs(10);
        Self { signing_keys, allowed_networks: Vec::new(), allow_http: false, authorities: None, time_out }
    }
}

/// Why webhooks cannot be sent.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// What should be certificates is not.
    #[error("the certificates of authorities cannot be read")]
    Authorities,
}

/// Sends webhooks over HTTP, each on a connection to an address that was checked. A connection is used for up to 30 seconds, and waits for
/// the next webhook for up to 10.
#[derive(Debug)]
pub struct HttpWebhooks {
    keys: SigningKeys,
    allowed: Allowed,
    tls: Arc<ClientConfig>,
    time_out: Duration,
    idle: Idle,
}

impl HttpWebhooks {
    /// A sender.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(pem) = &config.authorities {
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                roots.add(certificate.map_err(|_| ConfigError::Authorities)?)?;
            }
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let tls = tls.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth();
        let allowed = Allowed { networks: config.allowed_networks, http: config.allow_http };
        Ok(Self {
            keys: config.signing_keys,
            allowed,
            tls: Arc::new(tls),
            time_out: config.time_out,
            idle: Idle::default(),
        })
    }

    /// Sends a webhook, on an idle connection if there is one. An endpoint may close that at any time: then another one is made.
    async fn attempt(&self, webhook: &WebhookRequest<'_>) -> Result<StatusCode, DeliveryFailure> {
        let uri: Uri = webhook.endpoint.details.url.as_str().parse().map_err(|_| DeliveryFailure::UrlRefused)?;
        let place = self.allowed.place(&uri).map_err(|_| DeliveryFailure::UrlRefused)?;
        let request = self.request(&uri, webhook)?;
        let end = Instant::now() + self.time_out;
        if let Some(idle) = self.idle.take(&place) {
            match idle.send(request.clone(), self.time_out).await {
                Ok(answer) => return Ok(self.done(place, answer)),
                Err(Unanswered::Late) => return Err(DeliveryFailure::TimedOut),
                Err(Unanswered::Broken) => {}
            }
        }
        let stream = self.allowed.connect(&place, &self.tls).await?;
        let connection = Connection::begin(stream, self.time_out).await.map_err(failure)?;
        let left = end.saturating_duration_since(Instant::now());
        let answer = connection.send(request, left).await.map_err(failure)?;
        Ok(self.done(place, answer))
    }

    fn done(&self, place: Place, (status, connection): (StatusCode, Option<Connection>)) -> StatusCode {
        if let Some(connection) = connection {
            self.idle.keep(place, connection);
        }
        status
    }

    fn request(&self, uri: &Uri, webhook: &WebhookRequest<'_>) -> Result<Request<Full<Bytes>>, DeliveryFailure> {
        let (id, time) = (webhook.event_id.to_string(), webhook.at.timestamp());
        let secrets = webhook.endpoint.secrets_at(webhook.at);
        let secrets: Option<Vec<_>> = secrets.map(|version| self.keys.secret(webhook.endpoint.id, version)).collect();
        let secrets = secrets.ok_or(DeliveryFailure::NoSigningKey)?;
        let signature = standard::sign(secrets.iter().map(<[u8; 32]>::as_slice), &id, time, webhook.body);
        let host = uri.authority().ok_or(DeliveryFailure::UrlRefused)?.as_str();
        let request = Request::post(uri.path_and_query().map_or("/", |path| path.as_str()));
        let request = request.header(HOST, host).header(CONTENT_TYPE, CONTENT).header(USER_AGENT, AGENT);
        let request = request.header("webhook-id", id).header("webhook-timestamp", time.to_string());
        let request = request.header("webhook-signature", signature);
        request.body(Full::new(Bytes::copy_from_slice(webhook.body))).map_err(|_| DeliveryFailure::UrlRefused)
    }
}

const fn failure(unanswered: Unanswered) -> DeliveryFailure {
    match unanswered {
        Unanswered::Broken => DeliveryFailure::Broken,
        Unanswered::Late => DeliveryFailure::TimedOut,
    }
}

#[async_trait]
impl WebhookSender for HttpWebhooks {
    fn check(&self, url: &WebhookUrl) -> Result<(), UrlRefusal> {
        let uri: Uri = url.as_str().parse().map_err(|_| UrlRefusal::Malformed)?;
        self.allowed.place(&uri).map(drop)
    }

    fn signing_key(&self) -> String {
        self.keys.current()
    }

    fn secret(&self, endpoint: WebhookEndpointId, version: &SecretVersion) -> Option<WebhookSecret> {
        self.keys.shown(endpoint, version)
    }

    async fn send(&self, request: &WebhookRequest<'_>) -> (DeliveryOutcome, u64) {
        let started = Instant::now();
        let limit = self.time_out + SPARE; // the parts of an attempt have ended by then
        let answer = tokio::time::timeout(limit, self.attempt(request)).await;
        let outcome = match answer.unwrap_or(Err(DeliveryFailure::TimedOut)) {
            Ok(status) => DeliveryOutcome::Answered(status.as_u16()),
            Err(failure) => DeliveryOutcome::Failed(failure),
        };
        (outcome, u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}
