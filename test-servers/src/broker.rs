//! Message brokers: NATS with `JetStream`, `RabbitMQ`, and Redis.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::ServerError;
use super::account::Account;
use super::instance::{PATIENCE, USER, free_port, random};
use super::process::{Directory, Process, Run};
use super::programs::{tail, usual_directories};

/// Where Debian keeps the script that starts the broker as the user who calls it.
const RABBITMQ: &str = "/usr/lib/rabbitmq/bin";
/// Starts the broker beside the daemon that it finds its own port with, which ends with it. One that the broker starts itself would listen
/// everywhere, and stay.
const RUN_RABBITMQ: &str = r#"
{
    epmd -address 127.0.0.1 -port "$ERL_EPMD_PORT" &
    while kill -s 0 "$$"; do sleep 0.1; done
    kill -s KILL "$!"
} 3>&- 2>/dev/null &
exec "$1""#;

/// The kind of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerKind {
    /// NATS with `JetStream`, which flushes every message.
    Nats,
    /// `RabbitMQ`. It needs several seconds to start.
    RabbitMq,
    /// Redis with an append-only file, which flushes every write.
    Redis,
}

/// A certificate and its key, in PEM, with which a broker takes connections by TLS.
#[derive(Clone, Copy)]
#[expect(missing_docs, missing_debug_implementations, reason = "the names say it; a key is not shown")]
pub struct Identity<'a> {
    pub certificate: &'a str,
    pub key: &'a str,
}

/// What a configuration file depends on.
struct Setup {
    directory: PathBuf,
    port: u16,
    /// The port of TLS.
    tls: Option<u16>,
    password: String,
}

impl BrokerKind {
    const fn program(self) -> (&'static str, &'static str) {
        match self {
            Self::Nats => ("nats-server", "nats-server"),
            Self::RabbitMq => ("rabbitmq-server", "rabbitmq-server"),
            Self::Redis => ("redis-server", "redis-server"),
        }
    }

    fn find(self) -> Result<PathBuf, ServerError> {
        let (program, package) = self.program();
        let own = (self == Self::RabbitMq).then(|| PathBuf::from(RABBITMQ));
        let mut paths = own.into_iter().chain(usual_directories()).map(|directory| directory.join(program));
        paths.find(|path| path.is_file()).ok_or(ServerError::NotInstalled { program, package })
    }

    /// What the log says when the broker takes connections.
    const fn ready(self) -> &'static str {
        match self {
            Self::Nats => "Server is ready",
            Self::RabbitMq => " completed with ",
            Self::Redis => "Ready to accept connections",
        }
    }

    /// The configuration file of a broker, which keeps its data in `data`.
    fn config(self, setup: &Setup) -> String {
        let Setup { directory, port, tls, password } = setup;
        let path = |name: &str| directory.join(name).display().to_string();
        let (data, certificate, key) = (path("data"), path("certificate"), path("key"));
        match (self, tls) {
            (Self::Nats, None) => nats(*port, password, &data),
            (Self::Nats, Some(tls)) => {
                let nats = nats(*tls, password, &data);
                format!("{nats}tls {{ cert_file: \"{certificate}\", key_file: \"{key}\" }}\n")
            }
            (Self::RabbitMq, None) => rabbitmq(*port, password),
            (Self::RabbitMq, Some(tls)) => format!(
                "{}listeners.ssl.1 = 127.0.0.1:{tls}\nssl_options.certfile = {certificate}\n\
                 ssl_options.keyfile = {key}\nssl_options.verify = verify_none\n",
                rabbitmq(*port, password)
            ),
            (Self::Redis, None) => redis(*port, password, &data),
            (Self::Redis, Some(tls)) => format!(
                "{}tls-port {tls}\ntls-cert-file {certificate}\ntls-key-file {key}\n\
                 tls-ca-cert-file {certificate}\ntls-auth-clients no\n",
                redis(*port, password, &data)
            ),
        }
    }

    fn command(self, program: &Path, directory: &Path) -> Result<Vec<OsString>, ServerError> {
        let config = directory.join("config");
        match self {
            Self::Nats => Ok(vec![program.into(), "-c".into(), config.into()]),
            Self::RabbitMq => rabbitmq_command(program, directory),
            Self::Redis => Ok(vec![program.into(), config.into()]),
        }
    }
}

fn nats(port: u16, password: &str, data: &str) -> String {
    format!(
        "listen: \"127.0.0.1:{port}\"\nauthorization {{ user: {USER}, password: \"{password}\" }}\n\
         jetstream {{ store_dir: \"{data}\" }}\n"
    )
}

fn redis(port: u16, password: &str, data: &str) -> String {
    format!(
        "bind 127.0.0.1\nport {port}\ndir {data}\nsave \"\"\nappendonly yes\nappendfsync always\n\
         requirepass {password}\nuser {USER} on >{password} ~* &* +@all\n"
    )
}

fn rabbitmq(port: u16, password: &str) -> String {
    format!(
        "listeners.tcp.1 = 127.0.0.1:{port}\ndefault_user = {USER}\ndefault_pass = {password}\n\
         disk_free_limit.absolute = 1MB\nmax_message_size = 1048576\n"
    )
}

