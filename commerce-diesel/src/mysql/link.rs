//! A connection to a server. It prepares no statement inside a transaction.
//!
//! A node of a Galera cluster may abort a transaction at any time. If that happens while a statement is being prepared, MariaDB
//! reports no error. A statement that is not prepared yet is therefore sent as text within a transaction, and prepared before
//! the next one.

use std::collections::{BTreeSet, HashMap};
use std::mem;

use diesel::mysql::{Mysql, MysqlQueryBuilder, MysqlType};
use diesel::query_builder::bind_collector::RawBytesBindCollector;
use diesel::query_builder::{QueryBuilder, QueryFragment};
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error, QueryResult};
use mysql_async::consts::ColumnType;
use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{Conn, Params, Row, ServerError, Statement, Value};

/// A connection with its prepared statements.
pub(super) struct Link {
    conn: Conn,
    prepared: HashMap<String, Statement>,
    /// Statements to prepare before the next transaction.
    unprepared: BTreeSet<String>,
    in_transaction: bool,
}

/// A statement with its values.
pub(super) struct Query {
    sql: String,
    values: Vec<Value>,
    /// Whether it is prepared, which is not worth it for a text that depends on its values.
    preparable: bool,
}

impl Link {
    pub(super) fn new(conn: Conn) -> Self {
        Self { conn, prepared: HashMap::new(), unprepared: BTreeSet::new(), in_transaction: false }
    }

    /// Runs statements without values.
    pub(super) async fn run(&mut self, statements: &str) -> Result<(), mysql_async::Error> {
        self.conn.query_drop(statements).await
    }

    /// The first row of a statement without values, which is not prepared.
    pub(super) async fn ask<T: FromRow + Send + 'static>(
        &mut self,
        statement: &str,
    ) -> Result<Option<T>, mysql_async::Error> {
        self.conn.query_first(statement).await
    }

    pub(super) async fn begin(&mut self, statements: &str) -> Result<(), mysql_async::Error> {
        for sql in mem::take(&mut self.unprepared) {
            self.prepare(sql).await?;
        }
        self.in_transaction = true;
        self.run(statements).await
    }

    pub(super) async fn end(&mut self, statements: &str) -> Result<(), mysql_async::Error> {
        let ended = self.run(statements).await;
        self.in_transaction = ended.is_err();
        ended
    }

    /// The number of rows that a statement found or changed.
    pub(super) async fn execute(&mut self, query: Query) -> Result<u64, mysql_async::Error> {
        match self.statement(&query).await? {
            Some(statement) => self.conn.exec_drop(statement, Params::Positional(query.values)).await?,
            None => self.conn.query_drop(query.text()).await?,
        }
        Ok(self.conn.affected_rows())
    }

    pub(super) async fn load(&mut self, query: Query) -> Result<Vec<Row>, mysql_async::Error> {
        match self.statement(&query).await? {
            Some(statement) => self.conn.exec(statement, Params::Positional(query.values)).await,
            None => Ok(self.conn.query::<Row, _>(query.text()).await?.into_iter().map(typed).collect()),
        }
    }

    /// The prepared statement. `None` if the query is sent as text.
    async fn statement(&mut self, query: &Query) -> Result<Option<Statement>, mysql_async::Error> {
        let known = self.prepared.get(&query.sql).cloned();
        if known.is_some() || !query.preparable {
            return Ok(known);
        }
        if self.in_transaction {
            self.unprepared.insert(query.sql.clone());
            return Ok(None);
        }
        self.prepare(query.sql.clone()).await.map(Some)
    }

    async fn prepare(&mut self, sql: String) -> Result<Statement, mysql_async::Error> {
        let statement = self.conn.prep(sql.as_str()).await?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }
}

impl Query {
    pub(super) fn of(source: &impl QueryFragment<Mysql>) -> QueryResult<Self> {
        let mut sql = MysqlQueryBuilder::new();
        source.to_sql(&mut sql, &Mysql)?;
        let mut binds = RawBytesBindCollector::<Mysql>::new();
        source.collect_binds(&mut binds, &mut (), &Mysql)?;
        let values = binds.metadata.into_iter().zip(binds.binds).map(value).collect::<QueryResult<_>>()?;
        Ok(Self { sql: sql.finish(), values, preparable: source.is_safe_to_cache_prepared(&Mysql)? })
    }

