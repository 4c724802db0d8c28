-- The store, version 1. Times are milliseconds since 1970 in UTC. Every id is a small integer; names stand in `name`.

-- Names by list: 1 sport, 2 book, 3 market, 4 subject, 5 source.
CREATE TABLE name (
    kind   INTEGER NOT NULL,
    number INTEGER NOT NULL,
    name   TEXT    NOT NULL,
    PRIMARY KEY (kind, number)
) WITHOUT ROWID;

-- What an answer was asked for, as JSON; absent parts mean everything.
CREATE TABLE scope (
    id   INTEGER PRIMARY KEY,
    json TEXT    NOT NULL UNIQUE
);

-- Every successful answer. Within a source and sport, ids and times both rise.
CREATE TABLE look (
    id          INTEGER PRIMARY KEY,
    source      INTEGER NOT NULL,
    sport       INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    endpoint    TEXT    NOT NULL,
    scope       INTEGER NOT NULL REFERENCES scope (id),
    origin      TEXT,               -- recording or purpose it came from
    cost        INTEGER,            -- credits, as the provider billed them
    remaining   INTEGER,            -- credits left afterwards
    events      INTEGER NOT NULL,
    quotes      INTEGER NOT NULL,
    changes     INTEGER NOT NULL,
    issues      INTEGER NOT NULL,
    body_hash   BLOB    NOT NULL    -- BLAKE3 of the answer, first 16 bytes
);
CREATE INDEX look_by_time ON look (source, sport, received_at, id);

-- Which markets each look showed, with the provider's time of each (packed, zstd).
CREATE TABLE look_seen (
    look INTEGER PRIMARY KEY,
    seen BLOB NOT NULL
);

CREATE TABLE event (
    id          INTEGER PRIMARY KEY,
    source      INTEGER NOT NULL,
    provider_id TEXT    NOT NULL,
    sport       INTEGER NOT NULL,
    home        TEXT    NOT NULL,
    away        TEXT    NOT NULL,
    commence    INTEGER NOT NULL,
    first_seen  INTEGER NOT NULL,
    first_look  INTEGER NOT NULL,
    status      INTEGER NOT NULL,   -- 0 scheduled, 1 live, 2 final
    home_score  INTEGER,
    away_score  INTEGER,
    forgotten   INTEGER,            -- look at which the engine let go of it
    slots       INTEGER             -- slots given until then
);
CREATE UNIQUE INDEX event_alias ON event (source, provider_id);
CREATE INDEX event_by_start ON event (sport, commence);
CREATE INDEX event_remembered ON event (source, sport) WHERE forgotten IS NULL;

-- Events that the engine had let go of and that came back: the look, and the first slot given from then on.
CREATE TABLE event_life (
    event      INTEGER NOT NULL,
    look       INTEGER NOT NULL,
    first_slot INTEGER NOT NULL,
    PRIMARY KEY (event, look)
) WITHOUT ROWID;

-- Starts as they were known, look by look.
CREATE TABLE event_start (
    event    INTEGER NOT NULL,
    look     INTEGER NOT NULL,
    commence INTEGER NOT NULL,
    PRIMARY KEY (event, look)
) WITHOUT ROWID;

-- Scores and status as they were known.
CREATE TABLE event_score (
    event      INTEGER NOT NULL,
    look       INTEGER NOT NULL,
    status     INTEGER NOT NULL,
    home_score INTEGER,
    away_score INTEGER,
    PRIMARY KEY (event, look)
) WITHOUT ROWID;

-- Every quote ever received, with its present value. `status`: 0 open, 1 gone, 2 stale, 3 flawed, 4 event missing,
-- 5 unreadable; plus 16 when last seen in play. `price`: American a as 2a, decimal d as 2 000 000 d + 1. `line`:
-- hundredths of a point. `last_seen` and `provider_update` only for quotes that the last look did not show; for the
-- others they stand in `look_seen`.
CREATE TABLE quote (
    event           INTEGER NOT NULL,
    slot            INTEGER NOT NULL,
    book            INTEGER NOT NULL,
    market          INTEGER NOT NULL,
    side            INTEGER NOT NULL,   -- 1 home, 2 away, 3 draw, 4 over, 5 under, 6 yes, 7 no, 8 named
    subject         INTEGER NOT NULL,
    own_line        INTEGER,            -- where the line is part of what the outcome is
    line            INTEGER,
    price           INTEGER NOT NULL,
    status          INTEGER NOT NULL,
    first_seen      INTEGER NOT NULL,
    last_changed    INTEGER NOT NULL,
    last_seen       INTEGER,
    provider_update INTEGER,
    PRIMARY KEY (event, slot)
) WITHOUT ROWID;

