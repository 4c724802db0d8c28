//! Finding as one types: games, teams, books, watchlists and signals of what is on show.

use ratatui::layout::Rect;

use super::palette::ranked;
use crate::board::app::{App, Effect, Job, Outcome, Overlay, Page};
use crate::board::format;
use crate::board::keys::{Action, Context, Key};
use crate::board::pages::{self, board};
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::input::TextLine;
use crate::board::widgets::popup::{self, Place};
use crate::board::widgets::{list, text};
use crate::filter::fold;
use crate::market::ids::EventId;
use crate::store::analysis::AnalysisFilter;

/// Signals are looked for this far back. Milliseconds.
const BACK_MS: i64 = 24 * 3_600_000;
/// At most so many of them, the newest.
const MOST: u32 = 300;

#[derive(Clone, PartialEq, Eq, Debug)]
enum Goal {
    Game(EventId),
    Book(String),
    List(String),
    Signal { id: String, event: EventId, market: String },
}

#[derive(Clone, Debug)]
struct Row {
    kind: &'static str,
    told: String,
    note: String,
    goal: Goal,
}

/// The overlay.
#[derive(Debug)]
pub struct Find {
    line: TextLine,
    all: Vec<Row>,
    shown: Vec<Row>,
    cursor: usize,
    /// What was marked before.
    before: String,
}

/// Opens it.
pub fn open(app: &mut App) {
    super::filter::ask_words(app);
    ask(app);
    let before = std::mem::take(&mut app.pages.board.found);
    let mut find = Find { line: TextLine::default(), all: all(app), shown: Vec::new(), cursor: 0, before };
    find.look();
    app.overlay(find);
}

/// Asks for the signals up to the moment on show.
fn ask(app: &mut App) {
    let until = app.until();
    let version = app.pages.ops.kept.signals.ask(true);
    let job = Job::reading(
        "signals to find",
        move |reader| {
            let filter = AnalysisFilter {
                since: Some(until.plus(-BACK_MS)),
                until: Some(until),
                limit: Some(MOST),
                ..AnalysisFilter::default()
            };
            reader.signals(&filter)
        },
        move |app, found| {
            if app.pages.ops.kept.signals.answer(version, found) {
                app.moved();
            }
        },
    );
    app.effect(Effect::Job(job));
}

fn all(app: &App) -> Vec<Row> {
    let (slate, zone, now) = (app.slate(), app.prefs.zone(), app.now());
    let mut rows: Vec<Row> = Vec::new();
    for game in &slate.games {
        let who = &game.who;
        rows.push(Row {
            kind: "game",
            told: text::plain(&format!("{} @ {}", who.away, who.home)),
            note: format!("{} {}", who.sport_short, zone.start(game.commence, now)),
            goal: Goal::Game(who.id),
        });
    }
    for book in slate.books.iter() {
        let hidden = app.prefs.hidden_books.iter().any(|h| **h == *book.key);
        let note = if hidden { format!("{} hidden", book.short) } else { book.short.to_string() };
        rows.push(Row { kind: "book", told: text::plain(&book.title), note, goal: Goal::Book(book.key.to_string()) });
    }
    let lists = app.pages.ops.kept.words.lists.iter();
    rows.extend(lists.map(|name| Row {
        kind: "list",
        told: text::plain(name),
        note: String::new(),
        goal: Goal::List(name.clone()),
    }));
    let Some(signals) = &app.pages.ops.kept.signals.data else { return rows };
    for signal in signals.iter().rev() {
        rows.push(Row {
            kind: "signal",
            told: text::plain(&format!(
                "{} {} {}",
                signal.kind.name(),
                signal.selection,
                format::market_title(&signal.market).to_lowercase()
            )),
            note: format!("{} ago", format::ago(now.since(signal.detected_at))),
            goal: Goal::Signal { id: signal.id.clone(), event: signal.event_id, market: signal.market.clone() },
        });
    }
    rows
}

