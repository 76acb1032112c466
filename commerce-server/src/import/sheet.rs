//! A file as a whole.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use commerce_core::ids::{ProductId, Sku};
use commerce_core::money::Currency;
use csv::{ReaderBuilder, StringRecord, Trim};
use thiserror::Error;

use super::product::SheetProduct;
use super::row::{Columns, Reader, Row};
use super::{Flaw, Known, MAX_FLAWS, PRODUCTS};
use crate::plural::counted;

/// The maximum number of rows. Larger files must be split.
const MAX_ROWS: usize = 1_000_000;
/// The maximum size of a file, in bytes.
const MAX_BYTES: usize = 256 * 1024 * 1024;
/// The byte order mark that some programs write.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A file, of which all rows were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The products without bad rows, in the order of their first rows.
    pub products: Vec<SheetProduct>,
    /// The bad rows, by line.
    pub flaws: Vec<Flaw>,
    /// Whether it is unknown to which product a bad row belongs. A product may then lack a variant.
    pub is_torn: bool,
    /// The number of rows of the products.
    pub rows: usize,
    /// The unknown columns.
    pub ignored_columns: Vec<String>,
    /// The currency of the prices. `None` if there are none.
    pub currency: Option<Currency>,
}

/// The reason why a file is not imported.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum SheetError {
    #[error("the file is empty; its first line names the columns: {}", .0.required.join(","))]
    Empty(Known),
    #[error("line 1: missing {}: {}; a file has the columns {} and may have {}",
        if .0.len() == 1 { "column" } else { "columns" }, .0.join(", "), .1.required.join(","), .1.optional.join(","))]
    MissingColumns(Vec<&'static str>, Known),
    #[error("line 1: column {0} occurs twice")]
    ColumnTwice(String),
    #[error("more than {MAX_ROWS} rows; split the file")]
    TooManyRows,
    #[error("more than 256 MiB; split the file")]
    TooLong,
    #[error("{}{}", counted(.0.len(), "bad row"), .0.first().map_or_else(String::new, |flaw| format!(": {flaw}")))]
    Flaws(Vec<Flaw>),
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("the file is not CSV: {0}")]
    NotCsv(#[from] csv::Error),
}

/// The rows of a file, and the problems found so far.
pub(super) struct Rows<T> {
    pub(super) good: Vec<T>,
    pub(super) flaws: Vec<Flaw>,
    pub(super) ignored_columns: Vec<String>,
    /// Whether products have several rows, and a row could not be split into columns.
    is_torn: bool,
}

/// The facts of earlier rows that a row is checked against.
#[derive(Default)]
struct Before {
    lines: BTreeMap<Sku, u64>,
    /// The currency of the shop, or that of the first row and its line.
    currency: Option<(Currency, Option<u64>)>,
    /// The products of bad rows.
    bad: BTreeSet<ProductId>,
}

impl Sheet {
    /// Reads and checks a file, whose prices should be in the currency of the shop if it is known.
    ///
    /// # Errors
    /// [`SheetError`], if the file cannot be read as rows. Bad rows are in [`Sheet::flaws`], up to [`MAX_FLAWS`].
    pub fn read(file: impl Read, shop: Option<Currency>) -> Result<Self, SheetError> {
        let mut before = Before { currency: shop.map(|shop| (shop, None)), ..Before::default() };
        let rows = Rows::read(file, PRODUCTS, |line, reader| {
            let row = before.read(line, reader);
            before.bad.extend(reader.product().filter(|_| row.is_none() || reader.is_bad()));
            row
        })?;
        Ok(Self::of(rows, &before))
    }

    fn of(Rows { good, mut flaws, ignored_columns, is_torn }: Rows<Row>, before: &Before) -> Self {
        let (mut products, mut rows) = (Vec::new(), 0);
        let whole = group(good).into_iter().filter(|rows| !rows.iter().any(|row| before.bad.contains(&row.product_id)));
        for product in whole.filter_map(SheetProduct::of) {
            match product {
                Ok(product) => {
                    rows += product.stock().count();
                    products.push(product);
                }
                Err(flaw) => flaws.push(flaw),
            }
        }
        flaws.sort_by_key(|flaw| flaw.line);
        let currency = before.currency.map(|(currency, _)| currency);
        Self { products, flaws, is_torn, rows, ignored_columns, currency }
    }
}

