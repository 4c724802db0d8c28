//! Every book's market in a row: prices, what they say without vig, what they cost, and how old they are.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::data::GameData;
use super::layout::{Pane, heading};
use crate::board::app::App;
use crate::board::format;
use crate::board::model::Offer;
use crate::board::pages::board::cell::offer_text;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::text;
use crate::engine::appraise::Appraisal;
use crate::engine::explain::words;
use crate::engine::price::unit::Layout;
use crate::engine::status::Status;
use crate::market::books::{BookKind, Books};
use crate::market::selection::Side;
use crate::market::time::Timestamp;

/// One side of a book's market.
#[derive(Clone, PartialEq, Debug)]
pub struct SideCell {
    /// Line and price.
    pub offer: Offer,
    /// Whether it can be relied on.
    pub status: Status,
    /// First line and price.
    pub opener: Option<Offer>,
    /// Vig-free probability.
    pub fair: Option<f64>,
    /// Expected profit on a stake of 1.
    pub ev: Option<f64>,
    /// Too good to be believed.
    pub suspect: bool,
    /// It is the price to take.
    pub best: bool,
}

/// One book.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// Key.
    pub key: String,
    /// Two to four capitals.
    pub short: String,
    /// For people.
    pub title: String,
    /// Place in the table of books.
    pub rank: usize,
    /// A sharp book.
    pub sharp: bool,
    /// In the order of [`super::places`].
    pub sides: Vec<Option<SideCell>>,
    /// Raw probabilities summed less 1.
    pub hold: Option<f64>,
    /// What its prices say: the fair line of the first side shown, or its probability.
    pub value: Option<f64>,
    /// Share of all votes.
    pub vote: Option<f64>,
    /// Name of the reason why it has none.
    pub excluded: Option<&'static str>,
    /// When the provider last saw it at the book, if it said so.
    pub updated: Option<Timestamp>,
    /// When it was last received.
    pub seen: Timestamp,
    /// When line or price last changed.
    pub changed: Timestamp,
}

/// The order of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sort {
    /// As the columns of the board.
    #[default]
    Book,
    /// The most valuable for the chosen side first.
    Ev,
    /// The cheapest first.
    Hold,
    /// By what the prices say.
    Value,
    /// The heaviest first.
    Vote,
    /// The freshest first.
    Age,
}

impl Sort {
    /// The next one.
    pub const fn next(self) -> Self {
        match self {
            Self::Book => Self::Ev,
            Self::Ev => Self::Hold,
            Self::Hold => Self::Value,
            Self::Value => Self::Vote,
            Self::Vote => Self::Age,
            Self::Age => Self::Book,
        }
    }

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Ev => "EV of the side",
            Self::Hold => "hold",
            Self::Value => "value",
            Self::Vote => "vote",
            Self::Age => "age",
        }
    }
}

