-- (b) All statements in one round trip, which is one transaction. Nothing is looked at in between, so a known key breaks the
-- primary key and a shortage breaks the CHECK of the stock: either error undoes everything.
-- :last_a and :body come from the command line.

\set n :n + 1
\set id 100000000000 + :n * 1000 + :client_id
\set a random(10000, :last_a)
\set b random(13334, 16666)
\set c random(16667, 19999)

\startpipeline

INSERT INTO idempotency_keys (scope, request_key, fingerprint, given_at, reply)
VALUES ('user-1 POST /orders', '019b76db-3682-7000-8000-' || :id, 'b7a1d5c2', 1772366401000000, '{"status":"pending"}');

INSERT INTO claims (kind, claim, owner)
VALUES ('order_number', 'ORD-20260301-' || :id, '019b76db-3682-7000-8000-' || :id);

INSERT INTO orders (id, user_id, payment_id, status, phase, version, created_at, units)
VALUES (('019b76db-3682-7000-8000-' || :id)::uuid, 'user-1', ('019b76db-3684-7000-8000-' || :id)::uuid,
        'pending', 'awaiting_payment', 1, 1772366401000000, 3);

INSERT INTO reservations (sku, order_id, units, held_until)
VALUES ('SKU-' || :a, ('019b76db-3682-7000-8000-' || :id)::uuid, 1, 1772367301000000),
       ('SKU-' || :b, ('019b76db-3682-7000-8000-' || :id)::uuid, 1, 1772367301000000),
       ('SKU-' || :c, ('019b76db-3682-7000-8000-' || :id)::uuid, 1, 1772367301000000);

INSERT INTO events (position, stream_kind, stream_id, sequence, event_id, event_type, happened_at, actor_role, actor_user, body)
VALUES (nextval('event_positions'), 'order', '019b76db-3682-7000-8000-' || :id, 1,
        ('019b76db-3685-7000-8000-' || :id)::uuid, 'order.created', 1772366401000000, 'customer', 'user-1', :body);

INSERT INTO tasks (kind, subject, payload, due, ready_at, failures)
VALUES ('expire_order', '019b76db-3682-7000-8000-' || :id, 'null', 1772367301000000, 1772367301000000, 0);

UPDATE stock SET reserved = reserved + 1, version = version + 1, next_expiry = least(next_expiry, 1772367301000000)
WHERE sku = 'SKU-' || :a;

UPDATE stock SET reserved = reserved + 1, version = version + 1, next_expiry = least(next_expiry, 1772367301000000)
WHERE sku = 'SKU-' || :b;

UPDATE stock SET reserved = reserved + 1, version = version + 1, next_expiry = least(next_expiry, 1772367301000000)
WHERE sku = 'SKU-' || :c;

\endpipeline
