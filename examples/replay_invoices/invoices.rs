//! Reading invoices. A row becomes part of an invoice, or is refused with its line and the reason.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use commerce_core::Quantity;
use commerce_core::ids::{Sku, UserId};
use commerce_core::money::{Currency, Money};
use rust_decimal::Decimal;
use serde::Deserialize;

/// The currency of every price in the file.
pub(crate) const CURRENCY: Currency = Currency::GBP;

#[derive(Debug)]
pub(crate) struct Line {
    /// The line in the file.
    pub(crate) row: u64,
    pub(crate) code: Sku,
    pub(crate) description: String,
    /// The number of sold or returned units.
    pub(crate) units: Quantity,
    /// The price of a unit.
    pub(crate) price: Money,
}

/// A sale, or the cancellation of one.
#[derive(Debug)]
pub(crate) struct Invoice {
    pub(crate) number: String,
    /// Whether units were returned.
    pub(crate) is_cancellation: bool,
    pub(crate) at: DateTime<Utc>,
    pub(crate) customer: UserId,
    pub(crate) lines: Vec<Line>,
}

/// A row that cannot be sold.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The line in the file.
    pub(crate) row: u64,
    pub(crate) invoice: String,
    pub(crate) reason: String,
}

#[derive(Debug, Default)]
pub(crate) struct Book {
    /// The invoices, oldest first.
    pub(crate) invoices: Vec<Invoice>,
    /// The rows that are in no invoice.
    pub(crate) refused: Vec<Refused>,
}

#[derive(Debug, Deserialize)]
struct Row {
    #[serde(rename = "InvoiceNo")]
    invoice: String,
    #[serde(rename = "StockCode")]
    code: String,
    #[serde(rename = "Description")]
    description: String,
    #[serde(rename = "Quantity")]
    quantity: i64,
    #[serde(rename = "InvoiceDate")]
    date: DateTime<Utc>,
    #[serde(rename = "UnitPrice")]
    price: Decimal,
    #[serde(rename = "CustomerID")]
    customer: String,
}

/// Reads a file. Bad rows are refused; they are not an error.
///
/// # Errors
/// The file cannot be read, or a column is missing.
pub(crate) fn read(path: &Path) -> Result<Book, csv::Error> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path)?;
    check_columns(reader.headers()?)?;
    let headers = reader.headers()?.clone();
    let mut book = Book::default();
    let mut places = BTreeMap::new();
    for record in reader.records() {
        let record = record?;
        let row = record.position().map_or(0, csv::Position::line);
        let invoice = record.get(0).unwrap_or_default().to_owned();
        match record.deserialize::<Row>(Some(&headers)).map_err(|error| error.to_string()).and_then(|r| parse(row, r)) {
            Ok((head, line)) => file(&mut book.invoices, &mut places, head, line),
            Err(reason) => book.refused.push(Refused { row, invoice, reason }),
        }
    }
    book.invoices.sort_by_key(|invoice| invoice.at);
    Ok(book)
}

fn check_columns(headers: &csv::StringRecord) -> Result<(), csv::Error> {
    let needed = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"];
    let missing: Vec<_> = needed.into_iter().filter(|name| !headers.iter().any(|header| header == *name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(std::io::Error::other(format!("missing columns: {}", missing.join(", "))).into())
}

fn parse(row: u64, raw: Row) -> Result<(Invoice, Line), String> {
    let is_cancellation = raw.invoice.starts_with('C');
    let units = match (raw.quantity, is_cancellation) {
        (units, false) if units <= 0 => Err(format!("{units} units in a sale")),
        (units, true) if units >= 0 => Err(format!("{units} units in a cancellation")),
        (units, _) => Quantity::new(units.abs()).map_err(|error| error.to_string()),
    }?;
    let price = Money::from_decimal(raw.price, CURRENCY).map_err(|error| error.to_string())?;
    if price.is_negative() {
        return Err(format!("a price of {price}"));
    }
    let customer = raw.customer.parse().map_err(|error| format!("customer {error}: guests cannot order"))?;
    let code = raw.code.parse().map_err(|error| format!("stock code {error}"))?;
    let line = Line { row, code, description: raw.description, units, price };
    let head = Invoice { number: raw.invoice, is_cancellation, at: raw.date, customer, lines: Vec::new() };
    Ok((head, line))
}

fn file(invoices: &mut Vec<Invoice>, places: &mut BTreeMap<String, usize>, head: Invoice, line: Line) {
    let place = *places.entry(head.number.clone()).or_insert_with(|| {
        invoices.push(head);
        invoices.len() - 1
    });
    invoices[place].lines.push(line);
}

impl Line {
    /// Price times units.
    ///
    /// # Errors
    /// The amount overflows.
    pub(crate) fn value(&self) -> Result<Money, commerce_core::money::MoneyError> {
        self.price.times(self.units.get())
    }
}
