-- What a listened-to exchange tells beside its quotes: listings, contracts, links to games, order books, trades. It has no
-- looks, so it is a stream of its own beside the log: batches in the order of their commits, numbered without gaps. Listings
-- and contracts have numbers of the hub's; what grows is split by the day of its instant. Free logins see nothing of it.

-- One row: the head of the stream. Whoever appends holds its lock. Batches up to `dropped` are listed no more.
CREATE TABLE hub.exchange_head (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq     bigint  NOT NULL DEFAULT 0,
    dropped bigint  NOT NULL DEFAULT 0
);
INSERT INTO hub.exchange_head DEFAULT VALUES;

-- A batch. `filled`: a bit for each table with rows of it, from the lowest: event, market, link, link_log, book, seen, trade,
-- gap, price, backfill. `since`, `until`: the days of its rows in tables that are split.
CREATE TABLE hub.exchange_entry (
    seq       bigint      PRIMARY KEY,
    device    int         NOT NULL,
    exchange  text        NOT NULL,
    token     bigint      NOT NULL,             -- of the lease under which it was written
    rows      bigint      NOT NULL,
    filled    int         NOT NULL,
    since     date,
    until     date,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Below, `seq` is the batch that wrote a row last and `device` who told it. What a column means stands in the local store's
-- schema where it has the same name.

CREATE TABLE hub.exchange_event (
    id         int      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    exchange   text     NOT NULL,
    key        text     NOT NULL,
    slug       text     NOT NULL,
    title      text     NOT NULL,
    sport      text     NOT NULL,
    date       text     NOT NULL,
    starts     bigint,
    first_team text,
    other_team text,
    is_over    smallint NOT NULL,
    volume     float8,
    first_seen bigint   NOT NULL,
    last_seen  bigint   NOT NULL,
    device     int      NOT NULL,
    seq        bigint   NOT NULL,
    UNIQUE (exchange, key)
);
CREATE INDEX exchange_event_by_seq ON hub.exchange_event (seq);

CREATE TABLE hub.exchange_market (
    id            int    GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    listing       int    NOT NULL,
    condition     text   NOT NULL UNIQUE,
    slug          text   NOT NULL,
    question      text   NOT NULL,
    kind          text   NOT NULL,
    about         text   NOT NULL,
    line          int,
    first_outcome text   NOT NULL,
    other_outcome text   NOT NULL,
    first_token   text   NOT NULL,
    other_token   text   NOT NULL,
    fee_rate      float8,
    settlement    text   NOT NULL,
    why_not       text,
    winner        text,
    ended_at      bigint,
    device        int    NOT NULL,
    seq           bigint NOT NULL
);
CREATE INDEX exchange_market_by_seq ON hub.exchange_market (seq);

-- `event`: the hub's number of the game.
CREATE TABLE hub.exchange_link (
    listing    int      PRIMARY KEY,
    event      int,
    home_first smallint,
    state      text     NOT NULL,
    how        text     NOT NULL,
    confidence float8   NOT NULL,
    reasons    text     NOT NULL,
    at         bigint   NOT NULL,
    device     int      NOT NULL,
    seq        bigint   NOT NULL
);
CREATE INDEX exchange_link_by_seq ON hub.exchange_link (seq);

-- `row`: the device's own number of it.
CREATE TABLE hub.exchange_link_log (
    device  int    NOT NULL,
    row     bigint NOT NULL,
    listing int    NOT NULL,
    at      bigint NOT NULL,
    event   int,
    state   text   NOT NULL,
    how     text   NOT NULL,
    reasons text   NOT NULL,
    seq     bigint NOT NULL,
    PRIMARY KEY (device, row)
);
CREATE INDEX exchange_link_log_by_seq ON hub.exchange_link_log (seq);

CREATE TABLE hub.exchange_book (
    market     int      NOT NULL,
    at         bigint   NOT NULL,
    day        date     NOT NULL,
    changed_at bigint,
    state      smallint NOT NULL,
    bid        int,
    ask        int,
    bid_size   bigint,
    ask_size   bigint,
    bid_near   bigint,
    ask_near   bigint,
    middle     bigint,
    levels     bytea    NOT NULL,
    device     int      NOT NULL,
    seq        bigint   NOT NULL,
    PRIMARY KEY (market, at, day)
) PARTITION BY RANGE (day);
CREATE INDEX exchange_book_by_seq ON hub.exchange_book (seq);

CREATE TABLE hub.exchange_seen (
    market int    PRIMARY KEY,
    at     bigint NOT NULL,
    device int    NOT NULL,
    seq    bigint NOT NULL
);
CREATE INDEX exchange_seen_by_seq ON hub.exchange_seen (seq);

CREATE TABLE hub.exchange_trade (
    device int      NOT NULL,
    row    bigint   NOT NULL,
    day    date     NOT NULL,
    market int      NOT NULL,
    at     bigint   NOT NULL,
    first  smallint NOT NULL,
    side   text,
    price  int      NOT NULL,
    size   bigint,
    seq    bigint   NOT NULL,
    PRIMARY KEY (device, row, day)
) PARTITION BY RANGE (day);
CREATE INDEX exchange_trade_by_seq ON hub.exchange_trade (seq);

CREATE TABLE hub.exchange_gap (
    device  int    NOT NULL,
    row     bigint NOT NULL,
    day     date   NOT NULL,
    since   bigint NOT NULL,
    until   bigint NOT NULL,
    why     text   NOT NULL,
    markets int    NOT NULL,
    seq     bigint NOT NULL,
    PRIMARY KEY (device, row, day)
) PARTITION BY RANGE (day);
CREATE INDEX exchange_gap_by_seq ON hub.exchange_gap (seq);

CREATE TABLE hub.exchange_price (
    market int    NOT NULL,
    at     bigint NOT NULL,
    day    date   NOT NULL,
    price  int    NOT NULL,
    device int    NOT NULL,
    seq    bigint NOT NULL,
    PRIMARY KEY (market, at, day)
) PARTITION BY RANGE (day);
CREATE INDEX exchange_price_by_seq ON hub.exchange_price (seq);

CREATE TABLE hub.exchange_backfill (
    market  int    PRIMARY KEY,
    since   bigint NOT NULL,
    until   bigint NOT NULL,
    done_at bigint NOT NULL,
    points  bigint NOT NULL,
    device  int    NOT NULL,
    seq     bigint NOT NULL
);
CREATE INDEX exchange_backfill_by_seq ON hub.exchange_backfill (seq);

SELECT hub.catch_up(t::regclass)
    FROM unnest(ARRAY['hub.exchange_book', 'hub.exchange_trade', 'hub.exchange_gap', 'hub.exchange_price']) AS t;

-- Collectors and pros see it live; nobody writes it but the function below. The other tiers have no policy, and see nothing.
DO $$
DECLARE
    found text;
BEGIN
    FOREACH found IN ARRAY ARRAY['head', 'entry', 'event', 'market', 'link', 'link_log', 'book', 'seen', 'trade', 'gap',
                                 'price', 'backfill']
    LOOP
        EXECUTE format('ALTER TABLE hub.%I ENABLE ROW LEVEL SECURITY', 'exchange_' || found);
        EXECUTE format('CREATE POLICY live ON hub.%I FOR SELECT TO stratum_pro, stratum_collector USING (true)',
            'exchange_' || found);
        EXECUTE format('GRANT SELECT ON hub.%I TO stratum_pro, stratum_collector', 'exchange_' || found);
    END LOOP;
END
$$;

-- Takes in a batch of what was heard of an exchange, whose rows are staged in temporary tables s_exchange_*. Answers its
-- number, or 0 where nothing of it was new: told twice it changes nothing. SH001: the lease is somebody else's.
CREATE FUNCTION hub.tell_exchange(p_device int, p_exchange text, p_token bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    lease text := 'exchange:' || p_exchange;
    batch bigint;
    n bigint;
    told bigint := 0;
    filled int := 0;
    first_day date;
    last_day date;
BEGIN
    PERFORM hub.fence(p_device, lease, p_token);
    PERFORM FROM hub.lease AS l WHERE l.sport = lease AND l.until > clock_timestamp();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the lease of % has run out', lease USING ERRCODE = 'SH001', DETAIL = lease;
    END IF;
    IF EXISTS (SELECT FROM pg_temp.s_exchange_event AS s WHERE s.exchange IS DISTINCT FROM p_exchange) THEN
        RAISE EXCEPTION 'listings of another exchange than % are not taken', p_exchange USING ERRCODE = 'SH002';
    END IF;
    -- From here on numbers are given in the order of commits.
    SELECT h.seq + 1 INTO batch FROM hub.exchange_head AS h FOR UPDATE;

    INSERT INTO hub.exchange_event AS t (exchange, key, slug, title, sport, date, starts, first_team, other_team, is_over,
        volume, first_seen, last_seen, device, seq)
    SELECT DISTINCT ON (s.key) s.exchange, s.key, s.slug, s.title, s.sport, s.date, s.starts, s.first_team, s.other_team,
        s.is_over, s.volume, s.first_seen, s.last_seen, p_device, batch
    FROM pg_temp.s_exchange_event AS s ORDER BY s.key, s.last_seen DESC
    ON CONFLICT (exchange, key) DO UPDATE SET slug = excluded.slug, title = excluded.title, sport = excluded.sport,
        date = excluded.date, starts = excluded.starts, first_team = excluded.first_team,
        other_team = excluded.other_team, is_over = excluded.is_over, volume = excluded.volume,
        first_seen = least(t.first_seen, excluded.first_seen), last_seen = excluded.last_seen, device = p_device, seq = batch
    WHERE (t.slug, t.title, t.sport, t.date, t.starts, t.first_team, t.other_team, t.is_over, t.volume, t.last_seen)
        IS DISTINCT FROM (excluded.slug, excluded.title, excluded.sport, excluded.date, excluded.starts,
        excluded.first_team, excluded.other_team, excluded.is_over, excluded.volume, excluded.last_seen)
        OR excluded.first_seen < t.first_seen;
    GET DIAGNOSTICS n = ROW_COUNT;
    told := told + n; filled := filled | CASE WHEN n > 0 THEN 1 ELSE 0 END;

    INSERT INTO hub.exchange_market AS t (listing, condition, slug, question, kind, about, line, first_outcome,
        other_outcome, first_token, other_token, fee_rate, settlement, why_not, winner, ended_at, device, seq)
    SELECT DISTINCT ON (s.condition) e.id, s.condition, s.slug, s.question, s.kind, s.about, s.line, s.first_outcome,
        s.other_outcome, s.first_token, s.other_token, s.fee_rate, s.settlement, s.why_not, s.winner, s.ended_at,
        p_device, batch
    FROM pg_temp.s_exchange_market AS s JOIN hub.exchange_event AS e ON e.exchange = p_exchange AND e.key = s.listing
    ORDER BY s.condition
    ON CONFLICT (condition) DO UPDATE SET listing = excluded.listing, slug = excluded.slug, question = excluded.question,
        kind = excluded.kind, about = excluded.about, line = excluded.line, first_outcome = excluded.first_outcome,
        other_outcome = excluded.other_outcome, first_token = excluded.first_token, other_token = excluded.other_token,
        fee_rate = excluded.fee_rate, settlement = excluded.settlement, why_not = excluded.why_not,
        winner = excluded.winner, ended_at = excluded.ended_at, device = p_device, seq = batch
    WHERE (t.listing, t.slug, t.question, t.kind, t.about, t.line, t.first_outcome, t.other_outcome, t.first_token,
        t.other_token, t.fee_rate, t.settlement, t.why_not, t.winner, t.ended_at)
        IS DISTINCT FROM (excluded.listing, excluded.slug, excluded.question, excluded.kind, excluded.about,
        excluded.line, excluded.first_outcome, excluded.other_outcome, excluded.first_token, excluded.other_token,
        excluded.fee_rate, excluded.settlement, excluded.why_not, excluded.winner, excluded.ended_at);
    GET DIAGNOSTICS n = ROW_COUNT;
    told := told + n; filled := filled | CASE WHEN n > 0 THEN 2 ELSE 0 END;

    INSERT INTO hub.exchange_link AS t (listing, event, home_first, state, how, confidence, reasons, at, device, seq)
    SELECT e.id, s.event, s.home_first, s.state, s.how, s.confidence, s.reasons, s.at, p_device, batch
    FROM pg_temp.s_exchange_link AS s JOIN hub.exchange_event AS e ON e.exchange = p_exchange AND e.key = s.listing
    ON CONFLICT (listing) DO UPDATE SET event = excluded.event, home_first = excluded.home_first, state = excluded.state,
        how = excluded.how, confidence = excluded.confidence, reasons = excluded.reasons, at = excluded.at,
        device = p_device, seq = batch
    WHERE (t.event, t.home_first, t.state, t.how, t.confidence, t.reasons, t.at) IS DISTINCT FROM
        (excluded.event, excluded.home_first, excluded.state, excluded.how, excluded.confidence, excluded.reasons,
        excluded.at);
    GET DIAGNOSTICS n = ROW_COUNT;
    told := told + n; filled := filled | CASE WHEN n > 0 THEN 4 ELSE 0 END;

    INSERT INTO hub.exchange_link_log (device, row, listing, at, event, state, how, reasons, seq)
    SELECT p_device, s.row, e.id, s.at, s.event, s.state, s.how, s.reasons, batch
    FROM pg_temp.s_exchange_link_log AS s JOIN hub.exchange_event AS e ON e.exchange = p_exchange AND e.key = s.listing
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    told := told + n; filled := filled | CASE WHEN n > 0 THEN 8 ELSE 0 END;

    INSERT INTO hub.exchange_book (market, at, day, changed_at, state, bid, ask, bid_size, ask_size, bid_near, ask_near,
        middle, levels, device, seq)
    SELECT s.market, s.at, s.day, s.changed_at, s.state, s.bid, s.ask, s.bid_size, s.ask_size, s.bid_near, s.ask_near,
        s.middle, s.levels, p_device, batch
    FROM pg_temp.s_exchange_book AS s ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    told := told + n; filled := filled | CASE WHEN n > 0 THEN 16 ELSE 0 END;

    INSERT INTO hub.exchange_seen AS t (market, at, device, seq)
    SELECT s.market, s.at, p_device, batch FROM pg_temp.s_exchange_seen AS s
    ON CONFLICT (market) DO UPDATE SET at = excluded.at, device = p_device, seq = batch WHERE excluded.at > t.at;
    GET DIAGNOSTICS n = ROW_COUNT;
    told := told + n; filled := filled | CASE WHEN n > 0 THEN 32 ELSE 0 END;

    INSERT INTO hub.exchange_trade (device, row, day, market, at, first, side, price, size, seq)
    SELECT p_device, s.row, s.day, s.market, s.at, s.first, s.side, s.price, s.size, batch
    FROM pg_temp.s_exchange_trade AS s ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    told := told + n; filled := filled | CASE WHEN n > 0 THEN 64 ELSE 0 END;

    INSERT INTO hub.exchange_gap (device, row, day, since, until, why, markets, seq)
    SELECT p_device, s.row, s.day, s.since, s.until, s.why, s.markets, batch
    FROM pg_temp.s_exchange_gap AS s ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    told := told + n; filled := filled | CASE WHEN n > 0 THEN 128 ELSE 0 END;

    INSERT INTO hub.exchange_price (market, at, day, price, device, seq)
    SELECT s.market, s.at, s.day, s.price, p_device, batch
    FROM pg_temp.s_exchange_price AS s ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    told := told + n; filled := filled | CASE WHEN n > 0 THEN 256 ELSE 0 END;

    INSERT INTO hub.exchange_backfill AS t (market, since, until, done_at, points, device, seq)
    SELECT s.market, s.since, s.until, s.done_at, s.points, p_device, batch FROM pg_temp.s_exchange_backfill AS s
    ON CONFLICT (market) DO UPDATE SET since = excluded.since, until = excluded.until, done_at = excluded.done_at,
        points = excluded.points, device = p_device, seq = batch
    WHERE (t.since, t.until, t.done_at, t.points) IS DISTINCT FROM
        (excluded.since, excluded.until, excluded.done_at, excluded.points);
    GET DIAGNOSTICS n = ROW_COUNT;
    told := told + n; filled := filled | CASE WHEN n > 0 THEN 512 ELSE 0 END;

    IF told = 0 THEN
        RETURN 0;
    END IF;
    SELECT min(d), max(d) INTO first_day, last_day FROM (
        SELECT s.day AS d FROM pg_temp.s_exchange_book AS s UNION ALL SELECT s.day FROM pg_temp.s_exchange_trade AS s
        UNION ALL SELECT s.day FROM pg_temp.s_exchange_gap AS s UNION ALL SELECT s.day FROM pg_temp.s_exchange_price AS s
    ) AS days;
    UPDATE hub.exchange_head AS h SET seq = batch;
    INSERT INTO hub.exchange_entry (seq, device, exchange, token, rows, filled, since, until)
    VALUES (batch, p_device, p_exchange, p_token, told, filled, first_day, last_day);
    UPDATE hub.device AS d SET seen_at = now() WHERE d.id = p_device;
    PERFORM pg_notify((SELECT m.value FROM hub.meta AS m WHERE m.key = 'channel'), 'exchange');
    RETURN batch;
END $$;

REVOKE ALL ON FUNCTION hub.tell_exchange(int, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hub.tell_exchange(int, text, bigint) TO stratum_collector;

-- As before, and the list of batches goes with the days on which they were told. What is left of their rows, listings and
-- contracts above all, comes to a new follower with the first batch that is listed.
CREATE OR REPLACE FUNCTION hub.drop_days(before date) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s'
AS $$
DECLARE
    old date;
    part record;
    last bigint;
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
    SELECT max(e.seq) INTO last FROM hub.exchange_entry e WHERE e.stored_at < before::timestamp AT TIME ZONE 'UTC';
    IF last IS NOT NULL THEN
        UPDATE hub.exchange_head h SET dropped = last WHERE h.dropped < last;
        DELETE FROM hub.exchange_entry e WHERE e.seq <= last;
    END IF;
    RETURN dropped;
END
$$;
