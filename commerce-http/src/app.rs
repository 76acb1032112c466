//! What all requests share.

use std::sync::LazyLock;

use bytes::Bytes;
use commerce_core::engine::Engine;

use crate::options::Options;
use crate::quota::OrderQuota;

#[derive(Debug)]
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) options: Options,
    pub(crate) quota: OrderQuota,
    pub(crate) document: &'static LazyLock<Bytes>,
}
