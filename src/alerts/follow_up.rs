//! What became of an alert: where the fair price of its side went, and for how long its entry could be had.
//!
//! Worked out from the store whenever it is asked for, so that it is right for looks that came late and for alerts that
//! were never sent. Whatever the store cannot tell (points that are kept no longer, a line beyond the model, looks that
//! have not come yet) is absent, never zero.

use serde::Serialize;

use crate::engine::detect::signal::{Signal, SignalType};
use crate::engine::grade::clv::ClvRow;
use crate::engine::names::Names;
use crate::engine::price::scale::Scale;
use crate::engine::price::unit::Layout;
use crate::engine::profile::SportProfile;
use crate::engine::status::Status;
use crate::market::ids::{EventId, MarketId, SubjectId};
use crate::market::line::Line;
use crate::market::market_key::MarketSpec;
use crate::market::price::Price;
use crate::market::selection::Side;
use crate::market::time::Timestamp;
use crate::store::analysis::{AnalysisFilter, PointAt};
use crate::store::{Reader, StoreError};

/// After how long the fair price is looked at. Minutes.
pub const MINUTES: [i64; 3] = [1, 5, 15];
/// An entry that was there for so long could be taken by a person. Milliseconds.
pub const A_MINUTE: i64 = 60_000;

/// What became of one alert.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct FollowUp {
    /// The signal.
    pub signal_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: SignalType,
    /// When it was told of, or would have been.
    pub at: Timestamp,
    /// Scheduled start, as known then.
    pub start: Timestamp,
    /// Fair probability of the side at the entry's line then, by all books.
    pub fair: Option<f64>,
    /// How far it went towards the side, after a minute. In probability.
    pub move_1m: Option<f64>,
    /// After five minutes.
    pub move_5m: Option<f64>,
    /// After fifteen minutes.
    pub move_15m: Option<f64>,
    /// To the close.
    pub move_close: Option<f64>,
    /// For how long the entry, or better at the same book, could be had.
    #[serde(flatten)]
    pub stayed: Stayed,
}

/// For how long a price could be had, as far as the looks can tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Stayed {
    /// To the last look that showed it: so long at least. Milliseconds; `None`: nobody knows of it.
    pub obtainable_ms: Option<i64>,
    /// To the first look without it: so long at the most. Milliseconds.
    pub gone_by_ms: Option<i64>,
    /// It was still there at the start, or at the last look; it may have stayed longer.
    pub still_there: bool,
}

impl Stayed {
    /// Whether it was there for a minute; `None`: the looks cannot tell, or there was none.
    pub fn a_minute(&self) -> Option<bool> {
        let least = self.obtainable_ms?;
        match self.gone_by_ms {
            _ if least >= A_MINUTE => Some(true),
            Some(most) if most <= A_MINUTE => Some(false),
            _ => None,
        }
    }
}

impl FollowUp {
    /// It has something to grade by: at least one move is known.
    pub const fn is_graded(&self) -> bool {
        self.move_1m.is_some() || self.move_5m.is_some() || self.move_15m.is_some() || self.move_close.is_some()
    }

    /// The moves in the order of time, the close last.
    pub const fn moves(&self) -> [Option<f64>; 4] {
        [self.move_1m, self.move_5m, self.move_15m, self.move_close]
    }
}

/// What is asked of the market about one side at one line.
struct Asked {
    layout: Layout,
    side: Side,
    place: usize,
    scale: Scale<'static>,
    line: Option<Line>,
}

impl Asked {
    fn of(s: &Signal, profile: &SportProfile) -> Option<Self> {
        let side = Side::ALL.into_iter().find(|side| Some(side.name()) == s.side.as_deref())?;
        let entry = s.entry_now.as_ref().or(s.entry.as_ref())?;
        let spec = MarketSpec::parse(&s.market);
        let layout = Layout::of(spec, profile.three_way, side)?;
        let scale = profile.scale(layout, spec);
        Some(Self { layout, side, place: layout.place(side)?, scale, line: entry.line.and_then(Line::from_points) })
    }

