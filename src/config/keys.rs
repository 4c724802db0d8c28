//! The table of all settings: name, type, bounds.

use std::time::Duration;

use super::duration::parse_duration;

/// What a setting holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// `http://` or `https://`.
    Url,
    /// A path; empty for none.
    Path,
    /// A name; empty for none.
    Text,
    /// An address with a port; empty for none.
    Listen,
    /// Names in lower case with digits and underscores; `true` when the list may not be empty.
    Names(bool),
    /// Texts of any kind; what they mean is checked where they are used.
    Texts,
    /// One of some words.
    Choice(&'static [&'static str]),
    /// A duration between two, in seconds.
    Duration(u64, u64),
    /// A duration of at least some seconds, or `forever`.
    Keep(u64),
    /// `true` or `false`.
    Bool,
    /// A whole number between two.
    Int(i64, i64),
    /// A number, whole or not, between two.
    Number(f64, f64),
    /// A table with names of the user's own, each a duration between two, in seconds.
    DurationByName(u64, u64),
    /// A table with names of the user's own, each a number between two.
    NumberByName(f64, f64),
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub path: &'static str,
    pub kind: Kind,
}

const DAY: u64 = 86_400;

/// Ways to remove a margin that answer with a distribution, see [`crate::market::devig::Method::DISTRIBUTIONS`].
const METHODS: Kind = Kind::Choice(&["multiplicative", "additive", "power", "shin", "odds_ratio", "probit"]);
/// A window or a cooldown.
const WINDOW: Kind = Kind::Duration(1, DAY);
/// A distance in points. Not zero: every look would pass it.
const POINTS: Kind = Kind::Number(0.05, 50.0);
/// A distance in probability.
const PROBABILITY: Kind = Kind::Number(0.001, 0.5);
/// Time between two questions.
const EVERY: Kind = Kind::Duration(10, DAY);
/// An amount of credits.
const CREDITS: Kind = Kind::Int(0, 1_000_000_000);
/// So many books, at least.
const BOOKS: Kind = Kind::Int(1, 100);
/// So many signals an event, at most; 0 for none.
const CAP: Kind = Kind::Int(0, 1000);

