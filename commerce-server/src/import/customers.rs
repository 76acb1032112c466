//! Customers from a CSV file: `id`, and optionally `groups` (separated by `|`) and `tax_number`. Absent columns do not change
//! customers.

use std::collections::BTreeMap;
use std::io::Read;

use commerce_core::customer::{CustomerDetails, Groups};
use commerce_core::document::DocumentKind;
use commerce_core::engine::{Engine, EngineError, Imported, Resource};
use commerce_core::ids::UserId;
use commerce_core::text::BoundedString;

use super::plan::{BATCH, IMPORTER};
use super::row::Reader;
use super::sheet::Rows;
use super::{Flaw, ImportError, Known, SheetError, Summary};

/// The columns of a file of customers.
pub const CUSTOMERS: Known = Known { required: &["id"], optional: &["groups", "tax_number"] };

/// A file of customers, of which all rows were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerSheet {
    rows: Vec<Row>,
    /// The bad rows, by line.
    pub flaws: Vec<Flaw>,
    /// The unknown columns.
    pub ignored_columns: Vec<String>,
}

/// A customer in the file. `None` means that the file has no such column.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    line: u64,
    id: UserId,
    groups: Option<Groups>,
    tax_number: Option<TaxNumber>,
}

/// `None` if there is none.
type TaxNumber = Option<BoundedString<32>>;

impl Row {
    fn read(line: u64, reader: &mut Reader<'_>, lines: &mut BTreeMap<UserId, u64>) -> Option<Self> {
        let id: Option<UserId> = reader.parse("id");
        let groups = reader.list("groups").map(Groups::new).transpose();
        let groups = groups.map_err(|problem| reader.note("groups", problem));
        let tax_number = reader.parse_option("tax_number");
        let id = id?;
        if let Some(first) = lines.insert(id.clone(), line) {
            reader.note("id", format!("{id} occurs on line {first} already"));
        }
        Some(Self { line, id, groups: groups.ok()?, tax_number })
    }

    /// The known facts, replaced by those of the file.
    fn details(&self, mut details: CustomerDetails) -> CustomerDetails {
        details.groups = self.groups.clone().unwrap_or(details.groups);
        details.tax_number = self.tax_number.clone().unwrap_or(details.tax_number);
        details
    }
}

impl CustomerSheet {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`SheetError`], if the file cannot be read as rows. Bad rows are in [`CustomerSheet::flaws`].
    pub fn read(file: impl Read) -> Result<Self, SheetError> {
        let mut lines = BTreeMap::new();
        let rows = Rows::read(file, CUSTOMERS, |line, reader| Row::read(line, reader, &mut lines))?;
        Ok(Self { rows: rows.good, flaws: rows.flaws, ignored_columns: rows.ignored_columns })
    }

    /// The number of customers.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no customers.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Imports in commits of a few hundred rows. `progress` receives the number of customers of each commit.
    ///
    /// # Errors
    /// [`ImportError::Stopped`]. What was imported before remains. Running the import again continues it.
    pub async fn import(&self, engine: &Engine, mut progress: impl FnMut(u64)) -> Result<Summary, ImportError> {
        let mut summary = Summary::default();
        for batch in self.rows.chunks(BATCH) {
            let line = batch.first().map_or(0, |row| row.line);
            let stopped = |source| ImportError::Stopped { line, from: line, imported: summary.imported(), source };
            let Imported { added, changed, unchanged, .. } = import(engine, batch).await.map_err(stopped)?;
            summary.added = summary.added.saturating_add(added);
            summary.changed = summary.changed.saturating_add(changed);
            summary.unchanged = summary.unchanged.saturating_add(unchanged);
            progress(u64::try_from(batch.len()).unwrap_or_default());
        }
        Ok(summary)
    }
}

async fn import(engine: &Engine, batch: &[Row]) -> Result<Imported, EngineError> {
    let mut customers = BTreeMap::new();
    for row in batch {
        let known = match engine.customer(&IMPORTER, &row.id).await {
            Ok(customer) => customer.details,
            Err(EngineError::NotFound(Resource::Document(DocumentKind::Customer))) => CustomerDetails::default(),
            Err(error) => return Err(error),
        };
        customers.insert(row.id.clone(), row.details(known));
    }
    engine.import_customers(&IMPORTER, &customers).await
}
