//! Comparing a store's tables with its history.

mod tasks;
mod uses;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::{Replay, ReplayError, StreamTotals, UsesTotal};
use crate::document::{self, Document, DocumentFilter, DocumentId, DocumentKind, ReplayedError};
use crate::event::{HistoryEntry, Recorded};
use crate::ids::{OrderId, PromotionId, Sku};
use crate::order::{CorruptHistory, Order, OrderEvent, fold};
use crate::port::{OrderFilter, PageRequest, Store, StoreResult};
use crate::stock::{Reservation, StockLevel};
use crate::task::{Task, TaskKey};

/// The number of entries read at a time.
const PAGE: u16 = 500;
/// How often busy figures are read again before they are reported as different.
const MAX_TRIES: u32 = 16;

/// The result of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Replayed entries of the history.
    pub entries: u64,
    /// Compared orders.
    pub orders: u64,
    /// Compared documents.
    pub documents: u64,
    /// Compared SKUs.
    pub skus: u64,
    /// Promotions whose uses were compared.
    pub promotions: u64,
    /// Compared tasks.
    pub tasks: u64,
    /// In the order of finding.
    pub differences: Vec<Difference>,
}

/// A difference between the tables and the history.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub enum Difference {
    /// The history is inconsistent.
    #[error("the history is inconsistent: {0}")]
    History(ReplayError),
    /// `rebuilt` is an error if the events cannot be replayed.
    #[error("order {}, version {}: {}", stored.number, stored.version, order_reason(stored, rebuilt))]
    Order { stored: Box<Order>, rebuilt: Result<Box<Order>, CorruptHistory> },
    /// `error` says why the history cannot be replayed; `None` if it leads to another value.
    #[error(
        "{id}, version {version}: {}",
        error.as_ref().map_or_else(|| "its events lead to another value".into(), ToString::to_string)
    )]
    Document { id: DocumentId, version: u64, error: Option<Box<ReplayedError>> },
    /// The number of `what` (`orders` or `documents`), or of their events, differs. `tables` has the rows and the sum
    /// of their versions.
    #[error(
        "the history has {} events of {} {what}, the tables have {} of {}",
        history.events, history.created, tables.events, tables.created
    )]
    Count { what: &'static str, history: StreamTotals, tables: StreamTotals },
    /// The stock of a SKU differs.
    #[error("stored {stored:?}, the history gives {rebuilt:?}")]
    Stock { stored: Option<Box<StockLevel>>, rebuilt: Option<Box<StockLevel>> },
    /// The reservations of a SKU differ.
    #[error("reservations of {sku}: stored {stored:?}, the history gives {rebuilt:?}")]
    Reservations { sku: Sku, stored: BTreeMap<OrderId, Reservation>, rebuilt: BTreeMap<OrderId, Reservation> },
    /// `stored` is as the store counts or lists them.
    #[error("uses of promotion {promotion}: stored {stored:?}, the history gives {rebuilt:?}")]
    Uses { promotion: PromotionId, stored: UsesTotal, rebuilt: UsesTotal },
    /// A task is missing, unknown, or has another payload or due time. `rebuilt` has the attempts of `stored`.
    #[error("task {key}: stored {stored:?}, the history gives {rebuilt:?}")]
    Task { key: TaskKey, stored: Option<Box<Task>>, rebuilt: Option<Box<Task>> },
}

impl Report {
    /// Whether the tables agree with the history.
    pub const fn is_identical(&self) -> bool {
        self.differences.is_empty()
    }
}

fn order_reason(stored: &Order, rebuilt: &Result<Box<Order>, CorruptHistory>) -> String {
    match rebuilt {
        Ok(rebuilt) => format!("its events lead to another {}", differing(stored, rebuilt).join(", ")),
        Err(error) => error.to_string(),
    }
}

fn differing(stored: &Order, rebuilt: &Order) -> Vec<&'static str> {
    let parts = [
        ("version", stored.version == rebuilt.version),
        ("status", (&stored.status, stored.phase) == (&rebuilt.status, rebuilt.phase)),
        ("quote", stored.quote == rebuilt.quote),
        ("shipping address", stored.shipping_address == rebuilt.shipping_address),
        ("shipment", stored.shipment == rebuilt.shipment),
        ("payment", stored.payment == rebuilt.payment),
        ("refunds", stored.refunds == rebuilt.refunds),
        ("returns", stored.returns == rebuilt.returns),
    ];
    parts.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
}

