//! The table.

use benches::numbers::decimal;

use crate::contender::Row;
use crate::measure::Column;

/// One line per row.
pub(crate) fn table(rows: &[Row]) -> String {
    let head = format!(
        "{:<58} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9}   rounds",
        "", "orders/s", "p50 ms", "p99 ms", "µs client", "µs server", "log bytes"
    );
    std::iter::once(head).chain(rows.iter().map(line)).collect::<Vec<_>>().join("\n")
}

fn line(row: &Row) -> String {
    let shown =
        |column, divisor: u64, places: u32| row.median(column).map_or("-".into(), |n| decimal(n / divisor, places));
    format!(
        "{:<58} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9}   {:?}",
        row.contender.name(),
        shown(Column::Rate, 1, 0),
        shown(Column::Median, 10, 2),
        shown(Column::Tail, 10, 2),
        shown(Column::Client, 1, 1),
        shown(Column::Server, 1, 1),
        shown(Column::Log, 1, 0),
        row.rates(),
    )
}
