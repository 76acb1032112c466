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
use crate::import::{CustomerSheet, Flaw, MAX_FLAWS, Plan, Sheet, Summary};
use crate::plural::counted;

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The file has customers: the column id, and optionally groups (separated by |) and `tax_number`.
    #[arg(long)]
    customers: bool,
    /// Import the good rows of a file that has up to 99 bad ones. A product with a bad row is left out as a whole. Without this
    /// option, a file with a bad row changes nothing.
    #[arg(long)]
    partial: bool,
    /// A CSV file with the columns SKU, name, price, currency, `on_hand`, and optionally categories (separated by |),
    /// `tax_category` and `product_id`; - for the standard input.
    #[arg(value_name = "FILE", value_parser = PathBufValueParser::new().map(Input))]
    file: Input,
}

/// Imports a file, or reports all problems in it.
pub(super) fn run(args: &ImportArgs, config: &Config) -> Result<(), Failure> {
    let (read, summary) = if args.customers { run_customers(args, config)? } else { run_products(args, config)? };
    let Summary { added, changed, unchanged } = summary;
    print(&format!("{}: {read}: {added} added, {changed} changed, {unchanged} unchanged", args.file))
}

fn run_customers(args: &ImportArgs, config: &Config) -> Result<(String, Summary), Failure> {
    let ImportArgs { file, .. } = args;
    let sheet = CustomerSheet::read(file.open()?).map_err(|error| file.failed(error))?;
    ignored(file, &sheet.ignored_columns);
    args.tell(&sheet.flaws, args.partial)?;
    let summary = block_on(import_customers(file, config, &sheet))??;
    Ok((counted(sheet.len(), "customer"), summary))
}

fn run_products(args: &ImportArgs, config: &Config) -> Result<(String, Summary), Failure> {
    let ImportArgs { file, .. } = args;
    let shop = block_on(known_currency(config))?;
    let sheet = Sheet::read(file.open()?, shop).map_err(|error| file.failed(error))?;
    ignored(file, &sheet.ignored_columns);
    args.tell(&sheet.flaws, args.partial && !sheet.is_torn)?;
    let summary = block_on(import(args, config, &sheet))??;
    Ok((format!("{}, {}", counted(sheet.rows, "row"), counted(sheet.products.len(), "product")), summary))
}

impl ImportArgs {
    /// Prints bad rows, and refuses the file unless they may be left out.
    fn tell(&self, flaws: &[Flaw], may_leave_out: bool) -> Result<(), Failure> {
        if flaws.is_empty() {
            return Ok(());
        }
        if !may_leave_out || flaws.len() >= MAX_FLAWS {
            let more = if flaws.len() < MAX_FLAWS { "" } else { " or more" };
            return Err(self
                .file
                .refused(flaws, format!("nothing was imported: {}{more}", counted(flaws.len(), "bad row"))));
        }
        for flaw in flaws {
            self.file.note(flaw);
        }
        Ok(())
    }
}

fn ignored(file: &Input, columns: &[String]) {
    for column in columns {
        file.note(format_args!("column {column} is unknown and is ignored"));
    }
}

/// The currency of the shop, if it is configured or there are products. A database that cannot be read has none yet.
async fn known_currency(config: &Config) -> Option<Currency> {
    if config.currency.is_some() {
        return config.currency;
    }
    OpenStore::existing(config).await.ok()?.catalog_currency().await.ok()?
}

async fn import_customers(file: &Input, config: &Config, sheet: &CustomerSheet) -> Result<Summary, Failure> {
    let opened = OpenStore::open(config).await?;
    let engine = opened.engine(config, opened.currency(config, Currency::USD).await?)?;
    let importing = bar(sheet.len(), "importing");
    let summary = sheet.import(&engine, |customers| importing.inc(customers)).await;
    importing.finish_and_clear();
    summary.map_err(|error| file.failed(error))
}

async fn import(args: &ImportArgs, config: &Config, sheet: &Sheet) -> Result<Summary, Failure> {
    let opened = OpenStore::open(config).await?;
    let currency = opened.currency(config, sheet.currency.unwrap_or(Currency::USD)).await?;
    let engine = opened.engine(config, currency)?;
    let checking = bar(sheet.products.len(), "checking");
    let plan = Plan::make(&engine, sheet, |products| checking.inc(products)).await;
    checking.finish_and_clear();
    let plan = plan.map_err(|error| args.file.failed(error))?;
    args.tell(&plan.flaws, args.partial)?;
    let importing = bar(plan.products(), "importing");
    let summary = plan.carry_out(&engine, |products| importing.inc(products)).await;
    importing.finish_and_clear();
    summary.map_err(|error| args.file.failed(error))
}

fn bar(length: usize, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(length).unwrap_or_default()).with_message(what);
    progress(bar, "{msg} {wide_bar} {human_pos}/{human_len}, {eta} left")
}
