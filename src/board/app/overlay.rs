//! What lies over a page: help, the palette, choosers, lines to type into. The last one has the keyboard.

use std::fmt::Debug;

use ratatui::layout::Rect;

use super::App;
use crate::board::keys::{Action, Context, Key};
use crate::board::paint::{Hit, Paint};

/// What becomes of an overlay after something happened to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It stays.
    Stay,
    /// It goes.
    Close,
    /// It goes, and the page under it gets the action too.
    Pass(Action),
}

/// Something over the page. While one of its methods runs it is not among [`App::overlays`].
pub trait Overlay: Debug + Send {
    /// [`Context::List`] or [`Context::Text`]: whose keys hold.
    fn context(&self) -> Context;

    /// A key of the key map. [`Action::Back`] should close it.
    fn act(&mut self, app: &mut App, action: Action) -> Outcome;

    /// In a line of text: any other key.
    fn key(&mut self, app: &mut App, key: Key) -> Outcome {
        let _ = (app, key);
        Outcome::Stay
    }

    /// Pasted text, without control characters.
    fn paste(&mut self, app: &mut App, text: &str) -> Outcome {
        let _ = (app, text);
        Outcome::Stay
    }

    /// A click into one of its own zones. Clicks elsewhere close it.
    fn click(&mut self, app: &mut App, hit: Hit, double: bool) -> Outcome {
        let _ = (app, hit, double);
        Outcome::Stay
    }

    /// The wheel over it; rows, down is positive.
    fn wheel(&mut self, app: &mut App, rows: i16) -> Outcome {
        self.act(app, if rows < 0 { Action::Up } else { Action::Down })
    }

    /// The market or an answer changed something: look again.
    fn refresh(&mut self, app: &mut App) {
        let _ = app;
    }

    /// Draws it into the area of the page.
    fn draw(&self, app: &App, paint: &mut Paint<'_>, area: Rect);
}
