//! Says once how the values of the core look in the `OpenAPI` document, so that no field of a document has to.

use utoipa_config::Config;

/// Values that are written as text.
const TEXTS: [&str; 23] = [
    "BoundedString",
    "CartStatus",
    "CategoryId",
    "Code",
    "CodeMatching",
    "CodeRejection",
    "Currency",
    "DecimalDto",
    "LineId",
    "Limit",
    "Name",
    "NoEffect",
    "OrderNumber",
    "ProductId",
    "PromotionId",
    "Reason",
    "Rounding",
    "Selection",
    "ShipmentStatus",
    "Sku",
    "Status",
    "TaxLevel",
    "UserId",
];
/// Ids that are written as UUIDs.
const UUIDS: [&str; 7] = ["CartId", "EventId", "ItemId", "OrderId", "PaymentId", "RefundId", "ReturnId"];

fn main() {
    let config = Config::new().alias_for("Quantity", "i64").alias_for("Metadata", "crate::dto::metadata::MetadataDto");
    let config = TEXTS.into_iter().fold(config, |config, name| config.alias_for(name, "String"));
    let config = UUIDS.into_iter().fold(config, |config, name| config.alias_for(name, "uuid::Uuid"));
    config.write_to_file();
}
