//! The palette: every action by name with its keys, and commands with arguments.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::layout::Rect;

use super::{Kept, command};
use crate::board::app::{App, Outcome, Overlay};
use crate::board::keys::{Action, Context, Key};
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::board::widgets::input::TextLine;
use crate::board::widgets::popup::{self, Place};
use crate::board::widgets::{list, text};

/// Longer needles are not looked for: the search takes time by their length.
pub const NEEDLE: usize = 512;

/// What a row does.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Does {
    Act(Action),
    /// A whole command.
    Run(String),
    /// The beginning of a command, which is put into the line.
    Begin(String),
}

#[derive(Clone, Debug)]
struct Row {
    does: Does,
    name: String,
    about: String,
    keys: String,
}

/// The overlay.
#[derive(Debug)]
pub struct Palette {
    line: TextLine,
    all: Vec<Row>,
    shown: Vec<Row>,
    cursor: usize,
    /// What was wrong with the command that was to be run.
    error: Option<String>,
}

/// Opens it.
pub fn open(app: &mut App) {
    super::filter::ask_words(app);
    let mut palette = Palette { line: TextLine::default(), all: all(app), shown: Vec::new(), cursor: 0, error: None };
    palette.look(app);
    app.overlay(palette);
}

/// Everything that could be done on this page.
fn all(app: &App) -> Vec<Row> {
    let context = app.page.context();
    let ascii = app.looks.glyphs.is_ascii();
    let moves = |a: &Action| {
        use Action as A;
        matches!(
            a,
            A::Up | A::Down | A::Left | A::Right | A::PageUp | A::PageDown | A::First | A::Last | A::Open | A::Back
        )
    };
    let of = |action: Action| Row {
        does: Does::Act(action),
        name: action.id().to_owned(),
        about: action.about().to_owned(),
        keys: app.keys.keys_of(action, context, ascii).join(" "),
    };
    let actions = Action::ALL.iter().filter(|a| a.contexts().has(context) && **a != Action::Palette && !moves(a));
    let commands = command::COMMANDS.iter().map(|c| Row {
        does: Does::Begin(format!("{} ", c.name)),
        name: format!("{} {}", c.name, c.hint),
        about: c.about.to_owned(),
        keys: String::new(),
    });
    actions.map(|a| of(*a)).chain(commands).collect()
}

/// How well `needle` fits each text; the best first, equals in their order.
pub fn ranked<T>(needle: &str, items: impl Iterator<Item = (T, String)>) -> Vec<T> {
    let needle: String = needle.chars().take(NEEDLE).collect();
    let pattern = Pattern::parse(&needle, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut letters = Vec::new();
    let mut found: Vec<(u32, T)> = items
        .filter_map(|(item, told)| {
            let told: String = told.chars().take(NEEDLE).collect();
            let score = pattern.score(Utf32Str::new(&told, &mut letters), &mut matcher)?;
            // What begins with the words that were typed is meant before what only holds them.
            let begins = told.to_lowercase().starts_with(&needle.to_lowercase());
            Some((score + if begins { 10_000 } else { 0 }, item))
        })
        .collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, item)| item).collect()
}

impl Palette {
    /// Works out what is shown.
    fn look(&mut self, app: &App) {
        let typed = self.line.text().trim_start();
        self.cursor = 0;
        if let Some((command, argument)) = command::of(typed) {
            let options = command.options(app);
            let row = |argument: &str, note: &str| Row {
                does: Does::Run(format!("{} {argument}", command.name)),
                name: format!("{} {argument}", command.name),
                about: if note.is_empty() { command.about.to_owned() } else { note.to_owned() },
                keys: String::new(),
            };
            let texts = options.iter().map(|o| (o, format!("{} {}", o.0, o.1)));
            self.shown = if argument.is_empty() {
                options.iter().map(|(name, note)| row(name, note)).collect()
            } else {
                ranked(argument, texts).into_iter().map(|(name, note)| row(name, note)).collect()
            };
            let known = self.shown.iter().any(|r| r.name == format!("{} {argument}", command.name));
            if !argument.is_empty() && !known {
                let typed = row(argument, "");
                // What was typed comes first where anything may follow; elsewhere what there is.
                let at = if options.is_empty() || argument.contains(' ') { 0 } else { self.shown.len() };
                self.shown.insert(at, typed);
            }
            return;
        }
        if typed.is_empty() {
            let recent = &app.pages.ops.kept.recent;
            let row_of = |name: &String| {
                let known = self.all.iter().find(|r| matches!(r.does, Does::Act(a) if a.id() == name)).cloned();
                known.or_else(|| {
                    let (command, _) = command::of(name)?;
                    let (name, about) = (name.clone(), command.about.to_owned());
                    Some(Row { does: Does::Run(name.clone()), name, about, keys: String::new() })
                })
            };
            let first: Vec<Row> = recent.iter().filter_map(row_of).collect();
            let rest: Vec<Row> = self.all.iter().filter(|r| !first.iter().any(|f| f.does == r.does)).cloned().collect();
            self.shown = first.into_iter().chain(rest).collect();
            return;
        }
        let texts = self.all.iter().map(|r| (r, format!("{} {}", r.name.replace('-', " "), r.about)));
        self.shown = ranked(typed, texts).into_iter().cloned().collect();
    }