impl Find {
    fn look(&mut self) {
        self.cursor = 0;
        let wanted = self.line.text().trim();
        self.shown = if wanted.is_empty() {
            self.all.clone()
        } else {
            ranked(wanted, self.all.iter().map(|r| (r, format!("{} {}", r.told, r.note))))
                .into_iter()
                .cloned()
                .collect()
        };
    }

    fn typed(&mut self, app: &mut App) {
        // What is marked on the board follows the typing.
        self.line.text().trim().clone_into(&mut app.pages.board.found);
        self.look();
    }

    fn take(&mut self, app: &mut App) -> Outcome {
        let Some(row) = self.shown.get(self.cursor).cloned() else { return Outcome::Stay };
        go(app, &row.goal);
        Outcome::Close
    }

    fn height(area: Rect) -> u16 {
        area.height.saturating_sub(2).min(14)
    }
}

/// Goes to what was found.
fn go(app: &mut App, goal: &Goal) {
    match goal {
        Goal::Game(event) => game(app, *event),
        Goal::Book(key) => {
            let hidden = app.prefs.hidden_books.iter().any(|h| h == key);
            if hidden {
                app.prefs.hidden_books.retain(|h| h != key);
                app.keep_prefs();
                app.say("that book was hidden: it is shown again");
            }
            let at = board::columns::books(app.slate(), &app.prefs).iter().position(|b| *b.key == **key);
            app.pages.board.book = at.unwrap_or(app.pages.board.book);
            app.go(Page::Board);
            app.moved();
        }
        Goal::List(name) => {
            app.prefs.list = Some(name.clone());
            app.keep_prefs();
            app.go(Page::Board);
            app.moved();
        }
        Goal::Signal { id, event, market } => {
            app.go(Page::Tape);
            // Its evidence, where the tape has it; else the game and market that it is about.
            if !pages::click(app, &Hit::Signal(id.clone()), true) {
                app.show_market(market);
                game(app, *event);
            }
        }
    }
}

/// Puts the cursor of the board on a game.
fn game(app: &mut App, event: EventId) {
    let place = app.pages.board.follows.map_or(0, |(_, at)| at);
    let slate = app.slate().clone();
    let found = app.pages.board.rows.find(&slate, event, place);
    if found.is_none() {
        let known = slate.game(event).is_some();
        let why = if known { "that game is filtered out: F shows all games" } else { "that game is no longer on show" };
        app.say(why);
    }
    if let Some(line) = found {
        app.pages.board.line = line;
        app.pages.board.follows = Some((event, place));
    }
    app.go(Page::Board);
}

/// The next match on the board, or the one before, round and round.
pub fn step(app: &mut App, forward: bool) {
    let wanted = fold(&app.pages.board.found);
    if wanted.is_empty() {
        app.say("nothing is looked for: / finds");
        return;
    }
    let slate = app.slate().clone();
    let hits = |at: usize| {
        slate.games.get(at).is_some_and(|g| [&g.who.home, &g.who.away].iter().any(|t| fold(t).contains(&wanted)))
    };
    let page = &app.pages.board;
    let mut matches: Vec<usize> = Vec::new();
    let mut last = None;
    for (line, row) in page.rows.lines.iter().enumerate() {
        if let board::rows::Line::Side { game, .. } = row
            && last != Some(*game)
            && hits(*game)
        {
            last = Some(*game);
            matches.push(line);
        }
    }
    // The lines of one game are one match.
    let here = board::current(app).map(|g| g.who.id);
    let is_here = |line: usize| match page.rows.lines.get(line) {
        Some(board::rows::Line::Side { game, .. }) => slate.games.get(*game).map(|g| g.who.id) == here,
        _ => false,
    };
    let next = if forward {
        matches.iter().find(|m| **m > page.line && !is_here(**m)).or(matches.first())
    } else {
        matches.iter().rev().find(|m| **m < page.line && !is_here(**m)).or(matches.last())
    };
    match next.copied() {
        Some(line) => {
            if app.page != Page::Board {
                app.go(Page::Board);
            }
            let at = matches.iter().position(|m| *m == line).unwrap_or(0) + 1;
            let told = format!("match {at} of {}", matches.len());
            let by = line as isize - app.pages.board.line as isize;
            board::act::step(app, by);
            app.say(told);
        }
        None => {
            let told = format!("no game on show has '{}' in it", app.pages.board.found);
            app.say(told);
        }
    }
}