/// The rows in order. `places`: the sides as they are shown; `side`: which of them is chosen.
pub fn rows(data: &GameData, places: &[(u8, Side)], side: usize, sort: Sort, reverse: bool) -> Vec<Row> {
    let table = Books::embedded();
    let votes: f64 = data.appraisal.iter().flat_map(|a| &a.books).map(|b| b.weight * b.share).sum();
    let mut rows: Vec<Row> = data
        .quotes
        .chunk_by(|a, b| a.book == b.book)
        .filter_map(|quotes| {
            let first = quotes.first()?;
            let book = table.resolve(&first.book);
            let appraisal = data.appraisal.as_ref();
            let part = appraisal.and_then(|a| a.books.iter().find(|b| b.book == first.book));
            let sides = places
                .iter()
                .map(|(place, side)| {
                    let quote = quotes.iter().find(|q| q.side == *side)?;
                    let card = appraisal.and_then(|a| a.cards.get(usize::from(*place)));
                    let row = card.and_then(|c| c.rows.iter().find(|r| r.book == first.book));
                    let best = card.and_then(|c| c.best.as_ref()).is_some_and(|b| b.row.book == first.book);
                    let fair = part.and_then(|p| p.probability.as_ref()).and_then(|p| p.get(usize::from(*place)));
                    Some(SideCell {
                        offer: Offer { line: quote.value.line, price: quote.value.price },
                        status: quote.value.status,
                        opener: quote.opener.map(|(line, price)| Offer { line, price }),
                        fair: fair.copied(),
                        ev: row.filter(|r| r.untakeable.is_none()).and_then(|r| r.ev),
                        suspect: row.is_some_and(|r| r.suspect),
                        best,
                    })
                })
                .collect();
            let excluded = part.and_then(|p| p.excluded);
            let (place, first_side) = places.first().copied()?;
            let value = part.filter(|p| p.probability.is_some()).and_then(|p| value(appraisal?, p, place, first_side));
            Some(Row {
                key: first.book.clone(),
                short: book.short.clone(),
                title: book.title.clone(),
                rank: table.iter().position(|b| b.key == first.book).unwrap_or(usize::MAX),
                sharp: book.kind == BookKind::Sharp,
                sides,
                hold: part.and_then(|p| p.margin).filter(|_| part.is_some_and(|p| p.probability.is_some())),
                value,
                vote: part.filter(|_| excluded.is_none() && votes > 0.0).map(|p| p.weight * p.share / votes),
                excluded,
                updated: quotes.iter().filter_map(|q| q.value.provider_update).min(),
                seen: quotes.iter().map(|q| q.value.last_seen).min()?,
                changed: quotes.iter().map(|q| q.value.last_changed).max()?,
            })
        })
        .collect();
    let ev = |r: &Row| r.sides.get(side).and_then(|s| s.as_ref()).and_then(|s| s.ev).unwrap_or(f64::NEG_INFINITY);
    rows.sort_by(|a, b| {
        let last = f64::INFINITY;
        let by = match sort {
            Sort::Book => std::cmp::Ordering::Equal,
            Sort::Ev => ev(b).total_cmp(&ev(a)),
            Sort::Hold => a.hold.unwrap_or(last).total_cmp(&b.hold.unwrap_or(last)),
            Sort::Value => a.value.unwrap_or(last).total_cmp(&b.value.unwrap_or(last)),
            Sort::Vote => b.vote.unwrap_or(-1.0).total_cmp(&a.vote.unwrap_or(-1.0)),
            Sort::Age => b.updated.unwrap_or(b.seen).cmp(&a.updated.unwrap_or(a.seen)),
        };
        by.then_with(|| (a.rank, &a.key).cmp(&(b.rank, &b.key)))
    });
    if reverse {
        rows.reverse();
    }
    rows
}

fn value(appraisal: &Appraisal, part: &crate::engine::appraise::BookPart, place: u8, side: Side) -> Option<f64> {
    match appraisal.workings.model {
        Some(model) => model.fair_line(side, part.value?).ok().map(|f| f.points),
        None => part.probability.as_ref()?.get(usize::from(place)).map(|p| p * 100.0),
    }
}

/// A column of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Column {
    Book,
    Side(usize),
    Ev(usize),
    Fair(usize),
    Hold,
    Value,
    Vote,
    AtBook,
    Received,
    Changed,
    Opener,
}

/// The columns that fit into `width`, with their widths.
fn columns(width: u16, sides: usize, offer: u16) -> Vec<(Column, u16)> {
    use Column as C;
    let mut all: Vec<(Column, u16, u8)> = vec![(C::Book, 8, 0)];
    all.extend((0..sides).map(|s| (C::Side(s), offer + 2, 0)));
    all.extend((0..sides).map(|s| (C::Ev(s), 6, 2)));
    all.push((C::Hold, 5, 1));
    all.push((C::Vote, 5, 3));
    all.push((C::Value, 6, 4));
    all.extend((0..sides).map(|s| (C::Fair(s), 5, 6)));
    all.push((C::AtBook, 5, 2));
    all.push((C::Received, 5, 7));
    all.push((C::Changed, 5, 5));
    all.push((C::Opener, offer + 1, 8));
    let needs = |all: &[(Column, u16, u8)]| all.iter().map(|(_, w, _)| w + 1).sum::<u16>();
    while needs(&all) > width {
        let most = all.iter().map(|c| c.2).max().unwrap_or(0);
        if most == 0 {
            break;
        }
        all.retain(|c| c.2 != most);
    }
    all.into_iter().map(|(c, w, _)| (c, w)).collect()
}

/// Rows that fit under the heads, above the line in words.
pub const fn visible(area: Rect) -> usize {
    area.height.saturating_sub(3) as usize
}

