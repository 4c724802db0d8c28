//! Which sports to follow and whose prices: two lists, ticked one after the other. What was ticked goes out as an effect
//! and into the settings file.
//!
//! Sports are those that the source lists, the ones in season first. Without its list, those of the table of sports.

use std::collections::BTreeSet;

use ratatui::layout::Rect;

use crate::board::app::{App, Effect, Follows, Offered, Outcome, Overlay};
use crate::board::keys::{Action, Context, Key};
use crate::board::link::Feeder;
use crate::board::overlays::palette::ranked;
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::input::TextLine;
use crate::board::widgets::popup::{self, Place};
use crate::board::widgets::{list, text};
use crate::market::books::{Book, Books};
use crate::market::sports::Sports;

/// Columns of the frame's inside, and rows at most.
const WIDTH: u16 = 74;
const HEIGHT: u16 = 22;
/// Books that cost as much as a region.
const BOOKS_PER_REGION: usize = 10;

/// Opens the lists over what the source offers; an empty offer is one that could not be had.
pub fn open(app: &mut App, offered: &[Offered]) {
    let why_not = match app.link.feeder {
        _ if app.is_demo() => Some("the simulated market has its own sports and books"),
        Feeder::Daemon { .. } | Feeder::Lost { silent: true, .. } => {
            Some("a daemon follows the market: choose in its settings file, and have it reload them")
        }
        _ => None,
    };
    match why_not {
        Some(why) => app.say(why),
        None => {
            let pick = Pick::new(&app.at.follows, offered);
            app.overlay(pick);
        }
    }
}

/// What was chosen is in force, or in force as far as it could be.
pub fn taken(app: &mut App, follows: Follows, file: &str, problem: Option<String>) {
    let books = match follows.books.len() {
        0 => format!("every book of {}", follows.regions.join(", ")),
        n => counted(n, "book"),
    };
    match problem {
        None => app.say(format!("following {} at {books}; kept in {file}", counted(follows.sports.len(), "sport"))),
        Some(why) => app.complain(why),
    }
    app.at.follows = follows;
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// A line that can be ticked.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Row {
    key: String,
    /// In a narrow column.
    short: String,
    name: String,
    note: String,
    /// Cannot be seen at the moment: out of season, of a region that was not asked for.
    aside: bool,
    on: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Sports,
    Books,
}

/// The overlay.
#[derive(Debug)]
struct Pick {
    step: Step,
    line: TextLine,
    sports: Vec<Row>,
    books: Vec<Row>,
    /// Places of the rows that pass what is typed.
    shown: Vec<usize>,
    cursor: usize,
    /// As they were.
    before: Follows,
    /// The books that were ticked at the beginning.
    began: BTreeSet<String>,
    complaint: Option<&'static str>,
}

/// Of a sport whose odds can be asked for. What is followed already is never missing.
fn sport_rows(follows: &Follows, offered: &[Offered]) -> Vec<Row> {
    let table = Sports::embedded();
    let row = |key: &str, name: &str, group: &str, season: Option<bool>| Row {
        key: key.to_owned(),
        short: text::plain(&table.resolve(key).short),
        // A title that only says the short name again gives way to what stands in the settings.
        name: text::plain(if name.is_empty() || name == table.resolve(key).short { key } else { name }),
        note: match season {
            Some(false) => "out of season".to_owned(),
            _ => text::plain(group),
        },
        aside: season == Some(false),
        on: follows.sports.iter().any(|s| s == key),
    };
    let mut rows: Vec<(bool, String, Row)> = if offered.is_empty() {
        table
            .keys()
            .map(|key| (false, table.resolve(key).group, row(key, key, &table.resolve(key).group, None)))
            .collect()
    } else {
        offered.iter().map(|o| (!o.active, o.group.clone(), row(&o.key, &o.title, &o.group, Some(o.active)))).collect()
    };
    for key in &follows.sports {
        if !rows.iter().any(|(.., r)| r.key == *key) {
            let note = if offered.is_empty() { "" } else { "not listed" };
            rows.push((false, String::new(), Row { note: note.to_owned(), ..row(key, key, "", None) }));
        }
    }
    rows.sort_by(|(off_a, group_a, a), (off_b, group_b, b)| {
        // What is followed comes first within its season.
        (off_a, !a.on, group_a, &a.name).cmp(&(off_b, !b.on, group_b, &b.name))
    });
    rows.into_iter().map(|(.., row)| row).collect()
}

