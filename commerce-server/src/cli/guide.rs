//! The instructions that a new shop prints for a first order.
//!
//! They are a shell script with comments, so all or part of them can be pasted.

use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use commerce_core::actor::Actor;
use commerce_core::catalog::Product;
use commerce_core::engine::{Engine, EngineError};
use commerce_core::ids::Sku;
use commerce_core::port::{PageRequest, ProductFilter};
use serde_json::Value;

use super::failure::Failure;
use crate::config::{Config, Database};

/// How many products are searched for one in stock.
const LOOKED_AT: u16 = 20;

/// The instructions, with placeholders in braces.
const SCRIPT: &str = include_str!("guide.sh");
/// The SKU that the instructions import into an empty shop.
const DEMO_SKU: &str = "mug";
/// Asks for the URL, which is not printed because it contains a password.
const GIVE_URL: &str =
    "export COMMERCE_DATABASE=\"${COMMERCE_DATABASE:?is to be the URL of the database, with its password}\"\n";

/// The instructions for the current state of the shop.
pub(super) async fn guide(config: &Config, address: SocketAddr, engine: &Engine) -> Result<String, Failure> {
    let database = match &config.database {
        Database::Sqlite(path) => Database::Sqlite(absolute(path)),
        server @ (Database::Postgres(_) | Database::MySql(_)) => server.clone(),
    };
    let sku = sku_in_stock(engine).await?;
    let values = [
        ("{version}", env!("CARGO_PKG_VERSION").to_owned()),
        ("{address}", address.to_string()),
        ("{key}", absolute(&database.key_path()).display().to_string()),
        ("{url}", if database.is_a_server() { GIVE_URL.to_owned() } else { String::new() }),
        ("{command}", command(config, &database)),
        ("{import}", if sku.is_none() { demo_import(engine) } else { String::new() }),
        ("{database}", database.to_string()),
        ("{order}", quoted(&first_order(engine, sku.as_ref().map_or(DEMO_SKU, Sku::as_str)))),
    ];
    Ok(values.iter().fold(SCRIPT.to_owned(), |script, (name, value)| script.replace(name, value)))
}

/// The command that runs this program on the database of the shop. The key of a server is in the working directory.
fn command(config: &Config, database: &Database) -> String {
    let program = quoted(&env::current_exe().unwrap_or_else(|_| PathBuf::from("commerce")).display());
    let mut command = match database {
        Database::Sqlite(_) => format!("{program} --database {}", quoted(database)),
        Database::Postgres(_) | Database::MySql(_) => {
            format!("cd {} && {program}", quoted(&absolute(Path::new(".")).display()))
        }
    };
    for (flag, value) in [("--issuer", &config.keys.issuer), ("--audience", &config.keys.audience)] {
        command.extend(value.iter().map(|value| format!(" {flag} {}", quoted(value))));
    }
    command
}

fn demo_import(engine: &Engine) -> String {
    let currency = engine.settings().currency;
    format!(
        "printf '%s\\n' 'sku,name,price,currency,on_hand' '{DEMO_SKU},Coffee mug,12,{currency},100' 'tea,Green tea,8,{currency},100' \\\n\
         | commerce import -\n\n"
    )
}

fn first_order(engine: &Engine, sku: &str) -> Value {
    let method = engine.settings().shipping_methods.first().map_or("standard", |method| method.name.as_str());
    serde_json::json!({
        "items": [{ "sku": sku, "quantity": 1 }],
        "shipping_method": method,
        "shipping_address": {
            "name": "Alice Example", "line1": "1 Main Street", "city": "Springfield", "postal_code": "12345", "country": "US"
        },
    })
}

/// A SKU that is in stock.
async fn sku_in_stock(engine: &Engine) -> Result<Option<Sku>, Failure> {
    let filter = ProductFilter { active: Some(true), ..ProductFilter::default() };
    let products =
        engine.products(Some(&Actor::SYSTEM), None, filter, &PageRequest { limit: LOOKED_AT, after: None }).await?;
    for sku in products.items.iter().flat_map(skus) {
        match engine.stock(&Actor::SYSTEM, sku).await {
            Ok(level) if level.available() > 0 => return Ok(Some(sku.clone())),
            Ok(_) | Err(EngineError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

fn skus(product: &Product) -> impl Iterator<Item = &Sku> {
    product.variants.iter().map(|variant| &variant.sku)
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A text quoted as one word for a shell.
fn quoted(text: &impl ToString) -> String {
    format!("'{}'", text.to_string().replace('\'', "'\\''"))
}