/// Draws the table.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let page = &app.pages.game;
    let sorted = format!("{} books, by {}", page.rows.len(), page.sort.name());
    heading(paint, Rect { height: 1, ..area }, "Books", &sorted, page.pane == Pane::Books);
    paint.zone(area, Hit::Pane(Pane::Books.number()));
    let Some(shown) = page.shown.as_ref() else { return };
    if page.rows.is_empty() {
        let said = "no book has quoted this market";
        paint.text(area.x + 2, area.y + 1, area.width.saturating_sub(3), said, paint.style(Meaning::Faint));
        return;
    }
    let has_line = page.rows.iter().flat_map(|r| &r.sides).flatten().any(|s| s.offer.line.is_some());
    let offer = app.prefs.odds.width() + if has_line { 6 } else { 0 };
    let columns = columns(area.width.saturating_sub(1), shown.places.len(), offer);
    let head = paint.style(Meaning::Header);
    let mut x = area.x + 1;
    for (column, width) in &columns {
        let name = |place: usize| shown.codes.get(place).map_or("", |c| c.as_str());
        let (title, meaning) = match column {
            Column::Book => ("Book".to_owned(), Meaning::Header),
            Column::Side(s) if *s == page.side => (name(*s).to_owned(), Meaning::Title),
            Column::Side(s) => (name(*s).to_owned(), Meaning::Header),
            Column::Ev(_) => ("EV %".to_owned(), Meaning::Header),
            Column::Fair(_) => ("fair%".to_owned(), Meaning::Header),
            Column::Hold => ("hold%".to_owned(), Meaning::Header),
            Column::Value => ("value".to_owned(), Meaning::Header),
            Column::Vote => ("vote%".to_owned(), Meaning::Header),
            Column::AtBook => ("book".to_owned(), Meaning::Header),
            Column::Received => ("recv".to_owned(), Meaning::Header),
            Column::Changed => ("chg".to_owned(), Meaning::Header),
            Column::Opener => ("opened".to_owned(), Meaning::Header),
        };
        let style = if meaning == Meaning::Header { head } else { paint.style(meaning) };
        match column {
            Column::Book => {
                paint.text(x + 1, area.y + 1, width - 1, &title, style);
            }
            // A sign has its place behind the price.
            Column::Side(_) => paint.right(x, area.y + 1, width - 1, &title, style),
            _ => paint.right(x, area.y + 1, *width, &title, style),
        }
        x += width + 1;
    }
    for (n, (at, row)) in page.rows.iter().enumerate().skip(page.top).take(visible(area)).enumerate() {
        let y = area.y + 2 + n as u16;
        let line = Rect { y, height: 1, ..area };
        if at == page.line {
            paint.fill(line, paint.style(Meaning::Selection));
            paint.text(area.x, y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Title));
        }
        draw_row(app, paint, row, &columns, (area.x + 1, y), shown.layout);
        paint.zone(line, Hit::Row(at));
    }
    if let Some(row) = page.rows.get(page.line)
        && area.height > 3
    {
        let y = area.bottom() - 1;
        let words = in_words(row, paint);
        paint.text(area.x + 1, y, area.width.saturating_sub(2), &words, paint.style(Meaning::Muted));
    }
}

