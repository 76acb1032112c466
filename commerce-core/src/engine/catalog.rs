//! Use cases of the catalog.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use crate::actor::{Actor, Role};
use crate::catalog::{Category, MAX_TREE, Product, Variant};
use crate::document::DocumentKind;
use crate::ids::{CategoryId, ProductId};
use crate::metadata::Metadata;
use crate::permission::Permission;
use crate::port::{Page, PageRequest, ProductCursor, ProductFilter};
use crate::stock::{StockAction, StockMove};
use crate::text::{BoundedString, Name};

use super::{Answer, Decided, Decision, Engine, EngineError, Expected, Field, Key, Resource, Result, Target};

/// The fields of a product that a caller sets. The engine sets the version and the times.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct ProductInput {
    pub name: Name,
    pub description: Option<BoundedString<4000>>,
    pub categories: Vec<CategoryId>,
    /// Whether it is for sale.
    pub active: bool,
    pub variants: Vec<Variant>,
    pub metadata: Metadata,
}

impl ProductInput {
    /// A product for sale, without description and categories.
    pub fn new(name: Name, variants: Vec<Variant>) -> Self {
        Self { name, description: None, categories: Vec::new(), active: true, variants, metadata: Metadata::default() }
    }
}

/// The fields of a category that a caller sets. The engine sets the version and the times.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CategoryInput {
    /// Referenced by products.
    pub id: CategoryId,
    pub name: Name,
    /// `None`: at the root.
    pub parent: Option<CategoryId>,
}

/// A product to import, with the units on hand of its variants.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ImportRow {
    pub id: ProductId,
    pub product: ProductInput,
    /// One figure per variant, in their order.
    pub on_hand: Vec<i64>,
}

/// The result of an import, in products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct Imported {
    pub added: u64,
    pub changed: u64,
    pub unchanged: u64,
}

impl Imported {
    pub(super) const fn count(&mut self, is_new: bool, is_changed: bool) {
        let count = match is_changed {
            true if is_new => &mut self.added,
            true => &mut self.changed,
            false => &mut self.unchanged,
        };
        *count = count.saturating_add(1);
    }
}

impl Engine {
    /// A product. Guests and customers see active ones only.
    ///
    /// # Errors
    /// [`EngineError::NotFound`].
    pub async fn product(&self, caller: Option<&Actor>, id: &ProductId) -> Result<Product> {
        let product = self.ports.store.product(id).await?;
        let visible = product.filter(|product| product.active || sees_all(caller));
        visible.ok_or(EngineError::NotFound(Resource::Document(DocumentKind::Product)))
    }

    /// Products, newest first. Guests and customers see active ones only. A category includes those below it.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`] if a guest or a customer filters by keys.
    pub async fn products(
        &self,
        caller: Option<&Actor>,
        category: Option<&CategoryId>,
        mut filter: ProductFilter,
        page: &PageRequest<ProductCursor>,
    ) -> Result<Page<Product, ProductCursor>> {
        if let Some(category) = category {
            filter.categories = below(category, &self.ports.store.categories().await?);
        }
        require_for_keys(caller, &filter.keys)?;
        if !sees_all(caller) {
            filter.active = Some(true);
        }
        Ok(self.ports.store.products(&filter, page).await?)
    }

