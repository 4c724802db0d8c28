//! The lines of the chart as a list to tick.

use ratatui::layout::Rect;

use super::series::Pick;
use crate::board::app::{App, Outcome, Overlay};
use crate::board::keys::{Action, Context};
use crate::board::paint::{Hit, Paint};
use crate::board::theme::{Glyph, Meaning};

/// The list.
#[derive(Debug)]
pub struct Chooser {
    items: Vec<(Pick, String)>,
    at: usize,
}

impl Chooser {
    /// A list of these lines with their names.
    pub fn new(items: Vec<(Pick, String)>) -> Self {
        Self { items, at: 0 }
    }

    fn toggle(&self, app: &mut App) {
        let Some((pick, _)) = self.items.get(self.at) else { return };
        let chosen = &app.pages.game.picks;
        // In the order of the list, so that colours do not depend on the order of ticking.
        let picks = self.items.iter().map(|(p, _)| p);
        let mut kept: Vec<Pick> = picks.clone().filter(|p| chosen.contains(p) != (*p == pick)).cloned().collect();
        // A game without an exchange does not take the line away from those that have one.
        let elsewhere = chosen.contains(&Pick::Exchange) && !picks.clone().any(|p| *p == Pick::Exchange);
        kept.extend(elsewhere.then_some(Pick::Exchange));
        app.pages.game.picks = kept;
        super::rebuild(app);
        app.dirty = true;
    }

    fn step(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by).min(self.items.len().saturating_sub(1));
    }
}

impl Overlay for Chooser {
    fn context(&self) -> Context {
        Context::List
    }

    fn act(&mut self, app: &mut App, action: Action) -> Outcome {
        match action {
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::PageUp => self.step(-10),
            Action::PageDown => self.step(10),
            Action::First => self.at = 0,
            Action::Last => self.step(isize::MAX / 2),
            Action::Mark => self.toggle(app),
            Action::Back | Action::Open => return Outcome::Close,
            _ => {}
        }
        app.dirty = true;
        Outcome::Stay
    }

    fn click(&mut self, app: &mut App, hit: Hit, double: bool) -> Outcome {
        let _ = double;
        if let Hit::Item(at) = hit
            && at < self.items.len()
        {
            self.at = at;
            self.toggle(app);
        }
        Outcome::Stay
    }

    fn draw(&self, app: &App, paint: &mut Paint<'_>, area: Rect) {
        let width = 34.min(area.width);
        let height = (self.items.len() as u16 + 2).min(area.height);
        let x = area.x + (area.width - width) / 2;
        let y = area.y + (area.height - height) / 2;
        let frame = Rect::new(x, y, width, height);
        paint.clear(frame, paint.style(Meaning::Text));
        paint.zone(frame, Hit::Pane(0));
        super::layout::heading(paint, Rect { height: 1, ..frame }, "Lines of the chart", "", true);
        let rows = usize::from(height.saturating_sub(2));
        let top = (self.at + 1).saturating_sub(rows);
        for (row, (at, (pick, name))) in self.items.iter().enumerate().skip(top).take(rows).enumerate() {
            let y = y + 1 + row as u16;
            let line = Rect::new(x, y, width, 1);
            if at == self.at {
                paint.fill(line, paint.style(Meaning::Selection));
                paint.text(x, y, 1, paint.glyph(Glyph::Cursor), paint.style(Meaning::Title));
            }
            let ticked = app.pages.game.picks.contains(pick);
            let (sign, meaning) = if ticked { (Glyph::Check, Meaning::Ok) } else { (Glyph::Unticked, Meaning::Faint) };
            paint.text(x + 2, y, 1, paint.glyph(sign), paint.style(meaning));
            paint.text(x + 4, y, width.saturating_sub(5), name, paint.style(Meaning::Text));
            paint.zone(line, Hit::Item(at));
        }
        let hint = "space ticks, esc closes";
        paint.text(x + 2, y + height - 1, width.saturating_sub(3), hint, paint.style(Meaning::Hint));
    }
}
