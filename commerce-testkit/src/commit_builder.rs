//! Commits like those of the engine, for suites, benches and simulations.

#![expect(clippy::expect_used, reason = "the builder is for tests and benches, where an invalid argument is a bug")]

use std::fmt::Debug;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use commerce_core::Quantity;
use commerce_core::actor::{Actor, Role};
use commerce_core::address::Address;
use commerce_core::cart::{Cart, CartItem, CartStatus};
use commerce_core::catalog::{Category, Product, Variant};
use commerce_core::commit::{Commit, IdempotencyKey, IdempotencyRecord, RecordedReply};
use commerce_core::document::Aggregate;
use commerce_core::event::Recorded;
use commerce_core::ids::{CartId, EventId, ItemId, OrderId, OrderNumber, PaymentId, RefundId, ReturnId, Sku, UserId};
use commerce_core::metadata::Metadata;
use commerce_core::money::{Currency, Money};
use commerce_core::order::{
    Command, Context, Lifecycle, NewOrder, Order, OrderDetails, OrderEvent, OrderItem, OrderRejection, ReturnLine,
    ReturnRequest, ShipmentStatus, ShipmentUpdate, decide, place,
};
use commerce_core::port::IdGenerator;
use commerce_core::pricing::Adjustment;
use commerce_core::promotion::Limits;
use commerce_core::stock::{StockAction, StockMove};
use uuid::Uuid;

use crate::{SequentialIds, quote};

/// The currency of all prices of a [`CommitBuilder`].
pub const CURRENCY: Currency = Currency::USD;
/// How long an order of a [`CommitBuilder`] reserves its stock, in seconds.
pub const RESERVATION_SECONDS: i64 = 900;
/// The price of a unit, in minor units.
pub const UNIT_PRICE: i64 = 1250;

/// Builds commits with its own ids and prices and without a store.
///
/// The same seed gives the same commits. Builders with different seeds can work on one store: their ids and order numbers
/// differ.
///
/// ```
/// use commerce_testkit::CommitBuilder;
///
/// let shop = CommitBuilder::new(1);
/// let placed = shop.order(&[("MUG", 2), ("TEA", 1)]);
/// let order = placed.orders[0].order();
/// assert_eq!(order.payment.amount.to_string(), "37.50 USD");
///
/// let paid = shop.pay(order, shop.at(60));
/// assert_eq!(paid.orders[0].order().status.as_str(), "paid");
/// ```
#[derive(Debug)]
pub struct CommitBuilder {
    ids: SequentialIds,
    lifecycle: Lifecycle,
}

/// Parses a text.
///
/// # Panics
/// If the text is invalid.
pub fn parse<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("the text is a valid one of its type")
}

/// A quantity.
///
/// # Panics
/// If the count is not positive or too large.
pub fn units(count: i64) -> Quantity {
    Quantity::new(count).expect("the number is a quantity")
}

/// The only order of a commit, after its change.
///
/// # Panics
/// If the commit has none.
pub fn order_of(commit: &Commit) -> &Order {
    commit.orders.first().expect("the commit has an order").order()
}

impl CommitBuilder {
    /// A builder with the standard lifecycle.
    pub fn new(seed: u32) -> Self {
        Self::with_lifecycle(seed, Lifecycle::standard())
    }

    /// A builder with another lifecycle.
    pub const fn with_lifecycle(seed: u32, lifecycle: Lifecycle) -> Self {
        Self { ids: SequentialIds::new(seed), lifecycle }
    }

    /// The instant some seconds after noon of 1 March 2026.
    ///
    /// # Panics
    /// If the instant is out of range.
    pub fn at(&self, seconds: i64) -> DateTime<Utc> {
        let opening = DateTime::from_timestamp(1_772_366_400, 0).expect("the opening is in the calendar");
        opening.checked_add_signed(TimeDelta::seconds(seconds)).expect("the instant is in the calendar")
    }

