//! What a shop decides for itself.

use alloc::vec::Vec;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money, Rounding};
use crate::order::{Lifecycle, Status};
use crate::pricing::{Selection, Tax, TaxLevel};
use crate::text::BoundedString;

/// What a shop decides for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The currency of the catalog; every price is in it.
    pub currency: Currency,
    /// The lifecycle of new orders.
    pub lifecycle: Lifecycle,
    /// Further lifecycles that orders of earlier days follow. [`Settings::new`] lists the built-in ones.
    pub former_lifecycles: Vec<Lifecycle>,
    /// How orders can be shipped, and for what fee.
    pub shipping_methods: Vec<ShippingMethod>,
    /// The taxes.
    pub tax: Tax,
    /// Which of the promotions that could apply do.
    pub selection: Selection,
    /// Whether tax is rounded per line or per rate.
    pub tax_level: TaxLevel,
    /// How tax and percents are rounded.
    pub rounding: Rounding,
    /// How long stock is held for an order that is not paid.
    pub reservation: TimeDelta,
    /// How long a cart lives after its last change.
    pub cart_lifetime: TimeDelta,
    /// How long the answer to an idempotent request is kept: at least 24 hours.
    pub idempotency_retention: TimeDelta,
}

/// A way of shipping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShippingMethod {
    /// Its name, which a checkout gives.
    pub name: BoundedString<64>,
    /// Its fee per order.
    pub fee: Money,
    /// Which tax rates apply to the fee.
    #[serde(default)]
    pub tax_category: Option<BoundedString<64>>,
}

impl ShippingMethod {
    /// A method whose fee is not taxed.
    pub const fn new(name: BoundedString<64>, fee: Money) -> Self {
        Self { name, fee, tax_category: None }
    }
}

impl Settings {
    /// Half an hour to pay.
    pub const RESERVATION: TimeDelta = TimeDelta::minutes(30);
    /// A month for a forgotten cart.
    pub const CART_LIFETIME: TimeDelta = TimeDelta::days(30);
    /// Two days of answers: twice what is promised.
    pub const IDEMPOTENCY_RETENTION: TimeDelta = TimeDelta::hours(48);

    /// A shop without configuration: the standard lifecycle, free standard shipping, no tax.
    #[expect(clippy::expect_used, reason = "the name is short and printable")]
    #[expect(clippy::missing_panics_doc, reason = "it never does")]
    pub fn new(currency: Currency) -> Self {
        let name = "standard".parse().expect("it is a name");
        let standard = ShippingMethod::new(name, Money::zero(currency));
        Self {
            currency,
            lifecycle: Lifecycle::standard(),
            former_lifecycles: Lifecycle::BUILT_IN.into_iter().filter_map(Lifecycle::built_in).collect(),
            shipping_methods: Vec::from([standard]),
            tax: Tax::default(),
            selection: Selection::default(),
            tax_level: TaxLevel::default(),
            rounding: Rounding::default(),
            reservation: Self::RESERVATION,
            cart_lifetime: Self::CART_LIFETIME,
            idempotency_retention: Self::IDEMPOTENCY_RETENTION,
        }
    }

    /// A way of shipping by its name.
    pub fn shipping_method(&self, name: &BoundedString<64>) -> Option<&ShippingMethod> {
        self.shipping_methods.iter().find(|method| method.name == *name)
    }

    /// The lifecycle that an order follows.
    pub fn lifecycle_of(&self, name: &Status) -> Option<&Lifecycle> {
        let mut known = core::iter::once(&self.lifecycle).chain(&self.former_lifecycles);
        known.find(|lifecycle| lifecycle.name() == name)
    }
}
