//! How a number came about: its derivation as a tree.

use ratatui::layout::Rect;

use super::tree::{self, Line, Node};
use crate::board::app::{App, Effect, Job, Outcome, Overlay, Page};
use crate::board::format::{self, Odds};
use crate::board::keys::{Action, Context, Key, Lookup};
use crate::board::pages::board;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::list;
use crate::board::widgets::popup::{self, Place};
use crate::engine::EngineSettings;
use crate::engine::appraise::{Appraisal, Appraiser};
use crate::engine::detect::signal::Signal;
use crate::engine::explain;
use crate::engine::opportunity::Untakeable;
use crate::engine::opportunity::card::Row;
use crate::engine::price::unit::UnitKey;
use crate::market::ids::EventId;
use crate::market::price::Price;
use crate::market::time::Timestamp;
use crate::store::analysis::AnalysisFilter;
use crate::store::{Reader, StoreError};

/// What is to be explained.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// What a book's price is worth, and the fair price that it is judged by.
    Quote {
        /// Event.
        event: EventId,
        /// Question.
        key: UnitKey,
        /// Book key.
        book: String,
        /// Place of the side in the market's sides.
        place: u8,
    },
    /// A signal, by its id.
    Signal(String),
    /// The closing line value of a signal, by its id.
    Clv(String),
    /// The closes of an event, or of one question of it.
    Close {
        /// Event.
        event: EventId,
        /// Question; `None`: all.
        key: Option<UnitKey>,
    },
}

/// The overlay.
#[derive(Debug)]
pub struct Explain {
    roots: Vec<Node>,
    loaded: bool,
    lines: Vec<Line>,
    cursor: usize,
}

/// Explains what is under the cursor of the page.
pub fn cursor(app: &mut App) {
    let found = match app.page {
        Page::Board => board::current_cell(app).and_then(|(game, market, place, book)| {
            Some((game.who.id, market.key, place, app.slate().book(book)?.key.to_string()))
        }),
        Page::Game => crate::board::pages::game::explain_target(app)
            .and_then(|t| Some((t.event, t.key, t.place, app.slate().book(t.book?)?.key.to_string()))),
        Page::Tape => {
            match crate::board::pages::tape::explain_target(app) {
                Some(id) => explain(app, Target::Signal(id)),
                None => app.say("there is no signal under the cursor to explain"),
            }
            return;
        }
        Page::Clv => {
            match crate::board::pages::clv::explain_target(app) {
                Some(id) => explain(app, Target::Clv(id)),
                None => app.say("open the records behind a number and choose one of them"),
            }
            return;
        }
        Page::Exchange => crate::board::pages::exchange::explain_target(app),
        Page::Watch | Page::Ops => {
            app.say("nothing under the cursor can be explained here");
            return;
        }
    };
    match found {
        Some((event, key, place, book)) => explain(app, Target::Quote { event, key, book, place }),
        None => app.say("there is no price under the cursor to explain"),
    }
}

/// Explains something: opens the overlay and asks for the derivation.
pub fn explain(app: &mut App, target: Target) {
    let (until, settings, odds) = (app.until(), app.at.engine.clone(), app.prefs.odds);
    let version = app.pages.ops.kept.derived.ask(false);
    let job = Job::reading(
        "explain",
        move |reader| derive(reader, &settings, &target, until, odds),
        move |app, found| {
            // What could not be found is part of the answer; only a store that cannot be read is an error.
            if app.pages.ops.kept.derived.answer(version, found) {
                app.moved();
            }
        },
    );
    app.effect(Effect::Job(job));
    let mut overlay = Explain { roots: Vec::new(), loaded: false, lines: Vec::new(), cursor: 0 };
    overlay.lay(app);
    app.overlay(overlay);
}

fn none(why: impl Into<String>) -> Vec<Node> {
    vec![Node::leaf(why)]
}

fn derive(
    reader: &Reader,
    settings: &EngineSettings,
    target: &Target,
    until: Timestamp,
    odds: Odds,
) -> Result<Vec<Node>, StoreError> {
    match target {
        Target::Quote { event, key, book, place } => quote(reader, settings, (*event, *key, *place), book, until, odds),
        Target::Signal(id) => Ok(match signal(reader, id, until)? {
            Some(signal) => vec![tree::derivation(&explain::signal(&signal, &settings.rules), odds)],
            None => none("this signal was not known at the moment on show"),
        }),
        Target::Clv(id) => {
            let Some(signal) = signal(reader, id, until)? else {
                return Ok(none("this signal was not known at the moment on show"));
            };
            let filter = AnalysisFilter { event: Some(signal.event_id), ..AnalysisFilter::default() };
            let rows = reader.clv_rows(&filter)?;
            let Some(row) = rows.iter().find(|r| r.signal_id == signal.id && signal.commence_time <= until) else {
                return Ok(none("not graded yet: that happens at the first look after the start"));
            };
            let closes = reader.closes(&filter)?;
            let close = closes.iter().find(|c| c.key == signal.key);
            Ok(vec![tree::derivation(&explain::clv(row, close, &signal), odds)])
        }
        Target::Close { event, key } => {
            let filter = AnalysisFilter { event: Some(*event), until: Some(until), ..AnalysisFilter::default() };
            let closes = reader.closes(&filter)?;
            let chosen = closes.iter().filter(|c| key.is_none_or(|k| c.key == k));
            let found: Vec<Node> = chosen.map(|c| tree::derivation(&explain::close(c), odds)).collect();
            Ok(if found.is_empty() {
                none("no close yet: it is taken at the first look after the start")
            } else {
                found
            })
        }
    }
}

