//! A sale by processes of which some are killed, on servers of which some may be killed.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use commerce_core::document::{DocumentId, DocumentKind};
use commerce_core::port::{OrderRef, PageRequest, Store};
use commerce_testkit::sale::{PROMOTION, SKUS, Sold, USES};
use commerce_testkit::{CommitBuilder, Random, audit};

use crate::case::Outcome;
use crate::database::{Scratch, text};
use crate::{Options, seller, table};

/// Units of each SKU: more than are bought.
const UNITS: i64 = 100_000_000;
/// How long a node is away.
const AWAY: Duration = Duration::from_secs(5);
/// How long nodes may take to apply what is committed.
const SETTLING: Duration = Duration::from_secs(3);

/// What all processes were told.
#[derive(Debug, Default)]
struct Told {
    versions: BTreeMap<Sold, u64>,
    accepted: u64,
    refused: u64,
    failed: u64,
    errors: Vec<String>,
    last: Option<Instant>,
    longest_pause: Duration,
}

/// A process that sells.
struct Seller {
    child: Child,
    reader: JoinHandle<()>,
    url: String,
}

pub(crate) fn run(options: &Options) -> Outcome {
    let outcome = Outcome::of("sale", "sale::what_was_told_is_there", |runtime| {
        let scratch = runtime.block_on(Scratch::create(&options.database))?;
        let shop = CommitBuilder::new(options.seed);
        runtime.block_on(async {
            let store = scratch.open().await?;
            store.commit(shop.stocked(&SKUS.map(|sku| (sku, UNITS)))).await.map_err(text)
        })?;
        let sale = Sale { options, scratch: &scratch, told: Arc::default() };
        let sold = sale.hold().and_then(|kills| runtime.block_on(sale.check(&shop)).map(|()| sale.figures(kills)));
        // What is wrong may be looked at.
        if sold.is_ok() {
            runtime.block_on(scratch.clone().remove())?;
        } else {
            eprintln!("the database {} of the sale was not dropped", scratch.name());
        }
        sold
    });
    table::note(&outcome);
    outcome
}

struct Sale<'a> {
    options: &'a Options,
    scratch: &'a Scratch,
    told: Arc<Mutex<Told>>,
}

/// How many were killed.
#[derive(Clone, Copy, Debug, Default)]
struct Kills {
    processes: u32,
    nodes: u64,
}

impl Sale<'_> {
    /// Sells for a while, and waits until all processes have ended.
    fn hold(&self) -> Result<Kills, String> {
        let options = self.options;
        let mut seed = options.seed;
        let mut start = |url: String| {
            seed = seed.wrapping_add(1);
            self.start(url, seed)
        };
        let mut sellers = (options.processes().iter())
            .map(|database| start(self.scratch.at(database).url()))
            .collect::<Result<Vec<_>, _>>()?;
        let (begun, mut random, mut kills) = (Instant::now(), Random::new(options.seed.into()), Kills::default());
        let time = Duration::from_secs(options.seconds);
        let pause = time / options.kills.saturating_add(1);
        let nodes = self.kill_nodes(begun, time);
        while begun.elapsed() + pause <= time && kills.processes < options.kills {
            thread::sleep(pause);
            let victim = usize::try_from(random.below(u64::try_from(sellers.len()).unwrap_or(1))).unwrap_or_default();
            let seller = sellers.remove(victim);
            let url = seller.url.clone();
            seller.kill()?;
            kills.processes += 1;
            sellers.insert(victim, start(url)?);
        }
        thread::sleep(time.saturating_sub(begun.elapsed()));
        kills.nodes =
            nodes.map_or(Ok(0), |nodes| nodes.join().unwrap_or_else(|_| Err("the commands failed".into())))?;
        sellers.into_iter().try_for_each(Seller::end)?;
        Ok(kills)
    }

    fn start(&self, url: String, seed: u32) -> Result<Seller, String> {
        let mut command = Command::new(env::current_exe().map_err(text)?);
        command.env(seller::URL, &url).env(seller::SEED, seed.to_string());
        command.env(seller::CALLERS, self.options.callers.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(text)?;
        let output = child.stdout.take().ok_or("a process has no output")?;
        let told = Arc::clone(&self.told);
        let reader = thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                locked(&told).hear(&line);
            }
        });
        Ok(Seller { child, reader, url })
    }

    /// Kills one node after the other, and starts it again.
    fn kill_nodes(&self, begun: Instant, time: Duration) -> Option<JoinHandle<Result<u64, String>>> {
        let (kill, start) = (self.options.kill_node.clone()?, self.options.start_node.clone()?);
        let every = Duration::from_secs(self.options.node_every);
        let nodes = self.options.nodes.len().max(1);
        Some(thread::spawn(move || {
            let mut kills = 0;
            for node in (1..=nodes).cycle() {
                if begun.elapsed() + every + AWAY > time {
                    break;
                }
                thread::sleep(every);
                run_command(&kill, node)?;
                thread::sleep(AWAY);
                run_command(&start, node)?;
                kills += 1;
            }
            Ok(kills)
        }))
    }

    /// What was told is there, at every node, and the tables are what the events make.
    async fn check(&self, shop: &CommitBuilder) -> Result<(), String> {
        if let Some(error) = locked(&self.told).errors.first() {
            return Err(error.clone());
        }
        tokio::time::sleep(SETTLING).await;
        let versions = locked(&self.told).versions.clone();
        for database in self.options.processes() {
            let store: Arc<dyn Store> = self.scratch.at(&database).open().await?;
            audit::sound(&*store, shop.at(9)).await;
            for (document, version) in &versions {
                check_one(&*store, document, *version).await?;
            }
            let page = PageRequest { limit: 1000, after: None };
            let promotion = PROMOTION.parse().map_err(|_| "the promotion has no name")?;
            let uses = store.redemptions(&promotion, &page).await.map_err(text)?.items.len();
            if u64::try_from(uses).unwrap_or(u64::MAX) > USES {
                return Err(format!("{uses} uses of a promotion that may be used {USES} times"));
            }
        }
        Ok(())
    }

    fn figures(&self, kills: Kills) -> String {
        let told = locked(&self.told);
        let orders = told.versions.keys().filter(|document| matches!(document, Sold::Order(_))).count();
        format!(
            "{orders} orders told and found, {} processes and {} nodes killed; of processes that ended well: {} commits \
             accepted, {} refused, {} calls failed; longest pause {:.1} s",
            kills.processes,
            kills.nodes,
            told.accepted,
            told.refused,
            told.failed,
            told.longest_pause.as_secs_f64()
        )
    }
}

