-- Everything that was done to the desk, so that several devices can have one desk between them.

-- Only ever added to. Of the own device these are our edits, of others what the hub told.
CREATE TABLE operation (
    device  TEXT    NOT NULL,       -- whose
    n       INTEGER NOT NULL,       -- its how manieth, from 1 without gaps
    clock   INTEGER NOT NULL,       -- hybrid: milliseconds * 65536 + counter
    kind    TEXT    NOT NULL,       -- list, list_rule, filter, alert_rule, exchange_decision, bet, note, or of a later program
    record  TEXT    NOT NULL,
    action  TEXT    NOT NULL,       -- add, put, delete, order
    payload TEXT    NOT NULL,       -- JSON: fields, and what of other devices its author had seen
    PRIMARY KEY (device, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX operation_by_record ON operation (record);
CREATE INDEX operation_by_clock ON operation (clock);

-- What the operations on a record come to, and which row shows it. Could be made anew from the operations.
CREATE TABLE record (
    kind   TEXT NOT NULL,
    id     TEXT NOT NULL,
    alive  INTEGER NOT NULL CHECK (alive IN (0, 1)),
    state  TEXT NOT NULL,           -- JSON: of each field its value and what set it
    local  TEXT,                    -- its row: a number or a name; stays when the row is gone, for an undo
    shown  TEXT,                    -- JSON: what the row says; NULL: there is none
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX record_by_row ON record (kind, local) WHERE local IS NOT NULL;

-- Rows that were changed and are not in the operations yet: empty whenever a change has been committed by this program.
CREATE TABLE touched (
    kind  TEXT NOT NULL,
    local TEXT NOT NULL,
    PRIMARY KEY (kind, local)
) STRICT, WITHOUT ROWID;

-- One row at the most: under which id this desk numbers its operations, and what the hub has of them.
CREATE TABLE series (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    device       TEXT    NOT NULL,
    installation TEXT,              -- whose the desk was when it was last told to a hub; differs in a copy elsewhere
    hub          TEXT,              -- to which it was told, and in which space; NULL: never to any
    space        TEXT,
    told         INTEGER NOT NULL   -- the hub has ours up to this one, with these clocks
) STRICT;

-- Whoever changes a row, in whatever way, leaves a mark. Not with OR IGNORE: what the statement that fires a trigger says
-- about conflicts would hold for the trigger too. Numbers are compared as the texts that they become.
CREATE TRIGGER watchlist_made AFTER INSERT ON watchlist BEGIN
    INSERT INTO touched SELECT 'list', new.id
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'list' AND local = CAST(new.id AS TEXT));
END;
CREATE TRIGGER watchlist_changed AFTER UPDATE ON watchlist BEGIN
    INSERT INTO touched SELECT 'list', new.id
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'list' AND local = CAST(new.id AS TEXT));
END;
CREATE TRIGGER watchlist_gone AFTER DELETE ON watchlist BEGIN
    INSERT INTO touched SELECT 'list', old.id
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'list' AND local = CAST(old.id AS TEXT));
END;
CREATE TRIGGER rule_made AFTER INSERT ON rule BEGIN
    INSERT INTO touched SELECT 'list_rule', new.id
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'list_rule' AND local = CAST(new.id AS TEXT));
END;
CREATE TRIGGER rule_changed AFTER UPDATE ON rule BEGIN
    INSERT INTO touched SELECT 'list_rule', new.id
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'list_rule' AND local = CAST(new.id AS TEXT));
END;
CREATE TRIGGER rule_gone AFTER DELETE ON rule BEGIN
    INSERT INTO touched SELECT 'list_rule', old.id
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'list_rule' AND local = CAST(old.id AS TEXT));
    INSERT INTO touched SELECT 'list', old.list
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'list' AND local = CAST(old.list AS TEXT));
END;
CREATE TRIGGER filter_made AFTER INSERT ON filter BEGIN
    INSERT INTO touched SELECT 'filter', new.name_key
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'filter' AND local = new.name_key);
END;
CREATE TRIGGER filter_changed AFTER UPDATE ON filter BEGIN
    INSERT INTO touched SELECT 'filter', old.name_key
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'filter' AND local = old.name_key);
    INSERT INTO touched SELECT 'filter', new.name_key
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'filter' AND local = new.name_key);
END;
CREATE TRIGGER filter_gone AFTER DELETE ON filter BEGIN
    INSERT INTO touched SELECT 'filter', old.name_key
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'filter' AND local = old.name_key);
END;
CREATE TRIGGER alert_rule_made AFTER INSERT ON alert_rule BEGIN
    INSERT INTO touched SELECT 'alert_rule', new.id
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'alert_rule' AND local = CAST(new.id AS TEXT));
END;
CREATE TRIGGER alert_rule_changed AFTER UPDATE ON alert_rule BEGIN
    INSERT INTO touched SELECT 'alert_rule', new.id
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'alert_rule' AND local = CAST(new.id AS TEXT));
END;
CREATE TRIGGER alert_rule_gone AFTER DELETE ON alert_rule BEGIN
    INSERT INTO touched SELECT 'alert_rule', old.id
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'alert_rule' AND local = CAST(old.id AS TEXT));
END;
-- An exchange's name has no line break.
CREATE TRIGGER decision_made AFTER INSERT ON exchange_decision BEGIN
    INSERT INTO touched SELECT 'exchange_decision', new.exchange || char(10) || new.slug
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'exchange_decision' AND local = new.exchange || char(10) || new.slug);
END;
CREATE TRIGGER decision_changed AFTER UPDATE ON exchange_decision BEGIN
    INSERT INTO touched SELECT 'exchange_decision', new.exchange || char(10) || new.slug
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'exchange_decision' AND local = new.exchange || char(10) || new.slug);
END;
CREATE TRIGGER decision_gone AFTER DELETE ON exchange_decision BEGIN
    INSERT INTO touched SELECT 'exchange_decision', old.exchange || char(10) || old.slug
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = 'exchange_decision' AND local = old.exchange || char(10) || old.slug);
END;

-- What was there before becomes operations with the next change.
INSERT INTO touched SELECT 'list', id FROM watchlist;
INSERT INTO touched SELECT 'list_rule', id FROM rule;
INSERT INTO touched SELECT 'filter', name_key FROM filter;
INSERT INTO touched SELECT 'alert_rule', id FROM alert_rule;
INSERT INTO touched SELECT 'exchange_decision', exchange || char(10) || slug FROM exchange_decision;
