//! A watchlist made ready to be asked: what is exact is looked up, filters have been read.
//!
//! The law is that of [`crate::store::desk::matches`]: some positive rule and no negative one.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::filter::{Facts, Filter};
use crate::market::teams::name::comparable;
use crate::store::desk::{ListContents, ListId, Rule, RuleId, RuleKind, SavedFilter};

/// What a list asks of a game, or of anything that is about one.
pub trait Subject {
    /// The provider's id.
    fn provider_id(&self) -> &str;
    /// Sport key.
    fn sport(&self) -> &str;
    /// A team goes by this name, in the form in which names are compared.
    fn has_team(&self, comparable: &str) -> bool;
    /// It has the market of this key.
    fn has_market(&self, key: &str) -> bool;
    /// A filter lets it through.
    fn passes(&self, filter: &Filter) -> bool;
}

/// Rules of one sign.
#[derive(Clone, Debug, Default)]
struct Half {
    games: FxHashSet<Box<str>>,
    /// Comparable name, and the sport if the rule has one.
    teams: Vec<(String, Option<Box<str>>)>,
    leagues: FxHashSet<Box<str>>,
    markets: Vec<(Box<str>, Option<Box<str>>)>,
    filters: Vec<Filter>,
}

impl Half {
    fn holds_but_games(&self, of: &dyn Subject) -> bool {
        let within = |sport: &Option<Box<str>>| sport.as_deref().is_none_or(|s| s == of.sport());
        self.leagues.contains(of.sport())
            || self.teams.iter().any(|(name, sport)| within(sport) && of.has_team(name))
            || self.markets.iter().any(|(key, sport)| within(sport) && of.has_market(key))
            || self.filters.iter().any(|f| of.passes(f))
    }

    fn holds(&self, of: &dyn Subject) -> bool {
        self.games.contains(of.provider_id()) || self.holds_but_games(of)
    }
}

/// A list made ready.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Its number.
    pub id: ListId,
    /// Its name, folded as filters compare it.
    pub folded: String,
    /// Rules that are no filters (any more), and why; they let nothing through and keep nothing out.
    pub broken: Vec<(RuleId, String)>,
    /// What it holds changes as time passes.
    pub timed: bool,
    yes: Half,
    no: Half,
}

/// The text of a saved filter, whatever the case of its name.
pub fn saved_text(saved: &[SavedFilter], name: &str) -> Option<String> {
    let wanted = name.trim().to_lowercase();
    saved.iter().find(|f| f.name.to_lowercase() == wanted).map(|f| f.text.clone())
}

impl Compiled {
    /// Makes a list ready.
    pub fn new(list: &ListContents, saved: &[SavedFilter]) -> Self {
        let mut made = Self {
            id: list.list.id,
            folded: crate::filter::fold(&list.list.name),
            broken: Vec::new(),
            timed: false,
            yes: Half::default(),
            no: Half::default(),
        };
        for rule in &list.rules {
            made.add(rule, saved);
        }
        made
    }

    fn add(&mut self, rule: &Rule, saved: &[SavedFilter]) {
        let half = if rule.negative { &mut self.no } else { &mut self.yes };
        match &rule.kind {
            RuleKind::Game { provider_event_id, .. } => {
                half.games.insert(provider_event_id.as_str().into());
            }
            RuleKind::Team { name, sport } => half.teams.push((comparable(name), sport.as_deref().map(Into::into))),
            RuleKind::League { sport } => {
                half.leagues.insert(sport.as_str().into());
            }
            RuleKind::Market { market, sport } => {
                half.markets.push((market.as_str().into(), sport.as_deref().map(Into::into)));
            }
            RuleKind::Filter { text } => match Filter::parse_with(text, &|name| saved_text(saved, name)) {
                Ok(filter) => {
                    self.timed |= filter.depends_on_time();
                    half.filters.push(filter);
                }
                Err(e) => self.broken.push((rule.id, e.to_string())),
            },
        }
    }

    /// The list holds it.
    pub fn holds(&self, of: &dyn Subject) -> bool {
        self.yes.holds(of) && !self.no.holds(of)
    }

    /// A rule other than those about this very game brings it in.
    pub fn holds_by_another(&self, of: &dyn Subject) -> bool {
        self.yes.holds_but_games(of) && !self.no.holds_but_games(of)
    }
}

