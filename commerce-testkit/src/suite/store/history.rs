//! The history: complete, in order, and sufficient to rebuild the tables.

#![expect(missing_docs, reason = "the names of the cases say it")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use commerce_core::catalog::Product;
use commerce_core::commit::{Commit, OrderChange};
use commerce_core::document::{self, Document, DocumentFilter, DocumentId, DocumentKind};
use commerce_core::event::HistoryEntry;
use commerce_core::ids::{EventId, OrderId};
use commerce_core::order::{Command, Order, fold};
use commerce_core::port::PageRequest;
use commerce_core::replay::verify;
use commerce_core::stock::{StockAction, StockEvent};

use super::{Case, Fixture, at_once, first, walk};
use crate::commit_builder::{RESERVATION_SECONDS, parse, units};

/// The events are numbered from 1. Folding them gives the order.
pub async fn an_orders_events_make_the_order<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 9)]).await;
    let placed = case.shop.order(&[("MUG", 2)]);
    let mut events = placed.orders[0].events().to_vec();
    let order = case.carry_out(placed).await;
    case.placed(&[("MUG", 1)]).await;
    let paid = case.shop.pay(&order, case.shop.at(2));
    events.extend_from_slice(paid.orders[0].events());
    let order = case.carry_out(paid).await;
    let history = case.store().order_history(order.id).await.unwrap();
    assert_eq!(history, events);
    assert!(history.iter().map(|entry| entry.sequence).eq(1..=order.version));
    assert_eq!(fold(&history), Ok(order));
}

/// Each event has the actor and the time. Folding them gives the document.
pub async fn a_documents_events_make_the_document<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let (cart, product) = (case.shop.cart(parse("user-1"), case.shop.at(1)), case.shop.product("P", &["MUG"]));
    let (mut filled, mut dropped) = (cart.clone(), product.clone());
    filled.items.push(case.shop.cart_item("MUG", units(2)));
    filled.version = 2;
    dropped.description = Some(parse("Old"));
    dropped.version = 2;
    let plain = Product { version: 3, ..product.clone() };
    let commits = [
        case.shop.create(&cart),
        case.shop.create(&product),
        case.shop.update(&cart, &filled),
        case.shop.update(&product, &dropped),
        case.shop.update(&dropped, &plain),
    ];
    let of = |id: &DocumentId| {
        let changes = commits.iter().flat_map(|commit| &commit.documents);
        changes.filter(|change| change.id() == id).map(|change| change.event().clone()).collect::<Vec<_>>()
    };
    for commit in commits.clone() {
        case.accept(commit).await;
    }
    for document in [Document::from(filled), plain.into()] {
        let id = document.id();
        let history = case.document_history(&id).await;
        assert_eq!(history, of(&id));
        assert_eq!(document::replay(id.kind, &history), Ok(document.clone()));
        assert_eq!(case.store().document(&id).await.unwrap(), Some(document));
    }
    let report = verify(case.store(), case.shop.at(9), |_| {}).await.unwrap();
    assert!(report.is_identical() && report.documents == 2, "{report:#?}");
}

/// Events of orders, stock and documents have the trace of their commit. Others have none.
pub async fn events_keep_the_trace_of_their_commit<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    let trace = parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let mut stocked = Commit { trace: Some(trace), ..case.shop.stocked(&[("MUG", 9)]) };
    stocked.change(None, case.shop.product("P", &["MUG"]));
    case.accept(stocked).await;
    let order = case.placed(&[("MUG", 1)]).await;
    let paid = case.shop.pay(&order, case.shop.at(2)).orders[0].events().to_vec();
    let mut traced = Commit { trace: Some(trace), ..case.shop.commit(case.shop.at(2)) };
    traced.record(order, paid).unwrap();
    case.accept(traced).await;
    let history = case.store().history(&first(99)).await.unwrap().items;
    let traces = history.iter().map(|entry| match entry {
        HistoryEntry::Order(_, entry) => (entry.event.event_type(), entry.trace),
        HistoryEntry::Stock(_, entry) => (entry.event.event_type(), entry.trace),
        HistoryEntry::Document(_, entry) => (&*entry.event.event_type, entry.trace),
        HistoryEntry::Task(_, entry) => (entry.event.event_type(), entry.trace),
    });
    let mut traces = traces.collect::<Vec<_>>();
    traces.sort_by_key(|(event_type, _)| *event_type);
    let expected = [
        ("order.created", None),
        ("order.paid", Some(trace)),
        ("payment.captured", Some(trace)),
        ("product.created", Some(trace)),
        ("stock.set", Some(trace)),
    ];
    assert_eq!(traces, expected);
    let report = verify(case.store(), case.shop.at(9), |_| {}).await.unwrap();
    assert!(report.is_identical(), "{report:#?}");
}

