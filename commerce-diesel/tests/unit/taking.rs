//! Tests that the SQL of uncontended reservations has the rule of the core.
//!
//! Included by each database on a server.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::{env, fs};

use chrono::{DateTime, TimeDelta, Utc};
use commerce_core::ids::{PromotionId, Sku};
use commerce_core::promotion::UncontendedUses;
use commerce_core::stock::{StockLevel, UncontendedReservation};
use diesel::prelude::*;
use diesel::query_builder::{QueryBuilder, QueryFragment};

use super::RunQueryDsl;
use super::connection::Conn;
use super::dialect::{self, Take};
use super::query::loaded_state::Rows;
use super::query::stock;
use super::store::NetworkStore;
use super::target::Target;
use crate::fault::{Answer, Fault};
use crate::network::DatabaseOptions;
use crate::rows::promotion::UsesRow;
use crate::rows::stock::{LevelRow, UncontendedReservationRow};
use crate::rows::{counter, micros};
use crate::schema::promotion_uses;

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_000, 0).unwrap()
}

/// A connection to an empty database.
async fn connect(database: &str) -> Conn {
    let server = super::Server::shared();
    server.create_database(database).unwrap();
    let (url, options) = (server.url(database), DatabaseOptions::default());
    drop(NetworkStore::open(&url, options).await.unwrap());
    Conn::open(Arc::new(Target::read(&url, options).unwrap())).await.unwrap()
}

fn levels() -> Vec<StockLevel> {
    let expiries = [None, Some(-1), Some(0), Some(1)].map(|shift| Some(at() + TimeDelta::seconds(shift?)));
    let mut levels = Vec::new();
    for (on_hand, reserved) in [(0, 0), (5, 0), (5, 3), (5, 5), (9, 2)] {
        for reorder_threshold in [None, Some(0), Some(3)] {
            levels.extend(expiries.map(|next_expiry| StockLevel {
                on_hand,
                reserved,
                reorder_threshold,
                next_expiry,
                version: 7,
                ..StockLevel::empty("MUG".parse().unwrap())
            }));
        }
    }
    levels
}

fn taken(least_available: i64, reorder_threshold: Option<i64>) -> UncontendedReservation {
    UncontendedReservation {
        units: 1,
        steps: 2,
        next_expiry: at() + TimeDelta::seconds(60),
        reorder_threshold,
        least_available,
    }
}

fn moved(level: &StockLevel, taken: &UncontendedReservation) -> StockLevel {
    let mut level = level.clone();
    level.reserved += taken.units;
    level.version += taken.steps;
    level.next_expiry = level.next_expiry.into_iter().chain([taken.next_expiry]).min();
    level
}

