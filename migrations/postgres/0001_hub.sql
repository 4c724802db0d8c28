-- The hub, version 1: the facts of the local stores of a desk, in the hub's own numbers. Run as the owner's role inside
-- the schema `hub`. Times called *_at are the server's own, all others milliseconds since 1970 (UTC) as devices told them.
-- What a column means stands in the local store's schema (migrations/sqlite) where it has the same name.

CREATE TABLE meta (
    key   text PRIMARY KEY,
    value text NOT NULL
);

-- Every installation that has ever been linked.
CREATE TABLE device (
    id           int         GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid         uuid        NOT NULL UNIQUE,
    name         text        NOT NULL,
    login        text        NOT NULL DEFAULT session_user,
    program      text        NOT NULL,          -- its version
    collects     boolean     NOT NULL DEFAULT false,
    linked_at    timestamptz NOT NULL DEFAULT now(),
    seen_at      timestamptz NOT NULL DEFAULT now()
);

-- How far the looks of a device have been taken, by source and sport, in the device's own numbers.
CREATE TABLE pushed (
    device    int    NOT NULL,
    source    int    NOT NULL,
    sport     int    NOT NULL,
    look      bigint NOT NULL,
    retracted bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (device, source, sport)
);

-- One row: the head of the log. Whoever appends holds its lock, so that numbers are given in the order of commits.
CREATE TABLE head (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    entry bigint  NOT NULL DEFAULT 0,
    look  bigint  NOT NULL DEFAULT 0
);
INSERT INTO head DEFAULT VALUES;