/// Rebuilds orders, stock and tasks from a store's history and compares them with its tables at an instant, which must not be
/// earlier than the last commit. `progress` is called from time to time with the number of entries, orders and SKUs
/// done.
///
/// It may run while the store is in use. Later commits are replayed, or left out on both sides.
///
/// # Errors
/// [`StoreError`](crate::port::StoreError) if the store cannot be read. Differences are not errors; they are in the [`Report`].
pub async fn verify(store: &dyn Store, at: DateTime<Utc>, progress: impl FnMut(u64) + Send) -> StoreResult<Report> {
    let mut verifier = Verifier {
        store,
        at,
        progress,
        replay: Replay::counting_uses(),
        report: Report::default(),
        broken: BTreeSet::new(),
        behind: None,
        seen: 0,
    };
    verifier.check().await?;
    Ok(verifier.report)
}

/// Figures that may change while they are compared.
#[derive(Clone, Copy)]
enum Counted<'a> {
    Stock(&'a Sku),
    Uses(&'a PromotionId),
    Task(&'a TaskKey),
}

struct Verifier<'a, P> {
    store: &'a dyn Store,
    at: DateTime<Utc>,
    progress: P,
    replay: Replay,
    report: Report,
    /// Orders that were reported already.
    broken: BTreeSet<OrderId>,
    /// The position of the last page, and the number of entries after it that were applied.
    behind: Option<u64>,
    seen: usize,
}

impl<P: FnMut(u64) + Send> Verifier<'_, P> {
    async fn check(&mut self) -> StoreResult<()> {
        self.catch_up().await?;
        self.check_orders().await?;
        self.check_documents().await?;
        self.check_stock().await?;
        self.check_uses().await?;
        self.check_tasks().await
    }

    /// Applies the history up to its present end.
    async fn catch_up(&mut self) -> StoreResult<()> {
        loop {
            let page = self.store.history(&PageRequest { limit: PAGE, after: self.behind }).await?;
            for entry in page.items.iter().skip(self.seen) {
                self.follow(entry).await?;
            }
            self.seen = page.items.len();
            self.tell();
            let Some(next) = page.next else { return Ok(()) };
            (self.behind, self.seen) = (Some(next), 0);
        }
    }

    async fn follow(&mut self, entry: &HistoryEntry) -> StoreResult<()> {
        self.report.entries = self.report.entries.saturating_add(1);
        if let HistoryEntry::Order(id, event) = entry
            && self.replay.wants(entry).is_some()
        {
            self.bring_back(*id, event).await?;
        }
        match self.replay.apply(entry) {
            Ok(()) => self.replay.take_finished(entry),
            Err(error) => self.report_once(error),
        }
        Ok(())
    }

    async fn bring_back(&mut self, id: OrderId, event: &Recorded<OrderEvent>) -> StoreResult<()> {
        if self.broken.contains(&id) {
            return Ok(());
        }
        let history = self.store.order_history(id).await?;
        if let Ok(order) = fold(history.iter().take_while(|earlier| earlier.sequence < event.sequence)) {
            self.replay.resume(order);
        }
        Ok(())
    }

    fn report_once(&mut self, error: ReplayError) {
        let is_news = match &error {
            ReplayError::Order { order, .. } => self.broken.insert(*order),
            ReplayError::Document { .. } | ReplayError::Stock { .. } | ReplayError::Overdrawn { .. } => true,
        };
        if is_news {
            self.report.differences.push(Difference::History(error));
        }
    }

    /// Compares every order in the tables with its events, and the number of orders.
    ///
    /// Entries that existed before the tables were read are in the tables; rows that were read are in the history
    /// afterwards.
    async fn check_orders(&mut self) -> StoreResult<()> {
        let before = self.replay.order_totals();
        let mut tables = StreamTotals::default();
        let mut page = PageRequest { limit: PAGE, after: None };
        loop {
            let listing = self.store.orders(&OrderFilter::default(), &page).await?;
            for order in listing.items {
                tables.add(order.version);
                self.check_order(order).await?;
            }
            self.tell();
            let Some(next) = listing.next else { break };
            page.after = Some(next);
        }
        self.catch_up().await?;
        self.check_count("orders", [before, self.replay.order_totals()], tables);
        Ok(())
    }

    fn check_count(&mut self, what: &'static str, [before, history]: [StreamTotals; 2], tables: StreamTotals) {
        let complete = before.created <= tables.created && before.events <= tables.events;
        if !complete || tables.created > history.created || tables.events > history.events {
            self.report.differences.push(Difference::Count { what, history, tables });
        }
    }

    /// Compares every document in the tables with its events, and the number of documents.
    async fn check_documents(&mut self) -> StoreResult<()> {
        let before = self.replay.document_totals();
        let mut tables = StreamTotals::default();
        for kind in DocumentKind::ALL {
            let mut page = PageRequest { limit: PAGE, after: None };
            loop {
                let listing = self.store.documents(*kind, &DocumentFilter::default(), &page).await?;
                for document in listing.items {
                    tables.add(document.version());
                    self.check_document(&document).await?;
                }
                self.tell();
                let Some(next) = listing.next else { break };
                page.after = Some(next);
            }
        }
        self.catch_up().await?;
        self.check_count("documents", [before, self.replay.document_totals()], tables);
        Ok(())
    }

    async fn check_document(&mut self, stored: &Document) -> StoreResult<()> {
        self.report.documents = self.report.documents.saturating_add(1);
        let (id, version) = (stored.id(), stored.version());
        let store = self.store;
        let of_id = &id;
        let history = PageRequest::read_all(|page| async move { store.document_history(of_id, &page).await }).await?;
        let error = match document::replay(id.kind, history.iter().take_while(|entry| entry.sequence <= version)) {
            Ok(rebuilt) if rebuilt == *stored => return Ok(()),
            Ok(_) => None,
            Err(error) => Some(Box::new(error)),
        };
        self.report.differences.push(Difference::Document { id, version, error });
        Ok(())
    }

    async fn check_order(&mut self, stored: Order) -> StoreResult<()> {
        self.report.orders = self.report.orders.saturating_add(1);
        let known = self.replay.order(stored.id).filter(|order| order.version == stored.version);
        if known == Some(&stored) || self.broken.contains(&stored.id) {
            return Ok(());
        }
        let history = self.store.order_history(stored.id).await?;
        let rebuilt = fold(history.iter().take_while(|entry| entry.sequence <= stored.version)).map(Box::new);
        if rebuilt.as_deref() != Ok(&stored) {
            self.report.differences.push(Difference::Order { stored: Box::new(stored), rebuilt });
        }
        Ok(())
    }

    async fn check_stock(&mut self) -> StoreResult<()> {
        let mut missing: BTreeSet<Sku> = self.replay.skus().cloned().collect();
        let mut page = PageRequest { limit: PAGE, after: None };
        loop {
            let listing = self.store.stock_levels(false, self.at, &page).await?;
            for level in &listing.items {
                missing.remove(&level.sku);
                self.check_sku(&level.sku).await?;
            }
            self.tell();
            let Some(next) = listing.next else { break };
            page.after = Some(next);
        }
        for sku in missing {
            self.check_sku(&sku).await?;
        }
        Ok(())
    }

    async fn check_sku(&mut self, sku: &Sku) -> StoreResult<()> {
        self.report.skus = self.report.skus.saturating_add(1);
        self.check_unchanged(Counted::Stock(sku)).await
    }

    /// Figures may change between the reading of the tables and of the history. Only unchanged ones are compared.
    async fn check_unchanged(&mut self, counted: Counted<'_>) -> StoreResult<()> {
        let mut found = self.compare(counted).await?;
        for _ in 1..MAX_TRIES {
            if found.is_empty() {
                break;
            }
            let before = self.report.entries;
            self.catch_up().await?;
            let again = self.compare(counted).await?;
            let stood_still = self.report.entries == before && again == found;
            found = again;
            if stood_still {
                break;
            }
        }
        self.report.differences.append(&mut found);
        Ok(())
    }

    async fn compare(&self, counted: Counted<'_>) -> StoreResult<Vec<Difference>> {
        match counted {
            Counted::Stock(sku) => {
                let stored = self.store.stock(sku, self.at).await?;
                let reservations = self.store.reservations(sku).await?;
                Ok(compare(&self.replay, sku, stored, reservations, self.at))
            }
            Counted::Uses(promotion) => self.compare_uses(promotion).await,
            Counted::Task(key) => self.compare_task(key).await,
        }
    }

    fn tell(&mut self) {
        let Report { entries, orders, documents, skus, .. } = self.report;
        (self.progress)(entries.saturating_add(orders).saturating_add(documents).saturating_add(skus));
    }
}

