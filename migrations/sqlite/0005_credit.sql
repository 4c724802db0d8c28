-- The ledger of credits, version 5. Keys are known by their fingerprints; days begin at 10:00 UTC and are counted since
-- 1970; months are counted since the year 0.

-- What was spent on what.
CREATE TABLE credit (
    key     TEXT    NOT NULL,
    month   INTEGER NOT NULL,
    day     INTEGER NOT NULL,
    purpose TEXT    NOT NULL,
    calls   INTEGER NOT NULL,
    credits INTEGER NOT NULL,
    PRIMARY KEY (key, month, day, purpose)
) WITHOUT ROWID;

-- What the source says of an account.
CREATE TABLE account (
    key       TEXT    PRIMARY KEY,
    month     INTEGER NOT NULL,
    remaining INTEGER,
    used      INTEGER,
    held      INTEGER,            -- used and remaining together
    told_at   INTEGER,
    elsewhere INTEGER NOT NULL    -- spent on this key by somebody else, this month
) WITHOUT ROWID;

-- How near the next start was when a look was taken: opening, early, sharp, pregame, closing.
ALTER TABLE look ADD COLUMN tier TEXT;