impl<T> Rows<T> {
    /// Reads the rows of a file. `read` receives the line number of each.
    pub(super) fn read(
        file: impl Read,
        known: Known,
        read: impl FnMut(u64, &mut Reader<'_>) -> Option<T>,
    ) -> Result<Self, SheetError> {
        Self::read_as(file, |_| known, read)
    }

    /// Reads the rows of a file whose kind follows from the names of its columns.
    pub(super) fn read_as(
        file: impl Read,
        kind: impl FnOnce(&StringRecord) -> Known,
        mut read: impl FnMut(u64, &mut Reader<'_>) -> Option<T>,
    ) -> Result<Self, SheetError> {
        let bytes = read_bounded(file)?;
        let text = bytes.strip_prefix(MARK).unwrap_or(&bytes);
        let mut lines = Lines { text, counted: 0, line: 1 };
        let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(text);
        let names = reader.headers()?.clone();
        let columns = check_columns(kind(&names), &names)?;
        let ignored_columns = ignored(&names, &columns);
        let mut rows = Self { good: Vec::new(), flaws: Vec::new(), ignored_columns, is_torn: false };
        let mut record = StringRecord::new();
        while rows.flaws.len() < MAX_FLAWS {
            let row = match reader.read_record(&mut record) {
                Ok(false) => break,
                Ok(true) => {
                    let line = record.position().map_or(0, |position| lines.at(position));
                    let width = check_width(line, &record, names.len());
                    rows.is_torn |= width.is_err();
                    width.and_then(|()| Reader::run(line, &columns, &record, |reader| read(line, reader)))
                }
                Err(error) => {
                    rows.is_torn = true;
                    Err(not_text(error, &mut lines)?)
                }
            };
            match row {
                Ok(row) => rows.good.push(row),
                Err(flaw) => rows.flaws.push(flaw),
            }
            if rows.good.len() > MAX_ROWS {
                return Err(SheetError::TooManyRows);
            }
        }
        rows.is_torn &= names.iter().any(|name| name.trim().eq_ignore_ascii_case("product_id"));
        Ok(rows)
    }
}

fn check_columns(known: Known, names: &StringRecord) -> Result<Columns, SheetError> {
    if names.iter().all(str::is_empty) {
        return Err(SheetError::Empty(known));
    }
    let columns = Columns::find(known, names);
    let missing = columns.missing();
    if !missing.is_empty() {
        return Err(SheetError::MissingColumns(missing, known));
    }
    match columns.twice(names) {
        Some(name) => Err(SheetError::ColumnTwice(name.to_owned())),
        None => Ok(columns),
    }
}

fn check_width(line: u64, record: &StringRecord, width: usize) -> Result<(), Flaw> {
    if record.len() == width {
        return Ok(());
    }
    Err(Flaw::new(line, format!("has {} columns, the first line has {width}", record.len())))
}

fn ignored(names: &StringRecord, columns: &Columns) -> Vec<String> {
    let others = names.iter().enumerate().filter(|(place, _)| !columns.has(*place));
    others.map(|(_, name)| name.to_owned()).filter(|name| !name.is_empty()).collect()
}

fn read_bounded(file: impl Read) -> Result<Vec<u8>, SheetError> {
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_BYTES { Err(SheetError::TooLong) } else { Ok(bytes) }
}

/// A row that is not UTF-8 is a bad row.
fn not_text(error: csv::Error, lines: &mut Lines<'_>) -> Result<Flaw, SheetError> {
    if let csv::ErrorKind::Utf8 { pos: Some(position), .. } = error.kind() {
        return Ok(Flaw::new(lines.at(position), "is not UTF-8 text"));
    }
    Err(error.into())
}

/// Counts lines. The CSV reader counts blank lines before a row as part of it.
struct Lines<'a> {
    text: &'a [u8],
    counted: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of a row that begins at a position, or after blank lines there. Positions must increase.
    fn at(&mut self, position: &csv::Position) -> u64 {
        let from = usize::try_from(position.byte()).unwrap_or(self.text.len());
        let rest = self.text.get(from..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let start = from.saturating_add(blank);
        let passed = self.text.get(self.counted..start).unwrap_or_default();
        let breaks = passed.split(|byte| *byte == b'\n').skip(1).count();
        self.line = self.line.saturating_add(u64::try_from(breaks).unwrap_or_default());
        self.counted = self.counted.max(start);
        self.line
    }
}

impl Before {
    /// Reads a row, and checks it against earlier ones. Of a bad row the currency counts too.
    fn read(&mut self, line: u64, reader: &mut Reader<'_>) -> Option<Row> {
        if let Some(found) = reader.currency() {
            self.check_currency(found, line).unwrap_or_else(|problem| reader.refuse(problem));
        }
        let row = Row::read(line, reader)?;
        match self.lines.entry(row.sku.clone()) {
            Entry::Occupied(first) => {
                reader.refuse(format!("SKU {} occurs on line {} already", row.sku, first.get()));
                return None;
            }
            Entry::Vacant(place) => place.insert(line),
        };
        Some(row)
    }

    fn check_currency(&mut self, found: Currency, line: u64) -> Result<(), String> {
        let (currency, first) = *self.currency.get_or_insert((found, Some(line)));
        match first {
            _ if found == currency => Ok(()),
            Some(first) => {
                Err(format!("currency {found} differs from {currency} on line {first}; a shop has one currency"))
            }
            None => Err(format!("currency {found} is not the currency of this shop, {currency}")),
        }
    }
}

/// The rows by product, in the order of the first row of each.
fn group(rows: Vec<Row>) -> Vec<Vec<Row>> {
    let mut places: BTreeMap<ProductId, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        let place = *places.entry(row.product_id.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(row),
            None => groups.push(Vec::from([row])),
        }
    }
    groups
}
