//! Limits on what a customer may order and try to pay without paying.

use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;

use super::lifecycle::Phase;
use super::state::Order;
use crate::ids::UserId;

/// The limits of what customers may hold and try without paying. `None`: no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnpaidLimits {
    /// Orders of a customer that are unpaid and reserve stock.
    pub orders: Option<u32>,
    /// Units that these orders reserve.
    pub units: Option<u32>,
    /// Payments of an order that the processor declined.
    pub declined_payments: Option<u32>,
}

impl UnpaidLimits {
    /// 10 orders with 500 units, and 20 declined payments per order.
    pub const USUAL: Self = Self { orders: Some(10), units: Some(500), declined_payments: Some(20) };
    /// No limits.
    pub const NONE: Self = Self { orders: None, units: None, declined_payments: None };
}

/// The unpaid orders of a customer whose reservations have not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Unpaid {
    pub orders: u32,
    pub units: i64,
    /// When the oldest of them was placed.
    pub oldest: Option<DateTime<Utc>>,
}

impl Unpaid {
    /// Those of a customer among some orders.
    pub fn of<'a>(orders: impl IntoIterator<Item = &'a Order>, user: &UserId, since: DateTime<Utc>) -> Self {
        let counts = |order: &&Order| order.user_id == *user && order.created_at > since && order.phase.is_unpaid();
        let unpaid = orders.into_iter().filter(counts);
        unpaid.fold(Self::default(), |sum, order| sum.plus(order.units(), order.created_at))
    }

    /// With one more order.
    #[must_use]
    pub fn plus(self, units: i64, placed_at: DateTime<Utc>) -> Self {
        Self {
            orders: self.orders.saturating_add(1),
            units: self.units.saturating_add(units),
            oldest: Some(self.oldest.map_or(placed_at, |oldest| oldest.min(placed_at))),
        }
    }
}

/// The guard of a new order: with it, the unpaid orders of its customer are within the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct UnpaidGuard {
    pub limits: UnpaidLimits,
    /// The reservations of orders that were placed before this have ended.
    pub since: DateTime<Utc>,
}

/// A limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum LimitReached {
    #[error("at most {limit} orders may be unpaid at once: pay or cancel one")]
    UnpaidOrders { limit: u32, wait: TimeDelta },
    #[error("unpaid orders may hold at most {limit} units: they hold {held}, and this order asks for {asked}")]
    UnpaidUnits { limit: u32, held: i64, asked: i64, wait: TimeDelta },
    #[error("{limit} payments of this order were declined: place a new order")]
    DeclinedPayments { limit: u32, wait: TimeDelta },
}

impl LimitReached {
    /// How long to wait for the end of a reservation; zero if it has ended.
    pub const fn wait(&self) -> TimeDelta {
        match self {
            Self::UnpaidOrders { wait, .. } | Self::UnpaidUnits { wait, .. } | Self::DeclinedPayments { wait, .. } => {
                *wait
            }
        }
    }
}

impl UnpaidGuard {
    /// Checks a new order of a customer with other unpaid orders.
    ///
    /// # Errors
    /// [`LimitReached`].
    pub fn check(&self, others: Unpaid, order: &Order) -> Result<(), LimitReached> {
        let (held, asked) = (others.units, order.units());
        let wait = others.oldest.unwrap_or(order.created_at).signed_duration_since(self.since).max(TimeDelta::zero());
        if let Some(limit) = self.limits.orders.filter(|limit| others.orders >= *limit) {
            return Err(LimitReached::UnpaidOrders { limit, wait });
        }
        match self.limits.units.filter(|limit| held.saturating_add(asked) > i64::from(*limit)) {
            Some(limit) => Err(LimitReached::UnpaidUnits { limit, held, asked, wait }),
            None => Ok(()),
        }
    }
}

/// By how much a reservation is extended at a time.
const EXTENSION: TimeDelta = TimeDelta::minutes(10);

impl Order {
    /// Until when the reservation is extended at an instant while the payment processor cannot be reached: by steps, and until
    /// `grace` after its first end at most. `None`: it is not extended further, or need not be.
    pub fn extension(&self, grace: TimeDelta, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let last = self.reserved_until.checked_add_signed(grace)?;
        let until = at.checked_add_signed(EXTENSION)?.min(last);
        (self.phase == Phase::AwaitingPayment && until > at && until > self.reservation_end()).then_some(until)
    }
}

impl UnpaidLimits {
    /// Checks another payment of an order, of which so many were declined.
    ///
    /// # Errors
    /// [`LimitReached::DeclinedPayments`].
    pub fn check_payment(&self, order: &Order, declined: u32, at: DateTime<Utc>) -> Result<(), LimitReached> {
        let wait = order.reservation_end().signed_duration_since(at).max(TimeDelta::zero());
        match self.declined_payments.filter(|limit| declined >= *limit) {
            Some(limit) => Err(LimitReached::DeclinedPayments { limit, wait }),
            None => Ok(()),
        }
    }
}
