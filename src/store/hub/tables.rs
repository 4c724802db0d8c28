//! Which tables a hub shares, and what each column of theirs means: the one list that reading, writing, comparing and
//! the hub's own schema go by.

use crate::engine::names::NameKind;

/// How a value is kept at the hub.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Two bytes.
    Small,
    /// Four bytes.
    Int,
    /// Eight bytes.
    Big,
    /// A float of eight bytes.
    Real,
    /// UTF-8.
    Text,
    /// Bytes.
    Bytes,
}

/// What has to be put into other numbers when a value travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Means {
    /// Nothing.
    Plain,
    /// The number of an event.
    Event,
    /// The number of a look, of this run or an earlier one.
    Look,
    /// The number of a name; 0 is nobody.
    Name(NameKind),
    /// Side and book of each leg, such as `1:12,2:7`.
    Legs,
    /// JSON with the number of an event in it.
    EventJson,
    /// A packed list of what a look showed.
    Seen,
}

/// A column besides the look's.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name, here and there.
    pub name: &'static str,
    /// How it is kept.
    pub kind: Kind,
    /// What it means.
    pub means: Means,
}

/// How the rows of a run of looks are found in the local store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// By the look alone.
    Look,
    /// Event by event.
    Event,
}

/// A table whose rows belong to a look.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name, here and there.
    pub name: &'static str,
    /// Its columns besides `look` (and `day`, at the hub).
    pub columns: &'static [Column],
    /// How its rows are found.
    pub by: By,
    /// The columns that tell the rows of a look apart, in the order in which they are read and compared.
    pub key: &'static [&'static str],
}

const fn column(name: &'static str, kind: Kind, means: Means) -> Column {
    Column { name, kind, means }
}

const fn plain(name: &'static str, kind: Kind) -> Column {
    column(name, kind, Means::Plain)
}

const EVENT: Column = column("event", Kind::Int, Means::Event);
const MARKET: Column = column("market", Kind::Int, Means::Name(NameKind::Market));
const SUBJECT: Column = column("subject", Kind::Int, Means::Name(NameKind::Subject));
const SPORT: Column = column("sport", Kind::Int, Means::Name(NameKind::Sport));
const OWN_LINE: Column = plain("own_line", Kind::Int);
const EVENT_JSON: Column = column("json", Kind::Text, Means::EventJson);

/// What each look showed.
pub const LOOK_SEEN: Table =
    Table { name: "look_seen", columns: &[column("seen", Kind::Bytes, Means::Seen)], by: By::Look, key: &[] };

/// The change log.
pub const CHANGE: Table = Table {
    name: "change",
    columns: &[
        EVENT,
        plain("slot", Kind::Int),
        plain("line", Kind::Int),
        plain("price", Kind::Big),
        plain("status", Kind::Small),
        plain("last_seen", Kind::Big),
        plain("provider_update", Kind::Big),
    ],
    by: By::Event,
    key: &["event", "slot"],
};

/// What a slot stands for; its rows are made from the quotes and the looks at which their slots were born.
pub const SLOT: Table = Table {
    name: "slot",
    columns: &[
        EVENT,
        plain("slot", Kind::Int),
        column("book", Kind::Int, Means::Name(NameKind::Book)),
        MARKET,
        plain("side", Kind::Small),
        SUBJECT,
        OWN_LINE,
    ],
    by: By::Event,
    key: &["event", "slot"],
};

/// Fair prices and consensus.
pub const POINT: Table = Table {
    name: "point",
    columns: &[
        EVENT,
        MARKET,
        SUBJECT,
        OWN_LINE,
        column("previous", Kind::Big, Means::Look),
        plain("line", Kind::Int),
        plain("value1", Kind::Real),
        plain("value2", Kind::Real),
        plain("value3", Kind::Real),
        plain("fair1", Kind::Real),
        plain("fair2", Kind::Real),
        plain("fair3", Kind::Real),
        plain("standard_error", Kind::Real),
        plain("effective", Kind::Real),
        plain("families", Kind::Int),
        plain("consensus_line", Kind::Int),
        plain("consensus", Kind::Real),
        plain("consensus_value", Kind::Real),
        plain("dispersion", Kind::Real),
        plain("consensus_books", Kind::Int),
        plain("books", Kind::Int),
    ],
    by: By::Event,
    key: &["event", "market", "subject", "own_line"],
};

/// Signals, every version.
pub const SIGNAL: Table = Table {
    name: "signal",
    columns: &[
        plain("id", Kind::Text),
        plain("version", Kind::Int),
        EVENT,
        SPORT,
        MARKET,
        SUBJECT,
        OWN_LINE,
        plain("type", Kind::Small),
        plain("direction", Kind::Text),
        plain("side", Kind::Text),
        plain("at", Kind::Big),
        plain("strength", Kind::Int),
        plain("composite", Kind::Int),
        EVENT_JSON,
    ],
    by: By::Event,
    key: &["id", "version"],
};

