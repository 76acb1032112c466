-- Fills the tables as a shop does in a year: so many orders, spread over 100,000 users, but for every so many-th, which is
-- of user-1, who has enough for a page in the middle. :orders, :step, :state and :body are put in before it runs.
-- 2 % wait for payment, 3 % are paid, 3 % on their way, 4 % cancelled, the rest delivered. Ids rise with time.

CREATE TEMPORARY TABLE placed AS
SELECT
    n,
    (lpad(to_hex(1735689600000 + n * 31500), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid AS id,
    (lpad(to_hex(1735689600001 + n * 31500), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid AS other_id,
    CASE WHEN n % :step = 0 THEN 'user-1' ELSE 'user-' || (n * 7919 % 100000 + 2) END AS user_id,
    (1735689600000 + n * 31500) * 1000 AS at,
    CASE
        WHEN n * 31 % 100 < 2 THEN 'pending'
        WHEN n * 31 % 100 < 5 THEN 'paid'
        WHEN n * 31 % 100 < 8 THEN 'shipped'
        WHEN n * 31 % 100 < 12 THEN 'cancelled'
        ELSE 'delivered'
    END AS status
FROM generate_series(0::bigint, :orders - 1) n;

INSERT INTO orders (id, user_id, payment_id, status, phase, version, created_at, state, units)
SELECT id, user_id, other_id, status, CASE status WHEN 'pending' THEN 'awaiting_payment' ELSE status END, 1, at,
       CASE WHEN status <> 'pending' THEN :state END, 3
FROM placed ORDER BY n;

INSERT INTO claims (kind, claim, owner)
SELECT 'order_number', 'ORD-20250101-' || (100000000000 + n), id::text FROM placed ORDER BY n;

INSERT INTO reservations (sku, order_id, units, held_until)
SELECT 'SKU-' || (10000 + (n * 7 + k * 3333) % 10000), id, 1, CASE status WHEN 'pending' THEN at + 900000000 END
FROM placed, generate_series(0, 2) k WHERE status IN ('pending', 'paid') ORDER BY n, k;

UPDATE stock SET reserved = held.units FROM (SELECT sku, sum(units) AS units FROM reservations GROUP BY sku) held
WHERE held.sku = stock.sku;

INSERT INTO events (position, stream_kind, stream_id, sequence, event_id, event_type, happened_at, actor_role, actor_user, body)
SELECT position + n + 1, 'order', placed.id::text, 1, other_id, 'order.created', at, 'customer', user_id, :body
FROM placed, feed ORDER BY n;

UPDATE feed SET position = position + :orders;

INSERT INTO tasks (kind, subject, payload, due, ready_at, failures)
SELECT 'expire_order', id, 'null', at + 900000000, at + 900000000, 0
FROM placed WHERE status = 'pending' ORDER BY n;

INSERT INTO idempotency_keys (scope, request_key, fingerprint, given_at, reply)
SELECT user_id || ' POST /orders', id::text, 'b7a1d5c2', at, '{"status":"pending"}' FROM placed ORDER BY n;

VACUUM ANALYZE;
