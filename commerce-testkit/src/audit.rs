//! What must hold of a store, whatever was done to it.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a store that is not sound panics")]

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use commerce_core::commit::Refusal;
use commerce_core::ids::Sku;
use commerce_core::port::{CommitError, PageRequest, Store};
use commerce_core::replay::verify;
use commerce_core::stock::{StockLevel, StockRefusal};

/// The tables are what the events make, and what is reserved is held by somebody. Gives the levels.
pub async fn sound(store: &dyn Store, at: DateTime<Utc>) -> BTreeMap<Sku, StockLevel> {
    let report = verify(store, at, |_| {}).await.unwrap();
    let first = format!("{:?}", report.differences.first());
    assert!(report.is_identical(), "{} differences: {first:.400}", report.differences.len());
    let levels = store.stock_levels(false, at, &PageRequest { limit: 1000, after: None }).await.unwrap().items;
    for level in &levels {
        let reservations = store.reservations(&level.sku).await.unwrap();
        let held: i64 = reservations.iter().map(|(_, reservation)| reservation.units).sum();
        assert_eq!(level.reserved, held, "{level:?}");
        assert!(0 <= level.reserved && level.reserved <= level.on_hand, "{level:?}");
    }
    levels.into_iter().map(|level| (level.sku.clone(), level)).collect()
}

/// Whether an answer is that there was too little stock.
pub fn is_out_of_stock(answer: &Result<(), CommitError>) -> bool {
    matches!(answer, Err(CommitError::Refused(Refusal::Stock(StockRefusal::OutOfStock { .. }))))
}
