//! Connecting to a server: URL, TLS, credentials, migrations.

use std::collections::hash_map::RandomState;
use std::error::Error as StdError;
use std::hash::BuildHasher;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel_async::{AsyncMigrationHarness, AsyncMysqlConnection};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use mysql_async::prelude::Queryable;
use mysql_async::{DriverError, Error, IoError, Opts, OptsBuilder, SslOpts};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::oneshot;

use super::link::Link;
use crate::network::security::Security;
use crate::network::{DatabaseError, DatabaseOptions, ServerState, migrate};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/mysql");

/// The row that serializes the migrations of processes that start together, on any node of a cluster. The table is dropped
/// after the migrations.
const TURN: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS __commerce_migration (id TINYINT PRIMARY KEY, owner BIGINT NOT NULL, until BIGINT NOT NULL) \
     ENGINE = InnoDB COMMENT = 'commerce'",
    "INSERT IGNORE INTO __commerce_migration VALUES (1, 0, 0)",
];

/// How long a process that died holds the row, in seconds.
const TURN_SECONDS: u32 = 120;
const RENEWAL: Duration = Duration::from_secs(30);

/// How long a process waits for the migrations of another one.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The error of a node of a cluster that has lost the majority, or is still catching up.
const NOT_IN_THE_CLUSTER: u16 = 1047;

/// Finds a table of another program. The tables of this engine have a comment. They may exist before the first migration is
/// recorded, because creating a table cannot be rolled back.
const FOREIGN: &str = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() \
                       AND table_comment <> 'commerce' AND table_name <> '__diesel_schema_migrations' LIMIT 1";

/// Whether the server takes writes, and the first event of the shop.
const STATE: &str =
    "SELECT @@read_only, (SELECT CONCAT(HEX(event_id), happened_at) FROM events ORDER BY position LIMIT 1)";

/// A connection.
pub(super) type Connected = Link;

/// A server, and how to connect to it.
pub(super) struct Server {
    opts: Opts,
    options: DatabaseOptions,
}

impl Server {
    /// Parses a URL: the parameters of `mysql_async`, and `ssl-mode` and `ssl-ca` as in the client programs.
    pub(super) fn read(url: &str, options: DatabaseOptions) -> Result<Self, DatabaseError> {
        let Security { url, wanted, roots } = Security::take(url, ["ssl-mode", "ssl-ca"], is_wanted)?;
        // This error may contain the value of a parameter, but never the password.
        let opts = Opts::from_url(&url).map_err(|error| DatabaseError::Url(error.to_string()))?;
        let wanted = wanted.unwrap_or_default() || opts.ssl_opts().is_some();
        if opts.db_name().is_none_or(str::is_empty) {
            return Err(DatabaseError::Url("it names no database".to_owned()));
        }
        let host = opts.ip_or_hostname().trim_matches(['[', ']']).to_owned();
        // The operating system counts in seconds.
        let alive = u32::try_from(options.statement_timeout.as_millis()).unwrap_or(u32::MAX).max(1000);
        let builder = OptsBuilder::from_opts(opts)
            .ip_or_hostname(host)
            .prefer_socket(false) // what listens there may be another server
            .tcp_keepalive(Some(alive))
            .stmt_cache_size(0) // Diesel has its own, which forgets none
            .client_found_rows(true)
            .ssl_opts(None);
        let mut server = Self { opts: builder.clone().into(), options };
        if wanted {
            server.opts = builder.ssl_opts(server.tls(roots)?).into();
        }
        Ok(server)
    }

