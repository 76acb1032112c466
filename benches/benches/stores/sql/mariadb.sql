-- The transaction of hand_written_stock_last.sql for MariaDB. Each statement is prepared and a round trip of its own; it is run at
-- READ COMMITTED, which locks least.

START TRANSACTION;

INSERT IGNORE INTO idempotency_keys (scope, request_key, fingerprint, given_at, reply)
VALUES ('user-1 POST /orders', :key, 'b7a1d5c2', 1772366401000000, :reply);

INSERT INTO orders (id, number, user_id, payment_id, lifecycle, status, phase, currency, subtotal, discount, shipping,
                    shipping_discount, tax, total, shipping_method, reserved_until, version, created_at, updated_at,
                    entered_at, quote)
VALUES (:order, :number, 'user-1', :payment, 'standard', 'pending', 'awaiting_payment', 'USD', 3750, 0, 0, 0, 0, 3750,
        'standard', 1772367301000000, 1, 1772366401000000, 1772366401000000, 1772366401000000, :quote);

INSERT INTO payments (id, order_id, status, currency, amount, captured, refunded)
VALUES (:payment, :order, 'pending', 'USD', 3750, 0, 0);

INSERT INTO order_addresses (order_id, kind, name, line1, line2, city, postal_code, country)
VALUES (:order, 'shipping', 'Ada Lovelace', '12 Saint James Square', 'Second floor', 'London', 'SW1Y 4JH', 'GB');

INSERT INTO order_items (order_id, position, id, sku, product_id, name, quantity, unit_price, subtotal, discount, tax, total)
VALUES (:order, 0, :item_a, :a, :a, 'A thing', 1, 1250, 1250, 0, 0, 1250),
       (:order, 1, :item_b, :b, :b, 'A thing', 1, 1250, 1250, 0, 0, 1250),
       (:order, 2, :item_c, :c, :c, 'A thing', 1, 1250, 1250, 0, 0, 1250);

INSERT INTO reservations (sku, order_id, units, held_until)
VALUES (:a, :order, 1, 1772367301000000), (:b, :order, 1, 1772367301000000), (:c, :order, 1, 1772367301000000);

INSERT INTO events (position, stream_kind, stream_id, sequence, event_id, event_type, happened_at, actor_role, actor_user, body)
VALUES (NEXTVAL(event_positions), 'order', :key, 1, :event, 'order.created', 1772366401000000, 'customer', 'user-1', :body);

INSERT INTO tasks (kind, order_id, refund_id, due, ready_at, failures)
VALUES ('expire_order', :order, :nothing, 1772367301000000, 1772367301000000, 0);

UPDATE stock SET reserved = reserved + 1, version = version + 1,
                 next_expiry = LEAST(COALESCE(next_expiry, 1772367301000000), 1772367301000000)
WHERE sku = :a AND on_hand - reserved >= 1;

UPDATE stock SET reserved = reserved + 1, version = version + 1,
                 next_expiry = LEAST(COALESCE(next_expiry, 1772367301000000), 1772367301000000)
WHERE sku = :b AND on_hand - reserved >= 1;

UPDATE stock SET reserved = reserved + 1, version = version + 1,
                 next_expiry = LEAST(COALESCE(next_expiry, 1772367301000000), 1772367301000000)
WHERE sku = :c AND on_hand - reserved >= 1;

COMMIT;
