//! Payments of a shop that two processes serve, each with connections of its own. Both call one payment processor.

use std::env;
use std::sync::Arc;

use commerce_core::actor::{Actor, Role};
use commerce_core::catalog::Variant;
use commerce_core::engine::{
    Engine, EngineError, ImportRow, ItemRequest, PlaceOrderRequest, ProductInput, Target, TaskOutcome, TaskRun,
};
use commerce_core::ids::PaymentId;
use commerce_core::order::{Command, Order, OrderDetails, OrderRejection, Phase, RefundOf, UnpaidLimits};
use commerce_core::port::{OrderRef, Processor as _, Store, Webhook};
use commerce_core::replay;
use commerce_core::settings::Settings;
use commerce_testkit::commit_builder::{CURRENCY, address, parse, units};
use commerce_testkit::{FakeProcessor, ProcessorBehavior};

/// How many refunds are asked for at once.
const REFUNDS: usize = 200;
/// How many webhooks meet a confirmation, unless `COMMERCE_TEST_MEETINGS` says so.
const MEETINGS: usize = 50;

#[derive(Clone)]
struct Shop {
    processes: [Engine; 2],
    processor: Arc<FakeProcessor>,
}

fn ann() -> Actor {
    Actor::user(Role::Customer, parse("ann"))
}

fn admin() -> Actor {
    Actor::user(Role::Admin, parse("root"))
}

impl Shop {
    async fn open<S: Store + Clone + 'static>(stores: &[S; 2]) -> Self {
        let processor = Arc::new(FakeProcessor::new());
        let mut settings = Settings::new(CURRENCY);
        settings.unpaid = UnpaidLimits::NONE;
        let processes = stores
            .each_ref()
            .map(|store| Engine::builder(settings.clone(), Arc::new(store.clone()), processor.clone()).build());
        let product = ProductInput::new(parse("MUG"), vec![Variant::new(parse("MUG"), parse("100.00 USD"))]);
        let mugs = ImportRow { id: parse("MUG"), product, on_hand: vec![10_000] };
        processes[0].import(&admin(), &[mugs]).await.unwrap();
        Self { processes, processor }
    }

    async fn place(&self) -> Order {
        let items = vec![ItemRequest::sku(parse("MUG"), units(1))];
        let request = PlaceOrderRequest::new(items, OrderDetails::new(address()));
        self.processes[0].place_order(&ann(), &request, None).await.unwrap().into_fresh().unwrap()
    }

    async fn pay(&self, order: &Order) {
        let ann = ann();
        let paying = self.processes[0].confirm_payment(&ann, order.payment.id, "tok".into(), None);
        Box::pin(paying).await.unwrap();
    }

    async fn work(&self, process: usize) {
        let finished = |run: &TaskRun| run.outcome == TaskOutcome::Finished;
        while Box::pin(self.processes[process].run_due_tasks(10)).await.unwrap().iter().any(finished) {}
    }

    /// Waits until a payment is known to the processor, and tells the second process what happened after a cursor.
    async fn hear(&self, payment: PaymentId, after: Option<String>) -> Option<String> {
        while !self.processor.books().contains_key(&payment) {
            tokio::task::yield_now().await;
        }
        self.processor.be(ProcessorBehavior::Answers);
        let page = self.processor.list(after.as_deref()).await.unwrap();
        let at = self.processes[1].now();
        let (signature, body) = FakeProcessor::webhook(at, &page.events);
        let webhook = Webhook { headers: &[("x-signature", &signature)], body: &body, at };
        self.processes[1].receive_webhook("fake", &webhook).await.unwrap();
        self.work(1).await;
        page.next
    }

    /// The order as its customer sees it, which agrees with the books of the processor.
    async fn settled(&self, order: &Order) -> Order {
        let order = self.processes[1].order(&admin(), &OrderRef::Id(order.id)).await.unwrap();
        let books = &self.processor.books()[&order.payment.id];
        let sums = [order.payment.captured.minor(), order.payment.refunded.minor()];
        assert_eq!(sums, [books.captured(), books.refunded()]);
        order
    }
}

async fn verify(shop: &Shop, store: &impl Store) {
    let report = replay::verify(store, shop.processes[0].now(), |_| ()).await.unwrap();
    assert!(report.is_identical(), "{:?}", report.differences);
}

/// 200 refunds of 60 on a payment of 100, asked for at both processes.
pub(crate) async fn of_many_refunds_at_once_one_is_paid<S: Store + Clone + 'static>(stores: [S; 2]) {
    let shop = Shop::open(&stores).await;
    let order = shop.place().await;
    shop.pay(&order).await;
    let refund = |number: usize| {
        let (engine, order) = (shop.processes[number % 2].clone(), OrderRef::Id(order.id));
        let command = Command::Refund { of: RefundOf::Amount(parse("60.00 USD")), reason: None };
        tokio::spawn(async move { engine.command(&admin(), Target::any(&order), command, None).await })
    };
    let asked: Vec<_> = (0..REFUNDS).map(refund).collect();
    let mut accepted = 0;
    for answer in asked {
        match answer.await.unwrap() {
            Ok(_) => accepted += 1,
            Err(error) => assert!(matches!(error, EngineError::Order(OrderRejection::RefundAmount { .. })), "{error}"),
        }
    }
    tokio::join!(shop.work(0), shop.work(1));
    let settled = shop.settled(&order).await;
    assert_eq!((accepted, settled.refunds.len(), settled.payment.refunded), (1, 1, parse("60.00 USD")));
    verify(&shop, &stores[0]).await;
}

/// The customer's process gets the answer of the processor while the other one gets its webhook. Sometimes the answer is lost.
pub(crate) async fn a_webhook_and_a_confirmation_at_once_are_one_capture<S: Store + Clone + 'static>(stores: [S; 2]) {
    let shop = Shop::open(&stores).await;
    let meetings = env::var("COMMERCE_TEST_MEETINGS").map_or(MEETINGS, |count| count.parse().unwrap());
    let mut cursor = None;
    for number in 0..meetings {
        let order = shop.place().await;
        let loses = number % 5 == 4;
        shop.processor.be(if loses { ProcessorBehavior::LosesAnswers } else { ProcessorBehavior::Answers });
        let (confirming, hearing) = (shop.clone(), shop.clone());
        let payment = order.payment.id;
        let confirmed = tokio::spawn(async move {
            let ann = ann();
            Box::pin(confirming.processes[0].confirm_payment(&ann, payment, "tok".into(), None)).await.is_ok()
        });
        let heard = tokio::spawn(async move { hearing.hear(payment, cursor).await });
        assert_eq!(confirmed.await.unwrap(), !loses);
        cursor = heard.await.unwrap();
        let paid = shop.settled(&order).await;
        assert_eq!((paid.phase, paid.payment.captured), (Phase::Paid, paid.payment.amount));
        let view = shop.processes[0].payment(&ann(), payment).await.unwrap();
        assert_eq!(view.payment.map(|payment| payment.operations.len()), Some(1));
    }
    verify(&shop, &stores[1]).await;
}
