//! `stratum consensus`: what the board as a whole says, at one instant or over time.

use std::io::Write;

use serde::Serialize;

use super::args::Global;
use super::args_analysis::ConsensusArgs;
use super::cells::{self, Teams};
use super::fair::Excluded;
use super::moment::{Appraised, Asked, Layouts};
use super::output::{Align, Table, label, stored_rows};
use super::{Exit, Failure, filter, look, show};
use crate::engine::appraise::Appraisal;
use crate::engine::changes::EventRow;
use crate::engine::names::Names;
use crate::engine::price::scale::Scale;
use crate::engine::price::unit::Layout;
use crate::engine::profile::SportProfile;
use crate::market::ids::EventId;
use crate::market::line::Line;
use crate::market::price::decimal_to_american;
use crate::market::time::Timestamp;
use crate::market::value::fair_odds;
use crate::store::analysis::PointAt;
use crate::store::query::{END_OF_TIME, selection_name, side_name};

/// Fewer books than a consensus needs.
const TOO_FEW: &str = "too_few_books";

/// The consensus on one side.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct ConsensusRow {
    event_id: EventId,
    sport: String,
    market: String,
    /// Player or team, where the market is about one.
    subject: Option<String>,
    selection: String,
    side: &'static str,
    /// Median line, as the side sees it.
    line: Option<f64>,
    /// Median vig-free probability at that line.
    probability: Option<f64>,
    /// The fair price of that probability.
    price_decimal: Option<f64>,
    price_american: Option<i64>,
    /// Population standard deviation over the books, in `dispersion_unit`.
    dispersion: Option<f64>,
    /// `points` or `probability`.
    dispersion_unit: &'static str,
    /// Books counted.
    books: Option<u16>,
    /// Why there is none.
    reason: Option<&'static str>,
    excluded: Vec<Excluded>,
    as_of: Timestamp,
}

/// One side of a published point.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct PointRow {
    /// The look from which on it held.
    at: Timestamp,
    look: u64,
    event_id: EventId,
    market: String,
    subject: Option<String>,
    selection: String,
    side: &'static str,
    /// Consensus line, as the side sees it.
    line: Option<f64>,
    /// Consensus probability; only of the first side where there are three.
    probability: Option<f64>,
    price_decimal: Option<f64>,
    price_american: Option<i64>,
    dispersion: Option<f64>,
    /// `points` or `probability`.
    dispersion_unit: &'static str,
    /// Books in the consensus.
    books: Option<u16>,
    /// Reference line of the fair price, as the side sees it.
    at_line: Option<f64>,
    fair_probability: Option<f64>,
    fair_line: Option<f64>,
    standard_error: Option<f64>,
    effective_books: Option<f64>,
    families: Option<u16>,
    /// Of the fair value: `points` or `log_odds`.
    scale: &'static str,
}

/// Runs `stratum consensus`.
pub fn run(global: &Global, args: &ConsensusArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let asked = Asked::open(global)?;
    let demo = asked.reader.is_demo()?;
    if args.history {
        let rows = history(&asked, args)?;
        if args.output.json {
            stored_rows(out, &rows, demo)?;
        } else {
            label(out, demo)?;
            history_table(&rows).print(out)?;
        }
        return Ok(Exit::Ok);
    }
    let events = asked.appraise(&args.filter)?;
    let rows: Vec<ConsensusRow> =
        events.iter().flat_map(|e| e.questions.iter().flat_map(|q| board_rows(&asked.names, e, q))).collect();
    if args.output.json {
        stored_rows(out, &rows, demo)?;
    } else {
        label(out, demo)?;
        table(&rows, &Teams::of(events.iter().map(|e| &e.row))).print(out)?;
    }
    Ok(Exit::Ok)
}

