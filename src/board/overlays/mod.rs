//! What lies over a page: help, the palette, finding, explaining, choosers, lines to type into.

use super::app::App;
use super::keys::Action;

/// Opens what an action asks for; `false`: it asks for none of these.
pub fn act(app: &mut App, action: Action) -> bool {
    let _ = (app, action);
    false
}
