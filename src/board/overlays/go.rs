//! A line that takes a moment, and goes there.

use ratatui::layout::Rect;

use super::moment;
use crate::board::app::{App, Outcome, Overlay, Showing};
use crate::board::keys::{Action, Context, Key};
use crate::board::paint::Paint;
use crate::board::theme::Meaning;
use crate::board::widgets::input::TextLine;
use crate::board::widgets::popup::{self, Place};
use crate::market::time::Timestamp;

/// The overlay.
#[derive(Debug, Default)]
pub struct GoTo {
    line: TextLine,
}

/// Opens it.
pub fn open(app: &mut App) {
    app.overlay(GoTo::default());
}

/// The instant that a typed time is counted from: the market's present.
pub fn present(app: &App) -> Timestamp {
    app.live.at.unwrap_or_else(|| app.clocks.market()).max(app.clocks.market())
}

/// Goes to a moment as typed.
///
/// # Errors
/// A sentence for the user.
pub fn run(app: &mut App, text: &str) -> Result<(), String> {
    let at = moment::parse(text, app.prefs.zone(), present(app)).map_err(|e| e.to_string())?;
    app.go_to(at);
    Ok(())
}

impl Overlay for GoTo {
    fn context(&self) -> Context {
        Context::Text
    }

    fn act(&mut self, app: &mut App, action: Action) -> Outcome {
        match action {
            Action::Back => Outcome::Close,
            Action::Open if self.line.is_empty() => Outcome::Close,
            // What is wrong stands there already.
            Action::Open => run(app, self.line.text()).map_or(Outcome::Stay, |()| Outcome::Close),
            _ => Outcome::Stay,
        }
    }

    fn key(&mut self, _: &mut App, key: Key) -> Outcome {
        self.line.key(key);
        Outcome::Stay
    }

    fn paste(&mut self, _: &mut App, told: &str) -> Outcome {
        self.line.paste(told);
        Outcome::Stay
    }

    fn draw(&self, app: &App, paint: &mut Paint<'_>, area: Rect) {
        let zone = app.prefs.zone();
        let inner = popup::draw(paint, popup::place(area, Place::Middle, (58, 3)), "Go to a moment", "enter goes");
        self.line.draw(paint, Rect { height: 1, ..inner }, None);
        let (told, meaning) = if self.line.is_empty() {
            ("21:05   yesterday 20:00   2026-11-20 21:05   -30m".to_owned(), Meaning::Muted)
        } else {
            match moment::parse(self.line.text(), zone, present(app)) {
                Ok(at) => {
                    let told = format!("{} {} {}", zone.day(at), zone.full(at), zone.abbreviation(at));
                    (told, Meaning::Ok)
                }
                Err(e) => (e.to_string(), Meaning::InputError),
            }
        };
        let below = inner.y + 1;
        for (row, line) in popup::wrap(&told, inner.width).iter().take(2).enumerate() {
            paint.text(inner.x, below + row as u16, inner.width, line, paint.style(meaning));
        }
        if let (Showing::Past { at, .. }, true) = (&app.showing, self.line.is_empty()) {
            let told = format!("on show: {} {}", zone.full(*at), zone.abbreviation(*at));
            paint.text(inner.x, below + 1, inner.width, &told, paint.style(Meaning::Muted));
        }
    }
}
