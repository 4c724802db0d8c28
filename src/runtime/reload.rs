//! Settings that are read again while the program runs: which of them can be put into force, and which need a restart.
//!
//! Comparing is pure. A setting that nobody has listed here needs a restart: better to say so too often than to pretend.
//! Where the settings come from is not known here: whoever starts the program knows how to read them ([`Rereading`]).

use super::keeper::local_now;
use super::session::{LiveConfig, Session};
use super::status::ReloadNote;
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
    "exchange_divergence.",
    "live_shock.",
    "opportunities.",
    "retention.",
    "polymarket.",
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

/// Reads the settings again.
pub trait Rereading: Send {
    /// Reads and checks them all.
    ///
    /// # Errors
    /// Why they cannot be used, for a person; nothing is to change then.
    fn read(&mut self) -> Result<(LiveConfig, Changed), String>;
    /// Dollars of the stake for which the board tells the price it gets at an exchange, in the settings in force.
    fn stake(&self) -> f64;
    /// Those that were read last are in force.
    fn taken(&mut self);
}

/// Reads the settings again and puts into force what can be. What came of it is in the log, in the status, and the answer.
pub async fn reload(rereading: &mut dyn Rereading, session: &mut Session) -> ReloadNote {
    let taken = match rereading.read() {
        Ok((live, changed)) => session.apply(live).await.map(|()| changed).map_err(|e| e.to_string()),
        Err(problem) => Err(problem),
    };
    let note = match taken {
        Ok(changed) => {
            rereading.taken();
            tracing::info!(
                applied = list(&changed.live),
                restart = list(&changed.restart),
                "the settings were read again"
            );
            ReloadNote { at: local_now(), applied: changed.live, restart: changed.restart, problem: None }
        }
        Err(problem) => {
            tracing::error!(problem, "the settings were read again and not taken");
            let (applied, restart) = (Vec::new(), Vec::new());
            ReloadNote { at: local_now(), applied, restart, problem: Some(problem) }
        }
    };
    session.note_reload(note.clone());
    note
}

/// What came of it, in a sentence.
pub fn sentence(note: &ReloadNote) -> String {
    match &note.problem {
        Some(problem) => format!("the settings were not taken, nothing was changed: {problem}"),
        None => format!(
            "settings read again; in force now: {}; needs a restart: {}",
            list(&note.applied),
            list(&note.restart)
        ),
    }
}

/// The same in the few words that there is room for on a board; `None`: nothing is different.
pub fn word(note: &ReloadNote) -> Option<String> {
    let applied = (!note.applied.is_empty()).then(|| format!("in force now: {}", list(&note.applied)));
    let restart = (!note.restart.is_empty()).then(|| format!("after a restart: {}", list(&note.restart)));
    let words: Vec<String> = applied.into_iter().chain(restart).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

fn list(all: &[String]) -> String {
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
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
             [quotes.max_age_by_book]\ndraftkings = \"3m\"\n[polymarket]\non = true\n[exchange_divergence]\nprobability = 0.04\n",
        );
        let changed = compare(&before, &after);
        let mut live = changed.live.clone();
        live.sort();
        let expected = [
            "exchange_divergence.probability",
            "log.level",
            "odds_api.sports",
            "polymarket.on",
            "quotes.max_age_by_book.draftkings",
            "quotes.max_age_by_book.pinnacle",
        ];
        assert_eq!(live, expected);
        assert_eq!(changed.restart, ["odds_api.clock", "store.path", "log.files", "metrics.listen"]);
    }
}
