//! The process that sells: this program again. It tells what it was told on its standard output, and ends with its standard input.

use std::env;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use commerce_core::port::Store;
use commerce_testkit::CommitBuilder;
use commerce_testkit::sale::{Answers, Caller, News, Sold};
use tokio::runtime::Builder;

use crate::database;

/// The database of a selling process. A URL has a password, so it is no argument.
pub(crate) const URL: &str = "COMMERCE_CONFORM_URL";
/// Where the ids and random numbers of a selling process begin.
pub(crate) const SEED: &str = "COMMERCE_CONFORM_SEED";
/// The callers of a selling process.
pub(crate) const CALLERS: &str = "COMMERCE_CONFORM_CALLERS";

/// The database to sell from, if this is a selling process.
pub(crate) fn url() -> Option<String> {
    env::var(URL).ok()
}

pub(crate) fn sell(url: &str) -> ExitCode {
    let number = |name| env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    let (Some(seed), Some(callers)) = (number(SEED), number(CALLERS)) else { return ExitCode::from(2) };
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let sold = runtime.map_err(database::text).and_then(|runtime| runtime.block_on(sell_to(url, seed, callers)));
    match sold {
        Ok(answers) => {
            say(&format!("answers {} {} {}", answers.accepted, answers.refused, answers.failed));
            ExitCode::SUCCESS
        }
        Err(reason) => {
            say(&format!("error {}", reason.replace('\n', " ")));
            ExitCode::FAILURE
        }
    }
}

async fn sell_to(url: &str, seed: u32, callers: u32) -> Result<Answers, String> {
    let store: Arc<dyn Store> = database::open(url).await?;
    let shop = Arc::new(CommitBuilder::new(seed));
    let ended = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..callers)
        .map(|number| Caller::new(Arc::clone(&store), Arc::clone(&shop), u64::from(seed) << 32 | u64::from(number)))
        .map(|caller| tokio::spawn(buy(caller, Arc::clone(&ended))))
        .collect();
    thread::spawn({
        let ended = Arc::clone(&ended);
        move || {
            drop(io::stdin().read_to_end(&mut Vec::new()));
            ended.store(true, Ordering::Relaxed);
        }
    });
    let mut total = Answers::default();
    for caller in callers {
        total = total.plus(caller.await.map_err(|error| match error.try_into_panic() {
            Ok(panic) => crate::case::said(&*panic),
            Err(error) => error.to_string(),
        })?);
    }
    Ok(total)
}

async fn buy(mut caller: Caller, ended: Arc<AtomicBool>) -> Answers {
    while !ended.load(Ordering::Relaxed) {
        caller.act().await;
        caller.news().into_iter().for_each(tell);
    }
    caller.answers()
}

fn tell(News { document, version }: News) {
    match document {
        Sold::Order(id) => say(&format!("order {id} {version}")),
        Sold::Cart(id) => say(&format!("cart {id} {version}")),
    }
}

/// Nobody listens any more if it fails.
fn say(line: &str) {
    drop(writeln!(io::stdout(), "{line}"));
}