/// Every other table that is told row by row, in the order in which a reader may want them.
pub const PLAIN: &[Table] = &[
    Table {
        name: "event_life",
        columns: &[EVENT, plain("first_slot", Kind::Int), column("forgotten", Kind::Big, Means::Look)],
        by: By::Event,
        key: &["event"],
    },
    Table { name: "event_start", columns: &[EVENT, plain("commence", Kind::Big)], by: By::Event, key: &["event"] },
    Table {
        name: "event_score",
        columns: &[EVENT, plain("status", Kind::Small), plain("home_score", Kind::Int), plain("away_score", Kind::Int)],
        by: By::Event,
        key: &["event"],
    },
    LOOK_SEEN,
    CHANGE,
    Table { name: "keyframe", columns: &[EVENT, plain("state", Kind::Bytes)], by: By::Event, key: &["event"] },
    POINT,
    SIGNAL,
    Table {
        name: "opportunity",
        columns: &[
            EVENT,
            MARKET,
            SUBJECT,
            OWN_LINE,
            plain("kind", Kind::Small),
            column("legs", Kind::Text, Means::Legs),
            plain("open", Kind::Small),
            plain("ev", Kind::Real),
            plain("json", Kind::Text),
        ],
        by: By::Look,
        key: &["event", "market", "subject", "own_line", "kind", "legs"],
    },
    Table {
        name: "close",
        columns: &[
            EVENT,
            MARKET,
            SUBJECT,
            OWN_LINE,
            plain("version", Kind::Int),
            plain("start", Kind::Big),
            plain("grade", Kind::Text),
            plain("reason", Kind::Text),
            plain("provisional", Kind::Small),
            EVENT_JSON,
        ],
        by: By::Look,
        key: &["event", "market", "subject", "own_line", "version"],
    },
    Table {
        name: "clv",
        columns: &[
            plain("signal", Kind::Text),
            plain("version", Kind::Int),
            EVENT,
            SPORT,
            plain("market", Kind::Text),
            plain("type", Kind::Small),
            plain("at", Kind::Big),
            plain("start", Kind::Big),
            plain("strength", Kind::Int),
            plain("composite", Kind::Int),
            plain("clv_ev", Kind::Real),
            plain("grade", Kind::Text),
            plain("left_out", Kind::Text),
            EVENT_JSON,
        ],
        by: By::Event,
        key: &["signal", "version"],
    },
    Table {
        name: "tally",
        columns: &[
            plain("detector", Kind::Small),
            plain("evaluated", Kind::Big),
            plain("not_evaluable", Kind::Big),
            plain("longest_gap_ms", Kind::Big),
            plain("needed_ms", Kind::Big),
            plain("suppressed", Kind::Big),
        ],
        by: By::Look,
        key: &["detector"],
    },
];

/// Issues; `n` counts those of a look from 0 in the order in which they were written.
pub const QUALITY: Table = Table {
    name: "quality",
    columns: &[
        plain("n", Kind::Int),
        EVENT,
        column("book", Kind::Int, Means::Name(NameKind::Book)),
        MARKET,
        plain("reason", Kind::Small),
        plain("severity", Kind::Text),
        plain("detail", Kind::Text),
    ],
    by: By::Look,
    key: &["n"],
};

/// Issues that were no longer there at a look.
pub const QUALITY_END: Table = Table {
    name: "quality_end",
    columns: &[column("of_look", Kind::Big, Means::Look), plain("of_n", Kind::Int)],
    by: By::Look,
    key: &["of_look", "of_n"],
};

/// Every table whose rows belong to a look, besides the looks themselves.
pub fn all() -> impl Iterator<Item = Table> {
    PLAIN.iter().copied().chain([SLOT, QUALITY, QUALITY_END])
}

/// The bit by which an entry of the hub's log tells that it has rows of this table: its place in [`all`].
pub fn bit(table: &Table) -> i32 {
    let place = all().position(|t| t.name == table.name);
    place.and_then(|n| 1_i32.checked_shl(u32::try_from(n).unwrap_or(u32::MAX))).unwrap_or(-1)
}

/// The columns of the looks that travel as they are.
pub const LOOK_COLUMNS: &[Column] = &[
    plain("received_at", Kind::Big),
    plain("endpoint", Kind::Text),
    plain("scope", Kind::Text),
    plain("origin", Kind::Text),
    plain("cost", Kind::Big),
    plain("remaining", Kind::Big),
    plain("events", Kind::Int),
    plain("quotes", Kind::Int),
    plain("changes", Kind::Int),
    plain("issues", Kind::Int),
    plain("body_hash", Kind::Bytes),
    plain("tier", Kind::Text),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of a table in the hub's schema.
    fn there<'s>(schema: &'s str, table: &str) -> &'s str {
        let begin = schema.find(&format!("CREATE TABLE {table} (")).expect("a table of that name");
        let rest = &schema[begin..];
        &rest[..rest.find("PARTITION BY").expect("partitioned")]
    }

    #[test]
    fn the_hub_gives_each_table_its_bit() {
        let merge = include_str!("../../../migrations/postgres/0040_filled.sql");
        for table in all() {
            let words =
                format!("CASE WHEN EXISTS (SELECT FROM pg_temp.s_{}) THEN {} ELSE 0 END", table.name, bit(&table));
            assert!(merge.contains(&words), "{words}");
        }
    }

    #[test]
    fn the_hub_has_every_column_in_this_form() {
        let schema = include_str!("../../../migrations/postgres/0001_hub.sql");
        for table in all().chain([Table { name: "look", columns: LOOK_COLUMNS, by: By::Look, key: &[] }]) {
            let text = there(schema, table.name);
            for column in table.columns {
                let kind = match column.kind {
                    Kind::Small => "smallint",
                    Kind::Int => "int",
                    Kind::Big => "bigint",
                    Kind::Real => "float8",
                    Kind::Text => "text",
                    Kind::Bytes => "bytea",
                };
                let found = text
                    .lines()
                    .filter_map(|l| l.trim().split_once(' '))
                    .find(|(name, _)| *name == column.name)
                    .map(|(_, rest)| rest.trim_start().split([' ', ',']).next().unwrap_or_default());
                assert_eq!(found, Some(kind), "{}.{}", table.name, column.name);
            }
        }
    }
}
