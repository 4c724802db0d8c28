-- The temporary tables in which a batch of an exchange is staged; see staging.sql.
DO $$
BEGIN
    IF to_regclass('pg_temp.s_exchange_event') IS NULL THEN
        CREATE TEMP TABLE s_exchange_event (exchange text, key text, slug text, title text, sport text, date text,
            starts bigint, first_team text, other_team text, is_over smallint, volume float8, first_seen bigint,
            last_seen bigint) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_exchange_market (listing text, condition text, slug text, question text, kind text,
            about text, line int, first_outcome text, other_outcome text, first_token text, other_token text,
            fee_rate float8, settlement text, why_not text, winner text, ended_at bigint) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_exchange_link (listing text, event int, home_first smallint, state text, how text,
            confidence float8, reasons text, at bigint) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_exchange_link_log (row bigint, listing text, at bigint, event int, state text, how text,
            reasons text) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_exchange_book (day date, market int, at bigint, changed_at bigint, state smallint, bid int,
            ask int, bid_size bigint, ask_size bigint, bid_near bigint, ask_near bigint, middle bigint,
            levels bytea) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_exchange_seen (market int, at bigint) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_exchange_trade (day date, row bigint, market int, at bigint, first smallint, side text,
            price int, size bigint) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_exchange_gap (day date, row bigint, since bigint, until bigint, why text,
            markets int) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_exchange_price (day date, market int, at bigint, price int) ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE s_exchange_backfill (market int, since bigint, until bigint, done_at bigint,
            points bigint) ON COMMIT DELETE ROWS;
        GRANT SELECT ON s_exchange_event, s_exchange_market, s_exchange_link, s_exchange_link_log, s_exchange_book,
            s_exchange_seen, s_exchange_trade, s_exchange_gap, s_exchange_price, s_exchange_backfill TO stratum_owner;
    END IF;
END $$;
