//! A database on `PostgreSQL`.

use std::time::Duration;

use async_trait::async_trait;
use commerce_diesel::postgres::PostgresStore;
use commerce_diesel::{DatabaseError, DatabaseOptions};
use test_servers::Postgres;

use crate::database::{Database, fresh_name};

/// A database on `PostgreSQL`.
#[derive(Clone, Debug)]
pub(crate) struct OnPostgres {
    url: String,
}

#[async_trait]
impl Database for OnPostgres {
    type Store = PostgresStore;

    fn create() -> Self {
        let (server, name) = (Postgres::shared(), fresh_name());
        server.create_database(&name).unwrap();
        Self::at(&server.url(&name))
    }

    fn at(url: &str) -> Self {
        Self { url: url.to_owned() }
    }

    fn url(&self) -> String {
        self.url.clone()
    }

    fn port() -> u16 {
        Postgres::shared().port()
    }

    fn sql(&self, script: &str) -> String {
        let (_, name) = self.url.rsplit_once('/').unwrap();
        Postgres::shared().sql(name, script).unwrap()
    }

    fn pausing(statements: &str, pause: Duration) -> String {
        format!("BEGIN; {statements}; SELECT pg_sleep({}.{:03}); COMMIT;", pause.as_secs(), pause.subsec_millis())
    }

    async fn connect(url: &str, options: DatabaseOptions) -> Result<PostgresStore, DatabaseError> {
        PostgresStore::open(url, options).await
    }
}
