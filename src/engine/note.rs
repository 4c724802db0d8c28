//! What a look said of an event besides the markets and values that the log and the list of shown markets hold.
//!
//! Almost every record of an answer is whole, and has no note. A note tells of records that were not: without odds,
//! without a start, with parts that could not be read. With it every look can be put together again exactly, even when
//! looks that were received before it come in later. See [`super::seen`] for where it stands.

use super::state::Flaws;
use super::varint::{Reader, put, put_signed, unzigzag};
use crate::market::batch::ScoreObs;
use crate::market::ids::{BookId, MarketId, SubjectId};
use crate::market::line::Line;
use crate::market::quality::Reason;
use crate::market::selection::{Selection, Side};
use crate::market::time::Timestamp;

/// What was special about the record of one event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventNote {
    /// The record said nothing of quotes.
    pub without_odds: bool,
    /// The record gave no start that counted.
    pub without_start: bool,
    /// Score and status, where the record carried them.
    pub score: Option<ScoreObs>,
    /// What was wrong with the record itself.
    pub reasons: Vec<Reason>,
    /// Books that could not be read in full, or of which no market counted.
    pub books: Vec<BookNote>,
    /// Markets that could not be read in full, or that have no quotes yet.
    pub markets: Vec<MarketNote>,
}

/// What was special about the record of one book.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BookNote {
    /// The book.
    pub book: BookId,
    /// What was wrong with the record itself.
    pub reasons: Vec<Reason>,
}

/// What was special about the record of one market.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarketNote {
    /// The book.
    pub book: BookId,
    /// The market.
    pub market: MarketId,
    /// The provider's time of it.
    pub provider_update: Option<Timestamp>,
    /// Absence of an outcome proved nothing.
    pub damaged: bool,
    /// What was wrong, as far as it does not follow from the values.
    pub reasons: Vec<Reason>,
    /// Outcomes that were shown with a value that could not be read.
    pub unreadable: Vec<Selection>,
}

/// What is found again by judging the values again needs no note.
const FOLLOWS_FROM_VALUES: [Reason; 6] = [
    Reason::FutureTimestamp,
    Reason::SidesDoNotMirror,
    Reason::VigOutOfRange,
    Reason::LineJump,
    Reason::IncompleteMarket,
    Reason::TimeWentBack,
];

/// The reasons of a set that do not follow from the values.
pub(super) fn own_reasons(flaws: Flaws) -> Vec<Reason> {
    if !flaws.any() {
        return Vec::new();
    }
    flaws.cleared_by(Flaws::default()).filter(|r| !FOLLOWS_FROM_VALUES.contains(r)).collect()
}