fn book_rows(follows: &Follows) -> Vec<Row> {
    let in_region = |b: &Book| b.regions.iter().any(|r| follows.regions.iter().any(|f| f == r));
    let named = |key: &str| follows.books.iter().any(|b| b == key);
    let row = |b: &Book| Row {
        key: b.key.clone(),
        short: text::plain(&b.short),
        name: text::plain(&b.title),
        note: [b.kind.name(), &b.regions.join(" ")].join("  "),
        aside: false,
        on: if follows.books.is_empty() { in_region(b) } else { named(&b.key) },
    };
    let table = Books::embedded();
    let mut rows: Vec<Row> = table.iter().filter(|b| !b.retired || named(&b.key)).map(row).collect();
    rows.extend(follows.books.iter().filter(|k| table.get(k).is_none()).map(|k| row(&table.resolve(k))));
    rows.sort_by_key(|r| (!r.on, r.name.to_lowercase()));
    rows
}

impl Pick {
    fn new(follows: &Follows, offered: &[Offered]) -> Self {
        let (sports, books) = (sport_rows(follows, offered), book_rows(follows));
        let began = books.iter().filter(|b| b.on).map(|b| b.key.clone()).collect();
        let mut pick = Self {
            step: Step::Sports,
            line: TextLine::default(),
            sports,
            books,
            shown: Vec::new(),
            cursor: 0,
            before: follows.clone(),
            began,
            complaint: None,
        };
        pick.look();
        pick
    }

    fn rows(&self) -> &[Row] {
        match self.step {
            Step::Sports => &self.sports,
            Step::Books => &self.books,
        }
    }

    fn look(&mut self) {
        (self.cursor, self.complaint) = (0, None);
        let wanted = self.line.text().trim();
        let rows = self.rows();
        self.shown = if wanted.is_empty() {
            (0..rows.len()).collect()
        } else {
            ranked(
                wanted,
                rows.iter().enumerate().map(|(at, r)| (at, format!("{} {} {} {}", r.short, r.name, r.note, r.key))),
            )
        };
    }

    fn go(&mut self, step: Step) {
        self.step = step;
        self.line = TextLine::default();
        self.look();
    }

    fn toggle(&mut self) {
        self.complaint = None;
        let Some(at) = self.shown.get(self.cursor).copied() else { return };
        let rows = match self.step {
            Step::Sports => &mut self.sports,
            Step::Books => &mut self.books,
        };
        if let Some(row) = rows.get_mut(at) {
            row.on = !row.on;
        }
    }

    fn ticked(rows: &[Row]) -> Vec<String> {
        rows.iter().filter(|r| r.on).map(|r| r.key.clone()).collect()
    }

    /// What is ticked. Books that were asked for by region and not touched are still asked for by region.
    fn choice(&self) -> Follows {
        let mut books = Self::ticked(&self.books);
        if self.before.books.is_empty() && books.iter().cloned().collect::<BTreeSet<_>>() == self.began {
            books.clear();
        }
        Follows { sports: Self::ticked(&self.sports), books, ..self.before.clone() }
    }

    /// On to the books, or done.
    fn take(&mut self, app: &mut App) -> Outcome {
        match self.step {
            Step::Sports if !self.sports.iter().any(|r| r.on) => self.complaint = Some("tick at least one sport"),
            Step::Books if !self.books.iter().any(|r| r.on) => self.complaint = Some("tick at least one book"),
            Step::Sports => self.go(Step::Books),
            Step::Books => {
                app.effect(Effect::Follow(Box::new(self.choice())));
                return Outcome::Close;
            }
        }
        Outcome::Stay
    }

    /// What is ticked, and what it costs.
    fn sum(&self) -> String {
        let choice = self.choice();
        let sports = counted(choice.sports.len(), "sport");
        if self.step == Step::Sports {
            return format!("{sports} ticked");
        }
        let ticked = Self::ticked(&self.books).len();
        let regions = if choice.books.is_empty() { choice.regions.len() } else { ticked.div_ceil(BOOKS_PER_REGION) };
        let credits = regions * choice.markets.max(1);
        format!("{sports}, {}: {} a look", counted(ticked, "book"), counted(credits, "credit"))
    }

    fn size(area: Rect) -> (u16, u16) {
        (WIDTH, area.height.saturating_sub(2).min(HEIGHT))
    }
}

impl Overlay for Pick {
    fn context(&self) -> Context {
        Context::Text
    }

    fn act(&mut self, app: &mut App, action: Action) -> Outcome {
        match action {
            Action::Back if !self.line.is_empty() => {
                self.line = TextLine::default();
                self.look();
            }
            Action::Back if self.step == Step::Books => self.go(Step::Sports),
            Action::Back => return Outcome::Close,
            Action::Open => return self.take(app),
            Action::Complete => self.go(if self.step == Step::Sports { Step::Books } else { Step::Sports }),
            Action::Redraw => app.effect(Effect::Redraw),
            Action::Suspend => app.effect(Effect::Suspend),
            _ => {
                let screen = usize::from(Self::size(crate::board::chrome::body(app)).1.saturating_sub(2));
                if let Some(to) = list::moved(self.cursor, self.shown.len(), screen, action) {
                    self.cursor = to;
                }
            }
        }
        Outcome::Stay
    }

