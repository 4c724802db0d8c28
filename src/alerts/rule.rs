//! What a rule says: of what it tells, which of that, on which channels, how often and when not.
//!
//! Owns the form in which the desk keeps a rule and every check on it. Decides nothing: that is [`super::decide`].

use serde::{Deserialize, Serialize};

use super::message::Kind;
use super::quiet::QuietHours;
use crate::filter::Filter;
use crate::market::line::Line;
use crate::market::market_key::{Family, MarketSpec, Stance};
use crate::market::price::Price;

/// What a rule may tell of.
pub const KINDS: [Kind; 8] =
    [Kind::Signal, Kind::Line, Kind::Opener, Kind::Gone, Kind::Reopened, Kind::Limit, Kind::Credits, Kind::Health];

/// Seconds between two alerts about the same thing, where a rule says nothing.
pub const DEFAULT_COOLDOWN: u64 = 900;
/// The longest cooldown, in seconds: cooldowns are forgotten after that.
pub const LONGEST_COOLDOWN: u64 = 7 * 86_400;
/// Channels of a rule at the most.
const MOST_CHANNELS: usize = 16;

/// A watchlist that a rule is limited to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ListRef {
    /// Its number on the desk: it stays when the list is renamed.
    pub id: i64,
    /// Its name when the rule was written, for people.
    pub name: String,
}

/// A price that the user waits for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Wish {
    /// Market key, such as `spreads`; the alternates of it count too.
    pub market: String,
    /// A team by name or code, `home`, `away`, `draw`, `over` or `under`.
    pub selection: String,
    /// The line, as the side sees it; none for moneylines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<f64>,
    /// The least odds: American with its sign, or decimal.
    pub price: String,
    /// Only this line and better ones at this price, no conversion between lines.
    #[serde(default, skip_serializing_if = "is_false")]
    pub exact: bool,
}

/// What a rule asks for, without its name.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Of what it tells; never empty.
    pub kinds: Vec<Kind>,
    /// An expression of the filter language; empty for everything.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub filter: String,
    /// Of signals: strength at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_strength: Option<u8>,
    /// Of signals: composite at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_composite: Option<u8>,
    /// Of signals: independent books at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_books: Option<u16>,
    /// Of signals: dispersion of the board at the most; one that is not known passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_dispersion: Option<f64>,
    /// Seconds before the start at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_lead_seconds: Option<u64>,
    /// Seconds since the entry was seen at the book, at the most. What has no entry does not pass then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<u64>,
    /// Names of channels; never empty.
    pub channels: Vec<String>,
    /// Seconds in which the same thing is not told of again.
    #[serde(default = "default_cooldown")]
    pub cooldown_seconds: u64,
    /// What falls in there is held until they end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<QuietHours>,
    /// Only what this watchlist holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListRef>,
    /// For lines: what is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Wish>,
    /// Of signals: updates of one that was told of are told too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub updates: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_false(value: &bool) -> bool {
    !*value
}

const fn default_cooldown() -> u64 {
    DEFAULT_COOLDOWN
}

/// Why terms make no rule. Every text says what would.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum RuleError {
    /// Nothing to tell of.
    #[error("a rule needs a kind; there are {}", kind_names())]
    NoKind,
    /// Not for rules.
    #[error("a rule cannot be of the kind '{kind}'; there are {}", kind_names())]
    Kind {
        /// What was asked for.
        kind: String,
    },
    /// Nowhere to tell it.
    #[error("a rule needs a channel; `stratum alerts channels` lists those of the settings")]
    NoChannel,
    /// Not a name of a channel.
    #[error("'{0}' is no name of a channel: letters, digits, '-' and '_', at most 64 of them")]
    Channel(String),
    /// Too many.
    #[error("a rule has {MOST_CHANNELS} channels at the most")]
    Channels,
    /// Not a filter.
    #[error("'{text}' is no filter: {why}")]
    Filter {
        /// What was written.
        text: String,
        /// Why, with the place.
        why: String,
    },
    /// Out of bounds.
    #[error("{what} is {found}; it goes from {least} to {most}")]
    Bounds {
        /// Which value.
        what: &'static str,
        /// What it is.
        found: String,
        /// The least.
        least: String,
        /// The most.
        most: String,
    },
    /// Means nothing for what the rule tells of.
    #[error("{what} says nothing about {about}; leave it out, or add a kind that it is about")]
    Meaningless {
        /// Which value.
        what: &'static str,
        /// The rule's kinds.
        about: String,
    },
    /// A rule of kind `line` without a line.
    #[error(
        "a rule of the kind 'line' needs to know what to wait for: --selection, --price and, but for moneylines, --line"
    )]
    NoWish,
    /// The line that is waited for cannot come.
    #[error("{0}")]
    Wish(String),
    /// What the desk holds is no rule, or one of a newer version.
    #[error("the rule cannot be read ({0}); remove it and add it again, or update stratum")]
    Unreadable(String),
}

