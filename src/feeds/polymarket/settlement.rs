//! How a market pays when things go differently: facts read from its rules, each with the sentence that says so.
//!
//! Owns the reading of descriptions. What the rules do not say is unknown, and what they say in two ways is unknown
//! too. A prediction market that resolves 50-50 where a sportsbook refunds is another bet.

/// What may happen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Topic {
    /// The game goes on after regular time.
    Overtime,
    /// The game is put off.
    Postponed,
    /// The game is not played at all.
    Canceled,
    /// Nobody wins.
    Tie,
    /// The game is not decided by some date.
    Delayed,
    /// Somebody gives up or is put out.
    Forfeit,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 6] =
        [Self::Overtime, Self::Postponed, Self::Canceled, Self::Tie, Self::Delayed, Self::Forfeit];

    /// The name in tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overtime => "overtime",
            Self::Postponed => "postponed",
            Self::Canceled => "canceled",
            Self::Tie => "tie",
            Self::Delayed => "delayed",
            Self::Forfeit => "forfeit",
        }
    }
}

/// What then holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rule {
    /// Overtime counts.
    Counts,
    /// Overtime does not count.
    DoesNotCount,
    /// The market stays open until the game is played.
    StaysOpen,
    /// Every share pays half a dollar.
    FiftyFifty,
    /// It resolves to No.
    ResolvesNo,
    /// It resolves to Yes.
    ResolvesYes,
    /// It resolves to whoever is declared the winner.
    ToTheWinner,
}

impl Rule {
    /// The name in tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::DoesNotCount => "does_not_count",
            Self::StaysOpen => "stays_open",
            Self::FiftyFifty => "fifty_fifty",
            Self::ResolvesNo => "resolves_no",
            Self::ResolvesYes => "resolves_yes",
            Self::ToTheWinner => "to_the_winner",
        }
    }
}

/// One thing that the rules say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    /// About what.
    pub topic: Topic,
    /// What then holds.
    pub rule: Rule,
    /// The sentence.
    pub text: String,
}

/// All that the rules say, in their order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settlement {
    facts: Vec<Fact>,
}

/// Longer rules are not read to their end.
const LONGEST: usize = 20_000;

impl Settlement {
    /// Reads a description.
    pub fn read(description: &str) -> Self {
        let mut facts = Vec::new();
        let mut end = description.len().min(LONGEST);
        while !description.is_char_boundary(end) {
            end -= 1;
        }
        for sentence in sentences(description.get(..end).unwrap_or_default()) {
            let lower = sentence.to_lowercase().replace(['“', '”', '’'], "\"");
            if let Some(rule) = overtime(&lower) {
                facts.push(Fact { topic: Topic::Overtime, rule, text: sentence.to_owned() });
            }
            let Some(rule) = consequence(&lower) else { continue };
            for topic in topics(&lower) {
                facts.push(Fact { topic, rule, text: sentence.to_owned() });
            }
        }
        Self { facts }
    }

    /// All facts.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// What the rules say about a topic; `None` when they are silent or say different things.
    pub fn of(&self, topic: Topic) -> Option<&Fact> {
        let mut about = self.facts.iter().filter(|f| f.topic == topic);
        let first = about.next()?;
        about.all(|f| f.rule == first.rule).then_some(first)
    }

    /// The rule about a topic, or `unknown`.
    pub fn name_of(&self, topic: Topic) -> &'static str {
        self.of(topic).map_or("unknown", |f| f.rule.name())
    }
}

/// Sentences end with a line or with a full stop before a blank: dots in addresses and numbers do not end one.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.split(". ")).map(str::trim).filter(|s| !s.is_empty())
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|w| w == word)
}

fn overtime(s: &str) -> Option<Rule> {
    let about = ["overtime", "extra time", "extra innings", "extra inning", "shootout"].iter().any(|w| s.contains(w));
    let regular = s.contains("regular play") || s.contains("regulation") || s.contains("90 minutes");
    let excluded = ["exclud", "not includ", "not count", "does not apply", "will not be", "without"];
    if about && excluded.iter().any(|w| s.contains(w)) {
        return Some(Rule::DoesNotCount);
    }
    if about && s.contains("includ") {
        return Some(Rule::Counts);
    }
    (regular && (s.contains("only") || s.contains("first 90"))).then_some(Rule::DoesNotCount)
}

