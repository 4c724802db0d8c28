//! What lies over a page: help, the palette, finding, explaining, choosers, lines to type into.
//!
//! Each is an [`super::app::Overlay`]. What they read from the store comes back into [`Kept`], from where they take it
//! when they are told to look again.

pub mod columns;
pub mod command;
pub mod copy;
pub mod explain;
pub mod export;
pub mod filter;
pub mod find;
pub mod go;
pub mod help;
pub mod moment;
pub mod palette;
pub mod save;
#[cfg(test)]
mod tests;
pub mod theme;
pub mod tree;

use super::app::{App, Slot};
use super::keys::Action;
use crate::engine::detect::signal::Signal;

/// What overlays remember from one opening to the next.
#[derive(Debug, Default)]
pub struct Kept {
    /// What was run from the palette, the newest first: names of actions, or commands as typed.
    pub recent: Vec<String>,
    /// Filters that were kept, the newest first.
    pub filters: Vec<String>,
    /// Names of the user's lists and saved filters.
    pub words: filter::Words,
    /// The signals that can be found, up to the moment on show.
    pub signals: Slot<Vec<Signal>>,
    /// The derivation on show.
    pub derived: Slot<Vec<tree::Node>>,
}

impl Kept {
    /// Puts `text` in front of a list of at most 50, once.
    pub fn note(list: &mut Vec<String>, text: &str) {
        const MOST: usize = 50;
        list.retain(|t| t != text);
        list.insert(0, text.to_owned());
        list.truncate(MOST);
    }
}

/// Opens what an action asks for; `false`: it asks for none of these.
pub fn act(app: &mut App, action: Action) -> bool {
    use Action as A;
    match action {
        A::Help => help::open(app),
        A::Palette => palette::open(app),
        A::Find => find::open(app),
        A::FindNext => find::step(app, true),
        A::FindPrevious => find::step(app, false),
        A::Filter => filter::open(app),
        A::SaveFilter => save::open(app),
        A::ClearFilter => {
            app.prefs.filter.clear();
            app.keep_prefs();
            app.moved();
            app.say("all games");
        }
        A::Explain => explain::cursor(app),
        A::Columns => columns::open(app),
        A::Theme => theme::open(app),
        A::GoToTime => go::open(app),
        A::Copy => copy::cell(app),
        A::CopyRow => copy::row(app),
        A::Export => export::open(app),
        _ => return false,
    }
    true
}
