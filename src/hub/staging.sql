-- The temporary tables in which a run is staged. They stay with the session and are empty after each transaction; a pooler
-- may hand over a session that has them already.
DO $$
BEGIN
    -- Signals and closes are long texts: packed by the quicker way where the server was built with it.
    BEGIN
        PERFORM set_config('default_toast_compression', 'lz4', true);
    EXCEPTION WHEN invalid_parameter_value THEN
        NULL;
    END;
    IF to_regclass('pg_temp.s_look') IS NULL THEN
        CREATE TEMP TABLE s_look (id bigint, day date, device_look bigint, rules bytea, received_at bigint,
            endpoint text, scope text, origin text, cost bigint, remaining bigint, events int, quotes int, changes int, issues int,
            body_hash bytea, tier text) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_event (id int, home text, away text, commence bigint, first_seen bigint,
            first_look bigint, status int, home_score int, away_score int, forgotten bigint, slots int) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_look_seen (LIKE hub.look_seen) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_event_life (LIKE hub.event_life) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_event_start (LIKE hub.event_start) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_event_score (LIKE hub.event_score) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_slot (LIKE hub.slot) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_change (LIKE hub.change) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_keyframe (LIKE hub.keyframe) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_quality (LIKE hub.quality) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_quality_end (LIKE hub.quality_end) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_point (LIKE hub.point) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_signal (LIKE hub.signal) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_opportunity (LIKE hub.opportunity) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_close (LIKE hub.close) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_clv (LIKE hub.clv) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_tally (LIKE hub.tally) ON COMMIT DELETE ROWS;
        GRANT SELECT ON s_look, s_event, s_look_seen, s_event_life, s_event_start, s_event_score,
            s_slot, s_change, s_keyframe, s_quality, s_quality_end, s_point, s_signal,
            s_opportunity, s_close, s_clv, s_tally TO stratum_owner;
    END IF;
END $$;
