//! What a market is about.
//!
//! Owns the way from the words of a market to a [`Contract`]. Never guesses: where type, question, line and slug do not
//! say the same thing, the market is [`Kind::Other`] with the reason. Outcomes carry names; their order means nothing
//! but the order of the tokens.

use super::ids::TokenId;
use super::slug;
use super::wire::gamma::GammaMarket;
use crate::market::line::Line;
use crate::market::teams::Teams;
use crate::market::teams::name::comparable;

/// What a market asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Who wins the game; two outcomes, each a team.
    Moneyline,
    /// Does a team win by more than a line?
    Spread {
        /// The line of outcome 0.
        line: Line,
        /// The team that outcome 0 is, or, where the outcomes are Yes and No, the team that Yes is about.
        team: String,
    },
    /// More or fewer points of both teams.
    Total {
        /// The points.
        line: Line,
    },
    /// A part of the game only.
    Period {
        /// Which, as the market says it.
        period: &'static str,
    },
    /// What one player does.
    PlayerProp,
    /// One of three markets that exclude each other.
    ThreeWayLeg(Leg),
    /// Anything else, or in doubt.
    Other(Doubt),
}

impl Kind {
    /// The name in tables and JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Moneyline => "moneyline",
            Self::Spread { .. } => "spread",
            Self::Total { .. } => "total",
            Self::Period { .. } => "period",
            Self::PlayerProp => "player_prop",
            Self::ThreeWayLeg(_) => "three_way_leg",
            Self::Other(_) => "other",
        }
    }
}

/// Which of three results.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Leg {
    /// This team wins. Whether it plays at home is found out by matching, not here.
    Team(String),
    /// Nobody wins.
    Draw,
}

/// Why a market is `Other`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Doubt {
    /// A type that we do not know.
    #[error("its type \"{0}\" is not one that is understood")]
    UnknownType(String),
    /// Neither type nor question say what it is.
    #[error("neither its type nor its question says what it is about")]
    NothingSaid,
    /// Not two outcomes.
    #[error("it has {0} outcomes and not two")]
    Outcomes(usize),
    /// The outcomes are not the teams of the game.
    #[error("its outcomes are not the teams that its title names")]
    NotTheTeams,
    /// The outcomes are not those of such a market.
    #[error("its outcomes do not fit what it asks")]
    WrongOutcomes,
    /// No line where there must be one.
    #[error("it names no line")]
    NoLine,
    /// The question and the field tell different lines, or lines of different teams.
    #[error("its words and its line say different things: {0}")]
    LineDiffers(String),
    /// The question does not say whose line it is.
    #[error("its words do not say whose line it is")]
    WhoseLine,
    /// The points of one team.
    #[error("it is about the points of one team")]
    TeamTotal,
}

/// What an outcome stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Role {
    /// A team, by the outcome's name.
    Team,
    /// More.
    Over,
    /// Fewer.
    Under,
    /// Yes.
    Yes,
    /// No.
    No,
    /// Something else.
    Named,
}

/// One outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContractOutcome {
    /// Its name.
    pub name: String,
    /// Its token; `None` while the market has no book.
    pub token: Option<TokenId>,
    /// What it stands for.
    pub role: Role,
}

/// A market, understood as far as it goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contract {
    /// What it asks.
    pub kind: Kind,
    /// Its outcomes in the order of the tokens.
    pub outcomes: Vec<ContractOutcome>,
    /// The two teams in the order in which the title names them, where it names two.
    pub teams: Option<[String; 2]>,
}

/// Understands a market. `event_title` is that of its event, where it is known.
pub fn classify(market: &GammaMarket, event_title: Option<&str>) -> Contract {
    classify_in(market, event_title, None)
}

/// The same with the table of teams of its league (such as `nba`): an outcome that is called "Twolves" is then known to be
/// the Timberwolves of the title.
pub fn classify_in(market: &GammaMarket, event_title: Option<&str>, table: Option<&str>) -> Contract {
    let text = Words::of(market, event_title, table);
    let kind = text.kind(market).unwrap_or_else(Kind::Other);
    let outcomes = market.outcomes.iter().enumerate().map(|(i, name)| ContractOutcome {
        name: name.clone(),
        token: market.tokens.get(i).cloned(),
        role: role(name, &kind),
    });
    Contract { outcomes: outcomes.collect(), kind, teams: text.teams }
}

