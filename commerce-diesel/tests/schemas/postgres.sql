SELECT format('%s column %s %s %s%s', table_name, ordinal_position, column_name,
    CASE data_type
        WHEN 'bigint' THEN 'number' WHEN 'uuid' THEN 'id'
        WHEN 'text' THEN CASE collation_name WHEN 'C' THEN 'text' ELSE 'text of another collation' END
        ELSE data_type
    END,
    CASE is_nullable WHEN 'YES' THEN ' or null' ELSE '' END)
FROM information_schema.columns
WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'
UNION ALL
SELECT format('%s %s (%s)', tables.relname,
    CASE WHEN indisprimary THEN 'primary key' WHEN indisunique THEN 'unique' ELSE 'index ' || indexes.relname END,
    string_agg(attname || CASE indoption[place - 1] & 1 WHEN 1 THEN ' desc' ELSE '' END, ', ' ORDER BY place))
FROM pg_index
JOIN pg_class indexes ON indexes.oid = indexrelid
JOIN pg_class tables ON tables.oid = indrelid AND tables.relnamespace = 'public'::regnamespace
CROSS JOIN LATERAL unnest(indkey) WITH ORDINALITY AS parts (number, place)
JOIN pg_attribute ON attrelid = indrelid AND attnum = number
WHERE tables.relname <> '__diesel_schema_migrations'
GROUP BY indexrelid, tables.relname, indexes.relname, indisprimary, indisunique
UNION ALL
SELECT format('%s foreign key (%s) to %s (%s)', conrelid::regclass, string_agg(here.attname, ', ' ORDER BY place),
    confrelid::regclass, string_agg(there.attname, ', ' ORDER BY place))
FROM pg_constraint
CROSS JOIN LATERAL unnest(conkey, confkey) WITH ORDINALITY AS parts (inside, outside, place)
JOIN pg_attribute here ON here.attrelid = conrelid AND here.attnum = inside
JOIN pg_attribute there ON there.attrelid = confrelid AND there.attnum = outside
WHERE contype = 'f'
GROUP BY conname, conrelid, confrelid;
