//! `stratum fair`: vig-free fair prices, of all books and as each book is judged against them.

use std::io::Write;

use serde::Serialize;

use super::args::Global;
use super::args_analysis::FairArgs;
use super::cells::{self, Teams};
use super::moment::{Appraised, Asked};
use super::output::{Align, Table, label, stored_rows};
use super::{Exit, Failure, filter, show};
use crate::engine::appraise::{Appraisal, BookPart, FairPrice};
use crate::engine::names::Names;
use crate::engine::price::fair::tuning;
use crate::engine::price::robust::{self, Vote};
use crate::market::ids::EventId;
use crate::market::selection::Side;
use crate::market::time::Timestamp;
use crate::store::query::selection_name;

/// Fewer independent books than a fair price needs.
const TOO_FEW: &str = "too_few_independent_books";

/// The fair price of one side, of all books or without one book's family.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct FairRow {
    event_id: EventId,
    sport: String,
    market: String,
    /// Player or team, where the market is about one.
    subject: Option<String>,
    selection: String,
    side: &'static str,
    /// Its family has no vote; `None`: all books vote.
    left_out_book: Option<String>,
    /// The line at which the side is worth even money, where there is a model.
    fair_line: Option<f64>,
    /// Vig-free probability at `at_line`, conditional on no push.
    fair_probability: Option<f64>,
    /// Reference line, as the side sees it.
    at_line: Option<f64>,
    /// The fair value on `scale`: points, or log-odds of the first side.
    value: Option<f64>,
    /// Of `value`.
    standard_error: Option<f64>,
    effective_books: Option<f64>,
    families: Option<u16>,
    /// Why there is no fair price.
    reason: Option<&'static str>,
    /// Those whose vote counts.
    books: Vec<Voting>,
    /// Those without a vote, and why.
    excluded: Vec<Excluded>,
    method: &'static str,
    scale: &'static str,
    model: Option<String>,
    as_of: Timestamp,
}

/// One book's part in a fair price.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct Voting {
    book: String,
    family: String,
    /// As the side sees it.
    line: Option<f64>,
    /// Decimal odds of the side.
    price: Option<f64>,
    /// Decimal odds of every side, in the order of the market.
    prices: Vec<Option<f64>>,
    /// Vig-free probability of the side at the book's own line.
    probability: Option<f64>,
    /// On `scale`, from the first side.
    value: Option<f64>,
    /// Its vote, after age, margin and sisters.
    weight: f64,
    /// Share of the vote that counts, given its distance from the median of this price's voters.
    share: f64,
    age_seconds: f64,
}

/// A book without a part.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Excluded {
    /// Book key.
    pub book: String,
    /// Why.
    pub reason: &'static str,
}

/// Which fair prices are shown.
enum LeaveOut<'a> {
    /// That of all books, and each book's own.
    Every,
    /// That of all books.
    None,
    /// What this book is judged against.
    Book(&'a str),
}

/// Runs `stratum fair`.
pub fn run(global: &Global, args: &FairArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let asked = Asked::open(global)?;
    let leave_out = match args.leave_out.as_deref() {
        None => LeaveOut::Every,
        Some(none) if none.eq_ignore_ascii_case("none") => LeaveOut::None,
        Some(book) => {
            filter::known_book(&asked.names, book)?;
            LeaveOut::Book(book)
        }
    };
    let events = asked.appraise(&args.filter)?;
    let rows: Vec<FairRow> = events
        .iter()
        .flat_map(|event| event.questions.iter().map(move |question| (event, question)))
        .flat_map(|(event, question)| question_rows(&asked.names, event, question, &leave_out))
        .collect();
    let demo = asked.reader.is_demo()?;
    if args.output.json {
        stored_rows(out, &rows, demo)?;
    } else {
        label(out, demo)?;
        table(&rows, &Teams::of(events.iter().map(|e| &e.row))).print(out)?;
    }
    Ok(Exit::Ok)
}

