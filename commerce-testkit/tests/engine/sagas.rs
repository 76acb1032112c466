//! Every step of every saga fails once, and runs twice. The end is as if nothing had happened.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use commerce_core::actor::Actor;
use commerce_core::catalog::Variant;
use commerce_core::engine::{
    Engine, EngineError, ImportRow, ItemRequest, PlaceOrderRequest, ProductInput, Reply, Target,
};
use commerce_core::ids::OrderId;
use commerce_core::order::{Command, Order, OrderDetails, ReturnLine, ReturnRequest, ShipmentStatus, ShipmentUpdate};
use commerce_core::port::{Clock, OrderRef};
use commerce_core::settings::Settings;
use commerce_testkit::commit_builder::{CURRENCY, address, parse, units};
use commerce_testkit::{
    FakeProcessor, Fault, FaultInjector, ManualClock, MemoryStore, ProcessorBehavior, SequentialIds,
};

use crate::shopfront::{admin, customer, idempotency};

/// What somebody does. It can be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Place,
    Pay,
    Decline,
    Ship,
    Deliver,
    Cancel,
    RequestReturn,
    ApproveReturn,
    ReceiveReturn,
    /// Minutes go by, and the worker works.
    Wait(i64),
}

use Deed::{ApproveReturn, Cancel, Decline, Deliver, Pay, Place, ReceiveReturn, RequestReturn, Ship, Wait};

const SAGAS: &[(&[Deed], &str)] = &[
    (
        &[Place],
        "running at pay: reserve done (release), pay waiting, ship waiting (restock), notify waiting; 10 on hand, 1 reserved",
    ),
    (
        &[Place, Decline],
        "running at pay: reserve done (release), pay failed, ship waiting (restock), notify waiting; 10 on hand, 1 reserved",
    ),
    (
        &[Place, Decline, Pay],
        "running at ship: reserve done (release), pay done (refund), ship running (restock), notify waiting; \
         10 on hand, 1 reserved",
    ),
    (
        &[Place, Pay, Ship, Deliver],
        "completed: reserve done (restock), pay done (refund), ship done (restock), notify done; 9 on hand, 0 reserved",
    ),
    (
        &[Place, Cancel],
        "compensated: reserve compensated (release), pay skipped, ship skipped, notify skipped; 10 on hand, 0 reserved",
    ),
    (
        &[Place, Wait(31)],
        "compensated: reserve compensated (release), pay skipped, ship skipped, notify skipped; 10 on hand, 0 reserved",
    ),
    (
        &[Place, Pay, Cancel, Wait(1)],
        "compensated: reserve compensated (release), pay compensated (refund), ship skipped, notify skipped; \
         10 on hand, 0 reserved",
    ),
    (
        &[Place, Pay, Ship, Deliver, RequestReturn, ApproveReturn, ReceiveReturn, Wait(1)],
        "compensated: reserve compensated (restock), pay compensated (refund), ship compensated (restock), notify done; \
         10 on hand, 0 reserved",
    ),
];

/// What goes wrong at one deed. It is then done again.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    None,
    /// The call of the store with this number fails.
    Store(usize, Fault),
    Processor(ProcessorBehavior),
}

struct Shop {
    engine: Engine,
    store: Arc<FaultInjector<MemoryStore>>,
    processor: Arc<FakeProcessor>,
    clock: Arc<ManualClock>,
}

#[tokio::test]
async fn every_step_of_every_saga_fails_once_and_runs_twice() {
    for (deeds, end) in SAGAS {
        assert_eq!(run(deeds, usize::MAX, Trouble::None).await.0, *end, "{deeds:?}");
        for place in 0..deeds.len() {
            let check = async |trouble| {
                let (found, struck) = run(deeds, place, trouble).await;
                assert_eq!(found, *end, "{deeds:?}: {trouble:?} at {:?}", deeds[place]);
                struck
            };
            check(Trouble::None).await;
            for behavior in [
                ProcessorBehavior::Unavailable,
                ProcessorBehavior::LosesRequests,
                ProcessorBehavior::LosesAnswers,
                ProcessorBehavior::Hesitates,
            ] {
                check(Trouble::Processor(behavior)).await;
            }
            for fault in [Fault::Refused, Fault::Lost] {
                let mut call = 0;
                while check(Trouble::Store(call, fault)).await {
                    call += 1;
                }
                assert!(call > 0, "{:?} calls the store", deeds[place]);
            }
        }
    }
}

/// Does everything once, and what is at `place` twice, the first time with trouble. Returns the end, and whether the trouble came.
async fn run(deeds: &[Deed], place: usize, trouble: Trouble) -> (String, bool) {
    let shop = Shop::open().await;
    let (mut order, mut struck) = (None, true);
    for (number, deed) in deeds.iter().enumerate() {
        if number == place {
            struck = shop.fail(&mut order, *deed, trouble).await;
        }
        shop.succeed(&mut order, *deed).await;
    }
    (shop.end(&order.expect("it was placed")).await, struck)
}

