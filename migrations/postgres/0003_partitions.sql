-- Partitions by day, version 3. They live in a schema of their own that nobody but the owner can use: whatever a login
-- may see, it sees through the tables of `hub`.

-- Statistics are made of numbers that say where something stands, and not of what was quoted: a plan's estimates would
-- tell of rows that a tier does not see. Nothing is ever looked for by the columns that are left out.
CREATE FUNCTION without_statistics(wanted regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found name;
BEGIN
    FOR found IN
        SELECT a.attname FROM pg_attribute a
        WHERE a.attrelid = wanted AND a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget IS DISTINCT FROM 0
          AND a.attname NOT IN ('look', 'event', 'slot', 'day', 'sport', 'source', 'entry', 'seq', 'last', 'stored_at', 'changed',
                                'first_look', 'received_at')
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 0', wanted, found);
    END LOOP;
END
$$;

-- Makes the partitions of all tables for these days, both included, where they are missing; answers how many days were.
-- Callable by collectors; two at once wait for one another. Readers are not held up: a table is made first and attached
-- then, which takes no lock that a reader minds.
CREATE FUNCTION make_days(first_day date, last_day date) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted date;
    parent record;
    part text;
    made int := 0;
BEGIN
    IF first_day < date '2000-01-01' OR last_day > (now() AT TIME ZONE 'UTC')::date + 32 OR last_day - first_day > 400 THEN
        RAISE EXCEPTION 'no partitions are made for days from % to %', first_day, last_day
            USING ERRCODE = 'SH002', HINT = 'is the clock of this machine right?';
    END IF;
    -- Nearly always there is nothing to do; then nobody waits.
    IF (SELECT count(*) FROM hub.day d WHERE d.day BETWEEN first_day AND last_day) = last_day - first_day + 1 THEN
        RETURN 0;
    END IF;
    LOCK TABLE hub.day IN SHARE ROW EXCLUSIVE MODE;
    FOR wanted IN SELECT first_day + n FROM generate_series(0, last_day - first_day) n LOOP
        CONTINUE WHEN EXISTS (SELECT FROM hub.day d WHERE d.day = wanted);
        FOR parent IN
            SELECT c.oid, c.relname FROM pg_partitioned_table p
            JOIN pg_class c ON c.oid = p.partrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'hub' AND pg_get_partkeydef(c.oid) = 'RANGE (day)' ORDER BY c.relname
        LOOP
            PERFORM hub.make_partition(parent.oid::regclass, wanted);
        END LOOP;
        INSERT INTO hub.day (day) VALUES (wanted);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;

-- One partition, unless it is there.
CREATE FUNCTION make_partition(parent regclass, wanted date) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part text := (SELECT c.relname FROM pg_class c WHERE c.oid = parent) || to_char(wanted, '_YYYYMMDD');
BEGIN
    IF to_regclass(format('hub_day.%I', part)) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE hub_day.%I (LIKE %s INCLUDING ALL)', part, parent);
    -- Nobody has rights on it; should somebody be given some by mistake, he sees nothing.
    EXECUTE format('ALTER TABLE hub_day.%I ENABLE ROW LEVEL SECURITY', part);
    PERFORM hub.without_statistics(format('hub_day.%I', part)::regclass);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION hub_day.%I FOR VALUES FROM (%L) TO (%L)', parent, part,
        to_char(wanted, 'YYYY-MM-DD'), to_char(wanted + 1, 'YYYY-MM-DD'));
END
$$;

-- For a migration that adds a table split by day, or takes part in one: partitions for every day that is there.
CREATE FUNCTION catch_up(parent regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM hub.without_statistics(parent);
    PERFORM hub.make_partition(parent, d.day) FROM hub.day d;
END
$$;

-- Retention: whole days before this one are gone; answers how many. A reader in the way is waited for and not broken off.
CREATE FUNCTION drop_days(before date) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s'
AS $$
DECLARE
    old date;
    part record;
    dropped int := 0;
BEGIN
    IF before > (now() AT TIME ZONE 'UTC')::date - 1 THEN
        RAISE EXCEPTION 'days are dropped up to the day before yesterday, and not before %', before USING ERRCODE = 'SH002';
    END IF;
    LOCK TABLE hub.day IN SHARE ROW EXCLUSIVE MODE;
    FOR old IN SELECT d.day FROM hub.day d WHERE d.day < before ORDER BY d.day LOOP
        FOR part IN
            SELECT c.oid::regclass AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'hub_day' AND c.relkind = 'r' AND c.relname LIKE '%' || to_char(old, '\_YYYYMMDD') ORDER BY c.relname
        LOOP
            EXECUTE format('DROP TABLE %s', part.name);
        END LOOP;
        DELETE FROM hub.day d WHERE d.day = old;
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;

REVOKE ALL ON FUNCTION without_statistics(regclass), make_partition(regclass, date), catch_up(regclass),
    make_days(date, date), drop_days(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_days(date, date) TO stratum_collector;
GRANT EXECUTE ON FUNCTION drop_days(date) TO stratum_admin;

SELECT without_statistics('event'), without_statistics(p.partrelid)
    FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid WHERE c.relnamespace = 'hub'::regnamespace;
SELECT make_days((now() AT TIME ZONE 'UTC')::date - 1, (now() AT TIME ZONE 'UTC')::date + 3);
