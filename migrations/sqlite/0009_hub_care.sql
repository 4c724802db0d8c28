-- A hub that is not what it was, version 9: it was restored to an earlier moment, or has lost what it had acknowledged.

-- How often that has been mended: what was begun before is not noted any more.
ALTER TABLE hub ADD COLUMN history INTEGER NOT NULL DEFAULT 0;
-- Up to this entry the log is read with what we told ourselves, and nothing is told before it has been read.
ALTER TABLE hub ADD COLUMN whole INTEGER NOT NULL DEFAULT 0;

-- Marks of entries of the hub's log that have been taken in: the newest all of them, of older ones some.
CREATE TABLE hub_mark (
    entry INTEGER PRIMARY KEY,
    mark  BLOB NOT NULL
);

-- Entries by which looks were taken back: should the hub forget one of these, it has looks again that we have not.
CREATE TABLE hub_back (
    entry  INTEGER PRIMARY KEY,
    source INTEGER NOT NULL,    -- our numbers
    sport  INTEGER NOT NULL,
    after  INTEGER NOT NULL     -- looks received after this instant
);

-- Looks that the hub had and has lost: they are this store's alone, and neither told again nor given up.
CREATE TABLE hub_apart (
    look INTEGER PRIMARY KEY
);

CREATE INDEX hub_look_by_entry ON hub_look (entry);
