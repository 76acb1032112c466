//! A shop over doubles, and what people do in it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta};
use commerce_core::actor::{Actor, Role};
use commerce_core::cart::CartChange;
use commerce_core::catalog::Variant;
use commerce_core::commit::IdempotencyKey;
use commerce_core::engine::{
    Basket, CartView, CheckoutRequest, CodeCheck, Engine, EngineError, Idempotency, ImportRow, ItemRequest, NewItem,
    PlaceOrderRequest, ProductInput, Reply, Target, TaskOutcome, TaskRun,
};
use commerce_core::event::HistoryEntry;
use commerce_core::ids::{CartId, ReturnId, UserId};
use commerce_core::metadata::Metadata;
use commerce_core::order::{Command, Order, OrderDetails, ReturnLine, ReturnRequest};
use commerce_core::payment::OperationAnswer;
use commerce_core::port::{
    Clock, IdGenerator, OpenedPayment, OperationAction, OperationLookup, OperationRequest, OrderRef, PageRequest,
    PaymentTerms, Processor, ProcessorError, ProcessorEvent, ProcessorEvents, Store, Users, UsersUnavailable, Webhook,
    WebhookRejection,
};
use commerce_core::pricing::{Tax, TaxRate};
use commerce_core::promotion::{Promotion, PromotionDefinition};
use commerce_core::replay;
use commerce_core::settings::{Settings, ShippingMethod};
use commerce_testkit::commit_builder::{CURRENCY, address, parse, units};
use commerce_testkit::{FakeProcessor, ManualClock, MemoryStore, ProcessorBehavior, SequentialIds};

/// A shop over doubles. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Shopfront {
    pub(crate) engine: Engine,
    store: MemoryStore,
    clock: Arc<ManualClock>,
    users: Arc<Everyone>,
    ids: Arc<SequentialIds>,
    pub(crate) processor: Arc<FakeProcessor>,
}

/// Everyone exists but `nobody`.
#[derive(Debug, Default)]
struct Everyone {
    is_down: AtomicBool,
}

#[async_trait]
impl Users for Everyone {
    async fn exists(&self, user: &UserId) -> Result<bool, UsersUnavailable> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(UsersUnavailable("down".into()));
        }
        Ok(user.as_str() != "nobody")
    }
}

/// A processor that does what tokens ask for, and is slow enough for another customer.
#[derive(Clone, Debug, Default)]
struct Teller {
    fake: Arc<FakeProcessor>,
    /// Who buys a unit of a SKU during every authorization.
    during: Option<(Box<Shopfront>, &'static str)>,
}

#[async_trait]
impl Processor for Teller {
    fn name(&self) -> &'static str {
        self.fake.name()
    }

    fn must_open(&self) -> bool {
        self.fake.must_open()
    }

    async fn open(&self, payment: &PaymentTerms) -> Result<OpenedPayment, ProcessorError> {
        self.fake.open(payment).await
    }

    async fn close(&self, payment: &PaymentTerms) -> Result<(), ProcessorError> {
        self.fake.close(payment).await
    }

    async fn perform(&self, request: &OperationRequest) -> Result<OperationAnswer, ProcessorError> {
        if let (Some((shop, sku)), OperationAction::Authorize { .. }) = (&self.during, &request.action) {
            shop.place("bob", &[(sku, 1)]).await.expect("a unit is free");
        }
        let OperationAction::Authorize { token } = &request.action else { return self.fake.perform(request).await };
        self.fake.be(match token.reveal() {
            "tok_declined" => ProcessorBehavior::Declines,
            "tok_pending" => ProcessorBehavior::Hesitates,
            "tok_timeout" => ProcessorBehavior::LosesRequests,
            "tok_timeout_paid" => ProcessorBehavior::LosesAnswers,
            "tok_unavailable" => ProcessorBehavior::Unavailable,
            _ => ProcessorBehavior::Answers,
        });
        let answer = self.fake.perform(request).await;
        self.fake.be(ProcessorBehavior::Answers);
        if let Some((shop, _)) = &self.during {
            let told = shop.engine.pull_events().await.expect("it answers");
            assert_eq!(told, 0, "the answer is on its way");
        }
        answer
    }

