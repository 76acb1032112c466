//! UUIDs in columns.

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use uuid::Uuid;

/// SQL types that differ between databases.
pub mod sql_types {
    /// A UUID: 16 bytes in databases without a UUID type.
    #[derive(Clone, Copy, Debug, Default, diesel::sql_types::SqlType, diesel::query_builder::QueryId)]
    #[diesel(sqlite_type(name = "Binary"))]
    #[diesel(mysql_type(name = "Blob"))]
    #[diesel(postgres_type(oid = 2950, array_oid = 2951))]
    pub struct Id;
}

/// A UUID in a column of type [`sql_types::Id`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Id)]
pub struct DbUuid(pub Uuid);

#[cfg(feature = "sqlite")]
mod on_sqlite {
    use diesel::deserialize::{self, FromSql};
    use diesel::serialize::{self, IsNull, Output, ToSql};
    use diesel::sql_types::Binary;
    use diesel::sqlite::{Sqlite, SqliteValue};

    use super::{DbUuid, Uuid, sql_types};

    impl ToSql<sql_types::Id, Sqlite> for DbUuid {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(self.0.as_bytes().as_slice());
            Ok(IsNull::No)
        }
    }

    impl FromSql<sql_types::Id, Sqlite> for DbUuid {
        fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            let bytes: Vec<u8> = FromSql::<Binary, Sqlite>::from_sql(value)?;
            Ok(Self(Uuid::from_slice(&bytes)?))
        }
    }
}

#[cfg(feature = "postgres")]
mod on_postgres {
    use diesel::deserialize::{self, FromSql};
    use diesel::pg::{Pg, PgValue};
    use diesel::serialize::{self, IsNull, Output, ToSql};

    use super::{DbUuid, Uuid, sql_types};
    use std::io::Write;

    impl ToSql<sql_types::Id, Pg> for DbUuid {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            out.write_all(self.0.as_bytes())?;
            Ok(IsNull::No)
        }
    }

    impl FromSql<sql_types::Id, Pg> for DbUuid {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            Ok(Self(Uuid::from_slice(value.as_bytes())?))
        }
    }
}

#[cfg(feature = "mysql")]
mod on_mysql {
    use diesel::deserialize::{self, FromSql};
    use diesel::mysql::{Mysql, MysqlValue};
    use diesel::serialize::{self, IsNull, Output, ToSql};

    use super::{DbUuid, Uuid, sql_types};
    use std::io::Write;

    impl ToSql<sql_types::Id, Mysql> for DbUuid {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
            out.write_all(self.0.as_bytes())?;
            Ok(IsNull::No)
        }
    }

    impl FromSql<sql_types::Id, Mysql> for DbUuid {
        fn from_sql(value: MysqlValue<'_>) -> deserialize::Result<Self> {
            Ok(Self(Uuid::from_slice(value.as_bytes())?))
        }
    }
}
