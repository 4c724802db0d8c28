-- Answers as they came, packed where they were collected and kept so.

-- Keeps answers of looks that this device has told: by its own numbers of them, with the answers' size and packed bytes.
-- One that is there already, of the same day, stays. Answers how many are new.
CREATE FUNCTION hub.keep_answers(p_device int, p_look bigint[], p_bytes bigint[], p_body bytea[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept bigint;
BEGIN
    PERFORM FROM hub.device AS d WHERE d.id = p_device AND d.login = session_user;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this device belongs to another login' USING ERRCODE = 'SH002';
    END IF;
    INSERT INTO hub.raw_answer (hash, day, at, bytes, body)
    SELECT DISTINCT ON (l.body_hash, l.day) l.body_hash, l.day, l.received_at, x.bytes, x.body
    FROM unnest(p_look, p_bytes, p_body) AS x (look, bytes, body)
    JOIN hub.look AS l ON l.device = p_device AND l.device_look = x.look
    ORDER BY l.body_hash, l.day, l.received_at
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS kept = ROW_COUNT;
    RETURN kept;
END $$;

REVOKE ALL ON FUNCTION hub.keep_answers(int, bigint[], bigint[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hub.keep_answers(int, bigint[], bigint[], bytea[]) TO stratum_collector;
REVOKE INSERT, UPDATE, DELETE ON hub.raw_answer FROM stratum_collector;

-- Packed already: packing it once more would cost time and save nothing.
ALTER TABLE hub.raw_answer ALTER COLUMN body SET STORAGE EXTERNAL;
