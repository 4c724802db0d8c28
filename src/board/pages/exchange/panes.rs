//! What is told of one game: its head, and the panes in their places.

use ratatui::layout::Rect;

use super::layout::{COLUMNS, Pane, left_column, plan};
use super::load::Listed;
use super::told::{self, Line, Piece};
use crate::board::app::App;
use crate::board::format;
use crate::board::pages::game::heading;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::chart::{Series, Window};
use crate::board::widgets::{bars, chart_axis, chart_pane, popup, text};
use crate::market::sports::Sports;
use crate::store::exchange::MarketNow;

/// Draws what is told of the game under the cursor. `beside`: the list stands on the left.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect, beside: bool) {
    let Some(listed) = super::current(app) else { return };
    let mut area = area;
    if beside {
        let style = paint.style(Meaning::Border);
        for y in area.top()..area.bottom() {
            paint.text(area.x - 1, y, 1, paint.glyph(Glyph::Column), style);
        }
    } else if area.height > 4 && !app.pages.exchange.open {
        // Below the list a line keeps the two apart.
        let style = paint.style(Meaning::Border);
        for x in area.x..area.right() {
            paint.text(x, area.y, 1, paint.glyph(Glyph::Rule), style);
        }
        area = Rect { y: area.y + 1, height: area.height - 1, ..area };
    }
    let market = super::contract(app);
    let used = head(app, paint, area, listed, market);
    let rest = Rect { y: area.y + used, height: area.height.saturating_sub(used), ..area };
    let focus = app.pages.exchange.pane;
    // How much each has to say hangs on the width, which hangs on the number of columns alone.
    let left = left_column(rest.width).saturating_sub(1);
    let width_of = |pane| match pane {
        _ if rest.width < COLUMNS => rest.width,
        Pane::Contracts | Pane::Ladder | Pane::Trades => left,
        _ => rest.width.saturating_sub(left + 1),
    };
    let wants = Pane::ALL.map(|pane| want(app, pane, listed, market, width_of(pane), pane == focus));
    let plan = plan(rest, &wants, focus, !listed.candidates.is_empty());
    for (pane, place) in &plan.placed {
        one(app, paint, *place, *pane, listed, market);
    }
    if let Some(line) = plan.line {
        let mut x = line.x + 1;
        x += paint.text(x, line.y, line.width.saturating_sub(1), "ctrl-w:", paint.style(Meaning::Muted)) + 1;
        for pane in &plan.folded {
            let room = line.right().saturating_sub(x);
            let taken = paint.text(x, line.y, room, pane.title(), paint.style(Meaning::Hint));
            paint.zone(Rect::new(x, line.y, taken, 1), Hit::Pane(pane_number(*pane)));
            x += taken + 2;
        }
    }
}

fn pane_number(pane: Pane) -> usize {
    Pane::ALL.iter().position(|p| *p == pane).unwrap_or(0)
}

/// Title, link, and the chosen contract beside the books. Gives the lines taken.
fn head(app: &App, paint: &mut Paint<'_>, area: Rect, listed: &Listed, market: Option<&MarketNow>) -> u16 {
    let (l, now) = (&listed.game.listing, app.now());
    let sport = Sports::embedded().resolve(&l.sport).short;
    let mut first = vec![(text::plain(&l.title), Meaning::Title), (sport, Meaning::Muted)];
    match l.starts {
        Some(at) if at <= now => first.push((format!("under way {}", format::until(at.since(now))), Meaning::Live)),
        Some(at) => {
            let told = format!("{}  {}", app.prefs.zone().start(at, now), format::until(at.since(now)));
            first.push((told, Meaning::Text));
        }
        None => first.push(("tells no start".to_owned(), Meaning::Faint)),
    }
    if l.over {
        first.push(("over".to_owned(), Meaning::Final));
    }
    if let Some(volume) = l.volume {
        first.push((format!("${} traded", super::list::dollars(volume)), Meaning::Muted));
    }
    let mut lines = vec![first, vec![told::link_line(app, listed)]];
    lines.extend(market.map(|m| told::beside(app, m, super::detail(app).map(|d| &**d))));
    // Where rows are few they are the panes'.
    if area.height >= 18 {
        lines = lines.iter().flat_map(|l| popup::fold(l, area.width.saturating_sub(2))).collect();
    }
    let height = (lines.len() as u16).min(area.height);
    for (y, line) in (area.y..area.y + height).zip(&lines) {
        let (mut x, end) = (area.x + 1, area.right());
        for (words, meaning) in line {
            if x >= end || x > area.x + 1 && text::width(words) > end - x {
                break;
            }
            x += paint.text(x, y, end - x, words, paint.style(*meaning)) + 2;
        }
    }
    height
}