    async fn find(&self, lookup: &OperationLookup) -> Result<Option<OperationAnswer>, ProcessorError> {
        self.fake.find(lookup).await
    }

    async fn list(&self, after: Option<&str>) -> Result<ProcessorEvents, ProcessorError> {
        self.fake.list(after).await
    }

    fn read_webhook(&self, webhook: &Webhook<'_>) -> Result<Vec<ProcessorEvent>, WebhookRejection> {
        self.fake.read_webhook(webhook)
    }
}

pub(crate) fn customer(name: &str) -> Actor {
    Actor::user(Role::Customer, parse(name))
}

pub(crate) fn admin() -> Actor {
    Actor::user(Role::Admin, parse("root"))
}

/// A request with a key, answered with the id of the order.
pub(crate) fn idempotency<'a>(key: &str, fingerprint: &str) -> Idempotency<'a, Order> {
    let key = IdempotencyKey { scope: "ann POST /orders".into(), key: key.into() };
    Idempotency { key, fingerprint: fingerprint.into(), reply: &|order| order.id.to_string() }
}

impl Shopfront {
    /// A shop that sells SKUs at a price, with units on hand.
    pub(crate) async fn stocked(goods: &[(&str, &str, i64)]) -> Self {
        Self::open(Settings::new(CURRENCY), goods).await
    }

    /// The same with a shipping fee and a tax on everything.
    pub(crate) async fn with_shipping(goods: &[(&str, &str, i64)], fee: &str, rate: &str) -> Self {
        let standard = ShippingMethod { name: parse("standard"), fee: parse(fee), tax_category: Some(parse("all")) };
        let rates = vec![TaxRate { tax_category: "all".into(), rate: parse(rate) }];
        let tax = Tax { prices_include_tax: false, rates };
        let mut settings = Settings::new(CURRENCY);
        (settings.shipping_methods, settings.tax) = (vec![standard], tax);
        Self::open(settings, goods).await
    }

    pub(crate) async fn open(settings: Settings, goods: &[(&str, &str, i64)]) -> Self {
        let (store, clock) = (MemoryStore::new(), Arc::new(ManualClock::new(opening())));
        let (users, ids) = (Arc::new(Everyone::default()), Arc::new(SequentialIds::new(1)));
        let processor = Arc::new(FakeProcessor::new());
        let teller = Teller { fake: processor.clone(), during: None };
        let engine = Engine::builder(settings, Arc::new(store.clone()), Arc::new(teller))
            .users(users.clone())
            .clock(clock.clone())
            .ids(ids.clone())
            .build();
        let shop = Self { engine, store, clock, users, ids, processor };
        let rows: Vec<_> = goods.iter().map(|(sku, price, on_hand)| import_row(sku, price, *on_hand)).collect();
        shop.engine.import(&admin(), &rows).await.expect("the goods are good");
        shop
    }

    /// The same shop, where another customer buys a unit of a SKU whenever the processor captures a payment. What the processor tells
    /// before its answer arrives is no news.
    pub(crate) fn selling_during_payments(&self, sku: &'static str) -> Self {
        self.paid_through(Arc::new(Teller {
            fake: self.processor.clone(),
            during: Some((Box::new(self.clone()), sku)),
        }))
    }

    /// The same shop, while the processor is down.
    pub(crate) fn without_processor(&self) -> Self {
        let down = FakeProcessor::new();
        down.be(ProcessorBehavior::Unavailable);
        self.paid_through(Arc::new(down))
    }

    /// The same shop, with a processor where payments must be opened.
    pub(crate) fn that_opens_payments(&self) -> Self {
        let processor = Arc::new(FakeProcessor::that_must_open());
        let teller = Teller { fake: processor.clone(), during: None };
        Self { processor, ..self.paid_through(Arc::new(teller)) }
    }

