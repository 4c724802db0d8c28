-- Taking in what collectors tell. The rows stand in temporary tables of the session, s_ and the name of the table, with
-- the looks of the run by their place (from 1) and references to them negative. Everything is written here and nowhere
-- else, so that one place checks the lease and gives the numbers.

-- Refuses whoever does not hold the lease of a sport with this token; holds on to it until the transaction ends.
CREATE FUNCTION hub.check_lease(p_device int, p_sport int, p_token bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM hub.lease JOIN hub.name AS n ON n.kind = 1 AND n.name = lease.sport
    WHERE n.number = p_sport AND lease.device = p_device AND lease.token = p_token AND lease.until > clock_timestamp()
    FOR SHARE OF lease;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another collector has this sport' USING ERRCODE = 'SH001';
    END IF;
END $$;

-- The number of a device, new or known, and what is needed to begin with.
CREATE FUNCTION hub.join_device(p_uuid uuid, p_name text, p_program text, p_collects boolean)
RETURNS TABLE (device int, hub text, newest_look bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    number int;
BEGIN
    INSERT INTO hub.device AS d (uuid, name, login, program, collects)
    VALUES (p_uuid, p_name, session_user, p_program, p_collects)
    ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, program = excluded.program, collects = excluded.collects,
        seen_at = now()
    WHERE d.login = session_user RETURNING d.id INTO number;
    IF number IS NULL THEN
        RAISE EXCEPTION 'this device belongs to another login' USING ERRCODE = 'SH002';
    END IF;
    RETURN QUERY SELECT number, (SELECT m.value FROM hub.meta AS m WHERE m.key = 'id'),
        (SELECT h.look FROM hub.head AS h);
END $$;

-- Numbers of names, new ones included, in the order in which they were asked for.
CREATE FUNCTION hub.numbers_of_names(p_kinds smallint[], p_names text[]) RETURNS SETOF int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    k smallint;
    t text;
    found_number int;
BEGIN
    LOCK TABLE hub.name IN SHARE ROW EXCLUSIVE MODE;
    FOR k, t IN SELECT * FROM unnest(p_kinds, p_names) LOOP
        SELECT n.number INTO found_number FROM hub.name AS n WHERE n.kind = k AND n.name = t;
        IF NOT FOUND THEN
            SELECT coalesce(max(n.number), 0) + 1 INTO found_number FROM hub.name AS n WHERE n.kind = k;
            INSERT INTO hub.name (kind, number, name) VALUES (k, found_number, t);
        END IF;
        RETURN NEXT found_number;
    END LOOP;
END $$;

-- Numbers of events, new ones included, in the order in which they were asked for.
CREATE FUNCTION hub.numbers_of_events(
    p_source int, p_sport int, p_ids text[], p_home text[], p_away text[], p_commence bigint[], p_seen bigint[]
) RETURNS SETOF int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO hub.event (source, provider_id, sport, home, away, commence, first_seen, first_look, status)
    SELECT p_source, x.id, p_sport, x.home, x.away, x.commence, x.seen, 0, 0
    FROM unnest(p_ids, p_home, p_away, p_commence, p_seen) AS x (id, home, away, commence, seen)
    ON CONFLICT (source, provider_id) DO NOTHING;
    RETURN QUERY SELECT e.id FROM unnest(p_ids) WITH ORDINALITY AS x (id, n)
    JOIN hub.event AS e ON e.source = p_source AND e.provider_id = x.id ORDER BY x.n;
END $$;

-- Rules that looks were judged by.
CREATE FUNCTION hub.know_rules(p_hash bytea, p_json text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO hub.setting (hash, json) VALUES (p_hash, p_json) ON CONFLICT DO NOTHING
$$;

-- Takes in a run of looks of one source and sport, whose rows are staged. Answers its entry and the number before its
-- first look. SH001: the lease is somebody else's. SH012: the run, or a part of it, has been taken already. SH013: it is
-- older than what another collector has told.
CREATE FUNCTION hub.merge(p_device int, p_source int, p_sport int, p_token bigint, p_after bigint, p_last bigint)
RETURNS TABLE (entry bigint, look bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    at bigint;
    base bigint;
    n bigint;
    told bigint;
    newest bigint;
    earliest bigint;
    latest bigint;
    rows bigint;
BEGIN
    PERFORM hub.check_lease(p_device, p_sport, p_token);
    INSERT INTO hub.pushed (device, source, sport, look) VALUES (p_device, p_source, p_sport,
        0) ON CONFLICT DO NOTHING;
    SELECT p.look INTO told FROM hub.pushed AS p
    WHERE p.device = p_device AND p.source = p_source AND p.sport = p_sport FOR UPDATE;
    IF told <> p_after THEN
        RAISE EXCEPTION 'told up to look % of the device, not %', told, p_after USING ERRCODE = 'SH012';
    END IF;
    SELECT count(*), min(s.received_at), max(s.received_at) INTO n, earliest, latest FROM pg_temp.s_look AS s;
    SELECT max(l.received_at) INTO newest FROM hub.look AS l WHERE l.source = p_source AND l.sport = p_sport;
    IF newest > earliest THEN
        RAISE EXCEPTION 'the hub has later looks of this sport' USING ERRCODE = 'SH013';
    END IF;
    -- From here on numbers are given in the order of commits.
    UPDATE hub.head AS h SET entry = h.entry + 1, look = h.look + n RETURNING h.entry, h.look - n INTO at, base;
    INSERT INTO hub.look (id, day, entry, device, device_look, source, sport, received_at, endpoint, scope, origin,
        cost, remaining, events, quotes, changes, issues, body_hash, tier, rules)
    SELECT base + s.id, s.day, at, p_device, s.device_look, p_source, p_sport, s.received_at, s.endpoint, s.scope,
        s.origin, s.cost, s.remaining, s.events, s.quotes, s.changes, s.issues, s.body_hash, s.tier, s.rules
    FROM pg_temp.s_look AS s;
    INSERT INTO hub.look_seen (look, day, seen)
    SELECT base + s.look, s.day, s.seen
    FROM pg_temp.s_look_seen AS s ON CONFLICT DO NOTHING;
    INSERT INTO hub.event_life (look, day, event, first_slot, forgotten)
    SELECT base + s.look, s.day, s.event, s.first_slot,
        CASE WHEN s.forgotten < 0 THEN base - s.forgotten ELSE s.forgotten END
    FROM pg_temp.s_event_life AS s ON CONFLICT DO NOTHING;
    INSERT INTO hub.event_start (look, day, event, commence)
    SELECT base + s.look, s.day, s.event, s.commence
    FROM pg_temp.s_event_start AS s ON CONFLICT DO NOTHING;
    INSERT INTO hub.event_score (look, day, event, status, home_score, away_score)
    SELECT base + s.look, s.day, s.event, s.status, s.home_score, s.away_score
    FROM pg_temp.s_event_score AS s ON CONFLICT DO NOTHING;
    INSERT INTO hub.slot (look, day, event, slot, book, market, side, subject, own_line)
    SELECT base + s.look, s.day, s.event, s.slot, s.book, s.market, s.side, s.subject, s.own_line
    FROM pg_temp.s_slot AS s ON CONFLICT DO NOTHING;
    INSERT INTO hub.change (look, day, event, slot, line, price, status, last_seen, provider_update)
    SELECT base + s.look, s.day, s.event, s.slot, s.line, s.price, s.status, s.last_seen, s.provider_update
    FROM pg_temp.s_change AS s ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS rows = ROW_COUNT;
    INSERT INTO hub.keyframe (look, day, event, state)
    SELECT base + s.look, s.day, s.event, s.state
    FROM pg_temp.s_keyframe AS s ON CONFLICT DO NOTHING;
    INSERT INTO hub.quality (look, day, n, event, book, market, reason, severity, detail)
    SELECT base + s.look, s.day, s.n, s.event, s.book, s.market, s.reason, s.severity, s.detail
    FROM pg_temp.s_quality AS s ON CONFLICT DO NOTHING;
    INSERT INTO hub.quality_end (look, day, of_look, of_n)
    SELECT base + s.look, s.day, CASE WHEN s.of_look < 0 THEN base - s.of_look ELSE s.of_look END, s.of_n
    FROM pg_temp.s_quality_end AS s ON CONFLICT DO NOTHING;
    INSERT INTO hub.point (look, day, event, market, subject, own_line, previous, line, value1, value2, value3,
        fair1, fair2, fair3, standard_error, effective, families, consensus_line, consensus, consensus_value,
        dispersion, consensus_books, books)
    SELECT base + s.look, s.day, s.event, s.market, s.subject, s.own_line,
        CASE WHEN s.previous < 0 THEN base - s.previous ELSE s.previous END, s.line, s.value1, s.value2, s.value3,
        s.fair1, s.fair2, s.fair3, s.standard_error, s.effective, s.families, s.consensus_line, s.consensus,
        s.consensus_value, s.dispersion, s.consensus_books, s.books
    FROM pg_temp.s_point AS s ON CONFLICT DO NOTHING;
    INSERT INTO hub.signal (look, day, id, version, event, sport, market, subject, own_line, type, direction, side,
        at, strength, composite, json)
    SELECT base + s.look, s.day, s.id, s.version, s.event, s.sport, s.market, s.subject, s.own_line, s.type,
        s.direction, s.side, s.at, s.strength, s.composite, s.json
    FROM pg_temp.s_signal AS s ON CONFLICT DO NOTHING;
    INSERT INTO hub.opportunity (look, day, event, market, subject, own_line, kind, legs, open, ev, json)
    SELECT base + s.look, s.day, s.event, s.market, s.subject, s.own_line, s.kind, s.legs, s.open, s.ev, s.json
    FROM pg_temp.s_opportunity AS s ON CONFLICT DO NOTHING;
    INSERT INTO hub.close (look, day, event, market, subject, own_line, version, start, grade, reason, provisional,
        json)
    SELECT base + s.look, s.day, s.event, s.market, s.subject, s.own_line, s.version, s.start, s.grade, s.reason,
        s.provisional, s.json
    FROM pg_temp.s_close AS s ON CONFLICT DO NOTHING;
    INSERT INTO hub.clv (look, day, signal, version, event, sport, market, type, at, start, strength, composite,
        clv_ev, grade, left_out, json)
    SELECT base + s.look, s.day, s.signal, s.version, s.event, s.sport, s.market, s.type, s.at, s.start, s.strength,
        s.composite, s.clv_ev, s.grade, s.left_out, s.json
    FROM pg_temp.s_clv AS s ON CONFLICT DO NOTHING;
    INSERT INTO hub.tally (look, day, detector, evaluated, not_evaluable, longest_gap_ms, needed_ms, suppressed)
    SELECT base + s.look, s.day, s.detector, s.evaluated, s.not_evaluable, s.longest_gap_ms, s.needed_ms, s.suppressed
    FROM pg_temp.s_tally AS s ON CONFLICT DO NOTHING;
    UPDATE hub.event AS e SET home = s.home, away = s.away, commence = s.commence, first_seen = s.first_seen,
        first_look = CASE WHEN s.first_look < 0 THEN base - s.first_look WHEN s.first_look > 0 THEN s.first_look
                          ELSE e.first_look END,
        status = s.status, home_score = s.home_score, away_score = s.away_score,
        forgotten = CASE WHEN s.forgotten < 0 THEN base - s.forgotten ELSE s.forgotten END, slots = s.slots,
            changed = at
    FROM pg_temp.s_event AS s WHERE e.id = s.id;
    INSERT INTO hub.entry (seq, kind, device, token, source, sport, first, last, since, until, changes)
    VALUES (at, 1, p_device, p_token, p_source, p_sport, base + 1, base + n, earliest, latest, rows);
    INSERT INTO hub.summary AS t (sport, day, looks, changes, points, signals, newest)
    SELECT p_sport, s.day, count(*), sum(s.changes), 0, 0, max(s.received_at) FROM pg_temp.s_look AS s GROUP BY s.day
    ON CONFLICT (sport, day) DO UPDATE SET looks = t.looks + excluded.looks, changes = t.changes + excluded.changes,
        newest = greatest(t.newest, excluded.newest);
    UPDATE hub.summary AS t SET points = t.points + x.n
    FROM (SELECT s.day, count(*) AS n FROM pg_temp.s_point AS s GROUP BY s.day) AS x
    WHERE t.sport = p_sport AND t.day = x.day;
    UPDATE hub.summary AS t SET signals = t.signals + x.n
    FROM (SELECT s.day, count(*) AS n FROM pg_temp.s_signal AS s WHERE s.version = 1 GROUP BY s.day) AS x
    WHERE t.sport = p_sport AND t.day = x.day;
    UPDATE hub.pushed AS p SET look = p_last WHERE p.device = p_device AND p.source = p_source AND p.sport = p_sport;
    UPDATE hub.device AS d SET seen_at = now() WHERE d.id = p_device;
    PERFORM pg_notify((SELECT m.value FROM hub.meta AS m WHERE m.key = 'channel'), at::text);
    RETURN QUERY SELECT at, base;
END $$;

-- Takes back the looks of a source and sport that were received after an instant. Answers the entry; 0: there were none.
CREATE FUNCTION hub.retract(
    p_device int, p_source int, p_sport int, p_token bigint, p_after bigint, p_row bigint
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    at bigint := 0;
    gone bigint[];
    since date;
    left_over bigint;
BEGIN
    PERFORM hub.check_lease(p_device, p_sport, p_token);
    INSERT INTO hub.pushed (device, source, sport, look) VALUES (p_device, p_source, p_sport,
        0) ON CONFLICT DO NOTHING;
    PERFORM FROM hub.pushed AS p WHERE p.device = p_device AND p.source = p_source AND p.sport = p_sport FOR UPDATE;
    PERFORM FROM hub.head FOR UPDATE;
    SELECT array_agg(l.id), min(l.day) INTO gone, since FROM hub.look AS l
    WHERE l.source = p_source AND l.sport = p_sport AND l.received_at > p_after;
    IF gone IS NOT NULL THEN
        UPDATE hub.head AS h SET entry = h.entry + 1 RETURNING h.entry INTO at;
        DELETE FROM hub.look_seen AS t WHERE t.look = ANY (gone) AND t.day >= since;
        DELETE FROM hub.event_life AS t WHERE t.look = ANY (gone) AND t.day >= since;
        DELETE FROM hub.event_start AS t WHERE t.look = ANY (gone) AND t.day >= since;
        DELETE FROM hub.event_score AS t WHERE t.look = ANY (gone) AND t.day >= since;
        DELETE FROM hub.slot AS t WHERE t.look = ANY (gone) AND t.day >= since;
        DELETE FROM hub.change AS t WHERE t.look = ANY (gone) AND t.day >= since;
        DELETE FROM hub.keyframe AS t WHERE t.look = ANY (gone) AND t.day >= since;
        DELETE FROM hub.quality AS t WHERE t.look = ANY (gone) AND t.day >= since;
        DELETE FROM hub.quality_end AS t WHERE t.look = ANY (gone) AND t.day >= since;
        DELETE FROM hub.point AS t WHERE t.look = ANY (gone) AND t.day >= since;
        DELETE FROM hub.signal AS t WHERE t.look = ANY (gone) AND t.day >= since;
        DELETE FROM hub.opportunity AS t WHERE t.look = ANY (gone) AND t.day >= since;
        DELETE FROM hub.close AS t WHERE t.look = ANY (gone) AND t.day >= since;
        DELETE FROM hub.clv AS t WHERE t.look = ANY (gone) AND t.day >= since;
        DELETE FROM hub.tally AS t WHERE t.look = ANY (gone) AND t.day >= since;
        UPDATE hub.summary AS t SET looks = t.looks - x.looks, changes = t.changes - x.changes
        FROM (SELECT l.day, count(*) AS looks, sum(l.changes) AS changes FROM hub.look AS l
              WHERE l.id = ANY (gone) AND l.day >= since GROUP BY l.day) AS x
        WHERE t.sport = p_sport AND t.day = x.day;
        DELETE FROM hub.look AS l WHERE l.id = ANY (gone) AND l.day >= since;
        SELECT coalesce(max(l.id),
            0) INTO left_over FROM hub.look AS l WHERE l.source = p_source AND l.sport = p_sport;
        UPDATE hub.event AS e SET first_look = CASE WHEN e.first_look > left_over THEN 0 ELSE e.first_look END,
            forgotten = CASE WHEN e.forgotten > left_over THEN NULL ELSE e.forgotten END,
            slots = CASE WHEN e.forgotten > left_over THEN NULL ELSE e.slots END, changed = at
        WHERE e.source = p_source AND e.sport = p_sport AND (e.first_look > left_over OR e.forgotten > left_over);
        INSERT INTO hub.entry (seq, kind, device, token, source, sport, first, last, since, until, changes)
        VALUES (at, 2, p_device, p_token, p_source, p_sport, 0, left_over, p_after, p_after, 0);
        PERFORM pg_notify((SELECT m.value FROM hub.meta AS m WHERE m.key = 'channel'), at::text);
    END IF;
    UPDATE hub.pushed AS p SET retracted = p_row
    WHERE p.device = p_device AND p.source = p_source AND p.sport = p_sport;
    RETURN at;
END $$;

REVOKE ALL ON FUNCTION hub.join_device(uuid, text, text, boolean), hub.check_lease(int, int, bigint),
    hub.numbers_of_names(smallint[], text[]),
    hub.numbers_of_events(int, int, text[], text[], text[], bigint[], bigint[]), hub.know_rules(bytea, text),
    hub.merge(int, int, int, bigint, bigint, bigint), hub.retract(int, int, int, bigint, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hub.join_device(uuid, text, text, boolean) TO stratum_collector, stratum_pro;
GRANT EXECUTE ON FUNCTION hub.numbers_of_names(smallint[], text[]),
    hub.numbers_of_events(int, int, text[], text[], text[], bigint[], bigint[]), hub.know_rules(bytea, text),
    hub.merge(int, int, int, bigint, bigint, bigint), hub.retract(int, int, int, bigint, bigint, bigint)
    TO stratum_collector;
GRANT SELECT ON hub.pushed TO stratum_collector;
-- What is above is the only way in.
REVOKE INSERT, UPDATE, DELETE ON hub.device, hub.name, hub.event, hub.look, hub.setting, hub.look_seen,
    hub.event_life,
    hub.event_start, hub.event_score, hub.slot, hub.change, hub.keyframe, hub.quality, hub.quality_end, hub.point,
        hub.signal,
    hub.opportunity, hub.close, hub.clv, hub.tally, hub.summary, hub.entry, hub.head FROM stratum_collector;