/// Lines that a pane says, without its heading; those that it would like to have.
fn want(app: &App, pane: Pane, listed: &Listed, market: Option<&MarketNow>, width: u16, focus: bool) -> u16 {
    let lines = match pane {
        Pane::Chart => return 10,
        Pane::Ladder => return 11,
        _ => said(app, pane, listed, market, width, 5).len(),
    };
    let most = match pane {
        _ if focus => lines,
        Pane::Contracts => 13,
        Pane::Link => 12,
        Pane::Settlement => 8,
        _ => 6,
    };
    lines.min(most).max(1) as u16
}

fn said(app: &App, pane: Pane, listed: &Listed, market: Option<&MarketNow>, width: u16, rows: usize) -> Vec<Line> {
    let detail = super::detail(app).map(|d| &**d);
    match (pane, market) {
        (Pane::Contracts, _) => told::contracts(app, listed, detail, width),
        (Pane::Link, _) => told::link(app, listed, width),
        (Pane::Signals, _) => told::signals(app, detail, width),
        (Pane::Ladder, Some(m)) => told::ladder(app, m, width, rows),
        (Pane::Settlement, Some(m)) => told::settlement(&m.contract, width),
        (Pane::Trades, Some(m)) => told::trades(app, m, detail),
        _ => Vec::new(),
    }
}

/// What stands beside a pane's title.
fn about(app: &App, pane: Pane, market: Option<&MarketNow>) -> String {
    let Some(market) = market else { return String::new() };
    let who = || told::outcome(&market.contract, true);
    match pane {
        Pane::Contracts => format!("cents; cost with fee; fill for ${}", super::list::dollars(app.at.stake)),
        Pane::Ladder => format!("{}, cents and shares", who()),
        Pane::Chart => {
            let heard = super::detail(app).and_then(|d| d.heard);
            let older = super::detail(app)
                .zip(heard)
                .is_some_and(|(d, at)| d.middle.first().is_some_and(|s| s.at < at.millis()));
            match heard.filter(|_| older) {
                Some(at) => format!("{}; fetched before {}", who(), app.prefs.zone().hm(at)),
                None => who(),
            }
        }
        Pane::Settlement if super::compare::is_other_bet(&market.contract) => {
            "A DIFFERENT BET than a sportsbook's".to_owned()
        }
        Pane::Settlement | Pane::Trades => who(),
        Pane::Link | Pane::Signals => String::new(),
    }
}

