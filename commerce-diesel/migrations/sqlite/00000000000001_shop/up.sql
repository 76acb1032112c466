-- The tables of the shop. What each column means stands with its type in commerce-core.
--
-- Ids minted by the engine are 16 bytes of UUIDv7, instants are microseconds since 1970 in UTC, amounts are minor units of
-- the currency of their row or of the row they belong to, enums and JSON are text.
--
-- Foreign keys tie the lines of carts and products to their heads. Orders have none: their parts are written by the statements
-- that write the head and by nothing else, and each row of an order would cost a look-up and a lock of its own. None leads
-- from one aggregate to another (an order to a product, a reservation to an order): such rows are written by different
-- commits, products and users may live in other systems, and the commit guards what has to be guarded.
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

-- The documents of kinds of low volume, as JSON. Those of carts and products stand in tables of their own.
CREATE TABLE documents (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;
CREATE INDEX documents_newest ON documents (kind, created_at DESC, id);

-- What documents are found by besides their ids.
CREATE TABLE document_keys (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    lookup TEXT NOT NULL,
    PRIMARY KEY (kind, id, lookup)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_keys_by_lookup ON document_keys (kind, lookup, id);

CREATE TABLE products (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT,
    active INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX products_newest ON products (created_at DESC, id);

CREATE TABLE variants (
    product_id TEXT NOT NULL REFERENCES products (id),
    position INTEGER NOT NULL,
    sku TEXT NOT NULL,
    name TEXT,
    price INTEGER NOT NULL CHECK (price >= 0),
    currency TEXT NOT NULL,
    tax_category TEXT,
    PRIMARY KEY (product_id, position)
) STRICT;
CREATE INDEX variants_by_sku ON variants (sku);

CREATE TABLE product_categories (
    product_id TEXT NOT NULL REFERENCES products (id),
    position INTEGER NOT NULL,
    category_id TEXT NOT NULL,
    PRIMARY KEY (product_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX product_categories_by_category ON product_categories (category_id, product_id);

-- active_user_id is the user of an active cart and NULL otherwise. That a user has at most one is a claim.
CREATE TABLE carts (
    id BLOB NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    active_user_id TEXT,
    status TEXT NOT NULL,
    currency TEXT NOT NULL,
    order_id BLOB,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX carts_active ON carts (active_user_id);

CREATE TABLE cart_items (
    cart_id BLOB NOT NULL REFERENCES carts (id),
    position INTEGER NOT NULL,
    id BLOB NOT NULL,
    sku TEXT NOT NULL,
    product_id TEXT NOT NULL,
    name TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    unit_price INTEGER NOT NULL,
    PRIMARY KEY (cart_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE cart_codes (
    cart_id BLOB NOT NULL REFERENCES carts (id),
    position INTEGER NOT NULL,
    code TEXT NOT NULL,
    PRIMARY KEY (cart_id, position)
) STRICT, WITHOUT ROWID;

-- What an order is found by, and what events change of it. What was bought, at what price, and where it goes never changes: that is
-- read from the event that created the order.
CREATE TABLE orders (
    id BLOB NOT NULL PRIMARY KEY,
    number TEXT NOT NULL,
    user_id TEXT NOT NULL,
    cart_id BLOB,
    payment_id BLOB NOT NULL,
    status TEXT NOT NULL,
    phase TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    entered_at INTEGER NOT NULL,
    delivered_at INTEGER
) STRICT;
-- In this order: where both would serve, SQLite takes the later one, and a user has fewer orders than a state.
CREATE INDEX orders_by_status ON orders (status, id);
CREATE INDEX orders_of_user ON orders (user_id, id);

CREATE TABLE payments (
    id BLOB NOT NULL PRIMARY KEY,
    order_id BLOB NOT NULL,
    status TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL,
    captured INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    reference TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE refunds (
    order_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    id BLOB NOT NULL,
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL,
    reason TEXT,
    status TEXT NOT NULL,
    reference TEXT,
    PRIMARY KEY (order_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE returns (
    id BLOB NOT NULL PRIMARY KEY,
    order_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    requested_at INTEGER NOT NULL,
    UNIQUE (order_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE return_lines (
    return_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    item_id BLOB NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (return_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE shipments (
    order_id BLOB NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    method TEXT NOT NULL,
    tracking_number TEXT,
    status TEXT NOT NULL
) STRICT, WITHOUT ROWID;

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
