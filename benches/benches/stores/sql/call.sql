-- (b) A call of the function.
-- :last_a and :body come from the command line.

\set n :n + 1
\set id 100000000000 + :n * 1000 + :client_id
\set a random(10000, :last_a)
\set b random(13334, 16666)
\set c random(16667, 19999)

SELECT place_order(
    '019b76db-3682-7000-8000-' || :id,
    ARRAY['SKU-' || :a, 'SKU-' || :b, 'SKU-' || :c],
    ('019b76db-3682-7000-8000-' || :id)::uuid,
    ('019b76db-3684-7000-8000-' || :id)::uuid,
    ('019b76db-3685-7000-8000-' || :id)::uuid,
    'ORD-20260301-' || :id,
    :body
);
