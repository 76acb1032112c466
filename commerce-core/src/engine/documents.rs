//! The history of documents.

use alloc::vec::Vec;

use crate::actor::Actor;
use crate::document::{DocumentEvent, DocumentId};
use crate::event::Recorded;
use crate::permission::Permission;

use super::{Engine, EngineError, Resource, Result};

impl Engine {
    /// The history of a document, oldest first.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if there is no such document, [`EngineError::Forbidden`] to customers.
    pub async fn document_history(&self, caller: &Actor, id: &DocumentId) -> Result<Vec<Recorded<DocumentEvent>>> {
        caller.require(Permission::SeeAll)?;
        let history = self.ports.store.document_history(id).await?;
        if history.is_empty() { Err(EngineError::NotFound(Resource::Document(id.kind))) } else { Ok(history) }
    }
}
