//! Means of payment that customers save: how many, and what becomes of those that they do not enter.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta};
use commerce_core::engine::{Engine, EngineError, StartedSetup};
use commerce_core::payment::{OperationAnswer, Reference, SavedCard, SavedMethodRejection, SavedMethodState};
use commerce_core::port::{
    OpenedPayment, OperationLookup, OperationRequest, PageRequest, PaymentTerms, PaymentToken, Processor,
    ProcessorError, ProcessorEvent, ProcessorEvents, SavedMeans, Setup, SetupOutcome, SetupRequest, Webhook,
    WebhookRejection,
};
use commerce_core::replay;
use commerce_core::settings::Settings;
use commerce_testkit::commit_builder::{CURRENCY, parse};
use commerce_testkit::{FakeProcessor, FaultInjector, Faults, ManualClock, MemoryStore, SequentialIds};
use tokio::sync::Barrier;

use crate::shopfront::{admin, customer};

/// The maximum that a customer saves.
const MOST: usize = 20;
/// The customers who are at it at the same time.
const AT_ONCE: usize = 30;

/// A processor where customers enter cards when the test says so.
#[derive(Debug)]
struct Counter {
    fake: FakeProcessor,
    entered: Mutex<Option<SavedCard>>,
    forgotten: Mutex<Vec<Reference>>,
    together: Option<Barrier>,
}

#[async_trait]
impl SavedMeans for Counter {
    async fn start_setup(&self, request: &SetupRequest) -> Result<Setup, ProcessorError> {
        if let Some(together) = &self.together {
            together.wait().await;
        }
        let outcome = request.token.as_ref().map_or(SetupOutcome::Pending, |_| SetupOutcome::Saved(card()));
        Ok(Setup { reference: parse(&format!("setup-{}", request.id)), client_secret: None, outcome })
    }

    async fn find_setup(&self, setup: &Reference) -> Result<Setup, ProcessorError> {
        let entered = self.entered.lock().expect("no test panicked").clone();
        let outcome = entered.map_or(SetupOutcome::Pending, SetupOutcome::Saved);
        Ok(Setup { reference: setup.clone(), client_secret: None, outcome })
    }

    async fn forget(&self, saved: &Reference) -> Result<(), ProcessorError> {
        self.forgotten.lock().expect("no test panicked").push(saved.clone());
        Ok(())
    }
}

#[async_trait]
impl Processor for Counter {
    fn name(&self) -> &'static str {
        self.fake.name()
    }

    fn saved_means(&self) -> Option<&dyn SavedMeans> {
        Some(self)
    }

    async fn open(&self, payment: &PaymentTerms) -> Result<OpenedPayment, ProcessorError> {
        self.fake.open(payment).await
    }

    async fn close(&self, payment: &PaymentTerms) -> Result<(), ProcessorError> {
        self.fake.close(payment).await
    }

    async fn perform(&self, request: &OperationRequest) -> Result<OperationAnswer, ProcessorError> {
        self.fake.perform(request).await
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

fn card() -> SavedCard {
    SavedCard { reference: parse("card-1"), brand: parse("visa"), last_four: parse("4242") }
}

struct Shop {
    engine: Engine,
    store: FaultInjector<MemoryStore>,
    processor: Arc<Counter>,
    clock: Arc<ManualClock>,
}

impl Shop {
    fn new(together: Option<Barrier>) -> Self {
        let store = FaultInjector::new(MemoryStore::new(), 1);
        let (entered, forgotten) = (Mutex::default(), Mutex::default());
        let processor = Arc::new(Counter { fake: FakeProcessor::new(), entered, forgotten, together });
        let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(1_772_366_400, 0).expect("an instant")));
        let engine = Engine::builder(Settings::new(CURRENCY), Arc::new(store.clone()), processor.clone())
            .clock(clock.clone())
            .ids(Arc::new(SequentialIds::new(1)))
            .build();
        Self { engine, store, processor, clock }
    }

    async fn save(&self, token: Option<&str>) -> Result<StartedSetup, EngineError> {
        let token = token.map(|token| PaymentToken::new(token.to_owned()));
        let saved = self.engine.save_method(&customer("ann"), token, None).await?;
        Ok(saved.into_fresh().expect("there is no key"))
    }

    /// The states of what the customer has, without asking the processor.
    async fn states(&self) -> Vec<SavedMethodState> {
        let report = replay::verify(self.store.inner(), self.engine.now(), |_| {}).await.expect("the store answers");
        assert!(report.is_identical(), "{:#?}", report.differences);
        let page = PageRequest { limit: 100, after: None };
        let listed = self.engine.saved_methods(&admin(), Some(&parse("ann")), &page).await.expect("they are listed");
        listed.items.iter().map(|method| method.state).collect()
    }

    async fn wait(&self, pause: TimeDelta) -> usize {
        self.clock.advance(pause);
        self.engine.run_due_tasks(10).await.expect("the store answers").len()
    }
}

/// All look for room before the first one is saved, and then commit in any order.
#[tokio::test(start_paused = true)]
async fn a_customer_who_saves_many_at_once_has_twenty() {
    let shop = Arc::new(Shop::new(Some(Barrier::new(AT_ONCE))));
    shop.store.set(Faults { late: 500, latest: Duration::from_millis(50), ..Faults::NONE });
    let attempts = (0..AT_ONCE).map(|_| {
        let shop = Arc::clone(&shop);
        tokio::spawn(async move { shop.save(Some("tok")).await })
    });
    let mut saved = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        match attempt.await.expect("no attempt panics") {
            Ok(_) => saved += 1,
            Err(EngineError::SavedMethod(SavedMethodRejection::TooMany)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!((saved, shop.states().await.len()), (MOST, MOST));
    let forgotten = shop.processor.forgotten.lock().expect("no test panicked").len();
    assert_eq!(forgotten, AT_ONCE - MOST, "the processor forgets what the shop does not know");
}

#[tokio::test]
async fn a_card_that_was_entered_becomes_usable_without_the_customer() {
    let shop = Shop::new(None);
    shop.save(None).await.expect("there is room");
    assert_eq!(shop.wait(TimeDelta::seconds(61)).await, 1);
    assert_eq!(shop.states().await, [SavedMethodState::Pending]);
    *shop.processor.entered.lock().expect("no test panicked") = Some(card());
    assert_eq!(shop.wait(TimeDelta::minutes(5)).await, 1);
    *shop.processor.entered.lock().expect("no test panicked") = None;
    assert_eq!(shop.states().await, [SavedMethodState::Active]);
    assert_eq!(shop.wait(TimeDelta::days(9)).await, 0, "nothing is asked any more");
}

#[tokio::test]
async fn a_card_that_is_not_entered_for_a_day_makes_room() {
    let shop = Shop::new(None);
    for _ in 0..MOST {
        shop.save(None).await.expect("there is room");
    }
    let full = shop.save(None).await;
    assert!(matches!(full, Err(EngineError::SavedMethod(SavedMethodRejection::TooMany))), "{full:?}");
    for pause in [TimeDelta::minutes(1), TimeDelta::minutes(5), TimeDelta::hours(1), TimeDelta::days(1)] {
        assert_eq!(shop.states().await.len(), MOST);
        assert_eq!((shop.wait(pause).await, shop.wait(TimeDelta::zero()).await), (10, 10));
    }
    assert_eq!(shop.states().await, []);
    shop.save(None).await.expect("there is room again");
}
