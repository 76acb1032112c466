//! The rows of one product.

use commerce_core::catalog::{MAX_CATEGORIES, MAX_VARIANTS, Product, Variant};
use commerce_core::engine::{ImportRow, ProductInput};
use commerce_core::ids::{CategoryId, ProductId, Sku};
use commerce_core::text::Name;

use super::Flaw;
use super::row::Row;

/// The separator between the names of product and variant.
const BETWEEN: &str = ", ";

/// A product in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetProduct {
    /// The product id.
    pub id: ProductId,
    name: Name,
    /// At least one.
    rows: Vec<Row>,
}

impl SheetProduct {
    /// Combines the rows of one product. `None` without rows.
    pub(super) fn of(rows: Vec<Row>) -> Option<Result<Self, Flaw>> {
        let first = rows.first()?;
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        let shared = shared_beginning(&names).and_then(|name| name.parse().ok());
        let name = shared.unwrap_or_else(|| first.name.clone());
        Some(Self { id: first.product_id.clone(), name, rows }.checked())
    }

    fn checked(self) -> Result<Self, Flaw> {
        if let Some(row) = self.rows.get(MAX_VARIANTS) {
            return Err(Flaw::new(row.line, format!("product {} has more than {MAX_VARIANTS} variants", self.id)));
        }
        let categories = self.categories().map_or(0, |categories| categories.len());
        if categories > MAX_CATEGORIES {
            let problem = format!("product {} is in more than {MAX_CATEGORIES} categories", self.id);
            return Err(Flaw::new(self.line(), problem));
        }
        Ok(self)
    }

    /// The line of its first row.
    pub fn line(&self) -> u64 {
        self.rows.first().map_or(0, |row| row.line)
    }

    /// Its SKUs with their lines and units on hand.
    pub fn stock(&self) -> impl ExactSizeIterator<Item = (&Sku, u64, i64)> {
        self.rows.iter().map(|row| (&row.sku, row.line, row.on_hand))
    }

    /// The row for the import, based on the existing product.
    pub fn import_row(&self, known: Option<&Product>) -> ImportRow {
        let on_hand = self.rows.iter().map(|row| row.on_hand).collect();
        ImportRow { id: self.id.clone(), product: self.input(known), on_hand }
    }

    fn input(&self, known: Option<&Product>) -> ProductInput {
        let categories = self.categories().or_else(|| known.map(|known| known.categories.clone()));
        let variants = self.rows.iter().map(|row| self.variant(row, known)).collect();
        let mut input = ProductInput::new(self.name.clone(), variants);
        if let Some(Product { description, active, metadata, .. }) = known {
            (input.description, input.active, input.metadata) = (description.clone(), *active, metadata.clone());
        }
        input.categories = categories.unwrap_or_default();
        input
    }

    fn variant(&self, row: &Row, known: Option<&Product>) -> Variant {
        let known = known.and_then(|known| known.variant(&row.sku));
        let known_category = || known.and_then(|variant| variant.tax_category.clone());
        let mut variant = Variant::new(row.sku.clone(), row.price);
        variant.name = self.variant_name(&row.name);
        variant.tax_category = row.tax_category.clone().unwrap_or_else(known_category);
        variant.metadata = known.map(|variant| variant.metadata.clone()).unwrap_or_default();
        variant
    }

    /// The part of a row's name that is not in the name of the product.
    fn variant_name(&self, full: &Name) -> Option<Name> {
        let rest = full.as_str().strip_prefix(self.name.as_str()).and_then(|rest| rest.strip_prefix(BETWEEN));
        match rest {
            Some(rest) => rest.parse().ok(),
            None => Some(full.clone()).filter(|full| *full != self.name),
        }
    }

    /// The categories of all rows. `None` if the file has no such column.
    fn categories(&self) -> Option<Vec<CategoryId>> {
        let mut given = self.rows.iter().filter_map(|row| row.categories.as_ref()).peekable();
        given.peek()?;
        let mut all = Vec::new();
        for category in given.flatten() {
            if !all.contains(category) {
                all.push(category.clone());
            }
        }
        Some(all)
    }
}

/// The longest common prefix of the names that ends before a comma or is a whole name.
fn shared_beginning<'a>(names: &[&'a str]) -> Option<&'a str> {
    let first = *names.first()?;
    let beginnings = first.rmatch_indices(BETWEEN).filter_map(|(at, _)| first.get(..at));
    let is_shared = |beginning: &str| {
        let rests = names.iter().map(|name| name.strip_prefix(beginning));
        rests.into_iter().all(|rest| rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(BETWEEN)))
    };
    std::iter::once(first).chain(beginnings).find(|beginning| is_shared(beginning))
}
