//! Defaults, settings file, environment and flags laid over one another, each value keeping where it came from.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use toml_edit::{Document, Item, TableLike, Value};

use super::keys::{KEYS, Key, Kind, find, nearest, variable};
use super::{DEFAULT_TEXT, Settings};

/// No settings file of a person is larger.
const MAX_FILE: u64 = 1 << 20;
/// Variables with our prefix that are no settings.
const OTHER_VARIABLES: [&str; 9] = [
    "STRATUM_CONFIG",
    "STRATUM_DATA_DIR",
    "STRATUM_DISCORD_WEBHOOK",
    "STRATUM_HUB_URL",
    "STRATUM_TEST_DATA",
    "STRATUM_TEST_DISCORD_AT",
    "STRATUM_TEST_PG_BIN",
    "STRATUM_WEBHOOK_SECRET",
    "STRATUM_WEBHOOK_URL",
];

/// Where settings are read from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The settings file.
    pub file: Option<PathBuf>,
    /// The file was named by the user, so it has to be there.
    pub file_required: bool,
    /// The environment. An empty variable counts as not set.
    pub environment: BTreeMap<String, String>,
    /// What flags say: setting and text.
    pub flags: Vec<(&'static str, String)>,
}

/// Where a value came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The embedded defaults.
    Default,
    /// The settings file, at a line.
    File(PathBuf, usize),
    /// An environment variable.
    Environment(String),
    /// A flag of this call.
    Flag,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "${name}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// One setting with its value and where it came from.
#[derive(Clone, PartialEq, Debug)]
pub struct Resolved {
    /// Dotted name.
    pub path: String,
    /// The value.
    pub value: toml::Value,
    /// Where it came from.
    pub origin: Origin,
}

/// Something odd that does not keep the program from running.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warning {
    /// Where.
    pub origin: Origin,
    /// What, and what to do.
    pub text: String,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.origin, self.text)
    }
}

/// The settings in force.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Typed.
    pub settings: Settings,
    /// One by one, in the order of the default file, with origins.
    pub values: Vec<Resolved>,
    /// Unknown names and the like.
    pub warnings: Vec<Warning>,
    /// A settings file was there.
    pub file_found: bool,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: the settings file cannot be read ({source}); name another with --config, or write one with `stratum config init`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{}:{line}:{column}: {message}; correct this line, or compare with `stratum config init --stdout`", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// A value that cannot be used.
    #[error("{origin}: `{path}` must be {expected}{found}")]
    Value {
        /// Where it stands.
        origin: Origin,
        /// The setting.
        path: String,
        /// What it should be.
        expected: String,
        /// What it is, where that is fit to be shown.
        found: String,
    },
    /// Nothing to ask for.
    #[error("`odds_api.regions` and `odds_api.books` are both empty ({0}); name at least one region or book")]
    NoBooks(Origin),
    /// Anybody on the network could read the metrics.
    #[error(
        "{origin}: `metrics.listen` is {address}, which other machines can reach; use 127.0.0.1, or set \
         metrics.allow_remote = true if that is meant"
    )]
    Remote {
        /// Where it stands.
        origin: Origin,
        /// The address.
        address: String,
    },
    /// The embedded defaults are broken, which a test rules out.
    #[error("the settings do not fit together: {0}")]
    Internal(String),
}

/// Reads and checks all layers.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut layers = Layers::default();
    layers.document(DEFAULT_TEXT, Path::new("default"), |_| Origin::Default)?;
    let mut file_found = false;
    if let Some(path) = &sources.file
        && let Some(text) = read(path, sources.file_required)?
    {
        file_found = true;
        layers.document(&text, path, |line| Origin::File(path.clone(), line))?;
    }
    layers.environment(&sources.environment)?;
    for (path, text) in &sources.flags {
        let key = find(path).ok_or_else(|| ConfigError::Internal(format!("no setting {path}")))?;
        layers.set(path, *key, key.kind.value_of(text), Origin::Flag)?;
    }
    let (values, warnings) = (layers.in_order(), layers.warnings);
    let settings = Settings::from_values(&values).map_err(ConfigError::Internal)?;
    if settings.odds_api.regions.is_empty() && settings.odds_api.books.is_empty() {
        let origin = values.iter().find(|v| v.path == "odds_api.regions").map_or(Origin::Default, |v| v.origin.clone());
        return Err(ConfigError::NoBooks(origin));
    }
    let listen = &settings.metrics.listen;
    let remote = listen.parse::<std::net::SocketAddr>().is_ok_and(|a| !a.ip().is_loopback());
    if remote && !settings.metrics.allow_remote {
        let origin = values.iter().find(|v| v.path == "metrics.listen").map_or(Origin::Default, |v| v.origin.clone());
        return Err(ConfigError::Remote { origin, address: listen.clone() });
    }
    Ok(Loaded { settings, values, warnings, file_found })
}

