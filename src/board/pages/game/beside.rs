//! The exchange beside the books of a question: the contract that answers it, its middle over time, and how far apart the
//! two are. Runs on the thread that reads the store.

use super::card::Words;
use crate::board::app::App;
use crate::board::format;
use crate::board::pages::exchange::compare::{self, EXCHANGE};
use crate::board::pages::exchange::load;
use crate::board::theme::Meaning;
use crate::engine::appraise::Appraisal;
use crate::engine::detect::signal::Signal;
use crate::engine::explain::words;
use crate::market::ids::EventId;
use crate::market::line::Line;
use crate::market::time::Timestamp;
use crate::store::{Reader, StoreError};

/// Books that are read, at most; the newest.
const MOST: u32 = 20_000;

/// The contract of the exchange that answers the question.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Beside {
    /// Line of the contract as the question's first side sees it.
    pub line: Option<Line>,
    /// Chance of the first side, from each instant on; `None`: it is not known.
    pub steps: Vec<(Timestamp, Option<f64>)>,
    /// The same by the books, without the exchange, at the end; or why there is none.
    pub fair: Option<f64>,
    /// Who moved first and by how many seconds, by the newest signal of the question.
    pub lead: Option<(String, Option<f64>)>,
}

/// Reads it; `None`: the game is not linked, or no contract answers the question.
///
/// # Errors
/// [`StoreError`].
pub fn read(
    reader: &Reader,
    event: EventId,
    appraisal: &Appraisal,
    signals: &[Signal],
    at: Timestamp,
) -> Result<Option<Beside>, StoreError> {
    if appraisal.subject.is_some() || appraisal.key.line.is_some() {
        return Ok(None);
    }
    let Some(game) = load::linked_as_of(reader, event, at)? else { return Ok(None) };
    let reference = appraisal.reference_line.and_then(Line::from_points);
    let far = |line: Option<Line>| match (line, reference) {
        (Some(l), Some(r)) => (l.hundredths() - r.hundredths()).abs(),
        _ => 0,
    };
    let found = game
        .markets
        .iter()
        .filter(|m| compare::market_of(&m.contract.kind) == Some(appraisal.market.as_str()))
        .filter_map(|m| {
            let side = compare::side_in(&game, &m.contract)?;
            let place = appraisal.layout.place(side)?;
            // Of three results only the leg of the first side tells its chance.
            let fits = (m.contract.kind == "three_way_leg") == (appraisal.layout.sides().len() == 3);
            (fits && (place == 0 || appraisal.layout.sides().len() == 2)).then_some((m, side, place))
        })
        .min_by_key(|(m, side, _)| (far(compare::market_line(&m.contract, *side)), m.contract.id));
    let Some((market, side, place)) = found else { return Ok(None) };
    let own = |p: f64| if place == 0 { p } else { 1.0 - p };
    let beginning = Timestamp::from_millis(i64::MIN);
    let books = reader.exchange_books(market.contract.id, beginning, at, MOST)?;
    let heard = books.first().map_or(at, |b| b.at.plus(-1));
    let mut steps: Vec<(Timestamp, Option<f64>)> = reader
        .exchange_prices(market.contract.id, beginning, heard)?
        .into_iter()
        .map(|p| (p.at, Some(own(p.price))))
        .collect();
    steps.extend(books.iter().map(|b| (b.at, load::middle(b).map(own))));
    steps.dedup_by(|b, a| a.1 == b.1);
    let all = std::slice::from_ref(appraisal);
    let fair = compare::fair_of(all, &market.contract, Some(side)).ok().map(own);
    let newest = signals.iter().rev().find(|s| s.key == appraisal.key && s.detail.book.as_deref() == Some(EXCHANGE));
    let lead = newest.and_then(|s| Some((s.detail.label.clone()?, s.detail.lag_seconds)));
    Ok(Some(Beside { line: compare::market_line(&market.contract, side), steps, fair, lead }))
}

/// For the card: both prices, how far apart they are, and who leads.
pub fn lines(app: &App, beside: &Beside, appraisal: &Appraisal) -> Vec<Words> {
    let Some(shown) = app.pages.game.shown.as_ref() else { return Vec::new() };
    let code = shown.code_of(0);
    let line = beside.line.map(|l| match appraisal.layout {
        crate::engine::price::unit::Layout::Spread => format!(" {}", format::spread(l)),
        _ => format!(" {}", format::total(l)),
    });
    let mut words: Words = vec![(format!("{code}{}", line.unwrap_or_default()), Meaning::Text)];
    match beside.steps.last().and_then(|s| s.1) {
        Some(p) => {
            words.push((format!("exchange {:.1} %", p * 100.0), Meaning::ExchangeDivergence));
            match beside.fair {
                Some(fair) => {
                    words.push((format!("books {:.1} %", fair * 100.0), Meaning::Fair));
                    words.push((format!("{:+.1} points", (p - fair) * 100.0), Meaning::Text));
                }
                None => words.push(("the books tell nothing at its line".to_owned(), Meaning::Faint)),
            }
        }
        None => words.push(("has no middle now; 7 shows its order book".to_owned(), Meaning::Faint)),
    }
    let mut lines = vec![Vec::new(), vec![("Exchange".to_owned(), Meaning::Header)], words];
    if let Some((label, lag)) = &beside.lead {
        let lag = lag.map_or_else(String::new, |s| format!(", {} before", format::ago((s.abs() * 1000.0) as i64)));
        lines.push(vec![(format!("{}{lag}", words::label(label)), Meaning::Muted)]);
    }
    lines
}
