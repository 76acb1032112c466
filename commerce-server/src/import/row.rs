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

use super::{Flaw, Known};

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
    known: Known,
    places: Vec<(&'static str, usize)>,
}

/// A row being read, and what was wrong so far.
pub(super) struct Reader<'a> {
    columns: &'a Columns,
    record: &'a StringRecord,
    problems: Vec<String>,
}

impl Columns {
    /// Finds the known columns among names, which may be written in any case.
    pub(super) fn find(known: Known, names: &StringRecord) -> Self {
        let place = |column: &&'static str| {
            let at = names.iter().position(|name| name.trim().eq_ignore_ascii_case(column))?;
            Some((*column, at))
        };
        Self { known, places: known.required.iter().chain(known.optional).filter_map(place).collect() }
    }

    fn place(&self, column: &str) -> Option<usize> {
        self.places.iter().find(|(name, _)| *name == column).map(|(_, place)| *place)
    }

    /// The required columns that are not there.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        self.known.required.iter().copied().filter(|column| self.place(column).is_none()).collect()
    }

    /// A known column that occurs again.
    pub(super) fn twice<'n>(&self, names: &'n StringRecord) -> Option<&'n str> {
        let is_known = |name: &str| self.places.iter().any(|(known, _)| name.eq_ignore_ascii_case(known));
        names.iter().enumerate().find(|(place, name)| is_known(name) && !self.has(*place)).map(|(_, name)| name)
    }

    /// Whether a column of this number is one of those.
    pub(super) fn has(&self, place: usize) -> bool {
        self.places.iter().any(|(_, known)| *known == place)
    }
}

impl Row {
    /// Reads a row.
    pub(super) fn read(line: u64, reader: &mut Reader<'_>) -> Option<Self> {
        let sku: Option<Sku> = reader.parse("sku");
        let product_id = reader.product_id();
        let name = reader.parse("name");
        let price = reader.price();
        let on_hand = reader.on_hand();
        let categories = reader.list("categories");
        let tax_category = reader.parse_option("tax_category");
        let sku = sku?;
        Some(Self {
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
}

impl<'a> Reader<'a> {
    /// What `read` makes of a row. All that is wrong with it is told at once.
    pub(super) fn run<T>(
        line: u64,
        columns: &'a Columns,
        record: &'a StringRecord,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Result<T, Flaw> {
        let mut reader = Self { columns, record, problems: Vec::new() };
        match read(&mut reader) {
            Some(row) if reader.problems.is_empty() => Ok(row),
            _ => Err(Flaw::new(line, reader.problems.join("; "))),
        }
    }

    fn text(&self, column: &str) -> Option<&str> {
        self.columns.place(column).map(|place| self.record.get(place).unwrap_or_default().trim())
    }

    /// Notes that the row as a whole is wrong.
    pub(super) fn refuse(&mut self, problem: String) {
        self.problems.push(problem);
    }

    pub(super) fn note(&mut self, column: &str, problem: impl Display) {
        self.problems.push(format!("{column} {problem}"));
    }

    pub(super) fn parse<T: FromStr<Err: Display>>(&mut self, column: &str) -> Option<T> {
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

    /// A list whose entries are split by `|`; one that occurs twice counts once. None without the column.
    pub(super) fn list<T: FromStr<Err: Display> + PartialEq>(&mut self, column: &str) -> Option<Vec<T>> {
        let text = self.text(column)?.to_owned();
        let mut list = Vec::new();
        for name in text.split('|').map(str::trim).filter(|name| !name.is_empty()) {
            match name.parse() {
                Ok(entry) if list.contains(&entry) => {}
                Ok(entry) => list.push(entry),
                Err(problem) => self.note(column, format!("{name:?} {problem}")),
            }
        }
        Some(list)
    }

    /// A value that may be empty. None without the column.
    #[expect(clippy::option_option, reason = "no column and an empty one are not the same")]
    pub(super) fn parse_option<T: FromStr<Err: Display>>(&mut self, column: &str) -> Option<Option<T>> {
        let is_empty = self.text(column)?.is_empty();
        Some(if is_empty { None } else { self.parse(column) })
    }
}

fn amount(text: &str) -> Option<Amount> {
    let deserializer: StrDeserializer<'_, ValueError> = text.into_deserializer();
    Amount::deserialize(deserializer).ok()
}
