-- The tables of the shop. What each column means stands with its type in commerce-core.
--
-- Ids minted by the engine are 16 bytes of UUIDv7, instants are microseconds since 1970 in UTC, amounts are minor units of
-- the currency of their row or of the row they belong to, enums and JSON are text.
--
-- There are no foreign keys. The parts of a document or an order are written by the statements that write it and by nothing else. None
-- leads from one aggregate to another (an order to a product, a reservation to an order): such rows are written by different commits,
-- products and users may live in other systems, and the commit guards what has to be guarded.
--
-- No index is there that no query needs. Reservations have none by their end: those that are due are looked for only when
-- the stock row says that there are some.

-- What at most one document or order holds at a time: the active cart of a customer, a sku, an order number. owner is the id of who
-- holds it.
CREATE TABLE claims (
    kind TEXT NOT NULL,
    claim TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (kind, claim)
) STRICT, WITHOUT ROWID;

-- The tables of documents have one shape. body is the document as JSON, search what a search by text looks in. Kinds of low volume
-- share a table.
CREATE TABLE documents (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    search TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;
CREATE INDEX documents_newest ON documents (kind, created_at DESC, id);

CREATE TABLE carts (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    search TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX carts_newest ON carts (created_at DESC, id);

CREATE TABLE products (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    search TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX products_newest ON products (created_at DESC, id);

-- What documents and orders are found by besides their ids.
CREATE TABLE document_keys (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    lookup TEXT NOT NULL,
    PRIMARY KEY (kind, id, lookup)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_keys_by_lookup ON document_keys (kind, lookup, id);

-- What an order is found by, and its state as JSON: what events have changed since it was placed, NULL for nothing. What was placed
-- is read from the event that created the order.
CREATE TABLE orders (
    id BLOB NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    payment_id BLOB NOT NULL,
    status TEXT NOT NULL,
    phase TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT
) STRICT;
-- In this order: where both would serve, SQLite takes the later one, and a user has fewer orders than a state.
CREATE INDEX orders_by_payment ON orders (payment_id);
CREATE INDEX orders_by_status ON orders (status, id);
CREATE INDEX orders_of_user ON orders (user_id, id);

-- What a return is found by. It is part of the state of its order.
CREATE TABLE returns (
    id BLOB NOT NULL PRIMARY KEY,
    order_id BLOB NOT NULL,
    status TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX returns_of_order ON returns (order_id);

CREATE TABLE stock (
    sku TEXT NOT NULL PRIMARY KEY,
    on_hand INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    reorder_threshold INTEGER,
    next_expiry INTEGER,
    version INTEGER NOT NULL,
    CHECK (reserved >= 0 AND reserved <= on_hand)
) STRICT, WITHOUT ROWID;

-- held_until is NULL once the order is paid.
CREATE TABLE reservations (
    sku TEXT NOT NULL,
    order_id BLOB NOT NULL,
    units INTEGER NOT NULL,
    held_until INTEGER,
    PRIMARY KEY (sku, order_id)
) STRICT, WITHOUT ROWID;

-- The position of the newest event. Whoever appends holds this row until their transaction has ended, so positions have no
-- gaps and become visible in their order: whoever reads behind the last one they saw misses nothing.
CREATE TABLE feed (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL
) STRICT;
INSERT INTO feed (id, position) VALUES (1, 0);

-- The history. Nothing is ever deleted from it.
CREATE TABLE events (
    position INTEGER NOT NULL PRIMARY KEY,
    stream_kind TEXT NOT NULL,
    stream_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    event_type TEXT NOT NULL,
    happened_at INTEGER NOT NULL,
    actor_role TEXT NOT NULL,
    actor_user TEXT,
    body TEXT NOT NULL,
    UNIQUE (stream_id, stream_kind, sequence)
) STRICT;

-- ready_at is when the task may next be taken: when it is due, when its lease or its pause ends; NULL once it was given up.
-- payload is JSON.
CREATE TABLE tasks (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    payload TEXT NOT NULL,
    due INTEGER NOT NULL,
    ready_at INTEGER,
    failures INTEGER NOT NULL,
    last_error TEXT,
    PRIMARY KEY (subject, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX tasks_ready ON tasks (ready_at);

CREATE TABLE idempotency_keys (
    scope TEXT NOT NULL,
    request_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    given_at INTEGER NOT NULL,
    reply TEXT NOT NULL,
    PRIMARY KEY (scope, request_key)
) STRICT;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (given_at);

-- Uses are counted apart from the promotions: an embedder may keep those elsewhere.
CREATE TABLE promotion_uses (
    promotion_id TEXT NOT NULL PRIMARY KEY,
    used INTEGER NOT NULL CHECK (used >= 0),
    spent INTEGER NOT NULL CHECK (spent >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE promotion_customers (
    promotion_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    used INTEGER NOT NULL CHECK (used >= 0),
    PRIMARY KEY (promotion_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE promotion_redemptions (
    promotion_id TEXT NOT NULL,
    order_id BLOB NOT NULL,
    user_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL,
    redeemed_at INTEGER NOT NULL,
    released_at INTEGER,
    PRIMARY KEY (promotion_id, order_id)
) STRICT, WITHOUT ROWID;