    /// Every category, by id.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn categories(&self) -> Result<Vec<Category>> {
        Ok(self.ports.store.categories().await?)
    }

    /// Creates a product, under a fresh id if none is given.
    ///
    /// # Errors
    /// [`EngineError::AlreadyExists`]; otherwise as [`Engine::save_product`].
    pub async fn add_product(
        &self,
        caller: &Actor,
        id: Option<ProductId>,
        input: &ProductInput,
        key: Key<'_, Product>,
    ) -> Answer<Product> {
        let id = id.unwrap_or_else(|| self.fresh_name());
        self.decide_and_commit(key, |_| self.decide_new_product(caller, &id, input)).await
    }

    async fn decide_new_product(&self, caller: &Actor, id: &ProductId, input: &ProductInput) -> Decided<Product> {
        match self.decide_product(caller, Target { id, expected: Expected::Version(0) }, input).await {
            Err(EngineError::VersionMismatch { .. }) => {
                Err(EngineError::AlreadyExists(Resource::Document(DocumentKind::Product)))
            }
            decided => decided,
        }
    }

    /// Creates a product, or replaces all its fields.
    ///
    /// # Errors
    /// [`EngineError::Catalog`], [`EngineError::Invalid`] (unknown category), [`EngineError::VersionMismatch`],
    /// [`EngineError::Refused`] (SKU taken), [`EngineError::Forbidden`].
    pub async fn save_product(
        &self,
        caller: &Actor,
        target: Target<&ProductId>,
        input: &ProductInput,
        key: Key<'_, Product>,
    ) -> Answer<Product> {
        self.decide_and_commit(key, |_| self.decide_product(caller, target, input)).await
    }

    async fn decide_product(
        &self,
        caller: &Actor,
        target: Target<&ProductId>,
        input: &ProductInput,
    ) -> Decided<Product> {
        caller.require(Permission::ManageCatalog)?;
        let known = self.ports.store.product(target.id).await?;
        let at = self.now();
        target.expected.check(known.as_ref().map_or(0, |product| product.version))?;
        let outcome = input.product(target.id, known.as_ref(), at);
        outcome.check(self.settings.currency)?;
        self.check_categories(&input.categories).await?;
        let mut commit = self.commit_by(caller, at);
        commit.change(known.as_ref(), outcome.clone());
        Ok(Decision { commit, outcome })
    }

    async fn check_categories(&self, categories: &[CategoryId]) -> Result<()> {
        if categories.is_empty() {
            return Ok(());
        }
        let known = self.ports.store.categories().await?;
        let unknown = categories.iter().position(|id| !known.iter().any(|category| category.id == *id));
        unknown
            .map_or(Ok(()), |index| Err(EngineError::invalid(Field::Category { index }, "there is no such category")))
    }

    /// Creates or renames a category. The parent cannot be changed, so the tree has no cycle.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] (unknown or changed parent, too many), [`EngineError::Forbidden`].
    pub async fn save_category(
        &self,
        caller: &Actor,
        input: CategoryInput,
        key: Key<'_, Category>,
    ) -> Answer<Category> {
        self.decide_and_commit(key, |_| self.decide_category(caller, &input)).await
    }

    async fn decide_category(&self, caller: &Actor, input: &CategoryInput) -> Decided<Category> {
        caller.require(Permission::ManageCatalog)?;
        let all = self.ports.store.categories().await?;
        let known = all.iter().find(|known| known.id == input.id);
        check_category(input, known, &all)?;
        let mut commit = self.commit_by(caller, self.now());
        let outcome = input.category(known, commit.at);
        if known.is_none_or(|known| known.name != outcome.name) {
            commit.change(known, outcome.clone());
        }
        Ok(Decision { commit, outcome })
    }

    /// Imports products with their stock in one commit. Existing products are updated, missing categories are created.
    /// Repeating an import changes nothing.
    ///
    /// # Errors
    /// As [`Engine::save_product`], for the first refused product; nothing is imported then.
    #[expect(clippy::expect_used, reason = "no key is given")]
    #[expect(clippy::missing_panics_doc, reason = "it never panics")]
    pub async fn import(&self, caller: &Actor, rows: &[ImportRow]) -> Result<Imported> {
        let reply = self.decide_and_commit(None, |_| self.decide_import(caller, rows)).await?;
        Ok(reply.into_fresh().expect("without a key nothing was answered before"))
    }

    async fn decide_import(&self, caller: &Actor, rows: &[ImportRow]) -> Decided<Imported> {
        caller.require(Permission::ManageCatalog)?;
        let at = self.now();
        let mut commit = self.commit_by(caller, at);
        let mut imported = Imported::default();
        for category in self.missing_categories(rows, at).await? {
            commit.change(None, category);
        }
        for row in rows {
            let known = self.ports.store.product(&row.id).await?;
            let product = row.product.product(&row.id, known.as_ref(), at);
            product.check(self.settings.currency)?;
            let same = known.as_ref().is_some_and(|known| {
                *known == Product { version: known.version, updated_at: known.updated_at, ..product.clone() }
            });
            imported.count(known.is_none(), !same);
            let counts = row.product.variants.iter().zip(&row.on_hand);
            commit.stock.extend(counts.map(|(variant, on_hand)| StockMove {
                sku: variant.sku.clone(),
                action: StockAction::Set { on_hand: *on_hand, reorder_threshold: None, expected: None },
            }));
            if !same {
                commit.change(known.as_ref(), product);
            }
        }
        Ok(Decision { commit, outcome: imported })
    }

    async fn missing_categories(&self, rows: &[ImportRow], at: DateTime<Utc>) -> Result<Vec<Category>> {
        let known = self.ports.store.categories().await?;
        let category_ids = rows.iter().flat_map(|row| &row.product.categories);
        let missing: BTreeMap<_, _> = category_ids
            .filter(|id| !known.iter().any(|category| category.id == **id))
            .filter_map(|id| Some(CategoryInput { id: id.clone(), name: id.as_str().parse().ok()?, parent: None }))
            .map(|input| (input.id.clone(), input.category(None, at)))
            .collect();
        Ok(missing.into_values().collect())
    }
}

