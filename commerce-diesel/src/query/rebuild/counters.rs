//! The counters of uses of promotions, which follow from the redemptions (`RDM-1`). The database counts: the customers of a
//! promotion may be too many for the memory.

use diesel::prelude::*;
use diesel_bulk::Bulk;

use super::tables::{Sql, texts};
use super::{Answer, Conn, DifferenceKind, MOST_LISTED, Mode, Rebuild, RunQueryDsl, dialect, read};
use crate::schema::promotion_uses;

/// A table of counters.
struct Counters {
    name: &'static str,
    key: &'static [&'static str],
    /// Columns, each with what it is the sum of over the redemptions that were not released.
    sums: &'static [(&'static str, &'static str)],
}

const USES: Counters =
    Counters { name: "promotion_uses", key: &["promotion_id"], sums: &[("used", "1"), ("spent", "amount")] };
const CUSTOMERS: Counters =
    Counters { name: "promotion_customers", key: &["promotion_id", "user_id"], sums: &[("used", "1")] };

impl Counters {
    /// What a statement lists: the key, then something of each column.
    fn list(&self, of: impl Fn(&(&str, &str)) -> String) -> String {
        let key = self.key.iter().map(ToString::to_string);
        key.chain(self.sums.iter().map(of)).collect::<Vec<_>>().join(", ")
    }

    fn sum((_, summand): &(&str, &str)) -> String {
        format!("SUM(CASE WHEN released_at IS NULL THEN {summand} ELSE 0 END)")
    }

    /// The keys that differ, each with the number of rows and the sums too many.
    fn differences(&self) -> String {
        let stored = self.list(|(column, _)| (*column).to_owned());
        let counted = self.list(|sum| format!("-{}", Self::sum(sum)));
        let key = self.key.join(", ");
        let sides = ["side"].into_iter().chain(self.sums.iter().map(|(column, _)| *column));
        let sums: Vec<_> = sides.map(|column| format!("SUM({column})")).collect();
        let (((open, close), (before, after)), unequal) =
            ((<dialect::Db as Bulk>::ARRAY, <dialect::Db as Bulk>::TEXT), sums.join(" <> 0 OR "));
        let columns = self.key.iter().copied().chain(sums.iter().map(String::as_str));
        let columns: Vec<_> = columns.map(|column| format!("{before}{column}{after}")).collect();
        format!(
            "SELECT {open}{}{close} FROM (SELECT 1 AS side, {stored} FROM {} UNION ALL \
             SELECT -1, {counted} FROM promotion_redemptions GROUP BY {key}) AS t \
             GROUP BY {key} HAVING {unequal} <> 0 ORDER BY {key} LIMIT {MOST_LISTED}",
            columns.join(", "),
            self.name,
        )
    }

    async fn mend(&self, conn: &mut Conn) -> Answer<()> {
        let columns = self.list(|(column, _)| (*column).to_owned());
        let (counted, key) = (self.list(Self::sum), self.key.join(", "));
        for text in [
            format!("DELETE FROM {}", self.name),
            format!("INSERT INTO {} ({columns}) SELECT {counted} FROM promotion_redemptions GROUP BY {key}", self.name),
        ] {
            Sql(vec![(text, None)]).execute(conn).await?;
        }
        Ok(())
    }
}

impl<F: FnMut(u64) + Send> Rebuild<F> {
    /// Compares the counters, unless the redemptions differ: then they cannot tell.
    pub(super) async fn check_counters(&mut self, conn: &mut Conn) -> Answer<()> {
        let promotions: i64 = promotion_uses::table.count().get_result(conn).await?;
        self.result.promotions = promotions.unsigned_abs();
        let differ = self.result.differences.iter().any(|known| known.table == "promotion_redemptions");
        if differ && self.mode == Mode::Compare {
            return Ok(());
        }
        for counters in [USES, CUSTOMERS] {
            self.check_counter(conn, &counters).await?;
        }
        Ok(())
    }

    async fn check_counter(&mut self, conn: &mut Conn, counters: &Counters) -> Answer<()> {
        let found = texts(conn, counters.differences()).await?;
        for text in &found {
            let cells = read(text)?;
            let (key, sums) = cells.split_at_checked(counters.key.len()).unwrap_or_default();
            let is_zero = |sum: &Option<String>| sum.as_deref() == Some("0");
            let columns = counters.sums.iter().zip(sums.iter().skip(1)).filter(|(_, sum)| !is_zero(sum));
            let columns = columns.map(|((column, _), _)| column);
            match sums.first().and_then(Option::as_deref) {
                Some("0") => self.list(counters.name, key, DifferenceKind::Changed, columns),
                Some("-1") => self.list(counters.name, key, DifferenceKind::Missing, counters.key),
                _ => self.list(counters.name, key, DifferenceKind::Unknown, counters.key),
            }
        }
        if self.mode == Mode::Mend && !found.is_empty() {
            counters.mend(conn).await?;
        }
        Ok(())
    }
}
