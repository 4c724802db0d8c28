//! The first evening: no key yet, and nothing in the store.

use crate::board::app::App;

/// Puts the welcome over the page if there is no key and nothing to show.
pub fn offer(app: &mut App) {
    let _ = app;
}

/// The source does not take the key that was typed.
pub fn key_refused(app: &mut App, message: &str) {
    app.complain(message.to_owned());
}

/// The source takes the key that was typed; it has been kept in a file.
pub fn key_taken(app: &mut App, file: &str) {
    app.say(format!("the key works and is kept in {file}"));
}
