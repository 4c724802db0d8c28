-- Exchanges that are listened to, version 6. Prices are ten-thousandths of a dollar, sizes millionths of a share.

-- Games as an exchange lists them.
CREATE TABLE exchange_event (
    id         INTEGER PRIMARY KEY,
    exchange   TEXT    NOT NULL,    -- polymarket
    key        TEXT    NOT NULL,    -- its own id
    slug       TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    sport      TEXT    NOT NULL,
    date       TEXT    NOT NULL,    -- the day of the game where it is played
    starts     INTEGER,
    first_team TEXT,
    other_team TEXT,
    is_over    INTEGER NOT NULL,
    volume     REAL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    UNIQUE (exchange, key)
);
CREATE INDEX exchange_event_by_slug ON exchange_event (exchange, slug);
CREATE INDEX exchange_event_by_start ON exchange_event (starts);

-- Their contracts, seen from the first of two outcomes.
CREATE TABLE exchange_market (
    id            INTEGER PRIMARY KEY,
    event         INTEGER NOT NULL REFERENCES exchange_event (id),
    condition     TEXT    NOT NULL UNIQUE,
    slug          TEXT    NOT NULL,
    question      TEXT    NOT NULL,
    kind          TEXT    NOT NULL,    -- moneyline, spread, total, period, player_prop, three_way_leg, other
    about         TEXT    NOT NULL,    -- JSON: what the kind needs (team, period, why it is other)
    line          INTEGER,             -- hundredths of a point, of the first outcome
    first_outcome TEXT    NOT NULL,
    other_outcome TEXT    NOT NULL,
    first_token   TEXT    NOT NULL,
    other_token   TEXT    NOT NULL,
    fee_rate      REAL,
    settlement    TEXT    NOT NULL,    -- JSON: what its text says of overtime, postponement and the like
    why_not       TEXT,                -- why it cannot be traded; NULL: it can
    winner        TEXT,
    ended_at      INTEGER
);
CREATE INDEX exchange_market_by_event ON exchange_market (event);

-- Which of our games each is; a game that waits for a person has none.
CREATE TABLE exchange_link (
    exchange_event INTEGER PRIMARY KEY,
    event          INTEGER,             -- ours; NULL: none, or nobody knows
    home_first     INTEGER,             -- the first team is the home team
    state          TEXT    NOT NULL,    -- linked, review, none, refused
    how            TEXT    NOT NULL,    -- auto, user
    confidence     REAL    NOT NULL,
    reasons        TEXT    NOT NULL,    -- JSON array of texts; for a review one object a candidate
    at             INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX exchange_link_by_event ON exchange_link (event) WHERE event IS NOT NULL;

-- Every link that was made or undone, for ever.
CREATE TABLE exchange_link_log (
    id             INTEGER PRIMARY KEY,
    at             INTEGER NOT NULL,
    exchange_event INTEGER NOT NULL,
    event          INTEGER,
    state          TEXT    NOT NULL,
    how            TEXT    NOT NULL,
    reasons        TEXT    NOT NULL
);

-- Order books, where something changed: the state from this instant on.
CREATE TABLE exchange_book (
    market     INTEGER NOT NULL,
    at         INTEGER NOT NULL,    -- received
    changed_at INTEGER,             -- by the exchange's clock
    state      INTEGER NOT NULL,    -- 0 live, 1 doubtful, 2 not known (a gap)
    bid        INTEGER,
    ask        INTEGER,
    bid_size   INTEGER,
    ask_size   INTEGER,
    bid_near   INTEGER,             -- within two cents of the best
    ask_near   INTEGER,
    middle     INTEGER,             -- weighted by size; millionths of a dollar
    levels     BLOB    NOT NULL,    -- the best five of each side: 2-byte price and 8-byte size each, bids first
    PRIMARY KEY (market, at)
) WITHOUT ROWID;

CREATE INDEX exchange_book_by_time ON exchange_book (at);

-- When each book was last known to be current, whether or not it changed.
CREATE TABLE exchange_seen (
    market INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE exchange_trade (
    id      INTEGER PRIMARY KEY,
    market  INTEGER NOT NULL,
    at      INTEGER NOT NULL,    -- by the exchange's clock
    first   INTEGER NOT NULL,    -- of the first outcome's token
    side    TEXT,                -- buy, sell: of the taker
    price   INTEGER NOT NULL,
    size    INTEGER
);
CREATE INDEX exchange_trade_by_market ON exchange_trade (market, at);
CREATE INDEX exchange_trade_by_time ON exchange_trade (at);

-- Times in which nothing was heard.
CREATE TABLE exchange_gap (
    id      INTEGER PRIMARY KEY,
    since   INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    why     TEXT    NOT NULL,
    markets INTEGER NOT NULL
);

-- Middles as the exchange tells them afterwards, minute by minute; carried forward where nobody traded.
CREATE TABLE exchange_price (
    market INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    price  INTEGER NOT NULL,    -- of the first outcome; millionths of a dollar
    PRIMARY KEY (market, at)
) WITHOUT ROWID;

-- Up to where that was asked for.
CREATE TABLE exchange_backfill (
    market  INTEGER PRIMARY KEY,
    since   INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    done_at INTEGER NOT NULL,
    points  INTEGER NOT NULL
) WITHOUT ROWID;
