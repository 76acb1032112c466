-- insert three rows
INSERT INTO items (order_id, position, name, gift) SELECT unnest($1) AS order_id, unnest($2) AS position, unnest($3) AS name, unnest($4) AS gift;

-- insert what is missing of three rows
INSERT INTO items (order_id, position, name, gift) SELECT unnest($1) AS order_id, unnest($2) AS position, unnest($3) AS name, unnest($4) AS gift ON CONFLICT DO NOTHING;

-- insert three rows behind an expression
INSERT INTO levels (sku, on_hand) SELECT (SELECT last FROM counter) + unnest($1) AS sku, unnest($2) AS on_hand;

-- update three rows
UPDATE levels AS t SET on_hand = v.on_hand FROM (SELECT unnest($1) AS sku, unnest($2) AS on_hand) AS v WHERE t.sku = v.sku;

-- update three rows with a key of two columns
UPDATE items AS t SET name = v.name, gift = v.gift FROM (SELECT unnest($1) AS order_id, unnest($2) AS position, unnest($3) AS name, unnest($4) AS gift) AS v WHERE t.order_id = v.order_id AND t.position = v.position;

-- find three rows
SELECT CAST(json_build_array(replace(CAST(order_id AS TEXT), '-', ''), CAST(position AS TEXT), CAST(name AS TEXT), CAST(gift AS TEXT)) AS TEXT) FROM items WHERE (order_id, position) IN (SELECT order_id, position FROM (SELECT unnest($1) AS order_id, unnest($2) AS position, unnest($3) AS name, unnest($4) AS gift) AS v);

-- update one row
UPDATE levels AS t SET on_hand = v.on_hand FROM (SELECT unnest($1) AS sku, unnest($2) AS on_hand) AS v WHERE t.sku = v.sku;

-- keys of one text
SELECT "levels"."on_hand" FROM "levels" WHERE ("levels"."sku") = ANY($1);

-- keys of one UUID
DELETE FROM "items" WHERE ("items"."order_id") = ANY($1);

-- keys of two columns
SELECT "items"."gift" FROM "items" WHERE ("items"."order_id", "items"."name") IN (SELECT unnest($1), unnest($2));

-- a single key
SELECT "items"."gift" FROM "items" WHERE ("items"."order_id", "items"."name") IN (SELECT unnest($1), unnest($2));

-- no keys
SELECT "levels"."on_hand" FROM "levels" WHERE ("levels"."sku") = ANY($1);

-- an insert, an update and an insert of what is missing together
WITH w0 AS (INSERT INTO items (order_id, position, name, gift) SELECT unnest($1) AS order_id, unnest($2) AS position, unnest($3) AS name, unnest($4) AS gift), w1 AS (UPDATE levels AS t SET on_hand = v.on_hand FROM (SELECT unnest($5) AS sku, unnest($6) AS on_hand) AS v WHERE t.sku = v.sku) INSERT INTO levels (sku, on_hand) SELECT unnest($7) AS sku, unnest($8) AS on_hand ON CONFLICT DO NOTHING;

-- an update alone
UPDATE levels AS t SET on_hand = v.on_hand FROM (SELECT unnest($1) AS sku, unnest($2) AS on_hand) AS v WHERE t.sku = v.sku;

