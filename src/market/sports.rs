//! The table of sports: what a sport key means for days, windows and models.
//!
//! Owns the facts of `assets/sports.toml` and what a user's own table changes in them. May not know any event.
//! Keys are an open set, so every key has an answer, and [`Sport::origin`] says how much of it is known and how much
//! is a default. The table is made of layers, see its head.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use chrono_tz::Tz;
use serde::Deserialize;

use super::day::SlateClock;

const EMBEDDED: &str = include_str!("../../assets/sports.toml");

/// Where the facts about a sport key come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The table lists this key.
    Listed,
    /// A preseason, a tournament, an outright: the key of a listed sport and something more.
    Variant {
        /// The listed key.
        base: String,
        /// What follows it, such as `preseason`.
        of: String,
    },
    /// Only the beginning of the key is known, such as `soccer_`.
    Prefix(String),
    /// Nothing is known.
    Default,
}

/// How two reports of a game are recognised as one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MatchWindow {
    /// Two starts of the same pair may be one game when no more minutes apart.
    pub minutes: u32,
    /// The same pair may play twice in a day.
    pub game_numbers: bool,
}

impl MatchWindow {
    /// The window in milliseconds.
    pub const fn millis(self) -> i64 {
        self.minutes as i64 * 60_000
    }
}

/// What is known about one sport key.
#[derive(Clone, PartialEq, Debug)]
pub struct Sport {
    /// The key.
    pub key: String,
    /// Name in narrow columns, such as `NBA`.
    pub short: String,
    /// The provider's group, such as `Basketball`.
    pub group: String,
    /// The moneyline has a draw.
    pub three_way: bool,
    /// How its local days are counted.
    pub clock: SlateClock,
    /// Typical minutes from the scheduled start to the end.
    pub duration_minutes: u32,
    /// How reports of one game are recognised.
    pub window: MatchWindow,
    /// Name of the distribution of margins; `normal` is an approximation.
    pub margin_model: String,
    /// Name of the table of teams.
    pub teams: String,
    /// The key is of a competition's winner, not of games.
    pub outright: bool,
    /// How much of this is known.
    pub origin: Origin,
}

/// Why a table of sports cannot be used.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum SportsError {
    /// Not TOML, or a field that a sport does not have.
    #[error("the table of sports cannot be read: {0}")]
    Syntax(String),
    /// A field whose value makes no sense.
    #[error("sport \"{key}\": {field} {problem}")]
    Field {
        /// The key or prefix; `default` for the default.
        key: String,
        /// The field.
        field: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    default: Option<Layer>,
    #[serde(default)]
    prefix: BTreeMap<String, Layer>,
    #[serde(default)]
    sport: BTreeMap<String, Layer>,
}

/// Some of the facts.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layer {
    short: Option<String>,
    group: Option<String>,
    three_way: Option<bool>,
    zone: Option<String>,
    rollover_hour: Option<u8>,
    duration_minutes: Option<u32>,
    match_window_minutes: Option<u32>,
    game_numbers: Option<bool>,
    margin_model: Option<String>,
    teams: Option<String>,
}

impl Layer {
    /// This layer with another on top.
    fn under(self, top: &Self) -> Self {
        Self {
            short: top.short.clone().or(self.short),
            group: top.group.clone().or(self.group),
            three_way: top.three_way.or(self.three_way),
            zone: top.zone.clone().or(self.zone),
            rollover_hour: top.rollover_hour.or(self.rollover_hour),
            duration_minutes: top.duration_minutes.or(self.duration_minutes),
            match_window_minutes: top.match_window_minutes.or(self.match_window_minutes),
            game_numbers: top.game_numbers.or(self.game_numbers),
            margin_model: top.margin_model.clone().or(self.margin_model),
            teams: top.teams.clone().or(self.teams),
        }
    }

