-- The newest entries of the log, packed as they were told, version 60. Whoever follows live reads one row an entry instead of
-- asking every table; whoever is further behind, or may not see everything, reads the tables. A pack says nothing that the
-- tables do not, and can be dropped at any time.
CREATE TABLE hub.pack (
    seq  bigint PRIMARY KEY,
    pack bytea  NOT NULL
);
-- Packed already.
ALTER TABLE hub.pack ALTER COLUMN pack SET STORAGE EXTERNAL;

ALTER TABLE hub.pack ENABLE ROW LEVEL SECURITY;
CREATE POLICY live ON hub.pack FOR SELECT TO stratum_pro, stratum_collector USING (true);
GRANT SELECT ON hub.pack TO stratum_pro, stratum_collector;

-- As the function of that name with six parameters, with the run's rows packed; null: too many. Packs of the newest thousand
-- entries are kept.
CREATE FUNCTION hub.merge(p_device int, p_source int, p_sport int, p_token bigint, p_after bigint, p_last bigint,
    p_pack bytea)
RETURNS TABLE (entry bigint, look bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    at bigint;
    base bigint;
    since date;
BEGIN
    SELECT m.entry, m.look INTO at, base FROM hub.merge(p_device, p_source, p_sport, p_token, p_after, p_last) AS m;
    SELECT min(s.day) INTO since FROM pg_temp.s_look AS s;
    -- A signal that was there already is none of this run's: what is packed would say otherwise.
    INSERT INTO hub.pack (seq, pack) SELECT at, p_pack WHERE p_pack IS NOT NULL
        AND (SELECT count(*) FROM pg_temp.s_signal)
            = (SELECT count(*) FROM hub.signal AS x WHERE x.look > base AND x.day >= since)
        AND (SELECT count(*) FROM pg_temp.s_clv)
            = (SELECT count(*) FROM hub.clv AS x WHERE x.look > base AND x.day >= since);
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