/// A signal in the version that stood at the moment on show.
fn signal(reader: &Reader, id: &str, until: Timestamp) -> Result<Option<Signal>, StoreError> {
    Ok(reader.signal_versions(id)?.into_iter().rfind(|s| s.updated_at <= until))
}

fn quote(
    reader: &Reader,
    settings: &EngineSettings,
    (event, key, place): (EventId, UnitKey, u8),
    book: &str,
    until: Timestamp,
    odds: Odds,
) -> Result<Vec<Node>, StoreError> {
    let names = reader.names()?;
    let Some(then) = reader.event_as_of(event, until)? else {
        return Ok(none("this game was not known at the moment on show"));
    };
    let points: Vec<_> = reader.points(event, until, until)?.into_iter().map(|p| p.point).collect();
    let mut appraiser = Appraiser::new(settings.clone(), names.clone());
    let all = appraiser.event(then.row, then.quotes, until, &points);
    let Some(a) = all.iter().find(|a| a.key == key) else {
        return Ok(none("this market cannot be calculated with: it has no outcomes that exclude each other"));
    };
    let mut roots = vec![price(a, book, place, odds)];
    roots.push(tree::derivation(&explain::fair(a, Some(book)), odds));
    for o in &a.opportunities {
        if o.legs.iter().any(|l| names.book(l.book) == book) {
            roots.push(Node { open: false, ..tree::derivation(&explain::opportunity(a, o, &names), odds) });
        }
    }
    roots.push(Node { open: false, ..tree::derivation(&explain::consensus(a), odds) });
    Ok(roots)
}

/// What one price is worth.
fn price(a: &Appraisal, book: &str, place: u8, odds: Odds) -> Node {
    let side = a.layout.sides().get(usize::from(place)).copied();
    let name = side.map_or("", crate::store::query::side_name);
    let row = a.cards.iter().find(|c| c.side == name).and_then(|c| c.rows.iter().find(|r| r.book == book));
    let Some(row) = row else {
        return Node::leaf(format!("{book} has no price for this side: what follows is the fair price without it"));
    };
    let quoted = Price::decimal(row.price).map_or_else(|_| format!("{:.3}", row.price), |p| format::price(p, odds));
    let line = row.line.map_or_else(String::new, |l| format!(" {l:+}"));
    let mut kids = Vec::new();
    match (row.fair_probability, row.odds, row.ev) {
        (Some(p), Some(d), Some(ev)) => {
            kids.push(Node::leaf(format!("fair probability at this line without {book}'s family  {:.2} %", 100.0 * p)));
            kids.push(Node::leaf(format!("decimal odds after fees  {d:.4}")));
            if let Some(edge) = row.edge {
                kids.push(Node::leaf(format!("edge = p x d - 1 = {p:.4} x {d:.4} - 1 = {edge:+.4}")));
            }
            kids.push(Node::leaf(format!("EV on a stake of 1, pushes counted  {} %", format::signed_percent(ev))));
            if let Some(kelly) = row.kelly {
                kids.push(Node::leaf(format!("full Kelly share of the bankroll  {:.2} %", 100.0 * kelly)));
            }
        }
        _ => kids.push(Node::leaf("no EV: there is no fair price without this book's family to judge it by")),
    }
    if row.suspect {
        kids.push(Node::leaf("too good to be believed, or farther from the others than a model carries a price"));
    }
    kids.push(Node::leaf(taken(row)));
    Node::of(format!("This price: {book} {name}{line} {quoted}"), true, kids)
}

/// Whether it can be taken.
fn taken(row: &Row) -> String {
    let why = match row.untakeable {
        None => return "it can be taken".into(),
        Some(Untakeable::OutOfReach) => "no bets are placed at this book",
        Some(Untakeable::TooOld) => "the provider has not seen it at the book for too long",
        Some(Untakeable::Reopened) => "it is back after a suspension and not confirmed yet",
        Some(Untakeable::Flawed) => "the data contradicts itself",
        Some(Untakeable::NotOneBook) => "the book's own prices sum to less than 1: one of them is an error",
        Some(Untakeable::Fee) => "nothing is left of the price after the fee",
    };
    format!("it cannot be taken: {why}")
}

impl Explain {
    fn outer(app: &App) -> Rect {
        let area = crate::board::chrome::body(app);
        popup::place(area, Place::Middle, (area.width.saturating_sub(8).min(108), area.height))
    }

