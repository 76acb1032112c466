-- The tables of the shop. What each column means stands with its type in commerce-core.
--
-- Ids minted by the engine are 16 bytes of UUIDv7, instants are microseconds since 1970 in UTC, amounts are minor units of
-- the currency of their row or of the row they belong to, enums and JSON are text.
--
-- There are no foreign keys. The parts of a document or an order are written by the statements that write it and by nothing else. None
-- leads from one aggregate to another (an order to a product, a reservation to an order): such rows are written by different commits,
-- products and users may live in other systems, and the commit guards what has to be guarded.
--
-- Text compares by its bytes and without padding, as it does in the engine: a space at the end makes another sku, and lists are
-- in the same order on every database. MariaDB and MySQL name that collation differently, and each reads the comment that is
-- meant for it. Text is as long as commerce-core lets it be; what is longer is an error (sql_mode), never cut.
--
-- No index is there that no query needs. Reservations have none by their end: those that are due are looked for only when
-- the stock row says that there are some.
--
-- No transaction takes back that a table was made. If this is broken off it is run again, and makes what is missing: so every
-- table says whose it is, and each statement can be run twice. A migration that changes a table has one statement, or as few
-- as can be run again.

-- What at most one document or order holds at a time: the active cart of a customer, a sku, an order number. owner is the id of who
-- holds it.
CREATE TABLE IF NOT EXISTS claims (
    kind VARCHAR(32) NOT NULL,
    claim VARCHAR(192) NOT NULL,
    owner VARCHAR(64) NOT NULL,
    PRIMARY KEY (kind, claim)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- The tables of documents have one shape. body is the document as JSON, search what a search by text looks in. Kinds of low volume
-- share a table.
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

-- What documents and orders are found by besides their ids.
CREATE TABLE IF NOT EXISTS document_keys (
    kind VARCHAR(32) NOT NULL,
    id VARCHAR(64) NOT NULL,
    lookup VARCHAR(600) NOT NULL,
    PRIMARY KEY (kind, id, lookup),
    KEY document_keys_by_lookup (kind, lookup, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- What an order is found by, and its state as JSON: what events have changed since it was placed, NULL for nothing. What was placed
-- is read from the event that created the order.
CREATE TABLE IF NOT EXISTS orders (
    id BINARY(16) NOT NULL PRIMARY KEY,
    user_id VARCHAR(64) NOT NULL,
    payment_id BINARY(16) NOT NULL,
    status VARCHAR(64) NOT NULL,
    phase VARCHAR(32) NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    state MEDIUMTEXT,
    KEY orders_by_payment (payment_id),
    KEY orders_by_status (status, id),
    KEY orders_of_user (user_id, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- What a return is found by. It is part of the state of its order.
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

-- held_until is NULL once the order is paid.
CREATE TABLE IF NOT EXISTS reservations (
    sku VARCHAR(64) NOT NULL,
    order_id BINARY(16) NOT NULL,
    units BIGINT NOT NULL,
    held_until BIGINT,
    PRIMARY KEY (sku, order_id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- The position of the newest event. Whoever appends holds this row until their transaction has ended, so positions have no
-- gaps and become visible in their order: whoever reads behind the last one they saw misses nothing.
CREATE TABLE IF NOT EXISTS feed (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    position BIGINT NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';
INSERT INTO feed (id, position) VALUES (1, 0) ON DUPLICATE KEY UPDATE id = 1;

-- The history. Nothing is ever deleted from it.
CREATE TABLE IF NOT EXISTS events (
    position BIGINT NOT NULL PRIMARY KEY,
    stream_kind VARCHAR(32) NOT NULL,
    stream_id VARCHAR(64) NOT NULL,
    sequence BIGINT NOT NULL,
    event_id BINARY(16) NOT NULL,
    event_type VARCHAR(64) NOT NULL,
    happened_at BIGINT NOT NULL,
    actor_role VARCHAR(32) NOT NULL,
    actor_user VARCHAR(64),
    body MEDIUMTEXT NOT NULL,
    UNIQUE (stream_id, stream_kind, sequence)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- ready_at is when the task may next be taken: when it is due, when its lease or its pause ends; NULL once it was given up.
-- payload is JSON.
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

CREATE TABLE IF NOT EXISTS idempotency_keys (
    scope VARCHAR(255) NOT NULL,
    request_key VARCHAR(255) NOT NULL,
    fingerprint VARCHAR(255) NOT NULL,
    given_at BIGINT NOT NULL,
    reply MEDIUMTEXT NOT NULL,
    PRIMARY KEY (scope, request_key),
    KEY idempotency_keys_by_age (given_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

-- Uses are counted apart from the promotions: an embedder may keep those elsewhere.
CREATE TABLE IF NOT EXISTS promotion_uses (
    promotion_id VARCHAR(64) NOT NULL PRIMARY KEY,
    used BIGINT NOT NULL CHECK (used >= 0),
    spent BIGINT NOT NULL CHECK (spent >= 0)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';

CREATE TABLE IF NOT EXISTS promotion_customers (
    promotion_id VARCHAR(64) NOT NULL,
    user_id VARCHAR(64) NOT NULL,
    used BIGINT NOT NULL CHECK (used >= 0),
    PRIMARY KEY (promotion_id, user_id)
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
    PRIMARY KEY (promotion_id, order_id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4
    COLLATE /*M!100203 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */ COMMENT = 'commerce';