/// Each kind separately, by the bytes of the ids.
pub async fn documents_are_paged_by_id<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    for id in ["b", "a", "B", "ä"] {
        case.accept(case.shop.create(&case.shop.category(id, "Cups", None))).await;
        case.accept(case.shop.create(&case.shop.product(id, &[id]))).await;
    }
    case.accept(case.shop.create(&case.shop.cart(parse("user-1"), case.shop.at(1)))).await;
    let all = DocumentFilter::default();
    for kind in [DocumentKind::Category, DocumentKind::Product] {
        let page = async |page| case.store().documents(kind, &all, &page).await;
        let ids: Vec<_> = walk(3, page, async || ()).await.iter().map(|document| document.id().id).collect();
        assert_eq!(ids, ["B", "a", "b", "ä"], "{kind}");
    }
    assert_eq!(case.store().documents(DocumentKind::Cart, &all, &first(9)).await.unwrap().items.len(), 1);
    assert_eq!(case.store().documents(DocumentKind::Promotion, &all, &first(9)).await.unwrap().items, []);
}

/// Of their kind alone.
pub async fn documents_are_found_by_ids<F: Fixture>(fixture: &F) {
    let case = Case::new(fixture);
    for id in ["a", "b", "c"] {
        case.accept(case.shop.create(&case.shop.category(id, "Cups", None))).await;
        case.accept(case.shop.create(&case.shop.product(id, &[id]))).await;
    }
    let ids = ["c", "a", "nothing"].map(str::to_owned);
    for kind in [DocumentKind::Category, DocumentKind::Product] {
        let found = case.store().documents_by_id(kind, &ids).await.unwrap();
        let found: BTreeSet<_> = found.iter().map(Document::id).collect();
        assert_eq!(found, ["a", "c"].iter().map(|id| DocumentId::new(kind, id)).collect());
        assert_eq!(case.store().documents_by_id(kind, &[]).await.unwrap(), []);
    }
}

pub async fn events_of_orders_stand_before_those_of_their_stock<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 2), ("TEA", 1)]).await;
    let mut commit = case.shop.order(&[("MUG", 2)]);
    let second = case.shop.order(&[("TEA", 1)]);
    commit.orders.extend(second.orders);
    commit.stock.extend(second.stock);
    commit.tasks.extend(second.tasks);
    let ids: Vec<EventId> = commit.orders.iter().flat_map(OrderChange::events).map(|entry| entry.id).collect();
    case.accept(commit).await;
    let history = case.store().history(&first(100)).await.unwrap().items;
    let (orders, stock) = history[2..].split_at(2);
    assert_eq!(orders.iter().map(id_of).collect::<Vec<_>>(), ids);
    let outs = stock.iter().map(|entry| match entry {
        HistoryEntry::Stock(sku, entry) => (sku.as_str(), &entry.event),
        HistoryEntry::Order(..) | HistoryEntry::Document(..) | HistoryEntry::Task(..) => {
            panic!("another event after stock events")
        }
    });
    assert_eq!(outs.collect::<Vec<_>>(), [("MUG", &StockEvent::OutOfStock), ("TEA", &StockEvent::OutOfStock)]);
}

