//! Sold units that can still be returned.

use std::collections::BTreeMap;

use commerce_core::ids::{Sku, UserId};

use crate::invoices::Line;

/// Units of a line of an order that were not returned.
#[derive(Debug)]
struct Sold {
    order: String,
    item: String,
    left: i64,
}

/// Units of a line of an order to return.
#[derive(Clone, Debug)]
pub(crate) struct Back {
    pub(crate) order: String,
    pub(crate) item: String,
    pub(crate) units: i64,
}

/// All sales by customer, stock code and price, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Sales(BTreeMap<(UserId, Sku, i64), Vec<Sold>>);

impl Sales {
    pub(crate) fn add(&mut self, customer: &UserId, line: &Line, order: &str, item: &str) {
        let sold = Sold { order: order.to_owned(), item: item.to_owned(), left: line.units.get() };
        self.0.entry(key(customer, line)).or_default().push(sold);
    }

    /// Matches the units of a cancelled line with earlier sales of the same customer, code and price, latest first. Returns the
    /// units to return, and the number of unmatched ones.
    pub(crate) fn take(&mut self, customer: &UserId, line: &Line) -> (Vec<Back>, i64) {
        let mut wanted = line.units.get();
        let mut back = Vec::new();
        for sold in self.0.get_mut(&key(customer, line)).into_iter().flatten().rev() {
            let units = wanted.min(sold.left);
            if units > 0 {
                sold.left -= units;
                wanted -= units;
                back.push(Back { order: sold.order.clone(), item: sold.item.clone(), units });
            }
        }
        (back, wanted)
    }
}

fn key(customer: &UserId, line: &Line) -> (UserId, Sku, i64) {
    (customer.clone(), line.code.clone(), line.price.minor())
}