impl EventNote {
    /// There is nothing to note.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn clear(&mut self) {
        (self.without_odds, self.without_start, self.score) = (false, false, None);
        self.reasons.clear();
        self.books.clear();
        self.markets.clear();
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        put(
            out,
            u64::from(self.without_odds) | u64::from(self.without_start) << 1 | u64::from(self.score.is_some()) << 2,
        );
        if let Some(score) = self.score {
            out.push(u8::from(score.completed));
            for points in [score.home, score.away] {
                put_optional(out, points.map(i64::from));
            }
            put_optional(out, score.last_update.map(Timestamp::millis));
        }
        put_reasons(out, &self.reasons);
        put(out, self.books.len() as u64);
        for note in &self.books {
            put(out, u64::from(note.book.0));
            put_reasons(out, &note.reasons);
        }
        put(out, self.markets.len() as u64);
        for note in &self.markets {
            put(out, u64::from(note.book.0));
            put(out, u64::from(note.market.0));
            put_optional(out, note.provider_update.map(Timestamp::millis));
            out.push(u8::from(note.damaged));
            put_reasons(out, &note.reasons);
            put(out, note.unreadable.len() as u64);
            for selection in &note.unreadable {
                out.push(selection.side.number());
                put(out, u64::from(selection.subject.0));
                put_optional(out, selection.line.map(|l| i64::from(l.hundredths())));
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let flags = reader.take()?;
        let mut note = Self { without_odds: flags & 1 != 0, without_start: flags & 2 != 0, ..Self::default() };
        if flags & 4 != 0 {
            let completed = reader.take()? != 0;
            let mut points = || match take_optional(reader)? {
                None => Some(None),
                Some(n) => i32::try_from(n).ok().map(Some),
            };
            let (home, away) = (points()?, points()?);
            let last_update = take_optional(reader)?.map(Timestamp::from_millis);
            note.score = Some(ScoreObs { completed, home, away, last_update });
        }
        note.reasons = take_reasons(reader)?;
        for _ in 0..reader.take()? {
            let book = BookId(u16::try_from(reader.take()?).ok()?);
            note.books.push(BookNote { book, reasons: take_reasons(reader)? });
        }
        for _ in 0..reader.take()? {
            let book = BookId(u16::try_from(reader.take()?).ok()?);
            let market = MarketId(u16::try_from(reader.take()?).ok()?);
            let provider_update = take_optional(reader)?.map(Timestamp::from_millis);
            let damaged = reader.take()? != 0;
            let reasons = take_reasons(reader)?;
            let mut unreadable = Vec::new();
            for _ in 0..reader.take()? {
                let side = Side::from_number(u8::try_from(reader.take()?).ok()?)?;
                let subject = SubjectId(u32::try_from(reader.take()?).ok()?);
                let line = match take_optional(reader)? {
                    None => None,
                    Some(n) => Some(Line::from_hundredths(i32::try_from(n).ok()?)),
                };
                unreadable.push(Selection { side, subject, line });
            }
            note.markets.push(MarketNote { book, market, provider_update, damaged, reasons, unreadable });
        }
        Some(note)
    }
}

fn put_reasons(out: &mut Vec<u8>, reasons: &[Reason]) {
    put(out, reasons.len() as u64);
    for reason in reasons {
        out.push(reason.number());
    }
}

fn take_reasons(reader: &mut Reader<'_>) -> Option<Vec<Reason>> {
    let mut reasons = Vec::new();
    for _ in 0..reader.take()? {
        reasons.push(Reason::from_number(u8::try_from(reader.take()?).ok()?)?);
    }
    Some(reasons)
}

/// 0 for nothing, else 1 and the value.
fn put_optional(out: &mut Vec<u8>, value: Option<i64>) {
    match value {
        None => out.push(0),
        Some(v) => {
            out.push(1);
            put_signed(out, v);
        }
    }
}

fn take_optional(reader: &mut Reader<'_>) -> Option<Option<i64>> {
    match reader.take()? {
        0 => Some(None),
        1 => Some(Some(unzigzag(reader.take()?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_come_back() {
        let at = Timestamp::from_secs(1_700_000_000);
        let selection = Selection { side: Side::Over, subject: SubjectId(7), line: Line::from_points(-2.5) };
        let market = MarketNote {
            book: BookId(3),
            market: MarketId(9),
            provider_update: Some(at),
            damaged: true,
            reasons: vec![Reason::BadPrice, Reason::UnknownTeam],
            unreadable: vec![selection, Selection::of(Side::Draw)],
        };
        let note = EventNote {
            without_odds: true,
            without_start: true,
            score: Some(ScoreObs { completed: true, home: Some(-1), away: None, last_update: Some(at) }),
            reasons: vec![Reason::MissingField],
            books: vec![BookNote { book: BookId(300), reasons: vec![Reason::WrongType] }],
            markets: vec![market],
        };
        for note in [note, EventNote::default()] {
            let mut out = Vec::new();
            note.write(&mut out);
            let mut reader = Reader(&out);
            assert_eq!(EventNote::read(&mut reader), Some(note));
            assert!(reader.is_empty());
        }
    }
}
