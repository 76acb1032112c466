//! Events that are not in the feed, and wait for targets.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use async_trait::async_trait;

use super::StoreResult;
use crate::engine::FeedItem;
use crate::ids::TargetName;

/// Events that a store keeps outside of the history, such as those of carts in Redis, until every target has confirmed them.
///
/// # Contract
/// * An event waits for each target that has asked before it happened. Positions grow; they are not those of the feed.
/// * The events of a stream are in the order of their sequence.
/// * An event waits until it is confirmed, across restarts of this process. If a store has to give up events, it says how many.
/// * One process at a time asks for a target: the one with its [lease](crate::publishing::Lease).
#[async_trait]
pub trait Backlog: Send + Sync + fmt::Debug {
    /// The types of such events.
    fn types(&self) -> &'static [&'static str];

    /// The first events that wait for a target, at most `limit`. None wait for a target that asks for the first time: it gets later ones.
    async fn waiting(&self, target: &TargetName, limit: u16) -> StoreResult<Vec<FeedItem>>;

    /// A target has confirmed the events up to a position, or does not want them.
    async fn confirm(&self, target: &TargetName, position: u64) -> StoreResult<()>;

    /// No event waits for a target any more, until it asks again.
    async fn forget(&self, target: &TargetName) -> StoreResult<()>;
}
