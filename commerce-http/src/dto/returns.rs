//! Returns.

use chrono::{DateTime, Utc};
use commerce_core::Quantity;
use commerce_core::engine::ReturnInput;
use commerce_core::ids::{ItemId, OrderId, ReturnId};
use commerce_core::order::{Order, Reason, Return, ReturnLine, ReturnStatus};
use commerce_core::problem::{Findings, Read};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::leaf::all;
use super::shape::shape;

shape! {
    /// A return of units of an order.
    #[schema(as = Return)]
    pub(crate) struct ReturnShape<'a> from (order_id, found): (OrderId, &'a Return) {
        id: ReturnId = found.id,
        order_id: OrderId = order_id,
        status: ReturnStatus = found.status,
        items: Vec<ReturnLineShape> = found.lines.iter().map(ReturnLineShape::from).collect(),
        reason: Option<&'a Reason> = found.reason.as_ref(),
        requested_at: DateTime<Utc> = found.requested_at,
    }
}

/// Units of one line of an order.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReturnLine)]
pub(crate) struct ReturnLineShape {
    /// A line of the order.
    item_id: Uuid,
    #[schema(minimum = 1, maximum = 1_000_000)]
    quantity: i64,
}

impl<'a> ReturnShape<'a> {
    pub(crate) fn of(order: &'a Order, id: ReturnId) -> Option<Self> {
        order.returns.iter().find(|known| known.id == id).map(|found| (order.id, found).into())
    }
}

impl From<&ReturnLine> for ReturnLineShape {
    fn from(line: &ReturnLine) -> Self {
        Self { item_id: line.item.uuid(), quantity: line.quantity.get() }
    }
}

/// Units to return.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReturn {
    #[serde(alias = "lines")]
    items: Vec<ReturnLineShape>,
    #[schema(value_type = Option<Reason>)]
    reason: Option<String>,
}

impl NewReturn {
    pub(crate) fn read(self, f: &mut Findings) -> Read<ReturnInput> {
        all!(ReturnInput {
            lines: f.field("items", |f| f.list(self.items, ReturnLineShape::read)),
            reason: f.parse_option("reason", self.reason),
        })
    }
}

impl ReturnLineShape {
    pub(super) fn read(self, f: &mut Findings) -> Read<ReturnLine> {
        let quantity = f.value("quantity", Quantity::new(self.quantity))?;
        Some(ReturnLine { item: ItemId::new(self.item_id), quantity })
    }
}
