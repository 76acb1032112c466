//! The rows of the table.

use std::rc::Rc;

use crate::Failure;
use crate::child::Work;
use crate::contender::{Contender, Role, Row, Spread, Way};
use crate::engine::{Engine, Kind, MARIADB_SETTINGS, POSTGRES_SETTINGS};
use crate::measure::Column;
use crate::options::Options;
use crate::pgbench::{HAND_WRITTEN, ONE_ROUND_TRIP, Script};

/// The numbers of submitters of our store.
const SUBMITTERS: [usize; 4] = [1, 16, 64, 256];

/// Contenders of which all are shown, or only the best.
struct Group {
    contenders: Vec<Contender>,
    best: bool,
}

/// The configuration, as text.
pub(crate) fn settings(options: &Options) -> String {
    let place = options.directory.clone().unwrap_or_else(std::env::temp_dir);
    let listed = |settings: &[(&str, &str)]| {
        settings.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
    };
    format!(
        "Data in {}; {} rounds of {:?} after {:?}. Servers over TCP on loopback, every commit synced: PostgreSQL with {}; \
         MariaDB with {}. SQLite at synchronous=FULL.",
        place.display(),
        options.rounds,
        options.span.window,
        options.span.warm_up,
        listed(&POSTGRES_SETTINGS),
        listed(&MARIADB_SETTINGS),
    )
}

/// The selected rows, with running servers and tried opponents.
pub(crate) fn rows(options: &Options) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for kind in [Kind::Postgres, Kind::MariaDb, Kind::Sqlite] {
        let mut groups = groups(kind, options.tried);
        for group in &mut groups {
            group.contenders.retain(|contender| contender.name().contains(&options.filter));
        }
        groups.retain(|group| !group.contenders.is_empty());
        if !groups.is_empty() {
            let engine = Rc::new(Engine::start(kind, options.directory.as_deref())?);
            for group in groups {
                let shown = if group.best { vec![best(&group, &engine, options)?] } else { group.contenders };
                rows.extend(shown.into_iter().map(|contender| Row::new(contender, engine.clone())));
            }
        }
    }
    Ok(rows)
}

/// Tries all contenders and returns the one with the highest rate.
fn best(group: &Group, engine: &Engine, options: &Options) -> Result<Contender, Failure> {
    let mut best = None;
    for _ in 0..options.trials {
        for contender in &group.contenders {
            // A contender that is not busy with so many clients is not the best.
            let rate = match contender.measure(engine, options.trial, 5_000) {
                Ok(measured) => measured.get(Column::Rate),
                Err(error) => {
                    println!("trial: {}: {error}", contender.name());
                    continue;
                }
            };
            println!("trial: {}: {} orders/s", contender.name(), rate.unwrap_or_default());
            if best.is_none_or(|(most, _)| rate > most) {
                best = Some((rate, *contender));
            }
        }
    }
    best.map(|(_, contender)| contender).ok_or_else(|| "nothing was tried".into())
}

fn groups(kind: Kind, tried: &[usize]) -> Vec<Group> {
    let spreads = [Spread::Uniform, Spread::Hot].into_iter();
    match kind {
        Kind::Postgres => spreads.flat_map(|spread| postgres(kind, spread, tried)).chain([two_processes()]).collect(),
        Kind::MariaDb => spreads.flat_map(|spread| mariadb(kind, spread, tried)).collect(),
        Kind::Sqlite => vec![store(kind, Spread::Uniform, &[1, 64, 256])],
    }
}

fn postgres(kind: Kind, spread: Spread, tried: &[usize]) -> Vec<Group> {
    let alone = Contender { kind, role: Role::ByHand, way: Way::Script(HAND_WRITTEN[0]), spread, clients: 1 };
    vec![
        Group { contenders: vec![alone], best: false },
        scripts(Role::ByHand, HAND_WRITTEN, spread, tried),
        scripts(Role::OneTrip, ONE_ROUND_TRIP, spread, tried),
        store(kind, spread, &SUBMITTERS),
    ]
}

fn mariadb(kind: Kind, spread: Spread, tried: &[usize]) -> Vec<Group> {
    let way = Way::Child(Work::ByHand);
    let by_hand = |clients: &usize| Contender { kind, role: Role::ByHand, way, spread, clients: *clients };
    let opponent = Group { contenders: tried.iter().map(by_hand).collect(), best: true };
    vec![opponent, store(kind, spread, &[1, 64, 256])]
}

fn scripts(role: Role, scripts: &[Script], spread: Spread, tried: &[usize]) -> Group {
    let kind = Kind::Postgres;
    let with = |script: &Script| {
        let way = Way::Script(*script);
        tried.iter().map(move |clients| Contender { kind, role, way, spread, clients: *clients })
    };
    Group { contenders: scripts.iter().flat_map(with).collect(), best: true }
}

fn store(kind: Kind, spread: Spread, submitters: &[usize]) -> Group {
    let with = |clients: &usize| Contender {
        kind,
        role: Role::Store,
        way: Way::Child(Work::Store),
        spread,
        clients: *clients,
    };
    Group { contenders: submitters.iter().map(with).collect(), best: false }
}

fn two_processes() -> Group {
    let two = Contender {
        kind: Kind::Postgres,
        role: Role::TwoProcesses,
        way: Way::Child(Work::Store),
        spread: Spread::Uniform,
        clients: 256,
    };
    Group { contenders: vec![two], best: false }
}