/// Every setting, in the order of the default file.
pub(super) const KEYS: &[Key] = &[
    Key { path: "odds_api.base_url", kind: Kind::Url },
    Key { path: "odds_api.key_file", kind: Kind::Path },
    Key { path: "odds_api.sports", kind: Kind::Names(false) },
    Key { path: "odds_api.markets", kind: Kind::Names(true) },
    Key { path: "odds_api.regions", kind: Kind::Names(false) },
    Key { path: "odds_api.books", kind: Kind::Names(false) },
    Key { path: "odds_api.odds_format", kind: Kind::Choice(&["american", "decimal"]) },
    Key { path: "odds_api.bet_limits", kind: Kind::Bool },
    Key { path: "odds_api.interval", kind: Kind::Duration(1, DAY) },
    Key { path: "odds_api.timeout", kind: Kind::Duration(1, 300) },
    Key { path: "odds_api.clock", kind: Kind::Choice(&["local", "server"]) },
    Key { path: "odds_api.record", kind: Kind::Path },
    Key { path: "polling.pace", kind: Kind::Choice(&["planned", "steady"]) },
    Key { path: "polling.far", kind: EVERY },
    Key { path: "polling.middle", kind: EVERY },
    Key { path: "polling.near", kind: EVERY },
    Key { path: "polling.middle_from", kind: Kind::Duration(0, 7 * DAY) },
    Key { path: "polling.near_from", kind: Kind::Duration(0, 7 * DAY) },
    Key { path: "polling.stop_after", kind: Kind::Duration(0, DAY) },
    Key { path: "polling.horizon", kind: Kind::Duration(3600, 8 * DAY) },
    Key { path: "polling.idle", kind: EVERY },
    Key { path: "polling.listing", kind: EVERY },
    Key { path: "polling.scores", kind: EVERY },
    Key { path: "polling.low_credit", kind: EVERY },
    Key { path: "credits.low", kind: CREDITS },
    Key { path: "credits.daily_target", kind: CREDITS },
    Key { path: "credits.in_play_daily", kind: CREDITS },
    Key { path: "credits.in_play", kind: EVERY },
    Key { path: "credits.backfill_daily", kind: CREDITS },
    Key { path: "credits.exchange_daily", kind: CREDITS },
    Key { path: "quotes.max_age", kind: Kind::Duration(1, DAY) },
    Key { path: "quotes.strict", kind: Kind::Bool },
    Key { path: "quotes.max_age_by_book", kind: Kind::DurationByName(1, DAY) },
    Key { path: "devig.h2h", kind: METHODS },
    Key { path: "devig.spreads", kind: METHODS },
    Key { path: "devig.totals", kind: METHODS },
    Key { path: "devig.max_overround", kind: Kind::Number(1.0, 2.0) },
    Key { path: "devig.max_exchange_spread", kind: Kind::Number(0.0, 0.5) },
    Key { path: "fair.half_life", kind: WINDOW },
    Key { path: "fair.min_books", kind: BOOKS },
    Key { path: "fair.min_families", kind: BOOKS },
    Key { path: "fair.step", kind: Kind::Number(0.0001, 0.1) },
    Key { path: "fair.weights", kind: Kind::NumberByName(0.0, 100.0) },
    Key { path: "move.spreads_window", kind: WINDOW },
    Key { path: "move.totals_window", kind: WINDOW },
    Key { path: "move.h2h_window", kind: WINDOW },
    Key { path: "move.spreads_points", kind: POINTS },
    Key { path: "move.totals_points", kind: POINTS },
    Key { path: "move.h2h_probability", kind: PROBABILITY },
    Key { path: "move.books", kind: BOOKS },
    Key { path: "key_cross.spreads_window", kind: WINDOW },
    Key { path: "key_cross.totals_window", kind: WINDOW },
    Key { path: "key_cross.books", kind: BOOKS },
    Key { path: "multibook_sync.window", kind: WINDOW },
    Key { path: "multibook_sync.books", kind: BOOKS },
    Key { path: "multibook_sync.points", kind: POINTS },
    Key { path: "multibook_sync.probability", kind: PROBABILITY },
    Key { path: "steam.window", kind: WINDOW },
    Key { path: "steam.books", kind: BOOKS },
    Key { path: "steam.spreads_points", kind: POINTS },
    Key { path: "steam.totals_points", kind: POINTS },
    Key { path: "steam.h2h_probability", kind: PROBABILITY },
    Key { path: "steam.cooldown", kind: WINDOW },
    Key { path: "steam.cap", kind: CAP },
    Key { path: "dislocation.spreads_points", kind: POINTS },
    Key { path: "dislocation.totals_points", kind: POINTS },
    Key { path: "dislocation.h2h_probability", kind: PROBABILITY },
    Key { path: "dislocation.cooldown", kind: WINDOW },
    Key { path: "dislocation.cap", kind: CAP },
    Key { path: "dislocation.window", kind: WINDOW },
    Key { path: "exchange_divergence.probability", kind: PROBABILITY },
    Key { path: "exchange_divergence.window", kind: WINDOW },
    Key { path: "exchange_divergence.cooldown", kind: WINDOW },
    Key { path: "exchange_divergence.cap", kind: CAP },
    Key { path: "exchange_divergence.shift", kind: Kind::NumberByName(-0.2, 0.2) },
    Key { path: "live_shock.watch", kind: Kind::Choice(&["none", "watchlists", "all"]) },
    Key { path: "live_shock.window", kind: WINDOW },
    Key { path: "live_shock.spreads_points", kind: POINTS },
    Key { path: "live_shock.totals_points", kind: POINTS },
    Key { path: "live_shock.h2h_probability", kind: PROBABILITY },
    Key { path: "opportunities.min_ev", kind: Kind::Number(0.0, 1.0) },
    Key { path: "opportunities.max_age", kind: WINDOW },
    Key { path: "opportunities.max_skew", kind: WINDOW },
    Key { path: "opportunities.suspect_above", kind: Kind::Number(0.0, 10.0) },
    Key { path: "opportunities.max_hold", kind: Kind::Number(0.0, 0.2) },
    Key { path: "store.path", kind: Kind::Path },
    Key { path: "retention.raw", kind: Kind::Keep(3600) },
    Key { path: "retention.changes", kind: Kind::Keep(DAY) },
    Key { path: "retention.points", kind: Kind::Keep(DAY) },
    Key { path: "retention.logs", kind: Kind::Keep(3600) },
    Key { path: "polymarket.on", kind: Kind::Bool },
    Key { path: "polymarket.gamma_url", kind: Kind::Url },
    Key { path: "polymarket.clob_url", kind: Kind::Url },
    Key { path: "polymarket.data_url", kind: Kind::Url },
    Key { path: "polymarket.socket_url", kind: Kind::Text },
    Key { path: "polymarket.horizon", kind: Kind::Duration(3600, 30 * DAY) },
    Key { path: "polymarket.discover", kind: Kind::Duration(10, DAY) },
    Key { path: "polymarket.publish", kind: Kind::Duration(1, 300) },
    Key { path: "polymarket.max_assets", kind: Kind::Int(2, 20_000) },
    Key { path: "polymarket.min_depth", kind: Kind::Number(0.0, 10_000_000.0) },
    Key { path: "polymarket.stake", kind: Kind::Number(1.0, 10_000_000.0) },
    Key { path: "polymarket.watchdog", kind: Kind::Duration(5, 3600) },
    Key { path: "polymarket.calls_per_second", kind: Kind::Number(0.1, 100.0) },
    Key { path: "polymarket.record", kind: Kind::Path },
    Key { path: "polymarket.history", kind: Kind::Duration(3600, 20 * DAY) },
    Key { path: "hub.on", kind: Kind::Bool },
    Key { path: "hub.url_file", kind: Kind::Path },
    Key { path: "hub.ca_file", kind: Kind::Path },
    Key { path: "hub.name", kind: Kind::Text },
    Key { path: "hub.collect", kind: Kind::Bool },
    Key { path: "hub.answers", kind: Kind::Bool },
    Key { path: "hub.alone", kind: Kind::Choice(&["auto", "poll", "wait"]) },
    Key { path: "alerts.credits_below", kind: Kind::Int(0, 100_000_000) },
    Key { path: "alerts.desktop.on", kind: Kind::Bool },
    Key { path: "alerts.bell.on", kind: Kind::Bool },
    Key { path: "alerts.bell.how", kind: Kind::Choice(&["bell", "osc9", "osc777"]) },
    Key { path: "alerts.discord.url_file", kind: Kind::Path },
    Key { path: "alerts.webhook.url_file", kind: Kind::Path },
    Key { path: "alerts.webhook.secret_file", kind: Kind::Path },
    Key { path: "alerts.webhook.allow", kind: Kind::Texts },
    Key { path: "alerts.command.run", kind: Kind::Texts },
    Key { path: "alerts.digest.every", kind: Kind::Choice(&["never", "daily", "weekly"]) },
    Key { path: "alerts.digest.at", kind: Kind::Text },
    Key { path: "alerts.digest.channels", kind: Kind::Names(false) },
    Key { path: "alerts.command.timeout", kind: Kind::Duration(1, 300) },
    Key { path: "retention.cycles", kind: Kind::Keep(DAY) },
    Key { path: "retention.exchange", kind: Kind::Keep(3600) },
    Key { path: "board.theme", kind: Kind::Text },
    Key { path: "board.colours", kind: Kind::Choice(&["auto", "none", "16", "256", "true"]) },
    Key { path: "board.glyphs", kind: Kind::Choice(&["auto", "unicode", "ascii"]) },
    Key { path: "board.zone", kind: Kind::Text },
    Key { path: "board.mouse", kind: Kind::Bool },
    Key { path: "log.level", kind: Kind::Choice(&["error", "warn", "info", "debug", "trace"]) },
    Key { path: "log.format", kind: Kind::Choice(&["text", "json"]) },
    Key { path: "log.files", kind: Kind::Int(1, 3650) },
    Key { path: "log.size_mb", kind: Kind::Int(1, 100_000) },
    Key { path: "metrics.listen", kind: Kind::Listen },
    Key { path: "metrics.allow_remote", kind: Kind::Bool },
];

