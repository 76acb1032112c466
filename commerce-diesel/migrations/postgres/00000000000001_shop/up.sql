-- The tables of the shop. What each column means stands with its type in commerce-core.
--
-- Ids minted by the engine are UUIDv7, instants are microseconds since 1970 in UTC, amounts are minor units of
-- the currency of their row or of the row they belong to, enums and JSON are text.
--
-- Foreign keys tie the lines of carts and products to their heads. Orders have none: their parts are written by the statements
-- that write the head and by nothing else, and each row of an order would cost a look-up and a lock of its own. None leads
-- from one aggregate to another (an order to a product, a reservation to an order): such rows are written by different
-- commits, products and users may live in other systems, and the commit guards what has to be guarded.
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

-- The documents of kinds of low volume, as JSON. Those of carts and products stand in tables of their own.
CREATE TABLE documents (
    kind TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX documents_newest ON documents (kind, created_at DESC, id);

-- What documents are found by besides their ids.
CREATE TABLE document_keys (
    kind TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    lookup TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, id, lookup)
);
CREATE INDEX document_keys_by_lookup ON document_keys (kind, lookup, id);

CREATE TABLE products (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    active BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX products_newest ON products (created_at DESC, id);

CREATE TABLE variants (
    product_id TEXT COLLATE "C" NOT NULL REFERENCES products (id),
    position BIGINT NOT NULL,
    sku TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    price BIGINT NOT NULL CHECK (price >= 0),
    currency TEXT COLLATE "C" NOT NULL,
    tax_category TEXT COLLATE "C",
    PRIMARY KEY (product_id, position)
);
CREATE INDEX variants_by_sku ON variants (sku);

CREATE TABLE product_categories (
    product_id TEXT COLLATE "C" NOT NULL REFERENCES products (id),
    position BIGINT NOT NULL,
    category_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (product_id, position)
);
CREATE INDEX product_categories_by_category ON product_categories (category_id, product_id);

-- active_user_id is the user of an active cart and NULL otherwise. That a user has at most one is a claim.
CREATE TABLE carts (
    id UUID NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL,
    active_user_id TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    order_id UUID,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX carts_active ON carts (active_user_id);

CREATE TABLE cart_items (
    cart_id UUID NOT NULL REFERENCES carts (id),
    position BIGINT NOT NULL,
    id UUID NOT NULL,
    sku TEXT COLLATE "C" NOT NULL,
    product_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    unit_price BIGINT NOT NULL,
    PRIMARY KEY (cart_id, position)
);

CREATE TABLE cart_codes (
    cart_id UUID NOT NULL REFERENCES carts (id),
    position BIGINT NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (cart_id, position)
);

-- What an order is found by, and what events change of it. What was bought, at what price, and where it goes never changes: that is
-- read from the event that created the order.
CREATE TABLE orders (
    id UUID NOT NULL PRIMARY KEY,
    number TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    cart_id UUID,
    payment_id UUID NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    phase TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    entered_at BIGINT NOT NULL,
    delivered_at BIGINT
);
CREATE INDEX orders_by_status ON orders (status, id);
CREATE INDEX orders_of_user ON orders (user_id, id);

CREATE TABLE payments (
    id UUID NOT NULL PRIMARY KEY,
    order_id UUID NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    amount BIGINT NOT NULL,
    captured BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    reference TEXT COLLATE "C"
);

CREATE TABLE refunds (
    order_id UUID NOT NULL,
    position BIGINT NOT NULL,
    id UUID NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    amount BIGINT NOT NULL,
    reason TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL,
    reference TEXT COLLATE "C",
    PRIMARY KEY (order_id, position)
);

CREATE TABLE returns (
    id UUID NOT NULL PRIMARY KEY,
    order_id UUID NOT NULL,
    position BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    requested_at BIGINT NOT NULL,
    UNIQUE (order_id, position)
);

CREATE TABLE return_lines (
    return_id UUID NOT NULL,
    position BIGINT NOT NULL,
    item_id UUID NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (return_id, position)
);

CREATE TABLE shipments (
    order_id UUID NOT NULL PRIMARY KEY,
    provider TEXT COLLATE "C" NOT NULL,
    method TEXT COLLATE "C" NOT NULL,
    tracking_number TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL
);

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
