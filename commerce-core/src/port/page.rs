//! Pages of lists.

use alloc::vec::Vec;
use core::cmp::Ordering;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::StoreResult;

/// A request for at most `limit` entries after `after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest<K> {
    /// The maximum number of entries, at least 1.
    pub limit: u16,
    /// The cursor of the previous page; `None` for the first page.
    pub after: Option<K>,
}

/// A part of a list, with the cursor of the next part.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Page<T, K> {
    pub items: Vec<T>,
    /// The cursor of the last entry; `None` on the last page.
    pub next: Option<K>,
}

/// The position of an entry in a list sorted by creation, newest first, then by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Cursor<I> {
    pub created_at: DateTime<Utc>,
    pub id: I,
}

impl<I: Ord> Ord for Cursor<I> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.created_at.cmp(&self.created_at).then_with(|| self.id.cmp(&other.id))
    }
}

impl<I: Ord> PartialOrd for Cursor<I> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> PageRequest<K> {
    /// The page size of [`PageRequest::read_all`].
    const MANY: u16 = 500;

    /// The first entries of a list.
    pub const fn first(limit: u16) -> Self {
        Self { limit, after: None }
    }

    /// The same request with another form of its cursor.
    pub fn map<T>(self, form: impl FnOnce(K) -> T) -> PageRequest<T> {
        PageRequest { limit: self.limit, after: self.after.map(form) }
    }

    /// Every entry of a list, read page by page.
    ///
    /// # Errors
    /// The first error of `read`.
    pub async fn read_all<T, F>(read: impl Fn(Self) -> F) -> StoreResult<Vec<T>>
    where
        F: Future<Output = StoreResult<Page<T, K>>>,
    {
        let (mut all, mut request) = (Vec::new(), Self::first(Self::MANY));
        loop {
            let Page { items, next } = read(request).await?;
            all.extend(items);
            let Some(next) = next else { return Ok(all) };
            request = Self { limit: Self::MANY, after: Some(next) };
        }
    }
}

impl<T, K: Ord> Page<T, K> {
    /// The page of a list in ascending order of its keys.
    pub fn ascending(entries: impl IntoIterator<Item = T>, page: &PageRequest<K>, key: impl Fn(&T) -> K) -> Self {
        Self::sorted(entries, page, key, Ord::cmp)
    }

    /// The page of a list in descending order of its keys.
    pub fn descending(entries: impl IntoIterator<Item = T>, page: &PageRequest<K>, key: impl Fn(&T) -> K) -> Self {
        Self::sorted(entries, page, key, |one, other| other.cmp(one))
    }

    fn sorted(
        entries: impl IntoIterator<Item = T>,
        page: &PageRequest<K>,
        key: impl Fn(&T) -> K,
        order: impl Fn(&K, &K) -> Ordering,
    ) -> Self {
        let behind = |entry: &T| page.after.as_ref().is_none_or(|after| order(&key(entry), after).is_gt());
        let mut items: Vec<T> = entries.into_iter().filter(behind).collect();
        items.sort_by(|one, other| order(&key(one), &key(other)));
        let more = items.len() > page.limit.into();
        items.truncate(page.limit.into());
        Self { next: items.last().filter(|_| more).map(key), items }
    }
}

impl<T, K> Page<T, K> {
    /// The same page with its entries in another form.
    pub fn map<U>(self, form: impl FnMut(T) -> U) -> Page<U, K> {
        Page { items: self.items.into_iter().map(form).collect(), next: self.next }
    }
}
