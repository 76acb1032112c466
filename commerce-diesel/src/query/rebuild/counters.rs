//! The counters of uses of promotions, which follow from the redemptions (`RDM-1`). The database counts: the
//! redemptions may be too many for the memory.

use diesel_bulk::Bulk;

use super::tables::{Sql, rows_of, texts};
use super::{Answer, Conn, DifferenceKind, MOST_LISTED, Mode, Rebuild, RunQueryDsl, count, dialect, read};

const TABLE: &str = "promotion_uses";
const KEY: &str = "promotion_id";

/// The columns, each with what it is the sum of over the redemptions that were not released.
const COLUMNS: [(&str, &str); 2] = [("used", "1"), ("spent", "amount")];

impl<F: FnMut(u64) + Send> Rebuild<F> {
    /// Compares the counters, unless redemptions differ.
    pub(super) async fn check_counters(&mut self, conn: &mut Conn) -> Answer<()> {
        self.result.promotions = count(rows_of(conn, TABLE).await?);
        if self.mode == Mode::Compare && self.result.differences.iter().any(|row| row.table == "promotion_redemptions")
        {
            return Ok(());
        }
        let sums = COLUMNS.map(|(_, of)| format!("SUM(CASE WHEN released_at IS NULL THEN {of} ELSE 0 END)"));
        let found = texts(conn, differences(&sums)).await?;
        for text in &found {
            let cells = read(text)?;
            let (key, excess) = cells.split_at_checked(1).unwrap_or_default();
            self.list_counter(key, excess);
        }
        if self.mode == Mode::Repair && !found.is_empty() {
            let sums = sums.join(", ");
            let insert = format!(
                "INSERT INTO {TABLE} ({KEY}, used, spent) SELECT {KEY}, {sums} FROM promotion_redemptions GROUP BY {KEY}"
            );
            for text in [format!("DELETE FROM {TABLE}"), insert] {
                Sql(vec![(text, None)]).execute(conn).await?;
            }
        }
        Ok(())
    }

    fn list_counter(&mut self, key: &[Option<String>], excess: &[Option<String>]) {
        let mut excess = excess.iter().map(|sum| sum.as_deref().unwrap_or_default());
        match excess.next() {
            Some("0") => {
                let differing = COLUMNS.iter().zip(excess).filter(|(_, excess)| *excess != "0");
                self.list(TABLE, key, DifferenceKind::Changed, differing.map(|((column, _), _)| column));
            }
            Some("-1") => self.list(TABLE, key, DifferenceKind::Missing, &[KEY]),
            _ => self.list(TABLE, key, DifferenceKind::Unknown, &[KEY]),
        }
    }
}

/// A query of the keys that differ, each with how many rows too many the table has, and by how much its columns are too high.
fn differences(sums: &[String]) -> String {
    let ((open, close), (before, after)) = (<dialect::Db as Bulk>::ARRAY, <dialect::Db as Bulk>::TEXT);
    let listed = [KEY, "SUM(side)", "SUM(used)", "SUM(spent)"].join(&format!("{after}, {before}"));
    let counted = sums.join(", -");
    format!(
        "SELECT {open}{before}{listed}{after}{close} FROM (SELECT 1 AS side, {KEY}, used, spent FROM {TABLE} UNION ALL \
         SELECT -1, {KEY}, -{counted} FROM promotion_redemptions GROUP BY {KEY}) AS t \
         GROUP BY {KEY} HAVING SUM(side) <> 0 OR SUM(used) <> 0 OR SUM(spent) <> 0 ORDER BY {KEY} LIMIT {MOST_LISTED}"
    )
}