fn question_rows(names: &Names, event: &Appraised, question: &Appraisal, leave_out: &LeaveOut<'_>) -> Vec<FairRow> {
    let clip = clip(question);
    let mut rows = Vec::new();
    if !matches!(leave_out, LeaveOut::Book(_)) {
        rows.extend(price_rows(names, event, question, clip, None));
    }
    for part in &question.books {
        let meant = match leave_out {
            LeaveOut::Every => true,
            LeaveOut::None => false,
            LeaveOut::Book(book) => part.book == *book,
        };
        if meant {
            rows.extend(price_rows(names, event, question, clip, Some(part)));
        }
    }
    rows
}

/// One row for each side of one fair price.
fn price_rows(
    names: &Names,
    event: &Appraised,
    question: &Appraisal,
    clip: f64,
    left_out: Option<&BookPart>,
) -> Vec<FairRow> {
    let price: Option<&FairPrice> = left_out.map_or(question.fair.as_ref(), |part| part.without.as_ref());
    let family = left_out.map(|part| part.family.as_str());
    let shares = shares(&question.books, family, clip);
    let counts = |share: &Option<f64>| share.is_some_and(|s| s > 0.0);
    let parts = || question.books.iter().zip(&shares);
    let excluded: Vec<Excluded> = parts()
        .filter(|(_, share)| !counts(share))
        .map(|(part, share)| {
            let own = if share.is_some() { "outlier" } else { part.excluded.unwrap_or("no_vote") };
            let reason = if family == Some(part.family.as_str()) { "left_out" } else { own };
            Excluded { book: part.book.clone(), reason }
        })
        .collect();
    let sides = question.layout.sides().iter().enumerate();
    sides
        .map(|(place, side)| {
            let told = price.and_then(|p| p.sides.get(place));
            FairRow {
                event_id: question.event_id,
                sport: names.sport(event.row.sport).to_owned(),
                market: question.market.clone(),
                subject: question.subject.clone(),
                selection: selection_name(&event.row, &cells::selection(question.key, *side), names),
                side: side.name(),
                left_out_book: left_out.map(|part| part.book.clone()),
                fair_line: told.and_then(|s| s.fair_line),
                fair_probability: told.map(|s| s.fair_probability),
                at_line: cells::own_line(question.layout, *side, question.reference_line),
                value: price.map(|p| p.value),
                standard_error: price.map(|p| p.standard_error),
                effective_books: price.map(|p| p.effective_books),
                families: price.map(|p| p.families),
                reason: price.is_none().then_some(TOO_FEW),
                books: parts()
                    .filter(|(_, share)| counts(share))
                    .map(|(part, share)| voting(question, part, share.unwrap_or_default(), *side, place))
                    .collect(),
                excluded: excluded.clone(),
                method: question.method,
                scale: question.scale,
                model: question.model.clone(),
                as_of: question.as_of,
            }
        })
        .collect()
}

fn voting(question: &Appraisal, part: &BookPart, share: f64, side: Side, place: usize) -> Voting {
    Voting {
        book: part.book.clone(),
        family: part.family.clone(),
        line: cells::own_line(question.layout, side, part.line),
        price: part.prices.get(place).copied().flatten(),
        prices: part.prices.clone(),
        probability: part.probability.as_ref().and_then(|p| p.get(place)).copied(),
        value: part.value,
        weight: part.weight,
        share,
        age_seconds: part.age_seconds,
    }
}

/// A book that has a vote, whether or not it is too far from the others for it to count.
fn votes(part: &BookPart) -> bool {
    matches!(part.excluded, None | Some("outlier")) && part.weight > 0.0
}

/// The share of each book's vote that counts in the fair price without a family; `None`: it has no vote there.
///
/// What [`BookPart::share`] says holds for the fair price of all books: without a family the median, from which the
/// distances count, is another one.
fn shares(parts: &[BookPart], without: Option<&str>, clip: f64) -> Vec<Option<f64>> {
    let vote = |part: &BookPart| {
        let value = part.value.filter(|_| votes(part) && without != Some(part.family.as_str()))?;
        Some(Vote { family: 0, weight: part.weight, value })
    };
    let mut sorted: Vec<Vote> = parts.iter().filter_map(vote).collect();
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value));
    let Some(centre) = robust::weighted_median(&sorted, None) else { return vec![None; parts.len()] };
    // Two camps with nobody between them: then all count.
    let split = sorted.iter().all(|v| robust::share(v.value - centre, clip) <= 0.0);
    let share = |v: Vote| if split { 1.0 } else { robust::share(v.value - centre, clip) };
    parts.iter().map(|part| vote(part).map(share)).collect()
}

