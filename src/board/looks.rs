//! How the board looks on this terminal: themes, how many colours there are, and which signs.

use std::sync::Arc;

use super::theme::{AUTO, Background, ColourDepth, DARK, Environment, Glyphs, PLAIN, Theme, Themes};

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
    /// What the environment says.
    pub fn detect(environment: &Environment, themes: Themes, preferred: &str) -> Self {
        Self {
            themes: Arc::new(themes),
            depth: ColourDepth::detect(environment),
            background: Background::guess(environment),
            glyphs: Glyphs::detect(environment),
            preferred: if preferred.is_empty() { AUTO.to_owned() } else { preferred.to_owned() },
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