fn read(path: &Path, required: bool) -> Result<Option<String>, ConfigError> {
    let fail = |source| ConfigError::Read { path: path.to_owned(), source };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !required => return Ok(None),
        Err(e) => return Err(fail(e)),
    };
    let mut text = String::new();
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(fail)?;
    if text.len() as u64 > MAX_FILE {
        return Err(fail(std::io::Error::other("larger than 1 MB")));
    }
    Ok(Some(text))
}

#[derive(Default)]
struct Layers {
    values: BTreeMap<String, Resolved>,
    warnings: Vec<Warning>,
}

impl Layers {
    fn document(&mut self, text: &str, path: &Path, origin: impl Fn(usize) -> Origin) -> Result<(), ConfigError> {
        let document = Document::parse(text).map_err(|e| {
            let at = e.span().map_or(text.len(), |s| s.start).min(text.len());
            let before = text.get(..at).unwrap_or(text);
            ConfigError::Syntax {
                path: path.to_owned(),
                line: before.matches('\n').count() + 1,
                column: before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1,
                message: without_source_line(e.message()),
            }
        })?;
        self.table(document.as_table(), "", &|at| origin(text.get(..at).unwrap_or(text).matches('\n').count() + 1))
    }

    fn table(
        &mut self,
        table: &dyn TableLike,
        prefix: &str,
        origin: &dyn Fn(usize) -> Origin,
    ) -> Result<(), ConfigError> {
        for (name, item) in table.iter() {
            let at = table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span()).map_or(0, |s| s.start);
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
            let key = find(&path);
            let is_free_table = key.is_some_and(|k| k.path == path && k.kind.is_by_name());
            let is_section = KEYS.iter().any(|k| k.path.strip_prefix(&path).is_some_and(|rest| rest.starts_with('.')));
            match (item.as_table_like(), key) {
                (Some(inner), _) if is_section || is_free_table => self.table(inner, &path, origin)?,
                (_, Some(key)) if is_free_table => {
                    return Err(ConfigError::Value {
                        origin: origin(at),
                        expected: format!("{}, written as [{path}]", key.kind.table()),
                        path,
                        found: format!(", not {}", shortened(&value(item).to_string())),
                    });
                }
                (_, Some(key)) => self.set(&path, *key, value(item), origin(at))?,
                (_, None) if is_section => {
                    return Err(ConfigError::Value {
                        origin: origin(at),
                        expected: format!("a section, written as [{path}]"),
                        path,
                        found: String::new(),
                    });
                }
                (_, None) => self.warnings.push(Warning { origin: origin(at), text: unknown(&path) }),
            }
        }
        Ok(())
    }

    fn environment(&mut self, environment: &BTreeMap<String, String>) -> Result<(), ConfigError> {
        let variables: BTreeMap<String, &Key> =
            KEYS.iter().filter(|k| !k.kind.is_by_name()).map(|k| (variable(k.path), k)).collect();
        for (name, text) in environment.iter().filter(|(name, text)| name.starts_with("STRATUM_") && !text.is_empty()) {
            let origin = Origin::Environment(name.clone());
            if let Some(key) = variables.get(name) {
                self.set(key.path, **key, key.kind.value_of(text), origin)?;
            } else if !OTHER_VARIABLES.contains(&name.as_str()) {
                let known = variables.keys().map(String::as_str).chain(OTHER_VARIABLES);
                let advice = nearest(name, known).map_or_else(String::new, |n| format!("; did you mean {n}?"));
                self.warnings.push(Warning { origin, text: format!("no setting has this variable{advice}") });
            }
        }
        Ok(())
    }

    fn set(&mut self, path: &str, key: Key, value: toml::Value, origin: Origin) -> Result<(), ConfigError> {
        if let Some(expected) = key.kind.problem(&value) {
            // An address, a path or an argument may hold what is not for other eyes; the place is enough to find it.
            let found = match (&value, key.kind) {
                (_, Kind::Url | Kind::Path | Kind::Texts) | (toml::Value::Table(_), _) => String::new(),
                (value, _) => format!(", not {}", shortened(&value.to_string())),
            };
            return Err(ConfigError::Value { origin, path: path.to_owned(), expected, found });
        }
        self.values.insert(path.to_owned(), Resolved { path: path.to_owned(), value, origin });
        Ok(())
    }

    /// In the order of the table of keys; names of the user's own by name.
    fn in_order(&self) -> Vec<Resolved> {
        let mut values: Vec<&Resolved> = self.values.values().collect();
        values.sort_by_key(|v| find(&v.path).and_then(|key| KEYS.iter().position(|k| k.path == key.path)));
        values.into_iter().cloned().collect()
    }
}

