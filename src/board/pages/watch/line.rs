//! A line of text over the page: a name, a rule, a key. What is typed is checked at every key, and taken only when it is
//! right.

use std::ops::Range;

use crossterm::event::{KeyCode, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Widget};
use tui_input::{Input, InputRequest};
use unicode_width::UnicodeWidthStr;

use crate::board::app::{App, Effect, Outcome, Overlay};
use crate::board::keys::{Action, Context, Key};
use crate::board::paint::Paint;
use crate::board::theme::{Glyph, Meaning};

/// Longer texts than anything that is asked for.
const LONGEST: usize = 2_000;

/// What is to be said of a text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verdict {
    /// Why it cannot be taken.
    pub error: Option<String>,
    /// The bytes that are wrong.
    pub span: Option<Range<usize>>,
    /// It may only need its end: nothing is said before it is to be taken.
    pub unfinished: bool,
    /// What it means, for whoever types it.
    pub hint: String,
    /// What it is completed to.
    pub completion: Option<String>,
}

impl Verdict {
    /// It can be taken.
    pub fn good(hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..Self::default() }
    }

    /// It cannot be taken yet.
    pub fn unfinished(why: impl Into<String>) -> Self {
        Self { error: Some(why.into()), unfinished: true, ..Self::default() }
    }

    /// It cannot be taken.
    pub fn bad(why: impl Into<String>) -> Self {
        Self { error: Some(why.into()), ..Self::default() }
    }
}

/// Judges what has been typed.
pub type Check = Box<dyn Fn(&App, &str) -> Verdict + Send>;
/// Takes what was typed.
pub type Done = Box<dyn FnOnce(&mut App, &str) + Send>;

/// The line. Its `Debug` never shows what was typed.
pub struct Line {
    title: String,
    about: String,
    input: Input,
    secret: bool,
    check: Check,
    done: Option<Done>,
    verdict: Verdict,
    asked: bool,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("title", &self.title).finish_non_exhaustive()
    }
}

impl Line {
    /// A line that asks for `title`; `about` says in a few words what may be typed.
    pub fn new(app: &App, title: &str, about: &str, text: &str, check: Check, done: Done) -> Self {
        let verdict = check(app, text);
        Self {
            title: title.to_owned(),
            about: about.to_owned(),
            input: Input::new(text.to_owned()),
            secret: false,
            check,
            done: Some(done),
            verdict,
            asked: false,
        }
    }

    /// The same, hidden while it is typed.
    #[must_use]
    pub fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    fn changed(&mut self, app: &App) {
        self.asked = false;
        self.verdict = (self.check)(app, self.input.value());
    }

    fn insert(&mut self, c: char) {
        if self.input.value().chars().count() < LONGEST {
            self.input.handle(InputRequest::InsertChar(c));
        }
    }
}

/// What keys of a line do that are no actions.
fn request(key: Key) -> Option<InputRequest> {
    use InputRequest as R;
    const NONE: KeyModifiers = KeyModifiers::NONE;
    const CTRL: KeyModifiers = KeyModifiers::CONTROL;
    const ALT: KeyModifiers = KeyModifiers::ALT;
    let keys = [
        (KeyCode::Backspace, NONE, R::DeletePrevChar),
        (KeyCode::Char('h'), CTRL, R::DeletePrevChar),
        (KeyCode::Delete, NONE, R::DeleteNextChar),
        (KeyCode::Char('d'), CTRL, R::DeleteNextChar),
        (KeyCode::Left, NONE, R::GoToPrevChar),
        (KeyCode::Char('b'), CTRL, R::GoToPrevChar),
        (KeyCode::Right, NONE, R::GoToNextChar),
        (KeyCode::Char('f'), CTRL, R::GoToNextChar),
        (KeyCode::Left, CTRL, R::GoToPrevWord),
        (KeyCode::Char('b'), ALT, R::GoToPrevWord),
        (KeyCode::Right, CTRL, R::GoToNextWord),
        (KeyCode::Char('f'), ALT, R::GoToNextWord),
        (KeyCode::Home, NONE, R::GoToStart),
        (KeyCode::Char('a'), CTRL, R::GoToStart),
        (KeyCode::End, NONE, R::GoToEnd),
        (KeyCode::Char('e'), CTRL, R::GoToEnd),
        (KeyCode::Char('w'), CTRL, R::DeletePrevWord),
        (KeyCode::Backspace, ALT, R::DeletePrevWord),
        (KeyCode::Char('u'), CTRL, R::DeleteFromStart),
        (KeyCode::Char('k'), CTRL, R::DeleteTillEnd),
        (KeyCode::Char('y'), CTRL, R::Yank),
    ];
    keys.into_iter().find(|(code, modifiers, _)| Key::new(*code, *modifiers) == key).map(|(.., request)| request)
}

impl Overlay for Line {
    fn context(&self) -> Context {
        Context::Text
    }