fn role(name: &str, kind: &Kind) -> Role {
    match name.to_ascii_lowercase().as_str() {
        "over" => Role::Over,
        "under" => Role::Under,
        "yes" => Role::Yes,
        "no" => Role::No,
        _ if matches!(kind, Kind::Moneyline | Kind::Spread { .. }) => Role::Team,
        _ => Role::Named,
    }
}

/// The two sides of "A vs. B", cleaned of what stands around them.
pub fn teams_of_title(title: &str) -> Option<[String; 2]> {
    let lower = title.to_ascii_lowercase();
    if lower.len() != title.len() {
        return None;
    }
    let (at, len) =
        [" vs. ", " vs ", " v. ", " @ ", " at "].iter().find_map(|w| lower.find(w).map(|at| (at, w.len())))?;
    let (first, second) = (title.get(..at)?, title.get(at + len..)?);
    let first = first.rsplit([':', '?']).next()?.trim();
    let second = second.split([':', '?']).next()?.trim();
    let second = second.split(" - ").next()?.trim();
    let clean = |t: &str| t.split(" (").next().unwrap_or(t).trim().to_owned();
    // "Miami (OH)" keeps its mark, "illwill (BO3)" and "Suns (-6.5)" do not.
    let keep = |t: &str| {
        let mark = t.split_once('(').and_then(|(_, m)| m.strip_suffix(')'));
        let school = mark.is_some_and(|m| m.len() <= 3 && m.bytes().all(|b| b.is_ascii_uppercase()));
        if school { t.to_owned() } else { clean(t) }
    };
    let (first, second) = (keep(first), keep(second));
    (!first.is_empty() && !second.is_empty() && comparable(&first) != comparable(&second)).then_some([first, second])
}

/// Do two names mean the same team of one game? Equal, or the words of one are among the last or first of the other.
pub fn same_team(a: &str, b: &str) -> bool {
    let (a, b) = (comparable(a), comparable(b));
    if a.is_empty() || b.is_empty() {
        return false;
    }
    let within = |long: &str, short: &str| {
        long == short
            || long.strip_suffix(short).is_some_and(|rest| rest.ends_with(' '))
            || long.strip_prefix(short).is_some_and(|rest| rest.starts_with(' '))
    };
    within(&a, &b) || within(&b, &a)
}

/// Which of two teams a name means: the one that is called exactly so ("Michigan" and not "Michigan State"), else the only
/// one whose name it could be short for.
pub fn which(name: &str, teams: [&str; 2]) -> Option<usize> {
    let only = |fits: [bool; 2]| match fits {
        [true, false] => Some(0),
        [false, true] => Some(1),
        _ => None,
    };
    let wanted = comparable(name);
    if wanted.is_empty() {
        return None;
    }
    only(teams.map(|t| comparable(t) == wanted)).or_else(|| only(teams.map(|t| same_team(t, name))))
}

struct Words<'t> {
    table: Option<&'t str>,
    kind: String,
    question: String,
    title: String,
    teams: Option<[String; 2]>,
}

const PERIODS: [(&str, &str); 25] = [
    ("first half", "first_half"),
    ("first_half", "first_half"),
    ("1st half", "first_half"),
    ("1h", "first_half"),
    ("halftime", "first_half"),
    ("second half", "second_half"),
    ("second_half", "second_half"),
    ("2nd half", "second_half"),
    ("2h", "second_half"),
    ("quarter", "quarter"),
    ("1q", "quarter"),
    ("2q", "quarter"),
    ("3q", "quarter"),
    ("4q", "quarter"),
    ("1st period", "period"),
    ("2nd period", "period"),
    ("3rd period", "period"),
    ("first period", "period"),
    ("period", "period"),
    ("first 5 innings", "first_five_innings"),
    ("first five", "first_five_innings"),
    ("f5", "first_five_innings"),
    ("inning", "inning"),
    ("set 1", "set"),
    ("map 1", "map"),
];

