//! Webhooks of commerce: the secrets of endpoints, signatures of [Standard Webhooks](https://www.standardwebhooks.com), and a client
//! that sends them.
//!
//! * [`address`] decides which addresses are public.
//! * [`SigningKeys`] derives the secrets of endpoints.
//! * [`HttpWebhooks`] is the [`WebhookSender`](commerce_core::port::WebhookSender).
//! * [`Incoming`] believes the webhooks of other systems by their signatures.
//! * [`deliver`] sends the feed to every enabled endpoint, each by a [`relay`] of its own.
//!
//! # Invariants
//! * A connection is made only to an address that was checked, whatever a name resolves to before or after.
//! * Redirects are not followed. Every attempt has a limit of time, and what is read of an answer has a limit of size.
//! * Errors and `Debug` contain no secret and no body.

pub mod address;
mod connect;
mod connection;
mod delivery;
mod incoming;
mod secrets;
mod sender;

pub use self::delivery::{EndpointPublisher, deliver, relay};
pub use self::incoming::{Incoming, IncomingSecrets, IncomingSecretsError};
pub use self::secrets::{SigningKeyError, SigningKeys};
pub use self::sender::{Config, ConfigError, HttpWebhooks};
