//! The evidence of one signal: what to take, who moved and in which order, what the looks can tell and what not, why the
//! score is what it is, and what became of it.

use ratatui::layout::Rect;

use super::row::{self, Row};
use crate::board::app::App;
use crate::board::chrome;
use crate::board::format;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Glyphs, Meaning};
use crate::board::widgets::{bars, text};
use crate::engine::detect::signal::{Entry, Evidence, Signal, SignalType};
use crate::engine::explain::words;
use crate::engine::grade::clv::ClvRow;

/// A piece of a line: its column, what it says, how it looks.
type Piece = (u16, String, Meaning);

/// One line of the evidence.
#[derive(Clone, PartialEq, Debug, Default)]
struct Line {
    pieces: Vec<Piece>,
    /// A share drawn as a bar at this column.
    bar: Option<(u16, f64)>,
}

fn line(text: impl Into<String>, meaning: Meaning) -> Line {
    Line { pieces: vec![(1, text.into(), meaning)], bar: None }
}

fn of(pieces: Vec<Piece>) -> Line {
    Line { pieces, bar: None }
}

/// Lines of the evidence that fit.
pub fn height(app: &App) -> isize {
    let area = chrome::body(app);
    super::list::parts(app, area).evidence.map_or(1, |e| isize::try_from(e.height.saturating_sub(2)).unwrap_or(1))
}

/// Lines that there are, at the width of the present frame.
pub fn lines_in_all(app: &App) -> usize {
    let area = chrome::body(app);
    let width = super::list::parts(app, area).evidence.map_or(area.width, |e| e.width);
    super::current(app).map_or(0, |row| lines(app, row, width.saturating_sub(1)).len())
}

/// Draws the pane. `split`: beside the list.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect, split: bool) {
    let Some(row) = super::current(app) else { return };
    paint.clear(area, paint.style(Meaning::Text));
    let mut inner = area;
    if split {
        let meaning = if app.pages.tape.reading { Meaning::BorderFocus } else { Meaning::Border };
        for y in area.top()..area.bottom() {
            paint.text(area.x, y, 1, paint.glyph(Glyph::Column), paint.style(meaning));
        }
        inner.x += 1;
        inner.width -= 1;
    }
    paint.zone(area, Hit::Pane(0));
    let s = &row.signal;
    let x = inner.x + 1;
    let room = inner.width.saturating_sub(2);
    let taken = paint.text(x, inner.y, room, row::kind(s.kind), paint.style(row::kind_meaning(s.kind))) + 2;
    let moved = row.moved(paint.glyph(Glyph::Arrow));
    paint.text(x + taken, inner.y, room.saturating_sub(taken), &moved, paint.style(Meaning::Title));
    let game = format!("{}  {}", row.game(room.saturating_sub(text::width(&row.market()) + 2)), row.market());
    let second = Rect { y: inner.y + 1, height: 1, ..inner };
    paint.text(x, second.y, room, &game, paint.style(Meaning::Text));
    paint.zone(second, Hit::Game(s.event_id));
    let body = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
    let all = lines(app, row, inner.width);
    let top = app.pages.tape.scroll.min(all.len().saturating_sub(usize::from(body.height)));
    for (y, line) in (body.top()..body.bottom()).zip(all.iter().skip(top)) {
        for (at, told, meaning) in &line.pieces {
            let room = (body.right() - 1).saturating_sub(body.x + at);
            paint.text(body.x + at, y, room, told, paint.style(*meaning));
        }
        if let Some((at, share)) = line.bar {
            let width = 16.min((body.right() - 1).saturating_sub(body.x + at));
            bars::share(paint, body.x + at, y, width, share, Meaning::Bar);
        }
    }
    let edge = body.right() - 1;
    if top > 0 {
        paint.text(edge, body.y, 1, paint.glyph(Glyph::RowsAbove), paint.style(Meaning::Key));
    }
    if top + usize::from(body.height) < all.len() {
        paint.text(edge, body.bottom() - 1, 1, paint.glyph(Glyph::RowsBelow), paint.style(Meaning::Key));
    }
}