    fn key(&mut self, _: &mut App, key: Key) -> Outcome {
        if key.character() == Some(' ') {
            self.toggle();
        } else if self.line.key(key) {
            self.look();
        }
        Outcome::Stay
    }

    fn paste(&mut self, _: &mut App, told: &str) -> Outcome {
        self.line.paste(told);
        self.look();
        Outcome::Stay
    }

    fn click(&mut self, app: &mut App, hit: Hit, _: bool) -> Outcome {
        match hit {
            Hit::Item(at) if at < self.shown.len() => {
                self.cursor = at;
                self.toggle();
            }
            Hit::Act(action) => return self.act(app, action),
            _ => {}
        }
        Outcome::Stay
    }

    fn wheel(&mut self, _: &mut App, rows: i16) -> Outcome {
        self.cursor = self.cursor.saturating_add_signed(rows.into()).min(self.shown.len().saturating_sub(1));
        Outcome::Stay
    }

    fn draw(&self, _: &App, paint: &mut Paint<'_>, area: Rect) {
        let outer = popup::place(area, Place::Middle, Self::size(area));
        let (title, foot, button) = match self.step {
            Step::Sports => ("Sports to follow, 1 of 2", "space ticks  enter goes on  esc leaves", " Books "),
            Step::Books => ("Books to ask, 2 of 2", "space ticks  enter takes  esc goes back", " Follow "),
        };
        let inner = popup::draw(paint, outer, title, foot);
        paint.text(inner.x, inner.y, 1, "/", paint.style(Meaning::Key));
        let line = Rect { x: inner.x + 2, width: inner.width.saturating_sub(2), height: 1, ..inner };
        self.line.draw(paint, line, None);
        if self.line.is_empty() {
            paint.text(line.x + 2, line.y, line.width.saturating_sub(2), "type to find", paint.style(Meaning::Hint));
        }
        let rows = Rect { y: inner.y + 1, height: inner.height.saturating_sub(2), ..inner };
        self.draw_rows(paint, rows, outer.right() - 1);
        let last = inner.bottom().saturating_sub(1);
        let width = text::width(button);
        let push = Rect::new(inner.right().saturating_sub(width), last, width, 1);
        paint.text(push.x, last, width, button, paint.style(Meaning::CursorCell));
        paint.zone(push, Hit::Act(Action::Open));
        let room = inner.width.saturating_sub(width + 2);
        match self.complaint {
            Some(why) => paint.text(inner.x, last, room, why, paint.style(Meaning::Error)),
            None => paint.text(inner.x, last, room, &self.sum(), paint.style(Meaning::Muted)),
        };
    }
}

impl Pick {
    fn draw_rows(&self, paint: &mut Paint<'_>, area: Rect, bar: u16) {
        if self.shown.is_empty() {
            paint.text(area.x, area.y, area.width, "nothing has that name", paint.style(Meaning::Muted));
        }
        let all = self.rows();
        let short = all.iter().map(|r| text::width(&r.short)).max().unwrap_or(0).min(8);
        let note = (area.width / 3).min(28);
        let top = list::top(self.cursor, self.shown.len(), usize::from(area.height));
        for (y, (at, place)) in (area.y..area.bottom()).zip(self.shown.iter().enumerate().skip(top)) {
            let Some(row) = all.get(*place) else { continue };
            let line = Rect { y, height: 1, ..area };
            if at == self.cursor {
                paint.fill(line, paint.style(Meaning::Selection));
                paint.text(line.x, y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Title));
            }
            let (glyph, meaning) = if row.on { (Glyph::Check, Meaning::Ok) } else { (Glyph::Unticked, Meaning::Faint) };
            paint.text(line.x + 2, y, 1, paint.glyph(glyph), paint.style(meaning));
            let meaning = if row.aside { Meaning::Muted } else { Meaning::Text };
            paint.text(line.x + 4, y, short, &row.short, paint.style(meaning));
            let name = line.x + 4 + short + 2;
            let room = line.right().saturating_sub(name + note + 2);
            paint.text(name, y, room, &row.name, paint.style(meaning));
            paint.text(line.right().saturating_sub(note), y, note, &row.note, paint.style(Meaning::Muted));
            paint.zone(line, Hit::Item(at));
        }
        list::scroll_bar(paint, Rect { x: bar, width: 1, ..area }, top, self.shown.len());
    }
}