impl Shop {
    async fn open() -> Self {
        let store = Arc::new(FaultInjector::new(MemoryStore::new(), 1));
        let processor = Arc::new(FakeProcessor::new());
        let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(1_772_366_400, 0).expect("an instant")));
        let engine = Engine::builder(Settings::new(CURRENCY), store.clone(), processor.clone())
            .clock(clock.clone())
            .ids(Arc::new(SequentialIds::new(1)))
            .build();
        let mug = ProductInput::new(parse("Mug"), vec![Variant::new(parse("MUG"), parse("100.00 USD"))]);
        let row = ImportRow { id: parse("mug"), product: mug, on_hand: vec![10] };
        engine.import(&admin(), &[row]).await.expect("the product is good");
        Self { engine, store, processor, clock }
    }

    /// Does something in trouble. Whether it succeeds does not matter.
    async fn fail(&self, order: &mut Option<Order>, deed: Deed, trouble: Trouble) -> bool {
        match trouble {
            Trouble::None => {}
            Trouble::Store(call, fault) => self.store.strike(call, fault),
            Trouble::Processor(behavior) => self.processor.be(behavior),
        }
        drop(self.do_it(order, deed).await);
        self.processor.be(ProcessorBehavior::Answers);
        !self.store.relent()
    }

    /// What was done before may be refused now. A payment that is open is asked about.
    async fn succeed(&self, order: &mut Option<Order>, deed: Deed) {
        match self.do_it(order, deed).await {
            Ok(()) | Err(EngineError::Order(_) | EngineError::VersionMismatch { .. }) => {}
            Err(error) => panic!("{deed:?}: {error:?}"),
        }
        self.work(&[TimeDelta::zero(), TimeDelta::seconds(65)]).await;
    }

    async fn work(&self, pauses: &[TimeDelta]) {
        for pause in pauses {
            self.clock.advance(*pause);
            while self.engine.run_due_tasks(10).await.is_ok_and(|runs| !runs.is_empty()) {}
        }
    }

    async fn do_it(&self, order: &mut Option<Order>, deed: Deed) -> Result<(), EngineError> {
        let Some(placed) = order else {
            *order = Some(self.place().await?);
            return Ok(());
        };
        let returned = parse("01890000-0000-7000-8000-000000000001");
        match deed {
            Place => self.place().await.map(drop),
            Pay => self.pay(placed).await,
            Decline => {
                self.processor.be(ProcessorBehavior::Declines);
                let declined = self.pay(placed).await;
                self.processor.be(ProcessorBehavior::Answers);
                declined
            }
            Ship => self.command(placed, shipment(ShipmentStatus::Shipped)).await,
            Deliver => self.command(placed, shipment(ShipmentStatus::Delivered)).await,
            Cancel => self.command(placed, Command::Cancel { reason: None }).await,
            RequestReturn => {
                let lines = vec![ReturnLine { item: placed.lines()[0].item.id, quantity: units(1) }];
                self.command(placed, Command::RequestReturn(ReturnRequest { id: returned, lines, reason: None })).await
            }
            ApproveReturn => self.command(placed, Command::ApproveReturn(returned)).await,
            ReceiveReturn => self.command(placed, Command::ReceiveReturn(returned)).await,
            Wait(minutes) => {
                self.work(&[TimeDelta::minutes(minutes)]).await;
                Ok(())
            }
        }
    }

    async fn place(&self) -> Result<Order, EngineError> {
        let items = vec![ItemRequest::sku(parse("MUG"), units(1))];
        let request = PlaceOrderRequest::new(items, OrderDetails::new(address()));
        let key = idempotency("order", "the same");
        match self.engine.place_order(&customer("ann"), &request, Some(&key)).await? {
            Reply::Fresh(order) | Reply::Again(order) => Ok(order),
            Reply::Replayed(text) => panic!("an order is recorded by its version: {text}"),
        }
    }

    async fn pay(&self, order: &Order) -> Result<(), EngineError> {
        let paid = self.engine.confirm_payment(&customer("ann"), order.payment.id, "tok".into(), None).await;
        paid.map(drop)
    }

    async fn command(&self, order: &Order, command: Command) -> Result<(), EngineError> {
        let which = OrderRef::Id(order.id);
        self.engine.command(&admin(), Target::any(&which), command, None).await.map(drop)
    }

    /// The saga and the stock; the money is in the processor's books.
    async fn end(&self, order: &Order) -> String {
        let id: OrderId = order.id;
        let view = self.engine.saga(&admin(), &OrderRef::Id(id)).await.expect("it can be seen");
        let books = self.processor.books().remove(&order.payment.id).unwrap_or_default();
        let payment = &view.order.payment;
        assert_eq!((payment.captured.minor(), payment.refunded.minor()), (books.captured(), books.refunded()));
        let steps: Vec<_> = view
            .saga
            .steps
            .iter()
            .map(|report| {
                let undone = report.compensation.map(|undone| format!(" ({undone})")).unwrap_or_default();
                format!("{} {}{undone}", report.step, report.state)
            })
            .collect();
        let at = view.saga.current.map(|step| format!(" at {step}")).unwrap_or_default();
        let stock = self.engine.stock(&Actor::SYSTEM, &parse("MUG")).await.expect("it is stocked");
        let (status, steps) = (view.saga.status, steps.join(", "));
        let (on_hand, reserved) = (stock.on_hand, stock.reserved);
        assert!(self.clock.now() >= view.saga.updated_at);
        format!("{status}{at}: {steps}; {on_hand} on hand, {reserved} reserved")
    }
}

fn shipment(status: ShipmentStatus) -> Command {
    let (provider, method) = (parse("Post"), parse("parcel"));
    Command::UpdateShipment(ShipmentUpdate { provider, method, tracking_number: None, status: Some(status) })
}
