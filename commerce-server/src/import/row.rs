//! One row of the file, read column by column.

use std::fmt::Display;
use std::str::FromStr;

use commerce_core::ids::{CategoryId, ProductId, Sku};
use commerce_core::money::{Amount, Currency, Money};
use commerce_core::stock::MAX_ON_HAND;
use commerce_core::text::{BoundedString, Name};
use csv::StringRecord;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};

use super::{Flaw, OPTIONAL, REQUIRED};

/// A row that is right in itself. None is what the file has no column for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) sku: Sku,
    pub(super) product_id: ProductId,
    pub(super) name: Name,
    pub(super) price: Money,
    pub(super) on_hand: i64,
    pub(super) categories: Option<Vec<CategoryId>>,
    pub(super) tax_category: Option<TaxCategory>,
}

/// None if it is not taxed.
type TaxCategory = Option<BoundedString<64>>;

/// Where the columns stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    places: Vec<(&'static str, usize)>,
}

/// A row being read, and what was wrong so far.
struct Reader<'a> {
    columns: &'a Columns,
    record: &'a StringRecord,
    problems: Vec<String>,
}

impl Columns {
    /// Finds the known columns among names, which may be written in any case.
    pub(super) fn find(names: &StringRecord) -> Self {
        let place = |column: &&'static str| {
            let at = names.iter().position(|name| name.trim().eq_ignore_ascii_case(column))?;
            Some((*column, at))
        };
        Self { places: REQUIRED.iter().chain(&OPTIONAL).filter_map(place).collect() }
    }

    fn place(&self, column: &str) -> Option<usize> {
        self.places.iter().find(|(name, _)| *name == column).map(|(_, place)| *place)
    }

    /// The required columns that are not there.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        REQUIRED.into_iter().filter(|column| self.place(column).is_none()).collect()
    }

    /// Whether a column of this number is one of those.
    pub(super) fn has(&self, place: usize) -> bool {
        self.places.iter().any(|(_, known)| *known == place)
    }
}

impl Row {
    /// Reads a row. All that is wrong with it is told at once.
    pub(super) fn read(line: u64, columns: &Columns, record: &StringRecord) -> Result<Self, Flaw> {
        let mut reader = Reader { columns, record, problems: Vec::new() };
        let row = reader.row(line);
        match row {
            Some(row) if reader.problems.is_empty() => Ok(row),
            _ => Err(Flaw::new(line, reader.problems.join("; "))),
        }
    }
}

impl Reader<'_> {
    fn row(&mut self, line: u64) -> Option<Row> {
        let sku: Option<Sku> = self.parse("sku");
        let product_id = self.product_id();
        let name = self.parse("name");
        let price = self.price();
        let on_hand = self.on_hand();
        let categories = self.categories();
        let tax_category = self.tax_category();
        let sku = sku?;
        Some(Row {
            line,
            product_id: product_id.or_else(|| sku.as_str().parse().ok())?,
            sku,
            name: name?,
            price: price?,
            on_hand: on_hand?,
            categories,
            tax_category,
        })
    }

    fn text(&self, column: &str) -> Option<&str> {
        self.columns.place(column).map(|place| self.record.get(place).unwrap_or_default().trim())
    }

    fn note(&mut self, column: &str, problem: impl Display) {
        self.problems.push(format!("{column} {problem}"));
    }

    fn parse<T: FromStr<Err: Display>>(&mut self, column: &str) -> Option<T> {
        let parsed = self.text(column).unwrap_or_default().parse();
        parsed.map_err(|problem| self.note(column, problem)).ok()
    }

    fn product_id(&mut self) -> Option<ProductId> {
        self.text("product_id").filter(|text| !text.is_empty())?;
        self.parse("product_id")
    }

    fn price(&mut self) -> Option<Money> {
        let currency = self.currency();
        let text = self.text("price").unwrap_or_default();
        let Some(amount) = amount(text) else {
            let problem = format!("{text:?} is not an amount such as 59.98");
            self.note("price", problem);
            return None;
        };
        match amount.in_currency(currency?) {
            Ok(price) if !price.is_negative() => Some(price),
            Ok(_) => {
                self.note("price", "is negative");
                None
            }
            Err(problem) => {
                let problem = format!("{amount} is refused: {problem}");
                self.note("price", problem);
                None
            }
        }
    }

    fn currency(&mut self) -> Option<Currency> {
        let text = self.text("currency").unwrap_or_default();
        let currency = text.parse().ok();
        if currency.is_none() {
            let problem = format!("{text:?} is not an ISO 4217 code such as EUR");
            self.note("currency", problem);
        }
        currency
    }

    fn on_hand(&mut self) -> Option<i64> {
        let text = self.text("on_hand").unwrap_or_default();
        let units = text.parse().ok().filter(|units| (0..=MAX_ON_HAND).contains(units));
        if units.is_none() {
            let problem = format!("{text:?} is not a whole number from 0 to {MAX_ON_HAND}");
            self.note("on_hand", problem);
        }
        units
    }

    fn categories(&mut self) -> Option<Vec<CategoryId>> {
        let text = self.text("categories")?.to_owned();
        let mut categories: Vec<CategoryId> = Vec::new();
        for name in text.split('|').map(str::trim).filter(|name| !name.is_empty()) {
            match name.parse() {
                Ok(category) if categories.contains(&category) => {}
                Ok(category) => categories.push(category),
                Err(problem) => self.note("categories", format!("{name:?} {problem}")),
            }
        }
        Some(categories)
    }

    fn tax_category(&mut self) -> Option<TaxCategory> {
        let is_empty = self.text("tax_category")?.is_empty();
        Some(if is_empty { None } else { self.parse("tax_category") })
    }
}

fn amount(text: &str) -> Option<Amount> {
    let deserializer: StrDeserializer<'_, ValueError> = text.into_deserializer();
    Amount::deserialize(deserializer).ok()
}
