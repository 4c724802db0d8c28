//! `stratum quotes`: every quote of an event, now or at an earlier time.

use std::io::Write;

use super::args::{Global, QuotesArgs};
use super::output::{Align, Table, label, printable, stored_rows};
use super::{Exit, Failure, look, show};
use crate::engine::changes::EventRow;
use crate::engine::names::Names;
use crate::market::time::Timestamp;
use crate::store::Reader;
use crate::store::query::{QuoteView, event_view, quote_views};

/// Runs `stratum quotes`.
pub fn run(global: &Global, args: &QuotesArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (reader, names) = look::open(global)?;
    let at = look::instant(args.as_of);
    let row = look::event(&reader, &names, &args.event, at)?;
    let Some(event) = reader.event_as_of(row.id, at)? else {
        return Err(Failure::NotFound(format!(
            "event {} was not known at {at}; it was first seen at {}",
            row.id.0, row.first_seen
        )));
    };
    let mut quotes = quote_views(&event, &names);
    if let Some(market) = &args.market {
        keep(&mut quotes, "market", market, |q| &q.market)?;
    }
    if let Some(book) = &args.book {
        keep(&mut quotes, "book", book, |q| &q.book)?;
    }
    let demo = reader.is_demo()?;
    if args.output.json {
        stored_rows(out, &quotes, demo)?;
        return Ok(Exit::Ok);
    }
    let reference = match args.as_of {
        Some(_) => at,
        None => newest_look(&reader, &names, &event.row)?,
    };
    label(out, demo)?;
    heading(out, &event.row, &names, reference, args.as_of.is_none())?;
    print(out, &quotes, reference)?;
    Ok(Exit::Ok)
}

/// Leaves the quotes whose `name` was asked for. None at all means that there is no such thing.
fn keep(
    quotes: &mut Vec<QuoteView>,
    what: &str,
    asked: &str,
    name: impl Fn(&QuoteView) -> &String,
) -> Result<(), Failure> {
    if !quotes.iter().any(|q| name(q) == asked) {
        return Err(look::unknown(what, asked, quotes.iter().map(|q| name(q).as_str())));
    }
    quotes.retain(|q| name(q) == asked);
    Ok(())
}

/// The newest look at the event's sport: ages count up to it when no instant was named.
fn newest_look(reader: &Reader, names: &Names, event: &EventRow) -> Result<Timestamp, Failure> {
    let (source, sport) = (names.sources.name(event.source), names.sport(event.sport));
    let looks = reader.status(names)?;
    Ok(looks.iter().find(|s| s.source == source && s.sport == sport).map_or(event.first_seen, |s| s.last_look))
}

fn heading(
    out: &mut dyn Write,
    event: &EventRow,
    names: &Names,
    reference: Timestamp,
    newest: bool,
) -> Result<(), Failure> {
    let e = event_view(event, names);
    let score = match (e.away_score, e.home_score) {
        (Some(away), Some(home)) => format!(" {away}-{home}"),
        _ => String::new(),
    };
    writeln!(out, "{}", printable(&format!("{} {}", e.event_id, show::teams(&e.away_team, &e.home_team))))?;
    writeln!(out, "{}  start {} UTC  {}{score}", printable(&e.sport), show::minute(e.commence_time), e.status)?;
    writeln!(out, "as of {} UTC{}", show::second(reference), if newest { ", the newest look" } else { "" })?;
    Ok(())
}

fn print(out: &mut dyn Write, quotes: &[QuoteView], reference: Timestamp) -> Result<(), Failure> {
    if quotes.is_empty() {
        writeln!(out, "\nno quotes yet")?;
    }
    for market in quotes.chunk_by(|a, b| a.market == b.market) {
        let name = market.first().map_or("", |q| q.market.as_str());
        writeln!(out, "\n{}", printable(name))?;
        let mut table = Table::new([
            ("SELECTION", Align::Left),
            ("BOOK", Align::Left),
            ("LINE", Align::Right),
            ("US", Align::Right),
            ("DEC", Align::Right),
            ("AGE", Align::Right),
            ("CHANGED", Align::Right),
            ("PHASE", Align::Left),
            ("STATUS", Align::Left),
        ]);
        for q in market {
            table.row([
                q.selection.clone(),
                q.book.clone(),
                show::line(q.line, &q.market),
                show::american(q.price_american),
                show::decimal(q.price_decimal),
                show::span(reference.since(q.provider_update.unwrap_or(q.last_seen))),
                show::span(reference.since(q.last_changed)),
                q.phase.to_owned(),
                show::status(q.status, q.status_reason),
            ]);
        }
        table.print(out)?;
    }
    Ok(())
}
