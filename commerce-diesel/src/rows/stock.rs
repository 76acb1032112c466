//! Levels and reservations.

use std::borrow::Cow;

use commerce_core::ids::{OrderId, Sku};
use commerce_core::stock::{Reservation, StockLevel, UncontendedReservation};
use diesel::prelude::*;
use diesel_bulk::DbUuid;

use super::{CowStr, counter, micros, read, read_counter, read_instant_option};
use crate::fault::Answer;
use crate::schema::{reservations, stock};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = stock)]
pub(crate) struct LevelRow<'a> {
    pub(crate) sku: CowStr<'a>,
    pub(crate) on_hand: i64,
    pub(crate) reserved: i64,
    pub(crate) reorder_threshold: Option<i64>,
    pub(crate) next_expiry: Option<i64>,
    pub(crate) version: i64,
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = reservations)]
pub(crate) struct ReservationRow<'a> {
    pub(crate) sku: CowStr<'a>,
    pub(crate) order_id: DbUuid,
    pub(crate) units: i64,
    pub(crate) held_until: Option<i64>,
}

/// An uncontended reservation: each column is an increment of the level, or a bound for it.
#[derive(Debug)]
pub(crate) struct UncontendedReservationRow<'a> {
    pub(crate) sku: &'a str,
    /// The least number of available units.
    pub(crate) on_hand: i64,
    /// The increment of the reserved units.
    pub(crate) reserved: i64,
    pub(crate) reorder_threshold: Option<i64>,
    pub(crate) next_expiry: i64,
    /// The increment of the version.
    pub(crate) version: i64,
}

impl<'a> UncontendedReservationRow<'a> {
    pub(crate) fn of(sku: &'a Sku, taken: &UncontendedReservation) -> Self {
        Self {
            sku: sku.as_str(),
            on_hand: taken.least_available,
            reserved: taken.units,
            reorder_threshold: taken.reorder_threshold,
            next_expiry: micros(taken.next_expiry),
            version: counter(taken.steps),
        }
    }
}

impl<'a> LevelRow<'a> {
    pub(crate) fn of(level: &'a StockLevel) -> Self {
        Self {
            sku: Cow::Borrowed(level.sku.as_str()),
            on_hand: level.on_hand,
            reserved: level.reserved,
            reorder_threshold: level.reorder_threshold,
            next_expiry: level.next_expiry.map(micros),
            version: counter(level.version),
        }
    }

    pub(crate) fn into_level(self) -> Answer<StockLevel> {
        Ok(StockLevel {
            sku: read("stock.sku", &self.sku)?,
            on_hand: self.on_hand,
            reserved: self.reserved,
            reorder_threshold: self.reorder_threshold,
            next_expiry: read_instant_option("stock.next_expiry", self.next_expiry)?,
            version: read_counter("stock.version", self.version)?,
        })
    }
}

impl<'a> ReservationRow<'a> {
    pub(crate) fn of(sku: &'a Sku, order: OrderId, reservation: Reservation) -> Self {
        Self {
            sku: Cow::Borrowed(sku.as_str()),
            order_id: DbUuid(order.uuid()),
            units: reservation.units,
            held_until: reservation.until.map(micros),
        }
    }

    pub(crate) fn reservation(&self) -> Answer<(OrderId, Reservation)> {
        let until = read_instant_option("reservations.held_until", self.held_until)?;
        Ok((OrderId::new(self.order_id.0), Reservation { units: self.units, until }))
    }
}
