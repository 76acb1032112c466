//! What a process remembers of a shop, so that it asks in fewer statements. Nothing is decided on it: the answer to a statement
//! shows whether it is still true.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use commerce_core::cart::Cart;
use commerce_core::ids::{CartId, Sku, UserId};
use commerce_core::port::{PricingQuery, PricingSubject};
use commerce_core::promotion::{Limits, PromotionRecord};

/// The most keys of promotions that are remembered.
const KEYS: usize = 10_000;
/// The most carts of a generation. Two generations are remembered.
const CARTS: usize = 1_000;
/// The most SKUs of a cart that is remembered.
const SKUS: usize = 64;

/// Shared by all connections of a store.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    promotions: Mutex<KnownPromotions>,
    carts: Mutex<Carts>,
}

/// Promotions as they were at a version of all promotions.
#[derive(Debug, Default)]
pub(crate) struct KnownPromotions {
    pub(crate) version: i64,
    by_key: BTreeMap<String, Arc<[PromotionRecord]>>,
}

/// What the price of a cart depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) skus: BTreeSet<Sku>,
    /// Keys of promotions.
    pub(crate) keys: BTreeSet<String>,
    pub(crate) customer: Option<UserId>,
}

#[derive(Debug, Default)]
struct Carts {
    new: HashMap<CartId, Arc<Needs>>,
    old: HashMap<CartId, Arc<Needs>>,
}

impl Remembered {
    /// The promotions with these keys, if all keys are known.
    pub(crate) fn promotions(&self, keys: &BTreeSet<String>) -> Option<KnownPromotions> {
        let known = locked(&self.promotions);
        let entry = |key: &String| Some((key.clone(), Arc::clone(known.by_key.get(key)?)));
        Some(KnownPromotions { version: known.version, by_key: keys.iter().map(entry).collect::<Option<_>>()? })
    }

    /// Adds the promotions with these keys at a version, in place of those of another version.
    pub(crate) fn learn_promotions(
        &self,
        version: i64,
        keys: &BTreeSet<String>,
        found: Vec<(String, PromotionRecord)>,
    ) -> KnownPromotions {
        let mut records: BTreeMap<_, Vec<_>> = keys.iter().map(|key| (key.clone(), Vec::new())).collect();
        for (key, record) in found {
            records.entry(key).or_default().push(record);
        }
        let learnt =
            KnownPromotions { version, by_key: records.into_iter().map(|(key, all)| (key, all.into())).collect() };
        let mut known = locked(&self.promotions);
        if known.version != version || known.by_key.len() >= KEYS {
            *known = KnownPromotions { version, by_key: BTreeMap::new() };
        }
        known.by_key.extend(learnt.by_key.clone());
        learnt
    }

    pub(crate) fn forget_promotions(&self) {
        locked(&self.promotions).by_key.clear();
    }

    pub(crate) fn cart(&self, id: CartId) -> Option<Arc<Needs>> {
        let carts = locked(&self.carts);
        carts.new.get(&id).or_else(|| carts.old.get(&id)).cloned()
    }

    pub(crate) fn learn_cart(&self, id: CartId, needs: Needs) {
        if needs.skus.len() > SKUS {
            return;
        }
        let mut carts = locked(&self.carts);
        if carts.new.len() >= CARTS {
            carts.old = mem::take(&mut carts.new);
        }
        carts.new.insert(id, Arc::new(needs));
    }
}

impl Needs {
    pub(crate) fn of(query: &PricingQuery, cart: Option<&Cart>) -> Self {
        let codes = query.all_codes(cart).into_iter().map(|code| PromotionRecord::key_of_code(&code));
        Self {
            skus: query.all_skus(cart),
            keys: codes.chain([PromotionRecord::AUTOMATIC.to_owned()]).collect(),
            customer: query.customer(cart).cloned(),
        }
    }

    /// The needs of the query and, if the cart is remembered, those that it had.
    pub(crate) fn believed(query: &PricingQuery, remembered: &Remembered) -> Self {
        let mut needs = Self::of(query, None);
        let PricingSubject::Cart(id) = query.subject else { return needs };
        if let Some(cart) = remembered.cart(id) {
            needs.skus.extend(cart.skus.iter().cloned());
            needs.keys.extend(cart.keys.iter().cloned());
            needs.customer.clone_from(&cart.customer);
        }
        needs
    }

    /// Whether an answer to these needs is one to others. The customer matters to promotions that are limited.
    pub(crate) fn cover(&self, others: &Self, promotions: &KnownPromotions) -> bool {
        self.skus.is_superset(&others.skus)
            && self.keys.is_superset(&others.keys)
            && (self.customer == others.customer || promotions.limited(&others.keys).is_empty())
    }
}

impl KnownPromotions {
    /// The promotions with these keys, oldest first, then by id.
    pub(crate) fn with_keys(&self, keys: &BTreeSet<String>) -> Vec<&PromotionRecord> {
        let mut records: Vec<_> =
            keys.iter().filter_map(|key| self.by_key.get(key)).flat_map(|all| all.iter()).collect();
        records.sort_by(|one, other| (one.created_at, one.id()).cmp(&(other.created_at, other.id())));
        records
    }

    /// The ids of the promotions with these keys whose uses count.
    pub(crate) fn limited(&self, keys: &BTreeSet<String>) -> Vec<&str> {
        let limited = |record: &&PromotionRecord| record.promotion.definition().limits != Limits::default();
        self.with_keys(keys).into_iter().filter(limited).map(|record| record.id().as_str()).collect()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