/// Each whole and oldest first. Unknown orders are left out.
pub async fn histories_of_orders_are_read_at_once<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 9)]).await;
    let mut expected = BTreeMap::new();
    for _ in 0..3 {
        let order = case.placed(&[("MUG", 1)]).await;
        case.pay(&order, case.shop.at(2)).await;
        expected.insert(order.id, case.store().order_history(order.id).await.unwrap());
    }
    let unknown = case.shop.order(&[("MUG", 1)]).orders[0].order().id;
    let other = case.placed(&[("MUG", 1)]).await;
    let asked: Vec<OrderId> = expected.keys().copied().chain([unknown]).collect();
    let found: BTreeMap<_, _> = case.store().order_histories(&asked).await.unwrap().into_iter().collect();
    assert!(found == expected && !found.contains_key(&other.id));
    assert_eq!(case.store().order_histories(&[]).await.unwrap(), []);
}

/// The event after position n has position n + 1.
pub async fn positions_of_the_history_have_no_gaps<F: Fixture>(fixture: &F) {
    assert_eq!(fixture.store().last_position().await.unwrap(), 0);
    let case = Case::stocked(fixture, &[("MUG", 9)]).await;
    for _ in 0..3 {
        case.placed(&[("MUG", 1)]).await;
    }
    let all = case.store().history(&first(100)).await.unwrap().items;
    for (position, _) in (1..).zip(&all).skip(1) {
        let page = PageRequest { limit: 1, after: Some(position - 2) };
        assert_eq!(case.store().history(&page).await.unwrap().next, Some(position - 1));
    }
    assert_eq!(case.store().last_position().await.unwrap(), u64::try_from(all.len()).unwrap());
}

/// With any page size.
pub async fn the_history_keeps_the_order_of_commits<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 99)]).await;
    let mut ids = Vec::new();
    for n in 0..10 {
        let placed = case.shop.order(&[("MUG", 1)]);
        let paid = case.shop.pay(placed.orders[0].order(), case.shop.at(n));
        for commit in [placed, paid] {
            ids.extend(commit.orders[0].events().iter().map(|entry| entry.id));
            case.accept(commit).await;
        }
    }
    for limit in [1, 7, 31, 500] {
        let entries = walk(limit, async |page| case.store().history(&page).await, async || ()).await;
        assert_eq!(entries.iter().skip(1).map(id_of).collect::<Vec<_>>(), ids);
    }
}

/// A reader that follows the history during concurrent writes sees every event once, each order's in sequence.
pub async fn a_reader_of_the_history_misses_nothing<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 999)]).await;
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let placed: Vec<_> = (0..12).map(|_| case.shop.order(&[("MUG", 1)])).collect();
            let paid: Vec<_> =
                placed.iter().map(|commit| case.shop.pay(commit.orders[0].order(), case.shop.at(2))).collect();
            let store = Arc::clone(&case.store);
            tokio::spawn(async move {
                for commit in placed.into_iter().zip(paid).flat_map(|(placed, paid)| [placed, paid]) {
                    store.commit(commit).await.unwrap();
                }
            })
        })
        .collect();
    let other = fixture.reopen().await;
    let expected = 1 + 4 * 12 * 3;
    let mut seen = Vec::new();
    let mut after = None;
    while seen.len() < expected {
        let before = seen.len();
        let listing = other.history(&PageRequest { limit: 5, after }).await.unwrap();
        seen.extend(listing.items);
        match listing.next {
            Some(next) => after = Some(next),
            // A list that ended has no cursor, so the last page is read again.
            None if seen.len() < expected => seen.truncate(before),
            None => {}
        }
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(seen.iter().map(id_of).collect::<BTreeSet<_>>().len(), expected, "every event once");
    let mut sequences = BTreeMap::<OrderId, u64>::new();
    for entry in &seen {
        if let HistoryEntry::Order(id, entry) = entry {
            let last = sequences.insert(*id, entry.sequence).unwrap_or_default();
            assert_eq!(entry.sequence, last + 1);
        }
    }
}

