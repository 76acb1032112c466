//! A directory that the program runs in, and the database of its shop, whichever it is.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use tempfile::TempDir;
use test_servers::{MariaDb, Postgres, Programs, Server};

use crate::running::{directory, products, succeed};

/// The file of a directory that says which database its shop is in, if it is not `./commerce.db`.
pub(crate) const DATABASE: &str = "database.url";

/// Runs tests on every database.
macro_rules! on_each_database {
    ($($test:ident),+ $(,)?) => {
        $crate::home::on_each_database!(@ sqlite sqlite; $($test)+);
        $crate::home::on_each_database!(@ postgres postgres; $($test)+);
        $crate::home::on_each_database!(@ mariadb mariadb; $($test)+);
    };
    (@ $database:ident $start:ident; $($test:ident)+) => {
        mod $database {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test($crate::home::Home::$start()).await;
                }
            )+
        }
    };
}
pub(crate) use on_each_database;

/// Runs tests on every database behind a network.
macro_rules! on_each_server {
    (async: $($test:ident),+ $(,)?) => {
        $crate::home::on_each_server!(@ [#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async] [.await] $($test)+);
    };
    ($($test:ident),+ $(,)?) => {
        $crate::home::on_each_server!(@ [#[test]] [] $($test)+);
    };
    (@ $kind:tt $wait:tt $($test:ident)+) => {
        mod postgres {
            $($crate::home::on_each_server!(= $kind $wait $test test_servers::PostgresPrograms);)+
        }
        mod mariadb {
            $($crate::home::on_each_server!(= $kind $wait $test test_servers::MariaDbPrograms);)+
        }
    };
    (= [$($kind:tt)+] [$($wait:tt)*] $test:ident $programs:path) => {
        $($kind)+ fn $test() {
            super::$test::<$programs>()$($wait)*;
        }
    };
}
pub(crate) use on_each_server;

/// A directory, with a database.
pub(crate) struct Home {
    directory: TempDir,
    sql: Box<dyn Fn(&str) + Send + Sync>,
}

impl Home {
    /// With SQLite in the directory itself.
    pub(crate) fn sqlite() -> Self {
        let directory = directory();
        let path = directory.path().join("commerce.db");
        let sql = move |script: &str| {
            let mut tables = SqliteConnection::establish(path.to_str().expect("text")).expect("it opens");
            tables.batch_execute(script).expect("SQL");
        };
        Self { directory, sql: Box::new(sql) }
    }

    /// With `PostgreSQL`.
    pub(crate) fn postgres() -> Self {
        Self::shared(Postgres::shared())
    }

    /// With `MariaDB`.
    pub(crate) fn mariadb() -> Self {
        Self::shared(MariaDb::shared())
    }

    /// With a database of its own on the server that the tests share.
    pub(crate) fn shared<P: Programs + Sync>(server: &'static Server<P>) -> Self {
        let name = new_database(server);
        let home = Self::at(&server.url(&name));
        let sql = move |script: &str| drop(server.sql(&name, script).expect("SQL"));
        Self { sql: Box::new(sql), ..home }
    }

    /// With a database somewhere.
    pub(crate) fn at(url: &str) -> Self {
        let directory = directory();
        fs::write(directory.path().join(DATABASE), url).expect("written");
        Self { directory, sql: Box::new(|_| panic!("nobody runs SQL here")) }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs a script on the database.
    pub(crate) fn sql(&self, script: &str) {
        (self.sql)(script);
    }

    /// Imports products, with units on hand.
    pub(crate) fn stock(&self, stock: &[(&str, u32)]) {
        let file = products(self.path(), stock);
        succeed(self.path(), &["import", &file]);
        succeed(self.path(), &["token", "--sub", "nobody", "--role", "customer"]);
    }
}

/// Makes a database on a server, and gives its name.
pub(crate) fn new_database<P: Programs>(server: &Server<P>) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("shop_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    // The database of the administrator is named as the scheme.
    server.sql(P::SCHEME, &format!("CREATE DATABASE {name}")).expect("a new name");
    name
}
