//! The chooser of columns and books: which are shown, in which order, and how wide.

use ratatui::layout::Rect;

use crate::board::app::{App, Outcome, Overlay};
use crate::board::keys::{Action, Context, Key, Lookup};
use crate::board::pages::board::columns::{Column, ColumnChoice};
use crate::board::pages::board::{self, columns};
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::list;
use crate::board::widgets::popup::{self, Place};

#[derive(Clone, PartialEq, Eq, Debug)]
enum Item {
    Column(Column),
    /// By its key.
    Book(String),
}

/// The overlay.
#[derive(Debug)]
pub struct Columns {
    items: Vec<Item>,
    cursor: usize,
}

/// Opens it.
pub fn open(app: &mut App) {
    app.prefs.columns = ColumnChoice::complete(&app.prefs.columns);
    let items = items(app);
    app.overlay(Columns { items, cursor: 0 });
}

fn items(app: &App) -> Vec<Item> {
    let own = app.prefs.columns.iter().map(|c| Item::Column(c.column));
    own.chain(books(app).into_iter().map(Item::Book)).collect()
}

/// Every book that quotes, hidden or not, in the user's order.
fn books(app: &App) -> Vec<String> {
    let all = crate::board::app::Prefs { hidden_books: Vec::new(), ..app.prefs.clone() };
    columns::books(app.slate(), &all).iter().map(|b| b.key.to_string()).collect()
}

impl Columns {
    fn item(&self) -> Option<&Item> {
        self.items.get(self.cursor)
    }

    fn kept(&mut self, app: &mut App) {
        let item = self.item().cloned();
        app.keep_prefs();
        app.moved();
        self.items = items(app);
        self.cursor = item.and_then(|i| self.items.iter().position(|x| *x == i)).unwrap_or(self.cursor);
    }

    fn toggle(&mut self, app: &mut App) {
        match self.item().cloned() {
            // A board without teams would be none.
            Some(Item::Column(Column::Game)) => app.say("the teams always stay"),
            Some(Item::Column(column)) => {
                if let Some(choice) = app.prefs.columns.iter_mut().find(|c| c.column == column) {
                    choice.on = !choice.on;
                }
            }
            Some(Item::Book(key)) => match app.prefs.hidden_books.iter().position(|h| *h == key) {
                Some(at) => {
                    app.prefs.hidden_books.remove(at);
                }
                None if columns::books(app.slate(), &app.prefs).len() < 2 => app.say("one book at least stays"),
                None => app.prefs.hidden_books.push(key),
            },
            None => return,
        }
        self.kept(app);
    }

    fn shift(&mut self, app: &mut App, by: isize) {
        let Some(to) = self.cursor.checked_add_signed(by) else { return };
        let columns = app.prefs.columns.len();
        match self.item() {
            Some(Item::Column(_)) if to < columns => app.prefs.columns.swap(self.cursor, to),
            Some(Item::Book(_)) if to >= columns && to < self.items.len() => {
                let mut keys = books(app);
                keys.swap(self.cursor - columns, to - columns);
                app.prefs.books = keys;
            }
            _ => return,
        }
        self.kept(app);
    }

    fn widen(&mut self, app: &mut App, by: i16) {
        let plan = board::plan(app, board::parts(app, crate::board::chrome::body(app)).grid);
        match self.item() {
            Some(Item::Column(column)) => {
                let now = plan.frozen.iter().find(|p| p.what == *column).map(|p| p.width);
                let Some(choice) = app.prefs.columns.iter_mut().find(|c| c.column == *column) else { return };
                let Some(width) = choice.width.or(now) else {
                    app.say("a column that is not shown has no width yet");
                    return;
                };
                choice.width = Some(width.saturating_add_signed(by).clamp(3, 40));
            }
            Some(Item::Book(_)) => {
                app.prefs.book_width = Some(plan.book_width.saturating_add_signed(by).clamp(6, 24));
            }
            None => return,
        }
        self.kept(app);
    }

    /// Place of the heading over the books: below the columns.
    fn row_of(&self, item: usize) -> usize {
        item + 1 + if matches!(self.items.get(item), Some(Item::Book(_))) { 2 } else { 0 }
    }

    fn rows(&self) -> usize {
        self.items.len() + 1 + if self.items.iter().any(|i| matches!(i, Item::Book(_))) { 2 } else { 0 }
    }
}

