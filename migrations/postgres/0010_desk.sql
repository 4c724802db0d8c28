-- What the users of a desk made (watchlists, filters, alert rules, bets, notes), as operations that nobody changes. Each
-- device numbers its own from 1 without gaps; what the desk holds is worked out by every device from all of them.
--
-- Collectors and pros share the space 'desk'. A free login has one of its own, 'login:' and its name, with at most three
-- watched items and 20,000 operations. Codes of errors: SH011 a limit of the tier, SH012 the numbers do not go on from here.
--
-- Functions that devices call stand in `hub_free`, which every tier can reach; each looks after the caller's space itself.
-- The tables can be read by pros alone, and their policies show those nothing but the shared space.

CREATE TABLE desk_space (
    space      text   PRIMARY KEY,
    operations bigint NOT NULL DEFAULT 0
);

CREATE TABLE desk_op (
    space     text        NOT NULL REFERENCES desk_space,
    device    uuid        NOT NULL,
    n         bigint      NOT NULL CHECK (n > 0),
    clock     bigint      NOT NULL CHECK (clock >= 0),   -- hybrid: milliseconds * 65536 + counter
    kind      text        NOT NULL CHECK (octet_length(kind) <= 64),
    record    uuid        NOT NULL,
    action    text        NOT NULL CHECK (octet_length(action) <= 64),
    payload   json        NOT NULL CHECK (octet_length(payload::text) <= 262144),
    login     text        NOT NULL DEFAULT session_user, -- who stored it
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (space, device, n)
);
CREATE INDEX desk_op_by_record ON desk_op (space, record);

-- Of each device the last operation: whoever asks whether anything is new reads a row for each device.
CREATE TABLE desk_head (
    space  text   NOT NULL REFERENCES desk_space,
    device uuid   NOT NULL,
    n      bigint NOT NULL,
    clock  bigint NOT NULL,
    PRIMARY KEY (space, device)
);

-- The space of whoever asks; null for a login that has none. A login called 'desk' does not get the desk's.
CREATE FUNCTION desk_here() RETURNS text LANGUAGE sql STABLE SET search_path = hub, pg_temp AS $$
    SELECT CASE
        WHEN pg_has_role(session_user, 'stratum_pro', 'MEMBER') THEN 'desk'
        WHEN pg_has_role(session_user, 'stratum_free', 'MEMBER') THEN 'login:' || session_user
    END
$$;

-- Nobody reads another space. Nobody writes but through `desk_append`.
GRANT EXECUTE ON FUNCTION desk_here() TO stratum_pro;
ALTER TABLE desk_space ENABLE ROW LEVEL SECURITY;
ALTER TABLE desk_op ENABLE ROW LEVEL SECURITY;
ALTER TABLE desk_head ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_space ON desk_space USING (space = desk_here()) WITH CHECK (space = desk_here());
CREATE POLICY own_space ON desk_op USING (space = desk_here()) WITH CHECK (space = desk_here());
CREATE POLICY own_space ON desk_head USING (space = desk_here()) WITH CHECK (space = desk_here());

CREATE FUNCTION desk_never() RETURNS trigger LANGUAGE plpgsql SET search_path = hub, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'operations of a desk are never changed' USING ERRCODE = 'SH002';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON desk_op
    FOR EACH STATEMENT EXECUTE FUNCTION desk_never();