    /// The statement with its values in place of the question marks. No text of this crate contains others.
    fn text(&self) -> String {
        let mut parts = self.sql.split('?');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for (value, part) in self.values.iter().zip(parts) {
            text.push_str(&value.as_sql(false));
            text.push_str(part);
        }
        text
    }
}

/// The value of a parameter, of the types of our columns.
#[expect(clippy::wildcard_enum_match_arm, reason = "no column is of another type")]
fn value((kind, bind): (MysqlType, Option<Vec<u8>>)) -> QueryResult<Value> {
    let Some(bytes) = bind else { return Ok(Value::NULL) };
    match kind {
        // Diesel writes a boolean in four bytes.
        MysqlType::Tiny => Ok(Value::Int(bytes.first().map_or(0, |byte| i64::from(i8::from_le_bytes([*byte]))))),
        MysqlType::Short => Ok(Value::Int(integer(&bytes, i16::from_ne_bytes)?)),
        MysqlType::Long => Ok(Value::Int(integer(&bytes, i32::from_ne_bytes)?)),
        MysqlType::LongLong => Ok(Value::Int(integer(&bytes, i64::from_ne_bytes)?)),
        MysqlType::String | MysqlType::Blob => Ok(Value::Bytes(bytes)),
        other => Err(Error::SerializationError(format!("no column is of the type {other:?}").into())),
    }
}

fn integer<const N: usize, I: Into<i64>>(bytes: &[u8], read: fn([u8; N]) -> I) -> QueryResult<i64> {
    let bytes = bytes.try_into().map_err(|error| Error::SerializationError(Box::new(error)))?;
    Ok(read(bytes).into())
}

/// A row of an answer in text as a prepared statement gives it: with numbers as numbers.
fn typed(mut row: Row) -> Row {
    for (index, column) in row.columns().iter().enumerate() {
        let number = match (column.column_type(), row.as_ref(index)) {
            (
                ColumnType::MYSQL_TYPE_TINY
                | ColumnType::MYSQL_TYPE_SHORT
                | ColumnType::MYSQL_TYPE_INT24
                | ColumnType::MYSQL_TYPE_LONG
                | ColumnType::MYSQL_TYPE_LONGLONG,
                Some(Value::Bytes(digits)),
            ) => str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()),
            _ => None,
        };
        if let Some(number) = number {
            row.place(index, Value::Int(number));
        }
    }
    row
}

/// An error of a server, with its number.
#[derive(Debug)]
struct Numbered {
    number: String,
    message: String,
}

/// An error of a server as Diesel's, with the number as its details.
pub(crate) fn from_server(error: ServerError) -> Error {
    let kind = match error.code {
        1062 | 1586 | 1859 => DatabaseErrorKind::UniqueViolation,
        1216 | 1217 | 1451 | 1452 => DatabaseErrorKind::ForeignKeyViolation,
        1048 | 1364 => DatabaseErrorKind::NotNullViolation,
        3819 | 4025 => DatabaseErrorKind::CheckViolation, // the latter is MariaDB's
        _ => DatabaseErrorKind::Unknown,
    };
    Error::DatabaseError(kind, Box::new(Numbered { number: error.code.to_string(), message: error.message }))
}

impl DatabaseErrorInformation for Numbered {
    fn message(&self) -> &str {
        &self.message
    }

    fn details(&self) -> Option<&str> {
        Some(&self.number)
    }

    fn hint(&self) -> Option<&str> {
        None
    }

    fn table_name(&self) -> Option<&str> {
        None
    }

    fn column_name(&self) -> Option<&str> {
        None
    }

    fn constraint_name(&self) -> Option<&str> {
        None
    }

    fn statement_position(&self) -> Option<i32> {
        None
    }
}
