//! The program `commerce` as its users meet it: started, fed over real sockets, ended, killed.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod attack;
mod backup;
#[cfg(all(feature = "nats", feature = "rabbitmq", feature = "redis"))]
mod broker;
#[cfg(all(feature = "nats", feature = "rabbitmq", feature = "redis"))]
mod cloudevents;
mod consume;
mod crash;
mod disk;
mod edge;
mod guide;
mod home;
mod http;
mod import;
mod keys;
mod killed;
mod life;
mod load;
mod metrics;
mod outages;
mod outgoing;
mod price;
mod processors;
mod publish;
mod reconcile;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
mod redis_carts;
mod refused;
mod replay;
mod running;
mod secure;
mod serve;
mod settings;
#[cfg(all(feature = "nats", feature = "rabbitmq", feature = "redis"))]
mod soak;
mod tasks;
mod tls;
mod token;
mod users;
