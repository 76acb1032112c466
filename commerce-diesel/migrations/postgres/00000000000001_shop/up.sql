-- The tables of the shop. The types in commerce-core document the meaning of each column.
--
-- Formats: ids minted by the engine are UUIDv7. Instants are microseconds since 1970 in UTC. Amounts are minor units of the
-- currency of their row, or of the row that they belong to. Enums and JSON are text.
--
-- There are no foreign keys. The rows of one document or one order are written together, by the same statements. A reference
-- from one aggregate to another (an order to a product, a reservation to an order) has no key because different commits write
-- the rows, and because products and users may be stored in other systems. The commit guards what must hold between them.
--
-- Text has the collation "C": it compares by bytes, as in the engine, so lists have the same order on every database.
--
-- Every index serves a query. Reservations have no index by expiry: the store looks for expired reservations only if the stock
-- row says that there are some.

-- Keys that at most one document or order holds at a time: the active cart of a customer, a sku, an order number. owner is the
-- id of that document or order.
CREATE TABLE claims (
    kind TEXT COLLATE "C" NOT NULL,
    claim TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, claim)
);

-- Documents. All tables of documents have one shape: body is the document as JSON, search is the text that searches look in.
-- Kinds of low volume share this table.
CREATE TABLE documents (
    kind TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    search TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX documents_newest ON documents (kind, created_at DESC, id);

CREATE TABLE carts (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    search TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);
CREATE INDEX carts_newest ON carts (created_at DESC, id);

CREATE TABLE products (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    search TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);
CREATE INDEX products_newest ON products (created_at DESC, id);

CREATE TABLE customers (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    search TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);

CREATE TABLE payments (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    search TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);

-- Keys by which lists of documents and orders are filtered.
CREATE TABLE document_keys (
    kind TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    lookup TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, id, lookup)
);
CREATE INDEX document_keys_by_lookup ON document_keys (kind, lookup, id);

-- Orders: the columns that find an order, and its state as JSON. state is what later events changed, NULL if nothing. The rest
-- is read from the event that created the order.
CREATE TABLE orders (
    id UUID NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL,
    payment_id UUID NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    phase TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    units BIGINT NOT NULL,
    state TEXT COLLATE "C"
);
CREATE INDEX orders_by_payment ON orders (payment_id);
CREATE INDEX orders_by_status ON orders (status, id);
CREATE INDEX orders_of_user ON orders (user_id, id);

-- The columns that find a return. The return itself is part of the state of its order.
CREATE TABLE returns (
    id UUID NOT NULL PRIMARY KEY,
    order_id UUID NOT NULL,
    status TEXT COLLATE "C" NOT NULL
);
CREATE INDEX returns_of_order ON returns (order_id);

-- Rows that change often have half-empty pages (fillfactor), so that a new version fits next to the old one.
CREATE TABLE stock (
    sku TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    on_hand BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    reorder_threshold BIGINT,
    next_expiry BIGINT,
    version BIGINT NOT NULL,
    CHECK (reserved >= 0 AND reserved <= on_hand)
) WITH (fillfactor = 50);

-- Whether the units of a batch can be taken from every level. FALSE is an error, so the transaction cannot commit.
CREATE DOMAIN all_fit AS BOOLEAN CONSTRAINT every_level_fits CHECK (VALUE);

-- held_until is NULL after the order is paid.
CREATE TABLE reservations (
    sku TEXT COLLATE "C" NOT NULL,
    order_id UUID NOT NULL,
    units BIGINT NOT NULL,
    held_until BIGINT,
    PRIMARY KEY (sku, order_id)
);

-- The position of the newest event. A transaction that appends events holds this row until it ends, so positions have no gaps
-- and become visible in order. A reader that continues behind its last position misses nothing.
CREATE TABLE feed (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    position BIGINT NOT NULL,
    -- Grows with every commit that changes a promotion.
    promotions BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
INSERT INTO feed (id, position) VALUES (1, 0);

-- The history. Rows are never changed or deleted. trace is the traceparent that the client named, NULL if it named none.
CREATE TABLE events (
    position BIGINT NOT NULL PRIMARY KEY,
    stream_kind TEXT COLLATE "C" NOT NULL,
    stream_id TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    event_id UUID NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    happened_at BIGINT NOT NULL,
    actor_role TEXT COLLATE "C" NOT NULL,
    actor_user TEXT COLLATE "C",
    trace TEXT COLLATE "C",
    body TEXT COLLATE "C" NOT NULL,
    UNIQUE (stream_id, stream_kind, sequence)
);

-- ready_at is the earliest time to lease the task: when it is due, or when its lease or its pause after a failure ends. NULL if
-- the task is dead. payload is JSON.
CREATE TABLE tasks (
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL,
    due BIGINT NOT NULL,
    ready_at BIGINT,
    failures BIGINT NOT NULL,
    last_error TEXT COLLATE "C",
    PRIMARY KEY (subject, kind)
);
CREATE INDEX tasks_ready ON tasks (ready_at);

-- reply is the answer or, if order_version is not NULL, the id of an order: the answer is the order at that version.
CREATE TABLE idempotency_keys (
    scope TEXT COLLATE "C" NOT NULL,
    request_key TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    given_at BIGINT NOT NULL,
    order_version BIGINT,
    reply TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (scope, request_key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (given_at);

-- Uses are counted in a table of their own, because an embedder may store promotions elsewhere. The uses by one customer are
-- counted when they are needed.
CREATE TABLE promotion_uses (
    promotion_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    used BIGINT NOT NULL CHECK (used >= 0),
    spent BIGINT NOT NULL CHECK (spent >= 0)
) WITH (fillfactor = 50);

CREATE TABLE promotion_redemptions (
    promotion_id TEXT COLLATE "C" NOT NULL,
    order_id UUID NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    amount BIGINT NOT NULL,
    redeemed_at BIGINT NOT NULL,
    released_at BIGINT,
    PRIMARY KEY (promotion_id, order_id)
);
CREATE INDEX promotion_redemptions_of_user ON promotion_redemptions (user_id, promotion_id);

-- The attempts to deliver webhooks: the newest of each endpoint. No commit writes them, and no history makes them.
CREATE TABLE webhook_deliveries (
    endpoint_id UUID NOT NULL,
    id UUID NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (endpoint_id, id)
);

-- The books of the payment sandbox. They are those of a processor, so no commit of the shop writes them. A row is what happened,
-- and the book of the payment after it.
CREATE TABLE sandbox_books (
    number BIGINT NOT NULL PRIMARY KEY,
    payment_id UUID NOT NULL,
    written BIGINT NOT NULL,
    book TEXT COLLATE "C" NOT NULL,
    event TEXT COLLATE "C" NOT NULL,
    UNIQUE (payment_id, written)
);

-- How far each target of published events has confirmed the feed. holder is the process that publishes until leased_until. Every
-- change makes the next version.
CREATE TABLE publish_targets (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    version BIGINT NOT NULL,
    holder TEXT COLLATE "C",
    leased_until BIGINT,
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    retry_at BIGINT,
    last_error TEXT COLLATE "C"
);
