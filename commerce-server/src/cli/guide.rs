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

use super::failure::Failure;
use crate::config::{Config, Database};

/// How many products are searched for one in stock.
const LOOKED_AT: u16 = 20;

/// The instructions for the current state of the shop.
pub(super) async fn guide(config: &Config, address: SocketAddr, engine: &Engine) -> Result<String, Failure> {
    let database = match &config.database {
        Database::Sqlite(path) => Database::Sqlite(absolute(path)),
        server @ (Database::Postgres(_) | Database::MySql(_)) => server.clone(),
    };
    let sku = sku_in_stock(engine).await?;
    let parts = [
        introduction(address, &database, &absolute(&database.key_path())),
        preparation(config, address, &database),
        if sku.is_none() { demo_import(engine) } else { String::new() },
        first_order(engine, sku.as_ref().map_or(DEMO_SKU, Sku::as_str)),
    ];
    Ok(parts.concat())
}

/// The sku that the instructions import into an empty shop.
const DEMO_SKU: &str = "mug";

/// Asks for the URL, which is not printed.
const GIVE_URL: &str =
    "export COMMERCE_DATABASE=\"${COMMERCE_DATABASE:?is to be the URL of the database, with its password}\"\n";

fn introduction(address: SocketAddr, database: &Database, key: &Path) -> String {
    format!(
        "# commerce {version} serves http://{address}\n\
         #   database   {database}\n\
         #   payments   sandbox, no money moves\n\
         #   key        {key} for development\n\
         #   reference  http://{address}/docs\n\
         #\n\
         # Copy the lines below into another terminal to place and pay a first order.\n\n",
        version = env!("CARGO_PKG_VERSION"),
        key = key.display(),
    )
}

/// The variables for this program and the address of the shop.
fn preparation(config: &Config, address: SocketAddr, database: &Database) -> String {
    let program = env::current_exe().unwrap_or_else(|_| PathBuf::from("commerce"));
    let (before, mut call) = match database {
        Database::Sqlite(_) => ("", vec![quoted(&program.display()), "--database".to_owned(), quoted(database)]),
        // Passwords are not printed, so the reader provides the URL. The key is in the working directory.
        Database::Postgres(_) | Database::MySql(_) => {
            let directory = absolute(Path::new("."));
            (GIVE_URL, vec!["cd".to_owned(), quoted(&directory.display()), "&&".to_owned(), quoted(&program.display())])
        }
    };
    for (flag, value) in [("--issuer", &config.keys.issuer), ("--audience", &config.keys.audience)] {
        call.extend(value.iter().flat_map(|value| [flag.to_owned(), quoted(value)]));
    }
    format!("{before}commerce() {{ ({} \"$@\"); }}\nshop=http://{address}/v1\n\n", call.join(" "))
}

fn demo_import(engine: &Engine) -> String {
    let currency = engine.settings().currency;
    format!(
        "printf '%s\\n' 'sku,name,price,currency,on_hand' '{DEMO_SKU},Coffee mug,12,{currency},100' 'tea,Green tea,8,{currency},100' \\\n\
         | commerce import -\n\n"
    )
}

fn first_order(engine: &Engine, sku: &str) -> String {
    let method = engine.settings().shipping_methods.first().map_or("standard", |method| method.name.as_str());
    let order = serde_json::json!({
        "items": [{ "sku": sku, "quantity": 1 }],
        "shipping_method": method,
        "shipping_address": {
            "name": "Alice Example", "line1": "1 Main Street", "city": "Springfield", "postal_code": "12345", "country": "US"
        },
    });
    format!(
        "token=$(commerce token --sub alice --role customer)\n\
         order=$(curl -sS \"$shop/orders\" -H \"Authorization: Bearer $token\" -H 'Content-Type: application/json' \\\n\
         \x20 -H \"Idempotency-Key: first-order-$(date +%s)\" -d {order})\n\
         echo \"$order\"\n\n\
         payment=$(echo \"$order\" | sed 's/.*\"payment\":{{[^}}]*\"id\":\"\\([^\"]*\\)\".*/\\1/')\n\
         curl -sS \"$shop/payments/$payment/confirm\" -H \"Authorization: Bearer $token\" -H 'Content-Type: application/json' \\\n\
         \x20 -d '{{\"token\":\"tok_ok\"}}'; echo\n",
        order = quoted(&order),
    )
}

/// A sku that is in stock.
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