    fn tls(&self, roots: Option<PathBuf>) -> Result<SslOpts, DatabaseError> {
        // The driver uses the provider of the process. One that is already installed stays.
        drop(CryptoProvider::install_default(aws_lc_rs::default_provider()));
        let Some(path) = roots else { return Ok(SslOpts::default()) };
        let tls =
            |reason: &str| DatabaseError::Tls { host: self.host(), reason: format!("{}: {reason}", path.display()) };
        let certificates = CertificateDer::pem_file_iter(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        match certificates {
            Ok(found) if found.is_empty() => Err(tls("it contains no certificate")),
            Ok(_) => Ok(SslOpts::default().with_disable_built_in_roots(true).with_root_certs(vec![path.into()])),
            Err(error) => Err(tls(&error.to_string())),
        }
    }

    /// Host and port, for messages.
    pub(super) fn host(&self) -> String {
        let (host, port) = (self.opts.ip_or_hostname(), self.opts.tcp_port());
        match self.opts.socket() {
            Some(path) => path.to_owned(),
            None if host.contains(':') => format!("[{host}]:{port}"),
            None => format!("{host}:{port}"),
        }
    }

    pub(super) async fn connect(&self) -> Result<Connected, DatabaseError> {
        self.in_time(async {
            let mut conn = self.dial().await?;
            conn.query_drop(self.settings()).await.map_err(|error| self.judge(error))?;
            Ok(Link::new(conn))
        })
        .await
    }

    /// Runs statements without values.
    pub(super) async fn run(&self, statements: &str) -> Result<(), DatabaseError> {
        let mut conn = self.in_time(self.dial()).await?;
        conn.query_drop(statements).await.map_err(|error| self.other(error))
    }

    pub(super) async fn state(&self, link: &mut Connected) -> Result<ServerState, DatabaseError> {
        let found =
            self.in_time(async { link.ask::<(bool, Option<String>)>(STATE).await.map_err(|error| self.judge(error)) });
        let (read_only, first_event) = found.await?.unwrap_or_default();
        Ok(ServerState { read_only, first_event })
    }

    /// The statements that configure a session.
    ///
    /// `MariaDB` ends idle transactions, so a process that dies in a transaction blocks others no longer than the time-out of a
    /// statement. `MySQL` has no such setting; its time-out applies to queries only. There, a write is limited by the time-out
    /// of locks and by our own. The last setting makes `MariaDB` use an index for long lists of keys.
    fn settings(&self) -> String {
        let (seconds, millis) =
            (self.options.statement_timeout.as_secs().max(1), self.options.statement_timeout.as_millis());
        format!(
            "SET NAMES utf8mb4; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
             SET sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout = {seconds} \
             /*M!100300 , max_statement_time = {millis} / 1000, idle_transaction_timeout = {seconds}, \
             in_predicate_conversion_threshold = 0 */ /*!80000 , max_execution_time = {millis} */"
        )
    }

    async fn dial(&self) -> Result<mysql_async::Conn, DatabaseError> {
        mysql_async::Conn::new(self.opts.clone()).await.map_err(|error| self.judge(error))
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
                NOT_IN_THE_CLUSTER => self.unreachable(error.to_string()),
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

    /// Runs missing migrations if they are wanted, and refuses a database that cannot be written.
    pub(super) async fn prepare(self: Arc<Self>, create: bool) -> Result<(), DatabaseError> {
        migrate::on_a_thread(async move {
            let mut conn = self.in_time(self.dial()).await?;
            let applied = self.applied(&mut conn).await?;
            if applied == 0
                && let Some(table) = conn.query_first(FOREIGN).await.map_err(|error| self.other(error))?
            {
                return Err(DatabaseError::Foreign { table });
            }
            if applied == 0 && !create {
                return Err(DatabaseError::NotMigrated);
            }
            if applied >= migrate::count(&MIGRATIONS)? || !create {
                return self.migrate(conn, create).await;
            }
            self.take_turn(&mut conn).await?;
            let (done, migrating) = oneshot::channel();
            let holding = tokio::spawn(hold_turn(conn, migrating));
            let migrated = self.migrate(self.in_time(self.dial()).await?, create).await;
            drop(done);
            holding.await.map_err(|error| self.other(error))?.map_err(|error| self.judge(error))?;
            migrated
        })
        .await
    }

    async fn migrate(&self, conn: mysql_async::Conn, create: bool) -> Result<(), DatabaseError> {
        let conn = AsyncMysqlConnection::try_from(conn).await.map_err(|error| self.other(error))?;
        migrate::bring_up_to_date(&mut AsyncMigrationHarness::new(conn), MIGRATIONS, create)
    }

    /// Waits for the row of the migrations. The table may be dropped meanwhile, and on a cluster another node may win; both are
    /// errors after which the row is asked for again.
    async fn take_turn(&self, conn: &mut mysql_async::Conn) -> Result<(), DatabaseError> {
        let owner = RandomState::new().hash_one(conn.id()) >> 1;
        let start = Instant::now();
        loop {
            let taken = has_turn(conn, owner).await;
            match taken {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(Error::Server(error)) if [1146, 1213].contains(&error.code) => {}
                Err(error) => return Err(self.judge(error)),
            }
            if start.elapsed() > LONGEST_WAIT {
                return Err(self.unreachable("another process is running migrations".to_owned()));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The number of applied migrations. A write finds out whether the database is read-only for this user.
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

/// Takes the row of the migrations if nobody has it.
async fn has_turn(conn: &mut mysql_async::Conn, owner: u64) -> Result<bool, Error> {
    for statement in TURN {
        conn.query_drop(statement).await?;
    }
    let take = "UPDATE __commerce_migration SET owner = ";
    let until = format!("until = UNIX_TIMESTAMP() + {TURN_SECONDS} WHERE until < UNIX_TIMESTAMP()");
    conn.query_drop(format!("{take}{owner}, {until}")).await?;
    let holder: Option<u64> = conn.query_first("SELECT owner FROM __commerce_migration").await?;
    Ok(holder == Some(owner))
}

/// Keeps the row of the migrations until they are done.
async fn hold_turn(mut conn: mysql_async::Conn, mut migrating: oneshot::Receiver<()>) -> Result<(), Error> {
    let renew = format!("UPDATE __commerce_migration SET until = UNIX_TIMESTAMP() + {TURN_SECONDS}");
    while tokio::time::timeout(RENEWAL, &mut migrating).await.is_err() {
        conn.query_drop(&renew).await?;
    }
    conn.query_drop("DROP TABLE __commerce_migration").await
}

fn is_of_tls(error: &std::io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some()
}

/// Whether a value of `ssl-mode` requires TLS. With TLS, the server's certificate is always verified.
fn is_wanted(mode: &str) -> Option<bool> {
    match mode.to_ascii_uppercase().as_str() {
        "REQUIRED" | "VERIFY_CA" | "VERIFY_IDENTITY" => Some(true),
        "DISABLED" | "PREFERRED" => Some(false),
        _ => None,
    }
}
