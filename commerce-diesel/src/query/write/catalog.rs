//! Products and categories.

use diesel::prelude::*;

use super::super::{Answer, Conn, RunQueryDsl, dialect};
use crate::changes::Changes;
use crate::rows::catalog::{CategoryRow, ProductCategoryRow, ProductRow, VariantRow};
use crate::schema::{categories, product_categories, products, variants};
use crate::update::update_row;

/// Writes the catalogue. The parts of changed products go before any come, because a sku may change hands.
pub(super) async fn write(conn: &mut Conn, changes: &Changes<'_>) -> Answer<()> {
    for category in changes.categories.values() {
        write_category(conn, CategoryRow::of(category)).await?;
    }
    for draft in changes.products.values().filter(|draft| !draft.new) {
        replace_head(conn, ProductRow::of(draft.document)).await?;
    }
    let new = changes.products.values().filter(|draft| draft.new);
    dialect::insert_all(conn, products::table, new.map(|draft| ProductRow::of(draft.document))).await?;
    let all = || changes.products.values().map(|draft| draft.document);
    dialect::insert_all(conn, variants::table, all().flat_map(VariantRow::all)).await?;
    dialect::insert_all(conn, product_categories::table, all().flat_map(ProductCategoryRow::all)).await?;
    Ok(())
}

async fn write_category(conn: &mut Conn, row: CategoryRow<'_>) -> QueryResult<()> {
    let known = categories::id.eq(row.id.as_ref());
    let update = update_row::<CategoryRow<'static>, _, _, _>(categories::table, known, &row);
    if update.execute(conn).await? == 0 {
        dialect::insert_all(conn, categories::table, [row]).await?;
    }
    Ok(())
}

async fn replace_head(conn: &mut Conn, row: ProductRow<'_>) -> QueryResult<()> {
    let id = row.id.as_ref();
    diesel::delete(variants::table.filter(variants::product_id.eq(id))).execute(conn).await?;
    diesel::delete(product_categories::table.filter(product_categories::product_id.eq(id))).execute(conn).await?;
    let known = products::id.eq(id);
    update_row::<ProductRow<'static>, _, _, _>(products::table, known, &row).execute(conn).await?;
    Ok(())
}