const STATS: [&str; 34] = [
    "points",
    "rebounds",
    "assists",
    "steals",
    "blocks",
    "threes",
    "turnovers",
    "pts",
    "reb",
    "ast",
    "stl",
    "blk",
    "3-pointers",
    "strikeouts",
    "hits",
    "home runs",
    "total bases",
    "rbis",
    "touchdown",
    "touchdowns",
    "passing",
    "rushing",
    "receiving",
    "receptions",
    "yards",
    "interceptions",
    "shots",
    "saves",
    "goalscorer",
    "anytime",
    "double-double",
    "triple-double",
    "pra",
    "player",
];

fn has(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let joins = |c: char| c.is_alphanumeric();
        let before = text.get(..at).and_then(|s| s.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|s| s.chars().next());
        !before.is_some_and(joins) && !after.is_some_and(joins)
    })
}

impl<'t> Words<'t> {
    /// As [`which`]; what words do not tell, the table of teams may.
    fn which(&self, name: &str, teams: [&str; 2]) -> Option<usize> {
        which(name, teams).or_else(|| {
            let team = |name: &str| Teams::embedded().resolve(self.table?, name).exact();
            let wanted = team(name)?;
            match teams.map(|t| team(t) == Some(wanted)) {
                [true, false] => Some(0),
                [false, true] => Some(1),
                _ => None,
            }
        })
    }

    fn of(market: &GammaMarket, event_title: Option<&str>, table: Option<&'t str>) -> Self {
        let title = event_title.or_else(|| market.events.iter().find_map(|e| e.title.as_deref())).unwrap_or_default();
        let question = market.question.as_deref().or(market.group_item_title.as_deref()).unwrap_or_default();
        Self {
            table,
            kind: market.sports_market_type.as_deref().unwrap_or_default().to_ascii_lowercase(),
            question: question.to_owned(),
            title: title.to_owned(),
            teams: teams_of_title(title).or_else(|| teams_of_title(question)),
        }
    }

    fn kind(&self, market: &GammaMarket) -> Result<Kind, Doubt> {
        let question = self.question.to_lowercase();
        if market.outcomes.len() != 2 {
            return Err(Doubt::Outcomes(market.outcomes.len()));
        }
        let spoken = question.replace(['-', '–'], " ");
        let period = PERIODS.iter().find(|(word, _)| {
            has(&question, word) || has(&spoken, word) || self.kind.contains(&word.replace(' ', "_"))
        });
        // A prop first: "first half points of a player" is one too.
        if self.is_prop(&question) {
            return Ok(Kind::PlayerProp);
        }
        if let Some((_, period)) = period {
            return Ok(Kind::Period { period });
        }
        match self.kind.as_str() {
            "moneyline" => self.winner(market, &question),
            "spreads" | "spread" => self.spread(market),
            "totals" | "total" => self.total(market, &question),
            "" => self.by_words(market, &question),
            other => Err(Doubt::UnknownType(other.chars().take(60).collect())),
        }
    }

    /// A colon, a statistic behind it, and in front of it nothing that is the game or a word for its total.
    fn is_prop(&self, question: &str) -> bool {
        let typed =
            ["player", "goalscorer", "points", "rebounds", "assists", "strikeouts", "touchdown", "yards", "threes"]
                .iter()
                .any(|w| self.kind.contains(w));
        let Some((before, behind)) = question.split_once(':') else { return typed };
        let of_the_game = teams_of_title(before).is_some()
            || ["spread", "total", "totals", "o/u", "over/under", "game total", "moneyline"].contains(&before.trim());
        typed || (!of_the_game && STATS.iter().any(|stat| has(behind, stat)))
    }

