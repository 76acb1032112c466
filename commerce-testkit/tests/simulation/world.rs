//! The shop of a simulation.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use commerce_core::actor::{Actor, Role};
use commerce_core::catalog::Variant;
use commerce_core::engine::{Engine, EngineError, ImportRow, ProductInput};
use commerce_core::order::{Order, UnpaidLimits};
use commerce_core::payment::CaptureMode;
use commerce_core::port::{Clock, OrderFilter, PageRequest, Store};
use commerce_core::promotion::{Limits, Promotion, PromotionDefinition};
use commerce_core::settings::{Settings, ShippingMethod};
use commerce_testkit::commit_builder::{CURRENCY, parse};
use commerce_testkit::quote::percent_off;
use commerce_testkit::{FakeProcessor, FakeUsers, FaultInjector, ManualClock, MemoryStore, Random, SequentialIds};

use crate::record::Record;

/// What is sold, with the units on hand at the opening. Some of it is scarce.
pub(crate) const GOODS: [(&str, i64); 4] = [("MUG", 40), ("TEA", 15), ("POT", 3), ("JAR", 1)];
/// How often the promotion can be used.
pub(crate) const USES: u64 = 5;

/// The probability that a process dies during an action, in thousandths.
const DEATHS: u16 = 120;

/// A shop whose store and processor can fail. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<FaultInjector<MemoryStore>>,
    pub(crate) payments: Arc<FakeProcessor>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) record: Arc<Record>,
}

impl World {
    pub(crate) async fn open(seed: u64) -> Self {
        let store = Arc::new(FaultInjector::new(MemoryStore::new(), seed));
        let payments = Arc::new(FakeProcessor::new());
        let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(1_772_366_400, 0).unwrap()));
        let users = (0..super::CUSTOMERS).map(|n| parse(&format!("user-{n}")));
        let mut settings = Settings::new(CURRENCY);
        settings.unpaid = UnpaidLimits::NONE;
        settings.capture = if seed.is_multiple_of(2) { CaptureMode::Manual } else { CaptureMode::Automatic };
        settings.shipping_methods = vec![ShippingMethod::new(parse("standard"), parse("4.95 USD"))];
        let engine = Engine::builder(settings, store.clone(), payments.clone())
            .users(Arc::new(FakeUsers::knowing(users)))
            .clock(clock.clone())
            .ids(Arc::new(SequentialIds::new(1)))
            .build();
        let world = Self { engine, store, payments, clock, record: Arc::default() };
        world.fill().await;
        world
    }

    async fn fill(&self) {
        self.engine.import(&admin(), &GOODS.map(row)).await.unwrap();
        let limits = Limits { max_uses: Some(USES), ..Limits::default() };
        let promotion = Promotion::new(CURRENCY, PromotionDefinition { limits, ..percent_off("few", 1000) }).unwrap();
        self.engine.add_promotion(&admin(), |_| Ok::<_, EngineError>(promotion), None).await.unwrap();
    }

    /// Every order there is, from the store itself.
    pub(crate) async fn orders(&self) -> Vec<Order> {
        let page = PageRequest { limit: 10_000, after: None };
        self.store.inner().orders(&OrderFilter::default(), &page).await.unwrap().items
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn wait(&self, minutes: i64) {
        self.clock.advance(TimeDelta::minutes(minutes));
    }

    pub(crate) fn note(&self, line: impl Display) {
        self.record.note(self.now(), line);
    }

    /// Runs something in a process that may die between any two awaits. `None`: it died, and what was not stored is lost.
    pub(crate) async fn in_process<T>(&self, random: &mut Random, work: impl Future<Output = T>) -> Option<T> {
        if !random.happens(DEATHS) {
            return Some(work.await);
        }
        let outcome = tokio::time::timeout(Duration::from_micros(random.below(30_000)), work).await.ok();
        if outcome.is_none() {
            self.record.fault("process died");
            self.note("a process died");
        }
        outcome
    }
}

pub(crate) fn admin() -> Actor {
    Actor::user(Role::Admin, parse("root"))
}

fn row((sku, on_hand): (&str, i64)) -> ImportRow {
    let product = ProductInput::new(parse(sku), vec![Variant::new(parse(sku), parse("9.99 USD"))]);
    ImportRow { id: parse(sku), product, on_hand: vec![on_hand] }
}
