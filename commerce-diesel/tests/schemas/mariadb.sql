SELECT CONCAT(table_name, ' column ', ordinal_position, ' ', column_name, ' ',
    CASE data_type
        WHEN 'bigint' THEN 'number' WHEN 'tinyint' THEN 'boolean'
        WHEN 'binary' THEN IF(column_type = 'binary(16)', 'id', column_type)
        ELSE CASE collation_name WHEN 'utf8mb4_nopad_bin' THEN 'text' ELSE column_type END
    END, IF(is_nullable = 'YES', ' or null', ''))
FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name <> '__diesel_schema_migrations'
UNION ALL
SELECT CONCAT(table_name, ' ',
    CASE WHEN index_name = 'PRIMARY' THEN 'primary key' WHEN non_unique = 0 THEN 'unique' ELSE CONCAT('index ', index_name) END,
    ' (', GROUP_CONCAT(column_name, IF(collation = 'D', ' desc', '') ORDER BY seq_in_index SEPARATOR ', '), ')')
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name <> '__diesel_schema_migrations'
GROUP BY table_name, index_name, non_unique
UNION ALL
SELECT CONCAT(table_name, ' foreign key (', GROUP_CONCAT(column_name ORDER BY ordinal_position SEPARATOR ', '), ') to ',
    referenced_table_name, ' (', GROUP_CONCAT(referenced_column_name ORDER BY ordinal_position SEPARATOR ', '), ')')
FROM information_schema.key_column_usage
WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL
GROUP BY table_name, constraint_name, referenced_table_name;