    /// The lifecycle of the orders.
    pub const fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }

    /// A new UUID.
    pub fn uuid(&self) -> Uuid {
        self.ids.next()
    }

    /// An empty commit.
    pub fn commit(&self, at: DateTime<Utc>) -> Commit {
        Commit::new(at, Actor::SYSTEM, self.uuid())
    }

    /// A commit with one stock move.
    ///
    /// # Panics
    /// If the SKU is invalid.
    pub fn moves(&self, sku: &str, action: StockAction, at: DateTime<Utc>) -> Commit {
        let mut commit = self.commit(at);
        commit.stock.push(StockMove { sku: parse(sku), action });
        commit
    }

    /// Sets the units on hand of some SKUs, at second 0.
    ///
    /// # Panics
    /// If a SKU is invalid.
    pub fn stocked(&self, levels: &[(&str, i64)]) -> Commit {
        let mut commit = self.commit(self.at(0));
        commit.stock.extend(levels.iter().map(|(sku, on_hand)| StockMove {
            sku: parse(sku),
            action: StockAction::Set { on_hand: *on_hand, reorder_threshold: None, expected: None },
        }));
        commit
    }

    /// An idempotency record for a key.
    pub fn idempotency_record(
        &self,
        key: &str,
        fingerprint: &str,
        reply: &str,
        at: DateTime<Utc>,
    ) -> IdempotencyRecord {
        let key = IdempotencyKey { scope: "user-1 POST /orders".into(), key: key.into() };
        IdempotencyRecord { key, fingerprint: fingerprint.into(), reply: RecordedReply::Text(reply.into()), at }
    }

    /// An order by `user-1`: units of SKUs at [`UNIT_PRICE`] each, reserved for [`RESERVATION_SECONDS`].
    ///
    /// # Panics
    /// If a SKU or a number of units is invalid.
    pub fn new_order(&self, lines: &[(&str, i64)], at: DateTime<Utc>) -> NewOrder {
        let items: Vec<_> = lines.iter().map(|(sku, count)| self.item(parse(sku), units(*count))).collect();
        self.new_order_of(&items, at)
    }

    /// An order of the given items.
    pub fn new_order_of(&self, items: &[OrderItem], at: DateTime<Utc>) -> NewOrder {
        let quote = quote::plain(items);
        NewOrder {
            id: OrderId::new(self.uuid()),
            number: self.number(at),
            payment: PaymentId::new(self.uuid()),
            user_id: parse("user-1"),
            cart_id: None,
            quote,
            shipping_method: parse("standard"),
            details: OrderDetails::new(address()),
            reserved_until: at + TimeDelta::seconds(RESERVATION_SECONDS),
        }
    }

    /// An item of an order.
    pub fn item(&self, sku: Sku, quantity: Quantity) -> OrderItem {
        let product_id = parse(sku.as_str());
        let unit_price = Money::new(UNIT_PRICE, CURRENCY);
        let (id, name) = (ItemId::new(self.uuid()), parse("A thing"));
        OrderItem { id, sku, product_id, name, quantity, unit_price, metadata: Metadata::default() }
    }

    /// An unused order number.
    pub fn number(&self, at: DateTime<Utc>) -> OrderNumber {
        let (milliseconds_and_version, seed) = self.uuid().as_u64_pair();
        OrderNumber::new(at.date_naive(), (milliseconds_and_version >> 16) & 0xfff_ffff | seed << 28, 12)
    }

    /// Places an order.
    ///
    /// # Panics
    /// If the order is refused.
    pub fn place(&self, new_order: NewOrder, at: DateTime<Utc>) -> Commit {
        let context = self.context(Actor::user(Role::Customer, new_order.user_id.clone()), at);
        let unlimited = |applied: Adjustment<'_>| (applied.promotion_id.clone(), Limits::default());
        let limits = new_order.quote.applied().map(unlimited).collect();
        let events = place(&self.lifecycle, &context, new_order).expect("the order can be placed");
        let recorded = self.recorded(1, events, &context);
        let mut commit = Commit::new(at, context.actor, self.uuid());
        commit.place(recorded, &limits).expect("the decider's events begin an order");
        commit
    }

    /// Places an order of units of SKUs at second 1.
    ///
    /// # Panics
    /// If a SKU or a number of units is invalid.
    pub fn order(&self, lines: &[(&str, i64)]) -> Commit {
        let at = self.at(1);
        self.place(self.new_order(lines, at), at)
    }

    /// Places an order like a checkout: three lines, three guarded moves, an idempotency record, an event and a task. The n-th
    /// order takes the next three SKUs of the list.
    ///
    /// # Panics
    /// If there are fewer than three SKUs.
    pub fn checkout(&self, n: usize, skus: &[Sku]) -> Commit {
        assert!(skus.len() >= 3, "an order has three lines");
        let at = self.at(1);
        let chosen = skus.iter().cycle().skip(n.wrapping_mul(3) % skus.len()).take(3);
        let items = chosen.map(|sku| self.item(sku.clone(), Quantity::ONE)).collect::<Vec<_>>();
        let mut commit = self.place(self.new_order_of(&items, at), at);
        let key = order_of(&commit).id.to_string();
        commit.idempotency = Some(self.idempotency_record(&key, "b7a1d5c2", "{\"status\":\"pending\"}", at));
        commit
    }

    /// The commit of a command.
    ///
    /// # Errors
    /// The decider rejects the command.
    ///
    /// # Panics
    /// If the events cannot be applied to the order.
    pub fn decide(
        &self,
        order: &Order,
        role: Role,
        command: Command,
        at: DateTime<Utc>,
    ) -> Result<Commit, OrderRejection> {
        let actor = if role == Role::System { Actor::SYSTEM } else { Actor::user(role, order.user_id.clone()) };
        let context = self.context(actor, at);
        let events = decide(&self.lifecycle, &context, order, command)?;
        let recorded = self.recorded(order.version + 1, events, &context);
        let mut commit = Commit::new(at, context.actor, self.uuid());
        commit.record(order.clone(), recorded).expect("the decider's events continue the order");
        Ok(commit)
    }

    /// Captures the full payment of an order.
    ///
    /// # Panics
    /// If it cannot be paid.
    pub fn pay(&self, order: &Order, at: DateTime<Utc>) -> Commit {
        let command = Command::Capture { amount: order.payment.amount, reference: Some(parse("ch_1")) };
        self.decide(order, Role::System, command, at).expect("the order can be paid")
    }

    /// Sets the status of the shipment.
    ///
    /// # Panics
    /// If it cannot be shipped.
    pub fn ship(&self, order: &Order, status: ShipmentStatus, at: DateTime<Utc>) -> Commit {
        let tracking_number = Some(parse("TRACK-1"));
        let (provider, method, status) = (parse("Post"), parse("parcel"), Some(status));
        let update = ShipmentUpdate { provider, method, tracking_number, status };
        self.decide(order, Role::Service, Command::UpdateShipment(update), at).expect("the order can be shipped")
    }

    /// Cancels an order.
    ///
    /// # Panics
    /// If it cannot be cancelled.
    pub fn cancel(&self, order: &Order, at: DateTime<Utc>) -> Commit {
        let command = Command::Cancel { reason: Some(parse("changed my mind")) };
        self.decide(order, Role::Admin, command, at).expect("the order can be cancelled")
    }

    /// Requests a return of units of an order's first line.
    ///
    /// # Panics
    /// If the units cannot be returned.
    pub fn request_return(&self, order: &Order, count: i64, at: DateTime<Utc>) -> Commit {
        let item = order.items().next().expect("an order has an item").id;
        let lines = vec![ReturnLine { item, quantity: units(count) }];
        let request = ReturnRequest { id: ReturnId::new(self.uuid()), lines, reason: None };
        self.decide(order, Role::Support, Command::RequestReturn(request), at).expect("the units can be returned")
    }

    /// An empty, active cart.
    pub fn cart(&self, user: UserId, at: DateTime<Utc>) -> Cart {
        Cart::open(CartId::new(self.uuid()), user, CURRENCY, at, TimeDelta::days(7))
    }

    /// An item of a cart.
    ///
    /// # Panics
    /// If the SKU is invalid.
    pub fn cart_item(&self, sku: &str, quantity: Quantity) -> CartItem {
        self.item(parse(sku), quantity)
    }

    /// Creates a document.
    pub fn create<T: Aggregate + Clone>(&self, document: &T) -> Commit {
        let mut commit = self.commit(document.created_at());
        commit.change(None, document.clone());
        commit
    }

    /// Replaces a document.
    pub fn update<T: Aggregate + Clone>(&self, before: &T, after: &T) -> Commit {
        let mut commit = self.commit(after.created_at());
        commit.change(Some(before), after.clone());
        commit
    }

    /// A cart that was checked out with an order.
    pub fn checked_out(&self, cart: &Cart, order: OrderId, at: DateTime<Utc>) -> Cart {
        let mut closed = cart.clone();
        closed.status = CartStatus::CheckedOut;
        closed.order = Some(order);
        closed.updated_at = at;
        closed.version += 1;
        closed
    }

    /// A product with one variant per SKU, created at second 0.
    ///
    /// # Panics
    /// If an id is invalid.
    pub fn product(&self, id: &str, skus: &[&str]) -> Product {
        let price = Money::new(UNIT_PRICE, CURRENCY);
        let variant = |sku: &&str| Variant::new(parse(sku), price);
        Product {
            id: parse(id),
            name: parse("A thing"),
            description: None,
            categories: Vec::new(),
            active: true,
            variants: skus.iter().map(variant).collect(),
            metadata: Metadata::default(),
            version: 1,
            created_at: self.at(0),
            updated_at: self.at(0),
        }
    }

    /// A category created at second 0.
    ///
    /// # Panics
    /// If an argument is invalid.
    pub fn category(&self, id: &str, name: &str, parent: Option<&str>) -> Category {
        let at = self.at(0);
        let parent = parent.map(parse);
        Category { id: parse(id), name: parse(name), parent, version: 1, created_at: at, updated_at: at }
    }

    fn context(&self, actor: Actor, at: DateTime<Utc>) -> Context {
        Context { actor, at, refund: RefundId::new(self.uuid()) }
    }

    fn recorded(&self, first: u64, events: Vec<OrderEvent>, context: &Context) -> Vec<Recorded<OrderEvent>> {
        let record = |(sequence, event)| {
            let id = EventId::new(self.uuid());
            Recorded { id, sequence, at: context.at, actor: context.actor.clone(), trace: None, event }
        };
        (first..).zip(events).map(record).collect()
    }
}

/// An address with all fields.
///
/// # Panics
/// Never.
pub fn address() -> Address {
    let mut address = Address::new(parse("12 St James's Square"), parse("London"), parse("SW1Y 4JH"), parse("GB"));
    (address.name, address.line2) = (Some(parse("Ada Lovelace")), Some(parse("Second floor")));
    address
}
