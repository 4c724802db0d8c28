//! Themes: how things look, by what they mean.
//!
//! ```text
//! assets/themes/*.toml < themes/*.toml --> Themes --(name, depth)--> Theme --> Style of a Meaning, light of a change
//! environment --> ColourDepth, Background, Glyphs
//! ```
//!
//! A pane names a [`Meaning`] and gets a style that the terminal can show; it names a [`Glyph`] and gets a sign that
//! the terminal has. No other part of the board knows a colour.
//!
//! Owns colours, signs and their files, and tells when files change. Draws nothing.
#![warn(missing_docs)]

mod colour;
mod depth;
mod glyph;
mod manual;
mod meaning;
mod registry;
mod spec;
mod style;
mod watch;

pub use colour::{contrast, difference, mix, nearest_16, nearest_256};
pub use depth::{Background, ColourDepth, Environment};
pub use glyph::{Glyph, Glyphs};
pub use manual::manual;
pub use meaning::{Meaning, Role};
pub use registry::{AUTO, DARK, LIGHT, PLAIN, ThemeProblem, Themes};
pub use spec::{Direction, Spec};
pub use style::Theme;
pub use watch::{Changed, FileWatch, QUIET, WatchError, Watched};