fn kind_names() -> String {
    KINDS.map(Kind::name).join(", ")
}

impl Default for Terms {
    /// Every signal, on no channel yet.
    fn default() -> Self {
        Self {
            kinds: vec![Kind::Signal],
            filter: String::new(),
            min_strength: None,
            min_composite: None,
            min_books: None,
            max_dispersion: None,
            min_lead_seconds: None,
            max_age_seconds: None,
            channels: Vec::new(),
            cooldown_seconds: DEFAULT_COOLDOWN,
            quiet: None,
            list: None,
            line: None,
            updates: false,
        }
    }
}

impl Terms {
    /// Reads what the desk keeps.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn from_json(json: &str) -> Result<Self, RuleError> {
        let terms: Self = serde_json::from_str(json).map_err(|e| RuleError::Unreadable(e.to_string()))?;
        terms.check()?;
        Ok(terms)
    }

    /// As the desk keeps it.
    ///
    /// # Errors
    /// [`RuleError::Unreadable`], which no checked rule meets.
    pub fn to_json(&self) -> Result<String, RuleError> {
        serde_json::to_string(self).map_err(|e| RuleError::Unreadable(e.to_string()))
    }

    /// It tells of this.
    pub fn tells_of(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Looks everything over. Saved filters that a filter names may come later; the rule waits for them.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), RuleError> {
        if self.kinds.is_empty() {
            return Err(RuleError::NoKind);
        }
        if let Some(kind) = self.kinds.iter().find(|k| !KINDS.contains(k)) {
            return Err(RuleError::Kind { kind: kind.name().to_owned() });
        }
        self.check_channels()?;
        check_filter(&self.filter)?;
        bounded("the least strength", self.min_strength, 0, 100)?;
        bounded("the least composite", self.min_composite, 0, 100)?;
        bounded("the least number of books", self.min_books, 1, 100)?;
        bounded("the largest dispersion", self.max_dispersion, 0.0, 100.0)?;
        bounded("the least lead in seconds", self.min_lead_seconds, 0, 30 * 86_400)?;
        bounded("the largest age in seconds", self.max_age_seconds, 1, 86_400)?;
        bounded("the cooldown in seconds", Some(self.cooldown_seconds), 0, LONGEST_COOLDOWN)?;
        self.check_meaning()?;
        match (&self.line, self.tells_of(Kind::Line)) {
            (None, true) => Err(RuleError::NoWish),
            (Some(wish), _) => wish.check(),
            (None, false) => Ok(()),
        }
    }

    fn check_channels(&self) -> Result<(), RuleError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let fits = |n: &&String| (1..=64).contains(&n.len()) && n.chars().all(plain);
        match self.channels.iter().find(|n| !fits(n)) {
            _ if self.channels.is_empty() => Err(RuleError::NoChannel),
            _ if self.channels.len() > MOST_CHANNELS => Err(RuleError::Channels),
            Some(bad) => Err(RuleError::Channel(bad.clone())),
            None => Ok(()),
        }
    }

    /// A threshold for what the rule never tells of is a mistake worth a word.
    fn check_meaning(&self) -> Result<(), RuleError> {
        let about = || self.kinds.iter().map(|k| k.name()).collect::<Vec<_>>().join(", ");
        let signals = [
            ("the least strength", self.min_strength.is_some()),
            ("the least composite", self.min_composite.is_some()),
            ("the least number of books", self.min_books.is_some()),
            ("the largest dispersion", self.max_dispersion.is_some()),
            ("--updates", self.updates),
        ];
        let market = [
            ("a filter", !self.filter.is_empty()),
            ("a watchlist", self.list.is_some()),
            ("the least lead", self.min_lead_seconds.is_some()),
        ];
        let offers = [("the largest age", self.max_age_seconds.is_some())];
        let lines = [("a line to wait for", self.line.is_some())];
        let is_market = |k: &Kind| !matches!(k, Kind::Credits | Kind::Health);
        let wrong = [
            (&signals[..], self.tells_of(Kind::Signal)),
            (&market[..], self.kinds.iter().any(is_market)),
            (&offers[..], self.tells_of(Kind::Signal) || self.tells_of(Kind::Line)),
            (&lines[..], self.tells_of(Kind::Line)),
        ];
        for (values, meant) in wrong {
            if let Some((what, _)) = values.iter().find(|(_, given)| *given && !meant) {
                return Err(RuleError::Meaningless { what, about: about() });
            }
        }
        Ok(())
    }

    /// What a person should know of a rule that is right as such. `channels`: those of the settings, where known.
    pub fn warnings(&self, channels: Option<&[String]>) -> Vec<String> {
        let mut all = Vec::new();
        if let Some(known) = channels {
            for name in self.channels.iter().filter(|n| !known.contains(n)) {
                all.push(format!("the settings have no channel '{name}'; what it would get waits for a day"));
            }
        }
        if self.tells_of(Kind::Limit) {
            all.push("limits are told by few books, and only where the setting odds_api.bet_limits is on".into());
        }
        if self.filter.contains('@') && Filter::parse(&self.filter).is_err() {
            all.push("it waits for a saved filter that it names; without it, it never fires".into());
        }
        all
    }
}

