//! Use cases of reconciliation.

use crate::actor::Actor;
use crate::document::{DocumentFilter, DocumentKind};
use crate::payment::Payment;
use crate::permission::Permission;
use crate::port::PageRequest;
use crate::reconciliation::Reconciliation;

use super::{Engine, Result};

impl Engine {
    /// Everything that the shop booked, to be compared with a statement. `progress` receives the number of payments of each page.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`](super::EngineError::Forbidden), [`EngineError::Store`](super::EngineError::Store).
    pub async fn reconciliation(&self, caller: &Actor, mut progress: impl FnMut(u64)) -> Result<Reconciliation> {
        caller.require(Permission::ReconcilePayments)?;
        let (mut both, mut page) = (Reconciliation::default(), PageRequest::first(PAGE));
        loop {
            let found = self.ports.store.documents(DocumentKind::Payment, &DocumentFilter::default(), &page).await?;
            progress(u64::try_from(found.items.len()).unwrap_or_default());
            let payments = found.items.into_iter().filter_map(|document| Payment::try_from(document).ok());
            for payment in payments {
                payment.booked().for_each(|booked| both.book(booked));
            }
            match found.next {
                Some(next) => page.after = Some(next),
                None => return Ok(both),
            }
        }
    }
}

/// The number of payments that are read at a time.
const PAGE: u16 = 1_000;
