-- insert the first of three rows
INSERT INTO items (order_id, position, name, gift) VALUES (?, ?, ?, ?);

-- insert what is missing of the first of three rows
INSERT INTO items (order_id, position, name, gift) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- insert the first of three rows behind an expression
INSERT INTO levels (sku, on_hand) VALUES ((SELECT last FROM counter) + ?, ?);

-- update the first of three rows
UPDATE levels SET on_hand = ? WHERE sku = ?;

-- update the first of three rows with a key of two columns
UPDATE items SET name = ?, gift = ? WHERE order_id = ? AND position = ?;

-- find the first of three rows
SELECT json_array(lower(hex(order_id)), CAST(position AS TEXT), CAST(name AS TEXT), CAST(gift AS TEXT)) FROM items WHERE order_id = ? AND position = ?;

-- update one row
UPDATE levels SET on_hand = ? WHERE sku = ?;

-- keys of one text
SELECT `levels`.`on_hand` FROM `levels` WHERE (`levels`.`sku`) IN (SELECT value FROM json_each(?));

-- keys of one UUID
DELETE FROM `items` WHERE (`items`.`order_id`) IN (SELECT unhex(value) FROM json_each(?));

-- keys of two columns
SELECT `items`.`gift` FROM `items` WHERE (`items`.`order_id`, `items`.`name`) IN (SELECT unhex(value ->> 0), value ->> 1 FROM json_each(?));

-- a single key
SELECT `items`.`gift` FROM `items` WHERE (`items`.`order_id`, `items`.`name`) = (?, ?);

-- no keys
SELECT `levels`.`on_hand` FROM `levels` WHERE FALSE;

