//! Settings of brokers that cannot be used.

use std::path::PathBuf;

use thiserror::Error;

/// Why a target cannot be used. It has no secret.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum InvalidTarget {
    #[error("not an address of {broker}, such as {example}")]
    Address { broker: &'static str, example: &'static str },
    #[error("a name is longer than {0} bytes")]
    LongName(usize),
    #[error("TLS to Kafka was not built in: build it with --features kafka-tls")]
    NoTls,
    #[error("{}: {error}", file.display())]
    Authorities { file: PathBuf, error: String },
}
