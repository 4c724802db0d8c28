-- Retention, version 32. The owner or an administrator says for how many days things are kept, and why; whoever polls has it
-- carried out once a day. Nobody but the owner's functions drops anything.

-- How far a device has followed the log, as it says itself.
ALTER TABLE device ADD COLUMN followed bigint;

CREATE FUNCTION note_followed(in_device int, in_entry bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM hub.own_device(in_device);
    -- Whoever merges holds this row for a while; a sign of life is no reason to wait.
    UPDATE hub.device d SET seen_at = clock_timestamp(), followed = in_entry
    WHERE d.id = (SELECT e.id FROM hub.device e WHERE e.id = in_device FOR NO KEY UPDATE SKIP LOCKED);
END
$$;

-- For how many days things are kept; null: for ever.
CREATE FUNCTION keep_days() RETURNS int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT m.value::int FROM hub.meta m WHERE m.key = 'keep_days'
$$;

CREATE FUNCTION set_retention(days int, reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old int := hub.keep_days();
BEGIN
    IF days NOT BETWEEN 3 AND 36500 THEN
        RAISE EXCEPTION 'things are kept for 3 days at least' USING ERRCODE = 'SH002';
    END IF;
    DELETE FROM hub.meta m WHERE m.key = 'keep_days';
    IF days IS NOT NULL THEN
        INSERT INTO hub.meta (key, value) VALUES ('keep_days', days::text);
    END IF;
    -- What is asked for now need not wait for tomorrow.
    DELETE FROM hub.meta m WHERE m.key = 'kept_on';
    PERFORM hub.audit_append('retention', 'hub', to_jsonb(old), to_jsonb(days), reason);
END
$$;

-- The first day that stays if things are kept for so many days, and what holds older ones: a game that is still on needs
-- everything from its first look, and a device that is following needs what it has not read yet.
CREATE FUNCTION retention_cut(days int, OUT wanted date, OUT cut date, OUT held_by text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    game date;
    follower date;
    name text;
BEGIN
    wanted := (now() AT TIME ZONE 'UTC')::date - days;
    cut := wanted;
    SELECT min(l.day) INTO game FROM hub.event e JOIN hub.look l ON l.id = e.first_look
    WHERE e.forgotten IS NULL AND e.first_look > 0
      AND e.commence > (extract(epoch FROM now()) * 1000)::bigint - 172800000;
    IF game < cut THEN
        cut := game;
        held_by := 'a game that is still on, since ' || to_char(game, 'YYYY-MM-DD');
    END IF;
    SELECT (to_timestamp(n.since / 1000.0) AT TIME ZONE 'UTC')::date, d.name INTO follower, name
    FROM hub.device d CROSS JOIN LATERAL (SELECT e.since FROM hub.entry e WHERE e.kind = 1 AND e.seq > d.followed
        ORDER BY e.seq LIMIT 1) n
    WHERE d.seen_at > now() - interval '1 hour' ORDER BY 1 LIMIT 1;
    IF follower < cut THEN
        cut := follower;
        held_by := name || ', which has read up to ' || to_char(follower, 'YYYY-MM-DD') || ' so far';
    END IF;
END
$$;

-- Drops what is to go, once a day unless it is `forced`; answers how many days went. With the days go the entries of the
-- log that speak of them alone: whoever begins to follow begins with the oldest that is left.
CREATE FUNCTION retain(forced boolean, OUT dropped int, OUT cut date, OUT held_by text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s'
AS $$
DECLARE
    days int := hub.keep_days();
    today text := to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD');
    oldest bigint;
BEGIN
    dropped := 0;
    IF days IS NULL OR (NOT forced AND EXISTS (SELECT FROM hub.meta m WHERE m.key = 'kept_on' AND m.value = today)) THEN
        RETURN;
    END IF;
    -- Whoever is second finds it done.
    PERFORM FROM hub.meta m WHERE m.key = 'keep_days' FOR UPDATE;
    SELECT c.cut, c.held_by INTO cut, held_by FROM hub.retention_cut(days) c;
    dropped := hub.drop_days(cut);
    SELECT min(e.seq) INTO oldest FROM hub.entry e
    WHERE e.kind = 1 AND (to_timestamp(e.until / 1000.0) AT TIME ZONE 'UTC')::date >= cut;
    -- The last one stays in any case: devices find out by it whether this is the hub that they know.
    DELETE FROM hub.entry e WHERE e.seq < coalesce(oldest, (SELECT max(x.seq) FROM hub.entry x));
    DELETE FROM hub.summary s WHERE s.day < cut;
    INSERT INTO hub.meta (key, value) VALUES ('kept_on', today) ON CONFLICT (key) DO UPDATE SET value = excluded.value;
END
$$;

REVOKE ALL ON FUNCTION note_followed(int, bigint), keep_days(), set_retention(int, text), retention_cut(int),
    retain(boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION note_followed(int, bigint) TO stratum_pro, stratum_collector;
GRANT EXECUTE ON FUNCTION keep_days(), retention_cut(int) TO stratum_pro, stratum_collector, stratum_admin;
GRANT EXECUTE ON FUNCTION set_retention(int, text) TO stratum_admin;
GRANT EXECUTE ON FUNCTION retain(boolean) TO stratum_collector, stratum_admin;
