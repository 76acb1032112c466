//! Reaching a server: where it is, who comes, are the tables up to date?

use std::error::Error as StdError;
use std::path::PathBuf;
use std::sync::Arc;

use diesel_async::{AsyncMigrationHarness, AsyncMysqlConnection, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use mysql_async::prelude::Queryable;
use mysql_async::{DriverError, Error, IoError, Opts, OptsBuilder, SslOpts};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::network::security::Security;
use crate::network::{DatabaseError, DatabaseOptions, migrate};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/mysql");

/// Keeps processes that start together from bringing the tables up to date at once. Names of locks belong to the server, so
/// this one has the database in it.
const LOCK: &str = "SELECT GET_LOCK(CONCAT('shop.', MD5(DATABASE())), 3600)";

/// Finds a table that is none of ours. Ours say so, and may be there already if they were being made when a process ended:
/// no transaction takes back that a table was made.
const FOREIGN: &str = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() \
                       AND table_comment <> 'commerce' AND table_name <> '__diesel_schema_migrations' LIMIT 1";

/// Where the server is, and how it is talked to.
pub(super) struct Target {
    opts: Opts,
    options: DatabaseOptions,
}

impl Target {
    /// Reads a URL: what `mysql_async` knows, with `ssl-mode` and `ssl-ca` as the client programs have them.
    pub(super) fn read(url: &str, options: DatabaseOptions) -> Result<Self, DatabaseError> {
        let Security { url, wanted, roots } = Security::take(url, ["ssl-mode", "ssl-ca"], is_wanted)?;
        // The texts of this error name parameters and what stands in them, which is never the password.
        let opts = Opts::from_url(&url).map_err(|error| DatabaseError::Url(error.to_string()))?;
        let wanted = wanted.unwrap_or_default() || opts.ssl_opts().is_some();
        if opts.db_name().is_none_or(str::is_empty) {
            return Err(DatabaseError::Url("it names no database".to_owned()));
        }
        let host = opts.ip_or_hostname().trim_matches(['[', ']']).to_owned();
        // The system counts in seconds.
        let alive = u32::try_from(options.statement_timeout.as_millis()).unwrap_or(u32::MAX).max(1000);
        let builder = OptsBuilder::from_opts(opts)
            .ip_or_hostname(host)
            .prefer_socket(false) // what listens there may be another server
            .tcp_keepalive(Some(alive))
            .stmt_cache_size(0) // Diesel has its own, which forgets none
            .client_found_rows(true)
            .ssl_opts(None);
        let mut target = Self { opts: builder.clone().into(), options };
        if wanted {
            target.opts = builder.ssl_opts(target.tls(roots)?).into();
        }
        Ok(target)
    }

    pub(super) const fn options(&self) -> &DatabaseOptions {
        &self.options
    }

    fn tls(&self, roots: Option<PathBuf>) -> Result<SslOpts, DatabaseError> {
        // The driver takes that of the process. Who has chosen one keeps it.
        drop(CryptoProvider::install_default(aws_lc_rs::default_provider()));
        let Some(path) = roots else { return Ok(SslOpts::default()) };
        let tls =
            |reason: &str| DatabaseError::Tls { host: self.host(), reason: format!("{}: {reason}", path.display()) };
        let certificates = CertificateDer::pem_file_iter(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        match certificates {
            Ok(found) if found.is_empty() => Err(tls("there is no certificate in it")),
            Ok(_) => Ok(SslOpts::default().with_disable_built_in_roots(true).with_root_certs(vec![path.into()])),
            Err(error) => Err(tls(&error.to_string())),
        }
    }

    /// Host and port, for messages.
    fn host(&self) -> String {
        let (host, port) = (self.opts.ip_or_hostname(), self.opts.tcp_port());
        match self.opts.socket() {
            Some(path) => path.to_owned(),
            None if host.contains(':') => format!("[{host}]:{port}"),
            None => format!("{host}:{port}"),
        }
    }

    /// Makes a connection.
    pub(super) async fn connect(&self) -> Result<AsyncMysqlConnection, DatabaseError> {
        self.in_time(async {
            let mut link = self.wrap(self.dial().await?).await?;
            link.batch_execute(&self.settings()).await.map_err(|error| self.other(error))?;
            Ok(link)
        })
        .await
    }

    /// How a session is set up.
    ///
    /// Who is gone in the middle of a transaction holds up the others no longer than a statement may take; only `MariaDB` can be
    /// told so. `MySQL` limits the time of queries alone: of what writes, the wait for locks is limited there, and we wait no
    /// longer for the answer. A long list of keys stays a list of places in an index.
    fn settings(&self) -> String {
        let (seconds, millis) =
            (self.options.statement_timeout.as_secs().max(1), self.options.statement_timeout.as_millis());
        format!(
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
             SET sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout = {seconds} \
             /*M!100300 , max_statement_time = {millis} / 1000, idle_transaction_timeout = {seconds}, \
             in_predicate_conversion_threshold = 0 */ /*!80000 , max_execution_time = {millis} */"
        )
    }

    async fn dial(&self) -> Result<mysql_async::Conn, DatabaseError> {
        mysql_async::Conn::new(self.opts.clone()).await.map_err(|error| self.judge(error))
    }

    async fn wrap(&self, conn: mysql_async::Conn) -> Result<AsyncMysqlConnection, DatabaseError> {
        AsyncMysqlConnection::try_from(conn).await.map_err(|error| self.other(error))
    }

    async fn in_time<T>(&self, connecting: impl Future<Output = Result<T, DatabaseError>>) -> Result<T, DatabaseError> {
        let silent = |_| self.unreachable(format!("no answer within {:?}", self.options.connect_timeout));
        tokio::time::timeout(self.options.connect_timeout, connecting).await.map_err(silent)?
    }

    fn judge(&self, error: Error) -> DatabaseError {
        let host = self.host();
        match error {
            Error::Server(error) => match error.code {
                1045 | 1698 => DatabaseError::Refused { host, user: self.opts.user().unwrap_or_default().to_owned() },
                1044 | 1049 => {
                    DatabaseError::Missing { host, database: self.opts.db_name().unwrap_or_default().to_owned() }
                }
                1040 | 1203 | 1226 => DatabaseError::Full { host },
                1036 | 1290 | 1792 | 1836 | 1874 => DatabaseError::ReadOnly { host },
                _ => self.other(error),
            },
            Error::Io(IoError::Tls(error)) => DatabaseError::Tls { host, reason: error.to_string() },
            Error::Io(IoError::Io(error)) if is_of_tls(&error) => {
                DatabaseError::Tls { host, reason: error.to_string() }
            }
            Error::Driver(error @ DriverError::NoClientSslFlagFromServer) => {
                DatabaseError::Tls { host, reason: error.to_string() }
            }
            Error::Io(error) => self.unreachable(error.to_string()),
            Error::Driver(error @ DriverError::ConnectionClosed) => self.unreachable(error.to_string()),
            error @ (Error::Driver(_) | Error::Other(_) | Error::Url(_)) => self.other(error),
        }
    }

    fn unreachable(&self, reason: String) -> DatabaseError {
        DatabaseError::Unreachable { host: self.host(), reason }
    }

    fn other(&self, error: impl StdError + Send + Sync + 'static) -> DatabaseError {
        DatabaseError::Other { host: self.host(), source: error.into() }
    }

    /// Brings the tables up to date, if they can be written at all.
    pub(super) async fn prepare(self: Arc<Self>) -> Result<(), DatabaseError> {
        migrate::on_a_thread(async move {
            let mut conn = self.in_time(self.dial()).await?;
            let applied = self.applied(&mut conn).await?;
            let locked: Option<Option<u8>> = conn.query_first(LOCK).await.map_err(|error| self.other(error))?;
            if locked.flatten() != Some(1) {
                return Err(self.unreachable("another process is bringing its tables up to date".to_owned()));
            }
            if applied == 0
                && let Some(table) = conn.query_first(FOREIGN).await.map_err(|error| self.other(error))?
            {
                return Err(DatabaseError::Foreign { table });
            }
            // The lock goes with the connection.
            migrate::bring_up_to_date(&mut AsyncMigrationHarness::new(self.wrap(conn).await?), MIGRATIONS)
        })
        .await
    }

    /// How many migrations were applied. Whether the database can be written is told by trying: who has the right to may
    /// write to one that is read-only for others.
    async fn applied(&self, conn: &mut mysql_async::Conn) -> Result<u64, DatabaseError> {
        const UNKNOWN_TABLE: u16 = 1146;
        match conn.query_drop("DELETE FROM __diesel_schema_migrations WHERE FALSE").await {
            Ok(()) => {}
            Err(Error::Server(error)) if error.code == UNKNOWN_TABLE => return Ok(0),
            Err(error) => return Err(self.judge(error)),
        }
        let count = conn.query_first("SELECT COUNT(*) FROM __diesel_schema_migrations").await;
        count.map(Option::unwrap_or_default).map_err(|error| self.other(error))
    }
}

fn is_of_tls(error: &std::io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some()
}

/// What `ssl-mode` says. Where TLS is wanted, the server's certificate is always verified.
fn is_wanted(mode: &str) -> Option<bool> {
    match mode.to_ascii_uppercase().as_str() {
        "REQUIRED" | "VERIFY_CA" | "VERIFY_IDENTITY" => Some(true),
        "DISABLED" | "PREFERRED" => Some(false),
        _ => None,
    }
}