fn lines(app: &App, row: &Row, width: u16) -> Vec<Line> {
    let s = &row.signal;
    let glyphs = app.looks.glyphs;
    let zone = app.prefs.zone();
    let lead = if s.minutes_to_tip < 0.0 {
        format!("{} after the start", row::minutes(-s.minutes_to_tip))
    } else {
        format!("{} before the start", row::minutes(s.minutes_to_tip))
    };
    let when = format!("{}, {lead} at {}", zone.hms(s.detected_at), zone.start(s.commence_time, app.now()));
    let mut all = vec![line(when, Meaning::Muted), Line::default(), line("Take", Meaning::Header)];
    take(app, row, &mut all);
    all.push(Line::default());
    all.push(line("What became of it", Meaning::Header));
    outcome(app, row, &mut all);
    all.push(Line::default());
    moved(app, row, width, &mut all);
    all.push(Line::default());
    all.push(line("What the looks can tell", Meaning::Header));
    sampling(s, &mut all);
    all.push(Line::default());
    scores(s, &mut all);
    keys(s, &mut all);
    versions(app, row, glyphs, &mut all);
    wrapped(all, width)
}

/// Single texts that are too wide go on in further lines.
fn wrapped(all: Vec<Line>, width: u16) -> Vec<Line> {
    let mut out = Vec::with_capacity(all.len());
    for line in all {
        let [(at, told, meaning)] = &line.pieces[..] else {
            out.push(line);
            continue;
        };
        let room = width.saturating_sub(at + 1).max(16);
        if text::width(told) <= room || line.bar.is_some() {
            out.push(line);
            continue;
        }
        let mut rest = String::new();
        for word in told.split(' ') {
            if !rest.is_empty() && text::width(&rest) + 1 + text::width(word) > room {
                out.push(of(vec![(*at, std::mem::take(&mut rest), *meaning)]));
            }
            if !rest.is_empty() {
                rest.push(' ');
            }
            rest.push_str(word);
        }
        out.push(of(vec![(*at, rest, *meaning)]));
    }
    out
}

fn take(app: &App, row: &Row, all: &mut Vec<Line>) {
    let s = &row.signal;
    let Some(side) = row.take() else {
        all.push(line("no side: it says what happened, not what to take", Meaning::Muted));
        return;
    };
    let offered = |entry: &Entry| {
        let price = row::price(entry, app.prefs.odds);
        let mut pieces = vec![
            (1, side.clone(), Meaning::Text),
            (15, format!("{price:>6}"), Meaning::Text),
            (23, row::book_title(&entry.book), Meaning::Text),
        ];
        if let Some((ev, meaning)) = row::ev(entry) {
            pieces.push((38, format!("EV {ev:>5} %"), meaning));
        }
        of(pieces)
    };
    match &s.entry {
        Some(entry) => {
            all.push(offered(entry));
            let age = format::ago((entry.age_seconds * 1000.0) as i64);
            let fair = entry.fair_probability.map_or_else(
                || "no fair price without this book".to_owned(),
                |p| format!("fair {:.1} % without this book", p * 100.0),
            );
            all.push(line(format!("seen at the book {age} before the signal, {fair}"), Meaning::Muted));
        }
        None => all.push(line(format!("{side}: nobody offered a price when it was made"), Meaning::Muted)),
    }
    if let Some(now) = &s.entry_now {
        all.push(line(format!("at the last update, {}:", app.prefs.zone().hms(s.updated_at)), Meaning::Muted));
        all.push(offered(now));
    }
}

fn outcome(app: &App, row: &Row, all: &mut Vec<Line>) {
    let s = &row.signal;
    let data = app.pages.tape.slot.data.as_ref();
    let clv = data.and_then(|d| d.clv.get(&s.id)).filter(|c| c.graded_at <= app.until());
    match clv {
        Some(clv) => closed(row, clv, all),
        None if app.now() < s.commence_time => {
            let start = app.prefs.zone().start(s.commence_time, app.now());
            all.push(line(format!("graded against the close once the game starts, {start}"), Meaning::Muted));
        }
        None => all.push(line("not graded yet: the game should have started", Meaning::Muted)),
    }
}

fn closed(row: &Row, clv: &ClvRow, all: &mut Vec<Line>) {
    if let Some(why) = clv.left_out {
        let why = clv.close.reason.map_or_else(|| words::no_clv(why), words::no_close);
        all.push(line(format!("not graded: {why}"), Meaning::Muted));
        return;
    }
    let mut pieces = Vec::new();
    if let Some(ev) = clv.clv_ev {
        let meaning = if ev > 0.0 { Meaning::GradeGood } else { Meaning::GradeBad };
        pieces.push((1, format!("CLV {} %", format::signed_percent(ev)), meaning));
    }
    if let Some(points) = clv.clv_points {
        pieces.push((15, format!("{points:+} points"), Meaning::Text));
    }
    let close = row.line(clv.close.line).map_or_else(String::new, |l| format!("close {l}  "));
    let grade = clv.close.grade.map_or("none", |g| g.name());
    pieces.push((28, format!("{close}grade {grade}"), Meaning::Text));
    all.push(of(pieces));
    if let Some(fair) = clv.close.fair_probability {
        let book = clv.close.price.map_or_else(
            || "the book had no such line at the close".to_owned(),
            |price| format!("the book closed at {}", format::decimal(price)),
        );
        all.push(line(format!("fair {:.1} % at the close, {book}", fair * 100.0), Meaning::Muted));
    }
}

