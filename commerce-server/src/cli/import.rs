//! `commerce import`: products and stock, or customers, from a CSV file.

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};
use commerce_core::money::Currency;
use indicatif::ProgressBar;

use super::failure::Failure;
use super::input::Input;
use super::opened::{OpenStore, block_on};
use super::{print, progress};
use crate::config::Config;
use crate::import::{CustomerSheet, ImportError, MAX_FLAWS, Plan, Sheet, SheetError, Summary};

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The file has customers: the column id, and optionally groups (separated by |) and `tax_number`.
    #[arg(long)]
    customers: bool,
    /// A CSV file with the columns sku, name, price, currency, `on_hand`, and optionally categories (separated by |),
    /// `tax_category` and `product_id`; - for the standard input.
    #[arg(value_name = "FILE", value_parser = PathBufValueParser::new().map(Input))]
    file: Input,
}

/// Imports a file, or reports all problems in it.
pub(super) fn run(ImportArgs { customers, file }: &ImportArgs, config: &Config) -> Result<(), Failure> {
    let (read, summary) = if *customers { run_customers(file, config)? } else { run_products(file, config)? };
    let Summary { added, changed, unchanged } = summary;
    print(&format!("{file}: {read}: {added} added, {changed} changed, {unchanged} unchanged"))
}

fn run_customers(file: &Input, config: &Config) -> Result<(String, Summary), Failure> {
    let sheet = CustomerSheet::read(file.open()?).map_err(|error| failed(file, error.into()))?;
    ignored(file, &sheet.ignored_columns);
    let summary = block_on(import_customers(file, config, &sheet))??;
    Ok((format!("{} customers", sheet.len()), summary))
}

fn run_products(file: &Input, config: &Config) -> Result<(String, Summary), Failure> {
    let sheet = Sheet::read(file.open()?).map_err(|error| failed(file, error.into()))?;
    ignored(file, &sheet.ignored_columns);
    let summary = block_on(import(file, config, &sheet))??;
    Ok((format!("{} rows, {} products", sheet.rows, sheet.products.len()), summary))
}

fn ignored(file: &Input, columns: &[String]) {
    for column in columns {
        file.note(format_args!("column {column} is unknown and is ignored"));
    }
}

async fn import_customers(file: &Input, config: &Config, sheet: &CustomerSheet) -> Result<Summary, Failure> {
    let opened = OpenStore::open(config).await?;
    let engine = opened.engine(config, opened.currency(config, Currency::USD).await?)?;
    let importing = bar(sheet.len(), "importing");
    let summary = sheet.import(&engine, |customers| importing.inc(customers)).await;
    importing.finish_and_clear();
    summary.map_err(|error| failed(file, error))
}

async fn import(file: &Input, config: &Config, sheet: &Sheet) -> Result<Summary, Failure> {
    let opened = OpenStore::open(config).await?;
    let currency = opened.currency(config, sheet.currency.unwrap_or(Currency::USD)).await?;
    let engine = opened.engine(config, currency)?;
    let checking = bar(sheet.products.len(), "checking");
    let plan = Plan::make(&engine, sheet, |products| checking.inc(products)).await;
    checking.finish_and_clear();
    let plan = plan.map_err(|error| failed(file, error))?;
    let importing = bar(plan.products(), "importing");
    let summary = plan.carry_out(&engine, |products| importing.inc(products)).await;
    importing.finish_and_clear();
    summary.map_err(|error| failed(file, error))
}

fn bar(length: usize, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(length).unwrap_or_default()).with_message(what);
    progress(bar, "{msg} {wide_bar} {human_pos}/{human_len}, {eta} left")
}

fn failed(file: &Input, error: ImportError) -> Failure {
    let ImportError::Sheet(SheetError::Flaws(flaws)) = error else { return file.failed(error) };
    let more = if flaws.len() < MAX_FLAWS { "" } else { " or more" };
    file.refused(&flaws, format!("nothing was imported, {}{more} lines are bad", flaws.len()))
}