    fn act(&mut self, app: &mut App, action: Action) -> Outcome {
        match action {
            Action::Back => return Outcome::Close,
            Action::Open => {
                self.changed(app);
                if self.verdict.error.is_some() {
                    self.asked = true;
                    return Outcome::Stay;
                }
                if let Some(done) = self.done.take() {
                    done(app, self.input.value());
                }
                return Outcome::Close;
            }
            Action::Complete => {
                if let Some(text) = self.verdict.completion.clone() {
                    self.input = Input::new(text);
                    self.changed(app);
                }
            }
            Action::Redraw => app.effect(Effect::Redraw),
            Action::Suspend => app.effect(Effect::Suspend),
            _ => {}
        }
        Outcome::Stay
    }

    fn key(&mut self, app: &mut App, key: Key) -> Outcome {
        if let Some(c) = key.character() {
            self.insert(c);
            self.changed(app);
        } else if let Some(request) = request(key) {
            self.input.handle(request);
            self.changed(app);
        }
        Outcome::Stay
    }

    fn paste(&mut self, app: &mut App, text: &str) -> Outcome {
        for c in text.chars() {
            self.insert(c);
        }
        self.changed(app);
        Outcome::Stay
    }

    fn wheel(&mut self, _: &mut App, _: i16) -> Outcome {
        Outcome::Stay
    }

    fn refresh(&mut self, app: &mut App) {
        let asked = self.asked;
        self.changed(app);
        self.asked = asked;
    }

    fn draw(&self, _: &App, paint: &mut Paint<'_>, area: Rect) {
        let place = super::over(area, 68, 6);
        frame(paint, place, &self.title);
        let room = place.width.saturating_sub(4);
        let (x, y) = (place.x + 2, place.y + 1);
        let dots;
        let shown = if self.secret {
            dots = paint.sign("•", "*").repeat(self.input.value().chars().count());
            dots.as_str()
        } else {
            self.input.value()
        };
        let before: String = shown.chars().take(self.input.cursor()).collect();
        let scroll = usize::from(u16::try_from(before.width()).unwrap_or(u16::MAX).saturating_sub(room - 1));
        paint.fill(Rect::new(x, y, room, 1), paint.style(Meaning::Input));
        let (visible, left) = window(shown, scroll, usize::from(room));
        paint.text(x, y, room, visible, paint.style(Meaning::Input));
        let says = self.verdict.error.is_some() && (self.asked || !self.verdict.unfinished);
        if says
            && !self.secret
            && let Some(span) = &self.verdict.span
        {
            let from = shown.get(..span.start).map_or(0, UnicodeWidthStr::width);
            let long = shown.get(span.clone()).map_or(1, UnicodeWidthStr::width).max(1);
            for column in from..from + long {
                if let Some(at) = column.checked_sub(left).filter(|at| *at < usize::from(room)) {
                    paint.text(x + at as u16, y + 1, 1, "^", paint.style(Meaning::InputError));
                }
            }
        }
        let at = before.width().saturating_sub(left).min(usize::from(room - 1)) as u16;
        paint.fill(Rect::new(x + at, y, 1, 1), paint.style(Meaning::CursorCell));
        if shown.is_empty() || usize::from(at) >= visible.width() {
            paint.text(x + at, y, 1, paint.glyph(Glyph::Input), paint.style(Meaning::Input));
        }
        match &self.verdict.error {
            Some(why) if says => wrapped(paint, Rect::new(x, y + 2, room, 2), why, Meaning::InputError),
            _ => {
                let hint = if self.verdict.hint.is_empty() { &self.about } else { &self.verdict.hint };
                wrapped(paint, Rect::new(x, y + 2, room, 2), hint, Meaning::Hint);
            }
        }
    }
}

/// The part of a text from a column on, and the column at which it begins.
fn window(text: &str, skip: usize, room: usize) -> (&str, usize) {
    let mut left = 0;
    for (at, c) in text.char_indices() {
        if left >= skip {
            let rest = text.get(at..).unwrap_or_default();
            let mut taken = 0;
            for (end, c) in rest.char_indices() {
                taken += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
                if taken > room {
                    return (rest.get(..end).unwrap_or_default(), left);
                }
            }
            return (rest, left);
        }
        left += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
    }
    ("", left)
}

/// An empty box with a title.
pub fn frame(paint: &mut Paint<'_>, place: Rect, title: &str) {
    paint.clear(place, paint.style(Meaning::Text));
    let block = Block::bordered().border_set(paint.glyphs.border()).border_style(paint.style(Meaning::BorderFocus));
    block.render(place.intersection(paint.buf.area), paint.buf);
    let style = paint.style(Meaning::Title);
    paint.text(place.x + 2, place.y, place.width.saturating_sub(4), &format!(" {title} "), style);
}

/// A text in as many lines as there are, broken between words.
pub fn wrapped(paint: &mut Paint<'_>, area: Rect, text: &str, meaning: Meaning) {
    let style = paint.style(meaning);
    let room = usize::from(area.width);
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let full = lines.len() >= usize::from(area.height);
        let Some(line) = lines.last_mut() else { return };
        let needs = line.width() + usize::from(!line.is_empty()) + word.width();
        if needs <= room || full || line.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    for (y, line) in (area.y..area.bottom()).zip(&lines) {
        paint.text(area.x, y, area.width, line, style);
    }
}