    /// Fair probability of the side at its line by a published point.
    fn fair(&self, point: &PointAt) -> Option<f64> {
        let fair = point.point.fair.as_ref()?;
        match self.scale {
            Scale::Points(_) => {
                let value = *fair.values.first()?;
                Some(self.scale.settlement(self.layout, self.side, self.line, value)?.fair_probability())
            }
            Scale::LogOdds => {
                let reference = point.point.line.map(|l| self.layout.line_for(l, self.side));
                (self.line.is_none() || self.line == reference).then(|| fair.probability.get(self.place).copied())?
            }
        }
    }
}

/// Follows signals through the store. Profiles of sports are looked up once.
#[derive(Debug)]
pub struct Follower<'r> {
    reader: &'r Reader,
    names: Names,
    /// The newest look of the store.
    newest: Timestamp,
    profiles: std::collections::BTreeMap<String, SportProfile>,
}

impl<'r> Follower<'r> {
    /// A follower through a store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn new(reader: &'r Reader) -> Result<Self, StoreError> {
        let newest = reader.newest()?.map_or(Timestamp::from_millis(i64::MIN), |(_, at)| at);
        Ok(Self { reader, names: reader.names()?, newest, profiles: std::collections::BTreeMap::new() })
    }

    /// What became of a signal that was told of at `at`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn follow(&mut self, s: &Signal, at: Timestamp) -> Result<FollowUp, StoreError> {
        let mut up = FollowUp {
            signal_id: s.id.clone(),
            kind: s.kind,
            at,
            start: s.commence_time,
            fair: None,
            move_1m: None,
            move_5m: None,
            move_15m: None,
            move_close: None,
            stayed: Stayed::default(),
        };
        let profile = *self.profiles.entry(s.sport.clone()).or_insert_with(|| SportProfile::of(&s.sport));
        let Some(asked) = Asked::of(s, &profile) else { return Ok(up) };
        self.moves(s, at, &asked, &mut up)?;
        self.obtainable(s, at, &asked, &mut up)?;
        Ok(up)
    }

    fn moves(&self, s: &Signal, at: Timestamp, asked: &Asked, up: &mut FollowUp) -> Result<(), StoreError> {
        let last = at.plus(15 * A_MINUTE);
        let points = self.reader.points(s.event_id, at, last)?;
        let own: Vec<&PointAt> = points.iter().filter(|p| p.point.key == s.key).collect();
        let held = |t: Timestamp| own.iter().rev().find(|p| p.at <= t).and_then(|p| asked.fair(p));
        up.fair = held(at);
        let Some(fair) = up.fair else { return Ok(()) };
        let after = |minutes: i64| -> Result<Option<f64>, StoreError> {
            let then = at.plus(minutes * A_MINUTE);
            // After the start the market is another one; after the last look nobody knows.
            if then >= s.commence_time || then > self.newest {
                return Ok(None);
            }
            // Nor does anybody where the last look was in the first half: a price that nobody asked for did not stand still.
            let seen = self.reader.newest_odds_look(s.event_id, then)?;
            let seen = seen.is_some_and(|seen| seen.since(at) > minutes * A_MINUTE / 2);
            Ok(if seen { held(then).map(|p| p - fair) } else { None })
        };
        let [one, five, fifteen] = MINUTES;
        (up.move_1m, up.move_5m, up.move_15m) = (after(one)?, after(five)?, after(fifteen)?);
        up.move_close = self.close(s)?.map(|p| p - fair);
        Ok(())
    }

    /// Fair probability of the side at the entry's line, at the close.
    fn close(&self, s: &Signal) -> Result<Option<f64>, StoreError> {
        // Grading goes by the entry of the first detection; an update with another line is another bet.
        let same = s.entry_now.as_ref().is_none_or(|now| s.entry.as_ref().is_some_and(|e| e.line == now.line));
        if !same {
            return Ok(None);
        }
        let filter = AnalysisFilter {
            event: Some(s.event_id),
            kind: Some(s.kind),
            since: Some(s.detected_at),
            until: Some(s.detected_at),
            ..AnalysisFilter::default()
        };
        let rows = self.reader.clv_rows(&filter)?;
        let row: Option<&ClvRow> = rows.iter().find(|r| r.signal_id == s.id);
        Ok(row.and_then(|r| r.close.fair_probability))
    }

    fn obtainable(&self, s: &Signal, at: Timestamp, asked: &Asked, up: &mut FollowUp) -> Result<(), StoreError> {
        let Some(entry) = s.entry_now.as_ref().or(s.entry.as_ref()) else { return Ok(()) };
        let american = Price::american(entry.price_american).ok().map(Price::to_decimal);
        let taken = Taken {
            event: s.event_id,
            market: s.key.market,
            subject: s.key.subject,
            book: &entry.book,
            side: asked.side,
            line: asked.line,
            // American and decimal odds of one price differ in the last digits.
            odds: american.map_or(entry.price, |a| a.min(entry.price)),
        };
        up.stayed = self.stayed(&taken, at, s.commence_time)?;
        Ok(())
    }

    /// For how long a price could be taken after `at`, up to `start` at the most.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn stayed(&self, taken: &Taken<'_>, at: Timestamp, start: Timestamp) -> Result<Stayed, StoreError> {
        let until = start.min(self.newest);
        let book = self.names.books.number(taken.book).filter(|_| until >= at);
        let Some(book) = book else { return Ok(Stayed::default()) };
        let alternates = self.names.spec(taken.market).line_is_identity();
        let no_worse = |line: Option<Line>, odds: f64| {
            let line_holds = match (line, taken.line) {
                (Some(now), Some(then)) if taken.side == Side::Over => now <= then,
                (Some(now), Some(then)) => now >= then,
                (now, then) => now == then,
            };
            line_holds && odds >= taken.odds - 1e-6
        };
        let log = self.reader.market_log(taken.event, taken.market, until)?;
        let mine = log.iter().filter(|(key, _)| {
            u32::from(key.book.0) == book
                && key.selection.side == taken.side
                && key.selection.subject == taken.subject
                && (!alternates || key.selection.line == taken.line)
        });
        let (mut there, mut lost) = (None, None);
        for (_, row) in mine {
            let fits = row.status == Status::Open && no_worse(row.line, row.price.to_decimal());
            if row.at <= at {
                there = Some(fits);
            } else if !fits {
                lost = Some(row.at);
                break;
            }
        }
        let seen_until = |t: Timestamp| -> Result<i64, StoreError> {
            let last = self.reader.newest_odds_look(taken.event, t)?;
            Ok(last.map_or(0, |last| last.since(at).max(0)))
        };
        Ok(match (there, lost) {
            (None, _) => Stayed::default(),
            (Some(false), _) => Stayed { obtainable_ms: Some(0), gone_by_ms: Some(0), still_there: false },
            (Some(true), Some(lost)) => Stayed {
                obtainable_ms: Some(seen_until(lost.plus(-1))?),
                gone_by_ms: Some(lost.since(at)),
                still_there: false,
            },
            (Some(true), None) => {
                Stayed { obtainable_ms: Some(seen_until(until)?), gone_by_ms: None, still_there: true }
            }
        })
    }
}

/// A price that was taken, or could have been.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Taken<'t> {
    /// Event.
    pub event: EventId,
    /// Market.
    pub market: MarketId,
    /// Player or team that the market is about, if any.
    pub subject: SubjectId,
    /// Book key.
    pub book: &'t str,
    /// Side.
    pub side: Side,
    /// Line, as the side sees it.
    pub line: Option<Line>,
    /// Decimal odds.
    pub odds: f64,
}
