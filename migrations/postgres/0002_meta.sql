-- What a hub says of itself, version 2. Everything here is run by the owner's role with the search path `hub`.
-- `channel` is where news are announced. Whoever knows it can listen, so only those who see everything live can read it.
INSERT INTO meta (key, value) VALUES
    ('id', gen_random_uuid()::text),
    ('channel', 'stratum_' || replace(gen_random_uuid()::text, '-', '')),
    ('delay', '10 minutes'),                    -- of what free logins see
    ('free_limit', '3');                        -- items on a free login's watchlists

-- The newest entry that free logins see. Entries are in the order of their commits, so one number cuts everything.
CREATE FUNCTION horizon_entry() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce((
        SELECT e.seq FROM hub.entry e
        WHERE e.stored_at <= clock_timestamp() - (SELECT m.value::interval FROM hub.meta m WHERE m.key = 'delay')
        ORDER BY e.seq DESC LIMIT 1), 0)
$$;

-- The last look of that entry and those before it.
CREATE FUNCTION horizon() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce((
        SELECT e.last FROM hub.entry e WHERE e.kind = 1 AND e.seq <= hub.horizon_entry() ORDER BY e.seq DESC LIMIT 1), 0)
$$;

CREATE FUNCTION free_limit() RETURNS int
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT m.value::int FROM hub.meta m WHERE m.key = 'free_limit'
$$;
