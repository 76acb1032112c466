//! Prices while another process changes them.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

use commerce_core::actor::{Actor, Role};
use commerce_core::cart::Cart;
use commerce_core::catalog::Product;
use commerce_core::engine::{CheckoutRequest, Engine, EngineError, ItemRequest, NewItem, PlaceOrderRequest, Target};
use commerce_core::ids::Sku;
use commerce_core::metadata::Metadata;
use commerce_core::money::Money;
use commerce_core::order::{OrderDetails, OrderItem, UnpaidLimits};
use commerce_core::port::Store;
use commerce_core::prelude::SandboxProcessor;
use commerce_core::pricing::Quote;
use commerce_core::promotion::{AmountTarget, Effect, Promotion, PromotionDefinition, PromotionRecord};
use commerce_core::settings::Settings;
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::{CURRENCY, address, parse, units};

use crate::database::Database;
use commerce_testkit::audit::sound;

const SKUS: [&str; 3] = ["CUP", "MUG", "POT"];
const CHANGES: i64 = 60;
const CUSTOMERS: usize = 4;
const PURCHASES: usize = 2 * CUSTOMERS;

/// A catalog that changes as a whole: the n-th change gives each SKU the price 1000 + n, and takes n off an order.
struct Catalog {
    products: Vec<Product>,
    promotion: PromotionRecord,
}

/// The numbers of the last change that was begun and of the last one that was committed.
#[derive(Default)]
struct Changes {
    begun: AtomicI64,
    committed: AtomicI64,
    are_over: AtomicBool,
    /// How often somebody bought.
    bought: AtomicUsize,
}

impl Catalog {
    fn new(shop: &CommitBuilder) -> Self {
        let products = SKUS.map(|sku| priced(shop.product(&format!("product-{sku}"), &[sku]), 0)).to_vec();
        Self { products, promotion: PromotionRecord::new(off(0), shop.at(1)) }
    }

    async fn create<S: Store>(&self, shop: &CommitBuilder, store: &S) {
        for product in &self.products {
            store.commit(shop.create(product)).await.unwrap();
        }
        store.commit(shop.create(&self.promotion)).await.unwrap();
        store.commit(shop.stocked(&SKUS.map(|sku| (sku, 1_000_000)))).await.unwrap();
    }

    /// Makes changes, each in one commit, until there were enough of them and of purchases.
    async fn change<S: Store>(mut self, shop: &CommitBuilder, store: &S, changes: &Changes) {
        let count = env::var("COMMERCE_TEST_CHANGES").map_or(CHANGES, |count| count.parse().unwrap());
        let is_over = |number| number > count && changes.bought.load(Ordering::SeqCst) >= PURCHASES;
        for number in (1..).take_while(|number| !is_over(*number)) {
            let mut commit = shop.commit(shop.at(2));
            for product in &mut self.products {
                let mut after = priced(product.clone(), number);
                after.version += 1;
                commit.change(Some(product), after.clone());
                *product = after;
            }
            let after = self.promotion.changed(off(number), shop.at(2));
            commit.change(Some(&self.promotion), after.clone());
            self.promotion = after;
            changes.begun.store(number, Ordering::SeqCst);
            store.commit(commit).await.unwrap();
            changes.committed.store(number, Ordering::SeqCst);
        }
        changes.are_over.store(true, Ordering::SeqCst);
    }
}

fn priced(mut product: Product, number: i64) -> Product {
    product.variants[0].price = Money::new(1000 + number, CURRENCY);
    product
}

fn off(number: i64) -> Promotion {
    let effect = Effect::AmountOff { amount: Money::new(number + 1, CURRENCY), target: AmountTarget::Order };
    Promotion::new(CURRENCY, PromotionDefinition::new(parse("sale"), effect)).unwrap()
}

