//! Help: the keys that work here, from the key map, and what the signs of the board mean.

use ratatui::layout::Rect;

use crate::board::app::{App, Outcome, Overlay};
use crate::board::keys::{Action, Context, Key};
use crate::board::paint::Paint;
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::input::TextLine;
use crate::board::widgets::popup::{self, Place};
use crate::board::widgets::{list, text};
use crate::filter::fold;

/// Signs of the board with the look that each has there.
const LEGEND: [(Glyph, Meaning); 11] = [
    (Glyph::Up, Meaning::Up),
    (Glyph::Down, Meaning::Down),
    (Glyph::Best, Meaning::Best),
    (Glyph::OffMarket, Meaning::OffMarket),
    (Glyph::Suspect, Meaning::Suspect),
    (Glyph::Gone, Meaning::Gone),
    (Glyph::Stale, Meaning::Stale),
    (Glyph::Star, Meaning::Watched),
    (Glyph::Pin, Meaning::Pinned),
    (Glyph::Live, Meaning::Live),
    (Glyph::Idle, Meaning::Muted),
];
/// Looks that have no sign of their own on the board.
const LOOKS: [Meaning; 6] =
    [Meaning::Fair, Meaning::Positive, Meaning::Negative, Meaning::Demo, Meaning::Past, Meaning::Frozen];
/// Least columns of an entry.
const COLUMN: u16 = 44;
/// Columns of the keys.
const KEYS: u16 = 13;

/// One line of the help.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Line {
    Title(&'static str),
    Entry {
        keys: String,
        meaning: Meaning,
        about: String,
    },
    /// What did not fit into the line above.
    More(String),
    Blank,
}

/// The overlay.
#[derive(Debug)]
pub struct Help {
    page: Context,
    lines: Vec<Line>,
    /// Lines of each column on show.
    columns: Vec<Vec<Line>>,
    scroll: usize,
    search: TextLine,
    typing: bool,
}

/// Columns of the keys of an entry. Keys that need more room than most take it, so that no key is cut.
fn of_keys(keys: &str, width: u16) -> u16 {
    text::width(keys).max(KEYS - 2).min(width / 2) + 2
}

/// An entry in as many lines as what it says needs.
fn broken(line: &Line, width: u16) -> Vec<Line> {
    let Line::Entry { keys, meaning, about } = line else { return vec![line.clone()] };
    let mut told = popup::wrap(about, width.saturating_sub(of_keys(keys, width) + 2)).into_iter();
    let about = told.next().unwrap_or_default();
    let first = Line::Entry { keys: keys.clone(), meaning: *meaning, about };
    std::iter::once(first).chain(told.map(Line::More)).collect()
}

/// Opens it for the page on show.
pub fn open(app: &mut App) {
    let page = app.page.context();
    let mut help =
        Help { page, lines: Vec::new(), columns: Vec::new(), scroll: 0, search: TextLine::default(), typing: false };
    help.lay(app);
    app.overlay(help);
}

impl Help {
    fn lay(&mut self, app: &App) {
        let ascii = app.looks.glyphs.is_ascii();
        let wanted = fold(self.search.text());
        let passes = |keys: &str, about: &str| {
            wanted.is_empty() || fold(about).contains(&wanted) || keys.to_lowercase().contains(&wanted)
        };
        let mut groups: Vec<(&'static str, Vec<Line>)> = Vec::new();
        for context in [self.page, Context::List, Context::Text] {
            for group in app.keys.help(context, ascii) {
                let title = if context == self.page { group.group.title() } else { context.title() };
                let lines = group.lines.into_iter().filter(|l| context == self.page || !l.keys.is_empty());
                for line in lines {
                    let own = context == self.page || only_there(line.action, context);
                    let (keys, about) = (line.keys.join(" "), line.action.about());
                    if !own || !passes(&keys, about) {
                        continue;
                    }
                    let entry = Line::Entry { keys, meaning: Meaning::Key, about: about.to_owned() };
                    match groups.iter_mut().find(|(t, _)| *t == title) {
                        Some((_, lines)) => lines.push(entry),
                        None => groups.push((title, vec![entry])),
                    }
                }
            }
        }
        let sign = |(glyph, meaning): (Glyph, Meaning)| {
            (app.looks.glyphs.get(glyph).to_owned(), meaning, glyph.about().to_owned())
        };
        let look = |meaning: Meaning| ("abc".to_owned(), meaning, meaning.about().to_owned());
        let legend: Vec<Line> = LEGEND
            .into_iter()
            .map(sign)
            .chain(LOOKS.into_iter().map(look))
            .filter(|(keys, _, about)| passes(keys, about))
            .map(|(keys, meaning, about)| Line::Entry { keys, meaning, about })
            .collect();
        if !legend.is_empty() {
            groups.push(("Signs and colours", legend));
        }
        self.lines.clear();
        for (title, lines) in groups {
            if !self.lines.is_empty() {
                self.lines.push(Line::Blank);
            }
            self.lines.push(Line::Title(title));
            self.lines.extend(lines);
        }
        self.fold_into_columns(app);
    }

    /// As many columns as fit, of even length; a column does not begin with a blank or end with a title.
    fn fold_into_columns(&mut self, app: &App) {
        let width = popup::inside(outer(app)).width;
        let count = usize::from((width / COLUMN).max(1));
        let room = width / count as u16;
        let lines: Vec<Line> = self.lines.iter().flat_map(|line| broken(line, room)).collect();
        let each = lines.len().div_ceil(count).max(1);
        self.columns = vec![Vec::new()];
        for (at, line) in lines.iter().enumerate() {
            let next_is_far = matches!(line, Line::Title(_));
            let last = self.columns.len();
            if let Some(column) = self.columns.last_mut() {
                let full = column.len() >= each || (next_is_far && column.len() + 2 >= each);
                if full && last < count && at > 0 && !matches!(line, Line::More(_)) {
                    while column.last() == Some(&Line::Blank) {
                        column.pop();
                    }
                    self.columns.push(Vec::new());
                }
            }
            if let Some(column) = self.columns.last_mut()
                && !(column.is_empty() && *line == Line::Blank)
            {
                column.push(line.clone());
            }
        }
        self.scroll = self.scroll.min(self.len().saturating_sub(self.screen(app)));
    }

    fn len(&self) -> usize {
        self.columns.iter().map(Vec::len).max().unwrap_or(0)
    }

    fn screen(&self, app: &App) -> usize {
        usize::from(popup::inside(outer(app)).height.saturating_sub(2))
    }
}

/// An action that belongs to lists or lines of text alone, or has another key there.
fn only_there(action: Action, context: Context) -> bool {
    action.contexts().iter().all(|c| c == context || matches!(c, Context::Watch | Context::List))
        && action.contexts().has(context)
}

fn outer(app: &App) -> Rect {
    let area = crate::board::chrome::body(app);
    popup::place(area, Place::Middle, (area.width.saturating_sub(6).min(COLUMN * 4), area.height))
}

impl Overlay for Help {
    fn context(&self) -> Context {
        if self.typing { Context::Text } else { Context::List }
    }

