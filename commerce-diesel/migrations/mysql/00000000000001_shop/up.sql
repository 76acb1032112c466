-- The tables of the shop. The types in commerce-core document the meaning of each column.
--
-- Formats: ids minted by the engine are 16 bytes of UUIDv7. Instants are microseconds since 1970 in UTC. Amounts are minor
-- units of the currency of their row, or of the row that they belong to. Enums and JSON are text.
--
-- There are no foreign keys. The rows of one document or one order are written together, by the same statements. A reference
-- from one aggregate to another (an order to a product, a reservation to an order) has no key because different commits write
-- the rows, and because products and users may be stored in other systems. The commit guards what must hold between them.
--
-- Text compares by bytes and without padding, as in the engine: a trailing space makes another sku, and lists have the same
-- order on every database. MariaDB and MySQL have different names for this collation. Each of them reads the comment that is
-- meant for it. The lengths are the limits of commerce-core. Longer text is an error (sql_mode) and is never truncated.
--
-- Every index serves a query. Reservations have no index by expiry: the store looks for expired reservations only if the stock
-- row says that there are some.
--
-- MySQL cannot roll back CREATE TABLE. An interrupted migration is run again and creates what is missing. Each statement can
-- therefore run twice, and the comment of each table says which program it belongs to. A migration that changes a table
-- contains one statement, or as few as can be run again.

