//! What is seen on the page as a table: every book, or the signals or the lines of the chart where those have the
//! keyboard.

use super::layout::Pane;
use super::series::{Ruler, Unit};
use super::table::SideCell;
use crate::board::app::App;
use crate::board::export::{Table, Value};
use crate::board::model::Game;
use crate::board::pages::board::cell::offer_text;
use crate::market::line::Line;
use crate::market::time::Timestamp;
use crate::store::query::side_name;

/// The pane with the keyboard; of the card, which only sums up, the books. `None`: nothing has been read yet.
pub fn table(app: &App) -> Option<Table> {
    let (game, market) = super::current(app)?;
    let market = market?;
    app.pages.game.slot.data.as_ref()?;
    let (name, (columns, rows)) = match app.pages.game.pane {
        Pane::Books | Pane::Card => ("books", books(app)),
        Pane::Tape => ("signals", signals(app)),
        Pane::Chart => ("chart", chart(app)),
    };
    let lead = ["event_id", "sport", "start", "away_team", "home_team", "market"].map(str::to_owned);
    let of_game = lead_of(game, &market.market);
    Some(Table {
        name: format!("game-{name}"),
        columns: lead.into_iter().chain(columns).collect(),
        rows: rows.into_iter().map(|row| of_game.iter().cloned().chain(row).collect()).collect(),
    })
}

/// The row of [`table`] under the cursor.
pub fn row(app: &App) -> Option<usize> {
    let page = &app.pages.game;
    match page.pane {
        Pane::Books | Pane::Card => Some(page.line),
        Pane::Tape => Some(page.signal),
        Pane::Chart => None,
    }
}

/// The chosen side at the book under the cursor: `BOS -5 -108 PIN`.
pub fn cell(app: &App) -> Option<String> {
    let page = &app.pages.game;
    let (shown, row) = (page.shown.as_ref()?, page.rows.get(page.line)?);
    let cell = row.sides.get(page.side)?.as_ref()?;
    let side = shown.places.get(page.side).map(|p| p.1);
    let code = shown.codes.get(page.side)?;
    Some(format!("{code} {} {}", offer_text(app, shown.layout, side, cell.offer), row.short))
}

fn lead_of(game: &Game, market: &str) -> [Value; 6] {
    [
        Value::Integer(i64::from(game.who.id.0)),
        Value::from(&*game.who.sport_key),
        Value::Time(game.commence),
        Value::from(&*game.who.away),
        Value::from(&*game.who.home),
        Value::from(market),
    ]
}

type Rows = (Vec<String>, Vec<Vec<Value>>);

fn books(app: &App) -> Rows {
    let page = &app.pages.game;
    let sides = page.shown.as_ref().map_or(&[][..], |s| &s.places);
    let mut columns = vec!["book".to_owned()];
    for (_, side) in sides {
        let of = ["line", "american", "decimal", "status", "open_line", "open_american", "fair_probability", "ev"];
        columns.extend(of.map(|c| format!("{}_{c}", side_name(*side))));
    }
    columns
        .extend(["hold", "fair_value", "vote", "no_vote_because", "at_book", "received", "changed"].map(str::to_owned));
    let points = |line: Option<Line>| Value::from(line.map(Line::points));
    let cells = |cell: Option<&SideCell>| match cell {
        Some(c) => vec![
            points(c.offer.line),
            Value::Integer(c.offer.price.to_american()),
            Value::Number(c.offer.price.to_decimal()),
            Value::from(c.status.name()),
            points(c.opener.and_then(|o| o.line)),
            c.opener.map_or(Value::None, |o| Value::Integer(o.price.to_american())),
            Value::from(c.fair),
            Value::from(c.ev),
        ],
        None => vec![Value::None; 8],
    };
    let rows = page.rows.iter().map(|r| {
        let mut row = vec![Value::from(r.key.as_str())];
        row.extend((0..sides.len()).flat_map(|at| cells(r.sides.get(at).and_then(Option::as_ref))));
        row.extend([
            Value::from(r.hold),
            Value::from(r.value),
            Value::from(r.vote),
            Value::from(r.excluded.unwrap_or_default()),
            r.updated.map_or(Value::None, Value::Time),
            Value::Time(r.seen),
            Value::Time(r.changed),
        ]);
        row
    });
    (columns, rows.collect())
}

/// Newest first, as they stand on the page.
fn signals(app: &App) -> Rows {
    let columns = [
        "id",
        "detected_at",
        "type",
        "signal_market",
        "selection",
        "from",
        "to",
        "unit",
        "strength",
        "composite",
        "entry_book",
        "entry_line",
        "entry_decimal",
        "clv",
    ];
    let Some(data) = &app.pages.game.slot.data else { return (Vec::new(), Vec::new()) };
    let rows = data.signals.iter().rev().map(|s| {
        let entry = s.entry.as_ref();
        vec![
            Value::from(s.id.as_str()),
            Value::Time(s.detected_at),
            Value::from(s.kind.name()),
            Value::from(s.market.as_str()),
            Value::from(s.selection.as_str()),
            Value::Number(s.from_value),
            Value::Number(s.to_value),
            Value::from(s.unit.as_str()),
            Value::Integer(s.strength.into()),
            Value::Integer(s.composite.into()),
            Value::from(entry.map_or("", |e| e.book.as_str())),
            Value::from(entry.and_then(|e| e.line)),
            Value::from(entry.map(|e| e.price)),
            Value::from(data.clv(&s.id).and_then(|c| c.clv_ev)),
        ]
    });
    (columns.map(str::to_owned).to_vec(), rows.collect())
}

/// Every change of every line on show, also before and after the time that the chart shows.
fn chart(app: &App) -> Rows {
    let columns = ["line_of", "since", "value", "unit"].map(str::to_owned).to_vec();
    let page = &app.pages.game;
    let place = page.shown.as_ref().and_then(|s| s.places.get(page.side)).map_or(0, |p| usize::from(p.0));
    let appraisal = page.slot.data.as_ref().and_then(|d| d.appraisal.as_ref());
    let Some(unit) = appraisal.map(|a| Ruler::new(a, page.measure, place, app.prefs.odds).unit) else {
        return (columns, Vec::new());
    };
    let name = match unit {
        Unit::Points { .. } => "points",
        Unit::Percent => "percent",
        Unit::American => "american",
        Unit::Decimal => "decimal",
    };
    // The chart draws American odds as the distance from even money.
    let plain = move |v: f64| match unit {
        Unit::American if v >= 0.0 => v + 100.0,
        Unit::American => v - 100.0,
        _ => v,
    };
    let rows = page.series.iter().flat_map(|series| {
        series.steps.iter().map(move |step| {
            vec![
                Value::from(series.name.as_str()),
                Value::Time(Timestamp::from_millis(step.at)),
                Value::from(step.value.map(plain)),
                Value::from(name),
            ]
        })
    });
    (columns, rows.collect())
}
