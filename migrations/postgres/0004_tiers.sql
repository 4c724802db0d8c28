-- Who sees what, version 4. Three tiers of logins: collectors write, pro sees everything live, free sees what the views of
-- `hub_free` show: everything up to the horizon, of signals the fields of a list, and nothing at all of the rest.

-- The second line: should a right on a table get out by mistake, a free login still sees nothing newer than the horizon.
DO $$
DECLARE
    found text;
    late text;
BEGIN
    FOR found IN
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'hub' AND c.relkind IN ('r', 'p') AND c.relname NOT IN ('migration') ORDER BY c.relname
    LOOP
        EXECUTE format('ALTER TABLE hub.%I ENABLE ROW LEVEL SECURITY', found);
        EXECUTE format('CREATE POLICY live ON hub.%I TO stratum_pro, stratum_collector USING (true) WITH CHECK (true)', found);
        late := CASE
            WHEN found IN ('look') THEN 'id <= (SELECT hub.horizon())'
            WHEN found IN ('look_seen', 'event_life', 'event_start', 'event_score', 'slot', 'change', 'keyframe', 'point',
                           'signal', 'tally') THEN 'look <= (SELECT hub.horizon())'
            WHEN found = 'event' THEN 'first_look > 0 AND changed <= (SELECT hub.horizon_entry())'
            WHEN found = 'entry' THEN 'seq <= (SELECT hub.horizon_entry())'
            WHEN found = 'meta' THEN $p$key IN ('id', 'schema', 'delay', 'free_limit')$p$
            WHEN found IN ('name', 'setting', 'day') THEN 'true'
        END;
        IF late IS NOT NULL THEN
            EXECUTE format('CREATE POLICY late ON hub.%I FOR SELECT TO stratum_free USING (%s)', found, late);
        END IF;
    END LOOP;
END
$$;

-- Rights. Nobody but the owner truncates, changes tables, or writes what the hub says of itself.
GRANT USAGE ON SCHEMA hub TO stratum_pro, stratum_collector, stratum_admin;
GRANT SELECT ON meta TO stratum_pro, stratum_admin;
GRANT SELECT ON device, head, entry, name, event, look, setting, look_seen, event_life, event_start, event_score, slot,
    change, keyframe, quality, quality_end, point, signal, opportunity, close, clv, tally, raw_answer, day, summary, lease,
    credit, account TO stratum_pro;
GRANT INSERT, UPDATE, DELETE ON device, name, event, look, setting, look_seen, event_life, event_start, event_score, slot,
    change, keyframe, quality, quality_end, point, signal, opportunity, close, clv, tally, raw_answer, summary, lease,
    credit, account TO stratum_collector;
GRANT INSERT ON entry TO stratum_collector;
GRANT UPDATE ON head TO stratum_collector;
-- An administrator looks after the hub: how full it is, who holds what. Not the feed.
GRANT SELECT ON device, head, day, summary, lease TO stratum_admin;
CREATE POLICY care ON device FOR SELECT TO stratum_admin USING (true);
CREATE POLICY care ON head FOR SELECT TO stratum_admin USING (true);
CREATE POLICY care ON day FOR SELECT TO stratum_admin USING (true);
CREATE POLICY care ON summary FOR SELECT TO stratum_admin USING (true);
CREATE POLICY care ON lease FOR SELECT TO stratum_admin USING (true);
CREATE POLICY care ON meta FOR SELECT TO stratum_admin USING (key <> 'channel');

-- The events changed after the horizon are found in the short rows of these.
CREATE INDEX event_start_by_event ON event_start (event, look);
CREATE INDEX event_score_by_event ON event_score (event, look);

