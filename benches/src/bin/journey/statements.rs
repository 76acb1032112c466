//! What `PostgreSQL` is asked for a request.

use std::fmt::Write;
use std::thread;
use std::time::Duration;

use benches::numbers::decimal;

use crate::Failure;
use crate::database::Database;
use crate::journey::Kind;

/// After this time a session that has nothing to do reports its transactions.
const REPORT: Duration = Duration::from_secs(11);
/// Where a database is counted.
const STATISTICS: &str = "postgres";

/// The statements of a database, kind by kind.
#[derive(Debug)]
pub(crate) struct Statements {
    /// `None`: nothing is counted.
    database: Option<String>,
    transactions: u64,
    /// What was counted.
    pub(crate) text: String,
}

impl Statements {
    pub(crate) fn of(database: Option<String>) -> Self {
        Self { database, transactions: 0, text: String::new() }
    }

    /// Counts from here on.
    pub(crate) fn begin(&mut self, database: &Database) -> Result<(), Failure> {
        if let (Some(name), Database::Postgres(server)) = (&self.database, database) {
            if self.text.is_empty() {
                thread::sleep(REPORT);
            }
            self.transactions = server.sql(STATISTICS, &transactions(name))?.trim().parse()?;
            server.sql(STATISTICS, "SELECT pg_stat_statements_reset()")?;
        }
        Ok(())
    }

    /// Writes down what was counted for so many requests.
    pub(crate) fn end(&mut self, database: &Database, kind: Kind, requests: usize) -> Result<(), Failure> {
        if let (Some(name), Database::Postgres(server)) = (&self.database, database) {
            let requests = u64::try_from(requests)?;
            let rows = server.sql(STATISTICS, &statements(name))?;
            thread::sleep(REPORT);
            let transactions: u64 = server.sql(STATISTICS, &transactions(name))?.trim().parse()?;
            let rows: Vec<Row<'_>> = rows.lines().map(Row::read).collect::<Result<_, _>>()?;
            let all = rows.iter().map(|row| row.calls).sum();
            let per_request = |count: u64| decimal(count * 100 / requests, 2);
            let (all, transactions) = (per_request(all), per_request(transactions - self.transactions));
            let name = kind.name();
            write!(self.text, "\n{name}: {all} statements in {transactions} transactions per request\n\n")?;
            for Row { calls, pages, statement } in rows.iter().filter(|row| row.calls * 100 >= requests) {
                let (calls, pages) = (per_request(*calls), per_request(*pages));
                writeln!(self.text, "* {calls} × `{statement}` on {pages} pages")?;
            }
        }
        Ok(())
    }
}

fn transactions(database: &str) -> String {
    format!("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = '{database}'")
}

fn statements(database: &str) -> String {
    format!(
        "SELECT sum(calls), sum(shared_blks_hit + shared_blks_read), regexp_replace(query, '\\s+', ' ', 'g') FROM pg_stat_statements
         WHERE dbid = (SELECT oid FROM pg_database WHERE datname = '{database}') GROUP BY query ORDER BY sum(calls) DESC"
    )
}

/// A statement that was executed.
struct Row<'a> {
    calls: u64,
    /// The pages that all calls read.
    pages: u64,
    statement: &'a str,
}

impl<'a> Row<'a> {
    fn read(line: &'a str) -> Result<Self, Failure> {
        let mut fields = line.splitn(3, '|');
        let mut field = || fields.next().ok_or("a row is incomplete");
        Ok(Self { calls: field()?.parse()?, pages: field()?.parse()?, statement: field()? })
    }
}
