//! What a rule of a watchlist says, and how it says it in the filter language.

use super::{DeskError, ListId, text};
use crate::market::time::Timestamp;

/// Our number of a rule. Never given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RuleId(pub i64);

/// A game as a watchlist remembers it: by the provider's id, which stays when ours changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Game {
    /// The provider's id.
    pub provider_event_id: String,
    /// `Away @ Home`.
    pub label: String,
    /// Scheduled start, as last known.
    pub start: Option<Timestamp>,
}

/// What a rule is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RuleKind {
    /// One game.
    Game {
        /// The provider's id.
        provider_event_id: String,
        /// Scheduled start, as known when the rule was last written.
        start: Option<Timestamp>,
    },
    /// All games of a team.
    Team {
        /// Its name.
        name: String,
        /// Only in the sport with this key.
        sport: Option<String>,
    },
    /// All games of a sport key.
    League {
        /// The key.
        sport: String,
    },
    /// All games with a market.
    Market {
        /// The market key.
        market: String,
        /// Only in the sport with this key.
        sport: Option<String>,
    },
    /// Whatever an expression of the filter language lets through.
    Filter {
        /// The expression.
        text: String,
    },
}

impl RuleKind {
    /// `game`, `team`, `league`, `market` or `filter`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Game { .. } => "game",
            Self::Team { .. } => "team",
            Self::League { .. } => "league",
            Self::Market { .. } => "market",
            Self::Filter { .. } => "filter",
        }
    }

    /// The provider's id, the team's name, the sport key, the market key or the expression.
    pub fn text(&self) -> &str {
        match self {
            Self::Game { provider_event_id: text, .. }
            | Self::Team { name: text, .. }
            | Self::League { sport: text }
            | Self::Market { market: text, .. }
            | Self::Filter { text } => text,
        }
    }

    /// The sport key of a team or market rule that has one.
    pub fn sport(&self) -> Option<&str> {
        match self {
            Self::Team { sport, .. } | Self::Market { sport, .. } => sport.as_deref(),
            _ => None,
        }
    }

    /// The start of a game.
    pub const fn start(&self) -> Option<Timestamp> {
        match self {
            Self::Game { start, .. } => *start,
            _ => None,
        }
    }

    /// What it lets through, in the filter language.
    pub fn expression(&self) -> String {
        let within = |sport: &Option<String>| sport.as_ref().map_or_else(String::new, |s| format!(" sport:{}", key(s)));
        match self {
            Self::Game { provider_event_id, .. } => format!("game:{}", quoted(provider_event_id)),
            Self::Team { name, sport } => format!("team:{}{}", quoted(name), within(sport)),
            Self::League { sport } => format!("sport:{}", key(sport)),
            Self::Market { market, sport } => format!("market:{}{}", key(market), within(sport)),
            Self::Filter { text } => format!("({text})"),
        }
    }

    /// The form in which rules are compared: names and keys without regard to case, the rest to the letter.
    pub(super) fn text_key(&self) -> String {
        match self {
            Self::Game { .. } | Self::Filter { .. } => self.text().to_owned(),
            _ => text::folded(self.text()),
        }
    }

    /// The same, fit to be kept.
    fn checked(&self) -> Result<Self, DeskError> {
        let sport_key = |sport: &Option<String>| -> Result<_, DeskError> {
            sport.as_deref().map(|s| Ok(text::word("the sport key", s)?.to_lowercase())).transpose()
        };
        Ok(match self {
            Self::Game { provider_event_id, start } => Self::Game {
                provider_event_id: text::word("the provider's id", provider_event_id)?.to_owned(),
                start: *start,
            },
            Self::Team { name, sport } => {
                Self::Team { name: text::word("the team's name", name)?.to_owned(), sport: sport_key(sport)? }
            }
            Self::League { sport } => Self::League { sport: text::word("the sport key", sport)?.to_lowercase() },
            Self::Market { market, sport } => {
                Self::Market { market: text::word("the market key", market)?.to_lowercase(), sport: sport_key(sport)? }
            }
            Self::Filter { text } => Self::Filter { text: text::filter(text)?.to_owned() },
        })
    }
}

/// A rule to be added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRule {
    /// What it is about.
    pub kind: RuleKind,
    /// What it lets through is kept out of the list.
    pub negative: bool,
    /// For people; empty takes the text of the rule.
    pub label: String,
}

impl NewRule {
    fn of(kind: RuleKind) -> Self {
        Self { kind, negative: false, label: String::new() }
    }

    /// One game.
    pub fn game(game: Game) -> Self {
        let kind = RuleKind::Game { provider_event_id: game.provider_event_id, start: game.start };
        Self { label: game.label, ..Self::of(kind) }
    }

    /// All games of a team, in one sport or in every one.
    pub fn team(name: impl Into<String>, sport: Option<String>) -> Self {
        Self::of(RuleKind::Team { name: name.into(), sport })
    }

    /// All games of a sport key.
    pub fn league(sport: impl Into<String>) -> Self {
        Self::of(RuleKind::League { sport: sport.into() })
    }

    /// All games with a market, in one sport or in every one.
    pub fn market(market: impl Into<String>, sport: Option<String>) -> Self {
        Self::of(RuleKind::Market { market: market.into(), sport })
    }

