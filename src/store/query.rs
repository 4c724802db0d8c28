//! Questions that people and commands ask, answered as rows with names in them.

use rusqlite::{Connection, params};

use super::as_of::EventAsOf;
use super::write::none_if_no_rows;
use super::{Reader, Store, StoreError, codec, restore};
use crate::engine::changes::{EventRow, QuoteKey};
use crate::engine::names::Names;
use crate::engine::status::QuoteValue;
use crate::market::ids::{LookId, Slot, SportId};
use crate::market::quality::Reason;
use crate::market::selection::{self, Side};
use crate::market::time::Timestamp;

/// The origin of every look of a simulated market, and the label of everything that comes of it.
pub const DEMO: &str = "DEMO";

/// An event with names.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct EventView {
    /// Our id.
    pub event_id: u32,
    /// The provider's id.
    pub provider_event_id: String,
    /// Who told of it.
    pub source: String,
    /// Sport key.
    pub sport: String,
    /// Home team.
    pub home_team: String,
    /// Away team.
    pub away_team: String,
    /// Scheduled start.
    pub commence_time: Timestamp,
    /// What the feed says: `scheduled`, `live` or `final`.
    pub status: &'static str,
    /// How it stands, where the present is asked about and that is more than the feed says: `postponed`, `withdrawn`,
    /// `cancelled` or `unreported`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<&'static str>,
    /// Why it stands so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing_reason: Option<&'static str>,
    /// Points of the home team.
    pub home_score: Option<i32>,
    /// Points of the away team.
    pub away_score: Option<i32>,
    /// When it was first received.
    pub first_seen: Timestamp,
}

/// A quote with names: one row of `stratum quotes`.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct QuoteView {
    /// Our id of the event.
    pub event_id: u32,
    /// The provider's id of the event.
    pub provider_event_id: String,
    /// Market key.
    pub market: String,
    /// Team, `Over`, `Under`, `Draw`, or player and side.
    pub selection: String,
    /// `home`, `away`, `draw`, `over`, `under`, `yes`, `no` or `named`.
    pub side: &'static str,
    /// Book key.
    pub book: String,
    /// Line.
    pub line: Option<f64>,
    /// Decimal odds.
    pub price_decimal: f64,
    /// American odds.
    pub price_american: i64,
    /// `open`, `suspect` or `gone`.
    pub status: &'static str,
    /// Why it is not open.
    pub status_reason: Option<&'static str>,
    /// `pregame` or `in_play`.
    pub phase: &'static str,
    /// When it was first received.
    pub first_seen: Timestamp,
    /// When this line and price were first received.
    pub last_changed: Timestamp,
    /// When they were last received.
    pub last_seen: Timestamp,
    /// When the provider last saw the market at the book.
    pub provider_update: Option<Timestamp>,
}

/// A row of the change log with names: one row of `stratum history`.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct ChangeView {
    /// Our id of the event.
    pub event_id: u32,
    /// The look that brought it.
    pub look: u64,
    /// When that look was received.
    pub at: Timestamp,
    /// Market key.
    pub market: String,
    /// See [`QuoteView::selection`].
    pub selection: String,
    /// See [`QuoteView::side`].
    pub side: &'static str,
    /// Book key.
    pub book: String,
    /// Line from then on.
    pub line: Option<f64>,
    /// Decimal odds from then on.
    pub price_decimal: f64,
    /// American odds from then on.
    pub price_american: i64,
    /// Status from then on.
    pub status: &'static str,
    /// Why it was not open.
    pub status_reason: Option<&'static str>,
    /// `pregame` or `in_play`.
    pub phase: &'static str,
}

/// What is stored of one sport of one source.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct SportStatus {
    /// Who answered.
    pub source: String,
    /// Sport key.
    pub sport: String,
    /// Looks.
    pub looks: u64,
    /// Events.
    pub events: u64,
    /// Rows of the change log.
    pub changes: u64,
    /// Credits that the looks cost.
    pub credits: i64,
    /// First look.
    pub first_look: Timestamp,
    /// Newest look.
    pub last_look: Timestamp,
    /// Quality issues that have not ended.
    pub open_issues: u64,
}

/// A count of quality issues.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct IssueCount {
    /// Why.
    pub reason: &'static str,
    /// `warning` or `error`.
    pub severity: String,
    /// How many ever.
    pub count: u64,
    /// How many have not ended.
    pub open: u64,
}

