//! The shop in which a history happens.

use std::fmt::Display;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use commerce_core::actor::{Actor, Role};
use commerce_core::catalog::Variant;
use commerce_core::document::{DocumentFilter, DocumentKind};
use commerce_core::engine::{
    Engine, EngineError, ImportRow, ItemRequest, PlaceOrderRequest, ProductInput, Target, TaskOutcome, TaskRun,
};
use commerce_core::ids::{OperationId, PaymentId};
use commerce_core::money::Money;
use commerce_core::order::{Command, Order, OrderDetails, RefundOf};
use commerce_core::payment::{OperationAnswer, OperationKind};
use commerce_core::port::{Clock as _, OrderRef, PageRequest, ProcessorEvent, Store as _, Webhook};
use commerce_core::replay;
use commerce_core::settings::{Settings, ShippingMethod};
use commerce_testkit::commit_builder::{CURRENCY, address, parse, units};
use commerce_testkit::{FaultInjector, ManualClock, MemoryStore, SequentialIds};

use crate::processor::{Scripted, answer};
use crate::table::{Call, Deed, Step, Word};

pub(crate) struct Shop {
    engine: Engine,
    pub(crate) store: FaultInjector<MemoryStore>,
    clock: Arc<ManualClock>,
    pub(crate) processor: Arc<Scripted>,
    order: Order,
}

fn ann() -> Actor {
    Actor::user(Role::Customer, parse("ann"))
}

fn admin() -> Actor {
    Actor::user(Role::Admin, parse("root"))
}

