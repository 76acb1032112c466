//! Use cases of promotions.

use alloc::format;
use alloc::vec::Vec;

use crate::actor::Actor;
use crate::cart::{Code, MAX_CODES};
use crate::document::{DocumentFilter, DocumentKind};
use crate::ids::{CartId, ItemId, OrderId, PromotionId, Sku, UserId};
use crate::money::Money;
use crate::order::OrderItem;
use crate::permission::Permission;
use crate::port::{Page, PageRequest, PricingQuery, PricingSubject, PromotionCursor, PromotionWithUsage};
use crate::pricing::{CodeRejection, MAX_PROMOTIONS, PromotionOutcome, Quote};
use crate::promotion::{Promotion, PromotionRecord, Redemption, Usage, code_key, same_code};

use super::carts::CartView;
use super::quotes::{Facts, QuoteInput};
use super::{Answer, Decided, Decision, Engine, EngineError, Field, ItemPart, Key, Reply, Resource, Result, Target};

/// The effect of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodeCheck {
    /// Why the code does not apply; `None` if it does.
    pub rejected: Option<CodeRejection>,
    /// The outcomes of the promotions that have the code.
    pub outcomes: Vec<PromotionOutcome>,
    /// The reduction of the total by the code.
    pub saving: Money,
    /// The price with the code.
    pub quote: Quote,
}

/// The items to check a code on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Basket {
    /// The caller's cart with its codes.
    Cart(CartId),
    Items(Vec<(Sku, crate::Quantity)>),
}

/// The items to check a code on, and their customer.
struct Tried {
    user: UserId,
    items: Vec<OrderItem>,
    codes: Vec<Code>,
    facts: Facts,
}

/// The maximum number of automatic promotions of a shop.
const MAX_AUTOMATIC: usize = 500;
/// The maximum number of promotions with the same code, ended ones included.
const MAX_PER_CODE: usize = 20;
// Together with the codes of a cart they are within the limit of a price.
const _: () = assert!(MAX_AUTOMATIC.saturating_add(MAX_PER_CODE.saturating_mul(MAX_CODES)) <= MAX_PROMOTIONS);

impl Engine {
    /// A promotion with its usage, even an ended one.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`].
    pub async fn promotion(&self, caller: &Actor, id: &PromotionId) -> Result<PromotionWithUsage> {
        caller.require(Permission::ManagePromotions)?;
        let kept = self.ports.store.promotion(id).await?;
        kept.ok_or(EngineError::NotFound(Resource::Document(DocumentKind::Promotion)))
    }

    /// Promotions, newest first, including ended ones.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`], [`EngineError::Store`].
    pub async fn promotions(
        &self,
        caller: &Actor,
        filter: &DocumentFilter,
        page: &PageRequest<PromotionCursor>,
    ) -> Result<Page<PromotionWithUsage, PromotionCursor>> {
        caller.require(Permission::ManagePromotions)?;
        Ok(self.ports.store.promotions(filter, page).await?)
    }

    /// The uses of a promotion, newest first.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Forbidden`].
    pub async fn redemptions(
        &self,
        caller: &Actor,
        id: &PromotionId,
        page: &PageRequest<OrderId>,
    ) -> Result<Page<Redemption, OrderId>> {
        self.promotion(caller, id).await?;
        Ok(self.ports.store.redemptions(id, page).await?)
    }

    /// Creates a promotion. `make` gets a fresh id for a promotion without one.
    ///
    /// # Errors
    /// [`EngineError::AlreadyExists`], [`EngineError::Invalid`] (other currency, too many), [`EngineError::Forbidden`];
    /// the error of `make`.
    pub async fn add_promotion<E: From<EngineError>>(
        &self,
        caller: &Actor,
        make: impl FnOnce(PromotionId) -> Result<Promotion, E>,
        key: Key<'_, PromotionWithUsage>,
    ) -> Result<Reply<PromotionWithUsage>, E> {
        let promotion = make(self.fresh_name())?;
        Ok(self.decide_and_commit(key, |_| self.decide_add_promotion(caller, promotion.clone())).await?)
    }

    async fn decide_add_promotion(&self, caller: &Actor, promotion: Promotion) -> Decided<PromotionWithUsage> {
        caller.require(Permission::ManagePromotions)?;
        if self.ports.store.promotion(promotion.id()).await?.is_some() {
            return Err(EngineError::AlreadyExists(Resource::Document(DocumentKind::Promotion)));
        }
        self.check_promotion(caller, &promotion).await?;
        let record = PromotionRecord::new(promotion.with_usage(Usage::default()), self.now());
        Ok(self.keep(caller, None, record, Usage::default()))
    }

    /// Changes the definition of a promotion. Recorded uses and placed orders do not change. If another change is
    /// committed meanwhile, `patch` is applied to its result.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::VersionMismatch`], [`EngineError::Invalid`],
    /// [`EngineError::Forbidden`]; the error of `patch`.
    pub async fn patch_promotion<E: From<EngineError>>(
        &self,
        caller: &Actor,
        target: Target<&PromotionId>,
        patch: impl Fn(&Promotion) -> Result<Promotion, E>,
    ) -> Result<PromotionWithUsage, E> {
        let mut lost = 0;
        loop {
            let kept = self.promotion(caller, target.id).await?;
            target.expected.check(kept.record.version)?;
            let promotion = patch(&kept.record.promotion)?;
            let decided = self.decide_patch(caller, kept, promotion).await;
            if let Some(Reply::Fresh(patched)) = self.submit(&mut lost, None, decided).await? {
                return Ok(patched);
            }
        }
    }

