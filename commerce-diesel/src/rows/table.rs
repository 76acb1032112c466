//! Which table a row is written to.

use super::cart::{CartCodeRow, CartItemRow, CartRow};
use super::catalog::{ProductCategoryRow, ProductRow, VariantRow};
use super::document::{ClaimRow, DocumentKeyRow, DocumentRow};
use super::event::NewEventRow;
use super::idempotency::IdempotencyRow;
use super::order::{OrderRow, OrderState, PaymentRow, RefundRow, ReturnLineRow, ReturnRow, ShipmentRow};
use super::promotion::{CustomerUsesRow, RedemptionRow, ReleasedRow, UsesRow};
use super::stock::{LevelRow, ReservationRow, UncontendedReservationRow};
use super::task::TaskRow;
use crate::schema::{
    cart_codes, cart_items, carts, claims, document_keys, documents, events, idempotency_keys, orders, payments,
    product_categories, products, promotion_customers, promotion_redemptions, promotion_uses, refunds, reservations,
    return_lines, returns, shipments, stock, tasks, variants,
};

diesel_bulk::rows! {
    claims: ClaimRow<'a> (kind, claim) { owner }
    documents: DocumentRow<'a> (kind, id) { version, created_at, body }
    document_keys: DocumentKeyRow<'a> (kind, id, lookup) {}
    products: ProductRow<'a> (id) { name, description, active, version, created_at, updated_at }
    variants: VariantRow<'a> (product_id, position) { sku, name, price, currency, tax_category }
    product_categories: ProductCategoryRow<'a> (product_id, position) { category_id }
    carts: CartRow<'a> (id) {
        user_id, active_user_id, status, currency, order_id, version, created_at, updated_at, expires_at
    }
    cart_items: CartItemRow<'a> (cart_id, position) { id, sku, product_id, name, quantity, unit_price }
    cart_codes: CartCodeRow<'a> (cart_id, position) { code }
    orders: OrderRow<'a> (id) {
        number, user_id, cart_id, payment_id, status, phase, version, created_at, updated_at, entered_at, delivered_at
    }
    orders: OrderState<'a> (id) { status, phase, version, updated_at, entered_at, delivered_at }
    payments: PaymentRow<'a> (id) { order_id, status, currency, amount, captured, refunded, reference }
    refunds: RefundRow<'a> (order_id, position) { id, currency, amount, reason, status, reference }
    returns: ReturnRow<'a> (id) { order_id, position, status, reason, requested_at }
    return_lines: ReturnLineRow (return_id, position) { item_id, quantity }
    shipments: ShipmentRow<'a> (order_id) { provider, method, tracking_number, status }
    stock: LevelRow<'a> (sku) { on_hand, reserved, reorder_threshold, next_expiry, version }
    stock: UncontendedReservationRow<'a> (sku) { on_hand, reserved, reorder_threshold, next_expiry, version }
    reservations: ReservationRow<'a> (sku, order_id) { units, held_until }
    events: NewEventRow<'a> (position) {
        stream_kind, stream_id, sequence, event_id, event_type, happened_at, actor_role, actor_user, body
    }
    tasks: TaskRow<'a> (subject, kind) { payload, due, ready_at, failures, last_error }
    idempotency_keys: IdempotencyRow<'a> (scope, request_key) { fingerprint, given_at, reply }
    promotion_uses: UsesRow<'a> (promotion_id) { used, spent }
    promotion_customers: CustomerUsesRow<'a> (promotion_id, user_id) { used }
    promotion_redemptions: RedemptionRow<'a> (promotion_id, order_id) {
        user_id, currency, amount, redeemed_at, released_at
    }
    promotion_redemptions: ReleasedRow<'a> (promotion_id, order_id) { released_at }
}