/// The setting of a path, and the name of the user's own behind it in a free table.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| {
        key.path == path
            || key.kind.is_by_name()
                && path.strip_prefix(key.path).and_then(|rest| rest.strip_prefix('.')).is_some_and(|n| !n.contains('.'))
    })
}

/// The environment variable of a setting.
pub(super) fn variable(path: &str) -> String {
    format!("STRATUM_{}", path.replace('.', "_").to_ascii_uppercase())
}

/// The known name most like `name`, if any is like it at all.
pub(super) fn nearest<S: AsRef<str>>(name: &str, known: impl IntoIterator<Item = S>) -> Option<String> {
    known
        .into_iter()
        .map(|k| (distance(name, k.as_ref()), k.as_ref().to_owned()))
        .min()
        .filter(|(d, k)| *d <= 1 + k.len().max(name.len()) / 3)
        .map(|(_, k)| k)
}

/// Letters to change, add or leave out (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(200).enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

impl Kind {
    /// A table whose names are the user's own.
    pub(super) const fn is_by_name(self) -> bool {
        matches!(self, Self::DurationByName(..) | Self::NumberByName(..))
    }

    /// What such a table is, for a person.
    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::NumberByName(..) => "a table of numbers by name",
            _ => "a table of durations by name",
        }
    }

    /// Turns the text of a variable or flag into a value of this kind's type. What does not fit stays a text and is
    /// then refused by [`Kind::problem`].
    pub(super) fn value_of(self, text: &str) -> toml::Value {
        let as_text = || toml::Value::String(text.to_owned());
        match self {
            Self::Names(_) | Self::Texts => toml::Value::Array(
                text.split(',')
                    .map(str::trim)
                    .filter(|t| !t.is_empty())
                    .map(|t| toml::Value::String(t.into()))
                    .collect(),
            ),
            Self::Bool => text.parse().map_or_else(|_| as_text(), toml::Value::Boolean),
            Self::Int(..) => text.parse().map_or_else(|_| as_text(), toml::Value::Integer),
            Self::Number(..) => text.parse().map_or_else(|_| as_text(), toml::Value::Float),
            _ => as_text(),
        }
    }

    /// What is wrong with a value: `None` when nothing is. Otherwise what is expected, for a person.
    pub(super) fn problem(self, value: &toml::Value) -> Option<String> {
        let text = value.as_str();
        let fits = match self {
            Self::Path => text.is_some_and(|t| !t.contains('\0')),
            Self::Text => text.is_some_and(|t| t.len() <= 64 && !t.chars().any(char::is_control)),
            Self::Listen => text.is_some_and(|t| t.is_empty() || t.parse::<std::net::SocketAddr>().is_ok()),
            Self::Url => text.is_some_and(is_url),
            Self::Names(needed) => value.as_array().is_some_and(|names| {
                (!needed || !names.is_empty()) && names.iter().all(|n| n.as_str().is_some_and(is_name))
            }),
            Self::Texts => value.as_array().is_some_and(|texts| {
                texts.len() <= 64
                    && texts.iter().all(|t| t.as_str().is_some_and(|t| t.len() <= 4096 && !t.contains('\0')))
            }),
            Self::Choice(words) => text.is_some_and(|t| words.contains(&t)),
            Self::Duration(min, max) | Self::DurationByName(min, max) => text
                .and_then(parse_duration)
                .is_some_and(|d| (Duration::from_secs(min)..=Duration::from_secs(max)).contains(&d)),
            Self::Keep(min) => {
                text.is_some_and(|t| t == "forever" || parse_duration(t).is_some_and(|d| d >= Duration::from_secs(min)))
            }
            Self::Bool => value.is_bool(),
            Self::Int(min, max) => value.as_integer().is_some_and(|n| (min..=max).contains(&n)),
            // A whole number needs no point. What is no number is within no bounds.
            Self::Number(min, max) | Self::NumberByName(min, max) => value
                .as_float()
                .or_else(|| value.as_integer().map(|n| n as f64))
                .is_some_and(|n| (min..=max).contains(&n)),
        };
        (!fits).then(|| self.expected())
    }

    fn expected(self) -> String {
        use super::duration::format_duration;
        let seconds = |s| format_duration(Duration::from_secs(s));
        match self {
            Self::Path => "a path in quotes".into(),
            Self::Text => "a name in quotes, of at most 64 characters".into(),
            Self::Listen => "an address with a port, such as \"127.0.0.1:9464\", or \"\" for none".into(),
            Self::Url => "an address such as \"https://api.the-odds-api.com\", without user name or query".into(),
            Self::Names(true) => "a list of at least one name such as [\"h2h\", \"totals\"]".into(),
            Self::Names(false) => "a list of names such as [\"basketball_nba\"]".into(),
            Self::Texts => "a list of texts in quotes, of at most 64".into(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Duration(min, max) | Self::DurationByName(min, max) => {
                format!("a duration such as \"60s\" or \"15m\", from {} to {}", seconds(min), seconds(max))
            }
            Self::Keep(min) => format!("a duration such as \"7d\" of at least {}, or \"forever\"", seconds(min)),
            Self::Bool => "true or false".into(),
            Self::Int(min, max) => format!("a whole number from {min} to {max}"),
            Self::Number(min, max) | Self::NumberByName(min, max) => format!("a number from {min} to {max}"),
        }
    }
}