/// The last word of a source on a question.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct FetchView {
    /// When.
    pub at: Timestamp,
    /// Who was asked.
    pub source: String,
    /// Which question.
    pub endpoint: String,
    /// Sport key.
    pub sport: String,
    /// `data`, `no_events` or `unavailable`.
    pub outcome: String,
    /// Why unavailable.
    pub reason: Option<String>,
    /// Credits left.
    pub remaining: Option<i64>,
    /// For a person.
    pub message: Option<String>,
}

impl Reader {
    /// All names and their numbers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn names(&self) -> Result<Names, StoreError> {
        let mut names = Names::default();
        for (kind, list) in restore::names(&self.connection)? {
            for name in list {
                kind.list(&mut names).intern(&name);
            }
        }
        Ok(names)
    }

    /// Events whose number, provider id or team fits `text`, soonest first. A number or an id fits one event only.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn find_events(&self, text: &str) -> Result<Vec<EventRow>, StoreError> {
        let exact = self.events_where(
            "provider_id = ?1 OR id = CAST(?1 AS INTEGER) AND ?1 = CAST(CAST(?1 AS INTEGER) AS TEXT)",
            text,
        )?;
        if !exact.is_empty() {
            return Ok(exact);
        }
        self.events_where("instr(lower(away || ' @ ' || home || ' vs ' || away), lower(?1)) > 0", text)
    }

    fn events_where(&self, condition: &str, text: &str) -> Result<Vec<EventRow>, StoreError> {
        let sql = format!("SELECT {} FROM event WHERE {condition} ORDER BY commence DESC, id", codec::EVENT_COLUMNS);
        let mut select = self.connection.prepare_cached(&sql)?;
        Ok(select.query_map([text], codec::event_row)?.collect::<Result<_, _>>()?)
    }

    /// Events of one sport or of all, in the order of their starts, as now known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn events(&self, sport: Option<SportId>) -> Result<Vec<EventRow>, StoreError> {
        let sql =
            format!("SELECT {} FROM event WHERE ?1 IS NULL OR sport = ?1 ORDER BY commence, id", codec::EVENT_COLUMNS);
        let mut select = self.connection.prepare_cached(&sql)?;
        Ok(select.query_map([sport.map(|s| s.0)], codec::event_row)?.collect::<Result<_, _>>()?)
    }

    /// Every row of the change log of one market of an event, in the order of time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn history(
        &self,
        event: &EventRow,
        market: &str,
        book: Option<&str>,
        names: &Names,
    ) -> Result<Vec<ChangeView>, StoreError> {
        let market_number = names.markets.number(market);
        let book_number = book.map(|b| names.books.number(b));
        let mut select = self.connection.prepare_cached(
            "SELECT change.look, change.slot, change.line, change.price, change.status, change.last_seen,
                    change.provider_update, look.received_at, quote.slot, quote.book, quote.market, quote.side,
                    quote.subject, quote.own_line
             FROM change JOIN quote ON quote.event = change.event AND quote.slot = change.slot
             JOIN look ON look.id = change.look
             WHERE change.event = ?1 AND quote.market = ?2 AND (?3 IS NULL OR quote.book = ?3)
             ORDER BY change.look, change.slot",
        )?;
        // A name that was never seen has no number, and so no history.
        let mut rows = select.query(params![event.id.0, market_number, book_number.map(|b| b.unwrap_or(0))])?;
        let mut history = Vec::new();
        while let Some(r) = rows.next()? {
            let row = codec::log_row(r, |_| Ok(codec::time(r, 7)?))?;
            let (_, key) = codec::quote_key_at(r, 8)?;
            history.push(ChangeView {
                event_id: event.id.0,
                look: row.look.0,
                at: row.at,
                market: names.market(key.market).to_owned(),
                selection: selection_name(event, &key, names),
                side: side_name(key.selection.side),
                book: names.book(key.book).to_owned(),
                line: row.line.map(|l| l.points()),
                price_decimal: six_places(row.price.to_decimal()),
                price_american: row.price.to_american(),
                status: row.status.name(),
                status_reason: reason_of(row.status),
                phase: row.phase.name(),
            });
        }
        Ok(history)
    }

    /// What is stored, by source and sport.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn status(&self, names: &Names) -> Result<Vec<SportStatus>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT source, sport, count(*), sum(changes), ifnull(sum(cost), 0), min(received_at), max(received_at),
                    (SELECT count(*) FROM event WHERE event.source = look.source AND event.sport = look.sport),
                    (SELECT count(*) FROM quality JOIN event ON event.id = quality.event
                     WHERE cleared IS NULL AND event.source = look.source AND event.sport = look.sport)
             FROM look GROUP BY source, sport ORDER BY max(received_at) DESC, source, sport",
        )?;
        let rows = select.query_map([], |r| {
            Ok(SportStatus {
                source: names.sources.name(r.get(0)?).to_owned(),
                sport: names.sport(SportId(r.get(1)?)).to_owned(),
                looks: r.get::<_, i64>(2)? as u64,
                changes: r.get::<_, i64>(3)? as u64,
                credits: r.get(4)?,
                first_look: codec::time(r, 5)?,
                last_look: codec::time(r, 6)?,
                events: r.get::<_, i64>(7)? as u64,
                open_issues: r.get::<_, i64>(8)? as u64,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Does the store hold a simulated market? Whatever is shown of it must say so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn is_demo(&self) -> Result<bool, StoreError> {
        // A store is filled by the demo or by a real source, never by both: its ends tell.
        let mut select = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM look WHERE origin = ?1
             AND id IN ((SELECT min(id) FROM look), (SELECT max(id) FROM look)))",
        )?;
        Ok(select.query_row([DEMO], |r| r.get(0))?)
    }

    /// Quality issues by reason.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn issues(&self) -> Result<Vec<IssueCount>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT reason, severity, count(*), sum(cleared IS NULL AND event IS NOT NULL) FROM quality
             GROUP BY reason, severity ORDER BY count(*) DESC, reason",
        )?;
        let rows = select.query_map([], |r| {
            let reason = Reason::from_number(r.get(0)?).map_or("unknown", Reason::name);
            Ok(IssueCount {
                reason,
                severity: r.get(1)?,
                count: r.get::<_, i64>(2)? as u64,
                open: r.get::<_, i64>(3)? as u64,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The newest attempt for each question of each source.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn last_fetches(&self) -> Result<Vec<FetchView>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT max(at), source, endpoint, sport, outcome, reason, remaining, message FROM fetch_log
             GROUP BY source, endpoint, sport ORDER BY 1 DESC, 2, 3, 4",
        )?;
        let rows = select.query_map([], |r| {
            Ok(FetchView {
                at: codec::time(r, 0)?,
                source: r.get(1)?,
                endpoint: r.get(2)?,
                sport: r.get(3)?,
                outcome: r.get(4)?,
                reason: r.get(5)?,
                remaining: r.get(6)?,
                message: r.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Started games without a final score, of one sport: those whose score is worth asking for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unfinished(&self, sport: &str, now: Timestamp, within_ms: i64) -> Result<u64, StoreError> {
        unfinished(&self.connection, sport, now, within_ms)
    }

    /// The newest look of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn newest(&self) -> Result<Option<(LookId, Timestamp)>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT id, received_at FROM look ORDER BY id DESC LIMIT 1")?;
        let row = select.query_row([], |r| Ok((LookId(r.get::<_, i64>(0)? as u64), codec::time(r, 1)?)));
        Ok(row.map(Some).or_else(none_if_no_rows)?)
    }
}

impl Store {
    /// See [`Reader::unfinished`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unfinished(&self, sport: &str, now: Timestamp, within_ms: i64) -> Result<u64, StoreError> {
        unfinished(&self.connection, sport, now, within_ms)
    }
}

fn unfinished(c: &Connection, sport: &str, now: Timestamp, within_ms: i64) -> Result<u64, StoreError> {
    let mut select = c.prepare_cached(
        "SELECT count(*) FROM event WHERE sport = (SELECT number FROM name WHERE kind = 1 AND name = ?)
         AND commence BETWEEN ? AND ? AND status < 2",
    )?;
    let n: i64 = select.query_row(params![sport, now.plus(-within_ms).millis(), now.millis()], |r| r.get(0))?;
    Ok(n as u64)
}

/// An event with names.
pub fn event_view(row: &EventRow, names: &Names) -> EventView {
    EventView {
        event_id: row.id.0,
        provider_event_id: row.provider_id.to_string(),
        source: names.sources.name(row.source).to_owned(),
        sport: names.sport(row.sport).to_owned(),
        home_team: row.home.to_string(),
        away_team: row.away.to_string(),
        commence_time: row.commence,
        status: row.status.name(),
        standing: None,
        standing_reason: None,
        home_score: row.score.map(|s| s.0),
        away_score: row.score.map(|s| s.1),
        first_seen: row.first_seen,
    }
}

/// The quotes of an event with names: by market, selection, line and book.
pub fn quote_views(event: &EventAsOf, names: &Names) -> Vec<QuoteView> {
    let mut quotes: Vec<&(Slot, QuoteKey, QuoteValue)> = event.quotes.iter().collect();
    quotes.sort_by_key(|(slot, key, _)| {
        let s = key.selection;
        (names.market(key.market), names.subject(s.subject), s.line, s.side, names.book(key.book), *slot)
    });
    quotes.into_iter().map(|(_, key, value)| quote_view(&event.row, key, value, names)).collect()
}

fn quote_view(event: &EventRow, key: &QuoteKey, value: &QuoteValue, names: &Names) -> QuoteView {
    QuoteView {
        event_id: event.id.0,
        provider_event_id: event.provider_id.to_string(),
        market: names.market(key.market).to_owned(),
        selection: selection_name(event, key, names),
        side: side_name(key.selection.side),
        book: names.book(key.book).to_owned(),
        line: value.line.map(|l| l.points()),
        price_decimal: six_places(value.price.to_decimal()),
        price_american: value.price.to_american(),
        status: value.status.name(),
        status_reason: reason_of(value.status),
        phase: value.phase.name(),
        first_seen: value.first_seen,
        last_changed: value.last_changed,
        last_seen: value.last_seen,
        provider_update: value.provider_update,
    }
}

fn reason_of(status: crate::engine::status::Status) -> Option<&'static str> {
    (status.name() == "suspect").then(|| status.cause())
}

/// What a person calls the selection.
pub fn selection_name(event: &EventRow, key: &QuoteKey, names: &Names) -> String {
    let (s, teams) = (key.selection, (&*event.home, &*event.away));
    selection::selection_name(s.side, teams, names.subject(s.subject), names.spec(key.market).family)
}

/// Decimal odds of American ones are rarely round; nobody wants sixteen digits of them.
fn six_places(d: f64) -> f64 {
    (d * 1e6).round() / 1e6
}

/// The name of a side in JSON.
pub const fn side_name(side: Side) -> &'static str {
    side.name()
}

/// The newest instant there is: "now" for a store that holds recorded days.
pub const END_OF_TIME: Timestamp = Timestamp::from_millis(i64::MAX);

/// What is stored up to an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stored {
    /// Looks.
    pub looks: u64,
    /// Rows of the change log.
    pub changes: u64,
    /// Oldest look.
    pub oldest: Option<Timestamp>,
    /// Newest look.
    pub newest: Option<Timestamp>,
}

impl Reader {
    /// What was received up to `until`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn stored(&self, until: Timestamp) -> Result<Stored, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT count(*), ifnull(sum(changes), 0), min(received_at), max(received_at) FROM look
             WHERE received_at <= ?",
        )?;
        Ok(select.query_row([until.millis()], |r| {
            let time = |column| Ok::<_, rusqlite::Error>(r.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis));
            let (looks, changes) = (r.get::<_, i64>(0)? as u64, r.get::<_, i64>(1)? as u64);
            Ok(Stored { looks, changes, oldest: time(2)?, newest: time(3)? })
        })?)
    }

    /// Credits billed after `from`, up to `until`, by steps of `step_ms` from `from` on: the number of the step and the
    /// credits, where there were any. Calls that brought a look count by what the look cost, others by the log of
    /// attempts. A step of no length counts as a millisecond.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn credits_by(&self, from: Timestamp, until: Timestamp, step_ms: i64) -> Result<Vec<(u64, u64)>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT (at - ?1 - 1) / ?3, sum(cost) FROM (
                 SELECT received_at AS at, cost FROM look WHERE received_at > ?1 AND received_at <= ?2
                 UNION ALL
                 SELECT at, cost FROM fetch_log WHERE look IS NULL AND at > ?1 AND at <= ?2)
             WHERE cost > 0 GROUP BY 1 ORDER BY 1",
        )?;
        let rows = select.query_map(params![from.millis(), until.millis(), step_ms.max(1)], |r| {
            Ok((r.get::<_, i64>(0)? as u64, r.get::<_, i64>(1)? as u64))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Quality issues by reason as they stood at `until`: see [`Reader::issues`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn issues_until(&self, until: Timestamp) -> Result<Vec<IssueCount>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT reason, severity, count(*),
                    sum(event IS NOT NULL AND (cleared IS NULL
                        OR ifnull((SELECT received_at FROM look WHERE look.id = cleared), 0) > ?1))
             FROM quality WHERE at <= ?1 GROUP BY reason, severity ORDER BY count(*) DESC, reason",
        )?;
        let rows = select.query_map([until.millis()], |r| {
            let reason = Reason::from_number(r.get(0)?).map_or("unknown", Reason::name);
            let (count, open) = (r.get::<_, i64>(2)? as u64, r.get::<_, i64>(3)? as u64);
            Ok(IssueCount { reason, severity: r.get(1)?, count, open })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
