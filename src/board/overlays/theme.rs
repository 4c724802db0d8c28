//! The chooser of colours: the board takes each theme as the cursor comes to it.

use ratatui::layout::Rect;

use crate::board::app::{App, Outcome, Overlay};
use crate::board::keys::{Action, Context};
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{AUTO, Glyph, Meaning};
use crate::board::widgets::list;
use crate::board::widgets::popup::{self, Place};

/// The overlay.
#[derive(Debug)]
pub struct Themes {
    /// Name and what is shown of it.
    names: Vec<(String, String)>,
    cursor: usize,
    before: String,
}

/// Opens it.
pub fn open(app: &mut App) {
    let names = names(app);
    let before = app.prefs.theme.clone();
    let cursor = names.iter().position(|(n, _)| *n == before).unwrap_or(0);
    app.overlay(Themes { names, cursor, before });
}

/// Every theme by name; the empty name is that of the settings.
pub fn names(app: &App) -> Vec<(String, String)> {
    let settings = (String::new(), format!("as in the settings ({})", app.looks.preferred));
    let auto = (AUTO.to_owned(), format!("{AUTO}: by the terminal's background"));
    let own = app.looks.themes.names().map(|n| (n.to_owned(), n.to_owned()));
    [settings, auto].into_iter().chain(own).collect()
}

impl Themes {
    fn go(&mut self, app: &mut App, to: usize) {
        self.cursor = to;
        if let Some((name, _)) = self.names.get(to) {
            app.dress(name);
        }
    }
}

impl Overlay for Themes {
    fn context(&self) -> Context {
        Context::List
    }

    fn act(&mut self, app: &mut App, action: Action) -> Outcome {
        match action {
            Action::Open | Action::Mark => {
                app.keep_prefs();
                Outcome::Close
            }
            Action::Back => {
                app.dress(&self.before);
                Outcome::Close
            }
            _ => {
                if let Some(to) = list::moved(self.cursor, self.names.len(), 10, action) {
                    self.go(app, to);
                }
                Outcome::Stay
            }
        }
    }

    fn click(&mut self, app: &mut App, hit: Hit, double: bool) -> Outcome {
        let Hit::Item(at) = hit else { return Outcome::Stay };
        self.go(app, at.min(self.names.len().saturating_sub(1)));
        if double { self.act(app, Action::Open) } else { Outcome::Stay }
    }

    fn draw(&self, _: &App, paint: &mut Paint<'_>, area: Rect) {
        let height = (self.names.len() as u16).min(area.height.saturating_sub(2));
        let outer = popup::place(area, Place::Middle, (44, height));
        let inner = popup::draw(paint, outer, "Colours", "enter keeps  esc takes back");
        let top = list::top(self.cursor, self.names.len(), usize::from(inner.height));
        for (row, (at, (_, told))) in
            self.names.iter().enumerate().skip(top).take(usize::from(inner.height)).enumerate()
        {
            let line = Rect { y: inner.y + row as u16, height: 1, ..inner };
            let mut style = paint.style(Meaning::Text);
            if at == self.cursor {
                paint.fill(line, paint.style(Meaning::Selection));
                paint.text(line.x, line.y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Title));
                style = style.patch(paint.style(Meaning::Selection));
            }
            paint.text(line.x + 2, line.y, line.width.saturating_sub(2), told, style);
            paint.zone(line, Hit::Item(at));
        }
        list::scroll_bar(paint, Rect { x: outer.right() - 1, width: 1, ..inner }, top, self.names.len());
    }
}
