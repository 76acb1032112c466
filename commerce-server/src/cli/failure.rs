//! Why a command failed, in words for whoever typed it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use commerce_core::engine::EngineError;
use commerce_core::port::StoreError;
#[cfg(feature = "_network")]
use commerce_diesel::DatabaseError;
#[cfg(feature = "sqlite")]
use commerce_diesel::sqlite::OpenError;
use commerce_http::auth::MintError;
use thiserror::Error;

use crate::config::ConfigError;
use crate::development_key;
use crate::import::{MAX_FLAWS, PlanError, SheetError};
use crate::keyring::KeyringError;
use crate::users::UsersConfigError;

/// Why a command failed.
#[derive(Debug, Error)]
pub(super) enum Failure {
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The users service cannot be used as it is configured.
    #[error("users service: {0}")]
    Users(#[from] UsersConfigError),
    /// The database cannot be opened.
    #[cfg(feature = "sqlite")]
    #[error("database: {0}")]
    Open(#[from] OpenError),
    /// The database behind a network cannot be used.
    #[cfg(feature = "_network")]
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// This program cannot speak to a database of this kind.
    #[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "mysql")))]
    #[error("this commerce was built without {name}: build it with --features {feature}")]
    WithoutDriver { name: &'static str, feature: &'static str },
    /// There is no development key.
    #[error(transparent)]
    DevelopmentKey(#[from] development_key::KeyError),
    /// The configured keys cannot be used.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// Tokens can only be signed with a secret.
    #[error("tokens cannot be signed here: the configured keys are public ones; ask the issuer of the tokens for one")]
    CannotSign,
    /// The process keeps metrics in another way already.
    #[error("metrics: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    /// The token cannot be signed.
    #[error(transparent)]
    Mint(#[from] MintError),
    /// A file of products is not one.
    #[error("{}: {source}", path.display())]
    Sheet { path: PathBuf, source: SheetError },
    /// Rows are bad; they were told before.
    #[error("{}: nothing was imported, {flaws}{} lines are bad", path.display(), or_more(*flaws))]
    NothingImported { path: PathBuf, flaws: usize },
    /// An import stopped on its way.
    #[error("{}: {source}", path.display())]
    Import { path: PathBuf, source: PlanError },
    /// Requests are bad; what is wrong was told before.
    #[error("{}: nothing was priced, {flaws} problems", path.display())]
    NothingPriced { path: PathBuf, flaws: usize },
    /// The tables are not what the events make; where, was told before.
    #[error("{0} differences between the tables and the history")]
    Differences(usize),
    /// The requests in flight took longer than the time of grace.
    #[error("requests were cut off: they took longer than the time of grace")]
    Interrupted,
    /// Something of the system failed.
    #[error("{what}: {source}")]
    System { what: &'static str, source: io::Error },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// The address is not to be had.
    #[error("cannot listen on {address}: {}", listening(.source))]
    Listen { address: SocketAddr, source: io::Error },
    /// stdout is closed or full.
    #[error("cannot write to the standard output: {0}")]
    Output(io::Error),
    /// A use case failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

const fn or_more(flaws: usize) -> &'static str {
    if flaws < MAX_FLAWS { "" } else { " or more" }
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
