//! What is under the cursor as text for the clipboard: in a few words, or as the whole row. On the board the row is as it
//! is seen; elsewhere it is that of the page's export.

use crate::board::app::{App, Effect, Page};
use crate::board::format;
use crate::board::model::{Game, Offer};
use crate::board::pages::board::{self, cell, columns};
use crate::board::pages::{clv, exchange, game, ops, tape, watch};
use crate::board::widgets::text;
use crate::market::selection::Side;

/// Copies the cell under the cursor.
pub fn cell(app: &mut App) {
    let told = match app.page {
        Page::Board => cell_text(app),
        Page::Game => game::export::cell(app),
        Page::Tape => tape::cell(app),
        Page::Watch => watch::export::cell(app),
        Page::Exchange => exchange::cell(app),
        Page::Clv => clv::cell(app),
        Page::Ops => Some(ops::text(app)),
    };
    copy(app, told);
}

/// Copies the row under the cursor, with tabs between its columns.
pub fn row(app: &mut App) {
    let told = whole(app);
    copy(app, told);
}

/// The row under the cursor; on the page of operations, which has none, the pane.
fn whole(app: &App) -> Option<String> {
    let at = match app.page {
        Page::Game => game::export::row(app)?,
        Page::Tape => app.pages.tape.line,
        Page::Watch => watch::export::row(app),
        Page::Exchange => app.pages.exchange.line,
        Page::Clv => clv::row(app),
        Page::Ops => return Some(ops::text(app)),
        Page::Board => return row_text(app),
    };
    let table = super::export::table(app)?;
    let cells: Vec<String> = table.rows.get(at)?.iter().map(|v| text::plain(&v.told())).collect();
    Some(cells.join("\t"))
}

fn copy(app: &mut App, told: Option<String>) {
    let Some(told) = told else {
        app.say("there is nothing under the cursor to copy");
        return;
    };
    let mut short: String = told.replace(['\t', '\n'], "  ");
    short = text::fit(&short, 48, true).into_owned();
    app.effect(Effect::Copy(told));
    app.say(format!("copied: {short}"));
}

/// A side of a game in as few letters as tell it: `BOS`, `BOS/MIA over`.
fn who(game: &Game, side: Option<Side>) -> String {
    let code = |code: &str, name: &str| text::plain(if code.is_empty() { name } else { code });
    let (home, away) = (code(&game.who.home_code, &game.who.home), code(&game.who.away_code, &game.who.away));
    match side {
        Some(Side::Home) => home,
        Some(Side::Away) => away,
        Some(other) => format!("{away}@{home} {}", game.outcome(other, "")),
        None => format!("{away}@{home}"),
    }
}

/// `BOS -5 -108 PIN`.
fn cell_text(app: &App) -> Option<String> {
    let (game, market, place, book) = board::current_cell(app)?;
    let cell = market.cell(book, place)?;
    let side = market.sides.get(usize::from(place)).copied();
    // An over says so with its line already.
    let who = match side {
        Some(Side::Over | Side::Under) => who(game, None),
        side => who(game, side),
    };
    let offer = cell::offer_text(app, market.layout, side, cell.offer);
    Some(format!("{who} {offer} {}", app.slate().book_short(book)))
}

/// Start, side, fair, best, EV and every book that is shown.
fn row_text(app: &App) -> Option<String> {
    let board::rows::Line::Side { game, question, place, .. } = app.pages.board.rows.lines.get(app.pages.board.line)?
    else {
        return None;
    };
    let game = app.slate().games.get(*game)?;
    let mut parts = vec![app.prefs.zone().full(game.commence)];
    let Some(market) = question.and_then(|q| game.question(q)) else {
        parts.push(who(game, None));
        return Some(parts.join("\t"));
    };
    let at = usize::from(*place);
    let side = market.sides.get(at).copied();
    parts.push(who(game, side));
    let signed = market.layout == Some(crate::engine::price::unit::Layout::Spread);
    let fair = market.fair_line(at).map(|l| format::fair_line(l, signed));
    let chance = || market.fair_probability(at).map(|p| format!("{:.1}%", p * 100.0));
    parts.push(fair.or_else(chance).unwrap_or_default());
    let best = market.glance.as_deref().and_then(|g| g.best.get(at)).and_then(Option::as_ref);
    parts.push(best.map_or_else(String::new, |b| {
        let offer = cell::offer_text(app, market.layout, side, Offer { line: b.line, price: b.price });
        format!("{offer} {}", app.slate().book_short(b.book))
    }));
    parts.push(best.and_then(|b| b.ev).map_or_else(String::new, |ev| format::signed_percent(f64::from(ev))));
    for book in columns::books(app.slate(), &app.prefs) {
        let told = market.cell(book.id, *place).map(|c| cell::offer_text(app, market.layout, side, c.offer));
        parts.push(format!("{} {}", book.short, told.as_deref().unwrap_or("-")));
    }
    Some(parts.join("\t"))
}