    fn check(&self, key: &str) -> Result<(), SportsError> {
        let wrong = |field, problem: String| Err(SportsError::Field { key: key.to_owned(), field, problem });
        if let Some(zone) = self.zone.as_deref().filter(|z| z.parse::<Tz>().is_err()) {
            return wrong("zone", format!("\"{zone}\" is no IANA time zone, such as America/New_York"));
        }
        if self.rollover_hour.is_some_and(|h| h > 23) {
            return wrong("rollover_hour", "must be 0 to 23".into());
        }
        if self.duration_minutes.is_some_and(|m| !(1..=20_000).contains(&m)) {
            return wrong("duration_minutes", "must be 1 to 20000".into());
        }
        if self.match_window_minutes.is_some_and(|m| !(1..=10_080).contains(&m)) {
            return wrong("match_window_minutes", "must be 1 to 10080 (a week)".into());
        }
        for (field, text) in [
            ("short", &self.short),
            ("group", &self.group),
            ("margin_model", &self.margin_model),
            ("teams", &self.teams),
        ] {
            if text.as_deref().is_some_and(|t| t.trim().is_empty()) {
                return wrong(field, "is empty; leave it out".into());
            }
        }
        if self.short.as_deref().is_some_and(|s| s.chars().count() > 6) {
            return wrong("short", "must be at most 6 characters".into());
        }
        Ok(())
    }
}

/// The table of sports.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sports {
    default: Layer,
    prefixes: BTreeMap<String, Layer>,
    sports: BTreeMap<String, Layer>,
}

impl Sports {
    /// The table that comes with the program.
    pub fn embedded() -> &'static Self {
        static TABLE: OnceLock<Sports> = OnceLock::new();
        // A test proves that the embedded text parses; without it every sport would be an unknown one.
        TABLE.get_or_init(|| Self::parse(EMBEDDED).unwrap_or_default())
    }

    /// Reads a table.
    ///
    /// # Errors
    /// [`SportsError`] with the sport and field to mend.
    pub fn parse(text: &str) -> Result<Self, SportsError> {
        Self::default().with_overrides(text)
    }

    /// This table with another laid over it: fields given there replace ours, new keys and prefixes are added.
    ///
    /// # Errors
    /// [`SportsError`] with the sport and field to mend; the table itself is unchanged.
    pub fn with_overrides(&self, text: &str) -> Result<Self, SportsError> {
        let file: File = toml::from_str(text).map_err(|e| SportsError::Syntax(e.to_string()))?;
        let mut table = self.clone();
        if let Some(layer) = file.default {
            layer.check("default")?;
            table.default = table.default.under(&layer);
        }
        lay_over(&mut table.prefixes, "prefix", file.prefix)?;
        lay_over(&mut table.sports, "key", file.sport)?;
        Ok(table)
    }

    /// The listed keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.sports.keys().map(String::as_str)
    }

    /// What is known about a key. Every key has an answer; [`Sport::origin`] says how good it is.
    pub fn resolve(&self, key: &str) -> Sport {
        let mut layers: Vec<(usize, Origin, &Layer)> = Vec::new();
        for (prefix, layer) in self.prefixes.iter().filter(|(p, _)| key.starts_with(p.as_str())) {
            layers.push((prefix.len(), Origin::Prefix(prefix.clone()), layer));
        }
        for (listed, layer) in &self.sports {
            match key.strip_prefix(listed.as_str()) {
                Some("") => layers.push((usize::MAX, Origin::Listed, layer)),
                Some(rest) if rest.starts_with('_') => {
                    let of = rest.trim_start_matches('_').to_owned();
                    layers.push((listed.len(), Origin::Variant { base: listed.clone(), of }, layer));
                }
                _ => {}
            }
        }
        layers.sort_by_key(|(len, ..)| *len);
        let mut facts = Layer::default().under(&self.default);
        // A variant of a listed sport stays one, even when a longer prefix has the last word on some fact.
        let mut origin = Origin::Default;
        for (_, from, layer) in layers {
            facts = facts.under(layer);
            if !matches!((&origin, &from), (Origin::Variant { .. }, Origin::Prefix(_))) {
                origin = from;
            }
        }
        describe(key, facts, origin)
    }
}

