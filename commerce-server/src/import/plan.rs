//! The changes of an import.

use commerce_core::actor::{Actor, Role};
use commerce_core::catalog::Product;
use commerce_core::commit::Refusal;
use commerce_core::document::{ClaimKind, DocumentKind};
use commerce_core::engine::{Engine, EngineError, ImportRow, Resource};
use commerce_core::ids::Sku;
use commerce_core::stock::StockRefusal;
use thiserror::Error;

use super::{Flaw, MAX_FLAWS, Sheet, SheetError, SheetProduct};

/// The number of rows in one commit.
pub(super) const BATCH: usize = 300;
pub(super) const IMPORTER: Actor = Actor { role: Role::Admin, user: None };

/// The difference between a file and the shop.
#[derive(Debug)]
pub struct Plan {
    steps: Vec<Step>,
    unchanged: u64,
    /// What the shop does not allow. The products of these rows are left out.
    pub flaws: Vec<Flaw>,
}

/// A product to import, and its line.
#[derive(Debug)]
struct Step {
    line: u64,
    row: ImportRow,
    is_new: bool,
}

/// The result of an import, in products or customers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// New ones.
    pub added: u64,
    /// Existing ones that changed, or whose units on hand did.
    pub changed: u64,
    /// Existing ones without a change.
    pub unchanged: u64,
}

/// The reason why an import failed.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The file is invalid, or the shop does not allow some rows. Nothing was imported.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// The shop cannot be read. Nothing was imported.
    #[error(transparent)]
    Unreadable(#[from] EngineError),
    /// A commit was refused, probably because the shop has changed. Earlier commits remain.
    #[error("line {line}: {source} (imported before: {imported}; from line {from} on: nothing)")]
    Stopped {
        /// The line of the error.
        line: u64,
        /// The first line that was not imported.
        from: u64,
        /// The number of products or customers that were imported.
        imported: u64,
        /// The refusal.
        source: EngineError,
    },
}

impl Plan {
    /// Compares a file with the shop. Changes nothing.
    ///
    /// # Errors
    /// [`ImportError::Sheet`] for another currency than that of the shop, [`ImportError::Unreadable`].
    pub async fn make(engine: &Engine, sheet: &Sheet, mut progress: impl FnMut(u64)) -> Result<Self, ImportError> {
        check_currency(engine, sheet)?;
        let mut plan = Self { steps: Vec::new(), unchanged: 0, flaws: Vec::new() };
        for product in &sheet.products {
            plan.add(engine, product).await?;
            progress(1);
            if plan.flaws.len() >= MAX_FLAWS {
                break;
            }
        }
        Ok(plan)
    }

    async fn add(&mut self, engine: &Engine, product: &SheetProduct) -> Result<(), EngineError> {
        let before = self.flaws.len();
        check_skus(engine, product, &mut self.flaws).await?;
        let is_counted = is_counted(engine, product, &mut self.flaws).await?;
        if self.flaws.len() > before {
            return Ok(());
        }
        let known = match engine.product(Some(&IMPORTER), &product.id).await {
            Ok(known) => Some(known),
            Err(EngineError::NotFound(Resource::Document(DocumentKind::Product))) => None,
            Err(error) => return Err(error),
        };
        let row = product.import_row(known.as_ref());
        if is_counted && known.as_ref().is_some_and(|known| is_same(&row, known)) {
            self.unchanged = self.unchanged.saturating_add(1);
        } else {
            self.steps.push(Step { line: product.line(), row, is_new: known.is_none() });
        }
        Ok(())
    }

    /// The number of products to import.
    pub fn products(&self) -> usize {
        self.steps.len()
    }

    /// Imports in commits of a few hundred rows. `progress` receives the number of products of each commit.
    ///
    /// # Errors
    /// [`ImportError::Stopped`]. What was imported before remains. Running the import again continues it.
    pub async fn carry_out(self, engine: &Engine, mut progress: impl FnMut(u64)) -> Result<Summary, ImportError> {
        let mut summary = Summary { unchanged: self.unchanged, ..Summary::default() };
        for batch in batches(self.steps) {
            let rows: Vec<ImportRow> = batch.iter().map(|step| step.row.clone()).collect();
            let imported = engine.import(&IMPORTER, &rows).await;
            imported.map_err(|source| stopped(&batch, summary, source))?;
            for step in &batch {
                summary.count(step);
            }
            progress(u64::try_from(batch.len()).unwrap_or_default());
        }
        Ok(summary)
    }
}