fn unknown(path: &str) -> String {
    let last = path.rsplit('.').next().unwrap_or(path);
    if matches!(last.replace(['_', '-'], "").to_ascii_lowercase().as_str(), "apikey" | "key" | "oddsapikey" | "token") {
        return format!(
            "`{path}` is not read: keys do not belong into the settings. Remove it, and put the key into the \
             variable ODDS_API_KEY or a key file (chmod 600)"
        );
    }
    let sections = KEYS.iter().filter_map(|k| k.path.rsplit_once('.')).map(|(section, _)| section);
    let known = KEYS.iter().map(|k| k.path).chain(sections);
    match nearest(path, known) {
        Some(name) => format!("unknown setting `{path}`, ignored; did you mean `{name}`?"),
        None => format!("unknown setting `{path}`, ignored; `stratum config show` lists all"),
    }
}

fn value(item: &Item) -> toml::Value {
    item.as_value().map_or_else(wrong, plain)
}

/// A value that fits no kind.
fn wrong() -> toml::Value {
    toml::Value::Table(toml::Table::new())
}

fn plain(value: &Value) -> toml::Value {
    match value {
        Value::String(v) => toml::Value::String(v.value().clone()),
        Value::Integer(v) => toml::Value::Integer(*v.value()),
        Value::Float(v) => toml::Value::Float(*v.value()),
        Value::Boolean(v) => toml::Value::Boolean(*v.value()),
        Value::Array(v) => toml::Value::Array(v.iter().map(plain).collect()),
        Value::Datetime(_) | Value::InlineTable(_) => wrong(),
    }
}

