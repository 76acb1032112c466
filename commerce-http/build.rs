//! Declares the `OpenAPI` types of the core's values, so that no field has to.

use utoipa_config::Config;

/// Values with a schema of their own name in `dto::schema`.
const SCHEMAS: [&str; 43] = [
    "CartStatus",
    "CategoryId",
    "Code",
    "CodeMatching",
    "CodeRejection",
    "Compensation",
    "Currency",
    "DeadLetterReason",
    "DeclineClass",
    "DeclineCode",
    "DeliveryFailure",
    "DisabledReason",
    "InboxState",
    "Limit",
    "LineId",
    "Name",
    "NoEffect",
    "OperationKind",
    "OperationState",
    "OrderNumber",
    "PaymentMethod",
    "PaymentStatus",
    "Phase",
    "ProductId",
    "PromotionId",
    "Reason",
    "Receipt",
    "ReceivedState",
    "RefundStatus",
    "ReturnStatus",
    "Role",
    "Rounding",
    "SagaStatus",
    "SagaStep",
    "SavedMethodState",
    "Selection",
    "ShipmentStatus",
    "Sku",
    "Status",
    "StepState",
    "TaskState",
    "TaxLevel",
    "UserId",
];
/// Ids that are UUIDs.
const UUIDS: [&str; 11] = [
    "CartId",
    "DeliveryId",
    "EventId",
    "ItemId",
    "OperationId",
    "OrderId",
    "PaymentId",
    "PaymentMethodId",
    "RefundId",
    "ReturnId",
    "WebhookEndpointId",
];

/// Amounts. A decimal number that is none says so where it is.
const DECIMALS: [&str; 2] = ["Decimal", "DecimalDto"];
const AMOUNT: &str = "crate::dto::schema::AmountNumber";

fn main() {
    let paths = SCHEMAS.map(|name| format!("crate::dto::schema::{name}Schema"));
    let config = Config::new().alias_for("Quantity", "i64").alias_for("Metadata", "crate::dto::metadata::MetadataDto");
    let config = config.alias_for("BoundedString", "String");
    let config = DECIMALS.into_iter().fold(config, |config, name| config.alias_for(name, AMOUNT));
    let config = SCHEMAS.iter().zip(&paths).fold(config, |config, (name, path)| config.alias_for(name, path));
    let config = UUIDS.into_iter().fold(config, |config, name| config.alias_for(name, "uuid::Uuid"));
    config.write_to_file();
}
