//! The permissions of the roles.
//!
//! | permission | customer | support | admin | service |
//! |---|---|---|---|---|
//! | [`AskOfOrders`](Permission::AskOfOrders): cancel, request a return | yes | yes | yes | yes |
//! | [`SeeAll`](Permission::SeeAll): carts, orders, customers and histories of others, products that are not active, events of payment processors | | yes | yes | yes |
//! | [`HandleReturns`](Permission::HandleReturns): approve, reject, receive, refund | | yes | yes | |
//! | [`CapturePayments`](Permission::CapturePayments): take or give back what is held | | yes | yes | yes |
//! | [`MoveOrders`](Permission::MoveOrders): set the state, ship | | | yes | yes |
//! | [`OrderForOthers`](Permission::OrderForOthers), at prices of their own | | | yes | yes |
//! | [`OrderUnlimited`](Permission::OrderUnlimited): as many orders a minute as they like | | | yes | yes |
//! | [`Quote`](Permission::Quote): price any request | | | yes | yes |
//! | [`ReadFeed`](Permission::ReadFeed): every event of the shop | | | yes | yes |
//! | [`SeeStock`](Permission::SeeStock) | | yes | yes | yes |
//! | [`ManageStock`](Permission::ManageStock) | | | yes | yes |
//! | [`ManageCatalog`](Permission::ManageCatalog): products, categories, imports | | | yes | |
//! | [`ManagePromotions`](Permission::ManagePromotions) | | | yes | |
//! | [`ManageCustomers`](Permission::ManageCustomers) | | | yes | |
//! | [`ManageTasks`](Permission::ManageTasks): list, retry, drop | | | yes | |
//! | [`ManageWebhooks`](Permission::ManageWebhooks): where events are sent | | | yes | |
//! | [`ReconcilePayments`](Permission::ReconcilePayments): read everything that was booked | | | yes | |
//! | [`RecordPayments`](Permission::RecordPayments): captures, failures, expiries, refunds made | | | | |
//!
//! The engine itself ([`Role::System`]) may do everything. Three rules are elsewhere: users can access what they own;
//! only the owner can change or order a cart, or confirm a payment with a token; and the lifecycle names the roles that
//! may take each transition, and until when a customer may.

use crate::actor::Role;

/// A permission that some roles have.
#[expect(missing_docs, reason = "see the table of the module")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    AskOfOrders,
    SeeAll,
    HandleReturns,
    CapturePayments,
    MoveOrders,
    OrderForOthers,
    OrderUnlimited,
    Quote,
    ReadFeed,
    SeeStock,
    ManageStock,
    ManageCatalog,
    ManagePromotions,
    ManageCustomers,
    ManageTasks,
    ManageWebhooks,
    ReconcilePayments,
    RecordPayments,
}

impl Permission {
    /// The roles that have it, besides [`Role::System`], which has every permission.
    pub const fn roles(self) -> &'static [Role] {
        use Role::{Admin, Customer, Service, Support};
        match self {
            Self::AskOfOrders => &[Customer, Support, Admin, Service],
            Self::SeeAll | Self::SeeStock | Self::CapturePayments => &[Support, Admin, Service],
            Self::HandleReturns => &[Support, Admin],
            Self::MoveOrders
            | Self::OrderForOthers
            | Self::OrderUnlimited
            | Self::Quote
            | Self::ReadFeed
            | Self::ManageStock => &[Admin, Service],
            Self::ManageCatalog
            | Self::ManagePromotions
            | Self::ManageCustomers
            | Self::ManageTasks
            | Self::ManageWebhooks
            | Self::ReconcilePayments => &[Admin],
            Self::RecordPayments => &[],
        }
    }
}

impl Role {
    /// Whether the role has a permission.
    pub fn may(self, permission: Permission) -> bool {
        self == Self::System || permission.roles().contains(&self)
    }
}
