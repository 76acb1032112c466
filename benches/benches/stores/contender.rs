//! The contenders: how orders are placed, for which SKUs, and by how many clients.

use std::rc::Rc;
use std::thread;

use crate::engine::{Engine, Kind};
use crate::load::Load;
use crate::measure::{self, Column, Measured, Sample};
use crate::options::Span;
use crate::pgbench::{self, Script};
use crate::{Failure, child};

/// The SKUs of the orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    /// Any three.
    Uniform,
    /// The first line always has the same SKU.
    Hot,
}

impl Spread {
    /// The name in rows and in the arguments of a child.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Hot => "hot",
        }
    }
}

/// The role of a contender in the claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A hand-written transaction.
    ByHand,
    /// A hand-written transaction in one round trip.
    OneTrip,
    /// Our store.
    Store,
    /// Our store in two processes.
    TwoProcesses,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::ByHand => "hand-written",
            Self::OneTrip => "one round trip",
            Self::Store => "store",
            Self::TwoProcesses => "store, two processes",
        }
    }
}

/// How orders are placed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// By a script of pgbench.
    Script(Script),
    /// By a child of this program.
    Child(child::Work),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Contender {
    pub(crate) kind: Kind,
    pub(crate) role: Role,
    pub(crate) way: Way,
    pub(crate) spread: Spread,
    /// The number of concurrent orders.
    pub(crate) clients: usize,
}

impl Contender {
    pub(crate) fn name(&self) -> String {
        let Self { kind, role, way, spread, clients } = self;
        let script = if let Way::Script(script) = way { format!(" ({})", script.name) } else { String::new() };
        format!("{}, {}, {}{script}, {clients}", kind.name(), spread.name(), role.name())
    }

    /// Measures on a fresh database. `rate` is the expected number of orders per second.
    pub(crate) fn measure(&self, engine: &Engine, span: Span, rate: u64) -> Result<Measured, Failure> {
        engine.begin_anew()?;
        let seconds = (span.warm_up + span.window).as_secs() + 2;
        let load = self.start(engine, seconds, rate)?;
        thread::sleep(span.warm_up);
        let before = sample(engine, &load)?;
        thread::sleep(span.window);
        let after = sample(engine, &load)?;
        let placed = load.finish()?;
        let last = placed.iter().map(|order| order.at).max().unwrap_or_default();
        if last < after.at || !placed.iter().any(|order| order.at < before.at) {
            return Err(format!("{} was not busy during the whole measurement", self.name()).into());
        }
        Ok(Measured::between(&before, &after, &placed))
    }

    fn start(&self, engine: &Engine, seconds: u64, rate: u64) -> Result<Load, Failure> {
        match (&self.way, engine) {
            (Way::Script(script), Engine::Postgres(server)) => {
                pgbench::start(server, script, self.clients, self.spread, seconds)
            }
            (Way::Script(_), _) => Err("pgbench is for PostgreSQL".into()),
            (Way::Child(work), engine) => {
                let processes = if self.role == Role::TwoProcesses { 2 } else { 1 };
                let job = child::Job {
                    work: *work,
                    url: engine.url(),
                    clients: self.clients / processes,
                    spread: self.spread,
                    seconds,
                    prepared: usize::try_from(rate * seconds)? / processes,
                    seed: 1,
                };
                child::start(&job, processes)
            }
        }
    }
}

fn sample(engine: &Engine, load: &Load) -> Result<Sample, Failure> {
    let log = engine.log()?;
    Ok(Sample { at: measure::now(), client: load.cpu(), server: engine.cpu(), log })
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) contender: Contender,
    engine: Rc<Engine>,
    rounds: Vec<Measured>,
}

impl Row {
    pub(crate) const fn new(contender: Contender, engine: Rc<Engine>) -> Self {
        Self { contender, engine, rounds: Vec::new() }
    }

    pub(crate) fn is(&self, kind: Kind, role: Role, spread: Spread) -> bool {
        let own = &self.contender;
        own.kind == kind && own.role == role && own.spread == spread
    }

    /// Runs one round.
    pub(crate) fn round(&mut self, span: Span) -> Result<(), Failure> {
        let expected = self.median(Column::Rate).map_or_else(|| self.guess(), |rate| rate + rate / 2);
        self.rounds.push(self.contender.measure(&self.engine, span, expected)?);
        Ok(())
    }

    fn guess(&self) -> u64 {
        if self.contender.clients == 1 { 5_000 } else { 50_000 }
    }

    /// The median of the rounds.
    pub(crate) fn median(&self, column: Column) -> Option<u64> {
        measure::median(&self.rounds, column)
    }

    /// The orders per second of each round.
    pub(crate) fn rates(&self) -> Vec<u64> {
        self.rounds.iter().filter_map(|round| round.get(Column::Rate)).collect()
    }
}