impl Shop {
    /// A shop with ten mugs, and an order of one of them.
    pub(crate) async fn open(truth: &'static [Word]) -> Self {
        let store = FaultInjector::new(MemoryStore::new(), 1);
        let processor = Arc::new(Scripted::new(truth));
        let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(1_772_366_400, 0).expect("a time")));
        let mut settings = Settings::new(CURRENCY);
        settings.shipping_methods = vec![ShippingMethod::new(parse("standard"), parse("0.00 USD"))];
        let engine = Engine::builder(settings, Arc::new(store.clone()), processor.clone())
            .clock(clock.clone())
            .ids(Arc::new(SequentialIds::new(1)))
            .build();
        let product = ProductInput::new(parse("MUG"), vec![Variant::new(parse("MUG"), parse("100.00 USD"))]);
        let row = ImportRow { id: parse("MUG"), product, on_hand: vec![10] };
        engine.import(&admin(), &[row]).await.expect("the mugs are good");
        let items = vec![ItemRequest::sku(parse("MUG"), units(1))];
        let mut request = PlaceOrderRequest::new(items, OrderDetails::new(address()));
        request.shipping_method = Some(parse("standard"));
        let placed = engine.place_order(&ann(), &request, None).await.expect("the order can be placed");
        let order = placed.into_fresh().expect("it is new");
        Self { engine, store, clock, processor, order }
    }

    pub(crate) async fn deed(&self, deed: Deed) {
        match deed {
            Deed::Pay(word) => {
                self.processor.say(self.processor.sent().len(), word);
                self.call(Call::Confirm).await;
            }
            Deed::Receive => {
                let received = Command::Transition { status: parse("paid"), reason: None };
                self.command(&admin(), received).await.expect("staff can record a payment");
            }
            Deed::Refund(amount) => {
                let refund = Command::Refund { of: RefundOf::Amount(parse(amount)), reason: None };
                self.command(&admin(), refund).await.expect("it can be refunded");
            }
            Deed::Cancel => {
                self.command(&ann(), Command::Cancel { reason: None }).await.expect("it can be cancelled");
            }
            Deed::Wait(seconds) => self.wait(seconds).await,
        }
    }

    /// Calls the processor. Its answer may be lost.
    pub(crate) async fn call(&self, call: Call) {
        match call {
            Call::Confirm => {
                let ann = ann();
                let confirmed = self.engine.confirm_payment(&ann, self.payment(), "tok".into(), None);
                drop(Box::pin(confirmed).await);
            }
            Call::Task => self.wait(5).await,
        }
    }

    /// `number` distinguishes the steps: a step that happens twice has one event.
    pub(crate) async fn step(&self, number: usize, step: Step) {
        match step {
            Step::Told(operation, word) => self.tell(number, operation, word, true).await,
            Step::Named(operation, word) => self.tell(number, operation, word, false).await,
            Step::Disputed(word) => {
                let amount = parse("100.00 USD");
                let answer = OperationAnswer { reference: Some(parse("dispute")), ..said(0, amount, word) };
                self.hear(number, (None, None), (OperationKind::Dispute, amount), answer).await;
                self.work().await;
            }
            // It may be cancelled already.
            Step::Cancel => drop(self.command(&ann(), Command::Cancel { reason: None }).await),
            Step::Wait(seconds) => self.wait(seconds).await,
        }
    }

    async fn tell(&self, number: usize, operation: usize, word: Word, with_our_ids: bool) {
        self.receive(number, operation, word, with_our_ids).await;
        self.work().await;
    }

    /// Receives a webhook, and leaves the rest to its task.
    pub(crate) async fn receive(&self, number: usize, operation: usize, word: Word, with_our_ids: bool) {
        let request = self.processor.sent()[operation].clone();
        let ids = (with_our_ids.then(|| self.payment()), with_our_ids.then_some(request.id));
        let answer = said(operation, request.amount, word);
        self.hear(number, ids, (request.action.kind(), request.amount), answer).await;
    }

    async fn hear(
        &self,
        number: usize,
        (payment, operation): (Option<PaymentId>, Option<OperationId>),
        (kind, amount): (OperationKind, Money),
        answer: OperationAnswer,
    ) {
        let id = parse(&format!("event-{number}"));
        let event = ProcessorEvent { id, at: DateTime::UNIX_EPOCH, payment, operation, kind, amount, answer };
        let body = serde_json::to_vec(&[event]).expect("events are JSON");
        let webhook = Webhook { headers: &[], body: &body, at: self.clock.now() };
        self.engine.receive_webhook("scripted", &webhook).await.expect("it is believed");
    }

    async fn command(&self, caller: &Actor, command: Command) -> Result<(), EngineError> {
        let order = OrderRef::Id(self.order.id);
        self.engine.command(caller, Target::any(&order), command, None).await.map(drop)
    }

    pub(crate) async fn wait(&self, seconds: i64) {
        self.pass(seconds);
        self.work().await;
    }

    /// Lets time pass, while nobody does tasks.
    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    /// Does tasks until none is due that can be done, or the store fails.
    pub(crate) async fn work(&self) {
        let finished = |run: &TaskRun| run.outcome == TaskOutcome::Finished;
        while Box::pin(self.engine.run_due_tasks(1)).await.is_ok_and(|runs| runs.iter().any(finished)) {}
    }

    fn payment(&self) -> PaymentId {
        self.order.payment.id
    }

    /// What customer and staff see in the end. The number of declines limits the payments of an unpaid order, and means nothing later.
    pub(crate) async fn end(&self) -> String {
        let report =
            replay::verify(self.store.inner(), self.clock.now(), |_| ()).await.expect("the history can be read");
        assert!(report.is_identical(), "the history makes other tables: {:?}", report.differences);
        let view = self.engine.payment(&admin(), self.payment()).await.expect("the payment is there");
        let (order, payment) = (view.order, view.payment.expect("it has operations"));
        assert_eq!(payment.ask_at, None, "nothing is left to ask");
        self.all_events_are_processed().await;
        let declined = Some(order.payment.declined).filter(|_| order.payment.captured.is_zero());
        let declined = declined.map_or_else(String::new, |count| format!("{count} declined; "));
        let refunds = sorted(order.refunds.iter().map(|refund| format!("{:?} {}", refund.status, refund.amount)));
        let operations = payment.operations.iter();
        let operations = sorted(operations.map(|known| format!("{} {} {}", known.kind, known.state, known.amount)));
        format!(
            "{:?}, {:?}: {} taken, {} paid back; {declined}refunds: {refunds}; operations: {operations}; available {}; {} sent",
            order.phase,
            order.payment.status,
            order.payment.captured,
            order.payment.refunded,
            self.engine.stock(&admin(), &parse("MUG")).await.expect("it is stocked").available(),
            self.processor.sent().len(),
        )
    }

    async fn all_events_are_processed(&self) {
        let (all, first) = (DocumentFilter::default(), PageRequest { limit: 100, after: None });
        let events = self.store.documents(DocumentKind::ProcessorEvent, &all, &first).await.expect("they can be read");
        for event in events.items {
            assert!(format!("{event:?}").contains("Processed"), "{event:?}");
        }
    }
}

fn said(operation: usize, amount: Money, word: Word) -> OperationAnswer {
    answer(operation, amount, word).expect("an event says something")
}

fn sorted(items: impl Iterator<Item = impl Display>) -> String {
    let mut items: Vec<_> = items.map(|item| item.to_string()).collect();
    items.sort();
    items.join(", ")
}