/// The parser's message may go over several lines.
fn without_source_line(message: &str) -> String {
    message.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join(", ")
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::{Keep, init_text};
    use super::*;

    fn with_file(text: &str) -> Result<Loaded, ConfigError> {
        let dir = tempfile::tempdir().expect("dir");
        let file = dir.path().join("s.toml");
        std::fs::write(&file, text).expect("writes");
        load(&Sources { file: Some(file), ..Sources::default() })
    }

    fn said(text: &str) -> String {
        with_file(text).expect_err(text).to_string()
    }

    #[test]
    fn an_address_that_others_can_reach_has_to_be_meant() {
        for there in ["0.0.0.0:9464", "[::]:9464", "192.168.1.7:9464"] {
            let text = said(&format!("[metrics]\nlisten = \"{there}\"\n"));
            assert!(text.contains(there) && text.contains("metrics.allow_remote = true"), "{text}");
            assert!(with_file(&format!("[metrics]\nlisten = \"{there}\"\nallow_remote = true\n")).is_ok());
        }
        for here in ["127.0.0.1:9464", "[::1]:9464", ""] {
            assert!(with_file(&format!("[metrics]\nlisten = \"{here}\"\n")).is_ok(), "{here}");
        }
    }

    #[test]
    fn the_default_file_holds_every_setting_in_order() {
        let loaded = load(&Sources::default()).expect("defaults");
        let known: Vec<_> = KEYS.iter().filter(|k| !k.kind.is_by_name()).map(|k| k.path).collect();
        assert_eq!(loaded.values.iter().map(|v| v.path.as_str()).collect::<Vec<_>>(), known);
        assert!(loaded.warnings.is_empty());
        assert_eq!(loaded.settings.odds_api.interval, Duration::from_secs(60));
        assert_eq!(loaded.settings.quotes.max_age, Duration::from_secs(300));
        assert_eq!(loaded.settings.retention.raw, Keep::For(Duration::from_secs(7 * 86_400)));
        assert_eq!(loaded.settings.retention.changes, Keep::Forever);
    }

    #[test]
    fn the_written_file_changes_nothing_and_is_complete() {
        let loaded = with_file(&init_text()).expect("reads");
        assert!(loaded.values.iter().all(|v| v.origin == Origin::Default) && loaded.warnings.is_empty());
        // With the marks taken off it is the default file again.
        let bare: String = init_text()
            .lines()
            .map(|l| if l.starts_with('#') && !l.starts_with("# ") && l != "#" { &l[1..] } else { l })
            .flat_map(|l| [l, "\n"])
            .collect();
        assert_eq!(bare, DEFAULT_TEXT);
    }

    #[test]
    fn later_layers_win_and_say_so() {
        let dir = tempfile::tempdir().expect("dir");
        let file = dir.path().join("s.toml");
        std::fs::write(&file, "[odds_api]\ninterval = \"30s\"\ntimeout = \"5s\"\nbooks = [\"pinnacle\"]\n").expect("w");
        let environment = [
            ("STRATUM_ODDS_API_TIMEOUT", "7s"),
            ("STRATUM_ODDS_API_BOOKS", "a, b"),
            ("STRATUM_LOG_LEVEL", ""),
            ("STRATUM_DATA_DIR", "/x"),
            ("STRATUM_LOG_LEVLE", "debug"),
            ("HOME", "/h"),
        ];
        let loaded = load(&Sources {
            file: Some(file.clone()),
            environment: environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            flags: vec![("odds_api.books", "c".into())],
            ..Sources::default()
        })
        .expect("loads");
        let origin = |path: &str| loaded.values.iter().find(|v| v.path == path).expect(path).origin.clone();
        assert_eq!(origin("odds_api.interval"), Origin::File(file, 2));
        assert_eq!(origin("odds_api.timeout"), Origin::Environment("STRATUM_ODDS_API_TIMEOUT".into()));
        assert_eq!(origin("odds_api.books"), Origin::Flag);
        assert_eq!(origin("log.level"), Origin::Default);
        assert_eq!(loaded.settings.odds_api.timeout, Duration::from_secs(7));
        assert_eq!(loaded.settings.odds_api.books, ["c"]);
        assert_eq!(loaded.warnings.len(), 1);
        assert!(loaded.warnings[0].to_string().contains("did you mean STRATUM_LOG_LEVEL?"));
    }

    #[test]
    fn unknown_names_are_warned_about_with_the_nearest() {
        let loaded =
            with_file("colour = 1\n[odds_api]\nintervall = \"1s\"\n[oddsapi]\nx = 1\n[[quote]]\n").expect("ok");
        let texts: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
        assert!(texts[0].contains("s.toml:1: unknown setting `colour`"), "{texts:?}");
        assert!(texts[1].contains("s.toml:3: unknown") && texts[1].contains("`odds_api.interval`?"), "{texts:?}");
        assert!(texts[2].contains("s.toml:4:") && texts[2].contains("`odds_api`?"), "{texts:?}");
        assert!(texts[3].contains("s.toml:6:") && texts[3].contains("`quotes`?"), "{texts:?}");
    }

    #[test]
    fn a_key_in_the_settings_is_not_read_and_not_shown() {
        for name in ["api_key", "apiKey", "key"] {
            let loaded = with_file(&format!("[odds_api]\n{name} = \"5ecret\"\n")).expect("ok");
            assert!(loaded.warnings[0].text.contains("ODDS_API_KEY"));
            assert!(!format!("{loaded:?}").contains("5ecret"));
        }
        assert!(!said("[odds_api]\nbase_url = \"https://x/?apiKey=5ecret\"").contains("5ecret"));
    }

    #[test]
    fn errors_name_place_and_remedy() {
        for (text, parts) in [
            ("[odds_api\n", [":1:", "correct this line"]),
            ("[log]\nlevel = \"info\"\nlevel = \"warn\"\n", [":3:", "duplicate"]),
            ("[odds_api]\n\ninterval = 60\n", [":3: `odds_api.interval` must be", "not 60"]),
            ("[odds_api]\ninterval = \"0s\"\n", ["from 1s to 1d", "not \"0s\""]),
            ("[odds_api]\nmarkets = []\n", [":2:", "at least one name"]),
            ("[odds_api]\nsports = [\"NBA\"]\n", [":2:", "\"basketball_nba\""]),
            ("[odds_api]\nodds_format = \"fractional\"\n", [":2:", "one of american, decimal"]),
            ("[odds_api]\nregions = []\n", ["s.toml:2", "at least one region or book"]),
            ("odds_api = 3\n", [":1:", "a section, written as [odds_api]"]),
            ("[odds_api.interval]\nx = 1\n", [":1:", "duration"]),
            ("[quotes]\nmax_age_by_book = 3\n", [":2:", "duration"]),
            ("[quotes.max_age_by_book]\npinnacle = 3\n", [":2: `quotes.max_age_by_book.pinnacle`", "not 3"]),
            ("[retention]\nraw = \"1m\"\n", [":2:", "at least 1h, or \"forever\""]),
            ("[log]\nfiles = 0\n", [":2:", "from 1 to 3650"]),
            ("[devig]\nh2h = \"worst_case\"\n", ["`devig.h2h` must be one of multiplicative, ", "not \"worst_case\""]),
            ("[devig]\nmax_overround = \"high\"\n", ["`devig.max_overround` must be a number from 1 to 2", "\"high\""]),
            ("[devig]\nmax_overround = nan\n", ["`devig.max_overround` must be a number from 1 to 2", "not nan"]),
            ("[fair]\nstep = 0\n", ["`fair.step` must be a number from 0.0001 to 0.1", "not 0"]),
            (
                "[fair.weights]\npinnacle = -1\n",
                [":2: `fair.weights.pinnacle` must be a number from 0 to 100", "not -1"],
            ),
            (
                "[fair]\nweights = 3\n",
                [":2: `fair.weights` must be a table of numbers by name, written as [fair.weights]", "not 3"],
            ),
            ("[move]\nspreads_points = 0\n", ["`move.spreads_points` must be a number from 0.05 to 50", "not 0"]),
            ("[move]\nbooks = 2.5\n", ["`move.books` must be a whole number from 1 to 100", "not 2.5"]),
            (
                "[key_cross]\ntotals_window = \"2d\"\n",
                ["`key_cross.totals_window` must be a duration", "from 1s to 1d"],
            ),
            ("[steam]\nwindow = \"500ms\"\n", ["`steam.window` must be a duration", "from 1s to 1d, not \"500ms\""]),
            ("[steam]\ncap = -1\n", ["`steam.cap` must be a whole number from 0 to 1000", "not -1"]),
            ("[live_shock]\nwatch = true\n", ["`live_shock.watch` must be one of none, watchlists, all", "not true"]),
            ("[retention]\npoints = \"1h\"\n", ["`retention.points`", "at least 1d, or \"forever\""]),
            ("[quotes]\nstrict = \"yes\"\n", [":2:", "true or false"]),
            ("[quotes]\nstrict = 2026-01-01\n", [":2:", "true or false"]),
        ] {
            let said = said(text);
            assert!(parts.iter().all(|p| said.contains(p)), "{text}\n{said}");
        }
    }

    #[test]
    fn books_may_have_an_age_of_their_own() {
        let loaded = with_file("[quotes]\nmax_age_by_book = { pinnacle = \"2m\" }\n").expect("loads");
        assert_eq!(loaded.settings.quotes.max_age_of("pinnacle"), Duration::from_secs(120));
        assert_eq!(loaded.settings.quotes.max_age_of("fanduel"), Duration::from_secs(300));
        assert_eq!(loaded.values.iter().filter(|v| v.path == "quotes.max_age_by_book.pinnacle").count(), 1);
    }

    #[test]
    fn books_may_have_a_vote_of_their_own() {
        for text in ["[fair]\nweights = { pinnacle = 5, mine = 0.5 }\n", "[fair.weights]\npinnacle = 5\nmine = 0.5\n"] {
            let weights = with_file(text).expect("loads").settings.fair.weights;
            assert_eq!(
                weights.into_iter().collect::<Vec<_>>(),
                [("mine".to_owned(), 0.5), ("pinnacle".to_owned(), 5.0)]
            );
        }
    }

    #[test]
    fn settings_of_the_analysis_have_variables_like_all_others() {
        let of = |name: &str, text: &str| {
            let environment = [(name.to_owned(), text.to_owned())].into();
            load(&Sources { environment, ..Sources::default() })
        };
        let window = of("STRATUM_STEAM_WINDOW", "15m").expect("loads").settings.steam.window;
        assert_eq!(window, Duration::from_secs(900));
        let points = of("STRATUM_MOVE_SPREADS_POINTS", "1").expect("loads").settings.market_move.spreads_points;
        assert_eq!(points, 1.0);
        let said = of("STRATUM_MOVE_SPREADS_POINTS", "much").expect_err("no number").to_string();
        assert!(said.contains("$STRATUM_MOVE_SPREADS_POINTS: `move.spreads_points` must be a number"), "{said}");
    }

    #[test]
    fn a_named_file_has_to_be_there() {
        let file = Some(PathBuf::from("/nonexistent/s.toml"));
        assert!(!load(&Sources { file: file.clone(), ..Sources::default() }).expect("defaults").file_found);
        let e = load(&Sources { file, file_required: true, ..Sources::default() }).expect_err("missing");
        assert!(e.to_string().contains("--config"), "{e}");
    }

    proptest! {
        #[test]
        fn no_text_makes_loading_panic(text in r#"([\[\]{}=.",0-9a-z \n]|odds_api|interval|quotes|log|"60s"){0,40}"#) {
            let mut layers = Layers::default();
            let _ = layers.document(&text, Path::new("x"), |line| Origin::File("x".into(), line));
        }
    }
}
