-- (b) Everything in one function, whose statements the server keeps prepared.

CREATE FUNCTION place_order(key text, skus text[], order_id uuid, payment_id uuid, event_id uuid, number text, body text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    held CONSTANT bigint := 1772367301000000;
BEGIN
    INSERT INTO idempotency_keys (scope, request_key, fingerprint, given_at, reply)
    VALUES ('user-1 POST /orders', key, 'b7a1d5c2', 1772366401000000, '{"status":"pending"}')
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'known key';
    END IF;

    INSERT INTO claims (kind, claim, owner) VALUES ('order_number', number, key);

    INSERT INTO orders (id, user_id, payment_id, status, phase, version, created_at, units)
    VALUES (order_id, 'user-1', payment_id, 'pending', 'awaiting_payment', 1, 1772366401000000, 3);

    INSERT INTO reservations (sku, order_id, units, held_until)
    VALUES (skus[1], order_id, 1, held), (skus[2], order_id, 1, held), (skus[3], order_id, 1, held);

    INSERT INTO events (position, stream_kind, stream_id, sequence, event_id, event_type, happened_at, actor_role, actor_user,
                        body)
    VALUES (nextval('event_positions'), 'order', key, 1, event_id, 'order.created', 1772366401000000, 'customer', 'user-1', body);

    INSERT INTO tasks (kind, subject, payload, due, ready_at, failures)
    VALUES ('expire_order', key, 'null', held, held, 0);

    FOR i IN 1..3 LOOP
        UPDATE stock SET reserved = reserved + 1, version = version + 1, next_expiry = least(next_expiry, held)
        WHERE sku = skus[i] AND on_hand - reserved >= 1;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'insufficient stock';
        END IF;
    END LOOP;
END
$$;
