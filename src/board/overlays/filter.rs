//! The line in which the filter of the board is typed: what passes is seen at once.

use ratatui::layout::Rect;

use super::{Kept, save};
use crate::board::app::{App, Effect, Job, Outcome, Overlay};
use crate::board::keys::{Action, Context, Key, Lookup};
use crate::board::paint::{Hit, Paint};
use crate::board::theme::Meaning;
use crate::board::widgets::input::TextLine;
use crate::board::widgets::popup::{self, Place};
use crate::board::widgets::text;
use crate::filter::{Completion, Entry, Filter, FilterError, Vocabulary, complete};
use crate::store::desk::{Desk, SavedFilter};

/// What the user's own things are called, for completion.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// Saved filters.
    pub saved: Vec<SavedFilter>,
    /// Watchlists.
    pub lists: Vec<String>,
}

/// The overlay.
#[derive(Debug)]
pub struct FilterLine {
    line: TextLine,
    /// What was in force before.
    before: String,
    error: Option<FilterError>,
    /// Enter was pressed on an error: it is no longer calm.
    insisted: bool,
    vocabulary: Vocabulary,
    offers: Vec<Completion>,
    /// Going through the offers: the text and cursor before, and which one.
    cycling: Option<(String, usize, usize)>,
    /// Place in the history, and what was typed before going into it.
    history: Option<(usize, String)>,
}

/// Opens it with the filter in force.
pub fn open(app: &mut App) {
    ask_words(app);
    let before = app.prefs.filter.clone();
    let mut overlay = FilterLine {
        line: TextLine::new(&before),
        before,
        error: None,
        insisted: false,
        vocabulary: vocabulary(app),
        offers: Vec::new(),
        cycling: None,
        history: None,
    };
    overlay.check(app);
    app.overlay(overlay);
}

/// Asks what the user's lists and saved filters are called.
pub fn ask_words(app: &mut App) {
    let job = Job::desk(
        "names of lists",
        |room| {
            // A desk that nobody has written to is not made for this.
            if !room.at.desk.exists() {
                return Words::default();
            }
            let read = Desk::open(&room.at.desk).and_then(|desk| Ok((desk.filters()?, desk.lists()?)));
            // Without them there is less to complete; whoever needs the desk says what is wrong with it.
            let (saved, lists) = read.unwrap_or_default();
            Words { saved, lists: lists.into_iter().map(|l| l.name).collect() }
        },
        |app, words| {
            app.pages.ops.kept.words = words;
            app.moved();
        },
    );
    app.effect(Effect::Job(job));
}

/// Reads a filter, with the saved ones that are known.
///
/// # Errors
/// See [`Filter::parse_with`].
pub fn read(app: &App, text: &str) -> Result<Filter, FilterError> {
    let saved = &app.pages.ops.kept.words.saved;
    let wanted = |name: &str| saved.iter().find(|s| crate::filter::fold(&s.name) == crate::filter::fold(name));
    Filter::parse_with(text, &|name| wanted(name).map(|s| s.text.clone()))
}

/// The words of the slate on show.
fn vocabulary(app: &App) -> Vocabulary {
    let slate = app.slate();
    let mut words = Vocabulary::embedded();
    let once = |mut entries: Vec<Entry>| {
        entries.sort_by(|a, b| a.text.cmp(&b.text));
        entries.dedup_by(|a, b| a.text == b.text);
        entries
    };
    if slate.games.is_empty() {
        return words;
    }
    let short = |name: &str| name.to_lowercase();
    words.teams = once(
        slate
            .games
            .iter()
            .flat_map(|g| [&g.who.home, &g.who.away].map(|t| Entry::new(short(t), &*g.who.sport_short)))
            .collect(),
    );
    words.sports = once(slate.games.iter().map(|g| Entry::new(short(&g.who.sport_short), &*g.who.sport_key)).collect());
    words.books = slate.books.iter().map(|b| Entry::new(short(&b.short), &*b.title)).collect();
    let kept = &app.pages.ops.kept.words;
    words.lists = kept.lists.iter().map(|l| Entry::new(l.as_str(), "")).collect();
    words.saved = kept.saved.iter().map(|s| Entry::new(s.name.as_str(), s.text.as_str())).collect();
    words
}

impl FilterLine {
    /// Reads the text and, when it is a filter, puts it in force.
    fn check(&mut self, app: &mut App) {
        let told = self.line.text().trim().to_owned();
        self.offers = complete(self.line.text(), self.line.cursor(), &self.vocabulary);
        match read(app, &told) {
            Ok(_) => {
                self.error = None;
                if app.prefs.filter != told {
                    app.prefs.filter = told;
                    app.moved();
                }
            }
            Err(e) => self.error = Some(e),
        }
    }

    fn typed(&mut self, app: &mut App) {
        (self.cycling, self.history, self.insisted) = (None, None, false);
        self.check(app);
    }

    fn cycle(&mut self, app: &mut App) {
        let (told, cursor, at) = match self.cycling.take() {
            Some((told, cursor, at)) => (told, cursor, at + 1),
            None => (self.line.text().to_owned(), self.line.cursor(), 0),
        };
        let offers = complete(&told, cursor, &self.vocabulary);
        if offers.is_empty() {
            return;
        }
        let at = at % offers.len();
        if let Some(offer) = offers.get(at) {
            self.line.set(&told);
            self.line.replace(offer.replace.clone(), &offer.text);
        }
        self.check(app);
        // Those are shown that the key goes through, unless there is only this one.
        if offers.len() > 1 {
            self.cycling = Some((told, cursor, at));
            self.offers = offers;
        }
    }