    fn act(&mut self, app: &mut App, action: Action) -> Outcome {
        match action {
            Action::Find => self.typing = true,
            Action::Help => return Outcome::Close,
            Action::Back if self.typing || !self.search.is_empty() => {
                self.typing = false;
                self.search.set("");
                self.lay(app);
            }
            Action::Back => return Outcome::Close,
            Action::Open if self.typing => self.typing = false,
            Action::Open => return Outcome::Close,
            _ => {
                if let Some(to) = list::scrolled(self.scroll, self.len(), self.screen(app), action) {
                    self.scroll = to;
                }
            }
        }
        Outcome::Stay
    }

    fn key(&mut self, app: &mut App, key: Key) -> Outcome {
        if self.typing && self.search.key(key) {
            self.scroll = 0;
            self.lay(app);
        }
        Outcome::Stay
    }

    fn paste(&mut self, app: &mut App, told: &str) -> Outcome {
        if self.typing {
            self.search.paste(told);
            self.lay(app);
        }
        Outcome::Stay
    }

    fn wheel(&mut self, app: &mut App, rows: i16) -> Outcome {
        let most = self.len().saturating_sub(self.screen(app));
        self.scroll = self.scroll.saturating_add_signed(isize::from(rows)).min(most);
        Outcome::Stay
    }

    fn refresh(&mut self, app: &mut App) {
        self.lay(app);
    }

    fn draw(&self, app: &App, paint: &mut Paint<'_>, _: Rect) {
        let outer = outer(app);
        let inner = popup::draw(paint, outer, &format!("Keys: {}", self.page.title()), "/ narrows  esc closes");
        let find = Rect { height: 1, ..inner };
        if self.typing {
            paint.text(find.x, find.y, 2, "/", paint.style(Meaning::Key));
            self.search.draw(paint, Rect { x: find.x + 2, width: find.width.saturating_sub(2), ..find }, None);
        } else if self.search.is_empty() {
            let told = "what has no key is found in the palette";
            paint.text(find.x, find.y, find.width, told, paint.style(Meaning::Muted));
        } else {
            let told = format!("only what says '{}'  esc shows all", self.search.text());
            paint.text(find.x, find.y, find.width, &told, paint.style(Meaning::Muted));
        }
        let room = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
        if self.lines.is_empty() {
            paint.text(room.x, room.y, room.width, "no key does that here", paint.style(Meaning::Muted));
            return;
        }
        let count = self.columns.len().max(1) as u16;
        let width = room.width / count;
        for (at, column) in self.columns.iter().enumerate() {
            let x = room.x + at as u16 * width;
            for (row, line) in column.iter().skip(self.scroll).take(usize::from(room.height)).enumerate() {
                let y = room.y + row as u16;
                match line {
                    Line::Blank => {}
                    Line::More(told) => {
                        paint.text(x + KEYS, y, width.saturating_sub(KEYS + 2), told, paint.style(Meaning::Text));
                    }
                    Line::Title(title) => {
                        paint.text(x, y, width.saturating_sub(2), title, paint.style(Meaning::Title));
                    }
                    Line::Entry { keys, meaning, about } => {
                        let shown = if keys.is_empty() { ":" } else { keys };
                        let meaning = if keys.is_empty() { Meaning::Faint } else { *meaning };
                        let taken = of_keys(shown, width);
                        paint.text(x, y, taken - 2, shown, paint.style(meaning));
                        let left = width.saturating_sub(taken + 2);
                        paint.text(x + taken, y, left, about, paint.style(Meaning::Text));
                    }
                }
            }
        }
        let bar = Rect { x: outer.right() - 1, width: 1, ..room };
        list::scroll_bar(paint, bar, self.scroll, self.len());
    }
}
