-- The newest entries of the log, packed as they were told, version 60. Whoever follows live reads one row an entry instead of
-- asking every table; whoever is further behind, or may not see everything, reads the tables. A pack says nothing that the
-- tables do not, and can be dropped at any time.
CREATE TABLE hub.pack (
    seq  bigint PRIMARY KEY REFERENCES hub.entry ON DELETE CASCADE,
    pack bytea  NOT NULL CHECK (octet_length(pack) <= 1048576)
);
-- Packed already.
ALTER TABLE hub.pack ALTER COLUMN pack SET STORAGE EXTERNAL;

ALTER TABLE hub.pack ENABLE ROW LEVEL SECURITY;
CREATE POLICY live ON hub.pack FOR SELECT TO stratum_pro, stratum_collector USING (true);
GRANT SELECT ON hub.pack TO stratum_pro, stratum_collector;

-- As the function of that name with six parameters, with the run's rows packed; null, or too long: not kept. Packs of the
-- newest thousand entries are kept.
CREATE FUNCTION hub.merge(p_device int, p_source int, p_sport int, p_token bigint, p_after bigint, p_last bigint,
    p_pack bytea)
RETURNS TABLE (entry bigint, look bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    at bigint;
    base bigint;
    since date;
    until date;
BEGIN
    SELECT m.entry, m.look INTO at, base FROM hub.merge(p_device, p_source, p_sport, p_token, p_after, p_last) AS m;
    SELECT min(s.day), max(s.day) INTO since, until FROM pg_temp.s_look AS s;
    -- A signal that was there already is none of this run's: what is packed would say otherwise.
    INSERT INTO hub.pack (seq, pack) SELECT at, p_pack WHERE octet_length(p_pack) <= 1048576
        AND (SELECT count(*) FROM pg_temp.s_signal)
            = (SELECT count(*) FROM hub.signal AS x WHERE x.look > base AND x.day BETWEEN since AND until)
        AND (SELECT count(*) FROM pg_temp.s_clv)
            = (SELECT count(*) FROM hub.clv AS x WHERE x.look > base AND x.day BETWEEN since AND until);
    DELETE FROM hub.pack AS p WHERE p.seq <= at - 1000;
    RETURN QUERY SELECT at, base;
END $$;

-- What is taken back stands in packs no longer.
CREATE FUNCTION hub.drop_packs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM hub.pack;
    RETURN NULL;
END $$;
CREATE TRIGGER taken_back AFTER INSERT ON hub.entry FOR EACH ROW WHEN (NEW.kind = 2) EXECUTE FUNCTION hub.drop_packs();

REVOKE ALL ON FUNCTION hub.merge(int, int, int, bigint, bigint, bigint, bytea), hub.drop_packs() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hub.merge(int, int, int, bigint, bigint, bigint, bytea) TO stratum_collector;

-- What is staged is read with the rights of the hub's owner. So it has to lie in bare tables, of types that came with the server: a
-- view, a policy, a cast, or an expression that the planner looks at would run what its maker wrote. SH003: it does not.
CREATE FUNCTION hub.check_staged() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_class AS c WHERE c.relnamespace = pg_my_temp_schema() AND c.relname LIKE 's\_%'
        AND (c.relkind <> 'r' OR c.relrowsecurity OR c.relhassubclass OR c.relhasindex OR c.relhasrules OR c.relchecks > 0
            OR EXISTS (SELECT FROM pg_statistic_ext AS x WHERE x.stxrelid = c.oid) OR EXISTS (
            SELECT FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND (t.typnamespace <> 'pg_catalog'::regnamespace OR a.attgenerated <> '')))
    ) THEN
        RAISE EXCEPTION 'what is staged does not lie in plain tables' USING ERRCODE = 'SH003';
    END IF;
END $$;
REVOKE ALL ON FUNCTION hub.check_staged() FROM PUBLIC;

-- As before, and before anything that is staged is read.
CREATE OR REPLACE FUNCTION hub.check_lease(p_device int, p_sport int, p_token bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM hub.check_staged();
    PERFORM FROM hub.lease JOIN hub.name AS n ON n.kind = 1 AND n.name = lease.sport
    WHERE n.number = p_sport AND lease.device = p_device AND lease.token = p_token AND lease.until > clock_timestamp()
    FOR KEY SHARE OF lease;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another collector has this sport' USING ERRCODE = 'SH001';
    END IF;
    -- A writer whose commit does not come must keep neither the sport nor the head of the log for longer than a lease runs.
    PERFORM set_config('idle_in_transaction_session_timeout', '5s', true);
END $$;
CREATE OR REPLACE FUNCTION hub.fence(in_device int, in_sport text, in_token bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM hub.check_staged();
    PERFORM hub.own_device(in_device);
    PERFORM FROM hub.lease l
    WHERE l.sport = in_sport AND l.device = in_device AND l.token = in_token AND l.token > 0 FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another collector has taken over %', in_sport USING ERRCODE = 'SH001', DETAIL = in_sport;
    END IF;
    -- A writer that is held in the middle of its transaction must not keep the sport for longer than a lease runs.
    PERFORM set_config('idle_in_transaction_session_timeout', '5s', true);
END $$;
