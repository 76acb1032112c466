//! The cost of a quote by number of lines, with promotions, tax and explanation.

#[path = "shared/cart.rs"]
mod cart;

use std::hint::black_box;

use commerce_core::pricing::price;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

use self::cart::{contested, request};

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

/// Searches that the bounds shorten little. With the most lines, the search stops before a proof.
fn hard_searches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hard search");
    group.sample_size(10);
    for lines in [10, 100, 500] {
        let request = contested(lines, 16);
        let id = BenchmarkId::from_parameter(format!("best of 16 on {lines} lines"));
        group.bench_function(id, |bencher| bencher.iter(|| price(black_box(&request))));
    }
    group.finish();
}

criterion_group!(benches, quotes, hard_searches);
criterion_main!(benches);
