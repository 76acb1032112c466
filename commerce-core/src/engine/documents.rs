//! The history of documents.

use crate::actor::Actor;
use crate::document::{DocumentEvent, DocumentId};
use crate::event::Recorded;
use crate::permission::Permission;
use crate::port::{Page, PageRequest};

use super::{Engine, EngineError, Resource, Result};

impl Engine {
    /// The history of a document, oldest first.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if there is no such document, [`EngineError::Forbidden`] to customers.
    pub async fn document_history(
        &self,
        caller: &Actor,
        id: &DocumentId,
        page: &PageRequest<u64>,
    ) -> Result<Page<Recorded<DocumentEvent>, u64>> {
        caller.require(Permission::SeeAll)?;
        let history = self.ports.store.document_history(id, page).await?;
        if history.items.is_empty() && self.ports.store.document(id).await?.is_none() {
            return Err(EngineError::NotFound(Resource::Document(id.kind)));
        }
        Ok(history)
    }
}