/// Whether a text is a filter, apart from the saved ones that it names.
fn check_filter(text: &str) -> Result<(), RuleError> {
    match Filter::parse(text) {
        Ok(_) => Ok(()),
        Err(_) if Filter::parse_with(text, &|_| Some(String::new())).is_ok() => Ok(()),
        Err(e) => Err(RuleError::Filter { text: text.to_owned(), why: format!("{e}\n{}", e.caret()) }),
    }
}

fn bounded<T: PartialOrd + std::fmt::Display>(
    what: &'static str,
    value: Option<T>,
    least: T,
    most: T,
) -> Result<(), RuleError> {
    match value {
        // Written so that what is no number is out of bounds.
        Some(v) if !(v >= least && v <= most) => {
            Err(RuleError::Bounds { what, found: v.to_string(), least: least.to_string(), most: most.to_string() })
        }
        _ => Ok(()),
    }
}

/// Odds as people write them: American with or without a sign, or decimal with a point.
///
/// # Errors
/// What would be odds.
pub fn parse_odds(text: &str) -> Result<Price, String> {
    let text = text.trim().replace('\u{2212}', "-");
    let why = || format!("'{text}' are no odds; write American such as -115 or +140, or decimal such as 1.87");
    let american = text.starts_with(['+', '-']) || !text.contains('.');
    if american {
        let number: i64 = text.parse().map_err(|_| why())?;
        Price::american(number).map_err(|_| why())
    } else {
        let number: f64 = text.parse().map_err(|_| why())?;
        Price::decimal(number).map_err(|_| why())
    }
}

impl Wish {
    /// The least price.
    ///
    /// # Errors
    /// In words.
    pub fn odds(&self) -> Result<Price, RuleError> {
        parse_odds(&self.price).map_err(RuleError::Wish)
    }

    /// The line, as the side sees it.
    pub fn wanted_line(&self) -> Option<Line> {
        self.line.and_then(Line::from_points)
    }

    fn check(&self) -> Result<(), RuleError> {
        let wish = |text: String| Err(RuleError::Wish(text));
        self.odds()?;
        if self.selection.trim().is_empty() || self.selection.chars().count() > 200 {
            return wish("name a side: a team, home, away, draw, over or under".into());
        }
        let spec = MarketSpec::parse(&self.market);
        if spec.stance != Stance::Back
            || !matches!(
                spec.family,
                Family::Moneyline | Family::Moneyline3Way | Family::Spread | Family::Total | Family::DrawNoBet
            )
        {
            return wish(format!("'{}' is no market of sides; wait for spreads, totals or h2h", self.market));
        }
        match (spec.has_line(), self.line) {
            (true, None) => wish(format!("{} need a line, such as --line -2.5", self.market)),
            (false, Some(_)) => wish(format!("{} has no line; leave --line out", self.market)),
            (true, Some(line)) if Line::from_points(line).is_none() || (line * 4.0).fract() != 0.0 => {
                wish(format!("{line} is no line; lines go in quarters of a point"))
            }
            _ => Ok(()),
        }
    }
}