impl Overlay for Find {
    fn context(&self) -> Context {
        Context::Text
    }

    fn act(&mut self, app: &mut App, action: Action) -> Outcome {
        match action {
            Action::Back => {
                self.before.clone_into(&mut app.pages.board.found);
                Outcome::Close
            }
            Action::Open => self.take(app),
            _ => {
                let screen = usize::from(Self::height(crate::board::chrome::body(app)).saturating_sub(1));
                if let Some(to) = list::moved(self.cursor, self.shown.len(), screen, action) {
                    self.cursor = to;
                }
                Outcome::Stay
            }
        }
    }

    fn key(&mut self, app: &mut App, key: Key) -> Outcome {
        if self.line.key(key) {
            self.typed(app);
        }
        Outcome::Stay
    }

    fn paste(&mut self, app: &mut App, told: &str) -> Outcome {
        self.line.paste(told);
        self.typed(app);
        Outcome::Stay
    }

    fn click(&mut self, app: &mut App, hit: Hit, _: bool) -> Outcome {
        let Hit::Item(at) = hit else { return Outcome::Stay };
        self.cursor = at.min(self.shown.len().saturating_sub(1));
        self.take(app)
    }

    fn refresh(&mut self, app: &mut App) {
        let goal = self.shown.get(self.cursor).map(|r| r.goal.clone());
        self.all = all(app);
        self.look();
        self.cursor = self.shown.iter().position(|r| Some(&r.goal) == goal.as_ref()).unwrap_or(0);
    }

    fn draw(&self, app: &App, paint: &mut Paint<'_>, area: Rect) {
        let outer = popup::place(area, Place::Bottom, (area.width, Self::height(area)));
        let inner = popup::draw(paint, outer, "Find", "enter goes there  n N go on");
        paint.text(inner.x, inner.y, 1, "/", paint.style(Meaning::Key));
        let line = Rect { x: inner.x + 2, width: inner.width.saturating_sub(2), height: 1, ..inner };
        self.line.draw(paint, line, None);
        let rows = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
        if self.shown.is_empty() {
            let told =
                if app.slate().loaded { "nothing on show has that in it" } else { "the market has not been read yet" };
            paint.text(rows.x, rows.y, rows.width, told, paint.style(Meaning::Muted));
        }
        let top = list::top(self.cursor, self.shown.len(), usize::from(rows.height));
        for (row, (at, entry)) in self.shown.iter().enumerate().skip(top).take(usize::from(rows.height)).enumerate() {
            let line = Rect { y: rows.y + row as u16, height: 1, ..rows };
            if at == self.cursor {
                paint.fill(line, paint.style(Meaning::Selection));
                paint.text(line.x, line.y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Title));
            }
            paint.text(line.x + 2, line.y, 6, entry.kind, paint.style(Meaning::Muted));
            let note = 14.min(line.width / 3);
            let room = line.width.saturating_sub(9 + note + 2);
            paint.text(line.x + 9, line.y, room, &entry.told, paint.style(Meaning::Text));
            paint.right(line.right().saturating_sub(note), line.y, note, &entry.note, paint.style(Meaning::Muted));
            paint.zone(line, Hit::Item(at));
        }
        list::scroll_bar(paint, Rect { x: outer.right() - 1, width: 1, ..rows }, top, self.shown.len());
    }
}
