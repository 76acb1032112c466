//! The consumer: takes messages of a queue into the inbox.

use std::fmt::Write as _;
use std::future::ready;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use commerce_core::engine::{Engine, EngineError, Received};
use commerce_core::inbox::{IncomingId, Message, SourceName};
use commerce_core::port::{QueuedMessage, Subscription};
use sha2::{Digest as _, Sha256};
use tokio::time::sleep;

use crate::telemetry;

/// The most messages that are taken at once.
const AT_ONCE: usize = 16;
/// The pause after a failure. Each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Notes what became of a message, such as `commerce_http::telemetry::note_incoming`.
pub type Note = fn(&str, &Result<Received, EngineError>);

/// Takes the messages of a queue into the inbox of a shop, one after the other.
///
/// A message is acknowledged after the commit of what follows from it, so it takes effect once: the inbox knows it if it comes again. Any number
/// of consumers may share a queue.
#[derive(Debug)]
pub struct Consumer {
    engine: Engine,
    source: SourceName,
    subscription: Arc<dyn Subscription>,
    note: Note,
}

/// How a round went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Went {
    Well,
    /// Some messages were taken, others were not.
    Partly,
    Wrong,
    /// The end was asked for.
    Stopped,
}

impl Consumer {
    /// A consumer that takes the messages of a subscription as those of a source.
    pub fn new(engine: Engine, source: SourceName, subscription: Arc<dyn Subscription>, note: Note) -> Self {
        Self { engine, source, subscription, note }
    }

    /// Takes messages until `stopped`. The message that is being taken is finished first, the others are given back.
    pub async fn run(self, stopped: impl Future<Output = ()> + Send) {
        telemetry::begin_consuming(&self.source);
        let mut stopped = pin!(stopped);
        let mut pause = Duration::ZERO;
        loop {
            tokio::select! {
                biased;
                () = &mut stopped => return,
                () = sleep(pause) => {}
            }
            let next = tokio::select! {
                biased;
                () = &mut stopped => return,
                next = self.subscription.next(AT_ONCE) => next,
            };
            let went = match next {
                Ok(messages) => self.take_all(messages, stopped.as_mut()).await,
                Err(error) => {
                    telemetry::not_consumed(&self.source, "unavailable");
                    tracing::warn!(source = %self.source, %error, "messages could not be taken");
                    Went::Wrong
                }
            };
            pause = match went {
                Went::Well => Duration::ZERO,
                Went::Partly => FIRST_PAUSE,
                Went::Wrong => pause.saturating_mul(2).clamp(FIRST_PAUSE, LONGEST_PAUSE),
                Went::Stopped => return,
            };
        }
    }

    /// Takes messages in their order. One that cannot be taken now is given back and holds up none behind it, unless the store is away.
    async fn take_all(
        &self,
        messages: Vec<QueuedMessage>,
        mut stopped: Pin<&mut (impl Future<Output = ()> + Send)>,
    ) -> Went {
        let (mut taken, mut failed) = (false, false);
        let mut rest = messages.into_iter();
        while let Some(message) = rest.next() {
            if has_come(stopped.as_mut()).await {
                self.give_back(&message).await;
                self.give_all_back(rest).await;
                return Went::Stopped;
            }
            match self.take(&message).await {
                Ok(()) => taken = true,
                Err(error) => {
                    failed = true;
                    self.give_back(&message).await;
                    if is_outage(&error) {
                        break;
                    }
                }
            }
        }
        self.give_all_back(rest).await;
        match (failed, taken) {
            (false, _) => Went::Well,
            (true, true) => Went::Partly,
            (true, false) => Went::Wrong,
        }
    }

    async fn give_all_back(&self, messages: impl Iterator<Item = QueuedMessage>) {
        for message in messages {
            self.give_back(&message).await;
        }
    }

    async fn take(&self, message: &QueuedMessage) -> Result<(), EngineError> {
        let read = Message { source: self.source.clone(), id: id_of(&message.body), body: &message.body };
        let received = Box::pin(self.engine.receive_message(&read)).await;
        (self.note)(self.source.as_str(), &received);
        if let Err(error) = received {
            telemetry::not_consumed(&self.source, if is_outage(&error) { "store" } else { "refused" });
            tracing::warn!(source = %self.source, %error, "a message was not taken and will come again");
            return Err(error);
        }
        if let Err(error) = message.settlement.acknowledge().await {
            // It comes again, and the inbox knows it.
            tracing::warn!(source = %self.source, %error, "a message was taken, but the queue does not know it");
        }
        Ok(())
    }

    async fn give_back(&self, message: &QueuedMessage) {
        if let Err(error) = message.settlement.give_back().await {
            tracing::warn!(source = %self.source, %error, "a message was not given back and comes again later");
        }
    }
}

/// Whether the store is away, so that other messages would not be taken either.
const fn is_outage(error: &EngineError) -> bool {
    matches!(error, EngineError::Store(_))
}

/// Whether a future is done by now.
async fn has_come(future: Pin<&mut (impl Future<Output = ()> + Send)>) -> bool {
    tokio::select! {
        biased;
        () = future => true,
        () = ready(()) => false,
    }
}

/// What a message is known by if the id of its event cannot be read: its content. The positions of a queue begin anew when it is made
/// anew, and then another message would be taken for this one.
fn id_of(body: &[u8]) -> IncomingId {
    let digest = Sha256::digest(body);
    let mut id = String::from("sha256-");
    for byte in digest {
        write!(id, "{byte:02x}").ok();
    }
    id.parse().unwrap_or_else(|_| unreachable!("it has 71 characters"))
}
