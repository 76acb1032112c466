//! The file as a whole.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, Read};

use commerce_core::ids::{ProductId, Sku};
use commerce_core::money::Currency;
use csv::{ReaderBuilder, StringRecord, Trim};
use thiserror::Error;

use super::product::SheetProduct;
use super::row::{Columns, Reader, Row};
use super::{Flaw, Known, MAX_FLAWS, PRODUCTS};

/// The most rows of one file; more are imported in several.
const MAX_ROWS: usize = 1_000_000;
/// The most bytes of one file.
const MAX_BYTES: usize = 256 * 1024 * 1024;
/// What some programs put before UTF-8 text.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A file whose rows are right and fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Its products, in the order of their first rows.
    pub products: Vec<SheetProduct>,
    /// How many rows it has.
    pub rows: usize,
    /// The columns nobody asked for, which are ignored.
    pub ignored_columns: Vec<String>,
    /// The currency of its prices; none without any.
    pub currency: Option<Currency>,
}

/// Why a file is not imported.
#[derive(Debug, Error)]
pub enum SheetError {
    /// It has no line with the names of its columns.
    #[error("the file is empty; its first line names the columns: {}", .0.required.join(","))]
    Empty(Known),
    /// Columns are missing.
    #[error("line 1: missing {}: {}; a file has the columns {} and may have {}",
        if .0.len() == 1 { "column" } else { "columns" }, .0.join(", "), .1.required.join(","), .1.optional.join(","))]
    MissingColumns(Vec<&'static str>, Known),
    /// A column stands there twice.
    #[error("line 1: column {0} stands there twice")]
    ColumnTwice(String),
    /// More than the most a file may have.
    #[error("more than {MAX_ROWS} rows; split the file")]
    TooManyRows,
    /// More than 256 MiB.
    #[error("more than 256 MiB; split the file")]
    TooLong,
    /// Some rows are bad.
    #[error("{} bad rows", .0.len())]
    Flaws(Vec<Flaw>),
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// The file is no CSV.
    #[error("the file is not CSV: {0}")]
    NotCsv(#[from] csv::Error),
}

/// The rows of a file, and what is wrong with them.
pub(super) struct Rows<T> {
    pub(super) good: Vec<T>,
    pub(super) flaws: Vec<Flaw>,
    pub(super) ignored_columns: Vec<String>,
}

/// What the rows before said.
#[derive(Default)]
struct Before {
    lines: BTreeMap<Sku, u64>,
    currency: Option<(Currency, u64)>,
}

impl Sheet {
    /// Reads a file and checks all of it.
    ///
    /// # Errors
    /// [`SheetError`]; where rows are bad, with all of them up to a limit.
    pub fn read(file: impl Read) -> Result<Self, SheetError> {
        let mut before = Before::default();
        let rows = Rows::read(file, PRODUCTS, |line, reader| {
            let row = Row::read(line, reader)?;
            before.check(&row).map_err(|problem| reader.refuse(problem)).ok()?;
            Some(row)
        })?;
        Self::of(rows, before.currency.map(|(currency, _)| currency))
    }

    fn of(
        Rows { good, mut flaws, ignored_columns }: Rows<Row>,
        currency: Option<Currency>,
    ) -> Result<Self, SheetError> {
        let rows = good.len();
        let mut products = Vec::new();
        for product in group(good).into_iter().filter_map(SheetProduct::of) {
            match product {
                Ok(product) => products.push(product),
                Err(flaw) => flaws.push(flaw),
            }
        }
        if !flaws.is_empty() {
            flaws.sort_by_key(|flaw| flaw.line);
            return Err(SheetError::Flaws(flaws));
        }
        Ok(Self { products, rows, ignored_columns, currency })
    }
}

impl<T> Rows<T> {
    /// Reads the rows of a file one by one; `read` gets the line of each.
    pub(super) fn read(
        file: impl Read,
        known: Known,
        mut read: impl FnMut(u64, &mut Reader<'_>) -> Option<T>,
    ) -> Result<Self, SheetError> {
        let bytes = read_bounded(file)?;
        let text = bytes.strip_prefix(MARK).unwrap_or(&bytes);
        let mut lines = Lines { text, counted: 0, line: 1 };
        let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(text);
        let names = reader.headers()?.clone();
        let columns = check_columns(known, &names)?;
        let mut rows = Self { good: Vec::new(), flaws: Vec::new(), ignored_columns: ignored(&names, &columns) };
        let mut record = StringRecord::new();
        while rows.flaws.len() < MAX_FLAWS {
            let row = match reader.read_record(&mut record) {
                Ok(false) => break,
                Ok(true) => {
                    let line = record.position().map_or(0, |position| lines.at(position));
                    check_width(line, &record, names.len())
                        .and_then(|()| Reader::run(line, &columns, &record, |reader| read(line, reader)))
                }
                Err(error) => Err(not_text(error, &mut lines)?),
            };
            match row {
                Ok(row) => rows.good.push(row),
                Err(flaw) => rows.flaws.push(flaw),
            }
            if rows.good.len() > MAX_ROWS {
                return Err(SheetError::TooManyRows);
            }
        }
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

/// A row that is not text is bad as other bad rows are.
fn not_text(error: csv::Error, lines: &mut Lines<'_>) -> Result<Flaw, SheetError> {
    if let csv::ErrorKind::Utf8 { pos: Some(position), .. } = error.kind() {
        return Ok(Flaw::new(lines.at(position), "is not UTF-8 text"));
    }
    Err(error.into())
}

/// Counts lines. The reader counts too, but gives a row the line of the blank ones before it.
struct Lines<'a> {
    text: &'a [u8],
    counted: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of a row that begins at a position or behind blank lines there. Positions come in their order.
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
    /// Checks a row against those before it.
    fn check(&mut self, row: &Row) -> Result<(), String> {
        match self.lines.entry(row.sku.clone()) {
            Entry::Occupied(first) => return Err(format!("sku {} stands on line {} already", row.sku, first.get())),
            Entry::Vacant(place) => place.insert(row.line),
        };
        let found = row.price.currency();
        let (currency, line) = *self.currency.get_or_insert((found, row.line));
        if found != currency {
            return Err(format!("currency {found} differs from {currency} on line {line}; a shop has one currency"));
        }
        Ok(())
    }
}

/// The rows by product, in the order of the first of each.
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