impl ProductInput {
    fn product(&self, id: &ProductId, known: Option<&Product>, at: DateTime<Utc>) -> Product {
        Product {
            id: id.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            categories: self.categories.clone(),
            active: self.active,
            variants: self.variants.clone(),
            metadata: self.metadata.clone(),
            version: known.map_or(0, |product| product.version).saturating_add(1),
            created_at: known.map_or(at, |product| product.created_at),
            updated_at: at,
        }
    }
}

impl CategoryInput {
    fn category(&self, known: Option<&Category>, at: DateTime<Utc>) -> Category {
        match known {
            Some(known) if known.name == self.name => known.clone(),
            known => Category {
                id: self.id.clone(),
                name: self.name.clone(),
                parent: self.parent.clone(),
                version: known.map_or(0, |known| known.version).saturating_add(1),
                created_at: known.map_or(at, |known| known.created_at),
                updated_at: at,
            },
        }
    }
}

/// Only staff filter lists by keys.
pub(super) fn require_for_keys(caller: Option<&Actor>, keys: &[String]) -> Result<()> {
    let role = caller.map_or(Role::Customer, |caller| caller.role);
    if keys.is_empty() || role.may(Permission::SeeAll) { Ok(()) } else { Err(EngineError::Forbidden { role }) }
}

fn sees_all(caller: Option<&Actor>) -> bool {
    caller.is_some_and(|caller| caller.role.may(Permission::SeeAll))
}

/// A category and all below it.
fn below(root: &CategoryId, all: &[Category]) -> Vec<CategoryId> {
    let mut found = Vec::from([root.clone()]);
    let mut next = 0;
    while let Some(parent) = found.get(next).cloned() {
        found.extend(all.iter().filter(|c| c.parent.as_ref() == Some(&parent)).map(|c| c.id.clone()));
        next = next.saturating_add(1);
    }
    found
}

fn check_category(input: &CategoryInput, old: Option<&Category>, known: &[Category]) -> Result<()> {
    if old.is_some_and(|old| old.parent != input.parent) {
        return Err(EngineError::invalid(Field::Parent, "a category keeps its parent"));
    }
    let parent = input.parent.as_ref().filter(|_| old.is_none());
    if let Some(parent) = parent.filter(|parent| !known.iter().any(|other| other.id == **parent)) {
        return Err(EngineError::invalid(Field::Parent, format!("there is no category {parent}")));
    }
    if old.is_none() && known.len() >= MAX_TREE {
        return Err(EngineError::invalid(Field::Request, format!("a shop has at most {MAX_TREE} categories")));
    }
    Ok(())
}
