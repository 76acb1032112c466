//! A processor that says what a history tells it to say.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use commerce_core::ids::OperationId;
use commerce_core::money::Money;
use commerce_core::payment::{DeclineCode, OperationAnswer, OperationOutcome};
use commerce_core::port::{
    OpenedPayment, OperationLookup, OperationRequest, PaymentTerms, Processor, ProcessorError, ProcessorEvent,
    ProcessorEvents, Webhook, WebhookRejection,
};
use commerce_testkit::commit_builder::parse;
use tokio::sync::oneshot;

use crate::table::Word;

#[derive(Debug, Default)]
pub(crate) struct Scripted(Mutex<Script>);

#[derive(Debug, Default)]
struct Script {
    /// By their numbers: the operations in the order in which they were first sent.
    sent: Vec<OperationRequest>,
    /// How each of them stands. Others are approved.
    truth: &'static [Word],
    /// What the next contact about an operation is answered, in place of what is true.
    next: BTreeMap<usize, Word>,
    /// The next contact about an operation says that it is there, and waits.
    gate: Option<(usize, oneshot::Sender<()>, oneshot::Receiver<()>)>,
}

impl Scripted {
    pub(crate) fn new(truth: &'static [Word]) -> Self {
        Self(Mutex::new(Script { truth, ..Script::default() }))
    }

    /// Answers the next contact about an operation in place of what is true.
    pub(crate) fn say(&self, operation: usize, word: Word) {
        self.script().next.insert(operation, word);
    }

    /// Lets the next contact about an operation wait: the first end is told that it is there, the second lets it go on.
    pub(crate) fn hold(&self, operation: usize) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let ((arrive, arrived), (go_on, wait)) = (oneshot::channel(), oneshot::channel());
        self.script().gate = Some((operation, arrive, wait));
        (arrived, go_on)
    }

    /// The operations, in the order in which they were first sent.
    pub(crate) fn sent(&self) -> Vec<OperationRequest> {
        self.script().sent.clone()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn contact(&self, number: usize) -> Word {
        let is_held = |gate: &mut (usize, _, _)| gate.0 == number;
        let gate = self.script().gate.take_if(is_held);
        if let Some((_, arrive, wait)) = gate {
            arrive.send(()).expect("the play waits for the call");
            wait.await.expect("the play lets the call go on");
        }
        let mut script = self.script();
        let said = script.next.remove(&number).or_else(|| script.truth.get(number).copied());
        said.unwrap_or(Word::Succeeded(""))
    }

    fn answer(&self, number: usize, word: Word) -> Option<OperationAnswer> {
        answer(number, self.script().sent[number].amount, word)
    }

    fn number(&self, id: OperationId) -> Option<usize> {
        self.script().sent.iter().position(|known| known.id == id)
    }
}

/// `None`: there is nothing to say.
pub(crate) fn answer(number: usize, asked: Money, word: Word) -> Option<OperationAnswer> {
    let outcome = match word {
        Word::Succeeded("") => OperationOutcome::Succeeded { amount: asked },
        Word::Succeeded(amount) => OperationOutcome::Succeeded { amount: parse(amount) },
        Word::Pending => OperationOutcome::Pending { next: None },
        Word::Declined => OperationAnswer::declined(DeclineCode::CardDeclined).outcome,
        Word::Nothing => return None,
    };
    let reference = Some(parse(&format!("operation-{number}")));
    Some(OperationAnswer { payment_reference: Some(parse("payment")), reference, ..OperationAnswer::new(outcome) })
}

#[async_trait]
impl Processor for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    async fn open(&self, _payment: &PaymentTerms) -> Result<OpenedPayment, ProcessorError> {
        Ok(OpenedPayment { reference: parse("payment"), client_secret: None })
    }

    async fn close(&self, _payment: &PaymentTerms) -> Result<(), ProcessorError> {
        Ok(())
    }

    async fn perform(&self, request: &OperationRequest) -> Result<OperationAnswer, ProcessorError> {
        let known = self.number(request.id);
        let number = known.unwrap_or_else(|| {
            let sent = &mut self.script().sent;
            sent.push(request.clone());
            sent.len() - 1
        });
        let word = self.contact(number).await;
        self.answer(number, word).ok_or_else(|| ProcessorError::Unknown("there is no answer".into()))
    }

    async fn find(&self, lookup: &OperationLookup) -> Result<Option<OperationAnswer>, ProcessorError> {
        let Some(number) = self.number(lookup.id) else { return Ok(None) };
        let word = self.contact(number).await;
        Ok(self.answer(number, word))
    }

    async fn list(&self, _after: Option<&str>) -> Result<ProcessorEvents, ProcessorError> {
        Ok(ProcessorEvents::default())
    }

    fn read_webhook(&self, webhook: &Webhook<'_>) -> Result<Vec<ProcessorEvent>, WebhookRejection> {
        serde_json::from_slice(webhook.body).map_err(|_| WebhookRejection::Forged)
    }
}