impl Overlay for Columns {
    fn context(&self) -> Context {
        Context::List
    }

    fn act(&mut self, app: &mut App, action: Action) -> Outcome {
        match action {
            Action::Back | Action::Open | Action::Columns => return Outcome::Close,
            Action::Mark | Action::Delete => self.toggle(app),
            Action::MoveUp | Action::ColumnLeft => self.shift(app, -1),
            Action::MoveDown | Action::ColumnRight => self.shift(app, 1),
            Action::Right | Action::ColumnWider => self.widen(app, 1),
            Action::Left | Action::ColumnNarrower => self.widen(app, -1),
            _ => {
                if let Some(to) = list::moved(self.cursor, self.items.len(), 12, action) {
                    self.cursor = to;
                }
            }
        }
        Outcome::Stay
    }

    fn key(&mut self, app: &mut App, key: Key) -> Outcome {
        match app.keys.lookup(Context::Board, &[key]) {
            Lookup::Action(action @ (Action::ColumnWider | Action::ColumnNarrower | Action::Columns)) => {
                self.act(app, action)
            }
            _ => Outcome::Stay,
        }
    }

    fn click(&mut self, app: &mut App, hit: Hit, _: bool) -> Outcome {
        if let Hit::Item(at) = hit {
            self.cursor = at.min(self.items.len().saturating_sub(1));
            self.toggle(app);
        }
        Outcome::Stay
    }

    fn refresh(&mut self, app: &mut App) {
        self.items = items(app);
        self.cursor = self.cursor.min(self.items.len().saturating_sub(1));
    }

    fn draw(&self, app: &App, paint: &mut Paint<'_>, area: Rect) {
        let height = (self.rows() as u16).min(area.height.saturating_sub(2));
        let outer = popup::place(area, Place::Middle, (66, height));
        let inner = popup::draw(paint, outer, "Columns and books", "space shows  J K move  h l width  enter closes");
        let top = list::top(self.row_of(self.cursor), self.rows(), usize::from(inner.height));
        let line = |row: usize| {
            let y = row.checked_sub(top).filter(|y| *y < usize::from(inner.height))?;
            Some(Rect { y: inner.y + y as u16, height: 1, ..inner })
        };
        let books = app.prefs.columns.len();
        for (row, title) in [(0, "Columns beside the books"), (books + 2, "Books")] {
            if row < self.rows()
                && let Some(place) = line(row)
            {
                paint.text(place.x, place.y, place.width, title, paint.style(Meaning::Header));
            }
        }
        for (at, item) in self.items.iter().enumerate() {
            let Some(place) = line(self.row_of(at)) else { continue };
            if at == self.cursor {
                paint.fill(place, paint.style(Meaning::Selection));
                paint.text(place.x, place.y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Title));
            }
            let (on, name, about, width) = match item {
                Item::Column(column) => {
                    let choice = app.prefs.columns.iter().find(|c| c.column == *column);
                    let width = choice.and_then(|c| c.width);
                    (choice.is_some_and(|c| c.on), column.title(), column.about(), width)
                }
                Item::Book(key) => {
                    let book = app.slate().books.iter().find(|b| *b.key == **key);
                    let on = !app.prefs.hidden_books.iter().any(|h| h == key);
                    let width = app.prefs.book_width;
                    (on, book.map_or("?", |b| &*b.short), book.map_or(key.as_str(), |b| &*b.title), width)
                }
            };
            let (glyph, meaning) = if on { (Glyph::Check, Meaning::Ok) } else { (Glyph::Unticked, Meaning::Faint) };
            paint.text(place.x + 2, place.y, 1, paint.glyph(glyph), paint.style(meaning));
            let meaning = if on { Meaning::Text } else { Meaning::Muted };
            paint.text(place.x + 4, place.y, 8, name, paint.style(meaning));
            paint.text(place.x + 13, place.y, place.width.saturating_sub(18), about, paint.style(Meaning::Muted));
            let told = width.map_or_else(|| "auto".to_owned(), |w| w.to_string());
            paint.right(place.right().saturating_sub(4), place.y, 4, &told, paint.style(Meaning::Muted));
            paint.zone(place, Hit::Item(at));
        }
        list::scroll_bar(paint, Rect { x: outer.right() - 1, width: 1, ..inner }, top, self.rows());
    }
}
