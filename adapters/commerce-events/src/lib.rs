//! Publishes the events of a shop, and takes those of other systems: the relay and its targets, the consumer and its queues.
//!
//! # Map
//! * [`Relay`]: reads the feed after the position of a target, publishes, and stores the new position. One process at a time.
//! * [`SharedFeed`]: the end of the feed, read once for all relays of a process, and events that are not in it.
//! * [`FileTarget`]: lines of JSON in a file.
//! * `KafkaTarget` (feature `kafka`): a topic of Kafka.
//! * `NatsTarget` (feature `nats`): a stream of NATS `JetStream`.
//! * `RabbitMqTarget` (feature `rabbitmq`): an exchange of `RabbitMQ`.
//! * `RedisTarget` (feature `redis`): a Redis stream.
//! * [`Consumer`]: takes the messages of a queue into the inbox, and acknowledges each after its commit.
//! * `NatsQueue`, `RabbitMqQueue`, `RedisQueue` (with the features): queues of these brokers.
//! * [`telemetry`]: the metrics.
//!
//! # Invariants
//! * A position is stored only after the target has confirmed everything up to it.
//! * A target is published to by the process that holds its lease, and no call outlasts the lease.
//! * A target that fails delays no other target.
//! * A message is acknowledged only after the inbox has it.
//! * Errors and logs contain no event and no secret.

#[cfg(any(feature = "kafka", feature = "nats", feature = "rabbitmq"))]
mod budget;
mod consumer;
mod feed;
mod file;
#[cfg(any(feature = "kafka", feature = "rabbitmq", feature = "redis"))]
mod invalid;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
#[cfg(feature = "redis")]
mod redis;
mod relay;
pub mod telemetry;

pub use self::consumer::{Consumer, Note};
pub use self::feed::SharedFeed;
pub use self::file::FileTarget;
#[cfg(any(feature = "kafka", feature = "rabbitmq", feature = "redis"))]
pub use self::invalid::InvalidTarget;
#[cfg(feature = "kafka")]
pub use self::kafka::{KafkaConfig, KafkaTarget};
#[cfg(feature = "nats")]
pub use self::nats::{NatsConfig, NatsQueue, NatsQueueConfig, NatsTarget};
#[cfg(feature = "rabbitmq")]
pub use self::rabbitmq::{RabbitMqConfig, RabbitMqQueue, RabbitMqQueueConfig, RabbitMqTarget};
#[cfg(feature = "redis")]
pub use self::redis::{RedisConfig, RedisQueue, RedisQueueConfig, RedisTarget};
pub use self::relay::{Encode, Relay, RelayError, Round, Source, Start, TargetOptions};