-- Rules of watchlists that live: somebody made or edited them whom no deletion had seen.
CREATE FUNCTION desk_items(of_space text) RETURNS bigint LANGUAGE sql STABLE SET search_path = hub, pg_temp AS $$
    SELECT count(DISTINCT o.record)
    FROM desk_op o
    WHERE o.space = of_space AND o.kind = 'list_rule' AND o.action IN ('add', 'put')
      AND NOT EXISTS (
        SELECT FROM desk_op d
        WHERE d.space = of_space AND d.record = o.record AND d.kind = o.kind AND d.action = 'delete'
          AND CASE
            WHEN d.device = o.device THEN d.n > o.n
            -- As devices read it: what is no whole number says nothing.
            WHEN json_typeof(d.payload #> ARRAY['seen', o.device::text]) = 'number'
             AND d.payload #>> ARRAY['seen', o.device::text] ~ '^[0-9]{1,18}$'
            THEN (d.payload #>> ARRAY['seen', o.device::text])::bigint >= o.n
            ELSE false
          END)
$$;

CREATE FUNCTION desk_limit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = hub, pg_temp AS $$
DECLARE
    items bigint := desk_items(new.space);
    total bigint := (SELECT s.operations FROM desk_space s WHERE s.space = new.space);
BEGIN
    IF items > free_limit() THEN
        RAISE EXCEPTION 'a free login shares at most % watched items and this desk has %; they stay on this device: remove some, or ask for the tier pro',
            free_limit(), items USING ERRCODE = 'SH011';
    END IF;
    IF total > 20000 THEN
        RAISE EXCEPTION 'a free login shares at most 20000 changes; what is new stays on this device: ask for the tier pro'
            USING ERRCODE = 'SH011';
    END IF;
    RETURN NULL;
END
$$;
-- At the end of the transaction: what is made and deleted between two meetings does not count.
CREATE CONSTRAINT TRIGGER free_limit AFTER INSERT OR UPDATE ON desk_space DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (new.space LIKE 'login:%') EXECUTE FUNCTION desk_limit();

-- Stores operations of a device from `first_n` on, each exactly once however often it is told, and answers with which
-- clock each is stored: at most ten minutes ahead of ours, and none before the one before it.
CREATE FUNCTION hub_free.desk_append(
    of_device uuid, first_n bigint, clocks bigint[], kinds text[], records uuid[], actions text[], payloads text[]
) RETURNS TABLE (stored_n bigint, stored_clock bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = hub, pg_temp AS $$
DECLARE
    here   text := desk_here();
    head   desk_head;
    latest bigint := (floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint + 600000) << 16;
    there  desk_op;
    added  bigint := 0;
    wire   text;
BEGIN
    IF here IS NULL THEN
        RAISE EXCEPTION 'this login has no desk at this hub' USING ERRCODE = '42501';
    END IF;
    -- One at a time in a space: whoever reads an older state of it is refused, so that no two find room for the last item.
    INSERT INTO desk_space AS s (space) VALUES (here) ON CONFLICT (space) DO UPDATE SET operations = s.operations;
    SELECT * INTO head FROM desk_head h WHERE h.space = here AND h.device = of_device;
    IF NOT FOUND THEN
        head := ROW(here, of_device, 0, 0)::desk_head;
    END IF;
    IF first_n < 1 OR first_n > head.n + 1 THEN
        RAISE EXCEPTION 'operation % of a device does not follow its last, %', first_n, head.n USING ERRCODE = 'SH012';
    END IF;
    FOR i IN 1 .. cardinality(clocks) LOOP
        stored_n := first_n + i - 1;
        IF stored_n <= head.n THEN
            SELECT * INTO there FROM desk_op o WHERE o.space = here AND o.device = of_device AND o.n = stored_n;
            IF (there.kind, there.record, there.action, there.payload::text)
                IS DISTINCT FROM (kinds[i], records[i], actions[i], payloads[i]) THEN
                RAISE EXCEPTION 'operation % of this device is another one here', stored_n USING ERRCODE = 'SH012';
            END IF;
            stored_clock := there.clock;
        ELSE
            stored_clock := greatest(least(clocks[i], latest), head.clock, 0);
            INSERT INTO desk_op (space, device, n, clock, kind, record, action, payload)
            VALUES (here, of_device, stored_n, stored_clock, kinds[i], records[i], actions[i], payloads[i]::json);
            head.n := stored_n;
            head.clock := stored_clock;
            added := added + 1;
        END IF;
        RETURN NEXT;
    END LOOP;
    IF added > 0 THEN
        INSERT INTO desk_head VALUES (head.*)
            ON CONFLICT (space, device) DO UPDATE SET n = excluded.n, clock = excluded.clock;
        UPDATE desk_space s SET operations = s.operations + added WHERE s.space = here;
        SELECT value INTO wire FROM meta WHERE key = 'channel';
        IF here = 'desk' AND wire IS NOT NULL THEN
            PERFORM pg_notify(wire, 'desk');
        END IF;
    END IF;
END
$$;

-- Where the caller is, and of each device of the space its last operation. One row at least, without a device.
CREATE FUNCTION hub_free.desk_heads() RETURNS TABLE (hub text, space text, device uuid, n bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = hub, pg_temp AS $$
    SELECT m.value, desk_here(), h.device, h.n
    FROM meta m LEFT JOIN desk_head h ON h.space = desk_here()
    WHERE m.key = 'id'
$$;

-- Operations that somebody lacks who has those of `devices` up to `ns`, by device and number.
CREATE FUNCTION hub_free.desk_beyond(devices uuid[], ns bigint[], most int)
RETURNS TABLE (device uuid, n bigint, clock bigint, kind text, record uuid, action text, payload text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = hub, pg_temp AS $$
    SELECT o.device, o.n, o.clock, o.kind, o.record, o.action, o.payload::text
    FROM desk_head h
    LEFT JOIN unnest(devices, ns) AS k (device, n) ON k.device = h.device
    JOIN desk_op o ON o.space = h.space AND o.device = h.device AND o.n > coalesce(k.n, 0)
    WHERE h.space = desk_here()
    ORDER BY o.device, o.n
    LIMIT most
$$;

-- Those of one device behind `after`.
CREATE FUNCTION hub_free.desk_of(of_device uuid, after bigint, most int)
RETURNS TABLE (device uuid, n bigint, clock bigint, kind text, record uuid, action text, payload text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = hub, pg_temp AS $$
    SELECT o.device, o.n, o.clock, o.kind, o.record, o.action, o.payload::text
    FROM desk_op o
    WHERE o.space = desk_here() AND o.device = of_device AND o.n > after
    ORDER BY o.n
    LIMIT most
$$;

GRANT USAGE ON SCHEMA hub_free TO stratum_pro;
GRANT SELECT ON desk_op, desk_head TO stratum_pro;
GRANT EXECUTE ON FUNCTION hub_free.desk_heads(), hub_free.desk_beyond(uuid[], bigint[], int),
    hub_free.desk_of(uuid, bigint, int),
    hub_free.desk_append(uuid, bigint, bigint[], text[], uuid[], text[], text[]) TO stratum_pro, stratum_free;
