//! `stratum opportunities EVENT --market M --card SIDE`: every book's price for one side, the best first, or that there
//! is nothing to take.

use std::io::Write;

use serde::Serialize;

use super::args_analysis::OpportunitiesArgs;
use super::moment::{Appraised, Asked};
use super::output::{Align, Table, label, printable, stored_rows};
use super::{Exit, Failure, cells, show};
use crate::engine::opportunity::Untakeable;
use crate::engine::opportunity::card::{Card, CardState, Row};
use crate::store::query::{selection_name, side_name};

/// A card with its names.
#[derive(Serialize)]
struct CardRow<'a> {
    market: &'a str,
    subject: Option<&'a str>,
    selection: String,
    #[serde(flatten)]
    card: &'a Card,
    /// The instant, as in other rows.
    as_of: crate::market::time::Timestamp,
}

/// Shows the cards of one side: one for each question of the market.
pub fn run(asked: &Asked, args: &OpportunitiesArgs, side: &str, out: &mut dyn Write) -> Result<Exit, Failure> {
    let events = asked.appraise(&args.filter)?;
    let rows: Vec<CardRow<'_>> = events.iter().flat_map(|event| rows(asked, event, side.trim())).collect();
    if rows.is_empty() {
        let mut sides: Vec<&str> = events
            .iter()
            .flat_map(|e| &e.questions)
            .flat_map(|q| q.layout.sides().iter().map(|s| side_name(*s)))
            .collect();
        sides.sort_unstable();
        sides.dedup();
        return Err(Failure::NotFound(format!("no side '{side}' here; there are {}", sides.join(", "))));
    }
    let demo = asked.reader.is_demo()?;
    if args.output.json {
        stored_rows(out, &rows, demo)?;
        return Ok(Exit::Ok);
    }
    label(out, demo)?;
    for (place, row) in rows.iter().enumerate() {
        if place > 0 {
            writeln!(out)?;
        }
        print(out, row)?;
    }
    Ok(Exit::Ok)
}

/// The cards whose side is called so, or whose selection is.
fn rows<'a>(asked: &Asked, event: &'a Appraised, side: &str) -> Vec<CardRow<'a>> {
    let mut rows = Vec::new();
    for question in &event.questions {
        for card in &question.cards {
            let Some(of) = question.layout.sides().iter().find(|s| side_name(**s) == card.side) else { continue };
            let selection = selection_name(&event.row, &cells::selection(question.key, *of), &asked.names);
            if card.side.eq_ignore_ascii_case(side) || selection.eq_ignore_ascii_case(side) {
                let subject = question.subject.as_deref();
                rows.push(CardRow { market: &question.market, subject, selection, card, as_of: card.at });
            }
        }
    }
    rows
}

/// What the card comes to, in words.
fn state(card: &Card, market: &str) -> String {
    match (card.state, &card.best) {
        (CardState::Take, Some(best)) => format!(
            "take {}{} at {}: expected profit {} %, down to {} until {} UTC",
            best.row.line.map_or_else(String::new, |l| format!("{} ", show::line(Some(l), market))),
            show::american(best.row.price_american),
            best.row.book,
            cells::or_none(best.row.ev, |ev| cells::gain(ev, 2)),
            show::american(best.limits.break_even_american),
            show::second(best.limits.valid_until),
        ),
        (CardState::OnlySuspect, _) => {
            "nothing to take: the only prices above the fair one are too good to be true".into()
        }
        (CardState::NoFairPrice, _) => "nothing to take: too few independent books to say what a price is worth".into(),
        (CardState::NoQuotes, _) => "nothing to take: no price can be taken".into(),
        _ => "nothing to take: no price is above the fair one".into(),
    }
}

fn print(out: &mut dyn Write, row: &CardRow<'_>) -> Result<(), Failure> {
    let card = row.card;
    let heading = format!("{} {} {}", card.event_id.0, row.market, row.selection);
    writeln!(out, "{}", printable(&heading))?;
    let fair = cells::or_none(card.fair_probability, |p| {
        let at = card.reference_line.map_or_else(String::new, |l| format!(" at {}", show::line(Some(l), row.market)));
        format!("{} %{at} by {} independent books", cells::percent(p, 2), card.families)
    });
    writeln!(out, "fair   {fair}")?;
    writeln!(out, "as of  {} UTC", show::second(card.at))?;
    writeln!(out, "{}", printable(&state(card, row.market)))?;
    let mut table = Table::new([
        ("BOOK", Align::Left),
        ("LINE", Align::Right),
        ("US", Align::Right),
        ("DEC", Align::Right),
        ("AFTER FEE", Align::Right),
        ("EV %", Align::Right),
        ("FAIR %", Align::Right),
        ("KELLY %", Align::Right),
        ("AGE", Align::Right),
        ("NOTE", Align::Left),
    ]);
    for r in &card.rows {
        table.row([
            r.book.clone(),
            show::line(r.line, row.market),
            show::american(r.price_american),
            show::decimal(r.price),
            cells::or_none(r.odds, show::decimal),
            cells::or_none(r.ev, |ev| cells::gain(ev, 2)),
            cells::or_none(r.fair_probability, |p| cells::percent(p, 2)),
            cells::or_none(r.kelly, |k| cells::percent(k.max(0.0), 2)),
            show::span((r.age_seconds * 1000.0) as i64),
            note(r).to_owned(),
        ]);
    }
    if !table.is_empty() {
        table.print(out)?;
    }
    Ok(())
}

const fn note(row: &Row) -> &'static str {
    match row.untakeable {
        Some(Untakeable::OutOfReach) => "no bets there",
        Some(Untakeable::TooOld) => "too old",
        Some(Untakeable::Reopened) => "just reopened",
        Some(Untakeable::Flawed) => "flawed",
        Some(Untakeable::NotOneBook) => "an error of the book",
        Some(Untakeable::Fee) => "nothing left after the fee",
        None if row.suspect => "too good to be true",
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::ids::EventId;
    use crate::market::time::Timestamp;

    #[test]
    fn nothing_to_take_is_said_in_words() {
        let mut card = Card {
            event_id: EventId(1),
            side: "home",
            at: Timestamp::from_millis(0),
            state: CardState::NothingToTake,
            reference_line: Some(-3.0),
            fair_probability: Some(0.5),
            standard_error: Some(0.1),
            scale: "points",
            families: 6,
            best: None,
            rows: Vec::new(),
            best_price_per_line: Vec::new(),
            best_line_per_price: Vec::new(),
        };
        for (of, words) in [
            (CardState::NothingToTake, "no price is above"),
            (CardState::OnlySuspect, "too good to be true"),
            (CardState::NoFairPrice, "too few independent books"),
            (CardState::NoQuotes, "no price can be taken"),
        ] {
            card.state = of;
            let text = state(&card, "spreads");
            assert!(text.starts_with("nothing to take: ") && text.contains(words), "{text}");
        }
    }
}