    fn screen(app: &App) -> usize {
        usize::from(popup::inside(Self::outer(app)).height)
    }

    fn lay(&mut self, app: &App) {
        self.lines = tree::lines(&self.roots, popup::inside(Self::outer(app)).width);
        self.cursor = self.cursor.min(self.lines.len().saturating_sub(1));
    }

    /// Opens or folds the entry under the cursor; an entry with nothing under it folds what it is under.
    fn toggle(&mut self, app: &App) {
        let Some(line) = self.lines.get(self.cursor) else { return };
        let mut path = line.path.clone();
        loop {
            match tree::at(&mut self.roots, &path) {
                Some(node) if !node.kids.is_empty() => {
                    node.open = !node.open;
                    break;
                }
                _ if path.len() > 1 => {
                    path.pop();
                }
                _ => return,
            }
        }
        self.lay(app);
        let at = self.lines.iter().position(|l| l.path == path);
        self.cursor = at.unwrap_or(self.cursor);
    }

    fn set_open(&mut self, app: &App, open: bool) {
        let Some(line) = self.lines.get(self.cursor) else { return };
        let path = line.path.clone();
        match tree::at(&mut self.roots, &path) {
            Some(node) if !node.kids.is_empty() && node.open != open => self.toggle(app),
            // To the left of a leaf is what it is under.
            _ if !open && path.len() > 1 => {
                let above = path.get(..path.len() - 1).unwrap_or_default();
                if let Some(at) = self.lines.iter().position(|l| l.path == above) {
                    self.cursor = at;
                }
            }
            _ => {}
        }
    }
}

impl Overlay for Explain {
    fn context(&self) -> Context {
        Context::List
    }

    fn act(&mut self, app: &mut App, action: Action) -> Outcome {
        match action {
            Action::Back | Action::Explain => return Outcome::Close,
            Action::Open | Action::Mark => self.toggle(app),
            Action::Left => self.set_open(app, false),
            Action::Right => self.set_open(app, true),
            Action::Copy | Action::CopyRow => {
                app.effect(Effect::Copy(tree::text(&self.roots)));
                app.say("the derivation was copied");
            }
            _ => {
                if let Some(to) = list::moved(self.cursor, self.lines.len(), Self::screen(app), action) {
                    self.cursor = to;
                }
            }
        }
        Outcome::Stay
    }

    fn key(&mut self, app: &mut App, key: Key) -> Outcome {
        match app.keys.lookup(app.page.context(), &[key]) {
            Lookup::Action(action @ (Action::Copy | Action::CopyRow | Action::Explain)) => self.act(app, action),
            _ => Outcome::Stay,
        }
    }

    fn click(&mut self, app: &mut App, hit: Hit, _: bool) -> Outcome {
        if let Hit::Item(at) = hit {
            self.cursor = at.min(self.lines.len().saturating_sub(1));
            self.toggle(app);
        }
        Outcome::Stay
    }

    fn refresh(&mut self, app: &mut App) {
        let slot = &app.pages.ops.kept.derived;
        if !self.loaded && !slot.is_running() {
            self.loaded = true;
            self.roots = match (&slot.data, &slot.error) {
                (Some(nodes), _) => nodes.to_vec(),
                (None, Some(why)) => none(format!("this cannot be explained: {why}")),
                (None, None) => Vec::new(),
            };
        }
        self.lay(app);
    }

    fn draw(&self, app: &App, paint: &mut Paint<'_>, _: Rect) {
        let outer = Self::outer(app);
        let zone = app.prefs.zone();
        let at = app.until();
        let title = format!("How this came about, as of {} {}", zone.hms(at), zone.abbreviation(at));
        let inner = popup::draw(paint, outer, &title, "enter folds  y copies  esc closes");
        if !self.loaded {
            paint.text(inner.x, inner.y, inner.width, "reading the store", paint.style(Meaning::Muted));
            return;
        }
        let top = list::top(self.cursor, self.lines.len(), usize::from(inner.height));
        for (row, (at, line)) in self.lines.iter().enumerate().skip(top).take(usize::from(inner.height)).enumerate() {
            let place = Rect { y: inner.y + row as u16, height: 1, ..inner };
            if at == self.cursor {
                paint.fill(place, paint.style(Meaning::Selection));
            }
            let x = place.x + (line.path.len() as u16 - 1) * 2;
            if let Some(Some(open)) = line.fold {
                let glyph = paint.glyph(if open { Glyph::Open } else { Glyph::Folded });
                paint.text(x, place.y, 1, glyph, paint.style(Meaning::Muted));
            }
            let meaning = if line.path.len() == 1 { Meaning::Title } else { Meaning::Text };
            let room = place.right().saturating_sub(x + 2);
            paint.text(x + 2, place.y, room, &line.text, paint.style(meaning));
            paint.zone(place, Hit::Item(at));
        }
        list::scroll_bar(paint, Rect { x: outer.right() - 1, width: 1, ..inner }, top, self.lines.len());
    }
}
