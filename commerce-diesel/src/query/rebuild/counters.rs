//! The counters of uses of promotions, which follow from the redemptions (`RDM-1`). The database counts: the customers of a
//! promotion may be too many for the memory.

use diesel_bulk::Bulk;

use super::tables::{Sql, rows_of, texts};
use super::{Answer, Conn, DifferenceKind, MOST_LISTED, Mode, Rebuild, RunQueryDsl, count, dialect, read};

/// A table, its key, and its columns, each with what it is the sum of over the redemptions that were not released.
type Counters = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

const USES: Counters = ("promotion_uses", &["promotion_id"], &[("used", "1"), ("spent", "amount")]);
const CUSTOMERS: Counters = ("promotion_customers", &["promotion_id", "user_id"], &[("used", "1")]);

impl<F: FnMut(u64) + Send> Rebuild<F> {
    /// Compares the counters, unless redemptions differ.
    pub(super) async fn check_counters(&mut self, conn: &mut Conn) -> Answer<()> {
        self.result.promotions = count(rows_of(conn, USES.0).await?);
        if self.mode == Mode::Compare && self.result.differences.iter().any(|row| row.table == "promotion_redemptions")
        {
            return Ok(());
        }
        self.check_counter(conn, USES).await?;
        self.check_counter(conn, CUSTOMERS).await
    }

    async fn check_counter(&mut self, conn: &mut Conn, (table, key, columns): Counters) -> Answer<()> {
        let (keys, names): (_, Vec<_>) = (key.join(", "), columns.iter().map(|(name, _)| *name).collect());
        let sum = |(_, of): &(&str, &str)| format!("SUM(CASE WHEN released_at IS NULL THEN {of} ELSE 0 END)");
        let (names, sums): (_, Vec<_>) = (names.join(", "), columns.iter().map(sum).collect());
        let found = texts(conn, differences(table, &keys, &names, &sums)).await?;
        for text in &found {
            let cells = read(text)?;
            let (key_cells, excess) = cells.split_at_checked(key.len()).unwrap_or_default();
            let mut excess = excess.iter().map(|sum| sum.as_deref().unwrap_or_default());
            match excess.next() {
                Some("0") => {
                    let differing = columns.iter().zip(excess).filter(|(_, excess)| *excess != "0");
                    let differing = differing.map(|((column, _), _)| column);
                    self.list(table, key_cells, DifferenceKind::Changed, differing);
                }
                Some("-1") => self.list(table, key_cells, DifferenceKind::Missing, key),
                _ => self.list(table, key_cells, DifferenceKind::Unknown, key),
            }
        }
        if self.mode == Mode::Repair && !found.is_empty() {
            let sums = sums.join(", ");
            let insert = format!(
                "INSERT INTO {table} ({keys}, {names}) SELECT {keys}, {sums} FROM promotion_redemptions GROUP BY {keys}"
            );
            for text in [format!("DELETE FROM {table}"), insert] {
                Sql(vec![(text, None)]).execute(conn).await?;
            }
        }
        Ok(())
    }
}

/// A query of the keys that differ, each with how many rows too many the table has, and by how much its columns are too high.
fn differences(table: &str, keys: &str, names: &str, sums: &[String]) -> String {
    let ((open, close), (before, after)) = (<dialect::Db as Bulk>::ARRAY, <dialect::Db as Bulk>::TEXT);
    let excess: Vec<_> = ["side"].into_iter().chain(names.split(", ")).map(|name| format!("SUM({name})")).collect();
    let listed: Vec<_> = keys.split(", ").chain(excess.iter().map(String::as_str)).collect();
    let listed = listed.join(&format!("{after}, {before}"));
    let (counted, unequal) = (sums.join(", -"), excess.join(" <> 0 OR "));
    format!(
        "SELECT {open}{before}{listed}{after}{close} FROM (SELECT 1 AS side, {keys}, {names} FROM {table} UNION ALL \
         SELECT -1, {keys}, -{counted} FROM promotion_redemptions GROUP BY {keys}) AS t \
         GROUP BY {keys} HAVING {unequal} <> 0 ORDER BY {keys} LIMIT {MOST_LISTED}"
    )
}