-- Keys that at most one document or order holds at a time: the active cart of a customer, a sku, an order number. owner is the
-- id of that document or order.
CREATE TABLE IF NOT EXISTS claims (
    kind VARCHAR(32) NOT NULL,
    claim VARCHAR(192) NOT NULL,
    owner VARCHAR(64) NOT NULL,
    PRIMARY KEY (kind, claim)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- Documents. All tables of documents have one shape: body is the document as JSON, search is the text that searches look in.
-- Kinds of low volume share this table.
CREATE TABLE IF NOT EXISTS documents (
    kind VARCHAR(32) NOT NULL,
    id VARCHAR(64) NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    search MEDIUMTEXT NOT NULL,
    body MEDIUMTEXT NOT NULL,
    PRIMARY KEY (kind, id),
    KEY documents_newest (kind, created_at DESC, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

CREATE TABLE IF NOT EXISTS carts (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    search MEDIUMTEXT NOT NULL,
    body MEDIUMTEXT NOT NULL,
    KEY carts_newest (created_at DESC, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

CREATE TABLE IF NOT EXISTS products (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    search MEDIUMTEXT NOT NULL,
    body MEDIUMTEXT NOT NULL,
    KEY products_newest (created_at DESC, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

CREATE TABLE IF NOT EXISTS customers (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    search MEDIUMTEXT NOT NULL,
    body MEDIUMTEXT NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

CREATE TABLE IF NOT EXISTS payments (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    search MEDIUMTEXT NOT NULL,
    body MEDIUMTEXT NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- Keys by which lists of documents and orders are filtered.
CREATE TABLE IF NOT EXISTS document_keys (
    kind VARCHAR(32) NOT NULL,
    id VARCHAR(64) NOT NULL,
    lookup VARCHAR(600) NOT NULL,
    PRIMARY KEY (kind, id, lookup),
    KEY document_keys_by_lookup (kind, lookup, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- Orders: the columns that find an order, and its state as JSON. state is what later events changed, NULL if nothing. The rest
-- is read from the event that created the order.
CREATE TABLE IF NOT EXISTS orders (
    id BINARY(16) NOT NULL PRIMARY KEY,
    user_id VARCHAR(64) NOT NULL,
    payment_id BINARY(16) NOT NULL,
    status VARCHAR(64) NOT NULL,
    phase VARCHAR(32) NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    units BIGINT NOT NULL,
    state MEDIUMTEXT,
    KEY orders_by_payment (payment_id),
    KEY orders_by_status (status, id),
    KEY orders_of_user (user_id, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- The columns that find a return. The return itself is part of the state of its order.
CREATE TABLE IF NOT EXISTS returns (
    id BINARY(16) NOT NULL PRIMARY KEY,
    order_id BINARY(16) NOT NULL,
    status VARCHAR(64) NOT NULL,
    KEY returns_of_order (order_id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

CREATE TABLE IF NOT EXISTS stock (
    sku VARCHAR(64) NOT NULL PRIMARY KEY,
    on_hand BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    reorder_threshold BIGINT,
    next_expiry BIGINT,
    version BIGINT NOT NULL,
    CHECK (reserved >= 0 AND reserved <= on_hand)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- held_until is NULL after the order is paid.
CREATE TABLE IF NOT EXISTS reservations (
    sku VARCHAR(64) NOT NULL,
    order_id BINARY(16) NOT NULL,
    units BIGINT NOT NULL,
    held_until BIGINT,
    PRIMARY KEY (sku, order_id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- The position of the newest event. A transaction that appends events holds this row until it ends, so positions have no gaps
-- and become visible in order. A reader that continues behind its last position misses nothing.
CREATE TABLE IF NOT EXISTS feed (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    position BIGINT NOT NULL,
    -- Grows with every commit that changes a promotion.
    promotions BIGINT NOT NULL DEFAULT 0
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';
INSERT INTO feed (id, position) VALUES (1, 0) ON DUPLICATE KEY UPDATE id = 1;

-- The history. Rows are never changed or deleted. trace is the traceparent that the client named, NULL if it named none.
CREATE TABLE IF NOT EXISTS events (
    position BIGINT NOT NULL PRIMARY KEY,
    stream_kind VARCHAR(32) NOT NULL,
    stream_id VARCHAR(97) NOT NULL,
    sequence BIGINT NOT NULL,
    event_id BINARY(16) NOT NULL,
    event_type VARCHAR(64) NOT NULL,
    happened_at BIGINT NOT NULL,
    actor_role VARCHAR(32) NOT NULL,
    actor_user VARCHAR(64),
    trace VARCHAR(55),
    body MEDIUMTEXT NOT NULL,
    UNIQUE (stream_id, stream_kind, sequence)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- ready_at is the earliest time to lease the task: when it is due, or when its lease or its pause after a failure ends. NULL if
-- the task is dead. payload is JSON.
CREATE TABLE IF NOT EXISTS tasks (
    kind VARCHAR(32) NOT NULL,
    subject VARCHAR(64) NOT NULL,
    payload MEDIUMTEXT NOT NULL,
    due BIGINT NOT NULL,
    ready_at BIGINT,
    failures BIGINT NOT NULL,
    last_error MEDIUMTEXT,
    PRIMARY KEY (subject, kind),
    KEY tasks_ready (ready_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- reply is the answer or, if order_version is not NULL, the id of an order: the answer is the order at that version.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    scope VARCHAR(255) NOT NULL,
    request_key VARCHAR(255) NOT NULL,
    fingerprint VARCHAR(255) NOT NULL,
    given_at BIGINT NOT NULL,
    order_version BIGINT,
    reply MEDIUMTEXT NOT NULL,
    PRIMARY KEY (scope, request_key),
    KEY idempotency_keys_by_age (given_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- Uses are counted in a table of their own, because an embedder may store promotions elsewhere. The uses by one customer are
-- counted when they are needed.
CREATE TABLE IF NOT EXISTS promotion_uses (
    promotion_id VARCHAR(64) NOT NULL PRIMARY KEY,
    used BIGINT NOT NULL CHECK (used >= 0),
    spent BIGINT NOT NULL CHECK (spent >= 0)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

CREATE TABLE IF NOT EXISTS promotion_redemptions (
    promotion_id VARCHAR(64) NOT NULL,
    order_id BINARY(16) NOT NULL,
    user_id VARCHAR(64) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    amount BIGINT NOT NULL,
    redeemed_at BIGINT NOT NULL,
    released_at BIGINT,
    PRIMARY KEY (promotion_id, order_id),
    KEY promotion_redemptions_of_user (user_id, promotion_id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- The attempts to deliver webhooks: the newest of each endpoint. No commit writes them, and no history makes them.
CREATE TABLE IF NOT EXISTS webhook_deliveries (
    endpoint_id BINARY(16) NOT NULL,
    id BINARY(16) NOT NULL,
    body MEDIUMTEXT NOT NULL,
    PRIMARY KEY (endpoint_id, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- The books of the payment sandbox. They are those of a processor, so no commit of the shop writes them. A row is what happened,
-- and the book of the payment after it.
CREATE TABLE IF NOT EXISTS sandbox_books (
    number BIGINT NOT NULL PRIMARY KEY,
    payment_id BINARY(16) NOT NULL,
    written BIGINT NOT NULL,
    book MEDIUMTEXT NOT NULL,
    event MEDIUMTEXT NOT NULL,
    UNIQUE (payment_id, written)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- How far each target of published events has confirmed the feed. holder is the process that publishes until leased_until. Every
-- change makes the next version.
CREATE TABLE IF NOT EXISTS publish_targets (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    version BIGINT NOT NULL,
    holder VARCHAR(36),
    leased_until BIGINT,
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    retry_at BIGINT,
    last_error TEXT
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';
