//! The first evening: no key yet, and nothing in the store. What this is, and three ways on: the simulated market, a key,
//! and the sports and books to follow, which are asked for as soon as a key has been taken.
//!
//! A key that is typed here is hidden, and goes nowhere but into the effect that tries it.

pub mod pick;
#[cfg(test)]
mod tests;

use ratatui::layout::Rect;
use secrecy::SecretString;

use super::watch::line::{Line, Verdict, frame, wrapped};
use super::watch::over;
use crate::board::app::{App, Effect, Offered, Outcome, Overlay};
use crate::board::keys::{Action, Context, Key};
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};
use crate::runtime::status::KeyState;

/// Longer than any key.
const LONGEST_KEY: usize = 512;

/// Puts the welcome over the page if there is no key and nothing to show.
pub fn offer(app: &mut App) {
    // What follows a hub needs no key.
    let missing =
        app.link.status.as_ref().is_some_and(|s| s.key == KeyState::Missing && s.origin.is_none() && s.hub.is_none());
    let empty = app.live.games.is_empty() && app.live.look.is_none();
    if !missing || !empty || app.is_demo() || app.desk.welcomed || !app.overlays.is_empty() {
        return;
    }
    app.desk.welcomed = true;
    app.overlay(Welcome::default());
}

/// The source does not take the key that was typed.
pub fn key_refused(app: &mut App, message: &str) {
    app.complain(format!("the source refuses this key: {message}"));
    if app.live.games.is_empty() && app.overlays.is_empty() {
        app.overlay(Welcome { at: 1, refused: Some(message.to_owned()) });
    }
}

/// The source takes the key that was typed; it has been kept in a file. What it offers can be chosen from now.
pub fn key_taken(app: &mut App, file: &str, offered: &[Offered]) {
    app.say(format!("the key works and is kept in {file}"));
    if app.overlays.is_empty() {
        pick::open(app, offered);
    }
}

/// The welcome.
#[derive(Debug, Default)]
struct Welcome {
    at: usize,
    refused: Option<String>,
}

/// Key and what it does.
const CHOICES: [(&str, &str); 3] = [
    ("D", "look around in a simulated market first (no key needed)"),
    ("K", "type a key of The Odds API; it is tried with a free question"),
    ("S", "choose sports and books; which are in season needs a key"),
];

impl Welcome {
    fn take(&mut self, app: &mut App) -> Outcome {
        match self.at {
            0 => {
                app.effect(Effect::Demo);
                Outcome::Close
            }
            1 => {
                ask_key(app);
                Outcome::Close
            }
            _ => {
                pick::open(app, &[]);
                Outcome::Stay
            }
        }
    }
}

/// Asks for a key. What is typed shows as dots.
fn ask_key(app: &mut App) {
    let line = Line::new(
        app,
        "Key of The Odds API",
        "typed or pasted; it is kept in a file that only you can read",
        "",
        Box::new(|_, text| judge(text)),
        Box::new(|app, text| {
            app.say("the key is being tried");
            app.effect(Effect::Key(SecretString::from(text.trim())));
        }),
    );
    app.overlay(line.secret());
}

/// A key is one word of letters and digits. Nothing of it is repeated.
fn judge(text: &str) -> Verdict {
    let key = text.trim();
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if key.is_empty() {
        Verdict::unfinished("nothing has been typed")
    } else if key.len() > LONGEST_KEY {
        Verdict::bad("this is longer than any key")
    } else if !key.bytes().all(plain) {
        Verdict::bad("a key is one word of letters and digits, without quotes")
    } else {
        Verdict::good(format!("{} characters", key.len()))
    }
}

impl Overlay for Welcome {
    fn context(&self) -> Context {
        // As in a line of text, so that D, K and S are its own.
        Context::Text
    }

    fn act(&mut self, app: &mut App, action: Action) -> Outcome {
        match action {
            Action::Back => return Outcome::Close,
            Action::Open => return self.take(app),
            Action::HistoryPrevious | Action::Up => self.at = self.at.saturating_sub(1),
            Action::HistoryNext | Action::Down => self.at = (self.at + 1).min(CHOICES.len() - 1),
            Action::Redraw => app.effect(Effect::Redraw),
            Action::Suspend => app.effect(Effect::Suspend),
            _ => {}
        }
        Outcome::Stay
    }

    fn key(&mut self, app: &mut App, key: Key) -> Outcome {
        let Some(c) = key.character() else { return Outcome::Stay };
        if c == 'q' {
            return Outcome::Pass(Action::Quit);
        }
        let wanted = c.to_uppercase().to_string();
        match CHOICES.iter().position(|(key, _)| *key == wanted) {
            Some(at) => {
                self.at = at;
                self.take(app)
            }
            None => Outcome::Stay,
        }
    }

    fn click(&mut self, app: &mut App, hit: Hit, _: bool) -> Outcome {
        match hit {
            Hit::Item(at) if at < CHOICES.len() => {
                self.at = at;
                self.take(app)
            }
            _ => Outcome::Stay,
        }
    }

    fn draw(&self, _: &App, paint: &mut Paint<'_>, area: Rect) {
        let place = over(area, 72, 13);
        frame(paint, place, "Welcome to Stratum");
        let (x, room) = (place.x + 2, place.width.saturating_sub(4));
        let about = "Stratum follows sports betting markets: every book's prices side by side, with fair prices, \
                     moves and signals. It needs a key of The Odds API to ask for prices.";
        wrapped(paint, Rect::new(x, place.y + 1, room, 3), about, Meaning::Text);
        for (at, (key, told)) in CHOICES.into_iter().enumerate() {
            let row = Rect::new(x, place.y + 5 + at as u16, room, 1);
            if at == self.at {
                paint.fill(row, paint.style(Meaning::Selection));
                paint.text(x, row.y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Key));
            }
            paint.text(x + 2, row.y, 1, key, paint.style(Meaning::Key));
            paint.text(x + 5, row.y, room.saturating_sub(5), told, paint.style(Meaning::Text));
            paint.zone(row, Hit::Item(at));
        }
        let note = Rect::new(x, place.y + 9, room, 2);
        if let Some(why) = &self.refused {
            wrapped(paint, note, &format!("the source refuses this key: {why}"), Meaning::Error);
        }
        let foot = Rect::new(x, place.bottom() - 2, room, 1);
        wrapped(paint, foot, "Esc shows the board, empty until there is a key", Meaning::Hint);
    }
}
