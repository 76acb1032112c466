//! The command line.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::Failure;
use crate::database::Kind;
use crate::program::Program;

pub(crate) const HELP: &str = "\
Drives the program commerce with what customers do, and shows rates, times and processor times.

Usage: journey [OPTION]...

  --server [NAME=]FILE  A program to measure; several take turns. Default: the one beside this program.
  --database LIST       sqlite, postgresql, mariadb, with commas between. Default: all.
  --clients LIST        Numbers of clients, with commas between. Default: 1,32.
  --rounds N            Default: 5.
  --seconds N           The duration of a round, after a second of warming up. Default: 4.
  --products N          Products in the shop, at least 3. Default: 100.
  --promotions N        Promotions without a code. Default: 0.
  --orders N            Orders in the shop before the first round. Default: 0.
  --carts N             Carts in the shop before the first round. Default: 0.
  --reads               Each journey also reads a product and its order.
  --by-kind N           N journeys a round, one kind of request after the other, with the processor time of each kind.
  --statements          Counts statements; with --by-kind and --database postgresql.
  --directory DIR       Where the databases store their data. Default: the temporary directory.
  --test                A short run that shows that all works.
  --help                Shows this text.";

/// What is in a shop before the first round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filling {
    /// At least three.
    pub(crate) products: usize,
    /// Promotions without a code.
    pub(crate) promotions: usize,
    pub(crate) orders: usize,
    pub(crate) carts: usize,
}

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) programs: Vec<Program>,
    pub(crate) databases: Vec<Kind>,
    pub(crate) clients: Vec<usize>,
    pub(crate) rounds: usize,
    pub(crate) warm_up: Duration,
    pub(crate) window: Duration,
    pub(crate) filling: Filling,
    /// Whether the product and the order are read after a journey.
    pub(crate) reads: bool,
    /// The number of journeys of a round that runs kind by kind.
    pub(crate) by_kind: Option<usize>,
    /// Whether statements are counted.
    pub(crate) statements: bool,
    /// Where data are. `None`: the temporary directory of the system.
    pub(crate) directory: Option<PathBuf>,
}

impl Options {
    /// The options of the command line. `None`: the help is asked for.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Self>, Failure> {
        let mut arguments = arguments;
        let mut options = Self::full();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--server" => options.programs.push(Program::parse(&value()?)?),
                "--database" => options.databases = list(&value()?)?,
                "--clients" => options.clients = list(&value()?)?,
                "--rounds" => options.rounds = value()?.parse()?,
                "--seconds" => options.window = Duration::from_secs(value()?.parse()?),
                "--products" => options.filling.products = value()?.parse()?,
                "--promotions" => options.filling.promotions = value()?.parse()?,
                "--orders" => options.filling.orders = value()?.parse()?,
                "--carts" => options.filling.carts = value()?.parse()?,
                "--reads" => options.reads = true,
                "--by-kind" => options.by_kind = Some(value()?.parse()?),
                "--statements" => options.statements = true,
                "--directory" => options.directory = Some(value()?.into()),
                "--test" => options = Self { programs: options.programs, ..Self::test() },
                "--help" | "-h" => return Ok(None),
                unknown => return Err(format!("unknown option {unknown}; --help lists the options").into()),
            }
        }
        options.check().map(Some)
    }

    fn check(mut self) -> Result<Self, Failure> {
        if self.programs.is_empty() {
            self.programs.push(Program::beside()?);
        }
        if self.filling.products < 3 || self.rounds == 0 || self.clients.contains(&0) {
            return Err("at least 3 products, 1 round and 1 client are needed".into());
        }
        if self.statements && (self.by_kind.is_none() || self.databases != [Kind::Postgres]) {
            return Err("--statements needs --by-kind and --database postgresql".into());
        }
        Ok(self)
    }

    fn full() -> Self {
        Self {
            programs: Vec::new(),
            databases: vec![Kind::Sqlite, Kind::Postgres, Kind::MariaDb],
            clients: vec![1, 32],
            rounds: 5,
            warm_up: Duration::from_secs(1),
            window: Duration::from_secs(4),
            filling: Filling { products: 100, promotions: 0, orders: 0, carts: 0 },
            reads: false,
            by_kind: None,
            statements: false,
            directory: None,
        }
    }

    /// A short run that only shows that everything works.
    fn test() -> Self {
        let filling = Filling { products: 5, promotions: 2, orders: 20, carts: 20 };
        let (warm_up, window) = (Duration::from_millis(100), Duration::from_secs(2));
        let (databases, clients) = (vec![Kind::Sqlite], vec![1, 4]);
        Self { databases, clients, rounds: 1, warm_up, window, filling, reads: true, ..Self::full() }
    }
}

/// Values with commas between.
fn list<T: FromStr<Err: Into<Failure>>>(text: &str) -> Result<Vec<T>, Failure> {
    text.split(',').map(|value| value.parse().map_err(Into::into)).collect()
}