-- The same for people: names instead of numbers, prices as decimal odds.
CREATE VIEW current_quote AS
SELECT quote.event, event.home, event.away, m.name AS market, b.name AS book,
       CASE quote.side WHEN 1 THEN event.home WHEN 2 THEN event.away WHEN 3 THEN 'Draw' WHEN 4 THEN 'Over'
            WHEN 5 THEN 'Under' WHEN 6 THEN 'Yes' WHEN 7 THEN 'No' ELSE '' END AS side,
       s.name AS subject, quote.line / 100.0 AS line,
       CASE WHEN quote.price % 2 <> 0 THEN (quote.price - 1) / 2000000.0
            WHEN quote.price > 0 THEN 1 + quote.price / 200.0 ELSE 1 - 200.0 / quote.price END AS price_decimal,
       CASE quote.status & 15 WHEN 0 THEN 'open' WHEN 1 THEN 'gone' ELSE 'suspect' END AS status,
       quote.status >= 16 AS in_play, quote.first_seen, quote.last_changed
FROM quote
JOIN event ON event.id = quote.event
JOIN name AS m ON m.kind = 3 AND m.number = quote.market
JOIN name AS b ON b.kind = 2 AND b.number = quote.book
LEFT JOIN name AS s ON s.kind = 4 AND s.number = quote.subject;

-- The change log: the quote from this look on. `status`: 0 open, 1 gone, 2 stale, 3 flawed, 4 event missing,
-- 5 unreadable; plus 16 when last seen in play. `price`: American a as 2a, decimal d as 2 000 000 d + 1. `line`:
-- hundredths of a point. `last_seen` and `provider_update` only for quotes that this look did not show; for the others
-- they stand in `look_seen`.
CREATE TABLE change (
    event           INTEGER NOT NULL,
    look            INTEGER NOT NULL,
    slot            INTEGER NOT NULL,
    line            INTEGER,
    price           INTEGER NOT NULL,
    status          INTEGER NOT NULL,
    last_seen       INTEGER,
    provider_update INTEGER,
    PRIMARY KEY (event, look, slot)
) WITHOUT ROWID;

-- Whole states of events (packed, zstd), so that looking back never reads a long log.
CREATE TABLE keyframe (
    event INTEGER NOT NULL,
    look  INTEGER NOT NULL,
    state BLOB    NOT NULL,
    PRIMARY KEY (event, look)
) WITHOUT ROWID;

-- What was wrong with the data, from the look that showed it to the look that no longer did.
CREATE TABLE quality (
    id       INTEGER PRIMARY KEY,
    look     INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    event    INTEGER,
    book     INTEGER,
    market   INTEGER,
    reason   INTEGER NOT NULL,
    severity TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    cleared  INTEGER            -- look
);
CREATE INDEX quality_open ON quality (event, book, market, reason) WHERE cleared IS NULL AND event IS NOT NULL;
CREATE INDEX quality_by_look ON quality (look);

-- Every attempt to fetch, successful or not.
CREATE TABLE fetch_log (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    endpoint   TEXT    NOT NULL,
    sport      TEXT    NOT NULL,
    purpose    TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,    -- data, no_events, unavailable
    reason     TEXT,                -- why unavailable
    http       INTEGER,
    attempts   INTEGER NOT NULL,
    elapsed_ms INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    cost       INTEGER,
    remaining  INTEGER,
    look       INTEGER,
    message    TEXT
);
CREATE INDEX fetch_log_by_time ON fetch_log (at);

-- Answers as they came (zstd), each kept once.
CREATE TABLE raw_answer (
    hash  BLOB    PRIMARY KEY,
    at    INTEGER NOT NULL,     -- last time it came
    bytes INTEGER NOT NULL,     -- unpacked
    body  BLOB    NOT NULL
) WITHOUT ROWID;
CREATE INDEX raw_answer_by_time ON raw_answer (at);
