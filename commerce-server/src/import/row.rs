//! A row of the file.

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

/// A valid row. `None` means that the file has no such column.
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

/// `None` if it is not taxed.
type TaxCategory = Option<BoundedString<64>>;

/// The positions of the columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    known: Known,
    places: Vec<(&'static str, usize)>,
}

/// A row that is being read, and the problems found so far.
pub(super) struct Reader<'a> {
    columns: &'a Columns,
    record: &'a StringRecord,
    problems: Vec<String>,
}

impl Columns {
    /// Finds the known columns. Names are not case-sensitive.
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

    /// The missing required columns.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        self.known.required.iter().copied().filter(|column| self.place(column).is_none()).collect()
    }

    /// A known column that occurs again.
    pub(super) fn twice<'n>(&self, names: &'n StringRecord) -> Option<&'n str> {
        let is_known = |name: &str| self.places.iter().any(|(known, _)| name.eq_ignore_ascii_case(known));
        names.iter().enumerate().find(|(place, name)| is_known(name) && !self.has(*place)).map(|(_, name)| name)
    }

    /// Whether a column at this position is known.
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
    /// Reads a row with `read`. Reports all problems in it.
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

    /// The text in a column. `None` without the column.
    pub(super) fn text(&self, column: &str) -> Option<&str> {
        self.columns.place(column).map(|place| self.record.get(place).unwrap_or_default().trim())
    }

    /// The product of a row, even if other parts of it are wrong.
    pub(super) fn product(&self) -> Option<ProductId> {
        let named = self.text("product_id").filter(|text| !text.is_empty());
        named.or_else(|| self.text("sku"))?.parse().ok()
    }

    /// The currency of a row, even if other parts of it are wrong.
    pub(super) fn currency(&self) -> Option<Currency> {
        currency(self.text("currency")?)
    }

    pub(super) const fn is_bad(&self) -> bool {
        !self.problems.is_empty()
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
        let price = self.money("price")?;
        if price.is_negative() {
            self.note("price", "is negative");
            return None;
        }
        Some(price)
    }

    /// A required amount in the currency of the row.
    pub(super) fn money(&mut self, column: &str) -> Option<Money> {
        let currency = self.value("currency", "an ISO 4217 code such as EUR", currency);
        let amount = self.value(column, "an amount such as 59.98", amount)?;
        let money = amount.in_currency(currency?);
        money.map_err(|problem| self.note(column, format_args!("{amount} is refused: {problem}"))).ok()
    }

    fn on_hand(&mut self) -> Option<i64> {
        let expected = format_args!("a whole number from 0 to {MAX_ON_HAND}");
        self.value("on_hand", expected, |text| text.parse().ok().filter(|units| (0..=MAX_ON_HAND).contains(units)))
    }

    /// A required value. `expected` describes a valid one.
    pub(super) fn value<T>(
        &mut self,
        column: &str,
        expected: impl Display,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(column).unwrap_or_default().to_owned();
        let value = read(&text);
        if value.is_none() {
            self.note(column, format_args!("{text:?} is not {expected}"));
        }
        value
    }

    /// A list of entries separated by `|`. Repeated entries count once. `None` without the column.
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

    /// A value that may be empty. `None` without the column.
    #[expect(clippy::option_option, reason = "no column and an empty one are not the same")]
    pub(super) fn parse_option<T: FromStr<Err: Display>>(&mut self, column: &str) -> Option<Option<T>> {
        let is_empty = self.text(column)?.is_empty();
        Some(if is_empty { None } else { self.parse(column) })
    }
}

/// In upper or lower case, as in the settings.
fn currency(text: &str) -> Option<Currency> {
    text.to_ascii_uppercase().parse().ok()
}

fn amount(text: &str) -> Option<Amount> {
    let deserializer: StrDeserializer<'_, ValueError> = text.into_deserializer();
    Amount::deserialize(deserializer).ok()
}