    fn take(&mut self, app: &mut App) -> Outcome {
        let Some(row) = self.shown.get(self.cursor) else { return Outcome::Stay };
        match row.does.clone() {
            Does::Act(action) => {
                Kept::note(&mut app.pages.ops.kept.recent, action.id());
                Outcome::Pass(action)
            }
            Does::Begin(text) => {
                self.line.set(&text);
                self.look(app);
                Outcome::Stay
            }
            Does::Run(text) => {
                let Some((command, argument)) = command::of(&text) else { return Outcome::Stay };
                match command.run(app, argument) {
                    Ok(()) => {
                        Kept::note(&mut app.pages.ops.kept.recent, &text);
                        Outcome::Close
                    }
                    Err(why) => {
                        self.error = Some(why);
                        Outcome::Stay
                    }
                }
            }
        }
    }

    fn typed(&mut self, app: &App) {
        self.error = None;
        self.look(app);
    }

    fn height(area: Rect) -> u16 {
        area.height.saturating_sub(2).min(18)
    }
}

impl Overlay for Palette {
    fn context(&self) -> Context {
        Context::Text
    }

    fn act(&mut self, app: &mut App, action: Action) -> Outcome {
        match action {
            Action::Back => Outcome::Close,
            Action::Open => self.take(app),
            Action::Complete => {
                if let Some(row) = self.shown.get(self.cursor) {
                    let text = match &row.does {
                        Does::Act(action) => action.id().to_owned(),
                        Does::Run(text) | Does::Begin(text) => text.clone(),
                    };
                    self.line.set(&text);
                    self.typed(app);
                }
                Outcome::Stay
            }
            _ => {
                let screen = usize::from(Self::height(crate::board::chrome::body(app)).saturating_sub(2));
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

    fn draw(&self, _: &App, paint: &mut Paint<'_>, area: Rect) {
        let outer = popup::place(area, Place::Middle, (98, Self::height(area)));
        let inner = popup::draw(paint, outer, "Command", "enter runs  tab completes");
        paint.text(inner.x, inner.y, 1, ":", paint.style(Meaning::Key));
        let line = Rect { x: inner.x + 2, width: inner.width.saturating_sub(2), height: 1, ..inner };
        self.line.draw(paint, line, None);
        let (told, meaning) = match &self.error {
            Some(why) => (why.as_str(), Meaning::InputError),
            None if self.shown.is_empty() => ("nothing has that name", Meaning::Muted),
            None => ("", Meaning::Muted),
        };
        paint.text(inner.x, inner.y + 1, inner.width, told, paint.style(meaning));
        let rows = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
        let top = list::top(self.cursor, self.shown.len(), usize::from(rows.height));
        let keys = self.shown.iter().map(|r| text::width(&r.keys)).max().unwrap_or(0).min(16);
        let names = if inner.width < 64 { 22 } else { 28 };
        for (row, (at, entry)) in self.shown.iter().enumerate().skip(top).take(usize::from(rows.height)).enumerate() {
            let line = Rect { y: rows.y + row as u16, height: 1, ..rows };
            if at == self.cursor {
                paint.fill(line, paint.style(Meaning::Selection));
                paint.text(line.x, line.y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Title));
            }
            let x = line.x + 2;
            paint.text(x, line.y, names, &entry.name, paint.style(Meaning::Text));
            let about = x + names + 2;
            let room = line.right().saturating_sub(about + keys + 2);
            paint.text(about, line.y, room, &entry.about, paint.style(Meaning::Muted));
            if !entry.keys.is_empty() {
                paint.right(line.right().saturating_sub(keys), line.y, keys, &entry.keys, paint.style(Meaning::Key));
            }
            paint.zone(line, Hit::Item(at));
        }
        list::scroll_bar(paint, Rect { x: outer.right() - 1, width: 1, ..rows }, top, self.shown.len());
    }
}
