//! A wire between a store and its server that can be cut at a chosen moment.
//!
//! It forwards what both say, and looks for the words that begin and end a transaction. On every database behind a network these
//! are sent as text, five bytes behind the beginning of their message.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The length of what stands before the words in their message.
const HEAD: usize = 5;

/// How long a server needs to end a transaction.
const ENOUGH: Duration = Duration::from_millis(50);

/// When a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server hears that a transaction begins, and perhaps a little more.
    First,
    /// The server never hears that the transaction ends.
    BeforeCommit,
    /// The server ends the transaction; its answer is lost.
    AfterCommit,
    /// The connection is gone for the client, and the server hears the end of the transaction a while later: it was under way.
    Late(Duration),
    /// Nothing of what the server answers to the end of the transaction arrives, and the connection stays.
    Silence,
    /// When the next transaction begins, the server is gone, and takes no connection any more.
    Away,
}

/// The wire.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    server: u16,
    armed: Mutex<VecDeque<Cut>>,
    refusing: AtomicBool,
    /// Changes when every connection is cut.
    cuts: watch::Sender<u64>,
    /// How many cuts were made where they were asked for.
    made: AtomicUsize,
    /// How many ends of transactions are under way behind a cut.
    late: AtomicUsize,
}

impl Proxy {
    /// Begins to forward to the server on a port.
    pub(crate) async fn start(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            server,
            armed: Mutex::default(),
            refusing: AtomicBool::new(false),
            cuts: watch::Sender::new(0),
            made: AtomicUsize::new(0),
            late: AtomicUsize::new(0),
        });
        tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self { port, shared }
    }

    /// A URL of the server, by way of this wire.
    pub(crate) fn url(&self, direct: &str) -> String {
        let server = format!(":{}/", self.shared.server);
        assert!(direct.contains(&server), "the server is on another port");
        direct.replace(&server, &format!(":{}/", self.port))
    }

    /// Cuts the next connection on which the moment comes; each of these cuts once, one after the other.
    pub(crate) fn arm(&self, cuts: impl IntoIterator<Item = Cut>) {
        *self.shared.armed.lock().unwrap_or_else(PoisonError::into_inner) = cuts.into_iter().collect();
    }

    /// How many connections were cut at their moment.
    pub(crate) fn made(&self) -> usize {
        self.shared.made.load(Ordering::Relaxed)
    }

    /// Cuts every connection there is.
    pub(crate) fn cut_all(&self) {
        self.shared.cuts.send_modify(|count| *count += 1);
    }

    /// Takes no connections, or takes them again.
    pub(crate) fn refuse(&self, refusing: bool) {
        self.shared.refusing.store(refusing, Ordering::Relaxed);
    }

    /// Waits until the server has heard everything that was under way.
    pub(crate) async fn quiesce(&self) {
        while self.shared.late.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // And until it has done what it heard.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        if !shared.refusing.load(Ordering::Relaxed) {
            tokio::spawn(forward(client, Arc::clone(&shared)));
        }
    }
}

async fn forward(client: TcpStream, shared: Arc<Shared>) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, shared.server)).await else { return };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let silent = AtomicBool::new(false);
    let mut cuts = shared.cuts.subscribe();
    tokio::select! {
        () = requests(from_client, to_server, &shared, &silent) => {}
        () = answers(from_server, to_client, &silent) => {}
        _ = cuts.changed() => {}
    }
}

/// Forwards what the client says, up to the moment of a cut.
async fn requests(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, shared: &Arc<Shared>, silent: &AtomicBool) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(count @ 1..) = client.read(&mut bytes).await {
        let said = &bytes[..count];
        let Some((cut, at)) = shared.take(said) else {
            if server.write_all(said).await.is_err() {
                return;
            }
            continue;
        };
        match cut {
            Cut::First | Cut::BeforeCommit | Cut::Away => {
                shared.refusing.fetch_or(cut == Cut::Away, Ordering::Relaxed);
                drop(server.write_all(&said[..at]).await);
                return;
            }
            Cut::AfterCommit | Cut::Silence => {
                silent.store(true, Ordering::Release);
                drop(server.write_all(said).await);
                if cut == Cut::AfterCommit {
                    tokio::time::sleep(ENOUGH).await;
                    return;
                }
            }
            Cut::Late(delay) => {
                drop(server.write_all(&said[..at]).await);
                tokio::spawn(say_late(server, said[at..].to_vec(), delay, Arc::clone(shared)));
                return;
            }
        }
    }
}

/// Says the rest after a while, and stays until the server has taken it.
async fn say_late(mut server: OwnedWriteHalf, rest: Vec<u8>, delay: Duration, shared: Arc<Shared>) {
    shared.late.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(delay).await;
    drop(server.write_all(&rest).await);
    tokio::time::sleep(Duration::from_millis(100)).await;
    shared.late.fetch_sub(1, Ordering::Relaxed);
}

/// Forwards what the server says, until it is silenced.
async fn answers(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, silent: &AtomicBool) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(count @ 1..) = server.read(&mut bytes).await {
        if !silent.load(Ordering::Acquire) && client.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

impl Shared {
    /// The cut whose moment has come, and up to where the server hears what was said.
    fn take(&self, said: &[u8]) -> Option<(Cut, usize)> {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let cut = *armed.front()?;
        let place = |words: &[u8]| said.windows(words.len()).position(|window| window == words);
        let at = match cut {
            Cut::First | Cut::Away => place(b"BEGIN").or_else(|| place(b"START TRANSACTION")).map(|_| said.len()),
            Cut::BeforeCommit | Cut::AfterCommit | Cut::Late(_) | Cut::Silence => {
                // An isolation level is named "read committed".
                let end = |at: &usize| said[*at..].starts_with(b"COMMIT") && !said[*at..].starts_with(b"COMMITTED");
                (0..said.len()).find(end).map(|at| at.saturating_sub(HEAD))
            }
        }?;
        armed.pop_front();
        self.made.fetch_add(1, Ordering::Relaxed);
        Some((cut, at))
    }
}
