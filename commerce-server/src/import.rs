//! Products and their stock from a CSV file.
//!
//! The first line names the columns, in any order: `sku,name,price,currency,on_hand`, and if wanted `categories` (split by
//! `|`), `tax_category` and `product_id` (the sku, where there is none). Rows of one product id become its variants; the
//! names of "Shirt, red" and "Shirt, blue" become the product "Shirt" with the variants "red" and "blue".
//!
//! # What holds
//! * The whole file is checked before anything is imported, against its own rules ([`Sheet::read`]) and against the shop
//!   ([`Plan::make`]). Every bad row is told with its line.
//! * What the file says goes before what the shop has; what it does not say (a description, whether a product is for sale,
//!   a column it does not have) stays as it is. A product that it names has the variants it names.
//! * An import that was run before changes nothing.

mod customers;
mod plan;
mod product;
mod row;
mod sheet;

use std::fmt;

pub use self::customers::{CUSTOMERS, CustomerSheet};
pub use self::plan::{Plan, PlanError, Summary};
pub use self::product::SheetProduct;
pub use self::sheet::{Sheet, SheetError};

/// The columns of a kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Those every file has.
    pub required: &'static [&'static str],
    /// Those a file may have.
    pub optional: &'static [&'static str],
}

/// The columns of a file of products.
pub const PRODUCTS: Known = Known {
    required: &["sku", "name", "price", "currency", "on_hand"],
    optional: &["categories", "tax_category", "product_id"],
};

/// So many flaws are told; who has more has one reason for them.
pub const MAX_FLAWS: usize = 100;

/// What is wrong on a line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong there.
    pub problem: String,
}

impl Flaw {
    fn new(line: u64, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into() }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}
