//! What a quote costs: by lines, and with promotions, tax and explanation.

#[path = "shared/cart.rs"]
mod cart;

use std::hint::black_box;

use commerce_core::pricing::price;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

use self::cart::request;

fn quotes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("quote");
    for (lines, promotions) in [(5, 0), (100, 0), (5, 3), (50, 20), (100, 20), (200, 20)] {
        let request = request(lines, promotions, "priority");
        let id = BenchmarkId::from_parameter(format!("{lines} lines x {promotions} promotions"));
        group.bench_function(id, |bencher| bencher.iter(|| price(black_box(&request))));
    }
    for promotions in [12, 16] {
        let request = request(10, promotions, "best");
        let id = BenchmarkId::from_parameter(format!("best of {promotions} on 10 lines"));
        group.bench_function(id, |bencher| bencher.iter(|| price(black_box(&request))));
    }
    group.finish();
}

criterion_group!(benches, quotes);
criterion_main!(benches);
