//! What the history says of some streams.

use std::collections::{BTreeMap, BTreeSet};

use commerce_core::document::{self, Claim, ClaimKind, Document, DocumentId};
use commerce_core::event::Recorded;
use commerce_core::ids::{OrderId, PromotionId, Sku};
use commerce_core::order::{CorruptHistory, Order, OrderEvent};
use commerce_core::promotion::UsageCounter;
use commerce_core::replay::{RebuiltOrder, Replay, ReplayError};
use commerce_core::stock::{Reservation, StockLevel};
use commerce_core::task::Task;

use super::{Answer, Conn, Fault, history};
use crate::db_enum::DbEnum;
use crate::prepared;
use crate::rows::event::{EventRow, ORDER};

#[derive(Default)]
pub(super) struct Facts {
    pub(super) documents: Vec<KnownDocument>,
    pub(super) orders: Vec<KnownOrder>,
    pub(super) stock: Vec<KnownStock>,
    pub(super) tasks: Vec<Task>,
}

pub(super) struct KnownDocument {
    pub(super) id: DocumentId,
    pub(super) document: Document,
    pub(super) body: String,
    pub(super) keys: Vec<String>,
    pub(super) claims: Vec<Claim>,
}

pub(super) struct KnownOrder {
    pub(super) order: Order,
    /// The id as the owner of claims.
    pub(super) owner: String,
    pub(super) number: Claim,
    pub(super) state: Option<String>,
    pub(super) keys: Vec<String>,
    pub(super) uses: BTreeMap<PromotionId, UsageCounter>,
}

pub(super) struct KnownStock {
    pub(super) level: StockLevel,
    pub(super) reservations: BTreeMap<OrderId, Reservation>,
}

impl Facts {
    /// The orders and documents with these ids.
    pub(super) async fn of_streams(conn: &mut Conn, ids: impl Iterator<Item = &str>) -> Answer<Self> {
        let (mut facts, events) = (Self::default(), history::of_streams(conn, ids).await?);
        for stream in
            events.chunk_by(|one, next| (&one.stream_id, &one.stream_kind) == (&next.stream_id, &next.stream_kind))
        {
            match stream.first() {
                Some(first) if first.stream_kind == ORDER => facts.orders.push(order(first.stream()?, stream)?),
                Some(first) => facts.documents.push(document(first, stream)?),
                None => {}
            }
        }
        Ok(facts)
    }

    /// Adds the tasks with these subjects.
    pub(super) fn add_tasks(&mut self, replay: &Replay, subjects: &BTreeSet<String>) {
        let tasks = replay.tasks().values().filter(|task| subjects.contains(&task.key.subject));
        self.tasks.extend(tasks.cloned());
    }

    /// Adds the stock of those SKUs that were ever stocked.
    pub(super) fn add_stock(&mut self, replay: &Replay, skus: impl Iterator<Item = Sku>) -> Result<(), ReplayError> {
        for sku in skus {
            if let Some(rebuilt) = replay.stock(&sku)? {
                self.stock.push(KnownStock { level: rebuilt.level, reservations: rebuilt.reservations.clone() });
            }
        }
        Ok(())
    }
}

fn order(id: OrderId, stream: &[EventRow]) -> Answer<KnownOrder> {
    let events: Vec<Recorded<OrderEvent>> = stream.iter().map(EventRow::recorded).collect::<Answer<_>>()?;
    let RebuiltOrder { order, uses: effects } = RebuiltOrder::of(&events)
        .and_then(|whole| if whole.order.id == id { Ok(whole) } else { Err(CorruptHistory::NoBeginning) })
        .map_err(|source| ReplayError::Order { order: id, source })?;
    let mut uses = BTreeMap::<PromotionId, UsageCounter>::new();
    for (effect, at) in &effects {
        uses.entry(effect.redemption().promotion.clone()).or_default().follow(effect, *at);
    }
    let state = prepared::state(&order).map_err(|_| Fault::Corrupt("orders.state"))?;
    let number = Claim::new(ClaimKind::OrderNumber, &order.number);
    Ok(KnownOrder { owner: id.to_string(), number, state, keys: order.keys(), uses, order })
}

fn document(first: &EventRow, stream: &[EventRow]) -> Answer<KnownDocument> {
    let kind = DbEnum::read("events.stream_kind", &first.stream_kind).map_err(|fault| fault.at(first.position))?;
    let id = DocumentId { kind, id: first.stream_id.clone() };
    let events = stream.iter().map(EventRow::of_document).collect::<Answer<Vec<_>>>()?;
    let document = document::replay(kind, &events);
    let document = document.map_err(|source| ReplayError::Document { document: id.clone(), source })?;
    let mut keys = document.keys();
    keys.sort_unstable();
    keys.dedup();
    Ok(KnownDocument { body: document.stored().to_string(), keys, claims: document.claims(), id, document })
}
