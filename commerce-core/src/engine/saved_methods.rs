//! Use cases of means of payment that customers save.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::actor::Actor;
use crate::document::{DocumentFilter, DocumentId, DocumentKind};
use crate::ids::{PaymentId, PaymentMethodId, UserId};
use crate::payment::{MAX_SAVED_METHODS, SavedMethod, SavedMethodRejection, SavedMethodState};
use crate::port::{
    ClientSecret, Page, PageRequest, PaymentToken, SavedMeans, Setup, SetupOutcome, SetupRequest, StoreError,
};

use super::{Answer, Decision, Engine, EngineError, Key, PaymentView, Resource, Result};

/// A means of payment that is being saved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StartedSetup {
    pub method: SavedMethod,
    /// With it the customer's client enters the means of payment. `None` once it is saved.
    pub client_secret: Option<ClientSecret>,
}

impl Engine {
    /// Saves a means of payment of the caller, who agrees that it is charged later, when they are not there. With a token it is
    /// saved at once, if the bank asks nothing more; else the customer's client enters it at the processor.
    ///
    /// # Errors
    /// [`EngineError::SavedMethod`], [`EngineError::Payments`] if the processor does not answer.
    pub async fn save_method(
        &self,
        caller: &Actor,
        token: Option<PaymentToken>,
        key: Key<'_, StartedSetup>,
    ) -> Answer<StartedSetup> {
        let user = caller.user_id()?;
        if let Some(reply) = self.answered(key).await? {
            return Ok(reply);
        }
        let means = self.saved_means()?;
        self.free_slot(user).await?;
        let id = PaymentMethodId::new(self.ports.ids.next());
        let setup = means.start_setup(&SetupRequest { id, user: user.clone(), token }).await?;
        let card = match setup.outcome {
            SetupOutcome::Pending => None,
            SetupOutcome::Saved(card) => Some(card),
            SetupOutcome::Declined(decline) => return Err(SavedMethodRejection::Declined(decline).into()),
        };
        let at = self.now();
        let decide = async |_| {
            let mut commit = self.commit_by(caller, at);
            let place = (self.processor_name(), setup.reference.clone());
            let mut method = SavedMethod::pending((id, user.clone()), self.free_slot(user).await?, place, at);
            if let Some(card) = card.clone() {
                method = SavedMethod { version: 1, ..method.saved(card, at) };
            }
            commit.change(None, method.clone());
            let client_secret = setup.client_secret.clone();
            Ok(Decision { commit, outcome: StartedSetup { method, client_secret } })
        };
        let reply = self.decide_and_commit(key, decide).await;
        if let (Err(EngineError::SavedMethod(SavedMethodRejection::TooMany)), Some(card)) = (&reply, &card) {
            means.forget(&card.reference).await?; // others were saved meanwhile
        }
        reply
    }

    /// A free place among those of a user: any of them, so that requests at the same time seldom meet.
    async fn free_slot(&self, user: &UserId) -> Result<u16> {
        let all = PageRequest { limit: MAX_SAVED_METHODS, after: None };
        let taken: BTreeSet<_> = self.methods_of(user, &all).await?.items.iter().map(|method| method.slot).collect();
        let free: Vec<_> = (0..MAX_SAVED_METHODS).filter(|slot| !taken.contains(slot)).collect();
        let [.., draw] = self.ports.ids.next().into_bytes();
        let drawn = free.iter().cycle().nth(draw.into());
        Ok(*drawn.ok_or(SavedMethodRejection::TooMany)?)
    }

    /// A saved means of payment as it is today, for its owner with the secret of today while it is pending.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] also for one of another customer.
    pub async fn saved_method(
        &self,
        caller: &Actor,
        id: PaymentMethodId,
    ) -> Result<(SavedMethod, Option<ClientSecret>)> {
        let method = self.known_method(id).await?.filter(|method| caller.can_access(&method.user_id));
        let (method, secret) = self.as_today(method.ok_or(NOT_FOUND)?).await?;
        let is_own = caller.user.as_ref() == Some(&method.user_id);
        Ok((method, secret.filter(|_| is_own)))
    }

    /// The means of payment that a user has saved or is saving, by id, so the oldest first. Customers see only their own.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if a customer asks for those of another.
    pub async fn saved_methods(
        &self,
        caller: &Actor,
        user: Option<&UserId>,
        page: &PageRequest<String>,
    ) -> Result<Page<SavedMethod, String>> {
        let user = user.map_or_else(|| caller.user_id(), Ok)?;
        if !caller.can_access(user) {
            return Err(NOT_FOUND);
        }
        let mut page = self.methods_of(user, page).await?;
        for method in &mut page.items {
            *method = self.as_today(method.clone()).await?.0;
        }
        Ok(page)
    }

    /// Deletes a saved means of payment: the processor forgets it first.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] also for one of another customer, [`EngineError::Payments`] if the processor does not answer.
    pub async fn delete_method(&self, caller: &Actor, id: PaymentMethodId) -> Result<()> {
        let (method, _) = self.own_method(caller, id).await?;
        if let Some(card) = &method.card {
            self.means_of(&method)?.forget(&card.reference).await?;
        }
        self.change_method(caller, id, SavedMethod::deleted).await.map(drop)
    }