pub(super) fn compare(
    replay: &Replay,
    sku: &Sku,
    stored: Option<StockLevel>,
    reservations: impl IntoIterator<Item = (OrderId, Reservation)>,
    at: DateTime<Utc>,
) -> Vec<Difference> {
    let rebuilt = replay.level(sku, at);
    let same = stored.as_ref().zip(rebuilt.as_ref()).is_some_and(|(stored, rebuilt)| agree(stored, rebuilt));
    let level = Difference::Stock { stored: stored.map(Box::new), rebuilt: rebuilt.map(Box::new) };
    let stored: BTreeMap<_, _> = reservations.into_iter().filter(|(_, reservation)| reservation.counts(at)).collect();
    let rebuilt = replay.reservations(sku, at);
    let held = (stored != rebuilt).then(|| Difference::Reservations { sku: sku.clone(), stored, rebuilt });
    (!same).then_some(level).into_iter().chain(held).collect()
}

/// The `next_expiry` of a stored level is a lower bound; it need not be exact.
fn agree(stored: &StockLevel, rebuilt: &StockLevel) -> bool {
    let due = rebuilt.next_expiry.is_none_or(|end| stored.next_expiry.is_some_and(|next| next <= end));
    due && StockLevel { next_expiry: rebuilt.next_expiry, ..stored.clone() } == *rebuilt
}
