//! Connecting to a server: URL, TLS, credentials, migrations.

use std::error::Error as StdError;
use std::future::poll_fn;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::{DbError, Severity, SqlState};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::Signals;
use crate::network::security::Security;
use crate::network::{DatabaseError, DatabaseOptions, ServerState, migrate};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Serializes the migrations of processes that start together. "shop" in ASCII.
const LOCK: i64 = 0x7368_6f70;

/// The settings of a session, except its time-outs.
///
/// Every query has an index. Plans are made once per connection, possibly while a table is empty, so plans that are good for
/// small tables only are disabled.
const SETTINGS: &str = "SET application_name = 'commerce'; SET plan_cache_mode = force_generic_plan; \
                        SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;";

/// Whether the database can be written, has the tables of a shop, and the name of any table. Creating the tables is one
/// transaction with the record of the migration.
const INSPECT: &str = "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean AS read_only, \
                       to_regclass('__diesel_schema_migrations') IS NOT NULL AS migrated, \
                       (SELECT table_name::text FROM information_schema.tables \
                        WHERE table_schema = current_schema() ORDER BY table_name LIMIT 1) AS other";

/// Whether the server takes writes, and the first event of the shop.
const STATE: &str = "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean AS read_only, \
                     (SELECT event_id::text || happened_at FROM events ORDER BY position LIMIT 1) AS first_event";

/// A connection, and what the server tells about it beside its answers.
pub(super) type Connected = (AsyncPgConnection, Arc<Signals>);

/// A server, and how to connect to it.
pub(super) struct Server {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    options: DatabaseOptions,
}

