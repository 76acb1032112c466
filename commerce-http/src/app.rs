//! What all requests share.

use commerce_core::engine::Engine;

use crate::quota::OrderQuota;
use crate::service::Options;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) options: Options,
    pub(crate) quota: OrderQuota,
}
