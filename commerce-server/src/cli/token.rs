//! `commerce token`: a token for a user, signed with the development key or the configured secret.

use clap::Args;
use commerce_core::ids::UserId;
use commerce_core::port::Clock;
use commerce_core::system::SystemClock;
use commerce_http::auth::{Claims, mint_claims};

use super::failure::Failure;
use super::opened::{OpenStore, block_on};
use super::print;
use crate::config::{Config, DurationText};

const ROLES: [&str; 4] = ["customer", "support", "admin", "service"];

/// Whose token.
#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    /// The user, 1 to 64 characters.
    #[arg(long, value_name = "USER")]
    sub: UserId,

    /// What the user is.
    #[arg(long, required = true, value_name = "ROLE", value_delimiter = ',', value_parser = ROLES)]
    role: Vec<String>,

    /// For how long the token is valid: 15m, 24h, 30d.
    #[arg(long, value_name = "SPAN", default_value = "24h")]
    lifetime: DurationText,
}

pub(super) fn run(args: &TokenArgs, config: &Config) -> Result<(), Failure> {
    if config.keys.is_development() {
        // The key belongs to a database, which is made first so that it is not left alone.
        block_on(OpenStore::open(config))??;
    }
    let secret = config.keys.signing(&config.database.key_path())?.ok_or(Failure::CannotSign)?;
    let now = u64::try_from(SystemClock.now().timestamp()).unwrap_or_default();
    let claims = Claims {
        sub: args.sub.to_string(),
        roles: args.role.clone(),
        exp: now.saturating_add(args.lifetime.whole_seconds().into()),
        iss: config.keys.issuer.clone(),
        aud: config.keys.audience.clone(),
    };
    print(&mint_claims(secret.reveal().as_bytes(), &claims)?)
}
