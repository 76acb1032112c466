//! What was sold and can still come back.

use std::collections::BTreeMap;

use commerce_core::ids::{Sku, UserId};

use crate::invoices::Line;

/// Units of one line of one order that have not come back.
#[derive(Debug)]
struct Sold {
    order: String,
    item: String,
    left: i64,
}

/// Units of one line of one order that come back.
#[derive(Clone, Debug)]
pub(crate) struct Back {
    /// Of which order.
    pub(crate) order: String,
    /// Of which of its items.
    pub(crate) item: String,
    /// How many.
    pub(crate) units: i64,
}

/// Everything sold, by customer, stock code and price; the latest sale last.
#[derive(Debug, Default)]
pub(crate) struct Sales(BTreeMap<(UserId, Sku, i64), Vec<Sold>>);

impl Sales {
    /// Notes a sold line.
    pub(crate) fn add(&mut self, customer: &UserId, line: &Line, order: &str, item: &str) {
        let sold = Sold { order: order.to_owned(), item: item.to_owned(), left: line.units.get() };
        self.0.entry(key(customer, line)).or_default().push(sold);
    }

    /// Takes the units of a cancelled line from earlier sales of the same customer, code and price, the latest first;
    /// says what comes back, and how many units match nothing.
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