fn board_rows(names: &Names, event: &Appraised, question: &Appraisal) -> Vec<ConsensusRow> {
    let board = question.consensus.as_ref();
    // A median does not care how far an outlier is out: it counts like any other book.
    let excluded: Vec<Excluded> = question
        .books
        .iter()
        .filter_map(|b| Some(Excluded { book: b.book.clone(), reason: b.excluded.filter(|why| *why != "outlier")? }))
        .collect();
    let sides = question.layout.sides().iter().enumerate();
    sides
        .map(|(place, side)| {
            let probability = board.and_then(|b| b.probability.get(place)).copied();
            let price = fair_price(probability);
            ConsensusRow {
                event_id: question.event_id,
                sport: names.sport(event.row.sport).to_owned(),
                market: question.market.clone(),
                subject: question.subject.clone(),
                selection: selection_name(&event.row, &cells::selection(question.key, *side), names),
                side: side_name(*side),
                line: cells::own_line(question.layout, *side, board.and_then(|b| b.line)),
                probability,
                price_decimal: price,
                price_american: price.map(decimal_to_american),
                dispersion: board.map(|b| b.dispersion),
                dispersion_unit: unit(question.scale),
                books: board.map(|b| b.books),
                reason: board.is_none().then_some(TOO_FEW),
                excluded: excluded.clone(),
                as_of: question.as_of,
            }
        })
        .collect()
}

/// Decimal odds at which nothing is gained.
pub fn fair_price(probability: Option<f64>) -> Option<f64> {
    probability.map(fair_odds).filter(|d| d.is_finite() && *d > 1.0)
}

/// Every published point of the event, until `--as-of` where that is given.
fn history(asked: &Asked, args: &ConsensusArgs) -> Result<Vec<PointRow>, Failure> {
    let Asked { reader, names, .. } = asked;
    let until = args.filter.as_of.map_or(END_OF_TIME, filter::instant);
    filter::sport(names, args.filter.sport.as_deref())?;
    let market = filter::market(names, args.filter.market.as_deref())?;
    let event = look::event(reader, names, args.filter.event.as_deref().unwrap_or_default(), until)?;
    let mut layouts = Layouts::default();
    let sport = SportProfile::of(names.sport(event.sport));
    let mut rows = Vec::new();
    for point in reader.points(event.id, Timestamp::from_millis(i64::MIN), until)? {
        let key = point.point.key;
        if market.is_some_and(|m| m != key.market) {
            continue;
        }
        let Some(layout) = layouts.of(reader, names, &event, key)? else { continue };
        let scale = sport.scale(layout, names.spec(key.market));
        rows.extend(point_rows(names, &event, &point, layout, scale));
    }
    rows.sort_by_key(|r| (r.at, r.look));
    Ok(rows)
}

fn point_rows(names: &Names, event: &EventRow, at: &PointAt, layout: Layout, scale: Scale<'_>) -> Vec<PointRow> {
    let point = &at.point;
    let subject = names.subject(point.key.subject);
    let two_sides = layout.sides().len() == 2;
    let own = |line: Option<Line>, side| line.map(|l| layout.line_for(l, side).points());
    let sides = layout.sides().iter().enumerate();
    sides
        .map(|(place, side)| {
            let board = point.consensus.as_ref();
            let probability = board.and_then(|c| match place {
                0 => Some(c.probability),
                _ if two_sides => Some(1.0 - c.probability),
                _ => None,
            });
            let price = fair_price(probability);
            let value = point.fair.and_then(|f| f.values.first().copied());
            PointRow {
                at: at.at,
                look: at.look.0,
                event_id: point.event,
                market: names.market(point.key.market).to_owned(),
                subject: (!subject.is_empty()).then(|| subject.to_owned()),
                selection: selection_name(event, &cells::selection(point.key, *side), names),
                side: side_name(*side),
                line: own(board.and_then(|c| c.line), *side),
                probability,
                price_decimal: price,
                price_american: price.map(decimal_to_american),
                dispersion: board.map(|c| c.dispersion),
                dispersion_unit: unit(scale.name()),
                books: board.map(|c| c.books),
                at_line: own(point.line, *side),
                fair_probability: point.fair.and_then(|f| f.probability.get(place).copied()),
                fair_line: match scale {
                    Scale::Points(model) => value.and_then(|v| model.fair_line(*side, v).ok()).map(|f| f.points),
                    Scale::LogOdds => None,
                },
                standard_error: point.fair.map(|f| f.standard_error),
                effective_books: point.fair.map(|f| f.effective),
                families: point.fair.map(|f| f.families),
                scale: scale.name(),
            }
        })
        .collect()
}

