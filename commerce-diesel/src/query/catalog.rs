//! Products.

use std::collections::BTreeMap;

use commerce_core::catalog::{Offer, Product};
use commerce_core::ids::{CategoryId, ProductId, Sku};
use commerce_core::port::{Page, PageRequest, ProductCursor, ProductFilter};
use diesel::prelude::*;

use super::{Answer, Conn, Fault, RunQueryDsl, dialect, listing, one_more};
use crate::rows::catalog::{ProductCategoryRow, ProductRow, VariantRow};
use crate::rows::{micros, read};
use crate::schema::{product_categories, products, variants};

/// The offers of those skus that exist.
pub(in super::super) async fn offers(conn: &mut Conn, skus: &[Sku]) -> Answer<Vec<Offer>> {
    let wanted = dialect::in_list(variants::sku, skus.iter().map(Sku::as_str));
    let query = variants::table.inner_join(products::table).filter(wanted);
    let rows: Vec<(VariantRow<'static>, ProductRow<'static>)> =
        query.select((VariantRow::as_select(), ProductRow::as_select())).load(conn).await?;
    let ids: Vec<_> = rows.iter().map(|(_, product)| product.id.clone().into_owned()).collect();
    let categories = categories_of(conn, &ids).await?;
    rows.into_iter().map(|(variant, product)| offer(variant, product, &categories)).collect()
}

type Filed = BTreeMap<String, Vec<ProductCategoryRow<'static>>>;

fn offer(variant: VariantRow<'_>, product: ProductRow<'_>, filed: &Filed) -> Answer<Offer> {
    let mut product = product.into_head()?;
    file(&mut product, filed)?;
    let variant = variant.into_variant()?;
    Ok(Offer::of(&product, &variant))
}

fn file(product: &mut Product, filed: &Filed) -> Answer<()> {
    let rows = filed.get(product.id.as_str()).into_iter().flatten();
    product.categories =
        rows.map(|row| read("product_categories.category_id", &row.category_id)).collect::<Answer<_>>()?;
    Ok(())
}

async fn categories_of(conn: &mut Conn, products: &[String]) -> Answer<Filed> {
    let wanted = dialect::in_list(product_categories::product_id, products.iter().map(String::as_str));
    let order = (product_categories::product_id, product_categories::position);
    let query = product_categories::table.filter(wanted).order(order);
    let rows: Vec<ProductCategoryRow<'static>> = query.select(ProductCategoryRow::as_select()).load(conn).await?;
    Ok(rows.into_iter().fold(BTreeMap::new(), |mut filed: Filed, row| {
        filed.entry(row.product_id.clone().into_owned()).or_default().push(row);
        filed
    }))
}

/// A product.
pub(in super::super) async fn product(conn: &mut Conn, id: &ProductId) -> Answer<Option<Product>> {
    let query = products::table.filter(products::id.eq(id.as_str())).select(ProductRow::as_select());
    let rows: Vec<ProductRow<'static>> = query.load(conn).await?;
    Ok(complete(conn, rows).await?.pop())
}

/// Products, newest first.
pub(in super::super) async fn list(
    conn: &mut Conn,
    filter: &ProductFilter,
    page: &PageRequest<ProductCursor>,
) -> Answer<Page<Product, ProductCursor>> {
    let mut query = products::table.select(ProductRow::as_select()).into_boxed::<dialect::Db>();
    if let Some(active) = filter.active {
        query = query.filter(products::active.eq(active));
    }
    if let Some(text) = &filter.text {
        let sold = variants::table.filter(dialect::contains(variants::sku, text)).select(variants::product_id);
        let named = dialect::contains(products::name, text).or(dialect::contains(products::id, text));
        query = query.filter(named.or(products::id.eq_any(sold)));
    }
    if !filter.categories.is_empty() {
        let wanted =
            dialect::in_list(product_categories::category_id, filter.categories.iter().map(CategoryId::as_str));
        query = query.filter(
            products::id.eq_any(product_categories::table.filter(wanted).select(product_categories::product_id)),
        );
    }
    if let Some(ProductCursor { created_at, id }) = &page.after {
        let at = micros(*created_at);
        let beside = products::created_at.eq(at).and(products::id.gt(id.as_str().to_owned()));
        query = query.filter(products::created_at.le(at)).filter(products::created_at.lt(at).or(beside));
    }
    let query = query.order((products::created_at.desc(), products::id)).limit(one_more(page.limit));
    let rows: Vec<ProductRow<'static>> = query.load(conn).await?;
    let place = |product: &Product| ProductCursor { created_at: product.created_at, id: product.id.clone() };
    Ok(listing(complete(conn, rows).await?, page.limit, place))
}

async fn complete(conn: &mut Conn, rows: Vec<ProductRow<'static>>) -> Answer<Vec<Product>> {
    let ids: Vec<_> = rows.iter().map(|row| row.id.clone().into_owned()).collect();
    let filed = categories_of(conn, &ids).await?;
    let mut sold = variants_of(conn, &ids).await?;
    let complete = |row: ProductRow<'static>| {
        let mut product = row.into_head()?;
        file(&mut product, &filed)?;
        let variants = sold.remove(product.id.as_str()).unwrap_or_default();
        product.variants = variants.into_iter().map(VariantRow::into_variant).collect::<Answer<_>>()?;
        Ok::<_, Fault>(product)
    };
    rows.into_iter().map(complete).collect()
}

async fn variants_of(conn: &mut Conn, products: &[String]) -> Answer<BTreeMap<String, Vec<VariantRow<'static>>>> {
    let wanted = dialect::in_list(variants::product_id, products.iter().map(String::as_str));
    let query = variants::table.filter(wanted).order((variants::product_id, variants::position));
    let rows: Vec<VariantRow<'static>> = query.select(VariantRow::as_select()).load(conn).await?;
    Ok(rows.into_iter().fold(BTreeMap::new(), |mut sold: BTreeMap<_, Vec<_>>, row| {
        sold.entry(row.product_id.clone().into_owned()).or_default().push(row);
        sold
    }))
}

/// Products by id.
pub(super) async fn by_id(conn: &mut Conn, page: &PageRequest<String>) -> Answer<Vec<Product>> {
    let after = page.after.as_deref().unwrap_or_default();
    let query = products::table.filter(products::id.gt(after)).order(products::id).limit(one_more(page.limit));
    let rows: Vec<ProductRow<'static>> = query.select(ProductRow::as_select()).load(conn).await?;
    complete(conn, rows).await
}
