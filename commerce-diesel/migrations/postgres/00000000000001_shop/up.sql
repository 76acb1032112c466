-- The tables of the shop. What each column means stands with its type in commerce-core.
--
-- Ids minted by the engine are UUIDv7, instants are microseconds since 1970 in UTC, amounts are minor units of
-- the currency of their row or of the row they belong to, enums and JSON are text.
--
-- There are no foreign keys. The parts of a document or an order are written by the statements that write it and by nothing else. None
-- leads from one aggregate to another (an order to a product, a reservation to an order): such rows are written by different commits,
-- products and users may live in other systems, and the commit guards what has to be guarded.
--
-- Text compares by its bytes ("C"), as it does in the engine, so lists are in the same order on every database.
--
-- No index is there that no query needs. Reservations have none by their end: those that are due are looked for only when
-- the stock row says that there are some.

-- What at most one document or order holds at a time: the active cart of a customer, a sku, an order number. owner is the id of who
-- holds it.
CREATE TABLE claims (
    kind TEXT COLLATE "C" NOT NULL,
    claim TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, claim)
);

-- The tables of documents have one shape. body is the document as JSON, search what a search by text looks in. Kinds of low volume
-- share a table.
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

-- What documents and orders are found by besides their ids.
CREATE TABLE document_keys (
    kind TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    lookup TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, id, lookup)
);
CREATE INDEX document_keys_by_lookup ON document_keys (kind, lookup, id);

-- What an order is found by, and its state as JSON: what events have changed since it was placed, NULL for nothing. What was placed
-- is read from the event that created the order.
CREATE TABLE orders (
    id UUID NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL,
    payment_id UUID NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    phase TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    state TEXT COLLATE "C"
);
CREATE INDEX orders_by_payment ON orders (payment_id);
CREATE INDEX orders_by_status ON orders (status, id);
CREATE INDEX orders_of_user ON orders (user_id, id);

-- What a return is found by. It is part of the state of its order.
CREATE TABLE returns (
    id UUID NOT NULL PRIMARY KEY,
    order_id UUID NOT NULL,
    status TEXT COLLATE "C" NOT NULL
);
CREATE INDEX returns_of_order ON returns (order_id);

-- Pages of rows that change again and again are left half empty, so that a new version finds its place beside the old one.
CREATE TABLE stock (
    sku TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    on_hand BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    reorder_threshold BIGINT,
    next_expiry BIGINT,
    version BIGINT NOT NULL,
    CHECK (reserved >= 0 AND reserved <= on_hand)
) WITH (fillfactor = 50);

-- Whether units can be taken from every level of a batch. False is an error, which keeps the transaction from committing.
CREATE DOMAIN all_fit AS BOOLEAN CONSTRAINT every_level_fits CHECK (VALUE);

-- held_until is NULL once the order is paid.
CREATE TABLE reservations (
    sku TEXT COLLATE "C" NOT NULL,
    order_id UUID NOT NULL,
    units BIGINT NOT NULL,
    held_until BIGINT,
    PRIMARY KEY (sku, order_id)
);

-- The position of the newest event. Whoever appends holds this row until their transaction has ended, so positions have no
-- gaps and become visible in their order: whoever reads behind the last one they saw misses nothing.
CREATE TABLE feed (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    position BIGINT NOT NULL
) WITH (fillfactor = 50);
INSERT INTO feed (id, position) VALUES (1, 0);

-- The history. Nothing is ever deleted from it.
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
    body TEXT COLLATE "C" NOT NULL,
    UNIQUE (stream_id, stream_kind, sequence)
);

-- ready_at is when the task may next be taken: when it is due, when its lease or its pause ends; NULL once it was given up.
-- payload is JSON.
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

CREATE TABLE idempotency_keys (
    scope TEXT COLLATE "C" NOT NULL,
    request_key TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    given_at BIGINT NOT NULL,
    reply TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (scope, request_key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (given_at);

-- Uses are counted apart from the promotions: an embedder may keep those elsewhere.
CREATE TABLE promotion_uses (
    promotion_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    used BIGINT NOT NULL CHECK (used >= 0),
    spent BIGINT NOT NULL CHECK (spent >= 0)
) WITH (fillfactor = 50);

CREATE TABLE promotion_customers (
    promotion_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    used BIGINT NOT NULL CHECK (used >= 0),
    PRIMARY KEY (promotion_id, user_id)
);

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
