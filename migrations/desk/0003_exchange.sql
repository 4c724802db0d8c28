-- What the user has decided about games of an exchange.
CREATE TABLE exchange_decision (
    exchange    TEXT    NOT NULL,
    slug        TEXT    NOT NULL,
    provider_id TEXT,               -- the game that it is; NULL: none of ours
    at          INTEGER NOT NULL,
    PRIMARY KEY (exchange, slug)
) WITHOUT ROWID;