    pub(crate) fn paid_through(&self, processor: Arc<dyn Processor>) -> Self {
        let engine = Engine::builder(Settings::new(CURRENCY), Arc::new(self.store.clone()), processor)
            .clock(self.clock.clone())
            .ids(self.ids.clone())
            .build();
        Self { engine, ..self.clone() }
    }

    /// Changes the price of a SKU.
    pub(crate) async fn sell(&self, sku: &str, price: &str) {
        let saved = self.engine.save_product(&admin(), Target::any(&parse(sku)), &product(sku, price), None).await;
        saved.expect("the product is good");
    }

    /// Promises something.
    pub(crate) async fn promise(&self, definition: PromotionDefinition) {
        let promotion = Promotion::new(CURRENCY, definition).expect("the promotion is one");
        self.engine
            .add_promotion(&admin(), |_| Ok::<_, EngineError>(promotion), None)
            .await
            .expect("the promotion is new");
    }

    pub(crate) async fn uses(&self, promotion: &str) -> u64 {
        let kept = self.engine.promotion(&admin(), &parse(promotion)).await;
        kept.expect("the promotion is kept").usage.used
    }

    pub(crate) async fn add_code(&self, user: &str, cart: CartId, code: &str) -> CartView {
        let view =
            self.engine.change_cart(&customer(user), Target::any(cart), &CartChange::AddCode(parse(code)), None).await;
        new(view.expect("the code can be given"))
    }

    pub(crate) async fn order_with_code(&self, user: &str, sku: &str, code: &str) -> Result<Order, EngineError> {
        let cart = self.open_cart(user).await.cart;
        if cart.items.is_empty() {
            self.add(user, cart.id, sku, 1).await.expect("the item can be added");
        }
        self.add_code(user, cart.id, code).await;
        self.checkout(user, cart.id).await
    }

    pub(crate) async fn check_code(&self, user: &str, sku: &str, code: &str) -> CodeCheck {
        let basket = Basket::Items(vec![(parse(sku), units(1))]);
        let check = self.engine.check_code(&customer(user), &parse(code), &basket).await;
        check.expect("the code can be tried")
    }

    pub(crate) fn wait(&self, time: TimeDelta) {
        self.clock.advance(time);
    }

    pub(crate) fn users_down(&self) {
        self.users.is_down.store(true, Ordering::Relaxed);
    }

    pub(crate) fn return_id(&self) -> ReturnId {
        ReturnId::new(self.ids.next())
    }

    /// Does every task that is due.
    pub(crate) async fn work(&self) {
        let finished = |run: &TaskRun| run.outcome == TaskOutcome::Finished;
        while self.engine.run_due_tasks(10).await.expect("tasks can be read").iter().any(finished) {}
    }

    pub(crate) async fn open_cart(&self, user: &str) -> CartView {
        new(self.engine.open_cart(&customer(user), &Metadata::default(), None).await.expect("a cart can be opened"))
            .view
    }

    pub(crate) async fn add(&self, user: &str, cart: CartId, sku: &str, count: i64) -> Result<CartView, EngineError> {
        let item = NewItem::new(parse(sku), units(count));
        self.engine.add_item(&customer(user), Target::any(cart), item, None).await.map(new)
    }

    pub(crate) async fn filled_cart(&self, user: &str, items: &[(&str, i64)]) -> CartView {
        let mut view = self.open_cart(user).await;
        for (sku, count) in items {
            view = self.add(user, view.cart.id, sku, *count).await.expect("the item can be added");
        }
        view
    }

    pub(crate) async fn checkout(&self, user: &str, cart: CartId) -> Result<Order, EngineError> {
        self.engine.checkout(&customer(user), &checkout_request(cart), None).await.map(new)
    }

    pub(crate) async fn place(&self, user: &str, items: &[(&str, i64)]) -> Result<Order, EngineError> {
        self.engine.place_order(&customer(user), &order_request(items), None).await.map(new)
    }

    pub(crate) async fn pay(&self, user: &str, order: &Order) -> Result<Order, EngineError> {
        self.pay_with(user, order, "tok_ok").await
    }

