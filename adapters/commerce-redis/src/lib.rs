//! What the processes of a shop share in Redis.
//!
//! # Map
//! * [`Redis`]: the connection, and what operators should know about the server.
//! * [`RedisCarts`] keeps carts, and [`CartEvents`] their events until they are published.
//! * [`RedisLimits`] counts for limits per minute.
//! * [`telemetry`]: the metrics.
//!
//! # Invariants
//! * What decides is decided by one script, which Redis runs while nothing else runs.
//! * Time is that of Redis. The clocks of processes differ.
//! * Every call ends in a limited time, and a server that is away does not stop what works without it.
//! * Errors and logs contain no secret and no key.

mod carts;
mod events;
mod limits;
mod server;
pub mod telemetry;

pub use self::carts::{CartOptions, RedisCarts};
pub use self::events::CartEvents;
pub use self::limits::RedisLimits;
pub use self::server::{InvalidAddress, Redis};
