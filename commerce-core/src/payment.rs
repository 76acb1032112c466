//! Payments: the operations that move money, the answers of processors, and the sandbox.
//!
//! A [`Payment`] is a document beside its order. An operation is recorded before it is sent to the
//! [`Processor`](crate::port::Processor), and its outcome together with what follows for the order, in one commit. In between, the
//! payment has a task that asks the processor, so a crash loses nothing. `docs/payments.md` tells what happens when what fails.

mod book;
mod decide;
mod opening;
mod operation;
mod received;
mod refund;
mod result;
mod sandbox;
mod saved;
mod state;

pub use self::book::{BookEntry, PaymentBook, Verdict};
pub use self::decide::{Finding, MAX_OPERATIONS, NewOperation, PaymentRejection};
pub use self::opening::{Opening, OpeningState};
pub use self::operation::{
    CaptureMode, Decline, DeclineClass, DeclineCode, Details, NextAction, OperationAnswer, OperationKind,
    OperationOutcome, PaymentMethod, Reference,
};
pub use self::received::{EventCursor, ReceivedEvent, ReceivedState, Subject};
pub use self::refund::RefundPart;
pub use self::result::{OperationResult, ResultStatus};
#[cfg(feature = "std")]
pub use self::sandbox::MemoryBooks;
pub use self::sandbox::{Books, BooksUnavailable, SandboxProcessor};
pub use self::saved::{MAX_SAVED_METHODS, SavedCard, SavedMethod, SavedMethodRejection, SavedMethodState};
pub use self::state::{Operation, OperationState, Payment, Totals};
