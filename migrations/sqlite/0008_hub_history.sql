-- A store that was linked to a hub with a long log takes in the newest of it first, version 8.

-- Entries after `behind` up to `gap` are still to come; both NULL: none.
ALTER TABLE hub ADD COLUMN behind INTEGER;
ALTER TABLE hub ADD COLUMN gap INTEGER;

-- Answers of our looks that the hub calls by this number or one below have been told.
ALTER TABLE hub ADD COLUMN answered INTEGER NOT NULL DEFAULT 0;

-- Games whose present is here while a part of their history is not: its older values change nothing of these slots.
CREATE TABLE hub_ahead (
    event INTEGER PRIMARY KEY,
    slot  INTEGER NOT NULL      -- from this one on
);

-- Issues that were no longer there at a look, and that have not come yet themselves.
CREATE TABLE hub_end (
    look  INTEGER NOT NULL,     -- ours
    of    INTEGER NOT NULL,     -- the hub's
    n     INTEGER NOT NULL,
    PRIMARY KEY (of, n)
) WITHOUT ROWID;