-- What a free login may know of a signal: single values under these names. What cannot be read shows nothing, and no error
-- that would quote it.
CREATE FUNCTION signal_in_part(told text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    whole jsonb;
BEGIN
    whole := told::jsonb;
    RETURN (
        SELECT coalesce(jsonb_object_agg(k, whole -> k), '{}')::text
        FROM unnest(ARRAY['id', 'version', 'schema', 'type', 'event_id', 'provider_event_id', 'sport', 'home_team', 'away_team',
            'commence_time', 'market', 'selection', 'side', 'direction', 'window_minutes', 'unit', 'from_value', 'to_value',
            'minutes_to_tip', 'time_bucket', 'strength', 'composite', 'tier', 'detected_at', 'updated_at']) k
        WHERE jsonb_typeof(whole -> k) IN ('string', 'number', 'boolean', 'null'));
EXCEPTION WHEN OTHERS THEN
    RETURN '{}';
END
$$;

-- Views of the same names and columns. Barriers: no function of the asker sees a row before the horizon has been applied.
-- Where an index is on something that is withheld for a while (a signal's id, a start), OFFSET 0 keeps the asker's conditions
-- above the horizon too: else EXPLAIN ANALYZE would count the hidden rows that an index found for him.
CREATE VIEW hub_free.meta WITH (security_barrier) AS
    SELECT key, value FROM hub.meta WHERE key IN ('id', 'schema', 'delay', 'free_limit');
CREATE VIEW hub_free.head WITH (security_barrier) AS
    SELECT true AS one, hub.horizon_entry() AS entry, hub.horizon() AS look;
CREATE VIEW hub_free.name WITH (security_barrier) AS SELECT kind, number, name FROM hub.name;
CREATE VIEW hub_free.setting WITH (security_barrier) AS SELECT hash, json FROM hub.setting;
CREATE VIEW hub_free.day WITH (security_barrier) AS SELECT day, made_at FROM hub.day;

CREATE VIEW hub_free.entry WITH (security_barrier) AS
    SELECT seq, kind, device, sport, source, first, last, since, until, changes, stored_at
    FROM hub.entry WHERE seq <= (SELECT hub.horizon_entry());

CREATE VIEW hub_free.look WITH (security_barrier) AS
    SELECT id, day, entry, device, device_look, source, sport, received_at, endpoint, '{}'::text AS scope,
        NULL::text AS origin, NULL::bigint AS cost, NULL::bigint AS remaining, events, quotes, changes, issues, body_hash,
        tier, rules
    FROM hub.look WHERE id <= (SELECT hub.horizon());

CREATE VIEW hub_free.look_seen WITH (security_barrier) AS
    SELECT look, day, seen FROM hub.look_seen WHERE look <= (SELECT hub.horizon());
CREATE VIEW hub_free.event_life WITH (security_barrier) AS
    SELECT look, day, event, first_slot, forgotten FROM hub.event_life WHERE look <= (SELECT hub.horizon());
CREATE VIEW hub_free.event_start WITH (security_barrier) AS
    SELECT look, day, event, commence FROM hub.event_start WHERE look <= (SELECT hub.horizon());
CREATE VIEW hub_free.event_score WITH (security_barrier) AS
    SELECT look, day, event, status, home_score, away_score FROM hub.event_score WHERE look <= (SELECT hub.horizon());
CREATE VIEW hub_free.slot WITH (security_barrier) AS
    SELECT look, day, event, slot, book, market, side, subject, own_line FROM hub.slot WHERE look <= (SELECT hub.horizon());
CREATE VIEW hub_free.change WITH (security_barrier) AS
    SELECT look, day, event, slot, line, price, status, last_seen, provider_update
    FROM hub.change WHERE look <= (SELECT hub.horizon());
CREATE VIEW hub_free.keyframe WITH (security_barrier) AS
    SELECT look, day, event, state FROM hub.keyframe WHERE look <= (SELECT hub.horizon());
CREATE VIEW hub_free.point WITH (security_barrier) AS
    SELECT look, day, event, market, subject, own_line, previous, line, value1, value2, value3, fair1, fair2, fair3,
        standard_error, effective, families, consensus_line, consensus, consensus_value, dispersion, consensus_books, books
    FROM hub.point WHERE look <= (SELECT hub.horizon());
CREATE VIEW hub_free.tally WITH (security_barrier) AS
    SELECT look, day, detector, evaluated, not_evaluable, longest_gap_ms, needed_ms, suppressed
    FROM hub.tally WHERE look <= (SELECT hub.horizon());

CREATE VIEW hub_free.signal WITH (security_barrier) AS
    SELECT look, day, id, version, event, sport, market, subject, own_line, type, direction, side, at, strength, composite,
        hub.signal_in_part(json) AS json
    FROM (SELECT * FROM hub.signal WHERE look <= (SELECT hub.horizon()) OFFSET 0) s;

-- Most events have not changed since the horizon, and their row is theirs to see. Of the others it is drawn from what was
-- known then; `changed` is the entry that made the newest of that known.
CREATE VIEW hub_free.event WITH (security_barrier) AS
    (SELECT id, source, provider_id, sport, home, away, commence, first_seen, first_look, status, home_score, away_score,
        forgotten, slots, changed
    FROM hub.event
    WHERE first_look > 0 AND first_look <= (SELECT hub.horizon()) AND changed <= (SELECT hub.horizon_entry()) OFFSET 0)
    UNION ALL
    (SELECT e.id, e.source, e.provider_id, e.sport, e.home, e.away, s.commence, e.first_seen, e.first_look,
        coalesce(r.status, 0::smallint), r.home_score, r.away_score,
        CASE WHEN e.forgotten <= (SELECT hub.horizon()) THEN e.forgotten END,
        CASE WHEN e.forgotten <= (SELECT hub.horizon()) THEN e.slots END,
        (SELECT n.seq FROM hub.entry n WHERE n.kind = 1
            AND n.last >= greatest(e.first_look, s.look, r.look, CASE WHEN e.forgotten <= (SELECT hub.horizon()) THEN e.forgotten END)
            ORDER BY n.last LIMIT 1)
    FROM hub.event e
    CROSS JOIN LATERAL (SELECT t.look, t.commence FROM hub.event_start t
        WHERE t.event = e.id AND t.look <= (SELECT hub.horizon()) ORDER BY t.look DESC LIMIT 1) s
    LEFT JOIN LATERAL (SELECT t.look, t.status, t.home_score, t.away_score FROM hub.event_score t
        WHERE t.event = e.id AND t.look <= (SELECT hub.horizon()) ORDER BY t.look DESC LIMIT 1) r ON true
    WHERE e.first_look > 0 AND e.first_look <= (SELECT hub.horizon()) AND e.changed > (SELECT hub.horizon_entry())
    OFFSET 0);

GRANT USAGE ON SCHEMA hub_free TO stratum_free;
GRANT SELECT ON hub_free.meta, hub_free.head, hub_free.name, hub_free.setting, hub_free.day, hub_free.entry, hub_free.look,
    hub_free.look_seen, hub_free.event_life, hub_free.event_start, hub_free.event_score, hub_free.slot, hub_free.change,
    hub_free.keyframe, hub_free.point, hub_free.tally, hub_free.signal, hub_free.event TO stratum_free;
-- A view calls functions in the name of whoever asks. Without the schema a free login cannot name them itself.
REVOKE ALL ON FUNCTION horizon(), horizon_entry(), free_limit(), signal_in_part(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION horizon(), horizon_entry(), free_limit() TO stratum_free, stratum_pro, stratum_admin;
GRANT EXECUTE ON FUNCTION signal_in_part(text) TO stratum_free;
