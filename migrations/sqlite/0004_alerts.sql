-- Alerts: what is to be delivered, what was tried, and what has been told lately. Times in milliseconds since 1970 (UTC);
-- `at` is market time (that of the look), everything else this machine's.

CREATE TABLE outbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of delivery within a channel
    key          TEXT    NOT NULL UNIQUE,           -- the same at every attempt, so that a repeat can be recognised
    channel      TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    rule         TEXT    NOT NULL,                  -- names of the rules that asked for it; empty for none
    subject      TEXT    NOT NULL,                  -- what a cooldown counts by
    signal       TEXT,                              -- id of the signal that it tells of
    version      INTEGER,                           -- ... and its version
    at           INTEGER NOT NULL,
    created      INTEGER NOT NULL,                  -- when it was written
    queued       INTEGER NOT NULL,                  -- since when it is to be delivered: later than created after a replay
    not_before   INTEGER NOT NULL,                  -- held until then: quiet hours
    next_attempt INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,                  -- since queued
    state        TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
    ended        INTEGER,                           -- when it was delivered or given up
    why          TEXT    NOT NULL,                  -- for a person: why it waits or was given up; empty for no reason
    message      TEXT    NOT NULL                   -- JSON
) STRICT;
CREATE INDEX outbox_due ON outbox (channel, next_attempt, id) WHERE state = 'waiting';
CREATE INDEX outbox_at ON outbox (at);
CREATE INDEX outbox_signal ON outbox (signal) WHERE signal IS NOT NULL;

CREATE TABLE delivery_log (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    outbox       INTEGER NOT NULL,
    channel      TEXT    NOT NULL,
    at           INTEGER NOT NULL,                  -- when the attempt ended
    attempt      INTEGER NOT NULL,
    outcome      TEXT    NOT NULL,                  -- delivered, later, refused, given_up
    why          TEXT    NOT NULL,
    took         INTEGER NOT NULL,                  -- the attempt itself
    latency      INTEGER                            -- of a delivery: since it was to be delivered
) STRICT;
CREATE INDEX delivery_log_outbox ON delivery_log (outbox);

CREATE TABLE alert_cooldown (
    rule         INTEGER NOT NULL,                  -- number of the rule on the desk
    subject      TEXT    NOT NULL,
    at           INTEGER NOT NULL,                  -- when it last fired
    PRIMARY KEY (rule, subject)
) STRICT, WITHOUT ROWID;
