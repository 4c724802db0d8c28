//! `stratum history`: every change of a market of an event.

use std::io::Write;

use super::args::{Global, HistoryArgs};
use super::output::{Align, Table, label, stored_rows};
use super::{Exit, Failure, look, show};
use crate::engine::changes::EventRow;
use crate::engine::names::Names;
use crate::store::Reader;
use crate::store::query::{ChangeView, END_OF_TIME, quote_views};

/// Runs `stratum history`.
pub fn run(global: &Global, args: &HistoryArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (reader, names) = look::open(global)?;
    let event = look::event(&reader, &names, &args.event, END_OF_TIME)?;
    let history = reader.history(&event, &args.market, args.book.as_deref(), &names)?;
    if history.is_empty() {
        return Err(nothing(&reader, &names, &event, args)?);
    }
    let demo = reader.is_demo()?;
    if args.output.json {
        stored_rows(out, &history, demo)?;
    } else {
        label(out, demo)?;
        table(&history).print(out)?;
    }
    Ok(Exit::Ok)
}

/// Which of the names asked for the event does not have, and which it has.
fn nothing(reader: &Reader, names: &Names, event: &EventRow, args: &HistoryArgs) -> Result<Failure, Failure> {
    let quotes = reader.event_as_of(event.id, END_OF_TIME)?.map(|e| quote_views(&e, names)).unwrap_or_default();
    let of_market = || quotes.iter().filter(|q| q.market == args.market);
    Ok(match &args.book {
        Some(book) if of_market().next().is_some() => look::unknown("book", book, of_market().map(|q| q.book.as_str())),
        _ => look::unknown("market", &args.market, quotes.iter().map(|q| q.market.as_str())),
    })
}

fn table(history: &[ChangeView]) -> Table {
    let mut table = Table::new([
        ("AT (UTC)", Align::Left),
        ("SELECTION", Align::Left),
        ("BOOK", Align::Left),
        ("LINE", Align::Right),
        ("US", Align::Right),
        ("DEC", Align::Right),
        ("PHASE", Align::Left),
        ("STATUS", Align::Left),
    ]);
    for c in history {
        table.row([
            show::second(c.at),
            c.selection.clone(),
            c.book.clone(),
            show::line(c.line, &c.market),
            show::american(c.price_american),
            show::decimal(c.price_decimal),
            c.phase.to_owned(),
            show::status(c.status, c.status_reason),
        ]);
    }
    table
}
