WITH tables AS (
    SELECT name AS tbl FROM sqlite_schema
    WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> '__diesel_schema_migrations'
)
SELECT tbl || ' column ' || (cid + 1) || ' ' || name || ' ' ||
    CASE type WHEN 'INTEGER' THEN 'number' WHEN 'TEXT' THEN 'text' WHEN 'BLOB' THEN 'id' ELSE type END ||
    iif("notnull" = 0, ' or null', '') AS line
FROM tables, pragma_table_info(tbl)
UNION ALL
SELECT tbl || ' primary key (' || group_concat(name, ', ' ORDER BY pk) || ')'
FROM tables, pragma_table_info(tbl) WHERE pk > 0 GROUP BY tbl
UNION ALL
SELECT tbl || ' ' || iif(list."unique", 'unique', 'index ' || list.name) ||
    ' (' || group_concat(part.name || iif(part."desc", ' desc', ''), ', ' ORDER BY part.seqno) || ')'
FROM tables, pragma_index_list(tbl) AS list, pragma_index_xinfo(list.name) AS part
WHERE list.origin <> 'pk' AND part.key
GROUP BY tbl, list.name
UNION ALL
SELECT tbl || ' foreign key (' || group_concat("from", ', ' ORDER BY seq) || ') to ' || "table" ||
    ' (' || group_concat("to", ', ' ORDER BY seq) || ')'
FROM tables, pragma_foreign_key_list(tbl) GROUP BY tbl, id