fn lay_over(
    onto: &mut BTreeMap<String, Layer>,
    field: &'static str,
    entries: BTreeMap<String, Layer>,
) -> Result<(), SportsError> {
    for (key, layer) in entries {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if key.is_empty() || !key.chars().all(plain) {
            let problem = "must consist of small letters, digits and _".into();
            return Err(SportsError::Field { key, field, problem });
        }
        layer.check(&key)?;
        let below = onto.remove(&key).unwrap_or_default();
        onto.insert(key, below.under(&layer));
    }
    Ok(())
}

/// The facts filled up with what holds where even the default layer is silent.
fn describe(key: &str, facts: Layer, origin: Origin) -> Sport {
    let zone = facts.zone.and_then(|z| z.parse().ok()).unwrap_or(Tz::UTC);
    let midnight = || SlateClock::midnight(zone);
    Sport {
        key: key.to_owned(),
        short: facts.short.unwrap_or_else(|| short_of(key)),
        group: facts.group.unwrap_or_else(|| "Other".to_owned()),
        three_way: facts.three_way.unwrap_or(false),
        clock: facts.rollover_hour.and_then(|h| SlateClock::new(zone, h)).unwrap_or_else(midnight),
        duration_minutes: facts.duration_minutes.unwrap_or(150),
        window: MatchWindow {
            minutes: facts.match_window_minutes.unwrap_or(720),
            game_numbers: facts.game_numbers.unwrap_or(false),
        },
        margin_model: facts.margin_model.unwrap_or_else(|| "normal".to_owned()),
        teams: facts.teams.unwrap_or_else(|| key.to_owned()),
        outright: key.ends_with("_winner"),
        origin,
    }
}

