//! `commerce import`: products and stock, or customers, from a CSV file.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use clap::Args;
use commerce_core::money::Currency;
use indicatif::ProgressBar;

use super::failure::Failure;
use super::opened::{OpenStore, block_on};
use super::{note, print, progress};
use crate::config::Config;
use crate::import::{CustomerSheet, Flaw, Plan, PlanError, Sheet, SheetError, Summary};

/// Which file.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The file has customers: the column id, and if wanted groups (split by |) and `tax_number`.
    #[arg(long)]
    customers: bool,
    /// A CSV file with the columns sku, name, price, currency, `on_hand`, and if wanted categories (split by |),
    /// `tax_category` and `product_id`; - for the standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl ImportArgs {
    fn is_standard_input(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    fn name(&self) -> PathBuf {
        if self.is_standard_input() { "standard input".into() } else { self.file.clone() }
    }
}

/// Imports a file, or says all that is wrong with it.
pub(super) fn run(args: &ImportArgs, config: &Config) -> Result<(), Failure> {
    if args.customers { run_customers(args, config) } else { run_products(args, config) }
}

fn run_customers(args: &ImportArgs, config: &Config) -> Result<(), Failure> {
    let sheet = checked(args, CustomerSheet::read(open(args)?))?;
    ignored(args, &sheet.ignored_columns);
    let summary = imported(args, block_on(import_customers(config, &sheet))??)?;
    told(args, format_args!("{} customers", sheet.len()), summary)
}

fn run_products(args: &ImportArgs, config: &Config) -> Result<(), Failure> {
    let sheet = checked(args, Sheet::read(open(args)?))?;
    ignored(args, &sheet.ignored_columns);
    let summary = imported(args, block_on(import(config, &sheet))??)?;
    let (rows, products) = (sheet.rows, sheet.products.len());
    told(args, format_args!("{rows} rows, {products} products"), summary)
}

fn open(args: &ImportArgs) -> Result<Box<dyn Read>, Failure> {
    if args.is_standard_input() {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(&args.file);
    Ok(Box::new(file.map_err(|source| Failure::File { path: args.name(), source })?))
}

fn checked<T>(args: &ImportArgs, sheet: Result<T, SheetError>) -> Result<T, Failure> {
    sheet.map_err(|source| {
        if let SheetError::Flaws(flaws) = &source {
            return refused(args, flaws);
        }
        Failure::Sheet { path: args.name(), source }
    })
}

fn ignored(args: &ImportArgs, columns: &[String]) {
    for column in columns {
        note(format_args!("{}: column {column} is not known here and is ignored", args.name().display()));
    }
}

fn imported(args: &ImportArgs, summary: Result<Summary, PlanError>) -> Result<Summary, Failure> {
    summary.map_err(|source| {
        if let PlanError::Flaws(flaws) = &source {
            return refused(args, flaws);
        }
        Failure::Import { path: args.name(), source }
    })
}

async fn import_customers(config: &Config, sheet: &CustomerSheet) -> Result<Result<Summary, PlanError>, Failure> {
    let opened = OpenStore::open(config).await?;
    let engine = opened.engine(config, opened.currency(config, Currency::USD).await?)?;
    let importing = bar(sheet.len(), "importing");
    let summary = sheet.import(&engine, |customers| importing.inc(customers)).await;
    importing.finish_and_clear();
    Ok(summary)
}

async fn import(config: &Config, sheet: &Sheet) -> Result<Result<Summary, PlanError>, Failure> {
    let opened = OpenStore::open(config).await?;
    let currency = opened.currency(config, sheet.currency.unwrap_or(Currency::USD)).await?;
    let engine = opened.engine(config, currency)?;
    let checking = bar(sheet.products.len(), "checking");
    let plan = Plan::make(&engine, sheet, |products| checking.inc(products)).await;
    checking.finish_and_clear();
    let plan = match plan {
        Ok(plan) => plan,
        Err(error) => return Ok(Err(error)),
    };
    let importing = bar(plan.products(), "importing");
    let summary = plan.carry_out(&engine, |products| importing.inc(products)).await;
    importing.finish_and_clear();
    Ok(summary)
}

fn bar(length: usize, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(length).unwrap_or_default()).with_message(what);
    progress(bar, "{msg} {wide_bar} {human_pos}/{human_len}, {eta} left")
}

fn refused(args: &ImportArgs, flaws: &[Flaw]) -> Failure {
    for flaw in flaws {
        note(format_args!("{}: {flaw}", args.name().display()));
    }
    Failure::NothingImported { path: args.name(), flaws: flaws.len() }
}

fn told(args: &ImportArgs, read: impl Display, summary: Summary) -> Result<(), Failure> {
    let Summary { added, changed, unchanged } = summary;
    print(&format!("{}: {read}: {added} added, {changed} changed, {unchanged} unchanged", args.name().display()))
}
