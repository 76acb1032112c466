//! The errors of commands, for the user who ran them.

use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;

use commerce_core::engine::EngineError;
use commerce_core::ids::TargetName;
use commerce_core::port::StoreError;
use commerce_core::publishing::MoveRefused;
#[cfg(feature = "_network")]
use commerce_diesel::DatabaseError;
#[cfg(feature = "sqlite")]
use commerce_diesel::sqlite::OpenError;
use commerce_http::auth::MintError;
use commerce_outbound::ServiceError;
use commerce_outbound::tls::TlsError;
use thiserror::Error as ThisError;

use crate::config::ConfigError;
use crate::keyring::KeyringError;
use crate::plural::counted;

#[derive(Debug, ThisError)]
pub(super) enum Failure {
    #[error("the environment variable {} is not a setting: see commerce --help", .0.display())]
    UnknownVariable(OsString),
    #[error("the clock of this computer shows a time before 1970: set it first")]
    Clock,
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{name}: {source}")]
    Service { name: &'static str, source: ServiceError },
    #[cfg(feature = "sqlite")]
    #[error("database: {0}")]
    Open(#[from] OpenError),
    #[cfg(feature = "_network")]
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "mysql")))]
    #[error("this commerce was built without {name}: build it with --features {feature}")]
    WithoutDriver { name: &'static str, feature: &'static str },
    #[error("tls: {0}")]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error("tokens cannot be signed here: the configured keys are public ones; ask the issuer of the tokens for one")]
    CannotSign,
    #[error("metrics: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    #[error(transparent)]
    Mint(#[from] MintError),
    #[error("{file}: {problem}")]
    Input { file: String, problem: Box<dyn Error + Send + Sync> },
    #[error("{} between the tables and the history", counted(*.0, "difference"))]
    Differences(u64),
    #[error("{} without counterpart", counted(*.0, "amount"))]
    Unreconciled(usize),
    #[error("requests were aborted: they did not finish within the grace period (open connections: {0})")]
    Interrupted(usize),
    #[error("{what}: {source}")]
    System { what: &'static str, source: io::Error },
    #[error("cannot listen on {address}: {}", listening(.source))]
    Listen { address: SocketAddr, source: io::Error },
    #[error("cannot write to the standard output: {0}")]
    Output(io::Error),
    #[error("nothing was ever published to {0}: see commerce events targets")]
    UnknownTarget(TargetName),
    #[error("{target} was not moved: {refused}{}", if matches!(.refused, MoveRefused::Skips { .. }) { "; say --skip to do so" } else { "" })]
    NotMoved { target: TargetName, refused: MoveRefused },
    #[error("{0} changed too often: try again")]
    TargetBusy(TargetName),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn listening(error: &io::Error) -> String {
    let known = [
        (io::ErrorKind::AddrInUse, "the port is in use; choose another with --listen"),
        (io::ErrorKind::PermissionDenied, "not permitted; ports below 1024 need privileges"),
        (io::ErrorKind::AddrNotAvailable, "this machine has no such address"),
    ];
    let words = known.into_iter().find(|(kind, _)| *kind == error.kind());
    words.map_or_else(|| error.to_string(), |(_, words)| words.to_owned())
}
