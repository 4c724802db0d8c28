-- Alert rules, and what the command line asks of whoever owns the market store.

CREATE TABLE alert_rule (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice: cooldowns count by it
    name        TEXT    NOT NULL,
    name_key    TEXT    NOT NULL UNIQUE,            -- the name without regard to case
    active      INTEGER NOT NULL CHECK (active IN (0, 1)),
    json        TEXT    NOT NULL,                   -- what it asks for
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE alert_request (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    json        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