    /// Whatever an expression lets through. It has to be one already: the desk does not read it.
    pub fn filter(text: impl Into<String>) -> Self {
        Self::of(RuleKind::Filter { text: text.into() })
    }

    /// The same, kept out of the list instead.
    #[must_use]
    pub fn excluded(self) -> Self {
        Self { negative: true, ..self }
    }

    /// The same, fit to be kept.
    pub(super) fn checked(&self) -> Result<Self, DeskError> {
        let kind = self.kind.checked()?;
        let label = match text::label(&self.label) {
            empty if empty.is_empty() => text::label(kind.text()),
            label => label,
        };
        Ok(Self { kind, negative: self.negative, label })
    }
}

/// A rule of a watchlist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Our number of it.
    pub id: RuleId,
    /// Its list.
    pub list: ListId,
    /// Place in the list, from 0.
    pub position: usize,
    /// What it is about.
    pub kind: RuleKind,
    /// What it lets through is kept out of the list.
    pub negative: bool,
    /// For people: of a game `Away @ Home`.
    pub label: String,
    /// When it was added.
    pub created_at: Timestamp,
}

impl Rule {
    /// The rule in the filter language; a negative one is `-( ... )`.
    pub fn expression(&self) -> String {
        let inner = self.kind.expression();
        if self.negative { format!("-({inner})") } else { inner }
    }
}

/// A list lets through what any positive rule does and no negative one; without a positive rule, nothing.
///
/// `holds` answers for what a rule is about, whatever its sign.
pub fn matches<'r>(rules: impl IntoIterator<Item = &'r Rule>, mut holds: impl FnMut(&RuleKind) -> bool) -> bool {
    let mut any = false;
    for rule in rules {
        if rule.negative {
            if holds(&rule.kind) {
                return false;
            }
        } else {
            any = any || holds(&rule.kind);
        }
    }
    any
}

/// Keys of the usual form stand bare, as people write them.
fn key(text: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { quoted(text) }
}

/// `text` as a quoted word of the filter language: `\` before quotes and itself.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(new: NewRule) -> Rule {
        let NewRule { kind, negative, label } = new.checked().expect("fits");
        Rule { id: RuleId(1), list: ListId(1), position: 0, kind, negative, label, created_at: Timestamp::default() }
    }

    fn game() -> NewRule {
        let label = "Miami Heat @ Boston Celtics".to_owned();
        NewRule::game(Game { provider_event_id: "e0f1a2".into(), label, start: None })
    }

    #[test]
    fn every_kind_says_itself() {
        let nba = || Some("basketball_nba".to_owned());
        for (new, says) in [
            (game(), r#"game:"e0f1a2""#),
            (NewRule::team(" Boston Celtics ", nba()), r#"team:"Boston Celtics" sport:basketball_nba"#),
            (NewRule::team(r#"The "A\B" Team"#, None), r#"team:"The \"A\\B\" Team""#),
            (NewRule::league("Basketball_NBA"), "sport:basketball_nba"),
            (NewRule::league("odd key"), r#"sport:"odd key""#),
            (NewRule::market("spreads", None), "market:spreads"),
            (NewRule::market("h2h", nba()), "market:h2h sport:basketball_nba"),
            (NewRule::filter(" ev>2 or steam "), "(ev>2 or steam)"),
            (game().excluded(), r#"-(game:"e0f1a2")"#),
            (NewRule::filter("live").excluded(), "-((live))"),
        ] {
            assert_eq!(rule(new).expression(), says);
        }
    }

    #[test]
    fn a_label_is_never_empty() {
        assert_eq!(rule(game()).label, "Miami Heat @ Boston Celtics");
        assert_eq!(rule(NewRule::league("icehockey_nhl")).label, "icehockey_nhl");
        assert_eq!(rule(NewRule { label: "a\u{1b}b\n".into(), ..game() }).label, "a b");
    }

    #[test]
    fn texts_that_cannot_be_kept_are_refused() {
        for new in [
            NewRule::team("", None),
            NewRule::team("x\ny", None),
            NewRule::team("x".repeat(201), None),
            NewRule::team("x", Some(String::new())),
            NewRule::league("\t"),
            NewRule::market("\u{0}", None),
            NewRule::filter("  "),
            NewRule::filter("a\nb"),
            NewRule::filter("é".repeat(1001)),
            NewRule::game(Game { provider_event_id: String::new(), label: String::new(), start: None }),
        ] {
            assert!(matches!(new.checked(), Err(DeskError::Unfit { .. })), "{new:?}");
        }
    }

    #[test]
    fn a_list_needs_a_positive_rule_and_no_negative_one() {
        let nba = rule(NewRule::league("nba"));
        let not_team = rule(NewRule::team("Heat", None).excluded());
        let holds = |names: &'static [&'static str]| move |kind: &RuleKind| names.contains(&kind.text());
        assert!(!matches([], holds(&["nba"])));
        assert!(matches([&nba], holds(&["nba"])));
        assert!(!matches([&not_team], holds(&[])));
        assert!(matches([&nba, &not_team], holds(&["nba"])));
        assert!(!matches([&nba, &not_team], holds(&["nba", "Heat"])));
        assert!(!matches([&not_team, &nba], holds(&["nba", "Heat"])));
    }
}
