//! How far targets have confirmed the feed: a table that no commit writes and no history makes.
//!
//! Included by each backend, like `ports`.

#![allow(clippy::needless_borrow, reason = "some databases run a query on another thread, which needs owned values")]

use async_trait::async_trait;
use commerce_core::ids::TargetName;
use commerce_core::port::{StoreError, Targets};
use commerce_core::publishing::TargetState;

use super::query::targets;
use super::{Backend, in_listing, in_statement, in_transaction};

#[async_trait]
impl Targets for Backend {
    async fn target(&self, name: &TargetName) -> Result<Option<TargetState>, StoreError> {
        in_statement!(self, [name]; conn => targets::get(conn, &name))
    }

    async fn targets(&self) -> Result<Vec<TargetState>, StoreError> {
        in_listing!(self, []; conn => targets::list(conn))
    }

    async fn replace_target(
        &self,
        before: Option<&TargetState>,
        after: Option<&TargetState>,
    ) -> Result<bool, StoreError> {
        let (before, after) = (before.cloned(), after.cloned());
        in_transaction!(self, [before, after]; conn => targets::replace(conn, before.as_ref(), after.as_ref()))
    }
}
