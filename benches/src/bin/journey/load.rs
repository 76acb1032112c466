//! The load of a round.

use std::time::Instant;

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Failure;
use crate::client::Connection;
use crate::database::Database;
use crate::figures::{Figures, Meters};
use crate::journey::{Client, Customer, Kind, Sample, until};
use crate::options::Options;
use crate::program::Running;
use crate::statements::Statements;

/// A round: so many clients of a server.
pub(crate) struct Round<'a> {
    pub(crate) server: &'a Running,
    pub(crate) database: &'a Database,
    pub(crate) options: &'a Options,
    pub(crate) clients: usize,
    /// Differs between the rounds of a shop.
    pub(crate) name: String,
}

type Journeys = JoinSet<Result<Client, Failure>>;
/// A client, and the customers that it acts for.
type Party = (Client, Vec<Customer>);

impl Round<'_> {
    fn kinds(&self) -> Vec<Kind> {
        let reads: &[Kind] = if self.options.reads { &Kind::READS } else { &[] };
        [&Kind::JOURNEY[..], reads].concat()
    }

    fn meters(&self) -> Meters {
        Meters::read(self.server, self.database)
    }

    fn customer(&self, number: usize) -> Customer {
        Customer::new(&format!("{}-{number}", self.name), number, self.options.filling.products)
    }

    async fn client(&self) -> Result<Client, Failure> {
        Ok(Client::new(Connection::open(self.server.address).await?))
    }

    /// Whole journeys for a while.
    pub(crate) async fn journeys(&self) -> Result<Vec<Figures>, Failure> {
        let begin = Instant::now() + self.options.warm_up;
        let end = begin + self.options.window;
        let clients = self.start(end).await?;
        sleep(until(begin)).await;
        let before = self.meters();
        sleep(until(end)).await;
        let meters = (before, self.meters());
        let samples = finish(clients).await?;
        let journey = Figures::between(None, meters, &samples)?;
        let mut figures = vec![Figures { memory: Some(self.server.peak_memory()?), ..journey }];
        for kind in self.kinds() {
            figures.push(Figures { cost: None, ..Figures::between(Some(kind), meters, &samples)? });
        }
        Ok(figures)
    }

    async fn start(&self, end: Instant) -> Result<Journeys, Failure> {
        let mut clients = Journeys::new();
        for number in 0..self.clients {
            let (mut client, mut customer, kinds) = (self.client().await?, self.customer(number), self.kinds());
            clients.spawn(async move {
                client.journeys(&mut customer, &kinds, end).await?;
                Ok(client)
            });
        }
        Ok(clients)
    }

    /// All requests of one kind, then all of the next one. Each customer makes one journey.
    pub(crate) async fn by_kind(&self, journeys: usize, statements: &mut Statements) -> Result<Vec<Figures>, Failure> {
        let mut parties: Vec<Party> = Vec::new();
        for number in 0..self.clients {
            let customers = (number..journeys).step_by(self.clients).map(|number| self.customer(number)).collect();
            parties.push((self.client().await?, customers));
        }
        let mut figures = Vec::new();
        for kind in self.kinds() {
            statements.begin(self.database)?;
            let before = self.meters();
            parties = phase(parties, kind).await?;
            let meters = (before, self.meters());
            statements.end(self.database, kind, journeys * kind.times())?;
            let samples: Vec<Sample> = parties.iter().flat_map(|(client, _)| client.samples.clone()).collect();
            figures.push(Figures::between(Some(kind), meters, &samples)?);
        }
        Ok(figures)
    }
}

async fn finish(mut clients: Journeys) -> Result<Vec<Sample>, Failure> {
    let mut samples = Vec::new();
    while let Some(client) = clients.join_next().await {
        samples.extend(client??.samples);
    }
    Ok(samples)
}

/// A step of all journeys.
async fn phase(parties: Vec<Party>, kind: Kind) -> Result<Vec<Party>, Failure> {
    let mut clients = JoinSet::new();
    for (mut client, mut customers) in parties {
        clients.spawn(async move {
            for customer in &mut customers {
                client.step(kind, customer).await?;
            }
            Ok::<Party, Failure>((client, customers))
        });
    }
    let mut parties = Vec::new();
    while let Some(party) = clients.join_next().await {
        parties.push(party??);
    }
    Ok(parties)
}