fn draw_row(
    app: &App,
    paint: &mut Paint<'_>,
    row: &Row,
    columns: &[(Column, u16)],
    (mut x, y): (u16, u16),
    layout: Option<Layout>,
) {
    let page = &app.pages.game;
    let now = app.now();
    let none = paint.sign("–", "-");
    let stale = now.since(row.updated.unwrap_or(row.seen)) > app.at.max_age_ms;
    for (column, width) in columns {
        let (words, meaning) = match column {
            Column::Book => {
                let meaning = if row.sharp { Meaning::ChartSharp } else { Meaning::Text };
                let taken = paint.text(x + 1, y, 5, &row.short, paint.style(meaning));
                if row.sharp && taken < 5 {
                    paint.text(x + 6, y, 1, "#", paint.style(Meaning::ChartSharp));
                }
                x += width + 1;
                continue;
            }
            Column::Side(s) => {
                side(app, paint, row.sides.get(*s).and_then(Option::as_ref), stale, (x, y, *width), (*s, layout));
                x += width + 1;
                continue;
            }
            Column::Ev(s) => match row.sides.get(*s).and_then(Option::as_ref).and_then(|c| c.ev) {
                Some(ev) if !stale => {
                    (format::signed_percent(ev), if ev > 0.0 { Meaning::Positive } else { Meaning::Muted })
                }
                _ => (none.to_owned(), Meaning::Faint),
            },
            Column::Fair(s) => match row.sides.get(*s).and_then(Option::as_ref).and_then(|c| c.fair) {
                Some(p) => (format!("{:.1}", p * 100.0), Meaning::Text),
                None => (none.to_owned(), Meaning::Faint),
            },
            Column::Hold => match row.hold {
                Some(hold) => (format!("{:.1}", hold * 100.0), Meaning::Text),
                None => (none.to_owned(), Meaning::Faint),
            },
            Column::Value => match row.value {
                Some(v) if app.pages.game.shown.as_ref().is_some_and(|s| s.points) => {
                    (format::fair_line(v, layout == Some(Layout::Spread)), Meaning::Text)
                }
                Some(v) => (format!("{v:.1}"), Meaning::Text),
                None => (none.to_owned(), Meaning::Faint),
            },
            Column::Vote => match row.vote {
                Some(v) => (format!("{:.0}", v * 100.0), Meaning::Text),
                None => ("none".to_owned(), Meaning::Faint),
            },
            Column::AtBook => match row.updated {
                Some(at) => (format::ago(now.since(at)), if stale { Meaning::Stale } else { Meaning::Muted }),
                None => (none.to_owned(), Meaning::Faint),
            },
            Column::Received => (format::ago(now.since(row.seen)), Meaning::Muted),
            Column::Changed => (format::ago(now.since(row.changed)), Meaning::Muted),
            Column::Opener => {
                let cell = row.sides.get(page.side).and_then(Option::as_ref);
                let side = page.shown.as_ref().and_then(|s| s.places.get(page.side)).map(|p| p.1);
                match cell.and_then(|c| c.opener) {
                    Some(opener) => (offer_text(app, layout, side, opener), Meaning::Muted),
                    None => (none.to_owned(), Meaning::Faint),
                }
            }
        };
        let style = paint.style(meaning);
        paint.right(x, y, *width, &words, style);
        x += width + 1;
    }
}

/// A price, with the sign that says what is the matter with it.
fn side(
    app: &App,
    paint: &mut Paint<'_>,
    cell: Option<&SideCell>,
    stale: bool,
    (x, y, width): (u16, u16, u16),
    (at, layout): (usize, Option<Layout>),
) {
    let side = app.pages.game.shown.as_ref().and_then(|s| s.places.get(at)).map(|p| p.1);
    let Some(cell) = cell else {
        paint.right(x, y, width - 1, paint.sign("–", "-"), paint.style(Meaning::Faint));
        return;
    };
    let (meaning, sign) = match cell.status {
        Status::Gone => (Meaning::Gone, paint.glyph(Glyph::Gone)),
        Status::Flawed | Status::EventMissing | Status::Unreadable => (Meaning::Suspect, paint.glyph(Glyph::Suspect)),
        Status::Stale => (Meaning::Stale, paint.glyph(Glyph::Stale)),
        Status::Open if stale => (Meaning::Stale, paint.glyph(Glyph::Stale)),
        Status::Open if cell.best => (Meaning::Best, paint.glyph(Glyph::Best)),
        Status::Open if cell.suspect => (Meaning::OffMarket, paint.glyph(Glyph::OffMarket)),
        Status::Open => (Meaning::Text, " "),
    };
    let mut style = paint.style(meaning);
    if cell.status == Status::Gone {
        style = style.add_modifier(Modifier::CROSSED_OUT);
    }
    let (line, price) = crate::board::pages::board::cell::offer(app, layout, side, cell.offer);
    let odds = app.prefs.odds.width();
    let first = (width - 1).saturating_sub(odds + 1);
    if !line.is_empty() {
        paint.right(x, y, first, &line, style);
    }
    paint.right(x + (width - 1).saturating_sub(odds), y, odds, &price, style);
    paint.text(x + width - 1, y, 1, sign, paint.style(meaning));
}

/// What a row cannot say in its columns.
fn in_words(row: &Row, paint: &Paint<'_>) -> String {
    let dot = paint.glyph(Glyph::Dot);
    let kind = if row.sharp { "sharp" } else { "not sharp" };
    let vote = match (row.vote, row.excluded) {
        (Some(v), _) => format!("{:.0} % of all votes on the fair price", v * 100.0),
        (None, Some(why)) => format!("no vote: {}", words::excluded(why).words),
        (None, None) => "no vote: this market has no fair price".to_owned(),
    };
    format!("{} {dot} {kind} {dot} {vote}", text::plain(&row.title))
}
