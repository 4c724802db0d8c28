-- The log tells in which tables an entry has rows, so that those who follow ask for no others; a run is taken in without
-- looking for rows that cannot be there.

-- A bit for each table, from the lowest: event_life, event_start, event_score, look_seen, change, keyframe, point, signal, opportunity, close, clv, tally, slot, quality, quality_end. All of
-- them where it is not known.
ALTER TABLE hub.entry ADD COLUMN filled int NOT NULL DEFAULT -1;

-- Takes in a run of looks of one source and sport, whose rows are staged. Answers its entry and the number before its
-- first look. SH001: the lease is somebody else's. SH012: the run, or a part of it, has been taken already. SH013: it is
-- older than what another collector has told.
CREATE OR REPLACE FUNCTION hub.merge(p_device int, p_source int, p_sport int, p_token bigint, p_after bigint, p_last bigint)
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
    filled int;
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
    -- Looks that are later stand in no earlier day: history is not gone through.
    SELECT max(l.received_at) INTO newest FROM hub.look AS l WHERE l.source = p_source AND l.sport = p_sport
        AND l.day >= (SELECT min(s.day) FROM pg_temp.s_look AS s);
    IF newest > earliest THEN
        RAISE EXCEPTION 'the hub has later looks of this sport' USING ERRCODE = 'SH013';
    END IF;
    -- From here on numbers are given in the order of commits, and no row of these looks can be there already.
    UPDATE hub.head AS h SET entry = h.entry + 1, look = h.look + n RETURNING h.entry, h.look - n INTO at, base;
    INSERT INTO hub.look (id, day, entry, device, device_look, source, sport, received_at, endpoint, scope, origin,
        cost, remaining, events, quotes, changes, issues, body_hash, tier, rules)
    SELECT base + s.id, s.day, at, p_device, s.device_look, p_source, p_sport, s.received_at, s.endpoint, s.scope,
        s.origin, s.cost, s.remaining, s.events, s.quotes, s.changes, s.issues, s.body_hash, s.tier, s.rules
    FROM pg_temp.s_look AS s;
    INSERT INTO hub.look_seen (look, day, seen)
    SELECT base + s.look, s.day, s.seen
    FROM pg_temp.s_look_seen AS s;
    INSERT INTO hub.event_life (look, day, event, first_slot, forgotten)
    SELECT base + s.look, s.day, s.event, s.first_slot,
        CASE WHEN s.forgotten < 0 THEN base - s.forgotten ELSE s.forgotten END
    FROM pg_temp.s_event_life AS s;
    INSERT INTO hub.event_start (look, day, event, commence)
    SELECT base + s.look, s.day, s.event, s.commence
    FROM pg_temp.s_event_start AS s;
    INSERT INTO hub.event_score (look, day, event, status, home_score, away_score)
    SELECT base + s.look, s.day, s.event, s.status, s.home_score, s.away_score
    FROM pg_temp.s_event_score AS s;
    INSERT INTO hub.slot (look, day, event, slot, book, market, side, subject, own_line)
    SELECT base + s.look, s.day, s.event, s.slot, s.book, s.market, s.side, s.subject, s.own_line
    FROM pg_temp.s_slot AS s;
    INSERT INTO hub.change (look, day, event, slot, line, price, status, last_seen, provider_update)
    SELECT base + s.look, s.day, s.event, s.slot, s.line, s.price, s.status, s.last_seen, s.provider_update
    FROM pg_temp.s_change AS s;
    GET DIAGNOSTICS rows = ROW_COUNT;
    INSERT INTO hub.keyframe (look, day, event, state)
    SELECT base + s.look, s.day, s.event, s.state
    FROM pg_temp.s_keyframe AS s;
    INSERT INTO hub.quality (look, day, n, event, book, market, reason, severity, detail)
    SELECT base + s.look, s.day, s.n, s.event, s.book, s.market, s.reason, s.severity, s.detail
    FROM pg_temp.s_quality AS s;
    INSERT INTO hub.quality_end (look, day, of_look, of_n)
    SELECT base + s.look, s.day, CASE WHEN s.of_look < 0 THEN base - s.of_look ELSE s.of_look END, s.of_n
    FROM pg_temp.s_quality_end AS s;
    INSERT INTO hub.point (look, day, event, market, subject, own_line, previous, line, value1, value2, value3,
        fair1, fair2, fair3, standard_error, effective, families, consensus_line, consensus, consensus_value,
        dispersion, consensus_books, books)
    SELECT base + s.look, s.day, s.event, s.market, s.subject, s.own_line,
        CASE WHEN s.previous < 0 THEN base - s.previous ELSE s.previous END, s.line, s.value1, s.value2, s.value3,
        s.fair1, s.fair2, s.fair3, s.standard_error, s.effective, s.families, s.consensus_line, s.consensus,
        s.consensus_value, s.dispersion, s.consensus_books, s.books
    FROM pg_temp.s_point AS s;
    INSERT INTO hub.signal (look, day, id, version, event, sport, market, subject, own_line, type, direction, side,
        at, strength, composite, json)
    SELECT base + s.look, s.day, s.id, s.version, s.event, s.sport, s.market, s.subject, s.own_line, s.type,
        s.direction, s.side, s.at, s.strength, s.composite, s.json
    FROM pg_temp.s_signal AS s ON CONFLICT DO NOTHING;
    INSERT INTO hub.opportunity (look, day, event, market, subject, own_line, kind, legs, open, ev, json)
    SELECT base + s.look, s.day, s.event, s.market, s.subject, s.own_line, s.kind, s.legs, s.open, s.ev, s.json
    FROM pg_temp.s_opportunity AS s;
    INSERT INTO hub.close (look, day, event, market, subject, own_line, version, start, grade, reason, provisional,
        json)
    SELECT base + s.look, s.day, s.event, s.market, s.subject, s.own_line, s.version, s.start, s.grade, s.reason,
        s.provisional, s.json
    FROM pg_temp.s_close AS s;
    INSERT INTO hub.clv (look, day, signal, version, event, sport, market, type, at, start, strength, composite,
        clv_ev, grade, left_out, json)
    SELECT base + s.look, s.day, s.signal, s.version, s.event, s.sport, s.market, s.type, s.at, s.start, s.strength,
        s.composite, s.clv_ev, s.grade, s.left_out, s.json
    FROM pg_temp.s_clv AS s ON CONFLICT DO NOTHING;
    INSERT INTO hub.tally (look, day, detector, evaluated, not_evaluable, longest_gap_ms, needed_ms, suppressed)
    SELECT base + s.look, s.day, s.detector, s.evaluated, s.not_evaluable, s.longest_gap_ms, s.needed_ms, s.suppressed
    FROM pg_temp.s_tally AS s;
    UPDATE hub.event AS e SET home = s.home, away = s.away, commence = s.commence, first_seen = s.first_seen,
        first_look = CASE WHEN s.first_look < 0 THEN base - s.first_look WHEN s.first_look > 0 THEN s.first_look
                          ELSE e.first_look END,
        status = s.status, home_score = s.home_score, away_score = s.away_score,
        forgotten = CASE WHEN s.forgotten < 0 THEN base - s.forgotten ELSE s.forgotten END, slots = s.slots,
            changed = at
    FROM pg_temp.s_event AS s WHERE e.id = s.id;
    filled := CASE WHEN EXISTS (SELECT FROM pg_temp.s_event_life) THEN 1 ELSE 0 END |
        CASE WHEN EXISTS (SELECT FROM pg_temp.s_event_start) THEN 2 ELSE 0 END |
        CASE WHEN EXISTS (SELECT FROM pg_temp.s_event_score) THEN 4 ELSE 0 END |
        CASE WHEN EXISTS (SELECT FROM pg_temp.s_look_seen) THEN 8 ELSE 0 END |
        CASE WHEN EXISTS (SELECT FROM pg_temp.s_change) THEN 16 ELSE 0 END |
        CASE WHEN EXISTS (SELECT FROM pg_temp.s_keyframe) THEN 32 ELSE 0 END |
        CASE WHEN EXISTS (SELECT FROM pg_temp.s_point) THEN 64 ELSE 0 END |
        CASE WHEN EXISTS (SELECT FROM pg_temp.s_signal) THEN 128 ELSE 0 END |
        CASE WHEN EXISTS (SELECT FROM pg_temp.s_opportunity) THEN 256 ELSE 0 END |
        CASE WHEN EXISTS (SELECT FROM pg_temp.s_close) THEN 512 ELSE 0 END |
        CASE WHEN EXISTS (SELECT FROM pg_temp.s_clv) THEN 1024 ELSE 0 END |
        CASE WHEN EXISTS (SELECT FROM pg_temp.s_tally) THEN 2048 ELSE 0 END |
        CASE WHEN EXISTS (SELECT FROM pg_temp.s_slot) THEN 4096 ELSE 0 END |
        CASE WHEN EXISTS (SELECT FROM pg_temp.s_quality) THEN 8192 ELSE 0 END |
        CASE WHEN EXISTS (SELECT FROM pg_temp.s_quality_end) THEN 16384 ELSE 0 END;
    INSERT INTO hub.entry (seq, kind, device, token, source, sport, first, last, since, until, changes, filled)
    VALUES (at, 1, p_device, p_token, p_source, p_sport, base + 1, base + n, earliest, latest, rows, filled);
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
