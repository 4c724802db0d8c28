-- Sync with a hub, version 7. What a hub calls our rows, how far we have told it and it has told us.

-- The hub that this store is linked to; no row: none.
CREATE TABLE hub (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    hub       TEXT    NOT NULL,     -- the id that it gave itself
    device    TEXT    NOT NULL,     -- the id that we gave ourselves when we were linked
    number    INTEGER NOT NULL,     -- of this device at the hub
    tier      TEXT    NOT NULL,     -- what its login might do there when it was linked
    pulled    INTEGER NOT NULL,     -- every entry of the hub's log up to this one has been taken in
    base      INTEGER NOT NULL,     -- looks of the hub up to `head` have their number there plus this here
    head      INTEGER NOT NULL,
    newest    INTEGER NOT NULL DEFAULT 0,   -- no look gets this number or one below, whatever was taken back
    linked_at INTEGER NOT NULL
);

-- How far the looks of a source and sport have been told.
CREATE TABLE hub_pushed (
    source    INTEGER NOT NULL,
    sport     INTEGER NOT NULL,
    look      INTEGER NOT NULL,     -- every look of ours up to this one
    retracted INTEGER NOT NULL,     -- every row of `taken_back` up to this one
    PRIMARY KEY (source, sport)
) WITHOUT ROWID;

-- Looks that the hub has, ours and those that came from it.
CREATE TABLE hub_look (
    look  INTEGER PRIMARY KEY,
    hub   INTEGER NOT NULL UNIQUE,
    entry INTEGER NOT NULL      -- of the hub's log
);

CREATE TABLE hub_event (
    event INTEGER PRIMARY KEY,
    hub   INTEGER NOT NULL UNIQUE
);

CREATE TABLE hub_name (
    kind   INTEGER NOT NULL,    -- see `name`
    number INTEGER NOT NULL,
    hub    INTEGER NOT NULL,
    PRIMARY KEY (kind, number)
) WITHOUT ROWID;
CREATE UNIQUE INDEX hub_name_by_hub ON hub_name (kind, hub);

-- Looks that were taken back so that late ones could take their place, or because another collector had taken over.
CREATE TABLE taken_back (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    look   INTEGER NOT NULL,    -- the newest look of the store at that moment
    source INTEGER NOT NULL,
    sport  INTEGER NOT NULL,
    after  INTEGER NOT NULL     -- looks received after this instant are gone
);

-- What a look wrote is found without reading the whole history of its events.
CREATE INDEX opportunity_by_look ON opportunity (look);
CREATE INDEX close_by_look ON close (look);

-- What other devices of the desk have spent on our keys: their own sums, as the hub told them last. See `credit`.
CREATE TABLE credit_elsewhere (
    device  INTEGER NOT NULL,   -- its number at the hub
    key     TEXT    NOT NULL,
    month   INTEGER NOT NULL,
    day     INTEGER NOT NULL,
    purpose TEXT    NOT NULL,
    calls   INTEGER NOT NULL,
    credits INTEGER NOT NULL,
    PRIMARY KEY (device, key, month, day, purpose)
) WITHOUT ROWID;

-- When the hub was asked last who polls, and whether another collector had been there within a day.
CREATE TABLE hub_contact (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    at     INTEGER NOT NULL,
    others INTEGER NOT NULL
);