    async fn decide_patch(
        &self,
        caller: &Actor,
        PromotionWithUsage { record, usage }: PromotionWithUsage,
        promotion: Promotion,
    ) -> Decided<PromotionWithUsage> {
        self.check_promotion(caller, &promotion).await?;
        let changed = record.changed(promotion.with_usage(Usage::default()), self.now());
        Ok(self.keep(caller, Some(&record), changed, usage))
    }

    /// Ends a promotion permanently. Its history and placed orders do not change.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::VersionMismatch`], [`EngineError::Forbidden`].
    pub async fn end_promotion(
        &self,
        caller: &Actor,
        target: Target<&PromotionId>,
        key: Key<'_, PromotionWithUsage>,
    ) -> Answer<PromotionWithUsage> {
        self.decide_and_commit(key, |_| self.decide_end_promotion(caller, target)).await
    }

    async fn decide_end_promotion(&self, caller: &Actor, target: Target<&PromotionId>) -> Decided<PromotionWithUsage> {
        let PromotionWithUsage { record, usage } = self.promotion(caller, target.id).await?;
        target.expected.check(record.version)?;
        let ended = record.ended(self.now());
        Ok(self.keep(caller, Some(&record), ended, usage))
    }

    /// The effect of a code for the caller, or for the owner of the cart, or why it does not apply.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] (cart), [`EngineError::Invalid`] (SKU), [`EngineError::Pricing`].
    pub async fn check_code(&self, caller: &Actor, code: &Code, basket: &Basket) -> Result<CodeCheck> {
        let Tried { user, items, mut codes, facts } = self.tried(caller, code, basket).await?;
        codes.retain(|known| !same_code(known.as_str(), code.as_str()));
        let at = self.now();
        let input = QuoteInput { user: &user, items: &items, codes: &codes, shipping: None };
        let without = self.quote_items(&input, &facts, at).await?.quote;
        codes.push(code.clone());
        let input = QuoteInput { user: &user, items: &items, codes: &codes, shipping: None };
        let quote = self.quote_items(&input, &facts, at).await?.quote;
        Ok(CodeCheck {
            rejected: quote.rejection(code.as_str()),
            outcomes: quote.explained(code.as_str()).cloned().collect(),
            saving: without.total.minus(quote.total)?,
            quote,
        })
    }

    async fn tried(&self, caller: &Actor, code: &Code, basket: &Basket) -> Result<Tried> {
        let codes = Vec::from([code_key(code.as_str())]);
        match basket {
            Basket::Cart(id) => {
                let facts = self.facts(&PricingQuery { codes, ..PricingQuery::new(PricingSubject::Cart(*id)) }).await?;
                let CartView { cart, .. } = self.view_for(caller, &facts).await?;
                Ok(Tried { user: cart.user_id, items: cart.items, codes: cart.codes, facts })
            }
            Basket::Items(lines) => {
                let (user, skus) = (caller.user_id()?.clone(), lines.iter().map(|(sku, _)| sku.clone()).collect());
                let query = PricingQuery { subject: PricingSubject::Customer(user.clone()), skus, codes };
                let facts = self.facts(&query).await?;
                let item = |(at, (sku, quantity)): (usize, &(Sku, crate::Quantity))| {
                    let offer = facts.offers.get(sku).filter(|offer| offer.active);
                    let refused =
                        || EngineError::invalid(Field::item(at, ItemPart::Sku), format!("SKU {sku} is not for sale"));
                    Ok(OrderItem::new(ItemId::new(self.ports.ids.next()), offer.ok_or_else(refused)?, *quantity))
                };
                let items = lines.iter().enumerate().map(item).collect::<Result<_>>()?;
                Ok(Tried { user, items, codes: Vec::new(), facts })
            }
        }
    }

    /// A price considers at most [`MAX_PROMOTIONS`], so no cart may have more candidates.
    async fn check_promotion(&self, caller: &Actor, promotion: &Promotion) -> Result<()> {
        if promotion.currency() != self.settings.currency {
            return Err(EngineError::invalid(
                Field::Currency,
                format!("the shop trades in {}", self.settings.currency),
            ));
        }
        let key = promotion.definition().code_key();
        let keys: Vec<_> = key.iter().cloned().collect();
        let candidates = self.ports.store.candidates(&keys, caller.user_id()?).await?;
        let beside =
            candidates.iter().filter(|other| other.id() != promotion.id() && other.definition().code_key() == key);
        let (most, what) = match key {
            None => (MAX_AUTOMATIC, "automatic promotions"),
            Some(_) => (MAX_PER_CODE, "promotions of one code"),
        };
        if beside.count() >= most {
            return Err(EngineError::invalid(Field::Request, format!("a shop has at most {most} {what}")));
        }
        Ok(())
    }

    fn keep(
        &self,
        caller: &Actor,
        before: Option<&PromotionRecord>,
        record: PromotionRecord,
        usage: Usage,
    ) -> Decision<PromotionWithUsage> {
        let mut commit = self.commit_by(caller, record.updated_at);
        if before.is_none_or(|before| before.version != record.version) {
            commit.change(before, record.clone());
        }
        Decision { commit, outcome: PromotionWithUsage { record, usage } }
    }
}