async fn take(conn: &mut Conn, level: &StockLevel, taken: &UncontendedReservation) -> Answer<Option<StockLevel>> {
    let rows = [UncontendedReservationRow::of(&level.sku, taken)];
    dialect::take_each(conn, &rows, micros(at())).await?;
    let levels = stock::levels(conn, [&level.sku].into_iter(), Rows::Read).await?;
    Ok(levels.into_iter().next())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn units_are_taken_from_the_levels_that_fit_and_from_no_others() {
    let mut conn = connect("fits").await;
    let mut fitting = 0;
    for level in levels() {
        for (least, threshold) in [1, 3, 7].into_iter().flat_map(|least| [None, Some(0), Some(3)].map(|t| (least, t))) {
            let taken = taken(least, threshold);
            dialect::begin_write(&mut conn).await.unwrap();
            dialect::insert_each(&mut conn, [LevelRow::of(&level)]).await.unwrap();
            let answer = take(&mut conn, &level, &taken).await;
            dialect::rollback(&mut conn).await;
            match answer {
                Ok(there) => {
                    assert!(taken.fits(&level, at()), "{taken:?} does not fit {level:?}");
                    assert_eq!(there, Some(moved(&level, &taken)));
                    fitting += 1;
                }
                Err(Fault::Misfit) => assert!(!taken.fits(&level, at()), "{taken:?} fits {level:?}"),
                Err(fault) => panic!("{fault}"),
            }
        }
    }
    assert_eq!(fitting, 36);
}

/// The commit of the transaction may have been sent before the result is known.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_commits_if_one_level_does_not_fit_or_is_not_there() {
    let mut conn = connect("misfits").await;
    let conn = &mut conn;
    let [full, empty, unknown] = ["FULL", "NONE", "UNKNOWN"].map(|sku| sku.parse::<Sku>().unwrap());
    let level = |sku: &Sku, on_hand| StockLevel { on_hand, version: 7, ..StockLevel::empty(sku.clone()) };
    let before = [level(&full, 9), level(&empty, 0)];
    dialect::begin_write(conn).await.unwrap();
    dialect::insert_each(conn, before.iter().map(LevelRow::of)).await.unwrap();
    dialect::commit(conn).await.unwrap();
    let (at, taken) = (micros(at()), taken(3, None));
    for other in [&empty, &unknown] {
        let rows = [UncontendedReservationRow::of(&full, &taken), UncontendedReservationRow::of(other, &taken)];
        dialect::begin_write(conn).await.unwrap();
        let (written, ended) = dialect::commit_after!(conn, dialect::take_each(conn, &rows, at));
        assert!(matches!(written, Err(Fault::Misfit)), "{written:?}");
        ended.unwrap();
        let there = stock::levels(conn, [&full, &empty].into_iter(), Rows::Read).await.unwrap();
        assert_eq!(there, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn uses_are_added_to_the_counters_that_fit_and_to_no_others() {
    let mut conn = connect("uses").await;
    let [promotion, unknown] = ["promo", "unknown"].map(|id| id.parse::<PromotionId>().unwrap());
    let mut fitting = 0;
    for (used, spent) in [(0, 0), (4, 300), (5, 500), (6, 501)] {
        for (most_used, most_spent) in [(0, i64::MAX), (4, 499), (5, 500), (u64::MAX, 500), (u64::MAX, i64::MAX)] {
            let added = UncontendedUses { uses: 2, amount: 7, most_used, most_spent };
            dialect::begin_write(&mut conn).await.unwrap();
            dialect::insert_each(&mut conn, [UsesRow::of(&promotion, used, spent)]).await.unwrap();
            let answer = dialect::add_uses(&mut conn, &BTreeMap::from([(promotion.clone(), added)])).await;
            let query = promotion_uses::table.select((promotion_uses::used, promotion_uses::spent));
            let there = query.get_result::<(i64, i64)>(&mut conn).await;
            dialect::rollback(&mut conn).await;
            assert_eq!(answer.is_ok(), added.fits(used, spent), "{added:?} {used} {spent}");
            match answer {
                Ok(()) => assert_eq!(there.unwrap(), (counter(used) + 2, spent + 7)),
                Err(fault) => assert!(matches!(fault, Fault::Misfit), "{fault}"),
            }
            fitting += u32::from(added.fits(used, spent));
        }
    }
    assert_eq!(fitting, 13);
    let added = UncontendedUses { uses: 1, amount: 1, most_used: u64::MAX, most_spent: i64::MAX };
    let missing = dialect::add_uses(&mut conn, &BTreeMap::from([(unknown, added)])).await;
    assert!(matches!(missing, Err(Fault::Misfit)), "{missing:?}");
}

#[test]
fn the_statement_is_golden() {
    let sku = "MUG".parse().unwrap();
    let rows = [UncontendedReservationRow::of(&sku, &taken(3, None))];
    let mut text = <dialect::Db as diesel::backend::Backend>::QueryBuilder::default();
    let statement = Take::pieces(&rows, 0).next().unwrap();
    QueryFragment::<dialect::Db>::to_sql(&statement, &mut text, &dialect::Db::default()).unwrap();
    let (text, name) = (format!("{};\n", text.finish()), format!("take_{}.sql", super::NAME));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), text, "UPDATE_GOLDEN=1 accepts it");
}