impl Changes {
    /// Gets an answer, if it is not refused. It must be of one change that was committed at an instant between request and answer.
    async fn check<T>(&self, answer: impl Future<Output = Option<Quote<T>>>) -> bool {
        let least = self.committed.load(Ordering::SeqCst);
        let Some(quote) = answer.await else { return false };
        let most = self.begun.load(Ordering::SeqCst);
        let numbers: Vec<_> = quote.lines.iter().map(|line| line.subtotal.minor() - 1000).collect();
        let number = quote.discount.minor() - 1;
        assert!(numbers.iter().all(|one| *one == number), "prices of {numbers:?}, discount of {number}");
        assert!((least..=most).contains(&number), "{number} was not there between {least} and {most}");
        true
    }
}

struct Customer {
    engine: Engine,
    who: Actor,
}

impl Customer {
    /// A new cart with all SKUs.
    async fn cart(&self) -> Cart {
        let opened = self.engine.open_cart(&self.who, &Metadata::default(), None).await.unwrap();
        let cart = opened.into_fresh().unwrap().view.cart;
        for sku in SKUS.map(parse::<Sku>) {
            let item = NewItem::new(sku, units(1));
            self.engine.add_item(&self.who, Target::any(cart.id), item, None).await.unwrap();
        }
        cart
    }

    /// Reads a cart, orders it, and orders items without a cart.
    async fn buy(&self, changes: &Changes) {
        let cart = self.cart().await;
        changes.check(async { Some(self.engine.cart(&self.who, cart.id).await.unwrap().quote) }).await;
        while !changes.check(self.checkout(&cart)).await {}
        let items = SKUS.map(|sku| ItemRequest::sku(parse(sku), units(1))).to_vec();
        let request = PlaceOrderRequest::new(items, OrderDetails::new(address()));
        let placed = Box::pin(self.engine.place_order(&self.who, &request, None));
        changes.check(async { Some(placed.await.unwrap().into_fresh()?.quote) }).await;
    }

    /// Accepts the prices of the day and orders a cart. `None` if they have risen since.
    async fn checkout(&self, cart: &Cart) -> Option<Quote<OrderItem>> {
        self.engine.refresh_cart(&self.who, Target::any(cart.id), None).await.unwrap();
        let checkout = CheckoutRequest::new(cart.id, OrderDetails::new(address()));
        match self.engine.checkout(&self.who, &checkout, None).await {
            Ok(order) => Some(order.into_fresh().unwrap().quote),
            Err(EngineError::PriceChanged(_)) => None,
            Err(error) => panic!("{error}"),
        }
    }
}

pub(crate) async fn a_price_was_true_while_it_was_asked_for<D: Database>() {
    let (database, shop) = (D::create(), CommitBuilder::new(1));
    let (stores, changes) = ([database.open().await, database.open().await], Arc::new(Changes::default()));
    let catalog = Catalog::new(&shop);
    catalog.create(&shop, &stores[0]).await;
    let mut settings = Settings::new(CURRENCY);
    settings.unpaid = UnpaidLimits::NONE;
    let buyers: Vec<_> = (0..CUSTOMERS)
        .map(|number| {
            let store = Arc::new(stores[number % 2].clone());
            let engine = Engine::builder(settings.clone(), store, Arc::new(SandboxProcessor::in_memory())).build();
            let who = Actor::user(Role::Customer, parse(&format!("user-{number}")));
            let (customer, changes) = (Customer { engine, who }, Arc::clone(&changes));
            tokio::spawn(async move {
                while !changes.are_over.load(Ordering::SeqCst) {
                    Box::pin(customer.buy(&changes)).await;
                    changes.bought.fetch_add(1, Ordering::SeqCst);
                }
                customer.engine.now()
            })
        })
        .collect();
    catalog.change(&shop, &stores[0], &changes).await;
    let mut end = shop.at(1);
    for buyer in buyers {
        end = end.max(buyer.await.unwrap());
    }
    sound(&stores[1], end).await;
}