fn one(app: &App, paint: &mut Paint<'_>, area: Rect, pane: Pane, listed: &Listed, market: Option<&MarketNow>) {
    paint.zone(area, Hit::Pane(pane_number(pane)));
    let focus = app.pages.exchange.pane == pane;
    heading(paint, Rect { height: 1, ..area }, pane.title(), &about(app, pane, market), focus);
    let inner = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    if pane == Pane::Chart {
        chart(app, paint, inner);
        return;
    }
    let rows = usize::from(inner.height.saturating_sub(1) / 2).clamp(1, 5);
    let lines = said(app, pane, listed, market, inner.width, rows);
    // The chosen line stays in sight; heads stay on top.
    let heads = usize::from(pane == Pane::Contracts);
    let room = usize::from(inner.height);
    let chosen = lines.iter().rposition(|l| l.chosen).unwrap_or(0);
    let most = lines.len().saturating_sub(room);
    let top = (chosen + 1).saturating_sub(room).min(most);
    let order = lines.iter().take(heads).chain(lines.iter().skip(heads + top));
    for (y, line) in (inner.y..inner.bottom()).zip(order) {
        put(paint, Rect { y, height: 1, ..inner }, line);
    }
    if top < most {
        let key = paint.style(Meaning::Key);
        paint.text(inner.right() - 1, inner.bottom() - 1, 1, paint.glyph(Glyph::RowsBelow), key);
    }
    if top > 0 {
        let key = paint.style(Meaning::Key);
        paint.text(inner.right() - 1, inner.y + heads as u16, 1, paint.glyph(Glyph::RowsAbove), key);
    }
}

fn put(paint: &mut Paint<'_>, area: Rect, line: &Line) {
    if line.chosen {
        paint.fill(area, paint.style(Meaning::Selection));
    }
    for piece in &line.pieces {
        match piece {
            Piece::At(x, told, meaning) => {
                paint.text(area.x + x, area.y, area.width.saturating_sub(*x), told, paint.style(*meaning));
            }
            Piece::To(to, told, meaning) => {
                let to = (*to).min(area.width);
                let width = text::width(told).min(to);
                paint.text(area.x + to - width, area.y, width, told, paint.style(*meaning));
            }
            Piece::Bar(x, width, share, meaning) => {
                let width = (*width).min(area.width.saturating_sub(*x));
                bars::share(paint, area.x + x, area.y, width, *share, *meaning);
            }
        }
    }
    if let Some(hit) = &line.hit {
        paint.zone(area, hit.clone());
    }
}

/// The middle over time, and the books' fair price.
fn chart(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let say = |paint: &mut Paint<'_>, words: &str| {
        paint.text(area.x + 1, area.y, area.width.saturating_sub(1), words, paint.style(Meaning::Faint));
    };
    let Some(detail) = super::detail(app) else {
        say(paint, "reading");
        return;
    };
    let Some(all) = super::act::recorded(app).filter(|_| detail.middle.iter().any(|s| s.value.is_some())) else {
        say(paint, "no middle of it has been kept");
        return;
    };
    let span = app.pages.exchange.span.map_or_else(|| all.span(), |s| s.min(all.span()));
    let window = Window { from: all.to - span, to: all.to };
    let line = |name: &str, meaning, mark, steps: &Vec<_>| Series {
        name: name.to_owned(),
        meaning,
        mark,
        steps: steps.clone(),
    };
    let mut series = Vec::new();
    // Both names have to stand above the lines.
    let narrow = area.width < 50;
    if !detail.fair.is_empty() {
        series.push(line(if narrow { "fair" } else { "fair price of all" }, Meaning::ChartFair, "*", &detail.fair));
    }
    series.push(line(if narrow { "exchange" } else { "exchange's middle" }, Meaning::ChartBest, "o", &detail.middle));
    let values = series.iter().flat_map(|s| s.within(window));
    let signals: Vec<i64> = detail
        .signals
        .iter()
        .filter(|s| s.detail.label.is_some() && s.detail.exchange_probability.is_some())
        .map(|s| s.detected_at.millis())
        .collect();
    let tip = super::current(app).and_then(|l| l.game.listing.starts).map(|t| t.millis());
    chart_pane::draw(
        paint,
        area,
        &chart_pane::Chart {
            series: &series,
            window,
            range: chart_axis::range(values, 4.0),
            label: &|v| format!("{}%", format::points(v)),
            read: &|v| format!("{v:.1}%"),
            zone: app.prefs.zone(),
            open: None,
            tip,
            signals: &signals,
            cross: None,
        },
    );
}
