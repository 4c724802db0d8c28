//! The user looks away and comes back: what happened meanwhile.

use ratatui::layout::Rect;

use super::App;
use crate::market::time::Timestamp;

/// Shorter absences are not worth a word.
const WORTH_MS: i64 = 5 * 60_000;

/// When the user was last seen to look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Away {
    /// Market time at which the terminal lost the focus.
    pub since: Option<Timestamp>,
}

impl App {
    /// The terminal has another size.
    pub fn resized(&mut self, area: Rect) {
        self.area = area;
        self.moved();
    }

    /// The terminal lost the focus.
    pub fn left(&mut self) {
        self.away.since = Some(self.clocks.market());
    }

    /// The terminal has the focus again.
    pub fn returned(&mut self) {
        let Some(since) = self.away.since.take() else { return };
        if self.clocks.market().since(since) >= WORTH_MS {
            crate::board::pages::while_away(self, since);
        }
    }
}
