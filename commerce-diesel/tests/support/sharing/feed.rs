//! A reader that asks for what came behind the last event it saw, while two processes append.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use commerce_core::event::HistoryEntry;
use commerce_core::port::{PageRequest, Store};
use commerce_testkit::commit_builder::{order_of, parse};
use commerce_testkit::{CommitBuilder, Random};

use crate::database::{Database, seed};

const WRITERS: u64 = 12;
const COMMITS: usize = 120;
/// Of the reader's pages: small, so that it is seldom far ahead.
const PAGE: u16 = 50;

/// Everything a reader saw.
#[derive(Default)]
struct Reader {
    position: Option<u64>,
    seen: usize,
    ids: BTreeSet<String>,
    streams: BTreeMap<String, u64>,
}

impl Reader {
    /// Reads on. Positions have no gaps, so the last one is known from how many were read.
    async fn read<S: Store>(&mut self, store: &S) -> usize {
        let page = store.history(&PageRequest { limit: PAGE, after: self.position }).await.unwrap();
        for entry in &page.items {
            self.see(entry);
        }
        let position = self.position.unwrap_or_default() + u64::try_from(page.items.len()).unwrap();
        assert!(page.next.is_none_or(|next| next == position), "a gap: {:?}, and not {position}", page.next);
        self.position = Some(position);
        page.items.len()
    }

    fn see(&mut self, entry: &HistoryEntry) {
        let (stream, sequence, id) = match entry {
            HistoryEntry::Order(order, entry) => (order.to_string(), entry.sequence, entry.id),
            HistoryEntry::Stock(sku, entry) => (sku.to_string(), entry.sequence, entry.id),
            HistoryEntry::Document(id, entry) => (id.to_string(), entry.sequence, entry.id),
            HistoryEntry::Task(key, entry) => (key.to_string(), entry.sequence, entry.id),
        };
        assert!(self.ids.insert(id.to_string()), "{stream} {sequence} came twice");
        let last = self.streams.insert(stream.clone(), sequence).unwrap_or_default();
        assert!(last < sequence, "{stream}: {sequence} came behind {last}");
        self.seen += 1;
    }
}

pub(crate) async fn whoever_reads_behind_the_last_event_misses_nothing<D: Database>() {
    let (database, seed, shop) = (D::create(), seed(), Arc::new(CommitBuilder::new(1)));
    let (stores, third) = ([database.open().await, database.open().await], database.open().await);
    stores[0].commit(shop.stocked(&[("MUG", 90_000), ("TEA", 90_000)])).await.unwrap();
    let at_work = Arc::new(AtomicUsize::new(0));
    let write = |(number, store): (u64, &D::Store)| {
        at_work.fetch_add(1, Ordering::Relaxed);
        let random = Random::new(seed.wrapping_add(number));
        let (store, shop, at_work) = (store.clone(), Arc::clone(&shop), Arc::clone(&at_work));
        tokio::spawn(async move {
            append(&store, &shop, random).await;
            at_work.fetch_sub(1, Ordering::Relaxed);
        })
    };
    let writers: Vec<_> = (0..WRITERS).zip(stores.iter().cycle()).map(write).collect();
    let mut reader = Reader::default();
    loop {
        let over = at_work.load(Ordering::Relaxed) == 0;
        if reader.read(&third).await == 0 {
            if over {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(reader.seen, database.count("events"));
    assert_eq!(reader.position, u64::try_from(reader.seen).ok(), "positions have no gaps");
}

/// Commits with few and with many events; some are refused, by the guards or by the database.
async fn append<S: Store>(store: &S, shop: &CommitBuilder, mut random: Random) {
    for _ in 0..COMMITS {
        match random.below(4) {
            0 => {
                let skus: Vec<String> = (0..random.below(40)).map(|_| format!("S-{}", shop.uuid().simple())).collect();
                let levels: Vec<_> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
                store.commit(shop.stocked(&levels)).await.unwrap();
            }
            1 => {
                let placed = shop.order(&[("MUG", 1)]);
                let paid = shop.pay(order_of(&placed), shop.at(2));
                store.commit(placed).await.unwrap();
                store.commit(paid).await.unwrap();
            }
            2 => assert!(store.commit(shop.order(&[("MUG", 1), ("NONE", 1)])).await.is_err()),
            _ => {
                let delta =
                    commerce_core::stock::StockAction::Adjust { delta: 1, reason: parse("found"), expected: None };
                store.commit(shop.moves("TEA", delta, shop.at(1))).await.unwrap();
            }
        }
    }
}