    fn by_words(&self, market: &GammaMarket, question: &str) -> Result<Kind, Doubt> {
        if has(question, "spread") || question.contains("cover ") {
            return self.spread(market);
        }
        if question.contains("o/u") || question.contains("over/under") || question.contains("the total in ") {
            return self.total(market, question);
        }
        let asks_for_the_game = !self.title.is_empty() && comparable(&self.question) == comparable(&self.title);
        if asks_for_the_game || market.neg_risk || (self.title.is_empty() && teams_of_title(&self.question).is_some()) {
            return match self.winner(market, question) {
                Err(Doubt::NotTheTeams | Doubt::WrongOutcomes) if !asks_for_the_game => Err(Doubt::NothingSaid),
                answer => answer,
            };
        }
        Err(Doubt::NothingSaid)
    }

    fn yes_no(market: &GammaMarket) -> bool {
        let is = |i: usize, word: &str| market.outcomes.get(i).is_some_and(|o| o.eq_ignore_ascii_case(word));
        is(0, "yes") && is(1, "no")
    }

    fn winner(&self, market: &GammaMarket, question: &str) -> Result<Kind, Doubt> {
        let Some([first, second]) = &self.teams else { return Err(Doubt::NotTheTeams) };
        if Self::yes_no(market) {
            return self.leg(market, question);
        }
        let [one, two] = market.outcomes.as_slice() else { return Err(Doubt::Outcomes(market.outcomes.len())) };
        match (self.which(one, [first, second]), self.which(two, [first, second])) {
            (Some(a), Some(b)) if a != b => Ok(Kind::Moneyline),
            _ => Err(Doubt::NotTheTeams),
        }
    }

    fn leg(&self, market: &GammaMarket, question: &str) -> Result<Kind, Doubt> {
        let Some(teams) = &self.teams else { return Err(Doubt::NotTheTeams) };
        if !market.neg_risk {
            return Err(Doubt::WrongOutcomes);
        }
        let group = market.group_item_title.as_deref().unwrap_or_default().to_lowercase();
        if question.contains("end in a draw") || question.contains("end in a tie") || group.starts_with("draw") {
            return Ok(Kind::ThreeWayLeg(Leg::Draw));
        }
        let named = question.strip_prefix("will ").and_then(|q| q.split(" win").next().filter(|n| n.len() < q.len()));
        let named = named.map_or(group.as_str(), str::trim);
        let [first, second] = teams;
        match self.which(named, [first, second]) {
            Some(0) => Ok(Kind::ThreeWayLeg(Leg::Team(first.clone()))),
            Some(_) => Ok(Kind::ThreeWayLeg(Leg::Team(second.clone()))),
            None => Err(Doubt::NotTheTeams),
        }
    }

    fn total(&self, market: &GammaMarket, question: &str) -> Result<Kind, Doubt> {
        let is = |word: &str| market.outcomes.iter().any(|o| o.eq_ignore_ascii_case(word));
        let more = question.contains("more than") || question.contains("over ");
        if !(is("over") && is("under") || Self::yes_no(market) && more) {
            return Err(Doubt::WrongOutcomes);
        }
        if let Some((before, _)) = question.split_once(':') {
            let game = teams_of_title(before).is_some()
                || ["total", "totals", "game total", "o/u", "over/under"].contains(&before.trim());
            let one_team = !game && self.teams.iter().flatten().any(|t| same_team(t, before));
            if one_team || question.contains("team total") {
                return Err(Doubt::TeamTotal);
            }
            if !game {
                return Err(Doubt::NothingSaid);
            }
        }
        let words = ["o/u ", "over/under ", "more than ", "over "];
        let said = words.iter().find_map(|w| question.split_once(w).and_then(|(_, rest)| number(rest)));
        let line = agree(said, market.line)?.ok_or(Doubt::NoLine)?;
        check_slug(market, line)?;
        if line.points() <= 0.0 {
            return Err(Doubt::LineDiffers(format!("a total of {}", line.points())));
        }
        Ok(Kind::Total { line })
    }