async fn check_one(store: &dyn Store, document: &Sold, told: u64) -> Result<(), String> {
    let (name, found) = match document {
        Sold::Order(id) => {
            let order = store.order(&OrderRef::Id(*id)).await.map_err(text)?;
            (format!("order {id}"), order.map(|order| order.version))
        }
        Sold::Cart(id) => {
            let cart = store.document(&DocumentId::new(DocumentKind::Cart, id)).await.map_err(text)?;
            (format!("cart {id}"), cart.map(|cart| cart.version()))
        }
    };
    match found {
        Some(version) if version >= told => Ok(()),
        found => Err(format!("{name} was told in version {told}, and is there in version {found:?}")),
    }
}

impl Seller {
    fn kill(mut self) -> Result<(), String> {
        self.child.kill().map_err(text)?;
        self.child.wait().map_err(text)?;
        self.reader.join().map_err(|_| "a reader failed".to_owned())
    }

    fn end(mut self) -> Result<(), String> {
        drop(self.child.stdin.take());
        self.child.wait().map_err(text)?;
        self.reader.join().map_err(|_| "a reader failed".to_owned())
    }
}

impl Told {
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |text: &str| text.parse::<u64>().unwrap_or_default();
        match words.as_slice() {
            ["order", id, version] => {
                let now = Instant::now();
                let pause = self.last.replace(now).map_or(Duration::ZERO, |last| now.duration_since(last));
                self.longest_pause = self.longest_pause.max(pause);
                self.note(id.parse().map(Sold::Order).ok(), number(version));
            }
            ["cart", id, version] => self.note(id.parse().map(Sold::Cart).ok(), number(version)),
            ["answers", accepted, refused, failed] => {
                self.accepted += number(accepted);
                self.refused += number(refused);
                self.failed += number(failed);
            }
            ["error", reason @ ..] => self.errors.push(reason.join(" ")),
            // The end of a process that was killed.
            _ => {}
        }
    }

    fn note(&mut self, document: Option<Sold>, version: u64) {
        if let Some(document) = document {
            let known = self.versions.entry(document).or_default();
            *known = version.max(*known);
        }
    }
}

fn locked(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run_command(command: &str, node: usize) -> Result<(), String> {
    let status = Command::new("sh").args(["-c", command]).env("NODE", node.to_string()).status().map_err(text)?;
    if status.success() { Ok(()) } else { Err(format!("the command for node {node} ended with {status}")) }
}
