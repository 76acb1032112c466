//! The limits for clients.

use std::num::NonZeroU32;

use clap::Args;
use serde::Deserialize;

use super::{ConfigError, DurationText, refused, whole};
use crate::listener::{Limits, Network};

const MIB: usize = 1024 * 1024;

/// The configured limits. The defaults are those of [`Limits`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Args, Deserialize)]
#[command(next_help_heading = "Limits for clients")]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ClientLimits {
    /// The maximum number of connections, and of requests in progress, of a client address (IPv6: of a /64 network) [default: a
    /// tenth of --max-connections, but at least 100].
    #[arg(long, global = true, value_name = "N", value_parser = whole::<NonZeroU32>, env = "COMMERCE_CONNECTIONS_PER_ADDRESS")]
    connections_per_address: Option<NonZeroU32>,

    /// Addresses or networks of proxies. Behind them, the last other address in X-Forwarded-For (without it: in Forwarded) is
    /// the client.
    #[arg(long, global = true, value_name = "NETWORK", value_delimiter = ',', env = "COMMERCE_TRUSTED_PROXIES")]
    trusted_proxies: Vec<Network>,

    /// The time-out of a connection between two requests [default: 75s].
    #[arg(long, global = true, value_name = "SPAN", env = "COMMERCE_IDLE_TIMEOUT")]
    idle_timeout: Option<DurationText>,

    /// The age after which a connection takes no new requests [default: 1h].
    #[arg(long, global = true, value_name = "SPAN", env = "COMMERCE_CONNECTION_MAX_AGE")]
    connection_max_age: Option<DurationText>,

    /// The time in which a client must take a part of an answer, 4 KiB per second on average [default: 30s].
    #[arg(long, global = true, value_name = "SPAN", env = "COMMERCE_WRITE_TIMEOUT")]
    write_timeout: Option<DurationText>,

    /// The maximum number of concurrent streams of an HTTP/2 connection [default: 128].
    #[arg(long, global = true, value_name = "N", value_parser = whole::<NonZeroU32>, env = "COMMERCE_HTTP2_STREAMS")]
    http2_streams: Option<NonZeroU32>,

    /// The memory for requests in progress and unsent answers, in MiB. A client may hold a quarter of it, a connection a
    /// sixteenth [default: 64].
    #[arg(long, global = true, value_name = "MIB", value_parser = whole::<u32>, env = "COMMERCE_ANSWER_MEMORY")]
    answer_memory: Option<u32>,
}

impl ClientLimits {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let times = [self.idle_timeout, self.connection_max_age, self.write_timeout];
        if times.contains(&Some(DurationText::seconds(0))) {
            return Err(refused("clients", "a time must be at least 1s"));
        }
        if self.answer_memory.is_some_and(|mebibytes| !(16..=65_536).contains(&mebibytes)) {
            return Err(refused("clients.answer_memory", "must be 16 to 65536 MiB"));
        }
        Ok(())
    }

    /// The limits for so many connections.
    pub(crate) fn limits(&self, connections: usize) -> Limits {
        let usual = Limits::default();
        let count = |own: u32| usize::try_from(own).unwrap_or(usize::MAX);
        let time = |own: Option<DurationText>, usual| own.map_or(usual, DurationText::duration);
        Limits {
            connections,
            per_client: self
                .connections_per_address
                .map_or_else(|| (connections / 10).max(100), |own| count(own.get())),
            trusted_proxies: self.trusted_proxies.clone(),
            streams: self.http2_streams.map_or(usual.streams, NonZeroU32::get),
            idle_time_out: time(self.idle_timeout, usual.idle_time_out),
            max_age: time(self.connection_max_age, usual.max_age),
            write_time_out: time(self.write_timeout, usual.write_time_out),
            memory: self.answer_memory.map_or(usual.memory, |mebibytes| count(mebibytes).saturating_mul(MIB)),
            ..usual
        }
    }
}