impl Summary {
    /// How many were imported.
    pub(super) const fn imported(self) -> u64 {
        self.added.saturating_add(self.changed)
    }

    const fn count(&mut self, step: &Step) {
        let count = if step.is_new { &mut self.added } else { &mut self.changed };
        *count = count.saturating_add(1);
    }
}

/// The steps in groups of about [`BATCH`] rows.
fn batches(steps: Vec<Step>) -> Vec<Vec<Step>> {
    let mut batches: Vec<Vec<Step>> = Vec::new();
    let mut rows = BATCH;
    for step in steps {
        rows = rows.saturating_add(step.row.on_hand.len());
        match batches.last_mut() {
            Some(batch) if rows <= BATCH => batch.push(step),
            _ => {
                rows = step.row.on_hand.len();
                batches.push(Vec::from([step]));
            }
        }
    }
    batches
}

/// Checks that the file has the currency of the shop.
fn check_currency(engine: &Engine, sheet: &Sheet) -> Result<(), ImportError> {
    let expected = engine.settings().currency;
    let Some(found) = sheet.currency.filter(|found| *found != expected) else { return Ok(()) };
    let line = sheet.products.first().map_or(0, SheetProduct::line);
    let problem = format!("currency {found} is not the currency of this shop, {expected}");
    Err(SheetError::Flaws(vec![Flaw::new(line, problem)]).into())
}

/// Checks that no SKU belongs to another product.
async fn check_skus(engine: &Engine, product: &SheetProduct, flaws: &mut Vec<Flaw>) -> Result<(), EngineError> {
    let skus: Vec<Sku> = product.stock().map(|(sku, ..)| sku.clone()).collect();
    for offer in engine.offers(&skus).await?.into_values() {
        let line = product.stock().find(|(sku, ..)| **sku == offer.sku).map_or(0, |(_, line, _)| line);
        if offer.product_id != product.id {
            let problem = format!("SKU {} already belongs to product {}", offer.sku, offer.product_id);
            flaws.push(Flaw::new(line, problem));
        }
    }
    Ok(())
}

/// Whether the units on hand are those of the file.
async fn is_counted(engine: &Engine, product: &SheetProduct, flaws: &mut Vec<Flaw>) -> Result<bool, EngineError> {
    let mut all = true;
    for (sku, line, on_hand) in product.stock() {
        match engine.stock(&IMPORTER, sku).await {
            Ok(level) if on_hand < level.reserved => {
                let problem =
                    format!("on_hand {on_hand} of {sku} is less than the {} reserved by orders", level.reserved);
                flaws.push(Flaw::new(line, problem));
            }
            Ok(level) => all &= level.on_hand == on_hand,
            Err(EngineError::NotFound(Resource::Stock)) => all = false,
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

fn is_same(row: &ImportRow, known: &Product) -> bool {
    let said = &row.product;
    let same_places = said.categories == known.categories && said.active == known.active;
    let same_words = said.name == known.name && said.description == known.description;
    same_places && same_words && said.variants == known.variants
}

fn stopped(batch: &[Step], before: Summary, source: EngineError) -> ImportError {
    let from = batch.first().map_or(0, |step| step.line);
    let culprit = culprit(&source).and_then(|sku| batch.iter().find(|step| step.sells(sku)));
    let line = culprit.map_or(from, |step| step.line);
    ImportError::Stopped { line, from, imported: before.imported(), source }
}

impl Step {
    fn sells(&self, sku: &str) -> bool {
        self.row.product.variants.iter().any(|variant| variant.sku.as_str() == sku)
    }
}

/// The SKU that caused the refusal.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other error names a SKU")]
fn culprit(error: &EngineError) -> Option<&str> {
    match error {
        EngineError::Refused(Refusal::Claimed { claim, .. }) if claim.kind == ClaimKind::Sku => Some(&claim.key),
        EngineError::Stock(
            StockRefusal::OutOfStock { sku, .. }
            | StockRefusal::BelowReserved { sku, .. }
            | StockRefusal::OutOfRange { sku }
            | StockRefusal::VersionMismatch { sku, .. },
        ) => Some(sku.as_str()),
        _ => None,
    }
}