fn is_name(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}

/// A user name or query could hold a secret, which then would be shown.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
            && rest.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'@' | b'?' | b'#' | b'\\' | b'"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found() {
        let paths = || KEYS.iter().map(|k| k.path);
        assert_eq!(nearest("odds_api.intervall", paths()).as_deref(), Some("odds_api.interval"));
        assert_eq!(nearest("quotes.maxage", paths()).as_deref(), Some("quotes.max_age"));
        assert_eq!(nearest("zzzzzz", paths()), None);
    }

    #[test]
    fn values_are_checked() {
        let text = |t: &str| toml::Value::String(t.into());
        let url = Kind::Url;
        for good in ["https://api.the-odds-api.com", "http://127.0.0.1:8080", "http://[::1]:80/v4"] {
            assert_eq!(url.problem(&text(good)), None, "{good}");
        }
        for bad in ["", "api.com", "ftp://x", "https://", "https://u:p@x", "https://x?apiKey=1", "https://x y"] {
            assert!(url.problem(&text(bad)).is_some(), "{bad}");
        }
        let interval = Kind::Duration(1, DAY);
        for (value, good) in [("1s", true), ("24h", true), ("999ms", false), ("25h", false), ("60", false)] {
            assert_eq!(interval.problem(&text(value)).is_none(), good, "{value}");
        }
        assert!(interval.problem(&toml::Value::Integer(60)).is_some());
        assert!(Kind::Keep(3600).problem(&text("forever")).is_none());
        assert!(Kind::Names(true).problem(&Kind::Names(true).value_of(" , ")).is_some());
        assert!(Kind::Names(true).problem(&Kind::Names(true).value_of("h2h, totals")).is_none());
        assert!(Kind::Names(true).problem(&Kind::Names(true).value_of("h2h&apiKey")).is_some());
        assert!(Kind::Int(1, 9).problem(&Kind::Int(1, 9).value_of("x")).is_some());
        for (value, good) in
            [("", true), ("127.0.0.1:9464", true), ("[::1]:0", true), ("localhost:9464", false), ("127.0.0.1", false)]
        {
            assert_eq!(Kind::Listen.problem(&text(value)).is_none(), good, "{value}");
        }
        assert!(Kind::Bool.problem(&Kind::Bool.value_of("yes")).is_some());
        let number = Kind::Number(0.5, 2.0);
        for (value, good) in [
            ("0.5", true),
            ("2", true),
            ("1e0", true),
            ("0.49", false),
            ("2.1", false),
            ("nan", false),
            ("inf", false),
            ("-1", false),
            ("1,5", false),
            ("", false),
        ] {
            assert_eq!(number.problem(&number.value_of(value)).is_none(), good, "{value}");
        }
        assert!(number.problem(&toml::Value::Integer(1)).is_none() && number.problem(&text("1")).is_some());
    }

    #[test]
    fn every_way_to_a_distribution_may_be_set_and_no_other() {
        use crate::market::devig::Method;
        let Kind::Choice(names) = METHODS else { panic!("{METHODS:?}") };
        assert_eq!(Method::DISTRIBUTIONS.map(Method::name), names);
        assert!(METHODS.problem(&text_of("worst_case")).is_some());
    }

    fn text_of(text: &str) -> toml::Value {
        toml::Value::String(text.into())
    }

    #[test]
    fn no_two_settings_share_a_variable() {
        let mut variables: Vec<String> = KEYS.iter().map(|k| variable(k.path)).collect();
        variables.sort_unstable();
        assert!(variables.windows(2).all(|w| w[0] != w[1]), "{variables:?}");
    }
}
