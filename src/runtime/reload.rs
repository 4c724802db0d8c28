//! Settings that are read again while the program runs: which of them can be put into force, and which need a restart.
//!
//! Comparing is pure. A setting that nobody has listed here needs a restart: better to say so too often than to pretend.

use crate::config::Resolved;

/// Settings, or sections with a dot behind, that take effect at the next question or look.
const LIVE: &[&str] = &[
    "odds_api.base_url",
    "odds_api.key_file",
    "odds_api.sports",
    "odds_api.markets",
    "odds_api.regions",
    "odds_api.books",
    "odds_api.odds_format",
    "odds_api.interval",
    "odds_api.bet_limits",
    "odds_api.timeout",
    "polling.",
    "credits.",
    "quotes.",
    "devig.",
    "fair.",
    "move.",
    "key_cross.",
    "multibook_sync.",
    "steam.",
    "dislocation.",
    "live_shock.",
    "opportunities.",
    "retention.",
    "log.level",
    // The board reads its own.
    "board.",
    "keys.",
];

/// What has changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changed {
    /// Can be put into force now.
    pub live: Vec<String>,
    /// Needs a restart.
    pub restart: Vec<String>,
}

/// Compares settings in force with those that were read again.
pub fn compare(before: &[Resolved], after: &[Resolved]) -> Changed {
    let mut changed = Changed::default();
    let value = |all: &[Resolved], path: &str| all.iter().find(|r| r.path == path).map(|r| r.value.clone());
    // Tables with names of the user's own may gain and lose entries.
    let gone = before.iter().filter(|b| !after.iter().any(|a| a.path == b.path));
    for setting in after.iter().chain(gone) {
        let path = setting.path.as_str();
        if value(before, path) == value(after, path) {
            continue;
        }
        let live = LIVE.iter().any(|l| path == *l || l.ends_with('.') && path.starts_with(l));
        if live { &mut changed.live } else { &mut changed.restart }.push(path.to_owned());
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    fn with(text: &str) -> Vec<Resolved> {
        let dir = tempfile::tempdir().expect("dir");
        let file = dir.path().join("s.toml");
        std::fs::write(&file, text).expect("writes");
        load(&Sources { file: Some(file), ..Sources::default() }).expect("loads").values
    }

    #[test]
    fn what_changed_is_told_by_what_it_needs() {
        let before = with("[quotes.max_age_by_book]\npinnacle = \"2m\"\n");
        assert_eq!(compare(&before, &before), Changed::default());
        let after = with(
            "odds_api = { sports = [\"basketball_nba\"], clock = \"server\" }\nstore = { path = \"x.db\" }\n\
             log = { level = \"debug\", files = 3 }\nmetrics = { listen = \"127.0.0.1:9464\" }\n\
             [quotes.max_age_by_book]\ndraftkings = \"3m\"\n",
        );
        let changed = compare(&before, &after);
        let live =
            ["odds_api.sports", "quotes.max_age_by_book.draftkings", "log.level", "quotes.max_age_by_book.pinnacle"];
        assert_eq!(changed.live, live);
        assert_eq!(changed.restart, ["odds_api.clock", "store.path", "log.files", "metrics.listen"]);
    }
}