    /// As [`Engine::confirm_payment`], with a means of payment that the caller has saved.
    ///
    /// # Errors
    /// As [`Engine::confirm_payment`]; [`EngineError::SavedMethod`] if it cannot be charged.
    pub async fn confirm_with_saved(
        &self,
        caller: &Actor,
        payment: PaymentId,
        method: PaymentMethodId,
        key: Key<'_, PaymentView>,
    ) -> Answer<PaymentView> {
        let view = self.payment(caller, payment).await?;
        match self.charged_by(caller, method).await {
            Ok(token) => self.confirm_read(caller, view, token, key).await,
            Err(error) => self.answer_again(key, error).await,
        }
    }

    async fn charged_by(&self, caller: &Actor, id: PaymentMethodId) -> Result<PaymentToken> {
        let (method, _) = self.own_method(caller, id).await?;
        let card = method.card.filter(|_| method.processor == self.processor_name());
        Ok(PaymentToken::saved(&card.ok_or(SavedMethodRejection::NotActive)?.reference))
    }

    /// As the processor tells, or as it was if the processor does not answer.
    async fn as_today(&self, method: SavedMethod) -> Result<(SavedMethod, Option<ClientSecret>)> {
        match self.look_at_setup(method.clone()).await {
            Err(EngineError::Payments(_) | EngineError::SavedMethod(_)) => Ok((method, None)),
            looked => looked,
        }
    }

    /// Only the owner charges or deletes it.
    async fn own_method(&self, caller: &Actor, id: PaymentMethodId) -> Result<(SavedMethod, Option<ClientSecret>)> {
        let method = self.known_method(id).await?.filter(|method| caller.user.as_ref() == Some(&method.user_id));
        self.look_at_setup(method.ok_or(NOT_FOUND)?).await
    }

    /// Asks the processor whether the customer has entered one that is pending.
    async fn look_at_setup(&self, method: SavedMethod) -> Result<(SavedMethod, Option<ClientSecret>)> {
        if method.state != SavedMethodState::Pending {
            return Ok((method, None));
        }
        let Setup { client_secret, outcome, .. } = self.means_of(&method)?.find_setup(&method.setup).await?;
        let SetupOutcome::Saved(card) = outcome else { return Ok((method, client_secret)) };
        let saved = |method: &SavedMethod, at| match method.state {
            SavedMethodState::Pending => method.saved(card.clone(), at),
            SavedMethodState::Active | SavedMethodState::Deleted => method.clone(),
        };
        Ok((self.change_method(&Actor::SYSTEM, method.id, saved).await?, None))
    }

    /// Asks whether the customer has entered one that is pending, and ends it after the last question.
    pub(super) async fn settle_setup(&self, id: PaymentMethodId) -> Result<()> {
        let Some(method) = self.known_method(id).await? else { return Ok(()) };
        let asked = method.asked;
        let looked = match self.look_at_setup(method.clone()).await {
            Err(EngineError::SavedMethod(_)) => method, // the shop has another processor now
            looked => looked?.0,
        };
        if looked.state == SavedMethodState::Pending {
            let wait = |method: &SavedMethod, at| {
                let waits = method.state == SavedMethodState::Pending && method.asked == asked;
                if waits { method.waiting(at) } else { method.clone() }
            };
            self.change_method(&Actor::SYSTEM, id, wait).await?;
        }
        Ok(())
    }

    async fn change_method(
        &self,
        caller: &Actor,
        id: PaymentMethodId,
        change: impl Fn(&SavedMethod, DateTime<Utc>) -> SavedMethod,
    ) -> Result<SavedMethod> {
        let decide = async |_| {
            let mut commit = self.commit_by(caller, self.now());
            let before = self.known_method(id).await?.ok_or(NOT_FOUND)?;
            let after = change(&before, commit.at);
            if before != after {
                commit.change(Some(&before), after.clone());
            }
            Ok(Decision { commit, outcome: after })
        };
        let reply = self.decide_and_commit(None, decide).await?;
        reply.into_fresh().ok_or(EngineError::IdempotencyKeyReused) // there is no key
    }

    /// One that is not deleted.
    async fn known_method(&self, id: PaymentMethodId) -> Result<Option<SavedMethod>> {
        let stored = self.ports.store.document(&DocumentId::new(DocumentKind::SavedMethod, &id)).await?;
        let method = stored.map(SavedMethod::try_from).transpose().map_err(StoreError::from)?;
        Ok(method.filter(|method| method.state != SavedMethodState::Deleted))
    }

    async fn methods_of(&self, user: &UserId, page: &PageRequest<String>) -> Result<Page<SavedMethod, String>> {
        let filter = DocumentFilter::all_of(Vec::from([SavedMethod::key_of_user(user)]));
        let Page { items, next } = self.ports.store.documents(DocumentKind::SavedMethod, &filter, page).await?;
        let items = items.into_iter().map(SavedMethod::try_from).collect::<Result<_, _>>().map_err(StoreError::from)?;
        Ok(Page { items, next })
    }

    fn saved_means(&self) -> Result<&dyn SavedMeans> {
        Ok(self.ports.processor.saved_means().ok_or(SavedMethodRejection::Unsupported)?)
    }

    /// The processor where it was saved, if it is still that of the shop.
    fn means_of(&self, method: &SavedMethod) -> Result<&dyn SavedMeans> {
        if method.processor == self.processor_name() {
            return self.saved_means();
        }
        Err(SavedMethodRejection::NotActive.into())
    }
}

const NOT_FOUND: EngineError = EngineError::NotFound(Resource::Document(DocumentKind::SavedMethod));
