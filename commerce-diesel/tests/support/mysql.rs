//! A database on `MariaDB`.

use std::time::Duration;

use async_trait::async_trait;
use commerce_diesel::mysql::MysqlStore;
use commerce_diesel::{DatabaseError, DatabaseOptions};
use test_servers::MariaDb;

use crate::database::{Database, fresh_name};

/// A database on `MariaDB`.
#[derive(Clone, Debug)]
pub(crate) struct OnMariaDb {
    url: String,
}

#[async_trait]
impl Database for OnMariaDb {
    type Store = MysqlStore;

    fn create() -> Self {
        let (server, name) = (MariaDb::shared(), fresh_name());
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
        MariaDb::shared().port()
    }

    fn sql(&self, script: &str) -> String {
        let (_, name) = self.url.rsplit_once('/').unwrap();
        MariaDb::shared().sql(name, script).unwrap()
    }

    fn pausing(statements: &str, pause: Duration) -> String {
        let (seconds, millis) = (pause.as_secs(), pause.subsec_millis());
        format!("START TRANSACTION; {statements}; SELECT SLEEP({seconds}.{millis:03}); COMMIT;")
    }

    async fn connect(url: &str, options: DatabaseOptions) -> Result<MysqlStore, DatabaseError> {
        MysqlStore::open(url, options).await
    }
}