/// All ports are on loopback, and all files in the directory.
fn rabbitmq_command(program: &Path, directory: &Path) -> Result<Vec<OsString>, ServerError> {
    let path = |name: &str| directory.join(name).display().to_string();
    let settings = [
        ("HOME", path("")),
        ("RABBITMQ_NODENAME", "commerce@localhost".to_owned()),
        ("RABBITMQ_CONF_ENV_FILE", "/dev/null".to_owned()),
        ("RABBITMQ_CONFIG_FILE", path("config.conf")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", path("advanced.config")),
        ("RABBITMQ_GENERATED_CONFIG_DIR", path("generated")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", path("plugins")),
        ("RABBITMQ_MNESIA_BASE", path("data")),
        ("RABBITMQ_LOG_BASE", path("logs")),
        ("RABBITMQ_LOGS", "-".to_owned()),
        ("RABBITMQ_DIST_PORT", free_port()?.to_string()),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none".to_owned()),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
        ("ERL_EPMD_PORT", free_port()?.to_string()),
        // Its script then becomes the broker, which so gets the signals.
        ("RUNNING_UNDER_SYSTEMD", "true".to_owned()),
    ];
    let settings = settings.iter().map(|(name, value)| format!("{name}={value}"));
    let words = ["sh", "-c", RUN_RABBITMQ, "run"].map(str::to_owned);
    let command = ["env".to_owned()].into_iter().chain(settings).chain(words).map(OsString::from);
    Ok(command.chain([program.into()]).collect())
}

/// A broker that stops, and whose directory goes, when this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Broker {
    // Dropped before the directory.
    process: Process,
    kind: BrokerKind,
    port: u16,
    tls: Option<u16>,
    password: String,
    account: Account,
    directory: Directory,
}

impl Broker {
    /// Starts a broker on a free port and waits until it takes connections.
    ///
    /// # Errors
    /// If it is not installed, or does not start.
    pub fn start(kind: BrokerKind) -> Result<Self, ServerError> {
        Self::prepared(kind, None, "")
    }

    /// Starts a broker that takes connections by TLS: NATS only those, the others on a second port.
    ///
    /// # Errors
    /// As [`Broker::start`].
    pub fn start_with(kind: BrokerKind, identity: Identity<'_>) -> Result<Self, ServerError> {
        Self::prepared(kind, Some(identity), "")
    }

    /// Starts a broker with further lines in its configuration file.
    ///
    /// # Errors
    /// As [`Broker::start`].
    pub fn configured(kind: BrokerKind, lines: &str) -> Result<Self, ServerError> {
        Self::prepared(kind, None, lines)
    }

    fn prepared(kind: BrokerKind, identity: Option<Identity<'_>>, lines: &str) -> Result<Self, ServerError> {
        let account = Account::of_servers()?;
        let directory = Directory::create(account, &env::temp_dir())?;
        fs::create_dir(directory.path().join("data"))?;
        account.adopt(&directory.path().join("data"))?;
        let password = format!("{:016x}{:016x}", random(), random());
        let (port, tls) = (free_port()?, identity.map(|_| free_port()).transpose()?);
        let setup = Setup { directory: directory.path().to_owned(), port, tls, password };
        let text = kind.config(&setup) + lines;
        let identity = identity.map(|identity| [("certificate", identity.certificate), ("key", identity.key)]);
        let config = if kind == BrokerKind::RabbitMq { "config.conf" } else { "config" };
        for (name, text) in identity.into_iter().flatten().chain([(config, text.as_str())]) {
            let file = directory.path().join(name);
            fs::write(&file, text)?;
            account.adopt(&file)?;
        }
        let process = run(kind, account, &directory)?;
        Ok(Self { process, kind, port, tls, password: setup.password, account, directory })
    }

    /// Where the broker is found, with the name and password of a user who may do everything.
    pub fn url(&self) -> String {
        let scheme = match self.kind {
            BrokerKind::Nats => "nats",
            BrokerKind::RabbitMq => "amqp",
            BrokerKind::Redis => "redis",
        };
        self.url_of(scheme, self.port)
    }

    /// Where it is found by TLS, if it was started so.
    pub fn tls_url(&self) -> Option<String> {
        let scheme = match self.kind {
            BrokerKind::Nats => "tls",
            BrokerKind::RabbitMq => "amqps",
            BrokerKind::Redis => "rediss",
        };
        self.tls.map(|port| self.url_of(scheme, port))
    }

    fn url_of(&self, scheme: &str, port: u16) -> String {
        format!("{scheme}://{USER}:{}@127.0.0.1:{port}", self.password)
    }

    /// Kills the broker, as a crash would.
    ///
    /// # Errors
    /// If it stays.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        self.process.end("KILL")
    }

    /// Starts it again on its port and its data.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart(&mut self) -> Result<(), ServerError> {
        self.kill()?;
        self.process = run(self.kind, self.account, &self.directory)?;
        Ok(())
    }
}

fn run(kind: BrokerKind, account: Account, directory: &Directory) -> Result<Process, ServerError> {
    let command = kind.command(&kind.find()?, directory.path())?;
    let said = directory.log(0).len();
    let process = Process::start(account, directory.path(), &Run { command, abort: "KILL", after: "" })?;
    let start = Instant::now();
    loop {
        let (gone, log) = (process.is_gone(), directory.log(said));
        if log.contains(kind.ready()) && !gone {
            return Ok(process);
        }
        if gone || start.elapsed() > PATIENCE {
            return Err(ServerError::Start { log: tail(&log) });
        }
        thread::sleep(Duration::from_millis(5));
    }
}
