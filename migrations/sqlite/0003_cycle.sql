-- What each call to a source came to, version 3: one row a cycle, whatever came of it. Times in microseconds.
CREATE TABLE cycle (
    id            INTEGER PRIMARY KEY,
    at            INTEGER NOT NULL,     -- when the answer had arrived or the call was given up, in market time
    source        TEXT    NOT NULL,
    sport         TEXT    NOT NULL,     -- key; may be empty
    endpoint      TEXT    NOT NULL,
    purpose       TEXT    NOT NULL,
    outcome       TEXT    NOT NULL,     -- data, no_events, unavailable
    look          INTEGER,              -- the last look that came of it
    requests      INTEGER NOT NULL,     -- attempts sent
    credits       INTEGER,              -- billed; NULL: the source did not say
    remaining     INTEGER,              -- left afterwards
    events        INTEGER NOT NULL,
    quotes        INTEGER NOT NULL,
    changes       INTEGER NOT NULL,
    points        INTEGER NOT NULL,     -- published fair prices and consensus points
    signals       TEXT,                 -- new ones by type, such as `STEAM:1,MOVE:2`; NULL: none
    alerts_queued INTEGER NOT NULL,
    alerts_sent   INTEGER NOT NULL,
    alerts_failed INTEGER NOT NULL,
    wait_us       INTEGER NOT NULL,     -- until the judge had time
    fetch_us      INTEGER NOT NULL,     -- the call with all its attempts and pauses
    read_us       INTEGER NOT NULL,
    apply_us      INTEGER NOT NULL,
    commit_us     INTEGER NOT NULL,
    publish_us    INTEGER NOT NULL,
    degraded      TEXT                  -- why it was not as it should be, such as `rate_limited`; NULL: it was
);
CREATE INDEX cycle_by_time ON cycle (at);
