//! `commerce token`: a token for a user, signed with the development key or the configured secret.

use clap::{Args, ValueEnum};
use commerce_core::actor::Role;
use commerce_core::ids::UserId;
use commerce_core::port::Clock;
use commerce_core::system::SystemClock;
use commerce_http::auth::{Claims, mint_claims};

use super::failure::Failure;
use super::opened::{OpenStore, block_on};
use super::print;
use crate::config::{Config, DurationText, KeySource, Secret};
use crate::development_key;

/// Whose token.
#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    /// The user, 1 to 64 characters.
    #[arg(long, value_name = "USER")]
    sub: UserId,

    /// What the user is.
    #[arg(long, value_enum, required = true, value_name = "ROLE", value_delimiter = ',')]
    role: Vec<TokenRole>,

    /// For how long the token is valid: 15m, 24h, 30d.
    #[arg(long, value_name = "SPAN", default_value = "24h")]
    lifetime: DurationText,
}

/// A role that a token can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TokenRole {
    /// Buys.
    Customer,
    /// Helps customers.
    Support,
    /// Runs the shop.
    Admin,
    /// Another program of the house.
    Service,
}

impl TokenRole {
    const fn role(self) -> Role {
        match self {
            Self::Customer => Role::Customer,
            Self::Support => Role::Support,
            Self::Admin => Role::Admin,
            Self::Service => Role::Service,
        }
    }
}

/// Prints the bare token.
pub(super) fn run(args: &TokenArgs, config: &Config) -> Result<(), Failure> {
    let secret = signing_secret(config)?;
    let now = u64::try_from(SystemClock.now().timestamp()).unwrap_or_default();
    let claims = Claims {
        sub: args.sub.to_string(),
        roles: args.role.iter().map(|role| role.role().name().to_owned()).collect(),
        exp: now.saturating_add(args.lifetime.whole_seconds().into()),
        iss: config.keys.claims().issuer.clone(),
        aud: config.keys.claims().audience.clone(),
    };
    print(&mint_claims(secret.reveal().as_bytes(), &claims)?)
}

fn signing_secret(config: &Config) -> Result<Secret, Failure> {
    match &config.keys {
        KeySource::Configured(_, keys) => keys.hs256.clone().ok_or(Failure::CannotSign),
        KeySource::Development(_) => {
            // The key belongs to a database, which is made first so that it is not left alone.
            block_on(OpenStore::open(config))??;
            Ok(development_key::load_or_make(&config.database.key_path())?)
        }
    }
}