fn consequence(s: &str) -> Option<Rule> {
    let halves = ["50-50", "50/50", "50–50"].iter().any(|w| s.contains(w));
    let resolves = s.contains("resolve") || s.contains("settle");
    let open = s.contains("remain open") || s.contains("stay open");
    match (halves && resolves, open) {
        // "It remains open; if it is canceled, 50-50" in one sentence says two things about who knows what.
        (true, true) => None,
        (true, false) => Some(Rule::FiftyFifty),
        (false, true) => Some(Rule::StaysOpen),
        (false, false) if !resolves => None,
        (false, false) => {
            if s.contains("to \"no\"") || s.contains("to no") {
                Some(Rule::ResolvesNo)
            } else if s.contains("to \"yes\"") {
                Some(Rule::ResolvesYes)
            } else if s.contains("the team who wins")
                || s.contains("the declared winner")
                || s.contains("to the winner")
            {
                Some(Rule::ToTheWinner)
            } else {
                None
            }
        }
    }
}

fn topics(s: &str) -> impl Iterator<Item = Topic> + '_ {
    Topic::ALL.into_iter().filter(move |topic| match topic {
        Topic::Overtime => false,
        Topic::Postponed => s.contains("postponed"),
        Topic::Canceled => s.contains("canceled") || s.contains("cancelled"),
        Topic::Tie => has_word(s, "tie") || has_word(s, "ties") || has_word(s, "tied") || s.contains("in a draw"),
        Topic::Delayed => s.contains("delayed") || s.contains("rescheduled") || s.contains("not completed by"),
        Topic::Forfeit => s.contains("forfeit") || s.contains("walkover") || s.contains("disqualif"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_rules_of_a_recorded_game() {
        let s = Settlement::read(
            "In the upcoming NBA game, scheduled for February 5 at 10:00PM ET:\nIf the Warriors win, the market will \
             resolve to \"Warriors\".\nIf the game is postponed, this market will remain open until the game has been \
             completed.\nIf the game is canceled entirely, with no make-up game, this market will resolve 50-50.\nThe \
             result will be determined based on the final score including any overtime periods.",
        );
        let rule = |t| s.of(t).map(|f| f.rule);
        assert_eq!(rule(Topic::Postponed), Some(Rule::StaysOpen));
        assert_eq!(rule(Topic::Canceled), Some(Rule::FiftyFifty));
        assert_eq!(rule(Topic::Overtime), Some(Rule::Counts));
        assert_eq!((rule(Topic::Tie), s.name_of(Topic::Tie)), (None, "unknown"));
        assert!(s.of(Topic::Canceled).unwrap().text.starts_with("If the game is canceled entirely"));
    }

    #[test]
    fn the_rules_of_a_recorded_match() {
        let s = Settlement::read(
            "This market will resolve to \"FaZe\" if FaZe win the match against illwill.\n\nIf the match is canceled (not \
             played at all), ends in a tie, or is delayed beyond 7 days from the scheduled date without a winner \
             determined, this market will resolve to 50-50. \n\nIf the match begins but is not completed, and one team \
             wins due to the opponent's forfeiture, disqualification, or walkover, this market will resolve to the team \
             who wins. \n\nIf the match ends in a forfeit, disqualification, or walkover (team withdraws before the \
             start), this market will resolve to 50-50. ",
        );
        for topic in [Topic::Canceled, Topic::Tie, Topic::Delayed] {
            assert_eq!(s.of(topic).unwrap().rule, Rule::FiftyFifty);
        }
        // Two sentences, two rules: not one fact.
        assert_eq!(s.of(Topic::Forfeit), None);
        assert_eq!(s.of(Topic::Postponed), None);
    }

    #[test]
    fn regular_time_only_and_silence() {
        let s = Settlement::read(
            "This market refers only to the outcome within the first 90 minutes of regular play plus stoppage time.",
        );
        assert_eq!(s.of(Topic::Overtime).unwrap().rule, Rule::DoesNotCount);
        assert_eq!(Settlement::read("Bitcoin up or down").facts(), []);
        assert_eq!(Settlement::read("Overtime is excluded.").of(Topic::Overtime).unwrap().rule, Rule::DoesNotCount);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(\\PC|overtime|50-50|canceled|resolve to|\\n|\\. ){0,60}") {
            let s = Settlement::read(&text);
            prop_assert!(s.facts().iter().all(|f| text.contains(&f.text)));
        }
    }
}