    pub(crate) async fn pay_with(&self, user: &str, order: &Order, token: &str) -> Result<Order, EngineError> {
        let reply = self.engine.confirm_payment(&customer(user), order.payment.id, token.into(), None).await;
        reply.map(|reply| new(reply).order)
    }

    pub(crate) async fn paid(&self, user: &str, items: &[(&str, i64)]) -> Order {
        let order = self.place(user, items).await.expect("the order can be placed");
        self.pay(user, &order).await.expect("the order can be paid")
    }

    pub(crate) async fn command(&self, caller: &Actor, order: &Order, command: Command) -> Result<Order, EngineError> {
        self.engine.command(caller, Target::any(&OrderRef::Id(order.id)), command, None).await.map(new)
    }

    pub(crate) async fn move_to(&self, order: &Order, status: &str) -> Result<Order, EngineError> {
        self.command(&admin(), order, Command::Transition { status: parse(status), reason: None }).await
    }

    /// Sends units of the first item back, all the way to their receipt.
    pub(crate) async fn send_back(&self, user: &str, order: &Order, count: i64) {
        let id = self.return_id();
        let lines = vec![ReturnLine { item: order.lines()[0].item.id, quantity: units(count) }];
        let request = Command::RequestReturn(ReturnRequest { id, lines, reason: None });
        self.command(&customer(user), order, request).await.expect("the return is possible");
        for step in [Command::ApproveReturn(id), Command::ReceiveReturn(id)] {
            self.command(&admin(), order, step).await.expect("the return goes on");
        }
    }

    pub(crate) async fn order(&self, order: &Order) -> Order {
        self.engine.order(&admin(), &OrderRef::Id(order.id)).await.expect("the order is there")
    }

    pub(crate) async fn available(&self, sku: &str) -> i64 {
        self.engine.stock(&admin(), &parse(sku)).await.expect("the sku is stocked").available()
    }

    /// The history must rebuild the tables.
    pub(crate) async fn verify(&self) {
        let report = replay::verify(&self.store, self.clock.now(), |_| ()).await;
        let report = report.expect("the history can be read");
        assert!(report.differences.is_empty(), "{:?}", report.differences);
        self.no_two_events_have_one_id().await;
    }

    async fn no_two_events_have_one_id(&self) {
        let all = PageRequest { limit: 10_000, after: None };
        let history = self.store.history(&all).await.expect("the history can be read").items;
        let mut known = BTreeSet::new();
        for entry in &history {
            let id = match entry {
                HistoryEntry::Order(_, event) => event.id,
                HistoryEntry::Stock(_, event) => event.id,
                HistoryEntry::Document(_, event) => event.id,
                HistoryEntry::Task(_, event) => event.id,
            };
            assert!(known.insert(id), "{entry:?} has the id of another event");
        }
    }
}

pub(crate) fn checkout_request(cart_id: CartId) -> CheckoutRequest {
    let mut request = CheckoutRequest::new(cart_id, OrderDetails::new(address()));
    request.shipping_method = Some(parse("standard"));
    request
}

pub(crate) fn order_request(items: &[(&str, i64)]) -> PlaceOrderRequest {
    let item = |(sku, count): &(&str, i64)| ItemRequest::sku(parse(sku), units(*count));
    let mut request = PlaceOrderRequest::new(items.iter().map(item).collect(), OrderDetails::new(address()));
    request.shipping_method = Some(parse("standard"));
    request
}

pub(crate) fn import_row(sku: &str, price: &str, on_hand: i64) -> ImportRow {
    ImportRow { id: parse(sku), product: product(sku, price), on_hand: vec![on_hand] }
}

fn product(sku: &str, price: &str) -> ProductInput {
    let mut variant = Variant::new(parse(sku), parse(price));
    variant.tax_category = Some(parse("all"));
    ProductInput::new(parse(sku), vec![variant])
}

fn opening() -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(1_772_366_400, 0).expect("the opening is in the calendar")
}

fn new<T>(reply: Reply<T>) -> T {
    match reply {
        Reply::Fresh(outcome) => outcome,
        Reply::Again(_) | Reply::Replayed(_) => panic!("answered before"),
    }
}
