-- What the analysis found, version 2. Every row holds from its look on and is never changed (but for `point_newest`),
-- so that taking looks back is a deletion. A question about an event is (market, subject, own_line): subject 0 is
-- nobody; own_line in hundredths of a point as the home team sees it, -2147483648 where the line is no part of the
-- question.

-- The look at which the engine had let go of an event before it came back; unknown for returns written by version 1.
ALTER TABLE event_life ADD COLUMN forgotten INTEGER;

-- For what was open as of an earlier look.
CREATE INDEX quality_by_end ON quality (cleared) WHERE cleared IS NOT NULL;

-- Fair price and consensus of a question from this look on. No fair1: there is no fair price; no consensus: too few
-- books. Absent further sides: fair2 is 1 - fair1, the others are 0. By look, so that what a look writes lies together.
CREATE TABLE point (
    event           INTEGER NOT NULL,
    look            INTEGER NOT NULL,
    market          INTEGER NOT NULL,
    subject         INTEGER NOT NULL,
    own_line        INTEGER NOT NULL,
    previous        INTEGER,            -- look of the question's point before
    line            INTEGER,            -- reference line, hundredths, as the first side sees it
    value1          REAL,               -- points, or log-odds of each side
    value2          REAL,
    value3          REAL,
    fair1           REAL,               -- vig-free probability of each side at the reference line
    fair2           REAL,
    fair3           REAL,
    standard_error  REAL,               -- of value1
    effective       REAL,               -- independent books
    families        INTEGER,
    consensus_line  INTEGER,
    consensus       REAL,               -- probability of the first side at consensus_line
    consensus_value REAL,
    dispersion      REAL,
    consensus_books INTEGER,
    books           INTEGER NOT NULL,
    PRIMARY KEY (event, look, market, subject, own_line)
) WITHOUT ROWID;

-- The look of each question's newest point: where the way back begins.
CREATE TABLE point_newest (
    event    INTEGER NOT NULL,
    market   INTEGER NOT NULL,
    subject  INTEGER NOT NULL,
    own_line INTEGER NOT NULL,
    look     INTEGER NOT NULL,
    PRIMARY KEY (event, market, subject, own_line)
) WITHOUT ROWID;

-- Signals, every version. `json`: the published form; the columns before repeat what is searched by.
CREATE TABLE signal (
    id        TEXT    NOT NULL,
    version   INTEGER NOT NULL,
    look      INTEGER NOT NULL,
    event     INTEGER NOT NULL,
    sport     INTEGER NOT NULL,
    market    INTEGER NOT NULL,
    subject   INTEGER NOT NULL,
    own_line  INTEGER NOT NULL,
    type      INTEGER NOT NULL,     -- 1 move, 2 key cross, 3 multibook sync, 4 dislocation, 5 steam, 6 live shock,
                                    -- 7 exchange divergence
    direction TEXT    NOT NULL,     -- up, down
    side      TEXT,                 -- to take; NULL: informational
    at        INTEGER NOT NULL,     -- first detected
    strength  INTEGER NOT NULL,
    composite INTEGER NOT NULL,
    json      TEXT    NOT NULL,
    PRIMARY KEY (id, version)
);
CREATE INDEX signal_by_time ON signal (at, id);
CREATE INDEX signal_by_event ON signal (event, at);
CREATE INDEX signal_by_type ON signal (type, at);

-- What could be taken from this look on, or (open = 0) no longer. `legs`: side and book of each, such as `1:12,2:7`.
CREATE TABLE opportunity (
    event    INTEGER NOT NULL,
    market   INTEGER NOT NULL,
    subject  INTEGER NOT NULL,
    own_line INTEGER NOT NULL,
    kind     INTEGER NOT NULL,      -- 1 positive ev, 2 arbitrage, 3 middle, 4 low hold
    legs     TEXT    NOT NULL,
    look     INTEGER NOT NULL,
    open     INTEGER NOT NULL,
    ev       REAL    NOT NULL,
    json     TEXT    NOT NULL,      -- prices and numbers
    PRIMARY KEY (event, market, subject, own_line, kind, legs, look)
) WITHOUT ROWID;

-- Closes, every version.
CREATE TABLE close (
    event       INTEGER NOT NULL,
    market      INTEGER NOT NULL,
    subject     INTEGER NOT NULL,
    own_line    INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    look        INTEGER NOT NULL,
    start       INTEGER NOT NULL,   -- for which it was taken
    grade       TEXT,               -- A to F; NULL: there is no close
    reason      TEXT,               -- why there is none
    provisional INTEGER NOT NULL,
    json        TEXT    NOT NULL,
    PRIMARY KEY (event, market, subject, own_line, version)
);
CREATE INDEX close_by_start ON close (start);

-- Signals graded against the close, every version.
CREATE TABLE clv (
    signal    TEXT    NOT NULL,
    version   INTEGER NOT NULL,
    look      INTEGER NOT NULL,
    event     INTEGER NOT NULL,
    sport     INTEGER NOT NULL,
    market    TEXT    NOT NULL,     -- key
    type      INTEGER NOT NULL,     -- see `signal`
    at        INTEGER NOT NULL,     -- the signal was first detected
    start     INTEGER NOT NULL,
    strength  INTEGER NOT NULL,
    composite INTEGER NOT NULL,
    clv_ev    REAL,
    grade     TEXT,                 -- of the close
    left_out  TEXT,                 -- why clv_ev is missing
    json      TEXT    NOT NULL,
    PRIMARY KEY (signal, version)
);
CREATE INDEX clv_by_event ON clv (event);
CREATE INDEX clv_by_time ON clv (at);

-- What each detector could judge at a look, and what not.
CREATE TABLE tally (
    look           INTEGER NOT NULL,
    detector       INTEGER NOT NULL,    -- see `signal.type`
    evaluated      INTEGER NOT NULL,
    not_evaluable  INTEGER NOT NULL,
    longest_gap_ms INTEGER NOT NULL,    -- among those not evaluable
    needed_ms      INTEGER NOT NULL,    -- shortest that would have done, among those
    suppressed     INTEGER NOT NULL,
    PRIMARY KEY (look, detector)
) WITHOUT ROWID;

-- The rules in force from a look on, for all sports.
CREATE TABLE analysis_setting (
    look INTEGER PRIMARY KEY,
    json TEXT NOT NULL
);
