//! The cost of an order's lifecycle: deciding each step and applying its events.

use std::hint::black_box;

use commerce_core::order::ShipmentStatus;
use commerce_testkit::CommitBuilder;
use commerce_testkit::commit_builder::order_of;
use criterion::{Criterion, criterion_group, criterion_main};

/// Placed, paid, shipped and delivered: four decisions with their events and side effects.
fn life(criterion: &mut Criterion) {
    let shop = CommitBuilder::new(1);
    let lines = [("MUG", 2), ("TEA", 1), ("POT", 1)];
    criterion.bench_function("order: decide and evolve its life", |bencher| {
        bencher.iter(|| {
            let placed = shop.order(black_box(&lines));
            let paid = shop.pay(order_of(&placed), shop.at(60));
            let shipped = shop.ship(order_of(&paid), ShipmentStatus::Shipped, shop.at(120));
            shop.ship(order_of(&shipped), ShipmentStatus::Delivered, shop.at(180))
        });
    });
}

criterion_group!(benches, life);
criterion_main!(benches);