/// Whatever tells its facts is asked as filters are.
pub fn passes(filter: &Filter, facts: &impl Facts) -> bool {
    filter.matches(facts)
}

/// Where each list stands, by its number.
pub fn places(lists: &[ListContents]) -> FxHashMap<ListId, usize> {
    lists.iter().enumerate().map(|(at, l)| (l.list.id, at)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::market::time::Timestamp;
    use crate::store::desk::{Watchlist, matches};

    struct Fixed;

    impl Subject for Fixed {
        fn provider_id(&self) -> &str {
            "e1"
        }
        fn sport(&self) -> &str {
            "basketball_nba_preseason"
        }
        fn has_team(&self, name: &str) -> bool {
            name == comparable("Boston Celtics")
        }
        fn has_market(&self, key: &str) -> bool {
            key == "spreads"
        }
        fn passes(&self, filter: &Filter) -> bool {
            filter.to_string() == "yes"
        }
    }

    fn kinds() -> Vec<(RuleKind, bool)> {
        let some = |s: &str| Some(s.to_owned());
        let (nba, pre) = ("basketball_nba", "basketball_nba_preseason");
        vec![
            (RuleKind::Game { provider_event_id: "e1".into(), start: None }, true),
            (RuleKind::Game { provider_event_id: "e2".into(), start: None }, false),
            (RuleKind::Team { name: "boston  CELTICS".into(), sport: None }, true),
            (RuleKind::Team { name: "Boston Celtics".into(), sport: some(nba) }, false),
            (RuleKind::Team { name: "Celtics".into(), sport: None }, false),
            (RuleKind::League { sport: nba.into() }, false),
            (RuleKind::League { sport: pre.into() }, true),
            (RuleKind::Market { market: "spreads".into(), sport: some(pre) }, true),
            (RuleKind::Market { market: "spreads".into(), sport: some(nba) }, false),
            (RuleKind::Market { market: "spread".into(), sport: None }, false),
            (RuleKind::Filter { text: "yes".into() }, true),
            (RuleKind::Filter { text: "no".into() }, false),
            (RuleKind::Filter { text: "streng>7".into() }, false),
        ]
    }

    fn list(rules: Vec<(RuleKind, bool)>) -> ListContents {
        let rule = |(at, (kind, negative)): (usize, (RuleKind, bool))| Rule {
            id: RuleId(at as i64),
            list: ListId(1),
            position: at,
            kind,
            negative,
            label: String::new(),
            created_at: Timestamp::default(),
        };
        let rules: Vec<Rule> = rules.into_iter().enumerate().map(rule).collect();
        let list = Watchlist {
            id: ListId(1),
            name: "Tonight".into(),
            position: 0,
            created_at: Timestamp::default(),
            rules: rules.len(),
        };
        ListContents { list, rules }
    }

    #[test]
    fn keys_are_exact_and_a_broken_filter_says_so() {
        for (kind, holds) in kinds() {
            let made = Compiled::new(&list(vec![(kind.clone(), false)]), &[]);
            assert_eq!(made.holds(&Fixed), holds, "{kind:?}");
            assert_eq!(made.broken.len(), usize::from(kind.text() == "streng>7"));
        }
    }

    proptest! {
        #[test]
        fn the_law_is_that_of_the_desk(chosen in proptest::collection::vec((0_usize..13, any::<bool>()), 0..6)) {
            let all = kinds();
            let rules: Vec<_> = chosen.iter().map(|(at, negative)| (all[*at].0.clone(), *negative)).collect();
            let list = list(rules);
            let made = Compiled::new(&list, &[]);
            let says = |kind: &RuleKind| all.iter().find(|(k, _)| k == kind).is_some_and(|(_, holds)| *holds);
            prop_assert_eq!(made.holds(&Fixed), matches(&list.rules, says));
            let others: Vec<_> = list.rules.iter()
                .filter(|r| !matches!(&r.kind, RuleKind::Game { provider_event_id, .. } if provider_event_id == "e1"))
                .cloned().collect();
            prop_assert_eq!(made.holds_by_another(&Fixed), matches(&others, says));
        }
    }
}