/// The unit of a dispersion: values in points, or probabilities where the scale is log-odds.
fn unit(scale: &str) -> &'static str {
    if scale == "points" { "points" } else { "probability" }
}

/// Points, or percentage points of probability.
fn dispersion(value: Option<f64>, unit: &str) -> String {
    cells::or_none(value, |d| match unit {
        "points" => format!("{} pt", cells::number(d, 2)),
        _ => format!("{} %", cells::percent(d, 2)),
    })
}

fn table(rows: &[ConsensusRow], teams: &Teams) -> Table {
    let mut table = Table::new([
        ("EVENT", Align::Right),
        ("TEAMS", Align::Left),
        ("MARKET", Align::Left),
        ("SELECTION", Align::Left),
        ("LINE", Align::Right),
        ("%", Align::Right),
        ("US", Align::Right),
        ("DEC", Align::Right),
        ("DISPERSION", Align::Right),
        ("BOOKS", Align::Right),
        ("EXCLUDED", Align::Right),
        ("AS OF (UTC)", Align::Left),
    ]);
    for r in rows {
        table.row([
            r.event_id.0.to_string(),
            teams.name(r.event_id),
            r.market.clone(),
            r.selection.clone(),
            show::line(r.line, &r.market),
            r.probability.map_or_else(|| "too few books".to_owned(), |p| cells::percent(p, 2)),
            cells::or_none(r.price_american, show::american),
            cells::or_none(r.price_decimal, show::decimal),
            dispersion(r.dispersion, r.dispersion_unit),
            cells::or_none(r.books, |n| n.to_string()),
            r.excluded.len().to_string(),
            show::second(r.as_of),
        ]);
    }
    table
}

fn history_table(rows: &[PointRow]) -> Table {
    let mut table = Table::new([
        ("AT (UTC)", Align::Left),
        ("MARKET", Align::Left),
        ("SELECTION", Align::Left),
        ("LINE", Align::Right),
        ("%", Align::Right),
        ("US", Align::Right),
        ("DISPERSION", Align::Right),
        ("BOOKS", Align::Right),
        ("FAIR LINE", Align::Right),
        ("FAIR %", Align::Right),
        ("AT LINE", Align::Right),
        ("ERROR", Align::Right),
        ("FAMILIES", Align::Right),
    ]);
    for r in rows {
        table.row([
            show::second(r.at),
            r.market.clone(),
            r.selection.clone(),
            show::line(r.line, &r.market),
            cells::or_none(r.probability, |p| cells::percent(p, 2)),
            cells::or_none(r.price_american, show::american),
            dispersion(r.dispersion, r.dispersion_unit),
            cells::or_none(r.books, |n| n.to_string()),
            cells::fair_line(r.fair_line, &r.market),
            cells::or_none(r.fair_probability, |p| cells::percent(p, 2)),
            show::line(r.at_line, &r.market),
            cells::or_none(r.standard_error, |e| cells::number(e, 3)),
            cells::or_none(r.families, |n| n.to_string()),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fair_price_of_a_probability() {
        assert_eq!(fair_price(Some(0.5)), Some(2.0));
        assert_eq!(fair_price(Some(0.5)).map(decimal_to_american), Some(100));
        assert_eq!(fair_price(Some(0.6)).map(decimal_to_american), Some(-150));
        assert_eq!((fair_price(Some(0.0)), fair_price(Some(1.0)), fair_price(None)), (None, None, None));
    }

    #[test]
    fn dispersion_tells_its_unit() {
        assert_eq!(
            (dispersion(Some(0.4), "points"), dispersion(Some(0.0123), unit("log_odds"))),
            ("0.40 pt".into(), "1.23 %".into())
        );
        assert_eq!(dispersion(None, "points"), "-");
    }
}
