//! The user's files that change how the board looks and listens: key map and themes, read at the start and whenever they
//! are saved. A broken file keeps what was read before and says what is wrong with it.

use std::path::PathBuf;
use std::sync::Arc;

use super::app::App;
use super::keys::KeyMap;
use super::shell::run::Word;
use super::theme::Themes;

/// Where they are.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The key map.
    pub keys: PathBuf,
    /// The settings.
    pub settings: PathBuf,
    /// The folder of themes.
    pub themes: PathBuf,
}

impl Files {
    /// The key map, and what is wrong with its file. Without a file it is the shipped one.
    pub fn keys(&self) -> (KeyMap, Vec<String>) {
        if !self.keys.exists() {
            return (KeyMap::default(), Vec::new());
        }
        match KeyMap::load(&self.keys) {
            Ok(loaded) => {
                let place = self.keys.display();
                (loaded.map, loaded.problems.iter().map(|p| format!("{place}: {p}")).collect())
            }
            Err(e) => (KeyMap::default(), vec![e.to_string()]),
        }
    }

    /// Reads everything again; what came of it is for the board to take in.
    pub fn reload(&self) -> Word {
        let keys = if self.keys.exists() { Some(KeyMap::load(&self.keys)) } else { None };
        let (themes, problems) = Themes::load(&self.themes);
        let place = self.keys.display().to_string();
        Box::new(move |app: &mut App| {
            let mut complaints: Vec<String> = problems.iter().map(ToString::to_string).collect();
            match keys {
                None => app.keys = Arc::new(KeyMap::default()),
                Some(Ok(loaded)) => {
                    complaints.extend(loaded.problems.iter().map(|p| format!("{place}: {p}")));
                    app.keys = Arc::new(loaded.map);
                }
                Some(Err(e)) => complaints.push(e.to_string()),
            }
            app.looks.themes = Arc::new(themes);
            let name = app.prefs.theme.clone();
            app.theme = Arc::new(app.looks.theme(&name));
            if complaints.is_empty() {
                app.say("keys and themes were read again");
            }
            for complaint in complaints {
                app.complain(complaint);
            }
            app.dirty = true;
        })
    }
}
