-- Who asks the sources, and what the desk has spent. Everything here goes by the server's clock.

-- A device that holds a lease and the process of it that does: a copied store is a second process of the same device.
ALTER TABLE hub.lease ADD COLUMN run bigint NOT NULL DEFAULT 0;

-- Refuses a device that another login has linked.
CREATE FUNCTION hub.own_device(in_device int) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM hub.device d WHERE d.id = in_device AND d.login = session_user) THEN
        RAISE EXCEPTION 'this login has linked no device with the number %; link this one again', in_device
            USING ERRCODE = 'SH002';
    END IF;
END $$;

-- Takes what is free, renews what this process holds, and tells of each name who holds it. Asking twice changes nothing.
-- `token` rises with every change of hands, `left_ms` is how long the lease still runs, `others`: another collector was
-- here within a day.
CREATE FUNCTION hub.lease_take(in_device int, in_run bigint, in_names text[], in_ttl_ms int)
RETURNS TABLE (name text, token bigint, mine boolean, holder text, left_ms bigint, others boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    wanted   text;
    ttl      interval := make_interval(secs => least(greatest(in_ttl_ms, 1000), 60000) / 1000.0);
    at_first boolean;
BEGIN
    PERFORM hub.own_device(in_device);
    IF cardinality(in_names) > 1000 THEN
        RAISE EXCEPTION 'leases of at most 1000 names are taken at once' USING ERRCODE = 'SH002';
    END IF;
    -- In one order for everybody, so that two who take the same never wait for each other.
    FOR wanted IN SELECT DISTINCT n FROM unnest(in_names) n WHERE length(n) BETWEEN 1 AND 200 ORDER BY n LOOP
        UPDATE hub.lease l SET until = clock_timestamp() + ttl
        WHERE l.sport = wanted AND l.device = in_device AND l.run = in_run AND l.token > 0;
        CONTINUE WHEN FOUND;
        INSERT INTO hub.lease (sport, device, run, token, until) VALUES (wanted, in_device, in_run, 0, '-infinity')
        ON CONFLICT DO NOTHING;
        -- A write that the holder has under way (see hub.fence) ends before the sport changes hands. It is not waited
        -- for here: the other names would wait too. The next question, moments later, finds it done.
        SELECT true INTO at_first FROM hub.lease l
        WHERE l.sport = wanted AND l.until <= clock_timestamp() FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        UPDATE hub.lease l
        SET device = in_device, run = in_run, token = l.token + 1, taken_at = clock_timestamp(),
            until = clock_timestamp() + ttl
        WHERE l.sport = wanted;
    END LOOP;
    -- Whoever merges holds this row for a while; a sign of life is no reason to wait.
    UPDATE hub.device d SET seen_at = clock_timestamp(), collects = true
    WHERE d.id = (SELECT e.id FROM hub.device e WHERE e.id = in_device
                  AND (NOT e.collects OR e.seen_at < clock_timestamp() - interval '30 s')
                  FOR NO KEY UPDATE SKIP LOCKED);
    RETURN QUERY
        SELECT l.sport, l.token, l.device = in_device AND l.run = in_run AND l.until > clock_timestamp(),
               CASE WHEN l.until <= clock_timestamp() THEN NULL
                    WHEN l.device = in_device AND l.run <> in_run THEN d.name || ' (another process)'
                    ELSE d.name END,
               greatest(0, (extract(epoch FROM l.until - clock_timestamp()) * 1000)::bigint),
               EXISTS (SELECT FROM hub.device o WHERE o.id <> in_device AND o.collects
                       AND o.seen_at > clock_timestamp() - interval '24 h')
        FROM hub.lease l LEFT JOIN hub.device d ON d.id = l.device
        WHERE l.sport = ANY (in_names) AND l.until > '-infinity' ORDER BY l.sport;
END $$;

-- Keeps what this process holds and takes nothing else: for a holder that is about to stop.
CREATE FUNCTION hub.lease_renew(in_device int, in_run bigint, in_names text[], in_ttl_ms int) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM hub.own_device(in_device);
    RETURN QUERY
        UPDATE hub.lease l
        SET until = clock_timestamp() + make_interval(secs => least(greatest(in_ttl_ms, 1000), 60000) / 1000.0)
        WHERE l.device = in_device AND l.run = in_run AND l.token > 0 AND l.sport = ANY (in_names)
        RETURNING l.sport;
END $$;

-- Gives up, so that whoever waits gets it with his next question.
CREATE FUNCTION hub.lease_release(in_device int, in_run bigint, in_names text[]) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM hub.own_device(in_device);
    RETURN QUERY
        UPDATE hub.lease l SET until = clock_timestamp(), run = 0
        WHERE l.device = in_device AND l.run = in_run AND l.sport = ANY (in_names)
        RETURNING l.sport;
END $$;

-- Called by a writer inside its transaction: refuses one who does not hold the sport with this token. Until that
-- transaction ends nobody else gets the sport, while the holder can go on renewing (a key share lock stands in the way of
-- FOR UPDATE, and of no update of other columns).
CREATE FUNCTION hub.fence(in_device int, in_sport text, in_token bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM hub.own_device(in_device);
    PERFORM FROM hub.lease l
    WHERE l.sport = in_sport AND l.device = in_device AND l.token = in_token AND l.token > 0 FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another collector has taken over %', in_sport USING ERRCODE = 'SH001', DETAIL = in_sport;
    END IF;
    -- A writer that is held in the middle of its transaction must not keep the sport for longer than a lease runs.
    PERFORM set_config('idle_in_transaction_session_timeout', '5s', true);
END $$;

-- Sums of one device, absolute: told twice or late they are right all the same.
CREATE FUNCTION hub.credit_tell(in_device int, in_keys text[], in_months int[], in_days int[], in_purposes text[],
                                in_calls bigint[], in_credits bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM hub.own_device(in_device);
    INSERT INTO hub.credit AS c (device, key, month, day, purpose, calls, credits)
    SELECT in_device, t.key, t.month, t.day, t.purpose, max(t.calls), max(t.credits)
    FROM unnest(in_keys, in_months, in_days, in_purposes, in_calls, in_credits)
         AS t (key, month, day, purpose, calls, credits)
    GROUP BY t.key, t.month, t.day, t.purpose
    ON CONFLICT (device, key, month, day, purpose) DO UPDATE
    SET calls = greatest(c.calls, excluded.calls), credits = greatest(c.credits, excluded.credits);
END $$;

-- What the source says of an account. Within a month only more use is news: the clocks of devices may differ by more than
-- the time between two answers.
CREATE FUNCTION hub.account_tell(in_device int, in_key text, in_month int, in_remaining bigint, in_used bigint,
                                 in_held bigint, in_told_at bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM hub.own_device(in_device);
    INSERT INTO hub.account AS a (key, month, remaining, used, held, told_at, device)
    VALUES (in_key, in_month, in_remaining, in_used, in_held, in_told_at, in_device)
    ON CONFLICT (key) DO UPDATE
    SET month = excluded.month, remaining = excluded.remaining, used = excluded.used, held = excluded.held,
        told_at = excluded.told_at, device = excluded.device
    WHERE excluded.month > a.month
       OR (excluded.month = a.month AND coalesce(excluded.used, -1) > coalesce(a.used, -1))
       OR (excluded.month = a.month AND excluded.used IS NOT DISTINCT FROM a.used
           AND (excluded.remaining < a.remaining OR a.remaining IS NULL));
END $$;

-- What the other devices have spent on these keys since a month.
CREATE FUNCTION hub.credit_heard(in_device int, in_keys text[], in_since int)
RETURNS TABLE (device int, key text, month int, day int, purpose text, calls bigint, credits bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM hub.own_device(in_device);
    RETURN QUERY
        SELECT c.device, c.key, c.month, c.day, c.purpose, c.calls, c.credits FROM hub.credit c
        WHERE c.key = ANY (in_keys) AND c.month >= in_since AND c.device <> in_device
        ORDER BY c.device, c.key, c.month, c.day, c.purpose;
END $$;

-- What others were told of the accounts of these keys.
CREATE FUNCTION hub.account_heard(in_device int, in_keys text[])
RETURNS TABLE (key text, month int, remaining bigint, used bigint, held bigint, told_at bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM hub.own_device(in_device);
    RETURN QUERY
        SELECT a.key, a.month, a.remaining, a.used, a.held, a.told_at FROM hub.account a
        WHERE a.key = ANY (in_keys) AND a.device <> in_device ORDER BY a.key;
END $$;

-- What the functions guard is written by them alone.
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON hub.lease, hub.credit, hub.account FROM stratum_collector;

REVOKE ALL ON FUNCTION
    hub.own_device(int), hub.lease_take(int, bigint, text[], int), hub.lease_renew(int, bigint, text[], int),
    hub.lease_release(int, bigint, text[]), hub.fence(int, text, bigint),
    hub.credit_tell(int, text[], int[], int[], text[], bigint[], bigint[]),
    hub.account_tell(int, text, int, bigint, bigint, bigint, bigint),
    hub.credit_heard(int, text[], int), hub.account_heard(int, text[])
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    hub.lease_take(int, bigint, text[], int), hub.lease_renew(int, bigint, text[], int),
    hub.lease_release(int, bigint, text[]), hub.fence(int, text, bigint),
    hub.credit_tell(int, text[], int[], int[], text[], bigint[], bigint[]),
    hub.account_tell(int, text, int, bigint, bigint, bigint, bigint),
    hub.credit_heard(int, text[], int), hub.account_heard(int, text[])
    TO stratum_collector;