    fn spread(&self, market: &GammaMarket) -> Result<Kind, Doubt> {
        let [one, two] = market.outcomes.as_slice() else { return Err(Doubt::Outcomes(market.outcomes.len())) };
        if Self::yes_no(market) {
            return self.cover(market);
        }
        let said = signed_names(&self.question);
        if said.is_empty() {
            return Err(if market.line.is_some() { Doubt::WhoseLine } else { Doubt::NoLine });
        }
        let mut line: Option<Line> = None;
        for (name, points) in said {
            let of_first = match self.which(&name, [one, two]) {
                Some(0) => points,
                Some(_) => points.flipped(),
                None => return Err(Doubt::WhoseLine),
            };
            if line.is_some_and(|l| l != of_first) {
                return Err(Doubt::LineDiffers("the two teams' lines do not mirror".to_owned()));
            }
            line = Some(of_first);
        }
        let line = agree(line, market.line)?.ok_or(Doubt::NoLine)?;
        check_slug(market, line)?;
        Ok(Kind::Spread { line, team: one.clone() })
    }

    /// "Will the Dallas cover -10.5 vs the Washington ...?"
    fn cover(&self, market: &GammaMarket) -> Result<Kind, Doubt> {
        let (before, behind) = self.question.split_once(" cover ").ok_or(Doubt::WhoseLine)?;
        let team = before.trim_start_matches("Will ").trim_start_matches("the ").trim();
        let signed = behind.starts_with(['+', '-', '−']);
        let line = number(behind).filter(|_| signed && !team.is_empty()).ok_or(Doubt::WhoseLine)?;
        let line = agree(Some(line), market.line)?.ok_or(Doubt::NoLine)?;
        check_slug(market, line)?;
        Ok(Kind::Spread { line, team: team.to_owned() })
    }
}

/// The number at the beginning of a text, with its sign.
fn number(text: &str) -> Option<Line> {
    let text = text.trim_start().replace('−', "-");
    let end =
        text.char_indices().find(|(i, c)| !(c.is_ascii_digit() || *c == '.' || *i == 0 && matches!(c, '+' | '-')));
    let digits = end.map_or(text.as_str(), |(at, _)| text.get(..at).unwrap_or_default());
    digits.trim_end_matches('.').parse().ok().and_then(Line::from_points)
}

/// All of the form `Name (-6.5)`: a name and a signed number.
fn signed_names(question: &str) -> Vec<(String, Line)> {
    let mut out = Vec::new();
    let mut rest = question;
    while let Some((before, behind)) = rest.split_once('(') {
        let Some((inside, after)) = behind.split_once(')') else { break };
        let signed = inside.trim().starts_with(['+', '-', '−']) || inside.trim() == "0";
        if let (true, Some(points)) = (signed, number(inside)) {
            let name = before.rsplit(':').next().unwrap_or(before);
            let name = name.trim().trim_start_matches("vs. ").trim_start_matches("vs ").trim();
            out.push((name.to_owned(), points));
        }
        rest = after;
    }
    out
}

/// What words and field say together.
fn agree(said: Option<Line>, field: Option<Line>) -> Result<Option<Line>, Doubt> {
    match (said, field) {
        (Some(said), Some(field)) if said != field => {
            Err(Doubt::LineDiffers(format!("{:+} in words, {:+} in the field", said.points(), field.points())))
        }
        (said, field) => Ok(said.or(field)),
    }
}

