//! Requests that meet at several processes.

use std::sync::Arc;

use commerce_core::port::Store;
use commerce_testkit::{CommitBuilder, audit, races};

use crate::Options;
use crate::case::{Outcome, on_scratch};
use crate::database::Scratch;

/// How often each is tried.
const ROUNDS: usize = 10;
/// How many buyers want the half of it.
const BUYERS: usize = 400;

/// The stores of the processes, and a shop that all sell from.
struct Meeting {
    stores: Vec<Arc<dyn Store>>,
    shop: CommitBuilder,
}

pub(crate) fn run(options: &Options) -> Vec<Outcome> {
    let try_rounds = |name: &str, round: Round| {
        let name = format!("races::{name}");
        on_scratch(("races", name), &options.database, |runtime, scratch| {
            runtime.block_on(rounds(options, scratch, round))
        })
    };
    vec![
        try_rounds("what_is_there_is_sold_once", |meeting, round| {
            Box::pin(async move {
                let (sku, stock) = (format!("HOT-{round}"), 200);
                races::what_is_there_is_sold_once(&meeting.stores, &meeting.shop, (&sku, stock), BUYERS).await;
            })
        }),
        try_rounds("one_key_is_one_order", |meeting, round| {
            Box::pin(async move {
                let key = format!("key-{round}");
                races::one_key_is_one_order(&meeting.stores, &meeting.shop, ("MUG", &key)).await;
            })
        }),
        try_rounds("a_limit_of_uses_holds", |meeting, round| {
            Box::pin(async move {
                let promotion = format!("promo-{round}");
                races::a_limit_of_uses_holds(&meeting.stores, &meeting.shop, ("MUG", &promotion)).await;
            })
        }),
    ]
}

type Round = for<'a> fn(&'a Meeting, usize) -> std::pin::Pin<Box<dyn Future<Output = ()> + 'a>>;

async fn rounds(options: &Options, scratch: &Scratch, round: Round) -> Result<String, String> {
    let mut stores: Vec<Arc<dyn Store>> = Vec::new();
    for database in options.processes() {
        stores.push(scratch.at(&database).open().await?);
    }
    let meeting = Meeting { stores, shop: CommitBuilder::new(options.seed) };
    if let Some(store) = meeting.stores.first() {
        store.commit(meeting.shop.stocked(&[("MUG", 1_000_000)])).await.map_err(|error| error.to_string())?;
    }
    for number in 0..ROUNDS {
        round(&meeting, number).await;
    }
    for store in &meeting.stores {
        audit::sound(&**store, meeting.shop.at(1)).await;
    }
    Ok(format!("{ROUNDS} rounds"))
}
