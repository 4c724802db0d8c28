//! How the board looks on this terminal: themes, how many colours there are, and which signs.

use std::sync::Arc;

use super::theme::{AUTO, Background, ColourDepth, DARK, Environment, Glyphs, PLAIN, Theme, Themes};
use crate::config::BoardSettings;

/// What was found out about the terminal, and the themes there are.
#[derive(Clone, Debug)]
pub struct Looks {
    /// Shipped themes and the user's.
    pub themes: Arc<Themes>,
    /// How many colours the terminal shows.
    pub depth: ColourDepth,
    /// What it stands on.
    pub background: Background,
    /// Which signs it has.
    pub glyphs: Glyphs,
    /// The theme of the settings.
    pub preferred: String,
}

impl Looks {
    /// What the environment says, unless the settings know better.
    pub fn detect(environment: &Environment, themes: Themes, settings: &BoardSettings) -> Self {
        let preferred = if settings.theme.is_empty() { AUTO } else { &settings.theme };
        Self {
            themes: Arc::new(themes),
            depth: ColourDepth::parse(&settings.colours).unwrap_or_else(|| ColourDepth::detect(environment)),
            background: Background::guess(environment),
            glyphs: match settings.glyphs.as_str() {
                "unicode" => Glyphs::Unicode,
                "ascii" => Glyphs::Ascii,
                _ => Glyphs::detect(environment),
            },
            preferred: preferred.to_owned(),
        }
    }

    /// A terminal with all colours and signs: for pictures and tests.
    pub fn full() -> Self {
        Self {
            themes: Arc::new(Themes::shipped()),
            depth: ColourDepth::True,
            background: Background::Dark,
            glyphs: Glyphs::Unicode,
            preferred: DARK.to_owned(),
        }
    }

    /// The theme of a name; of an empty or unknown one that of the settings, else a shipped one.
    pub fn theme(&self, name: &str) -> Theme {
        let names = [name, self.preferred.as_str(), DARK, PLAIN];
        let found =
            names.into_iter().filter(|n| !n.is_empty()).find_map(|n| self.themes.theme(n, self.depth, self.background));
        found.unwrap_or_else(Theme::bare)
    }
}