/// The slug ends with the points of many markets: they must be the same, and so must the sign where it tells one.
fn check_slug(market: &GammaMarket, line: Line) -> Result<(), Doubt> {
    let Some(points) = slug::points(market.slug.as_str()) else { return Ok(()) };
    let same_size = points.size.points() == line.points().abs();
    let same_sign = points.negative.is_none_or(|n| n == (line.points() < 0.0));
    if same_size && same_sign {
        Ok(())
    } else {
        Err(Doubt::LineDiffers(format!("{:+}, and the slug is {}", line.points(), market.slug)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::polymarket::wire::gamma;
    use proptest::prelude::*;

    fn market(json: &str) -> GammaMarket {
        let body = format!(r#"[{{"id":"1","slug":"x",{json}}}]"#);
        gamma::markets(body.as_bytes()).expect("json").read.items.remove(0)
    }

    fn kind(kind: &str, question: &str, outcomes: &str, line: &str) -> Kind {
        let kind = if kind.is_empty() { "null".to_owned() } else { format!("\"{kind}\"") };
        let m = market(&format!(
            r#""sportsMarketType":{kind},"question":"{question}","outcomes":{outcomes},"line":{line}"#
        ));
        classify(&m, Some("Lakers vs. Suns")).kind
    }

    const TEAMS: &str = r#"["Lakers","Suns"]"#;
    const SIDES: &str = r#"["Over","Under"]"#;

    fn line(points: f64) -> Line {
        Line::from_points(points).unwrap()
    }

    #[test]
    fn winners_spreads_and_totals() {
        assert_eq!(kind("moneyline", "Lakers vs. Suns", TEAMS, "null"), Kind::Moneyline);
        assert_eq!(kind("", "Lakers vs. Suns", TEAMS, "null"), Kind::Moneyline);
        assert_eq!(
            kind("moneyline", "Lakers vs. Suns", r#"["Los Angeles Lakers","Phoenix Suns"]"#, "null"),
            Kind::Moneyline
        );
        let lakers = Kind::Spread { line: line(-6.5), team: "Lakers".into() };
        assert_eq!(kind("spreads", "Spread: Lakers (-6.5)", TEAMS, "-6.5"), lakers);
        assert_eq!(kind("", "Spread: Lakers (-6.5)", TEAMS, "null"), lakers);
        assert_eq!(kind("spreads", "Lakers (-6.5) vs Suns (+6.5)", TEAMS, "-6.5"), lakers);
        // The words name the second team; seen from the first it is the other sign.
        let michigan =
            market(r#""sportsMarketType":"moneyline","question":"x","outcomes":["Michigan","Michigan State"]"#);
        assert_eq!(classify(&michigan, Some("Michigan vs. Michigan State")).kind, Kind::Moneyline);
        let six = Kind::Spread { line: line(6.5), team: "Lakers".into() };
        assert_eq!(kind("spreads", "Spread: Suns (-6.5)", TEAMS, "null"), six);
        assert_eq!(kind("totals", "Lakers vs. Suns: O/U 220.5", SIDES, "220.5"), Kind::Total { line: line(220.5) });
        assert_eq!(kind("", "Lakers vs. Suns: O/U 220.5", SIDES, "null"), Kind::Total { line: line(220.5) });
        assert_eq!(kind("totals", "O/U 220", SIDES, "220"), Kind::Total { line: line(220.0) });
    }

    #[test]
    fn props_and_periods_are_no_game_lines() {
        assert_eq!(kind("", "LeBron James: Points O/U 25.5", SIDES, "25.5"), Kind::PlayerProp);
        assert_eq!(kind("totals", "LeBron James: Points O/U 25.5", SIDES, "25.5"), Kind::PlayerProp);
        assert_eq!(kind("points", "LeBron James Over 25.5", SIDES, "25.5"), Kind::PlayerProp);
        for question in ["Lakers vs. Suns: 1H O/U 110.5", "1st Half Total: O/U 110.5", "First-half O/U 110.5"] {
            assert_eq!(kind("totals", question, SIDES, "110.5"), Kind::Period { period: "first_half" }, "{question}");
        }
        assert!(matches!(kind("first_half_moneyline", "Lakers vs. Suns", TEAMS, "null"), Kind::Period { .. }));
        assert!(matches!(kind("spreads", "1H Spread: Lakers (-3.5)", TEAMS, "-3.5"), Kind::Period { .. }));
    }

    #[test]
    fn doubt_is_told_and_nothing_guessed() {
        let doubt = |k: Kind| match k {
            Kind::Other(why) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(doubt(kind("spreads", "Lakers vs. Suns", TEAMS, "-6.5")), Doubt::WhoseLine);
        assert!(matches!(doubt(kind("spreads", "Spread: Lakers (-6.5)", TEAMS, "6.5")), Doubt::LineDiffers(_)));
        // The field is that of outcome 0; here the words give it to outcome 1.
        assert!(matches!(doubt(kind("spreads", "Spread: Suns (-6.5)", TEAMS, "-6.5")), Doubt::LineDiffers(_)));
        assert_eq!(doubt(kind("spreads", "Spread: Kings (-6.5)", TEAMS, "-6.5")), Doubt::WhoseLine);
        assert!(matches!(doubt(kind("spreads", "Lakers (-6.5) vs Suns (-6.5)", TEAMS, "-6.5")), Doubt::LineDiffers(_)));
        assert_eq!(doubt(kind("totals", "Lakers: O/U 110.5", SIDES, "110.5")), Doubt::TeamTotal);
        assert!(matches!(doubt(kind("totals", "Lakers vs. Suns: O/U 220.5", SIDES, "221.5")), Doubt::LineDiffers(_)));
        assert_eq!(doubt(kind("totals", "Lakers vs. Suns: O/U 220.5", TEAMS, "220.5")), Doubt::WrongOutcomes);
        assert_eq!(doubt(kind("moneyline", "Lakers vs. Suns", r#"["Kings","Nets"]"#, "null")), Doubt::NotTheTeams);
        assert_eq!(doubt(kind("moneyline", "Lakers vs. Suns", r#"["Yes","No"]"#, "null")), Doubt::WrongOutcomes);
        assert_eq!(doubt(kind("", "Will it rain?", r#"["Yes","No"]"#, "null")), Doubt::NothingSaid);
        assert!(matches!(
            doubt(kind("map_handicap", "Lakers (-1.5) vs Suns (+1.5)", TEAMS, "-1.5")),
            Doubt::UnknownType(_)
        ));
        assert_eq!(doubt(kind("moneyline", "Lakers vs. Suns", r#"["A","B","C"]"#, "null")), Doubt::Outcomes(3));
    }

    #[test]
    fn soccer_is_three_markets() {
        let leg = |question: &str, group: &str| {
            let m = market(&format!(
                r#""sportsMarketType":"moneyline","question":"{question}","groupItemTitle":"{group}","outcomes":["Yes","No"],"negRisk":true"#
            ));
            classify(&m, Some("Arsenal FC vs. Chelsea FC")).kind
        };
        assert_eq!(
            leg("Will Arsenal FC win on 2026-11-21?", "Arsenal FC"),
            Kind::ThreeWayLeg(Leg::Team("Arsenal FC".into()))
        );
        assert_eq!(
            leg("Will Arsenal FC vs. Chelsea FC end in a draw?", "Draw (Arsenal FC vs. Chelsea FC)"),
            Kind::ThreeWayLeg(Leg::Draw)
        );
        assert_eq!(leg("Will Everton win?", "Everton"), Kind::Other(Doubt::NotTheTeams));
    }

    #[test]
    fn the_yes_and_no_of_covering() {
        let m = |slug: &str, question: &str| {
            let body = format!(r#"[{{"id":"1","slug":"{slug}","question":"{question}","outcomes":["Yes","No"]}}]"#);
            classify(&gamma::markets(body.as_bytes()).expect("json").read.items.remove(0), None).kind
        };
        let q = "Will the Dallas cover -10.5 vs the Washington in DAL vs WSH?";
        assert_eq!(
            m("asc-wnba-dal-wsh-2026-08-05-neg-10pt5", q),
            Kind::Spread { line: line(-10.5), team: "Dallas".into() }
        );
        assert!(matches!(m("asc-wnba-dal-wsh-2026-08-05-pos-10pt5", q), Kind::Other(Doubt::LineDiffers(_))));
        let total = "Will the total in TOR vs GSV be more than 179.5?";
        assert_eq!(m("tsc-wnba-tor-gsv-2026-08-04-179pt5", total), Kind::Total { line: line(179.5) });
    }

    proptest! {
        #[test]
        fn any_words_are_survived(question in "(Spread|O/U|vs|:|\\(|\\)|-6.5|Lakers|Suns| |\\PC){0,12}", line in proptest::option::of(-300.0f64..300.0)) {
            let mut m = market(r#""outcomes":["Lakers","Suns"]"#);
            m.question = Some(question);
            m.line = line.and_then(Line::from_points);
            let _ = classify(&m, Some("Lakers vs. Suns"));
        }
    }
}
