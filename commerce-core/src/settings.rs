//! The settings of a shop.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::inbox::{Source, SourceName};
use crate::money::{Currency, Money, Rounding};
use crate::order::{Lifecycle, Status, UnpaidLimits};
use crate::payment::CaptureMode;
use crate::pricing::{Selection, Tax, TaxLevel};
use crate::text::BoundedString;

/// The settings of a shop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct Settings {
    /// The currency of all prices in the catalog.
    pub currency: Currency,
    /// The lifecycle of new orders.
    pub lifecycle: Lifecycle,
    /// Lifecycles of older orders. [`Settings::new`] lists the built-in ones.
    pub former_lifecycles: Vec<Lifecycle>,
    /// The first one is the default.
    pub shipping_methods: Vec<ShippingMethod>,
    pub tax: Tax,
    pub selection: Selection,
    pub tax_level: TaxLevel,
    /// How tax and percentages are rounded.
    pub rounding: Rounding,
    /// The lifetime of a reservation of an unpaid order.
    pub reservation: TimeDelta,
    /// When the money of new payments is taken: at once, or when the goods are shipped.
    pub capture: CaptureMode,
    /// What is done with money that is held and not captured a day before the processor gives it back.
    pub expiring_hold: ExpiringHold,
    /// What customers may hold and try without paying.
    pub unpaid: UnpaidLimits,
    /// How long after its end the reservation of an unpaid order can be extended because the payment processor cannot be reached.
    pub outage_grace: TimeDelta,
    /// The lifetime of a cart after its last change.
    pub cart_lifetime: TimeDelta,
    /// How long idempotency records are stored: at least 24 hours.
    pub idempotency_retention: TimeDelta,
    /// How long webhooks are signed with a secret after it was replaced.
    pub webhook_secret_overlap: TimeDelta,
    /// How long an endpoint of webhooks may fail before it is disabled.
    pub webhook_patience: TimeDelta,
    /// The other systems whose events are taken.
    pub sources: BTreeMap<SourceName, Source>,
}

/// What is done with a hold that is about to run out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiringHold {
    /// It is captured.
    Capture,
    /// It is given back.
    Void,
    /// The event `payment.hold_expiring` tells it.
    #[default]
    Notify,
}

/// A shipping method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShippingMethod {
    /// The name that a checkout gives.
    pub name: BoundedString<64>,
    /// Per order.
    pub fee: Money,
    /// The tax category of the fee. `None`: untaxed.
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
    /// 30 minutes.
    pub const RESERVATION: TimeDelta = TimeDelta::minutes(30);
    /// An hour.
    pub const OUTAGE_GRACE: TimeDelta = TimeDelta::hours(1);
    /// 30 days.
    pub const CART_LIFETIME: TimeDelta = TimeDelta::days(30);
    /// 48 hours, twice the guaranteed minimum.
    pub const IDEMPOTENCY_RETENTION: TimeDelta = TimeDelta::hours(48);
    /// A day.
    pub const WEBHOOK_SECRET_OVERLAP: TimeDelta = TimeDelta::days(1);
    /// A day.
    pub const WEBHOOK_PATIENCE: TimeDelta = TimeDelta::days(1);

    /// A shop without configuration: the standard lifecycle, free standard shipping, no tax.
    #[expect(clippy::expect_used, reason = "the name is short and printable")]
    #[expect(clippy::missing_panics_doc, reason = "it never panics")]
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
            capture: CaptureMode::Automatic,
            expiring_hold: ExpiringHold::Notify,
            unpaid: UnpaidLimits::USUAL,
            outage_grace: Self::OUTAGE_GRACE,
            cart_lifetime: Self::CART_LIFETIME,
            idempotency_retention: Self::IDEMPOTENCY_RETENTION,
            webhook_secret_overlap: Self::WEBHOOK_SECRET_OVERLAP,
            webhook_patience: Self::WEBHOOK_PATIENCE,
            sources: BTreeMap::new(),
        }
    }

    /// A shipping method by its name.
    pub fn shipping_method(&self, name: &BoundedString<64>) -> Option<&ShippingMethod> {
        self.shipping_methods.iter().find(|method| method.name == *name)
    }

    /// A configured lifecycle by its name.
    pub fn lifecycle_of(&self, name: &Status) -> Option<&Lifecycle> {
        let mut known = core::iter::once(&self.lifecycle).chain(&self.former_lifecycles);
        known.find(|lifecycle| lifecycle.name() == name)
    }
}
