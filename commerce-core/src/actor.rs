//! Actors: a user in a role, or the engine itself.

use serde::{Deserialize, Serialize};

use crate::ids::UserId;
use crate::permission::Permission;
use crate::text::named;

named! {
    /// The role of a caller.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Role {
        /// Buys. Can access only their own objects.
        Customer = "customer",
        /// Helps customers: sees everything, cancels, handles returns.
        Support = "support",
        /// Runs the shop.
        Admin = "admin",
        /// Another program of the shop, such as a warehouse.
        Service = "service",
        /// The engine itself: payment outcomes, expiries, tasks. No token carries this role.
        System = "system",
    }
}

/// The caller of a use case, as recorded in the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Actor {
    pub role: Role,
    /// `None`: the engine itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
}

impl Actor {
    /// The engine itself.
    pub const SYSTEM: Self = Self { role: Role::System, user: None };

    /// A user in a role.
    pub const fn user(role: Role, user: UserId) -> Self {
        Self { role, user: Some(user) }
    }

    /// Whether the actor may see an object of `owner`.
    pub fn can_access(&self, owner: &UserId) -> bool {
        self.role.may(Permission::SeeAll) || self.user.as_ref() == Some(owner)
    }
}