impl Server {
    /// Parses a URL: the parameters of `tokio_postgres`, `sslmode` as in libpq, and `sslrootcert`, which implies TLS.
    pub(super) fn read(url: &str, options: DatabaseOptions) -> Result<Self, DatabaseError> {
        let Security { url, wanted, roots } = Security::take(url, ["sslmode", "sslrootcert"], is_wanted)?;
        let wanted = wanted.unwrap_or(roots.is_some());
        // This error contains names of parameters, never values.
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            DatabaseError::Url(error.source().map_or_else(|| error.to_string(), ToString::to_string))
        })?;
        config.ssl_mode(if wanted { SslMode::Require } else { SslMode::Disable });
        config.connect_timeout(options.connect_timeout);
        config.tcp_user_timeout(options.silence());
        let mut server = Self { config, tls: None, options };
        if wanted {
            server.tls = Some(server.tls(roots)?);
        }
        Ok(server)
    }

    fn tls(&self, roots: Option<PathBuf>) -> Result<MakeRustlsConnect, DatabaseError> {
        let tls = |reason: String| DatabaseError::Tls { host: self.host(), reason };
        let Some(path) = roots else { return Ok(MakeRustlsConnect::with_webpki_roots()) };
        let mut store = rustls::RootCertStore::empty();
        let certificates =
            CertificateDer::pem_file_iter(&path).map_err(|error| tls(format!("{}: {error}", path.display())))?;
        for certificate in certificates {
            let added = certificate
                .map_err(|error| error.to_string())
                .and_then(|certificate| store.add(certificate).map_err(|error| error.to_string()));
            added.map_err(|error| tls(format!("{}: {error}", path.display())))?;
        }
        if store.is_empty() {
            return Err(tls(format!("{}: it contains no certificate", path.display())));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| tls(error.to_string()))?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }

    /// Host and port, for messages.
    pub(super) fn host(&self) -> String {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            Some(Host::Unix(path)) => path.display().to_string(),
            None => "localhost".to_owned(),
        };
        format!("{host}:{}", self.config.get_ports().first().copied().unwrap_or(5432))
    }

    /// Connects.
    pub(super) async fn connect(&self) -> Result<Connected, DatabaseError> {
        let signals = Arc::new(Signals::default());
        let mut client = self.client(Arc::clone(&signals)).await?;
        let millis = self.options.statement_timeout.as_millis();
        // A process that dies in a transaction blocks others no longer than the time-out of a statement.
        let settings =
            format!("{SETTINGS} SET statement_timeout = {millis}; SET idle_in_transaction_session_timeout = {millis};");
        client.batch_execute(&settings).await.map_err(|error| self.other(error))?;
        Ok((client, signals))
    }

    /// Runs statements without values.
    pub(super) async fn run(&self, statements: &str) -> Result<(), DatabaseError> {
        let mut client = self.client(Arc::default()).await?;
        client.batch_execute(statements).await.map_err(|error| self.other(error))
    }

    pub(super) async fn state(&self, (client, _): &mut Connected) -> Result<ServerState, DatabaseError> {
        #[derive(QueryableByName)]
        struct Found {
            #[diesel(sql_type = Bool)]
            read_only: bool,
            #[diesel(sql_type = Nullable<Text>)]
            first_event: Option<String>,
        }
        let found: Found = diesel::sql_query(STATE).get_result(client).await.map_err(|error| self.other(error))?;
        Ok(ServerState { read_only: found.read_only, first_event: found.first_event })
    }

    async fn client(&self, signals: Arc<Signals>) -> Result<AsyncPgConnection, DatabaseError> {
        let connecting = async {
            match self.tls.clone() {
                Some(tls) => self.dial(tls, signals).await,
                None => self.dial(NoTls, signals).await,
            }
        };
        let silent = |_| self.unreachable(format!("no answer within {:?}", self.options.connect_timeout));
        let client = tokio::time::timeout(self.options.connect_timeout, connecting).await.map_err(silent)??;
        AsyncPgConnection::try_from(client).await.map_err(|error| self.other(error))
    }

    async fn dial<T>(&self, tls: T, signals: Arc<Signals>) -> Result<Client, DatabaseError>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let (client, mut connection) = self.config.connect(tls).await.map_err(|error| self.judge(&error))?;
        tokio::spawn(async move {
            while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
                match message {
                    Ok(AsyncMessage::Notice(notice)) if is_of_a_standby(&notice) => {
                        signals.unreplicated.store(true, Ordering::Release);
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!(%error, "a connection to the database ended");
                        break;
                    }
                }
            }
            signals.closed.store(true, Ordering::Release);
        });
        Ok(client)
    }

    fn judge(&self, error: &tokio_postgres::Error) -> DatabaseError {
        let host = self.host();
        let code = error.code().cloned();
        let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        match code {
            Some(SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
                DatabaseError::Refused { host, user: self.config.get_user().unwrap_or_default().to_owned() }
            }
            Some(SqlState::INVALID_CATALOG_NAME) => {
                DatabaseError::Missing { host, database: self.config.get_dbname().unwrap_or_default().to_owned() }
            }
            Some(SqlState::TOO_MANY_CONNECTIONS) => DatabaseError::Full { host },
            None if error.to_string().contains("TLS") => DatabaseError::Tls { host, reason },
            Some(_) | None => self.unreachable(reason),
        }
    }

    fn unreachable(&self, reason: String) -> DatabaseError {
        DatabaseError::Unreachable { host: self.host(), reason }
    }

    fn other(&self, error: impl StdError + Send + Sync + 'static) -> DatabaseError {
        DatabaseError::Other { host: self.host(), source: error.into() }
    }

    /// Runs missing migrations if they are wanted, and refuses a database that cannot be written.
    pub(super) async fn prepare(self: Arc<Self>, create: bool) -> Result<(), DatabaseError> {
        migrate::on_a_thread(async move {
            let mut conn = self.client(Arc::default()).await?;
            let unlocked = format!("SELECT pg_advisory_lock({LOCK})");
            self.inspect(&mut conn, create).await?;
            conn.batch_execute(&unlocked).await.map_err(|error| self.other(error))?;
            // The lock ends with the connection.
            migrate::bring_up_to_date(&mut AsyncMigrationHarness::new(conn), MIGRATIONS, create)
        })
        .await
    }

    /// Refuses a database that cannot be written, has tables of another program, or has no shop and may not get one.
    async fn inspect(&self, conn: &mut AsyncPgConnection, create: bool) -> Result<(), DatabaseError> {
        #[derive(QueryableByName)]
        struct Found {
            #[diesel(sql_type = Bool)]
            read_only: bool,
            #[diesel(sql_type = Bool)]
            migrated: bool,
            #[diesel(sql_type = Nullable<Text>)]
            other: Option<String>,
        }
        let found: Found = diesel::sql_query(INSPECT).get_result(conn).await.map_err(|error| self.other(error))?;
        match found {
            Found { read_only: true, .. } => Err(DatabaseError::ReadOnly { host: self.host() }),
            Found { migrated: false, other: Some(table), .. } => Err(DatabaseError::Foreign { table }),
            Found { migrated: false, .. } if !create => Err(DatabaseError::NotMigrated),
            Found { .. } => Ok(()),
        }
    }
}

/// Whether it is the warning that a commit no longer waits for a standby: it was cancelled, or the server is being shut down. Our
/// statements cause no other warnings with these codes.
fn is_of_a_standby(notice: &DbError) -> bool {
    notice.parsed_severity() == Some(Severity::Warning)
        && [SqlState::WARNING, SqlState::ADMIN_SHUTDOWN].contains(notice.code())
}

/// Whether a value of `sslmode` requires TLS. With TLS, the server's certificate is always verified.
fn is_wanted(mode: &str) -> Option<bool> {
    match mode {
        "require" | "verify-ca" | "verify-full" => Some(true),
        "disable" | "allow" | "prefer" => Some(false),
        _ => None,
    }
}