/// The order in which books are told: as they moved, then those that did not.
fn in_order(evidence: &[Evidence]) -> Vec<&Evidence> {
    let mut sorted: Vec<&Evidence> = evidence.iter().collect();
    sorted.sort_by(|a, b| {
        let key = |e: &Evidence| (e.order.unwrap_or(u16::MAX), e.moved_at.is_none(), e.moved_at);
        key(a).cmp(&key(b)).then_with(|| a.book.cmp(&b.book))
    });
    sorted
}

fn moved(app: &App, row: &Row, width: u16, all: &mut Vec<Line>) {
    let s = &row.signal;
    let arrow = app.looks.glyphs.get(Glyph::Arrow);
    let led = match (&s.detail.leader, s.kind) {
        (Some(book), _) => format!("{} led", row::book_title(book)),
        (None, SignalType::Dislocation) => {
            let book = s.detail.book.as_deref().map_or("one book".to_owned(), row::book_title);
            format!("{book} against the others")
        }
        (None, SignalType::ExchangeDivergence) => {
            let book = s.detail.book.as_deref().map_or("the exchange".to_owned(), row::book_title);
            format!("{book} against the books")
        }
        (None, _) => "nobody can be named as leader".to_owned(),
    };
    let count = format!("{} of {} moved this way, {} the other", s.books_affected, s.panel, s.opposers);
    let head = match s.kind {
        SignalType::Dislocation | SignalType::ExchangeDivergence => format!("Who moved   {led}"),
        _ => format!("Who moved   {led}, {count}"),
    };
    all.push(line(head, Meaning::Header));
    for label in s.detail.label.iter().chain(&s.detail.labels) {
        all.push(line(words::label(label), Meaning::Muted));
    }
    if let Some(p) = s.detail.exchange_probability {
        let apart = s.detail.delta.filter(|_| s.unit == "probability");
        let apart = apart.map_or_else(String::new, |d| format!(", {:+.1} points from the books", d * 100.0));
        all.push(line(format!("the exchange gives {} {:.1} %{apart}", row.first_side(), p * 100.0), Meaning::Text));
        let lag = match s.detail.lag_seconds {
            Some(lag) => format!("the second to move came {} after the first", row::minutes(lag / 60.0)),
            None => "how long the second to move took cannot be told: one of them did not move, or the looks overlap"
                .to_owned(),
        };
        all.push(line(lag, Meaning::Muted));
    }
    if s.evidence.is_empty() {
        all.push(line("no book of a panel stands behind it", Meaning::Muted));
        return;
    }
    let probability = s.unit == "probability";
    let wide = width >= 70;
    let whose = row.first_side();
    let (stands_at, change_at, time_at) = if wide { (22, 47, 58) } else { (18, 42, 50) };
    let mut head = vec![
        (5, "Book".to_owned(), Meaning::Faint),
        (stands_at, format!("before {arrow} after, {whose}"), Meaning::Faint),
    ];
    head.push((change_at, format!("{:>7}", "change"), Meaning::Faint));
    head.push((time_at, "moved".to_owned(), Meaning::Faint));
    all.push(of(head));
    let zone = app.prefs.zone();
    for e in in_order(&s.evidence) {
        let order = e.order.map_or_else(|| "  -".to_owned(), |n| format!("{n:>3}"));
        let main = if e.order.is_some() { Meaning::Text } else { Meaning::Muted };
        let change = if probability { format!("{:>+7.1}", e.change * 100.0) } else { format!("{:>+7.2}", e.change) };
        let change = if e.change.abs() < 0.000_5 { format!("{:>7}", "0") } else { change };
        let meaning = if e.order.is_none() {
            Meaning::Muted
        } else if e.change > 0.0 {
            Meaning::Up
        } else {
            Meaning::Down
        };
        let when = e.moved_at.map_or_else(|| "no move".to_owned(), |at| zone.hms(at));
        let before = row.stand(&e.before, app.prefs.odds);
        let after = row.stand(&e.after, app.prefs.odds);
        let title = row::book_title(&e.book);
        all.push(of(vec![
            (1, order, Meaning::Muted),
            (5, text::fit(&title, stands_at - 6, app.looks.glyphs.is_ascii()).into_owned(), main),
            (stands_at, format!("{before:>10} {arrow} {after:>10}"), main),
            (change_at, change, meaning),
            (time_at, when, Meaning::Muted),
        ]));
    }
    if !s.evidence.is_empty() {
        all.push(line(words::sharp(s.sharp), Meaning::Muted));
    }
}