impl std::fmt::Display for Wish {
    /// `spreads Boston Celtics -2.5 at -115 or its equivalent`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.market, self.selection)?;
        let spread = MarketSpec::parse(&self.market).family == Family::Spread;
        match self.line {
            Some(line) if spread => write!(f, " {line:+}")?,
            Some(line) => write!(f, " {line}")?,
            None => {}
        }
        let or = if self.exact || self.line.is_none() { "or better" } else { "or its equivalent" };
        write!(f, " at {} {or}", self.price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Terms {
        Terms { channels: vec!["desk".into()], ..Terms::default() }
    }

    fn wish() -> Wish {
        Wish { market: "spreads".into(), selection: "BOS".into(), line: Some(-2.5), price: "-115".into(), exact: false }
    }

    #[test]
    fn terms_survive_the_desk() {
        let all = Terms {
            kinds: vec![Kind::Signal, Kind::Line],
            filter: "type:steam ev>2".into(),
            min_strength: Some(60),
            min_composite: Some(55),
            min_books: Some(3),
            max_dispersion: Some(0.7),
            min_lead_seconds: Some(600),
            max_age_seconds: Some(45),
            channels: vec!["desk".into(), "my-discord_2".into()],
            cooldown_seconds: 60,
            quiet: Some(QuietHours::parse("23:00-07:00", "Europe/Paris").expect("hours")),
            list: Some(ListRef { id: 3, name: "Tonight".into() }),
            line: Some(wish()),
            updates: true,
        };
        for terms in [terms(), all] {
            let json = terms.to_json().expect("JSON");
            assert_eq!(Terms::from_json(&json).expect("reads"), terms, "{json}");
        }
        assert_eq!(Terms::from_json(r#"{"kinds":["signal"],"channels":["x"]}"#).expect("reads").cooldown_seconds, 900);
        assert!(matches!(
            Terms::from_json(r#"{"kinds":["signal"],"channels":["x"],"new":1}"#),
            Err(RuleError::Unreadable(_))
        ));
        assert!(matches!(Terms::from_json("nonsense"), Err(RuleError::Unreadable(_))));
    }

    #[test]
    fn mistakes_are_named() {
        let bad = |change: &dyn Fn(&mut Terms)| {
            let mut t = terms();
            change(&mut t);
            t.check().expect_err("refused").to_string()
        };
        assert!(bad(&|t| t.kinds.clear()).contains("needs a kind"));
        assert!(bad(&|t| t.kinds = vec![Kind::Digest]).contains("'digest'"));
        assert!(bad(&|t| t.channels.clear()).contains("needs a channel"));
        assert!(bad(&|t| t.channels = vec!["a b".into()]).contains("'a b'"));
        assert!(bad(&|t| t.channels = vec!["x".into(); 17]).contains("16"));
        assert!(bad(&|t| t.filter = "streng>7".into()).contains("is no filter"));
        assert!(bad(&|t| t.min_strength = Some(101)).contains("from 0 to 100"));
        assert!(bad(&|t| t.max_dispersion = Some(f64::NAN)).contains("NaN"));
        assert!(bad(&|t| t.max_age_seconds = Some(0)).contains("from 1"));
        assert!(bad(&|t| t.cooldown_seconds = 8 * 86_400).contains("cooldown"));
        assert!(bad(&|t| t.kinds = vec![Kind::Line]).contains("what to wait for"));
        assert!(bad(&|t| t.line = Some(wish())).contains("says nothing about signal"));
        let health = |t: &mut Terms| t.kinds = vec![Kind::Health];
        assert!(
            bad(&|t| {
                health(t);
                t.filter = "nba".into()
            })
            .contains("a filter says nothing about health")
        );
        assert!(
            bad(&|t| {
                health(t);
                t.min_books = Some(2)
            })
            .contains("number of books")
        );
        assert!(terms().check().is_ok());
        assert!(Terms { filter: "@mine".into(), ..terms() }.check().is_ok());
    }

    #[test]
    fn a_wish_is_one_that_can_come_true() {
        let line = |change: &dyn Fn(&mut Wish)| {
            let mut wish = wish();
            change(&mut wish);
            Terms { kinds: vec![Kind::Line], line: Some(wish), ..terms() }.check()
        };
        assert_eq!(line(&|_| ()), Ok(()));
        assert_eq!(
            line(&|w| {
                w.market = "h2h".into();
                w.line = None
            }),
            Ok(())
        );
        for change in [
            &(|w: &mut Wish| w.line = None) as &dyn Fn(&mut Wish),
            &|w| w.line = Some(f64::NAN),
            &|w| w.line = Some(2.613),
            &|w| w.market = "h2h".into(),
            &|w| w.market = "outrights".into(),
            &|w| w.market = "h2h_lay".into(),
            &|w| w.price = "50".into(),
            &|w| w.price = "1.0".into(),
            &|w| w.price = "evens".into(),
            &|w| w.selection = " ".into(),
        ] {
            assert!(matches!(line(change), Err(RuleError::Wish(_))), "{:?}", line(change));
        }
        assert_eq!(wish().to_string(), "spreads BOS -2.5 at -115 or its equivalent");
    }

    #[test]
    fn odds_are_read_as_people_write_them() {
        for (text, decimal) in
            [("-110", 1.909_090_909), ("+140", 2.4), ("140", 2.4), ("1.87", 1.87), ("\u{2212}200", 1.5)]
        {
            assert!((parse_odds(text).expect(text).to_decimal() - decimal).abs() < 1e-6, "{text}");
        }
        for text in ["", "-50", "0.5", "x", "+1.5", "1e400"] {
            assert!(parse_odds(text).is_err(), "{text}");
        }
    }
}
