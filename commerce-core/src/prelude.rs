//! The usual imports of a program that embeds the engine: `use commerce_core::prelude::*;`.

pub use crate::Quantity;
pub use crate::actor::{Actor, Role};
pub use crate::address::Address;
pub use crate::catalog::{Offer, Product, Variant};
pub use crate::commit::{Commit, IdempotencyKey, IdempotencyRecord, RecordedReply};
pub use crate::engine::{
    CheckoutRequest, Engine, EngineBuilder, EngineError, Idempotency, ItemRequest, NewItem, PlaceOrderRequest,
    ProductInput, Reply, Target,
};
pub use crate::ids::{CartId, ItemId, OrderId, OrderNumber, ProductId, PromotionId, Sku, UserId};
pub use crate::money::{Currency, Money};
pub use crate::order::{Command, Order, OrderDetails, Phase};
pub use crate::payment::SandboxProcessor;
pub use crate::port::{OrderRef, Page, PageRequest, Processor, Store, StoreError, Users};
pub use crate::settings::{Settings, ShippingMethod};
#[cfg(feature = "std")]
pub use crate::system::{SystemClock, TimeOrderedIds};
