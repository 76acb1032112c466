-- The transaction of hand_written_stock_last.sql for MariaDB. Each statement is prepared and a round trip of its own; it is run at
-- READ COMMITTED, which locks least.

START TRANSACTION;

INSERT IGNORE INTO idempotency_keys (scope, request_key, fingerprint, given_at, reply)
VALUES ('user-1 POST /orders', :key, 'b7a1d5c2', 1772366401000000, :reply);

INSERT INTO claims (kind, claim, owner)
VALUES ('order_number', :number, :key);

INSERT INTO orders (id, user_id, payment_id, status, phase, version, created_at, units)
VALUES (:order, 'user-1', :payment, 'pending', 'awaiting_payment', 1, 1772366401000000, 3);

INSERT INTO reservations (sku, order_id, units, held_until)
VALUES (:a, :order, 1, 1772367301000000), (:b, :order, 1, 1772367301000000), (:c, :order, 1, 1772367301000000);

INSERT INTO events (position, stream_kind, stream_id, sequence, event_id, event_type, happened_at, actor_role, actor_user, body)
VALUES (NEXTVAL(event_positions), 'order', :key, 1, :event, 'order.created', 1772366401000000, 'customer', 'user-1', :body);

INSERT INTO tasks (kind, subject, payload, due, ready_at, failures)
VALUES ('expire_order', :key, 'null', 1772367301000000, 1772367301000000, 0);

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
