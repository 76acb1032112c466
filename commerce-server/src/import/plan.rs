//! What importing a file would change, and changing it.

use commerce_core::actor::{Actor, Role};
use commerce_core::catalog::Product;
use commerce_core::commit::Refusal;
use commerce_core::document::{ClaimKind, DocumentKind};
use commerce_core::engine::{Engine, EngineError, ImportRow, Resource};
use commerce_core::ids::Sku;
use commerce_core::stock::StockRefusal;
use thiserror::Error;

use super::{Flaw, MAX_FLAWS, Sheet, SheetProduct};

/// So many rows are imported in one commit.
pub(super) const BATCH: usize = 300;
pub(super) const IMPORTER: Actor = Actor { role: Role::Admin, user: None };

/// A file, compared with the shop.
#[derive(Debug)]
pub struct Plan {
    steps: Vec<Step>,
    unchanged: u64,
}

/// One product to import, and the line it stands on.
#[derive(Debug)]
struct Step {
    line: u64,
    row: ImportRow,
    is_new: bool,
}

/// What an import came to, in products or customers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Those that are new.
    pub added: u64,
    /// Those that were there, and are different now or have other units on hand.
    pub changed: u64,
    /// Those that were there as they are.
    pub unchanged: u64,
}

/// Why an import did not come to its end.
#[derive(Debug, Error)]
pub enum PlanError {
    /// Rows that the shop does not allow. Nothing was imported.
    #[error("{} bad rows", .0.len())]
    Flaws(Vec<Flaw>),
    /// The shop cannot be read. Nothing was imported.
    #[error(transparent)]
    Unreadable(#[from] EngineError),
    /// A commit was refused, most likely because the shop changed meanwhile. Those before it stay.
    #[error("line {line}: {source} ({imported} of earlier lines are imported, nothing from line {from} on is)")]
    Stopped {
        /// Where.
        line: u64,
        /// The first line of what was not imported.
        from: u64,
        /// Products or customers imported before.
        imported: u64,
        /// Why.
        source: EngineError,
    },
}

impl Plan {
    /// Compares a file with the shop. Nothing is changed.
    ///
    /// # Errors
    /// [`PlanError::Flaws`], [`PlanError::Unreadable`].
    pub async fn make(engine: &Engine, sheet: &Sheet, mut progress: impl FnMut(u64)) -> Result<Self, PlanError> {
        check_currency(engine, sheet)?;
        let mut plan = Self { steps: Vec::new(), unchanged: 0 };
        let mut flaws = Vec::new();
        for product in &sheet.products {
            check_skus(engine, product, &mut flaws).await?;
            plan.add(engine, product, &mut flaws).await?;
            progress(1);
            if flaws.len() >= MAX_FLAWS {
                break;
            }
        }
        if flaws.is_empty() { Ok(plan) } else { Err(PlanError::Flaws(flaws)) }
    }

    async fn add(&mut self, engine: &Engine, product: &SheetProduct, flaws: &mut Vec<Flaw>) -> Result<(), EngineError> {
        let known = match engine.product(Some(&IMPORTER), &product.id).await {
            Ok(known) => Some(known),
            Err(EngineError::NotFound(Resource::Document(DocumentKind::Product))) => None,
            Err(error) => return Err(error),
        };
        let is_counted = is_counted(engine, product, flaws).await?;
        let row = product.import_row(known.as_ref());
        if is_counted && known.as_ref().is_some_and(|known| is_same(&row, known)) {
            self.unchanged = self.unchanged.saturating_add(1);
        } else {
            self.steps.push(Step { line: product.line(), row, is_new: known.is_none() });
        }
        Ok(())
    }

    /// How many products there are to import.
    pub fn products(&self) -> usize {
        self.steps.len()
    }

    /// Imports, in commits of a few hundred rows. `progress` hears how many products each has imported.
    ///
    /// # Errors
    /// [`PlanError::Stopped`]; what was imported before stays, and running the import again goes on from there.
    pub async fn carry_out(self, engine: &Engine, mut progress: impl FnMut(u64)) -> Result<Summary, PlanError> {
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

/// A shop has one currency, and so has a file.
fn check_currency(engine: &Engine, sheet: &Sheet) -> Result<(), PlanError> {
    let expected = engine.settings().currency;
    let Some(found) = sheet.currency.filter(|found| *found != expected) else { return Ok(()) };
    let line = sheet.products.first().map_or(0, SheetProduct::line);
    let problem = format!("currency {found} is not the currency of this shop, {expected}");
    Err(PlanError::Flaws(vec![Flaw::new(line, problem)]))
}

/// A sku belongs to one product.
async fn check_skus(engine: &Engine, product: &SheetProduct, flaws: &mut Vec<Flaw>) -> Result<(), EngineError> {
    let skus: Vec<Sku> = product.stock().map(|(sku, ..)| sku.clone()).collect();
    for offer in engine.offers(&skus).await?.into_values() {
        let line = product.stock().find(|(sku, ..)| **sku == offer.sku).map_or(0, |(_, line, _)| line);
        if offer.product_id != product.id {
            let problem = format!("sku {} belongs to product {} already", offer.sku, offer.product_id);
            flaws.push(Flaw::new(line, problem));
        }
    }
    Ok(())
}

/// Whether the units on hand are what the file says already.
async fn is_counted(engine: &Engine, product: &SheetProduct, flaws: &mut Vec<Flaw>) -> Result<bool, EngineError> {
    let mut all = true;
    for (sku, line, on_hand) in product.stock() {
        match engine.stock(&IMPORTER, sku).await {
            Ok(level) if on_hand < level.reserved => {
                let problem =
                    format!("on_hand {on_hand} of {sku} is less than the {} promised to orders", level.reserved);
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

fn stopped(batch: &[Step], before: Summary, source: EngineError) -> PlanError {
    let from = batch.first().map_or(0, |step| step.line);
    let culprit = culprit(&source).and_then(|sku| batch.iter().find(|step| step.sells(sku)));
    let line = culprit.map_or(from, |step| step.line);
    PlanError::Stopped { line, from, imported: before.imported(), source }
}

impl Step {
    fn sells(&self, sku: &str) -> bool {
        self.row.product.variants.iter().any(|variant| variant.sku.as_str() == sku)
    }
}

/// The sku an import was refused for.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other error names a sku")]
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
