//! Who polls what, in words.

use serde::{Deserialize, Serialize};

/// How one name stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// This device polls.
    Held,
    /// This device polls although the hub cannot be asked.
    Alone,
    /// Another one does.
    Other,
    /// Nobody here: the hub has to say first who does.
    #[default]
    Waits,
}

/// Who polls a sport, or listens to an exchange.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LeaseNote {
    /// Sport key, or such as `exchange:polymarket`.
    pub name: String,
    /// How it stands.
    pub stands: Stands,
    /// The other device's name.
    pub holder: Option<String>,
}

impl LeaseNote {
    /// In words, without the name.
    pub fn words(&self) -> String {
        match (self.stands, &self.holder) {
            (Stands::Held, _) => "this device polls".to_owned(),
            (Stands::Alone, _) => "this device polls without the hub".to_owned(),
            (Stands::Other, Some(holder)) => format!("{holder} polls"),
            (Stands::Other, None) => "another device polls".to_owned(),
            (Stands::Waits, _) => "waits until the hub says who polls".to_owned(),
        }
    }

    /// This device does not ask.
    pub const fn stands_by(&self) -> bool {
        matches!(self.stands, Stands::Other | Stands::Waits)
    }
}

/// Those that do not poll here, by what is said of them: `desk-2 polls` with the names.
pub fn standing_by(notes: &[LeaseNote]) -> Vec<(String, Vec<String>)> {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for note in notes.iter().filter(|n| n.stands_by()) {
        let words = note.words();
        match all.iter_mut().find(|(w, _)| *w == words) {
            Some((_, names)) => names.push(note.name.clone()),
            None => all.push((words, vec![note.name.clone()])),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_polls_is_told_once() {
        let note = |name: &str, stands, holder: Option<&str>| LeaseNote {
            name: name.into(),
            stands,
            holder: holder.map(str::to_owned),
        };
        let notes = [
            note("nba", Stands::Other, Some("desk-2")),
            note("nfl", Stands::Held, None),
            note("nhl", Stands::Other, Some("desk-2")),
            note("mlb", Stands::Waits, None),
        ];
        let told = standing_by(&notes);
        assert_eq!(told.len(), 2);
        assert_eq!(told[0], ("desk-2 polls".to_owned(), vec!["nba".to_owned(), "nhl".to_owned()]));
        assert_eq!(told[1].1, ["mlb"]);
    }
}
