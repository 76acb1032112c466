//! `/{noun}/{id}/history` of documents

use commerce_core::document::{DocumentId, DocumentKind};

use crate::answer::Outcome;
use crate::app::App;
use crate::call::RequestContext;
use crate::dto::history::DocumentEventShape;
use crate::dto::schema::{CategoryIdSchema, ProductIdSchema, PromotionIdSchema};
use crate::page::{self, List, Listing, Paging};

const HISTORY: &str = "history";

/// Declares a route for a kind of document.
macro_rules! histories {
    ($($(#[$doc:meta])* $name:ident($kind:ident) $path:literal $tag:literal $id:ident;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            get, path = $path, tag = $tag,
            params(("id" = $id, Path), Paging),
            responses((status = 200, body = List<DocumentEventShape<'_>>))
        )]
        pub(crate) async fn $name(app: &App, call: &RequestContext) -> Outcome {
            of(app, call, DocumentKind::$kind).await
        }
    )*};
}

histories! {
    /// The history of a cart, oldest first; for staff.
    of_cart(Cart) "/carts/{id}/history" "carts" Uuid;
    /// The history of a category, oldest first; for staff.
    of_category(Category) "/categories/{id}/history" "catalog" CategoryIdSchema;
    /// The history of a product, oldest first; for staff.
    of_product(Product) "/products/{id}/history" "catalog" ProductIdSchema;
    /// The history of a promotion, oldest first; for staff.
    of_promotion(Promotion) "/promos/{id}/history" "promotions" PromotionIdSchema;
}

/// The history of the document in the path.
pub(super) async fn of(app: &App, call: &RequestContext, kind: DocumentKind) -> Outcome {
    let page = page::asked::<u64>(&call.query()?, HISTORY)?;
    let id = DocumentId { kind, id: call.param("id").to_owned() };
    let mut list = Listing::new(call, HISTORY, page).await?;
    while let Some(page) = list.request() {
        let found = app.engine.document_history(call.caller()?, &id, &page).await?;
        list.add(&found, |entry| entry.sequence, |entries, entry| entries.push(&DocumentEventShape::from(entry)));
    }
    Ok(list.answer())
}