    fn remember(&mut self, app: &mut App, back: bool) {
        let kept = &app.pages.ops.kept.filters;
        let (at, typed) = match (self.history.take(), back) {
            (None, true) => (0, self.line.text().to_owned()),
            (None, false) => return,
            (Some((at, typed)), true) => ((at + 1).min(kept.len().saturating_sub(1)), typed),
            (Some((0, typed)), false) => {
                self.line.set(&typed);
                return self.check(app);
            }
            (Some((at, typed)), false) => (at - 1, typed),
        };
        let Some(text) = kept.get(at).cloned() else { return };
        self.line.set(&text);
        self.cycling = None;
        self.history = Some((at, typed));
        self.check(app);
    }
}

impl Overlay for FilterLine {
    fn context(&self) -> Context {
        Context::Text
    }

    fn act(&mut self, app: &mut App, action: Action) -> Outcome {
        match action {
            Action::Back => {
                if app.prefs.filter != self.before {
                    self.before.clone_into(&mut app.prefs.filter);
                    app.moved();
                }
                Outcome::Close
            }
            Action::Open if self.error.is_some() => {
                self.insisted = true;
                Outcome::Stay
            }
            Action::Open => {
                let text = app.prefs.filter.clone();
                if !text.is_empty() {
                    Kept::note(&mut app.pages.ops.kept.filters, &text);
                }
                app.keep_prefs();
                Outcome::Close
            }
            Action::Complete => {
                self.cycle(app);
                Outcome::Stay
            }
            Action::HistoryPrevious | Action::HistoryNext => {
                self.remember(app, action == Action::HistoryPrevious);
                Outcome::Stay
            }
            _ => Outcome::Stay,
        }
    }

    fn key(&mut self, app: &mut App, key: Key) -> Outcome {
        if app.keys.lookup(app.page.context(), &[key]) == Lookup::Action(Action::SaveFilter) && !key.is_printable() {
            if self.error.is_none() {
                let text = app.prefs.filter.clone();
                save::open_with(app, &text);
            } else {
                self.insisted = true;
            }
            return Outcome::Stay;
        }
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
        if let Hit::Item(at) = hit
            && let Some(offer) = self.offers.get(at).cloned()
        {
            if let Some((told, ..)) = self.cycling.take() {
                self.line.set(&told);
            }
            self.line.replace(offer.replace, &offer.text);
            self.typed(app);
        }
        Outcome::Stay
    }

    fn refresh(&mut self, app: &mut App) {
        self.vocabulary = vocabulary(app);
    }

    fn draw(&self, app: &App, paint: &mut Paint<'_>, area: Rect) {
        let offers: u16 = if area.height < 20 { 2 } else { 5 };
        let outer = popup::place(area, Place::Bottom, (area.width, 3 + offers));
        let inner = popup::draw(paint, outer, "Filter", "tab completes  esc takes back");
        for (row, (at, offer)) in
            self.offers.iter().enumerate().skip(self.first(offers)).take(usize::from(offers)).enumerate()
        {
            let line = Rect { y: inner.y + row as u16, height: 1, ..inner };
            if self.cycling.as_ref().is_some_and(|(_, _, chosen)| *chosen == at) {
                paint.fill(line, paint.style(Meaning::Selection));
            }
            let taken = paint.text(line.x, line.y, 28.min(line.width), &offer.text, paint.style(Meaning::Text));
            let x = line.x + taken.max(22) + 2;
            paint.text(x, line.y, line.right().saturating_sub(x), &offer.note, paint.style(Meaning::Muted));
            paint.zone(line, Hit::Item(at));
        }
        let line = Rect { y: inner.y + offers, height: 1, ..inner };
        let calm = self.error.as_ref().is_some_and(|e| e.incomplete) && !self.insisted;
        let lead = (self.line.text().len() - self.line.text().trim_start().len()) as u16;
        let shift = |at: usize| at + usize::from(lead);
        let span = self.error.as_ref().map(|e| shift(e.span.start)..shift(e.span.end));
        self.line.draw(paint, line, span.clone().filter(|_| !calm));
        let rows = &app.pages.board.rows;
        match (&self.error, span) {
            (Some(error), Some(span)) => {
                let style = paint.style(if calm { Meaning::Muted } else { Meaning::InputError });
                if let Some(x) = self.line.column(line.width, span.start) {
                    let told = self.line.text().get(span.clone()).unwrap_or_default();
                    let caret = "^".repeat(usize::from(text::width(told).max(1)));
                    paint.text(line.x + x, line.y + 1, line.width - x, &caret, style);
                }
                paint.text(line.x, line.y + 2, line.width, &error.message, style);
            }
            _ => {
                let told = format!("{} of {} games", rows.games, rows.of);
                let meaning = if rows.games == 0 { Meaning::Warning } else { Meaning::Ok };
                paint.text(line.x, line.y + 1, line.width, &told, paint.style(meaning));
                let hint = if self.line.is_empty() {
                    "such as  sport:nba ev>2   celtics   age<2m   all games pass an empty filter"
                } else {
                    "enter keeps it   ctrl-s saves it under a name"
                };
                paint.text(line.x, line.y + 2, line.width, hint, paint.style(Meaning::Muted));
            }
        }
    }
}

impl FilterLine {
    /// The first offer on show, so that the chosen one is.
    fn first(&self, screen: u16) -> usize {
        let chosen = self.cycling.as_ref().map_or(0, |(_, _, at)| *at);
        (chosen + 1).saturating_sub(usize::from(screen))
    }
}
