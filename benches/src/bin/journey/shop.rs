//! A shop, filled before the first round.

use std::fmt::Write;
use std::net::SocketAddr;

use http::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::Failure;
use crate::client::{Call, Connection};
use crate::database::Database;
use crate::journey::{CODE, Client, Customer, Kind, sku};
use crate::options::{Filling, Options};
use crate::program::{Home, Program};
use crate::token::bearer;

/// Connections that fill a shop.
const HANDS: usize = 64;
/// More than is ever sold.
const ON_HAND: u64 = 1_000_000_000;

/// Creates the shop of a program.
pub(crate) async fn open(
    program: &Program,
    database: &Database,
    name: &str,
    options: &Options,
) -> Result<Home, Failure> {
    let parent = options.directory.clone().unwrap_or_else(std::env::temp_dir);
    let directory = tempfile::tempdir_in(parent)?;
    let url = database.create(name, &directory)?;
    let home = Home::new(program.clone(), url, directory)?;
    fill(&home, options.filling).await?;
    database.settle(name)?;
    Ok(home)
}

async fn fill(home: &Home, filling: Filling) -> Result<(), Failure> {
    home.import(&products(filling.products)?)?;
    let server = home.serve()?;
    create_promotions(server.address, filling.promotions).await?;
    repeat(server.address, filling, Item::Order).await?;
    repeat(server.address, filling, Item::Cart).await?;
    server.stop()
}

fn products(count: usize) -> Result<String, Failure> {
    let mut sheet = String::from("sku,name,price,currency,on_hand\n");
    for number in 0..count {
        writeln!(sheet, "{},A thing,12.50,EUR,{ON_HAND}", sku(number))?;
    }
    Ok(sheet)
}

/// One promotion with a code, and others without. Each of the others needs ten more to be spent than the one before it.
async fn create_promotions(address: SocketAddr, automatic: usize) -> Result<(), Failure> {
    let mut connection = Connection::open(address).await?;
    let token = bearer("admin", "admin");
    let tenth = json!({
        "id": "ten", "code": CODE, "effect": { "type": "percent_off", "target": "order", "percent": "10" },
    });
    for promotion in std::iter::once(tenth).chain((1..=automatic).map(spend_more)) {
        let body = Some(promotion.to_string());
        connection.call(Call { token: &token, path: "/v1/promos", body, key: None }, StatusCode::CREATED).await?;
    }
    Ok(())
}

fn spend_more(number: usize) -> Value {
    json!({
        "id": format!("automatic-{number}"),
        "conditions": [{ "type": "min_spend", "amount": (10 * number).to_string() }],
        "effect": { "type": "amount_off", "target": "order", "amount": "0.10" },
    })
}

/// What a shop is filled with.
#[derive(Clone, Copy, Debug)]
enum Item {
    /// Of customers with ten orders each.
    Order,
    /// Of customers with one cart each, with all lines.
    Cart,
}

/// Creates orders or carts over many connections.
async fn repeat(address: SocketAddr, filling: Filling, item: Item) -> Result<(), Failure> {
    let mut hands = JoinSet::new();
    for hand in 0..HANDS {
        let client = Client::new(Connection::open(address).await?);
        hands.spawn(work(client, filling, item, hand));
    }
    while let Some(hand) = hands.join_next().await {
        hand??;
    }
    Ok(())
}

async fn work(mut client: Client, filling: Filling, item: Item, hand: usize) -> Result<(), Failure> {
    match item {
        Item::Order => {
            for number in (hand..filling.orders.div_ceil(10)).step_by(HANDS) {
                let mut customer = Customer::new(&format!("buyer-{number}"), number, filling.products);
                for _ in 0..10.min(filling.orders - 10 * number) {
                    client.order(&mut customer).await?;
                }
            }
        }
        Item::Cart => {
            for number in (hand..filling.carts).step_by(HANDS) {
                let mut customer = Customer::new(&format!("visitor-{number}"), number, filling.products);
                client.step(Kind::Open, &mut customer).await?;
                client.step(Kind::Add, &mut customer).await?;
            }
        }
    }
    Ok(())
}
