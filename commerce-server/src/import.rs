//! Products and their stock from a CSV file.
//!
//! The first line names the columns, in any order: `sku,name,price,currency,on_hand`, and optionally `categories` (separated by
//! `|`), `tax_category` and `product_id` (default: the SKU). Rows with one product id become its variants: the names "Shirt,
//! red" and "Shirt, blue" become the product "Shirt" with the variants "red" and "blue".
//!
//! # Rules
//! * The whole file is checked before the import, by itself ([`Sheet::read`]) and against the shop ([`Plan::make`]). Each bad
//!   row is reported with its line. A product with a bad row is left out as a whole.
//! * The file replaces what it contains. Everything else (descriptions, whether a product is active, absent columns) stays as
//!   it is. A product in the file has the variants in the file.
//! * Repeating an import changes nothing.

mod customers;
mod plan;
mod product;
mod row;
mod sheet;
mod statement;

use std::fmt;

pub use self::customers::{CUSTOMERS, CustomerSheet};
pub use self::plan::{ImportError, Plan, Summary};
pub use self::product::SheetProduct;
pub use self::sheet::{Sheet, SheetError};
pub use self::statement::{PLAIN, STRIPE, read_statement};

/// The columns of a kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Known {
    pub required: &'static [&'static str],
    pub optional: &'static [&'static str],
}

/// The columns of a file of products.
pub const PRODUCTS: Known = Known {
    required: &["sku", "name", "price", "currency", "on_hand"],
    optional: &["categories", "tax_category", "product_id"],
};

/// The maximum number of reported problems.
pub const MAX_FLAWS: usize = 100;

/// A problem in a line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The line number, from 1.
    pub line: u64,
    /// The message.
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
