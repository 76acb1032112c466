//! The state that all requests share.

use std::sync::LazyLock;

use bytes::Bytes;
use commerce_core::engine::Engine;
use commerce_core::money::Currency;

use crate::options::Options;
use crate::quota::Quotas;
use crate::readers::Readers;
use crate::turns::Turns;

#[derive(Debug)]
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) options: Options,
    pub(crate) quotas: Quotas,
    pub(crate) turns: Turns,
    pub(crate) readers: Readers,
    pub(crate) document: &'static LazyLock<Bytes>,
}

impl App {
    /// The currency of the shop.
    pub(crate) fn currency(&self) -> Currency {
        self.engine.settings().currency
    }
}