/// Distance from the median up to which a vote counts in full: as in [`crate::engine::price::fair`], from all voters.
fn clip(question: &Appraisal) -> f64 {
    let mut sorted: Vec<Vote> = question
        .books
        .iter()
        .filter(|p| votes(p))
        .filter_map(|p| Some(Vote { family: 0, weight: p.weight, value: p.value? }))
        .collect();
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value));
    let centre = robust::weighted_median(&sorted, None).unwrap_or_default();
    let workings = &question.workings;
    tuning(workings.scale(), workings.sd, &workings.fair, centre).0
}

fn table(rows: &[FairRow], teams: &Teams) -> Table {
    let mut table = Table::new([
        ("EVENT", Align::Right),
        ("TEAMS", Align::Left),
        ("MARKET", Align::Left),
        ("SELECTION", Align::Left),
        ("WITHOUT", Align::Left),
        ("FAIR LINE", Align::Right),
        ("FAIR %", Align::Right),
        ("AT LINE", Align::Right),
        ("ERROR", Align::Right),
        ("SCALE", Align::Left),
        ("EFFECTIVE BOOKS", Align::Right),
        ("FAMILIES", Align::Right),
        ("BOOKS", Align::Right),
        ("AS OF (UTC)", Align::Left),
    ]);
    for r in rows {
        table.row([
            r.event_id.0.to_string(),
            teams.name(r.event_id),
            r.market.clone(),
            r.selection.clone(),
            r.left_out_book.clone().unwrap_or_else(|| show::NONE.to_owned()),
            cells::fair_line(r.fair_line, &r.market),
            r.fair_probability.map_or_else(|| "too few books".to_owned(), |p| cells::percent(p, 2)),
            show::line(r.at_line, &r.market),
            cells::or_none(r.standard_error, |e| cells::number(e, 3)),
            r.scale.to_owned(),
            cells::or_none(r.effective_books, |n| cells::number(n, 1)),
            cells::or_none(r.families, |n| n.to_string()),
            r.books.len().to_string(),
            show::second(r.as_of),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(book: &str, family: &str, value: f64, excluded: Option<&'static str>) -> BookPart {
        BookPart {
            book: book.into(),
            kind: "retail",
            family: family.into(),
            line: Some(-3.0),
            prices: vec![Some(1.9), Some(1.9)],
            raw_sum: Some(1.05),
            margin: Some(0.05),
            parameter: None,
            fee: crate::market::books::Fee::None,
            probability: Some(vec![0.5, 0.5]),
            value: Some(value),
            table_weight: 1.0,
            weight: 1.0,
            share: 1.0,
            excluded,
            age_seconds: 1.0,
            changed_seconds_ago: 1.0,
            received_seconds_ago: 1.0,
            without: None,
        }
    }

    #[test]
    fn a_family_left_out_has_no_share_and_moves_the_median() {
        let parts = [
            part("a", "x", 3.0, None),
            part("b", "x", 3.0, None),
            part("c", "c", 4.0, None),
            part("d", "d", 4.2, None),
            part("e", "e", 5.0, Some("outlier")),
            part("f", "f", 3.0, Some("stale")),
        ];
        let all = shares(&parts, None, 0.5);
        // The median of all is 4.0: those at 3.0 and 5.0 are twice as far as counts in full.
        assert_eq!(all, [Some(0.5), Some(0.5), Some(1.0), Some(1.0), Some(0.5), None]);
        let without = shares(&parts, Some("x"), 0.5);
        assert_eq!(without[..2], [None, None]);
        assert_eq!(without[3], Some(1.0));
        assert!(without[4].is_some_and(|s| s > 0.5), "nearer to the median without the low family: {without:?}");
    }

    #[test]
    fn two_camps_all_count_and_nobody_is_nothing() {
        let parts = [part("a", "a", 0.0, None), part("b", "b", 9.0, None)];
        assert_eq!(shares(&parts, None, 0.5), [Some(1.0), Some(1.0)]);
        assert_eq!(shares(&[part("a", "a", 0.0, Some("gone"))], None, 0.5), [None]);
    }
}
