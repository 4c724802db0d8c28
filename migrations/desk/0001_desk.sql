-- What the user made, version 1. Times in milliseconds since 1970 (UTC). Positions count from 0 without gaps; they are
-- not unique in the schema because a move passes through states in which two rows share one.

CREATE TABLE watchlist (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice, so that an undo finds its own again
    name        TEXT    NOT NULL,
    name_key    TEXT    NOT NULL UNIQUE,            -- the name without regard to case
    position    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE rule (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    list        INTEGER NOT NULL REFERENCES watchlist (id) ON DELETE CASCADE,
    position    INTEGER NOT NULL,
    kind        TEXT    NOT NULL,                   -- game, team, league, market, filter
    text        TEXT    NOT NULL,                   -- provider's id, name, sport key, market key, expression
    text_key    TEXT    NOT NULL,                   -- the text as rules are compared
    sport       TEXT    NOT NULL,                   -- only in this sport; empty: in every one
    start       INTEGER,                            -- of a game, as last known to whoever added it
    negative    INTEGER NOT NULL CHECK (negative IN (0, 1)),
    label       TEXT    NOT NULL,                   -- for people
    created_at  INTEGER NOT NULL,
    UNIQUE (list, kind, text_key, sport)            -- a rule and its opposite never stand side by side
) STRICT;

CREATE TABLE filter (
    name_key    TEXT    PRIMARY KEY,
    name        TEXT    NOT NULL,
    text        TEXT    NOT NULL,
    saved_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE view (
    name        TEXT    PRIMARY KEY,
    json        TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE seen (
    name        TEXT    PRIMARY KEY,
    at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
