//! A fuzzer of parsers: a kept corpus, mutations, and limits.
//!
//! An input breaks a parser if it panics or needs too much processor time. It is then written to the corpus, so that every later run
//! tries it first. The same seed makes the same inputs.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `FUZZ_SECONDS` | how long each parser is tried | until `FUZZ_INPUTS` |
//! | `FUZZ_INPUTS` | how many inputs each parser is given | 300 |
//! | `FUZZ_SEED` | the seed of the inputs | 0 |
//! | `FUZZ_CPU_MS` | the limit of an input, in milliseconds of processor time | 200, for debug builds |

mod mutation;

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use self::mutation::{below, break_json, bytes, garble, graft, json, pick, text};
use crate::Random;

/// How many inputs are mutated further.
const POOL: usize = 1024;
/// Longer inputs are tried, but not mutated further.
const LARGE: usize = 1024;
/// How often an input that takes too long is measured again, because other processes may have disturbed it.
const RETRIES: u32 = 5;
const REPORT: Duration = Duration::from_secs(5);

/// Makes an input of others.
pub type Mutate = fn(&[Vec<u8>], &mut Random) -> Vec<u8>;

/// What is fuzzed.
#[derive(Debug)]
pub struct Target<'a> {
    /// The directory of the corpus. Its name is that of the parser.
    pub corpus: &'a Path,
    /// Inputs besides those of the corpus.
    pub seeds: Vec<Vec<u8>>,
    /// Makes an input of others.
    pub mutate: Mutate,
    /// The limit of processor time. `None`: that of `FUZZ_CPU_MS`.
    pub limit: Option<Duration>,
}

/// How long a run lasts.
struct Plan {
    seconds: Option<u64>,
    inputs: u64,
    seed: u64,
    limit: Duration,
}

/// What has been tried.
struct Tally {
    start: Instant,
    reported: Instant,
    inputs: u64,
    taken: u64,
    slowest: Duration,
    slowest_input: Vec<u8>,
}

/// Replays the corpus of a parser, and gives it mutated inputs. `parse` returns whether it takes the input.
///
/// # Panics
/// An input breaks the parser. It is written to the corpus.
pub fn fuzz(target: Target<'_>, mut parse: impl FnMut(&[u8]) -> bool) {
    let plan = Plan::from_env(target.limit);
    let mut pool = target.seeds;
    pool.extend(files(target.corpus).iter().filter_map(|file| fs::read(file).ok()));
    let (mut tally, mut random) = (Tally::new(), Random::new(plan.seed));
    for input in &pool {
        tally.tried(input, survive(target.corpus, &plan, input, &mut parse));
    }
    let gathered = pool.len();
    while plan.goes_on(&tally) {
        let input = (target.mutate)(&pool, &mut random);
        let outcome = survive(target.corpus, &plan, &input, &mut parse);
        tally.tried(&input, outcome);
        if outcome.0 {
            keep(&mut pool, gathered, input, &mut random);
        }
        tally.report(target.corpus);
    }
    tally.finish(target.corpus, plan.seed);
}

/// The files of a corpus, by name.
pub fn files(corpus: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(corpus).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}

impl Plan {
    fn from_env(limit: Option<Duration>) -> Self {
        let number =
            |name: &str| Some(env::var(name).ok()?.parse::<u64>().unwrap_or_else(|_| panic!("{name} is a number")));
        let seconds = number("FUZZ_SECONDS");
        let inputs = number("FUZZ_INPUTS").unwrap_or(if seconds.is_some() { u64::MAX } else { 300 });
        let limit = limit.unwrap_or_else(|| Duration::from_millis(number("FUZZ_CPU_MS").unwrap_or(200)));
        Self { seconds, inputs, seed: number("FUZZ_SEED").unwrap_or(0), limit }
    }

    fn goes_on(&self, tally: &Tally) -> bool {
        tally.inputs < self.inputs && self.seconds.is_none_or(|seconds| tally.start.elapsed().as_secs() < seconds)
    }
}

impl Tally {
    fn new() -> Self {
        let now = Instant::now();
        Self { start: now, reported: now, inputs: 0, taken: 0, slowest: Duration::ZERO, slowest_input: Vec::new() }
    }

    fn tried(&mut self, input: &[u8], (taken, took): (bool, Duration)) {
        self.inputs = self.inputs.saturating_add(1);
        self.taken = self.taken.saturating_add(u64::from(taken));
        if took > self.slowest {
            (self.slowest, self.slowest_input) = (took, input.to_vec());
        }
    }

    fn report(&mut self, corpus: &Path) {
        if self.inputs.is_multiple_of(256) && self.reported.elapsed() > REPORT {
            self.reported = Instant::now();
            self.show(corpus);
        }
    }

    fn show(&self, corpus: &Path) {
        let rate = self.inputs.checked_div(self.start.elapsed().as_secs().max(1)).unwrap_or_default();
        let Self { inputs, taken, slowest, .. } = self;
        eprintln!("{}: {inputs} inputs, {taken} taken, {rate} per second, slowest {slowest:?}", name(corpus));
    }

    fn finish(&self, corpus: &Path, seed: u64) {
        self.show(corpus);
        let beginning: String = String::from_utf8_lossy(&self.slowest_input).chars().take(120).collect();
        eprintln!("{}: FUZZ_SEED={seed}; the slowest begins {beginning:?}", name(corpus));
    }
}

/// Tries an input: whether it is taken, and the processor time it needs.
fn survive(corpus: &Path, plan: &Plan, input: &[u8], parse: &mut impl FnMut(&[u8]) -> bool) -> (bool, Duration) {
    let mut measure = || {
        let before = processor_time();
        let taken = catch_unwind(AssertUnwindSafe(|| parse(input)));
        let took = processor_time().saturating_sub(before);
        match taken {
            Ok(taken) => (taken, took),
            Err(panic) => {
                eprintln!("kept in {}", save(corpus, "panic", input).display());
                resume_unwind(panic)
            }
        }
    };
    let (taken, mut took) = measure();
    for _ in 0..RETRIES {
        if took <= plan.limit {
            break;
        }
        took = took.min(measure().1);
    }
    assert!(took <= plan.limit, "an input needs {took:?}, kept in {}", save(corpus, "slow", input).display());
    (taken, took)
}

/// Writes an input to the corpus under a name of its own.
fn save(corpus: &Path, kind: &str, input: &[u8]) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let file = corpus.join(format!("{kind}-{:016x}", hasher.finish()));
    let kept = fs::create_dir_all(corpus).and_then(|()| fs::write(&file, input));
    kept.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    file
}

/// Keeps an input for further mutation. The gathered ones stay.
fn keep(pool: &mut Vec<Vec<u8>>, gathered: usize, input: Vec<u8>, random: &mut Random) {
    if input.len() > LARGE {
        return;
    }
    if pool.len() < POOL {
        return pool.push(input);
    }
    let place = gathered.saturating_add(below(POOL.saturating_sub(gathered), random));
    if let Some(slot) = pool.get_mut(place) {
        *slot = input;
    }
}

fn name(corpus: &Path) -> std::borrow::Cow<'_, str> {
    corpus.file_name().unwrap_or_default().to_string_lossy()
}

/// The processor time of this thread so far.
#[cfg(unix)]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// The time, where that of the processor is unknown.
#[cfg(not(unix))]
fn processor_time() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    START.elapsed()
}