-- The log: what came in, in order, without gaps.
CREATE TABLE entry (
    seq       bigint      PRIMARY KEY,
    kind      smallint    NOT NULL,             -- 1 looks, 2 looks of a source and sport are taken back
    device    int         NOT NULL,
    token     bigint      NOT NULL,             -- of the lease under which it was written
    source    int         NOT NULL,
    sport     int         NOT NULL,
    first     bigint      NOT NULL,             -- looks of a kind 1: first and last; of a kind 2: what is left
    last      bigint      NOT NULL,
    since     bigint      NOT NULL,             -- kind 1: of the earliest look; kind 2: looks received after this are gone
    until     bigint      NOT NULL,             -- kind 1: of the latest look
    changes   bigint      NOT NULL,             -- rows of the change log
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX entry_by_time ON entry (stored_at);
CREATE INDEX entry_by_look ON entry (last) WHERE kind = 1;

-- Names by list, as in the local store: 1 sport, 2 book, 3 market, 4 subject, 5 source. Numbers are the hub's.
CREATE TABLE name (
    kind   smallint NOT NULL,
    number int      NOT NULL,
    name   text     NOT NULL,
    PRIMARY KEY (kind, number),
    UNIQUE (kind, name)
);

-- `changed`: the entry that changed it last.
CREATE TABLE event (
    id          int      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      int      NOT NULL,
    provider_id text     NOT NULL,
    sport       int      NOT NULL,
    home        text     NOT NULL,
    away        text     NOT NULL,
    commence    bigint   NOT NULL,
    first_seen  bigint   NOT NULL,
    first_look  bigint   NOT NULL,              -- 0: none of its looks is here yet
    status      smallint NOT NULL,
    home_score  int,
    away_score  int,
    forgotten   bigint,
    slots       int,
    changed     bigint   NOT NULL DEFAULT 0,
    UNIQUE (source, provider_id)
);
CREATE INDEX event_by_change ON event (changed);
CREATE INDEX event_by_start ON event (sport, commence);

-- Everything below grows with time and is split by the day (UTC) of its look, so that retention drops whole days.

CREATE TABLE look (
    id          bigint      NOT NULL,
    day         date        NOT NULL,
    entry       bigint      NOT NULL,
    device      int         NOT NULL,
    device_look bigint      NOT NULL,           -- the device's own number
    source      int         NOT NULL,
    sport       int         NOT NULL,
    received_at bigint      NOT NULL,
    endpoint    text        NOT NULL,
    scope       text        NOT NULL,           -- JSON
    origin      text,
    cost        bigint,
    remaining   bigint,
    events      int         NOT NULL,
    quotes      int         NOT NULL,
    changes     int         NOT NULL,
    issues      int         NOT NULL,
    body_hash   bytea       NOT NULL,
    tier        text,
    rules       bytea       NOT NULL,           -- which row of `setting` it was judged by
    PRIMARY KEY (id, day),
    UNIQUE (device, device_look, day)
) PARTITION BY RANGE (day);
CREATE INDEX look_by_sport ON look (source, sport, received_at);

-- Rules of judging, by the hash of their text.
CREATE TABLE setting (
    hash bytea PRIMARY KEY,
    json text  NOT NULL
);

CREATE TABLE look_seen (
    look bigint NOT NULL,
    day  date   NOT NULL,
    seen bytea  NOT NULL,                       -- packed, with the hub's numbers
    PRIMARY KEY (look, day)
) PARTITION BY RANGE (day);

CREATE TABLE event_life (
    look       bigint NOT NULL,
    day        date   NOT NULL,
    event      int    NOT NULL,
    first_slot int    NOT NULL,
    forgotten  bigint,
    PRIMARY KEY (look, event, day)
) PARTITION BY RANGE (day);

CREATE TABLE event_start (
    look     bigint NOT NULL,
    day      date   NOT NULL,
    event    int    NOT NULL,
    commence bigint NOT NULL,
    PRIMARY KEY (look, event, day)
) PARTITION BY RANGE (day);

CREATE TABLE event_score (
    look       bigint   NOT NULL,
    day        date     NOT NULL,
    event      int      NOT NULL,
    status     smallint NOT NULL,
    home_score int,
    away_score int,
    PRIMARY KEY (look, event, day)
) PARTITION BY RANGE (day);

-- What each slot of an event stands for, from its first look on.
CREATE TABLE slot (
    look     bigint   NOT NULL,
    day      date     NOT NULL,
    event    int      NOT NULL,
    slot     int      NOT NULL,
    book     int      NOT NULL,
    market   int      NOT NULL,
    side     smallint NOT NULL,
    subject  int      NOT NULL,
    own_line int,
    PRIMARY KEY (look, event, slot, day)
) PARTITION BY RANGE (day);

CREATE TABLE change (
    look            bigint   NOT NULL,
    day             date     NOT NULL,
    event           int      NOT NULL,
    slot            int      NOT NULL,
    line            int,
    price           bigint   NOT NULL,
    status          smallint NOT NULL,
    last_seen       bigint,
    provider_update bigint,
    PRIMARY KEY (look, event, slot, day)
) PARTITION BY RANGE (day);

CREATE TABLE keyframe (
    look  bigint NOT NULL,
    day   date   NOT NULL,
    event int    NOT NULL,
    state bytea  NOT NULL,
    PRIMARY KEY (look, event, day)
) PARTITION BY RANGE (day);

-- `n`: which issue of its look.
CREATE TABLE quality (
    look     bigint   NOT NULL,
    day      date     NOT NULL,
    n        int      NOT NULL,
    event    int,
    book     int,
    market   int,
    reason   smallint NOT NULL,
    severity text     NOT NULL,
    detail   text     NOT NULL,
    PRIMARY KEY (look, n, day)
) PARTITION BY RANGE (day);

-- The issue `of_n` of the look `of_look` was no longer there at this look.
CREATE TABLE quality_end (
    look    bigint NOT NULL,
    day     date   NOT NULL,
    of_look bigint NOT NULL,
    of_n    int    NOT NULL,
    PRIMARY KEY (look, of_look, of_n, day)
) PARTITION BY RANGE (day);

CREATE TABLE point (
    look            bigint NOT NULL,
    day             date   NOT NULL,
    event           int    NOT NULL,
    market          int    NOT NULL,
    subject         int    NOT NULL,
    own_line        int    NOT NULL,
    previous        bigint,
    line            int,
    value1          float8,
    value2          float8,
    value3          float8,
    fair1           float8,
    fair2           float8,
    fair3           float8,
    standard_error  float8,
    effective       float8,
    families        int,
    consensus_line  int,
    consensus       float8,
    consensus_value float8,
    dispersion      float8,
    consensus_books int,
    books           int    NOT NULL,
    PRIMARY KEY (look, event, market, subject, own_line, day)
) PARTITION BY RANGE (day);

CREATE TABLE signal (
    look      bigint   NOT NULL,
    day       date     NOT NULL,
    id        text     NOT NULL,
    version   int      NOT NULL,
    event     int      NOT NULL,
    sport     int      NOT NULL,
    market    int      NOT NULL,
    subject   int      NOT NULL,
    own_line  int      NOT NULL,
    type      smallint NOT NULL,
    direction text     NOT NULL,
    side      text,
    at        bigint   NOT NULL,
    strength  int      NOT NULL,
    composite int      NOT NULL,
    json      text     NOT NULL,
    PRIMARY KEY (id, version, day)
) PARTITION BY RANGE (day);
CREATE INDEX signal_by_look ON signal (look);

CREATE TABLE opportunity (
    look     bigint   NOT NULL,
    day      date     NOT NULL,
    event    int      NOT NULL,
    market   int      NOT NULL,
    subject  int      NOT NULL,
    own_line int      NOT NULL,
    kind     smallint NOT NULL,
    legs     text     NOT NULL,
    open     smallint NOT NULL,
    ev       float8   NOT NULL,
    json     text     NOT NULL,
    PRIMARY KEY (look, event, market, subject, own_line, kind, legs, day)
) PARTITION BY RANGE (day);

CREATE TABLE close (
    look        bigint   NOT NULL,
    day         date     NOT NULL,
    event       int      NOT NULL,
    market      int      NOT NULL,
    subject     int      NOT NULL,
    own_line    int      NOT NULL,
    version     int      NOT NULL,
    start       bigint   NOT NULL,
    grade       text,
    reason      text,
    provisional smallint NOT NULL,
    json        text     NOT NULL,
    PRIMARY KEY (look, event, market, subject, own_line, version, day)
) PARTITION BY RANGE (day);

CREATE TABLE clv (
    look      bigint   NOT NULL,
    day       date     NOT NULL,
    signal    text     NOT NULL,
    version   int      NOT NULL,
    event     int      NOT NULL,
    sport     int      NOT NULL,
    market    text     NOT NULL,
    type      smallint NOT NULL,
    at        bigint   NOT NULL,
    start     bigint   NOT NULL,
    strength  int      NOT NULL,
    composite int      NOT NULL,
    clv_ev    float8,
    grade     text,
    left_out  text,
    json      text     NOT NULL,
    PRIMARY KEY (signal, version, day)
) PARTITION BY RANGE (day);
CREATE INDEX clv_by_look ON clv (look);

CREATE TABLE tally (
    look           bigint   NOT NULL,
    day            date     NOT NULL,
    detector       smallint NOT NULL,
    evaluated      bigint   NOT NULL,
    not_evaluable  bigint   NOT NULL,
    longest_gap_ms bigint   NOT NULL,
    needed_ms      bigint   NOT NULL,
    suppressed     bigint   NOT NULL,
    PRIMARY KEY (look, detector, day)
) PARTITION BY RANGE (day);

-- Answers as they came, packed, each kept once a day.
CREATE TABLE raw_answer (
    hash  bytea  NOT NULL,
    day   date   NOT NULL,
    at    bigint NOT NULL,
    bytes bigint NOT NULL,
    body  bytea  NOT NULL,
    PRIMARY KEY (hash, day)
) PARTITION BY RANGE (day);

-- Which days have their partitions.
CREATE TABLE day (
    day      date        PRIMARY KEY,
    made_at  timestamptz NOT NULL DEFAULT now()
);

-- What came in, by sport and day of the look: so that a status never counts rows.
CREATE TABLE summary (
    sport   int    NOT NULL,
    day     date   NOT NULL,
    looks   bigint NOT NULL,
    changes bigint NOT NULL,
    points  bigint NOT NULL,
    signals bigint NOT NULL,
    newest  bigint NOT NULL,                    -- received_at of the newest look
    PRIMARY KEY (sport, day)
);

-- Who spends credits on a sport. `token` rises with every change of hands and is checked with every write.
CREATE TABLE lease (
    sport    text        PRIMARY KEY,
    device   int         NOT NULL,
    token    bigint      NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    until    timestamptz NOT NULL
);

-- The ledger of credits, by the device that spent them.
CREATE TABLE credit (
    device  int    NOT NULL,
    key     text   NOT NULL,                    -- fingerprint
    month   int    NOT NULL,
    day     int    NOT NULL,
    purpose text   NOT NULL,
    calls   bigint NOT NULL,
    credits bigint NOT NULL,
    PRIMARY KEY (device, key, month, day, purpose)
);

CREATE TABLE account (
    key       text   PRIMARY KEY,
    month     int    NOT NULL,
    remaining bigint,
    used      bigint,
    held      bigint,
    told_at   bigint,
    device    int    NOT NULL
);
