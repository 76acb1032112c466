//! Plays a history in every order.

use std::env;

use tokio::runtime::Builder;

use crate::shop::Shop;
use crate::table::{History, Step, Word};

/// How many orders of the steps are played, if nobody says how many.
const SAMPLED: usize = 12;

/// One way in which a history can happen.
#[derive(Debug)]
struct Way {
    /// The numbers of the steps; one of them occurs twice.
    steps: Vec<usize>,
    /// How many steps happen between our call and its answer.
    place: usize,
    answer: Word,
}

#[track_caller]
pub(crate) fn check(history: &'static History) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let mut played = 0;
    for way in ways(history) {
        let end = runtime.block_on(play(history, &way));
        let steps: Vec<Step> = way.steps.iter().map(|step| history.steps[*step]).collect();
        assert_eq!(end, history.end, "after {steps:?}, where {:?} is answered after {}", way.answer, way.place);
        played += 1;
    }
    eprintln!("{played} ways");
}

/// All ways in which a history can happen, or a sample in which every step is doubled and every answer given.
fn ways(history: &'static History) -> impl Iterator<Item = Way> {
    let (count, answers) = (history.steps.len(), history.answers.len());
    let (total, wanted) = ((1..=count).product::<usize>(), env::var("HISTORIES").unwrap_or_default());
    let whole = wanted == "all";
    let sampled = wanted.parse().unwrap_or(SAMPLED);
    let (orders, stride) = if whole || total <= sampled { (total, 1) } else { (sampled, total / sampled + 1) };
    let variants = if whole { count * answers } else { 1 };
    let places = count + 2;
    (0..orders * places * variants).map(move |number| {
        let (order, place) = (number / variants / places, number / variants % places);
        let variant = if whole { number } else { number / places + place };
        let steps = doubled(permutation(count, order * stride % total), variant % count, order);
        Way { steps, place, answer: history.answers[variant / count % answers] }
    })
}

/// The permutation of the numbers below a count with an index.
fn permutation(count: usize, mut index: usize) -> Vec<usize> {
    let mut left: Vec<_> = (0..count).collect();
    let draw = |size: usize| {
        let place = index % size;
        index /= size;
        left.swap_remove(place)
    };
    (1..=count).rev().map(draw).collect()
}

/// The same with a step that happens again at some later place.
fn doubled(mut steps: Vec<usize>, step: usize, seed: usize) -> Vec<usize> {
    let first = steps.iter().position(|known| *known == step).unwrap_or_default();
    let later = steps.len() - first;
    steps.insert(first + 1 + seed % later, step);
    steps
}

async fn play(history: &'static History, way: &Way) -> String {
    let shop = Shop::open(history.truth).await;
    for deed in history.before {
        shop.deed(*deed).await;
    }
    let called = history.truth.len() - 1;
    shop.processor.say(called, way.answer);
    let (arrived, go_on) = shop.processor.hold(called);
    let (meanwhile, after) = way.steps.split_at(way.place);
    let steps = async {
        arrived.await.expect("the processor is called");
        for step in meanwhile {
            shop.step(*step, history.steps[*step]).await;
        }
        go_on.send(()).expect("the call waits");
    };
    tokio::join!(shop.call(history.call), steps);
    for step in after {
        shop.step(*step, history.steps[*step]).await;
    }
    for seconds in [5, 60, 300, 3600] {
        shop.wait(seconds).await;
    }
    shop.end().await
}