/// Orders, levels and reservations equal the stored ones.
pub async fn a_replay_makes_the_same_tables<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 20), ("TEA", 7), ("POT", 3)]).await;
    let threshold = StockAction::Set { on_hand: 15, reorder_threshold: Some(12), expected: None };
    case.accept(case.shop.moves("MUG", threshold, case.shop.at(0))).await;
    case.placed(&[("MUG", 1), ("TEA", 1)]).await;
    let cancelled = case.placed(&[("MUG", 2), ("TEA", 1)]).await;
    case.accept(case.shop.cancel(&cancelled, case.shop.at(2))).await;
    let paid = case.placed(&[("POT", 3)]).await;
    case.pay(&paid, case.shop.at(3)).await;
    sold_and_returned(&case).await;
    let lost = StockAction::Adjust { delta: -4, reason: parse("broken"), expected: None };
    case.accept(case.shop.moves("MUG", lost, case.shop.at(4))).await;
    let free = free_order(&case);
    case.accept(free).await;
    let late = case.placed(&[("TEA", 2)]).await;
    case.pay(&late, case.shop.at(RESERVATION_SECONDS + 60)).await;
    same_tables(&case, RESERVATION_SECONDS + 60).await;
    same_tables(&case, 100 * RESERVATION_SECONDS).await;
}

async fn sold_and_returned(case: &Case) -> Order {
    let order = case.placed(&[("MUG", 2), ("MUG", 1), ("TEA", 1)]).await;
    let order = case.pay(&order, case.shop.at(2)).await;
    let order = case.deliver(&order, case.shop.at(3)).await;
    let order = case.carry_out(case.shop.request_return(&order, 1, case.shop.at(4))).await;
    let id = order.returns[0].id;
    let order = case.tell(&order, Command::ApproveReturn(id), case.shop.at(5)).await;
    let order = case.tell(&order, Command::ReceiveReturn(id), case.shop.at(6)).await;
    case.tell(&order, Command::Transition { status: parse("returned"), reason: None }, case.shop.at(7)).await
}

/// A free order is paid in the commit that places it.
fn free_order(case: &Case) -> Commit {
    let at = case.shop.at(5);
    let mut new_order = case.shop.new_order(&[("TEA", 1)], at);
    new_order.quote.lines[0].item.unit_price = commerce_core::money::Money::zero(crate::commit_builder::CURRENCY);
    new_order.quote = crate::quote::plain(new_order.quote.items());
    case.shop.place(new_order, at)
}

/// After concurrent writers, some of them refused.
pub async fn a_replay_makes_the_same_tables_after_a_rush<F: Fixture>(fixture: &F) {
    let case = Case::stocked(fixture, &[("MUG", 30), ("TEA", 25)]).await;
    let orders: Vec<_> =
        (0..40).map(|n| case.shop.order(if n % 2 == 0 { &[("MUG", 2), ("TEA", 1)] } else { &[("MUG", 1)] })).collect();
    let answers = at_once(&case.store, orders.clone()).await;
    assert!(answers.iter().any(Option::is_some));
    let placed: Vec<_> =
        orders.iter().zip(&answers).filter(|(_, answer)| answer.is_none()).map(|(order, _)| order).collect();
    let next = placed.iter().enumerate().map(|(n, commit)| {
        let order = commit.orders[0].order();
        if n % 3 == 0 { case.shop.cancel(order, case.shop.at(2)) } else { case.shop.pay(order, case.shop.at(2)) }
    });
    let corrections = (0..5).map(|n| {
        case.shop.moves(
            "TEA",
            StockAction::Adjust { delta: n, reason: parse("found"), expected: None },
            case.shop.at(3),
        )
    });
    let rush = next.chain(corrections).collect();
    let answers = at_once(&case.store, rush).await;
    assert_eq!(answers, vec![None; placed.len() + 5]);
    same_tables(&case, 10).await;
}

async fn same_tables(case: &Case, seconds: i64) {
    let report = verify(case.store(), case.shop.at(seconds), |_| {}).await.unwrap();
    assert!(report.is_identical(), "{:#?}", report.differences);
    assert!(report.entries > report.orders && report.orders > 0 && report.skus > 0, "{report:?}");
}

const fn id_of(entry: &HistoryEntry) -> EventId {
    match entry {
        HistoryEntry::Order(_, entry) => entry.id,
        HistoryEntry::Stock(_, entry) => entry.id,
        HistoryEntry::Document(_, entry) => entry.id,
        HistoryEntry::Task(_, entry) => entry.id,
    }
}
