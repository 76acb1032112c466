-- insert three rows
INSERT INTO items (order_id, position, name, gift) VALUES (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?);

-- insert what is missing of three rows
INSERT INTO items (order_id, position, name, gift) VALUES (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?) ON DUPLICATE KEY UPDATE order_id = items.order_id;

-- insert three rows behind an expression
INSERT INTO levels (sku, on_hand) VALUES (LAST_INSERT_ID() + ?, ?), (LAST_INSERT_ID() + ?, ?), (LAST_INSERT_ID() + ?, ?);

-- update three rows
UPDATE levels SET on_hand = CASE sku WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ? END WHERE (sku) IN ((?), (?), (?));

-- update three rows with a key of two columns
UPDATE items SET name = CASE WHEN order_id = ? AND position = ? THEN ? WHEN order_id = ? AND position = ? THEN ? WHEN order_id = ? AND position = ? THEN ? END, gift = CASE WHEN order_id = ? AND position = ? THEN ? WHEN order_id = ? AND position = ? THEN ? WHEN order_id = ? AND position = ? THEN ? END WHERE (order_id, position) IN ((?, ?), (?, ?), (?, ?));

-- find three rows
SELECT CAST(JSON_ARRAY(LOWER(HEX(order_id)), CAST(position AS CHAR), CAST(name AS CHAR), CAST(gift AS CHAR)) AS CHAR) FROM items WHERE (order_id, position) IN ((?, ?), (?, ?), (?, ?));

-- update one row
UPDATE levels SET on_hand = ? WHERE sku = ?;

-- keys of one text
SELECT `levels`.`on_hand` FROM `levels` WHERE (`levels`.`sku`) IN ((?), (?), (?), (?));

-- keys of one UUID
DELETE FROM `items` WHERE (`items`.`order_id`) IN ((?), (?));

-- keys of two columns
SELECT `items`.`gift` FROM `items` WHERE (`items`.`order_id`, `items`.`name`) IN ((?, ?), (?, ?));

-- a single key
SELECT `items`.`gift` FROM `items` WHERE (`items`.`order_id`, `items`.`name`) IN ((?, ?), (?, ?));

-- no keys
SELECT `levels`.`on_hand` FROM `levels` WHERE FALSE;

