//! The tables of the row types.

use super::document::{ClaimRow, DocumentKeyRow, DocumentRow};
use super::event::{FeedRow, NewEventRow};
use super::idempotency::IdempotencyRow;
use super::order::{OrderRow, OrderStateRow, ReturnRow};
use super::promotion::{RedemptionRow, ReleasedRow, UsesRow};
use super::stock::{LevelRow, ReservationRow, UncontendedReservationRow};
use super::task::TaskRow;
use crate::schema::{
    claims, document_keys, documents, events, feed, idempotency_keys, orders, promotion_redemptions, promotion_uses,
    reservations, returns, stock, tasks,
};

diesel_bulk::rows! {
    claims: ClaimRow<'a> (kind, claim) { owner }
    documents: DocumentRow<'a> (kind, id) { version, created_at, search, body }
    document_keys: DocumentKeyRow<'a> (kind, id, lookup) {}
    orders: OrderRow<'a> (id) { user_id, payment_id, status, phase, version, created_at, units, state }
    orders: OrderStateRow<'a> (id) { status, phase, version, state }
    returns: ReturnRow (id) { order_id, status }
    stock: LevelRow<'a> (sku) { on_hand, reserved, reorder_threshold, next_expiry, version }
    stock: UncontendedReservationRow<'a> (sku) { on_hand, reserved, reorder_threshold, next_expiry, version }
    reservations: ReservationRow<'a> (sku, order_id) { units, held_until }
    events: NewEventRow<'a> (position) {
        stream_kind, stream_id, sequence, event_id, event_type, happened_at, actor_role, actor_user, trace, body
    }
    feed: FeedRow (id) { position }
    tasks: TaskRow<'a> (subject, kind) { payload, due, ready_at, failures, last_error }
    idempotency_keys: IdempotencyRow<'a> (scope, request_key) { fingerprint, given_at, order_version, reply }
    promotion_uses: UsesRow<'a> (promotion_id) { used, spent }
    promotion_redemptions: RedemptionRow<'a> (promotion_id, order_id) {
        user_id, currency, amount, redeemed_at, released_at
    }
    promotion_redemptions: ReleasedRow<'a> (promotion_id, order_id) { released_at }
}
