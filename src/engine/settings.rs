//! What the user may decide about judging quotes.

use rustc_hash::FxHashMap;

use super::profile::BookProfile;
use super::rules::AnalysisRules;

/// What the engine needs to know of a book.
#[derive(Clone, PartialEq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct BookInfo {
    /// Regions in which the provider lists it. Empty: unknown, so every region covers it.
    pub regions: Vec<String>,
    /// Own limit of age in milliseconds, for books that are updated rarely.
    pub max_age_ms: Option<i64>,
    /// Two-sided exchange: back prices may add up to less than 1.
    pub exchange: bool,
    /// The exchange itself is listened to: looks at the exchange tell of it, and what others say of it is not used.
    #[serde(default)]
    pub direct: bool,
    /// Books with one source of prices; empty: a family of its own.
    pub family: String,
    /// Its vote and its fee. The number of the family is the engine's business.
    pub profile: BookProfile,
}

/// Settings of the engine.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct EngineSettings {
    /// A quote whose provider time is older than this at receipt is suspect. Milliseconds; 5 minutes by default.
    pub max_age_ms: i64,
    /// A provider time that does not advance over so many looks and [`EngineSettings::frozen_ms`] makes suspect.
    pub frozen_looks: u8,
    /// See [`EngineSettings::frozen_looks`]. Milliseconds.
    pub frozen_ms: i64,
    /// Provider times this far ahead of ours are taken for a difference of clocks. Milliseconds.
    pub future_skew_ms: i64,
    /// Treat warnings as errors.
    pub strict: bool,
    /// Pregame moves of a spread beyond so many points between two looks are reported.
    pub spread_jump: f64,
    /// The same for totals.
    pub total_jump: f64,
    /// Events are forgotten (by the engine, not by the store) so long after their start once nothing of them is open.
    /// Milliseconds.
    pub forget_after_ms: i64,
    /// The same pair under a new id within so long of a vanished start may be a moved game. Milliseconds.
    pub reschedule_ms: i64,
    /// Known books by key.
    #[serde(serialize_with = "in_order")]
    pub books: FxHashMap<String, BookInfo>,
    /// Fair prices, signals, opportunities, closes.
    pub rules: AnalysisRules,
}

impl EngineSettings {
    /// The book is an exchange that is listened to directly.
    pub fn listens_to(&self, book: &str) -> bool {
        self.books.get(book).is_some_and(|info| info.direct)
    }
}

impl Default for EngineSettings {
    fn default() -> Self {
        const MINUTE: i64 = 60_000;
        Self {
            max_age_ms: 5 * MINUTE,
            frozen_looks: 3,
            frozen_ms: 5 * MINUTE,
            future_skew_ms: MINUTE,
            strict: false,
            spread_jump: 10.0,
            total_jump: 20.0,
            forget_after_ms: 4 * 24 * 60 * MINUTE,
            reschedule_ms: 10 * 24 * 60 * MINUTE,
            books: FxHashMap::default(),
            rules: AnalysisRules::default(),
        }
    }
}

impl EngineSettings {
    /// One text for the same settings: what the store notes beside the looks that were judged by them.
    pub fn note(&self) -> String {
        // Numbers, texts and lists only: nothing in here can fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The settings of a note; `None` if a version with other settings made it.
    pub fn from_note(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

fn in_order<S: serde::Serializer>(books: &FxHashMap<String, BookInfo>, s: S) -> Result<S::Ok, S::Error> {
    s.collect_map(books.iter().collect::<std::collections::BTreeMap<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_gives_the_settings_back_and_does_not_depend_on_the_order_of_books() {
        let mut settings = EngineSettings::default();
        for key in ["b", "a", "c"] {
            settings.books.insert(key.into(), BookInfo { family: key.into(), ..BookInfo::default() });
        }
        let note = settings.note();
        assert_eq!(EngineSettings::from_note(&note), Some(settings.clone()));
        let mut other = EngineSettings::default();
        for key in ["c", "b", "a"] {
            other.books.insert(key.into(), BookInfo { family: key.into(), ..BookInfo::default() });
        }
        assert_eq!(other.note(), note);
        assert_eq!(EngineSettings::from_note("{}"), None);
    }
}
