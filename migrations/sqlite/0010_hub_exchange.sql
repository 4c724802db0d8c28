-- What an exchange told is shared through a hub too. `hub`: the hub has this row, from us or from another device, so that it
-- is not told (again); whatever is heard anew here is ours to tell and has none.
ALTER TABLE exchange_event ADD COLUMN hub INTEGER;
ALTER TABLE exchange_market ADD COLUMN hub INTEGER;
ALTER TABLE exchange_link ADD COLUMN hub INTEGER;
ALTER TABLE exchange_link_log ADD COLUMN hub INTEGER;
ALTER TABLE exchange_book ADD COLUMN hub INTEGER;
ALTER TABLE exchange_seen ADD COLUMN hub INTEGER;
ALTER TABLE exchange_trade ADD COLUMN hub INTEGER;
ALTER TABLE exchange_gap ADD COLUMN hub INTEGER;
ALTER TABLE exchange_price ADD COLUMN hub INTEGER;
ALTER TABLE exchange_backfill ADD COLUMN hub INTEGER;

-- What was heard since the last time is found without reading the rest.
CREATE INDEX exchange_event_by_seen ON exchange_event (last_seen);
CREATE INDEX exchange_market_by_end ON exchange_market (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX exchange_seen_by_time ON exchange_seen (at);
CREATE INDEX exchange_backfill_by_time ON exchange_backfill (done_at);

-- How far each kind of row has been told, by two numbers that grow; of `pulled` the first is the batch of the hub's up to
-- which everything has been taken in.
CREATE TABLE hub_exchange (
    kind TEXT    PRIMARY KEY,
    at   INTEGER NOT NULL,
    id   INTEGER NOT NULL
) WITHOUT ROWID;

-- Contracts that the hub has numbered.
CREATE TABLE hub_exchange_market (
    market INTEGER PRIMARY KEY,
    hub    INTEGER NOT NULL UNIQUE
);

-- Links as the hub tells them, with its number of the game: one whose game is not here yet waits, and one whose game was
-- taken back and came again is made again.
CREATE TABLE hub_exchange_link (
    exchange_event INTEGER PRIMARY KEY,
    event          INTEGER,
    home_first     INTEGER,
    state          TEXT    NOT NULL,
    how            TEXT    NOT NULL,
    confidence     REAL    NOT NULL,
    reasons        TEXT    NOT NULL,
    at             INTEGER NOT NULL
);

-- Rows of the log of links whose game is not here yet.
CREATE TABLE hub_exchange_log (
    id    INTEGER PRIMARY KEY,
    event INTEGER NOT NULL
);
