//! What was tried, and whether it holds.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use crate::database::{Database, Scratch};
use crate::table;

/// Whether something holds.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) part: &'static str,
    pub(crate) name: String,
    pub(crate) took: Duration,
    /// What was counted, or why it does not hold.
    pub(crate) result: Result<String, String>,
}

impl Outcome {
    /// Runs a case on a runtime of its own. It fails by an error or by panicking.
    pub(crate) fn of(
        part: &'static str,
        name: impl Into<String>,
        case: impl FnOnce(&Runtime) -> Result<String, String>,
    ) -> Self {
        let begun = Instant::now();
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let result = match runtime {
            Ok(runtime) => catch_unwind(AssertUnwindSafe(|| case(&runtime))).unwrap_or_else(|panic| Err(said(&*panic))),
            Err(error) => Err(error.to_string()),
        };
        Self { part, name: name.into(), took: begun.elapsed(), result }
    }
}

/// Runs a case on a runtime and a database of its own, which is dropped however the case ends.
pub(crate) fn on_scratch(
    (part, name): (&'static str, String),
    database: &Database,
    case: impl FnOnce(&Runtime, &Scratch) -> Result<String, String>,
) -> Outcome {
    let outcome = Outcome::of(part, name, |runtime| {
        let scratch = runtime.block_on(Scratch::create(database))?;
        let tried = catch_unwind(AssertUnwindSafe(|| case(runtime, &scratch)));
        let removed = runtime.block_on(scratch.remove());
        tried.unwrap_or_else(|panic| resume_unwind(panic)).and_then(|counted| removed.map(|()| counted))
    });
    table::note(&outcome);
    outcome
}

/// What was said in a panic.
pub(crate) fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
}
