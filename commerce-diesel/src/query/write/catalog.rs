//! Products.

use diesel::prelude::*;

use super::super::{Answer, Conn, RunQueryDsl, dialect};
use crate::changes::{Changes, Draft};
use crate::rows::catalog::{ProductCategoryRow, ProductRow, VariantRow};
use crate::schema::{product_categories, variants};
use commerce_core::catalog::Product;

/// Writes the catalog. The parts of changed products go before any come, because a sku may change hands.
pub(super) async fn write(conn: &mut Conn, changes: &Changes<'_>) -> Answer<()> {
    let (new, known): (Vec<_>, Vec<_>) = changes.products.values().partition(|draft| draft.new);
    let changed: Vec<&str> = known.iter().map(|draft| draft.document.id.as_str()).collect();
    let all = || changes.products.values().map(|draft| draft.document);
    dialect::pipeline!(conn;
        () = clear_parts(conn, &changed),
        () = dialect::update_each(conn, heads(known)),
        () = dialect::insert_each(conn, heads(new)),
        () = dialect::insert_each(conn, all().flat_map(VariantRow::all)),
        () = dialect::insert_each(conn, all().flat_map(ProductCategoryRow::all)),
    );
    Ok(())
}

fn heads<'a>(drafts: Vec<&Draft<'a, Product>>) -> impl Iterator<Item = ProductRow<'a>> {
    drafts.into_iter().map(|draft| ProductRow::of(draft.document))
}

async fn clear_parts(conn: &mut Conn, products: &[&str]) -> Answer<()> {
    if products.is_empty() {
        return Ok(());
    }
    let sold = variants::table.filter(dialect::in_list(variants::product_id, products.iter().copied()));
    let filed =
        product_categories::table.filter(dialect::in_list(product_categories::product_id, products.iter().copied()));
    dialect::pipeline!(conn;
        _ = diesel::delete(sold).execute(conn),
        _ = diesel::delete(filed).execute(conn),
    );
    Ok(())
}