/// The last word of a key in capitals, at most six letters: `esports_lol` is `LOL`.
fn short_of(key: &str) -> String {
    let word = key.rsplit('_').find(|w| !w.is_empty()).unwrap_or("?");
    word.chars().take(6).collect::<String>().to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    fn sport(key: &str) -> Sport {
        Sports::embedded().resolve(key)
    }

    #[test]
    fn the_embedded_table_is_sound() {
        let table = Sports::parse(EMBEDDED).expect("embedded");
        assert_eq!(Sports::embedded(), &table);
        let shorts: BTreeSet<_> = table.keys().map(|k| table.resolve(k).short).collect();
        assert_eq!(shorts.len(), table.keys().count(), "short names of listed sports are unique");
        assert!(table.keys().all(|k| table.resolve(k).origin == Origin::Listed));
    }

    #[test]
    fn the_big_leagues() {
        for (key, short, zone, window, model, teams) in [
            ("basketball_nba", "NBA", "America/New_York", 360, "nba", "nba"),
            ("basketball_wnba", "WNBA", "America/New_York", 360, "wnba", "wnba"),
            ("basketball_ncaab", "NCAAB", "America/New_York", 360, "ncaab", "ncaa"),
            ("basketball_wncaab", "WCBB", "America/New_York", 360, "ncaab", "ncaa"),
            ("americanfootball_nfl", "NFL", "America/New_York", 1440, "nfl", "nfl"),
            ("americanfootball_ncaaf", "NCAAF", "America/New_York", 1440, "ncaaf", "ncaa"),
            ("baseball_mlb", "MLB", "America/New_York", 120, "mlb", "mlb"),
            ("icehockey_nhl", "NHL", "America/New_York", 360, "nhl", "nhl"),
            ("soccer_epl", "EPL", "Europe/London", 1440, "soccer", "soccer_epl"),
            ("baseball_kbo", "KBO", "Asia/Seoul", 120, "normal", "baseball_kbo"),
        ] {
            let s = sport(key);
            assert_eq!((s.short.as_str(), s.clock.zone().name()), (short, zone));
            assert_eq!((s.window.minutes, s.margin_model.as_str(), s.teams.as_str()), (window, model, teams));
            assert_eq!(s.three_way, s.group == "Soccer");
            assert_eq!(s.window.game_numbers, s.group == "Baseball");
            assert!(!s.outright);
        }
    }

    #[test]
    fn variants_follow_their_sport() {
        let pre = sport("americanfootball_nfl_preseason");
        assert_eq!((pre.short.as_str(), pre.teams.as_str(), pre.margin_model.as_str()), ("NFL", "nfl", "nfl"));
        assert_eq!(pre.origin, Origin::Variant { base: "americanfootball_nfl".into(), of: "preseason".into() });
        let winner = sport("basketball_nba_championship_winner");
        assert!(winner.outright && winner.teams == "nba");
        // Not a variant of basketball_nba: there is no boundary.
        assert_eq!(sport("basketball_nbax").origin, Origin::Prefix("basketball_".into()));
        assert_eq!(sport("basketball_nbl").short, "NBL");
        assert_eq!(sport("soccer_germany_bundesliga2").short, "BUND2");
    }

    #[test]
    fn patterns_are_laid_from_the_general_to_the_special() {
        let turkey = sport("soccer_turkey_super_league");
        assert!(turkey.three_way);
        assert_eq!((turkey.short.as_str(), turkey.clock.zone().name()), ("TUR", "Europe/Istanbul"));
        let open = sport("tennis_wta_us_open");
        assert_eq!(
            (open.short.as_str(), open.clock.zone().name(), open.duration_minutes),
            ("WTA", "America/New_York", 110)
        );
        let somewhere = sport("tennis_atp_somewhere");
        assert_eq!(somewhere.clock.zone(), Tz::UTC);
        assert_eq!(somewhere.origin, Origin::Prefix("tennis_atp_".into()));
        let qualifier = sport("soccer_fifa_world_cup_qualifiers_europe");
        assert_eq!((qualifier.short.as_str(), qualifier.clock.zone()), ("WCQ", Tz::UTC));
    }

    #[test]
    fn an_unknown_sport_has_labelled_defaults() {
        let s = sport("esports_lol");
        assert_eq!(s.origin, Origin::Default);
        assert_eq!((s.short.as_str(), s.group.as_str(), s.margin_model.as_str()), ("LOL", "Other", "normal"));
        assert_eq!((s.clock.zone(), s.clock.rollover_hour()), (Tz::UTC, 0));
        assert_eq!(sport("").short, "?");
        // Even without any table.
        assert_eq!(Sports::default().resolve("basketball_nba").origin, Origin::Default);
    }

    #[test]
    fn a_users_table_changes_what_it_names_and_nothing_else() {
        let own = r#"
            [default]
            zone = "America/Chicago"
            [sport.basketball_nba]
            rollover_hour = 4
            [sport.esports_lol]
            short = "LoL"
        "#;
        let table = Sports::embedded().with_overrides(own).expect("valid");
        let nba = table.resolve("basketball_nba");
        assert_eq!((nba.clock.rollover_hour(), nba.clock.zone().name()), (4, "America/New_York"));
        assert_eq!(table.resolve("esports_lol").clock.zone().name(), "America/Chicago");
        assert_eq!(table.resolve("baseball_mlb"), sport("baseball_mlb"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| Sports::embedded().with_overrides(text).map(drop).expect_err(text).to_string();
        assert!(error("[sport.x]\nzone = \"Mars/Olympus\"").contains("Mars/Olympus"));
        assert!(error("[sport.x]\nrollover_hour = 24").contains("0 to 23"));
        assert!(error("[sport.x]\nmatch_window_minutes = 0").contains("match_window_minutes"));
        assert!(error("[sport.x]\nshort = \"\"").contains("short"));
        assert!(error("[sport.x]\n[sport.x]").contains("duplicate"));
        assert!(error("[sport.NBA]").contains("small letters"));
        assert!(error("[sport.x]\nduration = 3").contains("duration"));
        assert!(error("[default]\nduration_minutes = 0").contains("default"));
        assert!(error("sport = 1").contains("cannot be read"));
    }

    proptest! {
        #[test]
        fn every_key_has_an_answer(key in "(basketball_|soccer_|tennis_|)[a-z_]{0,20}|.{0,20}") {
            let s = sport(&key);
            prop_assert!(s.duration_minutes > 0 && s.window.minutes > 0 && !s.short.is_empty());
            prop_assert_eq!(&s, &sport(&key));
        }
    }
}
