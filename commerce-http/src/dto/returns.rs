//! Returns.

use chrono::{DateTime, Utc};
use commerce_core::ids::{OrderId, ReturnId};
use commerce_core::order::{Order, Reason, Return, ReturnLine, ReturnStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Units of an order that come back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Return)]
pub(crate) struct ReturnShape<'a> {
    #[schema(value_type = uuid::Uuid)]
    id: ReturnId,
    #[schema(value_type = uuid::Uuid)]
    order_id: OrderId,
    /// `requested`, then `approved` and `received`, or `rejected`.
    #[schema(value_type = String, example = "requested")]
    status: ReturnStatus,
    #[schema(value_type = Vec<ReturnLineShape>)]
    items: &'a [ReturnLine],
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reason: Option<&'a Reason>,
    requested_at: DateTime<Utc>,
}

/// Units of one line that come back.
#[derive(Debug, ToSchema)]
#[schema(as = ReturnLine)]
#[expect(dead_code, reason = "describes what the core writes and reads")]
pub(crate) struct ReturnLineShape {
    /// A line of the order.
    item_id: uuid::Uuid,
    #[schema(minimum = 1, maximum = 1_000_000)]
    quantity: i64,
}

impl<'a> ReturnShape<'a> {
    /// A return of an order.
    pub(crate) fn of(order: &'a Order, id: ReturnId) -> Option<Self> {
        order.returns.iter().find(|known| known.id == id).map(|found| Self::new(order.id, found))
    }

    fn new(order_id: OrderId, found: &'a Return) -> Self {
        Self {
            id: found.id,
            order_id,
            status: found.status,
            items: &found.lines,
            reason: found.reason.as_ref(),
            requested_at: found.requested_at,
        }
    }
}

/// Units to send back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReturn {
    #[serde(alias = "lines")]
    #[schema(value_type = Vec<ReturnLineShape>)]
    pub(crate) items: Vec<ReturnLine>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub(crate) reason: Option<Reason>,
}
