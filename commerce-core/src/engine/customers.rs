//! Use cases of customers.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::actor::Actor;
use crate::commit::Commit;
use crate::customer::{Customer, CustomerDetails};
use crate::document::{DocumentFilter, DocumentId, DocumentKind};
use crate::ids::UserId;
use crate::permission::Permission;
use crate::port::{Page, PageRequest, StoreError};

use super::{Answer, Decided, Decision, Engine, EngineError, Imported, Resource, Result, Target};

/// A saved customer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SavedCustomer {
    pub customer: Customer,
    /// Whether there was none before.
    pub is_new: bool,
}

impl Engine {
    /// A customer. Users may read their own.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], also for a deleted one; [`EngineError::Forbidden`].
    pub async fn customer(&self, caller: &Actor, id: &UserId) -> Result<Customer> {
        if !caller.can_access(id) {
            return Err(EngineError::Forbidden { role: caller.role });
        }
        let known = self.known_customer(id).await?;
        known.filter(Customer::is_present).ok_or(EngineError::NotFound(Resource::Document(DocumentKind::Customer)))
    }

    /// Customers by id, without deleted ones.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::Store`].
    pub async fn customers(
        &self,
        caller: &Actor,
        mut filter: DocumentFilter,
        page: &PageRequest<String>,
    ) -> Result<Page<Customer, String>> {
        caller.require(Permission::SeeAll)?;
        filter.keys.push(Vec::from([Customer::LISTED.into()]));
        let Page { items, next } = self.ports.store.documents(DocumentKind::Customer, &filter, page).await?;
        let items = items.into_iter().map(Customer::try_from).collect::<Result<_, _>>().map_err(StoreError::from)?;
        Ok(Page { items, next })
    }

    /// The groups of a user, as segments.
    pub(super) async fn groups(&self, user: &UserId) -> Result<Vec<String>> {
        let known = self.known_customer(user).await?;
        Ok(known.iter().flat_map(|customer| customer.details.groups.iter().map(ToString::to_string)).collect())
    }

    async fn known_customer(&self, id: &UserId) -> Result<Option<Customer>> {
        let known = self.ports.store.document(&DocumentId::new(DocumentKind::Customer, id)).await?;
        Ok(known.map(Customer::try_from).transpose().map_err(StoreError::from)?)
    }

    /// Creates a customer, or replaces all their details.
    ///
    /// # Errors
    /// [`EngineError::VersionMismatch`], [`EngineError::Forbidden`].
    pub async fn save_customer(
        &self,
        caller: &Actor,
        target: Target<&UserId>,
        details: &CustomerDetails,
    ) -> Answer<SavedCustomer> {
        self.decide_and_commit(None, |_| self.decide_customer(caller, target, details)).await
    }

    async fn decide_customer(
        &self,
        caller: &Actor,
        target: Target<&UserId>,
        details: &CustomerDetails,
    ) -> Decided<SavedCustomer> {
        caller.require(Permission::ManageCustomers)?;
        let mut commit = self.commit_by(caller, self.now());
        let outcome = self.put_customer(&mut commit, target, details).await?;
        Ok(Decision { commit, outcome })
    }

    /// Adds a customer to a commit, unless the details are unchanged.
    async fn put_customer(
        &self,
        commit: &mut Commit,
        target: Target<&UserId>,
        details: &CustomerDetails,
    ) -> Result<SavedCustomer> {
        let known = self.known_customer(target.id).await?;
        let present = known.as_ref().filter(|known| known.is_present());
        target.expected.check(present.map_or(0, |present| present.version))?;
        if let Some(present) = present.filter(|present| present.details == *details) {
            return Ok(SavedCustomer { customer: present.clone(), is_new: false });
        }
        let customer = Customer::new(target.id, known.as_ref(), details.clone(), commit.at);
        commit.change(known.as_ref(), customer.clone());
        Ok(SavedCustomer { customer, is_new: present.is_none() })
    }

    /// Imports customers in one commit. Existing customers get the given details. Repeating an import changes nothing.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::Store`]; nothing is imported then.
    #[expect(clippy::expect_used, reason = "no key is given")]
    #[expect(clippy::missing_panics_doc, reason = "it never panics")]
    pub async fn import_customers(&self, caller: &Actor, rows: &BTreeMap<UserId, CustomerDetails>) -> Result<Imported> {
        let reply = self.decide_and_commit(None, |_| self.decide_import_customers(caller, rows)).await?;
        Ok(reply.into_fresh().expect("without a key nothing was answered before"))
    }

    async fn decide_import_customers(
        &self,
        caller: &Actor,
        rows: &BTreeMap<UserId, CustomerDetails>,
    ) -> Decided<Imported> {
        caller.require(Permission::ManageCustomers)?;
        let mut commit = self.commit_by(caller, self.now());
        let mut outcome = Imported::default();
        for (id, details) in rows {
            let before = commit.documents.len();
            let saved = self.put_customer(&mut commit, Target::any(id), details).await?;
            outcome.count(saved.is_new, commit.documents.len() > before);
        }
        Ok(Decision { commit, outcome })
    }

    /// Deletes a customer. The history still contains the earlier details.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::VersionMismatch`], [`EngineError::Forbidden`].
    pub async fn delete_customer(&self, caller: &Actor, target: Target<&UserId>) -> Answer<Customer> {
        self.decide_and_commit(None, |_| self.decide_delete_customer(caller, target)).await
    }

    async fn decide_delete_customer(&self, caller: &Actor, target: Target<&UserId>) -> Decided<Customer> {
        caller.require(Permission::ManageCustomers)?;
        let customer = self.customer(caller, target.id).await?;
        target.expected.check(customer.version)?;
        let mut commit = self.commit_by(caller, self.now());
        let outcome = customer.deleted(commit.at);
        commit.change(Some(&customer), outcome.clone());
        Ok(Decision { commit, outcome })
    }
}
