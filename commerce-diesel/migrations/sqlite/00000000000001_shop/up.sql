-- The tables of the shop. The types in commerce-core document the meaning of each column.
--
-- Formats: ids minted by the engine are 16 bytes of UUIDv7. Instants are microseconds since 1970 in UTC. Amounts are minor
-- units of the currency of their row, or of the row that they belong to. Enums and JSON are text.
--
-- There are no foreign keys. The rows of one document or one order are written together, by the same statements. A reference
-- from one aggregate to another (an order to a product, a reservation to an order) has no key because different commits write
-- the rows, and because products and users may be stored in other systems. The commit guards what must hold between them.
--
-- Every index serves a query. Reservations have no index by expiry: the store looks for expired reservations only if the stock
-- row says that there are some.

-- Keys that at most one document or order holds at a time: the active cart of a customer, a sku, an order number. owner is the
-- id of that document or order.
CREATE TABLE claims (
    kind TEXT NOT NULL,
    claim TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (kind, claim)
) STRICT, WITHOUT ROWID;

-- Documents. All tables of documents have one shape: body is the document as JSON, search is the text that searches look in.
-- Kinds of low volume share this table.
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

CREATE TABLE customers (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    search TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE payments (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    search TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- Keys by which lists of documents and orders are filtered.
CREATE TABLE document_keys (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    lookup TEXT NOT NULL,
    PRIMARY KEY (kind, id, lookup)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_keys_by_lookup ON document_keys (kind, lookup, id);

-- Orders: the columns that find an order, and its state as JSON. state is what later events changed, NULL if nothing. The rest
-- is read from the event that created the order.
CREATE TABLE orders (
    id BLOB NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    payment_id BLOB NOT NULL,
    status TEXT NOT NULL,
    phase TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    units INTEGER NOT NULL,
    state TEXT
) STRICT;
-- The order of these indexes matters. If two would serve, SQLite takes the later one, and a user has fewer orders than a status.
CREATE INDEX orders_by_payment ON orders (payment_id);
CREATE INDEX orders_by_status ON orders (status, id);
CREATE INDEX orders_of_user ON orders (user_id, id);

-- The columns that find a return. The return itself is part of the state of its order.
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

-- held_until is NULL after the order is paid.
CREATE TABLE reservations (
    sku TEXT NOT NULL,
    order_id BLOB NOT NULL,
    units INTEGER NOT NULL,
    held_until INTEGER,
    PRIMARY KEY (sku, order_id)
) STRICT, WITHOUT ROWID;

-- The position of the newest event. A transaction that appends events holds this row until it ends, so positions have no gaps
-- and become visible in order. A reader that continues behind its last position misses nothing.
CREATE TABLE feed (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL,
    -- Grows with every commit that changes a promotion.
    promotions INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO feed (id, position) VALUES (1, 0);

-- The history. Rows are never changed or deleted. trace is the traceparent that the client named, NULL if it named none.
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
    trace TEXT,
    body TEXT NOT NULL,
    UNIQUE (stream_id, stream_kind, sequence)
) STRICT;

-- ready_at is the earliest time to lease the task: when it is due, or when its lease or its pause after a failure ends. NULL if
-- the task is dead. payload is JSON.
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

-- reply is the answer or, if order_version is not NULL, the id of an order: the answer is the order at that version.
CREATE TABLE idempotency_keys (
    scope TEXT NOT NULL,
    request_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    given_at INTEGER NOT NULL,
    order_version INTEGER,
    reply TEXT NOT NULL,
    PRIMARY KEY (scope, request_key)
) STRICT;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (given_at);

-- Uses are counted in a table of their own, because an embedder may store promotions elsewhere. The uses by one customer are
-- counted when they are needed.
CREATE TABLE promotion_uses (
    promotion_id TEXT NOT NULL PRIMARY KEY,
    used INTEGER NOT NULL CHECK (used >= 0),
    spent INTEGER NOT NULL CHECK (spent >= 0)
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
CREATE INDEX promotion_redemptions_of_user ON promotion_redemptions (user_id, promotion_id);

-- The attempts to deliver webhooks: the newest of each endpoint. No commit writes them, and no history makes them.
CREATE TABLE webhook_deliveries (
    endpoint_id BLOB NOT NULL,
    id BLOB NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (endpoint_id, id)
) STRICT, WITHOUT ROWID;

-- The books of the payment sandbox. They are those of a processor, so no commit of the shop writes them. A row is what happened,
-- and the book of the payment after it.
CREATE TABLE sandbox_books (
    number INTEGER NOT NULL PRIMARY KEY,
    payment_id BLOB NOT NULL,
    written INTEGER NOT NULL,
    book TEXT NOT NULL,
    event TEXT NOT NULL,
    UNIQUE (payment_id, written)
) STRICT;

-- How far each target of published events has confirmed the feed. holder is the process that publishes until leased_until. Every
-- change makes the next version.
CREATE TABLE publish_targets (
    name TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    version INTEGER NOT NULL,
    holder TEXT,
    leased_until INTEGER,
    failures INTEGER NOT NULL,
    failing_since INTEGER,
    retry_at INTEGER,
    last_error TEXT
) STRICT, WITHOUT ROWID;