fn sampling(s: &Signal, all: &mut Vec<Line>) {
    let p = &s.sampling;
    let span = |seconds: f64| row::minutes(seconds / 60.0);
    if p.limit_seconds <= 0.0 {
        all.push(line("judged at one look: it compares books, not moments", Meaning::Text));
        return;
    }
    all.push(line(
        format!(
            "{} looks in {}, the longest gap {}; this detector can judge gaps up to {}",
            p.looks,
            row::minutes(s.window_minutes),
            span(p.longest_gap_seconds),
            span(p.limit_seconds)
        ),
        Meaning::Text,
    ));
    all.push(line(
        "a move lies somewhere between two looks: books that moved between the same two share a place, and what came \
         and went between them was not seen",
        Meaning::Muted,
    ));
}

fn scores(s: &Signal, all: &mut Vec<Line>) {
    let c = &s.components;
    let part = |name: &'static str, value: Option<f64>| value.map(|v| (name, v));
    let strength: Vec<_> = [
        part("base", c.base),
        part("size", c.magnitude),
        part("speed", c.speed),
        part("books", c.books),
        part("time to start", c.timing),
        part("books agree", c.dispersion),
    ]
    .into_iter()
    .flatten()
    .collect();
    all.push(line(format!("Strength {}", s.strength), Meaning::Header));
    parts(&strength, all);
    all.push(Line::default());
    all.push(line(format!("Score {} {}", s.composite, s.tier.name()), Meaning::Header));
    let composite: Vec<_> = [
        part("strength", c.composite_strength),
        part("speed", c.composite_velocity),
        part("movers", c.composite_movers),
        part("sharp books", c.composite_sharp),
        part("time to start", c.composite_timing),
        part("record", c.composite_record),
        part("entry not fresh", c.composite_stale_entry),
    ]
    .into_iter()
    .flatten()
    .collect();
    parts(&composite, all);
    all.push(line(words::score_source(s.score_source), Meaning::Muted));
}

/// Parts of a score, each with its points and a bar of forty points.
fn parts(parts: &[(&'static str, f64)], all: &mut Vec<Line>) {
    const FULL: f64 = 40.0;
    for (name, value) in parts {
        let meaning = if *value < 0.0 { Meaning::Negative } else { Meaning::Text };
        let value = if value.abs() < 0.05 { 0.0 } else { *value };
        all.push(Line {
            pieces: vec![(1, (*name).to_owned(), Meaning::Muted), (17, format!("{value:>+6.1}"), meaning)],
            bar: Some((25, value / FULL)),
        });
    }
}

fn keys(s: &Signal, all: &mut Vec<Line>) {
    let d = &s.detail;
    if d.keys.is_empty() && d.mass.is_none() {
        return;
    }
    all.push(Line::default());
    all.push(line("Key numbers", Meaning::Header));
    for key in &d.keys {
        all.push(line(format!("{} crossed, weight {:.2}", key.number, key.weight), Meaning::Text));
    }
    if let Some(mass) = d.mass {
        let told = format!("the result falls on what was crossed in {:.1} % of games", mass * 100.0);
        all.push(line(told, Meaning::Muted));
    }
}

fn versions(app: &App, row: &Row, glyphs: Glyphs, all: &mut Vec<Line>) {
    let s = &row.signal;
    if let Some(id) = &s.supersedes {
        all.push(Line::default());
        all.push(line(format!("takes the place of the weaker signal {id} of the same move"), Meaning::Muted));
    }
    if s.version < 2 {
        return;
    }
    all.push(Line::default());
    all.push(line("Versions", Meaning::Header));
    let opened = app.pages.tape.opened.data.as_ref().filter(|o| o.id == s.id);
    let Some(opened) = opened else {
        let told = match &app.pages.tape.opened.error {
            Some(why) => text::plain(why),
            None => "reading".to_owned(),
        };
        all.push(line(told, Meaning::Muted));
        return;
    };
    for v in &opened.versions {
        let told = Row::moved(&Row { signal: v.clone(), ..row.clone() }, glyphs.get(Glyph::Arrow));
        all.push(of(vec![
            (1, format!("{:>2}", v.version), Meaning::Muted),
            (5, app.prefs.zone().hms(v.updated_at), Meaning::Muted),
            (15, format!("strength {:>3}  score {:>3} {}", v.strength, v.composite, v.tier.name()), Meaning::Text),
            (46, told, Meaning::Muted),
        ]));
    }
}
