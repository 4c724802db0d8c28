//! Which game of the sportsbooks a listing is.
//!
//! Owns the decision, as a pure function of the listing and the candidates: the same pair of teams, the same local day,
//! starts that are close, and nobody else. What is certain is linked; what is likely is put before a person with the
//! reasons; what is neither is nothing. The first of several is never taken for being the first.

use std::fmt;

use chrono::NaiveDate;

use super::classify::same_team;
use super::leagues;
use super::slug::GameSlug;
use crate::market::sports::{Sport, Sports};
use crate::market::teams::name::comparable;
use crate::market::teams::{TeamRef, Teams};
use crate::market::time::Timestamp;

/// A game that the sportsbooks have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The caller's id; handed back as it came.
    pub id: String,
    /// Sport key.
    pub sport: String,
    /// Home team.
    pub home: String,
    /// Away team.
    pub away: String,
    /// Scheduled start.
    pub commence: Timestamp,
}

/// What is known about a game of Polymarket.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Game {
    /// Sport key.
    pub sport: String,
    /// The names of both teams, in the order in which its slug or title names them.
    pub names: Option<[String; 2]>,
    /// The codes of both teams, in the same order.
    pub codes: Option<[String; 2]>,
    /// The league's local date.
    pub date: Option<NaiveDate>,
    /// Scheduled start. Never the day on which trading opened.
    pub start: Option<Timestamp>,
}

impl Game {
    /// What a slug alone says; `None` when it is not of a game of a league that we follow.
    pub fn of_slug(slug: &str) -> Option<Self> {
        let slug = GameSlug::parse(slug)?;
        Some(Self {
            sport: leagues::sport_key(&slug.league)?.to_owned(),
            names: None,
            codes: slug.pair().map(|(a, b)| [a.to_owned(), b.to_owned()]),
            date: Some(slug.date),
            start: None,
        })
    }
}

/// Something that speaks for or against a match.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    /// Both teams' names mean the teams of the event.
    NamesMean(String, String),
    /// Both codes of the slug mean the teams of the event.
    CodesMean(String, String),
    /// The names mean them, the codes mean somebody else.
    CodesDisagree(String, String),
    /// Nothing but codes, in a league whose codes are not reliable.
    CodesOnly,
    /// Only one of the teams is surely the same.
    OneTeamOnly(String),
    /// The local day is the same.
    SameDay(NaiveDate),
    /// The listing is dated by the day in UTC, as some were in November 2025.
    SameDayInUtc(NaiveDate),
    /// The local day is another.
    OtherDay {
        /// The day in the slug.
        listed: NaiveDate,
        /// The day of the event.
        event: NaiveDate,
    },
    /// The slug tells no day.
    NoDay,
    /// Starts are so many minutes apart.
    StartApart(i64),
    /// Starts are too many minutes apart.
    StartFar(i64),
    /// The listing tells no start.
    NoStart,
    /// Home and away are the other way round.
    Swapped,
    /// So many games of this pair could be meant.
    Several(usize),
    /// No other game of this pair could be meant.
    Unique,
}

impl Why {
    /// Speaks against the match.
    pub const fn is_doubt(&self) -> bool {
        matches!(
            self,
            Self::CodesDisagree(..)
                | Self::CodesOnly
                | Self::OneTeamOnly(_)
                | Self::OtherDay { .. }
                | Self::NoDay
                | Self::StartFar(_)
                | Self::Several(_)
        )
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NamesMean(a, b) => write!(f, "the names mean {a} and {b}"),
            Self::CodesMean(a, b) => write!(f, "the codes mean {a} and {b}"),
            Self::CodesDisagree(a, b) => write!(f, "the codes {a} and {b} mean other teams than the names"),
            Self::CodesOnly => f.write_str("only codes name the teams, and this league's codes are not reliable"),
            Self::OneTeamOnly(a) => write!(f, "only {a} is surely the same team"),
            Self::SameDay(day) => write!(f, "both are of {day} in the league's own zone"),
            Self::SameDayInUtc(day) => write!(f, "the listing's {day} is the day in UTC"),
            Self::OtherDay { listed, event } => write!(f, "listed for {listed}, the event is of {event}"),
            Self::NoDay => f.write_str("the listing tells no day"),
            Self::StartApart(m) => write!(f, "starts are {m} min apart"),
            Self::StartFar(m) => write!(f, "starts are {m} min apart, too far for one game"),
            Self::NoStart => f.write_str("the listing tells no start"),
            Self::Swapped => f.write_str("home and away are the other way round"),
            Self::Several(n) => write!(f, "{n} games of this pair could be meant"),
            Self::Unique => f.write_str("no other game of this pair could be meant"),
        }
    }
}

/// A game that could be meant.
#[derive(Clone, PartialEq, Debug)]
pub struct Proposal {
    /// The candidate's id.
    pub event: String,
    /// Which of the two teams of the listing plays at home: 0 or 1. `None` when that is not sure.
    pub home_outcome: Option<usize>,
    /// 0 to 1.
    pub confidence: f64,
    /// What speaks for and against it.
    pub reasons: Vec<Why>,
}

/// Why nothing matches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unmatched {
    /// A league that we do not follow.
    NoSport,
    /// The listing names no two teams that we know.
    UnknownTeams,
    /// The books have no game of this sport.
    NoGames,
    /// The books have no game of these teams near that time.
    NoSuchGame,
}

impl Unmatched {
    /// For a person.
    pub const fn text(self) -> &'static str {
        match self {
            Self::NoSport => "its league is not followed",
            Self::UnknownTeams => "it names no two teams that are known",
            Self::NoGames => "the books have no game of this sport",
            Self::NoSuchGame => "the books have no game of these teams near that time",
        }
    }
}

/// The decision.
#[derive(Clone, PartialEq, Debug)]
pub enum Match {
    /// This one, without doubt.
    Certain {
        /// The candidate's id.
        event: String,
        /// Which of the two teams of the listing plays at home: 0 or 1.
        home_outcome: usize,
        /// 0 to 1.
        confidence: f64,
        /// What speaks for it.
        reasons: Vec<Why>,
    },
    /// One of these, or none: a person decides. The likeliest first.
    Review(Vec<Proposal>),
    /// None.
    None(Unmatched),
}

/// A team of the listing, as far as it is known.
struct Known {
    name: Option<TeamRef>,
    code: Option<TeamRef>,
    said: String,
}

impl Known {
    fn team(&self) -> Option<TeamRef> {
        self.name.or(self.code)
    }
}

/// What one candidate is to the listing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pairing {
    /// Both teams; the number of the one at home.
    Both(usize),
    /// Surely one of them.
    One(usize),
    Neither,
}

/// Finds the game of a listing among candidates of any sports.
pub fn find(game: &Game, candidates: &[Candidate], sports: &Sports, teams: &Teams) -> Match {
    if game.sport.is_empty() {
        return Match::None(Unmatched::NoSport);
    }
    let sport = sports.resolve(&game.sport);
    let known = known(game, &sport, teams);
    let known = match &known {
        Some(known) => known,
        None => return Match::None(Unmatched::UnknownTeams),
    };
    let mut of_sport = candidates.iter().filter(|c| plays(&sport, c, sports)).peekable();
    if of_sport.peek().is_none() {
        return Match::None(Unmatched::NoGames);
    }
    let mut both: Vec<(&Candidate, usize)> = Vec::new();
    let mut one: Vec<(&Candidate, usize)> = Vec::new();
    for candidate in of_sport {
        match pairing(known, candidate, &sport, teams) {
            Pairing::Both(home) => both.push((candidate, home)),
            Pairing::One(which) => one.push((candidate, which)),
            Pairing::Neither => {}
        }
    }
    both.sort_by(|a, b| (a.0.commence, &a.0.id).cmp(&(b.0.commence, &b.0.id)));
    if both.is_empty() {
        return half_known(game, &sport, known, &one);
    }
    decide(game, &sport, known, &both, teams)
}

/// The same league, a preseason or tournament of it included.
fn plays(sport: &Sport, candidate: &Candidate, sports: &Sports) -> bool {
    candidate.sport == sport.key || {
        let other = sports.resolve(&candidate.sport);
        // NCAA has one table for all its sports: the group tells them apart, and the women's from the men's the key.
        matches!(&other.origin, crate::market::sports::Origin::Variant { base, .. } if *base == sport.key)
            && !other.outright
    }
}

fn known(game: &Game, sport: &Sport, teams: &Teams) -> Option<[Known; 2]> {
    let of = |i: usize| -> Option<Known> {
        let name = game.names.as_ref().and_then(|n| n.get(i));
        let code = game.codes.as_ref().and_then(|c| c.get(i));
        let by_code = code.and_then(|code| {
            // Where names are told, codes that prove nothing are not heard.
            let heard = game.names.is_none() || !unreliable_codes(sport);
            let name = leagues::team_of_code(&sport.teams, code).filter(|_| heard).or(heard.then_some(code))?;
            teams.resolve(&sport.teams, name).exact()
        });
        let by_name = name.and_then(|name| teams.resolve(&sport.teams, name).exact());
        let said = name.or(code)?.clone();
        Some(Known { name: by_name, code: by_code, said })
    };
    let (mut first, mut second) = (of(0)?, of(1)?);
    // Names and codes may stand in different orders; the names' order is the one that counts.
    if first.name.is_some() && first.name == second.code && (second.name.is_none() || second.name == first.code) {
        std::mem::swap(&mut first.code, &mut second.code);
    }
    let nameless = game.names.is_none() && (first.code.is_none() || second.code.is_none());
    let same = first.team().is_some() && first.team() == second.team();
    (!nameless && !same).then_some([first, second])
}

/// Colleges: their codes mean other schools elsewhere ("arst" is Arizona State here).
fn unreliable_codes(sport: &Sport) -> bool {
    sport.teams == "ncaa"
}

/// The words of clubs that one source writes and another does not.
fn club(name: &str) -> String {
    let plain = comparable(name);
    let words = plain.split(' ').filter(|w| !matches!(*w, "fc" | "afc" | "cf" | "sc" | "ac" | "cd" | "fk" | "club"));
    words.collect::<Vec<_>>().join(" ")
}

/// Is this team of the listing that of a candidate?
fn is(known: &Known, other: &str, sport: &Sport, teams: &Teams) -> bool {
    match (known.team(), teams.resolve(&sport.teams, other).exact()) {
        (Some(ours), Some(theirs)) => ours == theirs,
        // One of them is in no table: only the same words will do.
        _ => {
            let (a, b) = (club(&known.said), club(other));
            !a.is_empty() && a == b
        }
    }
}

fn pairing(known: &[Known; 2], candidate: &Candidate, sport: &Sport, teams: &Teams) -> Pairing {
    let [first, second] = known;
    let at = |k: &Known, name: &str| is(k, name, sport, teams);
    let (first_home, first_away) = (at(first, &candidate.home), at(first, &candidate.away));
    let (second_home, second_away) = (at(second, &candidate.home), at(second, &candidate.away));
    match (first_away && second_home, first_home && second_away) {
        (true, false) => Pairing::Both(1),
        (false, true) => Pairing::Both(0),
        // Both ways at once: the names are too alike to tell.
        (true, true) => Pairing::Neither,
        (false, false) if first_home || first_away => Pairing::One(0),
        (false, false) if second_home || second_away => Pairing::One(1),
        (false, false) => Pairing::Neither,
    }
}

/// Only one team is known: a person may see what we cannot, if the other's name could be the same.
fn half_known(game: &Game, sport: &Sport, known: &[Known; 2], one: &[(&Candidate, usize)]) -> Match {
    let proposals: Vec<Proposal> = one
        .iter()
        .filter(|(c, _)| near(game, sport, c))
        .filter_map(|(c, which)| {
            let (sure, other) = (known.get(*which)?, known.get(1 - *which)?);
            // A team that is in our tables and is not this one is somebody else.
            let open = other.team().is_none();
            let alike = same_team(&other.said, &c.home) || same_team(&other.said, &c.away);
            (open || alike).then(|| Proposal {
                event: c.id.clone(),
                home_outcome: None,
                confidence: 0.3,
                reasons: vec![Why::OneTeamOnly(sure.said.clone())],
            })
        })
        .collect();
    if proposals.is_empty() { Match::None(Unmatched::NoSuchGame) } else { Match::Review(proposals) }
}

/// Close enough to be worth a look: two days, by whichever of date and start is known.
fn near(game: &Game, sport: &Sport, candidate: &Candidate) -> bool {
    const TWO_DAYS: i64 = 2 * 86_400_000;
    let by_day = game.date.map(|d| (d - sport.clock.day_of(candidate.commence)).num_days().abs() <= 2);
    let by_start = game.start.map(|s| s.since(candidate.commence).abs() <= TWO_DAYS);
    by_day.or(by_start).unwrap_or(false)
}

fn minutes(a: Timestamp, b: Timestamp) -> i64 {
    a.since(b).abs() / 60_000
}

fn decide(game: &Game, sport: &Sport, known: &[Known; 2], both: &[(&Candidate, usize)], teams: &Teams) -> Match {
    let near: Vec<(&Candidate, usize)> = both.iter().copied().filter(|(c, _)| near(game, sport, c)).collect();
    if near.is_empty() {
        return Match::None(Unmatched::NoSuchGame);
    }
    let start = scheduled(game, sport);
    let window = i64::from(sport.window.minutes);
    let of_start = |c: &Candidate| start.is_some_and(|s| minutes(s, c.commence) <= window);
    let of_day = |c: &Candidate| game.date.is_some_and(|d| sport.clock.day_of(c.commence) == d);
    // A start that is told says more than the day in the slug; of two games on a day only the start can say which.
    let by_start: Vec<(&Candidate, usize)> = near.iter().copied().filter(|(c, _)| of_start(c)).collect();
    let on_day: Vec<(&Candidate, usize)> = near.iter().copied().filter(|(c, _)| of_day(c)).collect();
    let list = [&by_start, &on_day, &near].into_iter().find(|l| !l.is_empty()).unwrap_or(&near);
    let meant = match (list.as_slice(), start) {
        ([only], _) => Some(*only),
        (several, Some(start)) => clearly_nearest(several, start),
        (_, None) => None,
    };
    let rivals = list.len();
    let Some((candidate, home)) = meant else {
        return review(game, sport, known, list, rivals, teams);
    };
    let mut reasons = reasons(game, sport, known, candidate, home, teams);
    if rivals == 1 {
        reasons.push(Why::Unique);
    }
    if reasons.iter().any(Why::is_doubt) {
        return review(game, sport, known, &[(candidate, home)], rivals, teams);
    }
    let confidence = confidence(&reasons);
    Match::Certain { event: candidate.id.clone(), home_outcome: home, confidence, reasons }
}

/// The start, unless it is local midnight, which stands for a time not yet set.
fn scheduled(game: &Game, sport: &Sport) -> Option<Timestamp> {
    use chrono::{TimeZone, Timelike};
    game.start.filter(|start| {
        let local = sport.clock.zone().from_utc_datetime(&start.to_chrono().naive_utc());
        (local.hour(), local.minute()) != (0, 0)
    })
}

/// The one whose start is nearest, if the next one is at least an hour further away.
fn clearly_nearest<'c>(several: &[(&'c Candidate, usize)], start: Timestamp) -> Option<(&'c Candidate, usize)> {
    let mut by_distance: Vec<_> = several.iter().map(|s| (minutes(s.0.commence, start), *s)).collect();
    by_distance.sort_by(|a, b| (a.0, &a.1.0.id).cmp(&(b.0, &b.1.0.id)));
    let (nearest, next) = (by_distance.first()?, by_distance.get(1)?);
    (next.0 - nearest.0 >= 60).then_some(nearest.1)
}

fn reasons(
    game: &Game,
    sport: &Sport,
    known: &[Known; 2],
    candidate: &Candidate,
    home: usize,
    teams: &Teams,
) -> Vec<Why> {
    let [first, second] = known;
    let name = |team: Option<TeamRef>, said: &str| {
        team.and_then(|t| teams.get(t)).map_or_else(|| said.to_owned(), |t| t.name.clone())
    };
    let (a, b) = (name(first.team(), &first.said), name(second.team(), &second.said));
    let mut out = Vec::new();
    if game.names.is_some() {
        out.push(Why::NamesMean(a, b));
        let differs = |k: &Known| matches!((k.name, k.code), (Some(name), Some(code)) if name != code);
        if (differs(first) || differs(second))
            && let Some([a, b]) = &game.codes
        {
            out.push(Why::CodesDisagree(a.clone(), b.clone()));
        }
    } else {
        out.push(Why::CodesMean(a, b));
        if unreliable_codes(sport) {
            out.push(Why::CodesOnly);
        }
    }
    let event = sport.clock.day_of(candidate.commence);
    let start = scheduled(game, sport);
    let in_utc = start.map(|s| s.to_chrono().date_naive());
    out.push(match game.date {
        Some(listed) if listed == event => Why::SameDay(event),
        Some(listed) if in_utc == Some(listed) && start.is_some_and(|s| minutes(s, candidate.commence) <= 60) => {
            Why::SameDayInUtc(listed)
        }
        Some(listed) => Why::OtherDay { listed, event },
        None => Why::NoDay,
    });
    out.push(match start.map(|s| minutes(s, candidate.commence)) {
        Some(apart) if apart <= i64::from(sport.window.minutes) => Why::StartApart(apart),
        Some(apart) => Why::StartFar(apart),
        None => Why::NoStart,
    });
    // US slugs name the away team first; soccer's name the home team first.
    if (home == 0) != sport.three_way {
        out.push(Why::Swapped);
    }
    out
}

fn confidence(reasons: &[Why]) -> f64 {
    let lost: f64 = reasons
        .iter()
        .map(|why| match why {
            Why::CodesMean(..) => 0.03,
            Why::NoStart => 0.04,
            Why::Swapped => 0.03,
            Why::StartApart(minutes) if *minutes > 30 => 0.03,
            Why::NoDay | Why::Several(_) => 0.3,
            Why::SameDayInUtc(_) => 0.03,
            Why::OtherDay { .. } | Why::StartFar(_) | Why::CodesDisagree(..) | Why::CodesOnly => 0.4,
            Why::OneTeamOnly(_) => 0.6,
            _ => 0.0,
        })
        .sum();
    (0.99 - lost).max(0.05)
}

fn review(
    game: &Game,
    sport: &Sport,
    known: &[Known; 2],
    list: &[(&Candidate, usize)],
    rivals: usize,
    teams: &Teams,
) -> Match {
    let mut proposals: Vec<Proposal> = list
        .iter()
        .map(|(candidate, home)| {
            let mut reasons = reasons(game, sport, known, candidate, *home, teams);
            if rivals > 1 {
                reasons.push(Why::Several(rivals));
            }
            let confidence = confidence(&reasons);
            Proposal { event: candidate.id.clone(), home_outcome: Some(*home), confidence, reasons }
        })
        .collect();
    proposals.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then_with(|| a.event.cmp(&b.event)));
    Match::Review(proposals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn candidate(id: &str, sport: &str, away: &str, home: &str, start: &str) -> Candidate {
        let (sport, home, away) = (sport.to_owned(), home.to_owned(), away.to_owned());
        Candidate { id: id.to_owned(), sport, home, away, commence: at(start) }
    }

    fn decide(game: &Game, candidates: &[Candidate]) -> Match {
        find(game, candidates, Sports::embedded(), Teams::embedded())
    }

    fn certain(game: &Game, candidates: &[Candidate]) -> (String, usize) {
        match decide(game, candidates) {
            Match::Certain { event, home_outcome, .. } => (event, home_outcome),
            other => panic!("{other:?}"),
        }
    }

    fn named(slug: &str, names: [&str; 2], start: Option<&str>) -> Game {
        Game { names: Some(names.map(str::to_owned)), start: start.map(at), ..Game::of_slug(slug).expect("slug") }
    }

    const NBA: &str = "basketball_nba";

    #[test]
    fn an_evening_game_is_of_the_day_before_in_utc() {
        let list = [
            candidate("a", NBA, "Golden State Warriors", "Phoenix Suns", "2026-02-06T03:00:00Z"),
            candidate("b", NBA, "Golden State Warriors", "Phoenix Suns", "2026-03-06T03:00:00Z"),
            candidate("c", NBA, "Golden State Warriors", "Los Angeles Lakers", "2026-02-06T03:00:00Z"),
        ];
        let game = named("nba-gsw-phx-2026-02-05", ["Warriors", "Suns"], Some("2026-02-06T03:00:00Z"));
        assert_eq!(certain(&game, &list), ("a".into(), 1));
        assert_eq!(certain(&Game::of_slug("nba-gsw-phx-2026-02-05").unwrap(), &list), ("a".into(), 1));
        // The order of the candidates changes nothing.
        let mut turned = list.clone();
        turned.reverse();
        assert_eq!(decide(&game, &list), decide(&game, &turned));
    }

    #[test]
    fn home_is_found_by_name() {
        let list = [candidate("a", NBA, "Phoenix Suns", "Golden State Warriors", "2026-02-06T03:00:00Z")];
        let game = named("nba-gsw-phx-2026-02-05", ["Warriors", "Suns"], Some("2026-02-06T03:00:00Z"));
        assert_eq!(certain(&game, &list), ("a".into(), 0));
        let Match::Certain { reasons, .. } = decide(&game, &list) else { panic!() };
        assert!(reasons.contains(&Why::Swapped));
    }

    #[test]
    fn a_doubleheader_is_decided_by_the_start_or_by_a_person() {
        let mlb = "baseball_mlb";
        let list = [
            candidate("one", mlb, "New York Mets", "Cleveland Guardians", "2026-08-04T17:10:00Z"),
            candidate("two", mlb, "New York Mets", "Cleveland Guardians", "2026-08-04T22:40:00Z"),
        ];
        let game = named("mlb-nym-cle-2026-08-04", ["Mets", "Guardians"], Some("2026-08-04T22:41:00Z"));
        assert_eq!(certain(&game, &list).0, "two");
        let Match::Review(two) = decide(&Game { start: None, ..game.clone() }, &list) else { panic!() };
        assert_eq!(two.len(), 2);
        assert!(two.iter().all(|p| p.reasons.contains(&Why::Several(2))));
        // In the middle of both nobody knows.
        let middle = Game { start: Some(at("2026-08-04T19:55:00Z")), ..game.clone() };
        assert!(matches!(decide(&middle, &list), Match::Review(_)));
        // Only the first of both is on sale, and the listing is of the second.
        assert!(matches!(decide(&game, &list[..1]), Match::Review(_)));
    }

    #[test]
    fn a_day_in_utc_and_a_time_not_yet_set_are_understood() {
        let list = [
            candidate("a", NBA, "Atlanta Hawks", "Los Angeles Clippers", "2025-11-11T03:30:00Z"),
            candidate("b", NBA, "Atlanta Hawks", "Los Angeles Clippers", "2025-11-12T03:30:00Z"),
        ];
        let game = named("nba-atl-lac-2025-11-11", ["Hawks", "Clippers"], Some("2025-11-11T03:30:00Z"));
        assert_eq!(certain(&game, &list).0, "a", "the start says more than the slug");
        let list = [candidate("c", NBA, "Atlanta Hawks", "Los Angeles Clippers", "2026-01-04T20:30:00Z")];
        let game = named("nba-atl-lac-2026-01-04", ["Hawks", "Clippers"], Some("2026-01-04T05:00:00Z"));
        let Match::Certain { reasons, .. } = decide(&game, &list) else { panic!() };
        assert!(reasons.contains(&Why::NoStart));
    }

    #[test]
    fn colleges_are_found_by_name_and_not_by_code() {
        let ncaab = "basketball_ncaab";
        let list = [candidate("a", ncaab, "Arizona State Sun Devils", "Arizona Wildcats", "2025-03-05T02:00:00Z")];
        let game = named("cbb-arst-ariz-2025-03-04", ["Arizona State", "Arizona"], Some("2025-03-05T02:00:00Z"));
        assert_eq!(certain(&game, &list), ("a".into(), 1));
        let list = [candidate("b", ncaab, "Duke Blue Devils", "Houston Cougars", "2025-04-06T00:49:00Z")];
        let Match::Review(one) = decide(&Game::of_slug("cbb-duke-hou-2025-04-05").unwrap(), &list) else { panic!() };
        assert!(one[0].reasons.contains(&Why::CodesOnly));
    }

    #[test]
    fn a_series_on_several_days_is_told_apart_by_the_day() {
        let mlb = "baseball_mlb";
        let list: Vec<Candidate> = (3..7)
            .map(|d| {
                candidate(
                    &d.to_string(),
                    mlb,
                    "San Diego Padres",
                    "Arizona Diamondbacks",
                    &format!("2026-08-0{}T01:41:00Z", d + 1),
                )
            })
            .collect();
        for day in 3..7 {
            let game = Game::of_slug(&format!("aec-mlb-sd-az-2026-08-0{day}")).unwrap();
            assert_eq!(certain(&game, &list), (day.to_string(), 1));
        }
        let game = Game::of_slug("aec-mlb-sd-az-2026-08-07").unwrap();
        let Match::Review(near) = decide(&game, &list) else { panic!() };
        assert!(near.iter().all(|p| p.reasons.iter().any(|r| matches!(r, Why::OtherDay { .. }))));
    }

    #[test]
    fn what_is_not_there_is_not_matched() {
        let list = [candidate("a", NBA, "Boston Celtics", "Miami Heat", "2026-02-06T00:00:00Z")];
        let none = |slug: &str, list: &[Candidate]| match decide(&Game::of_slug(slug).unwrap(), list) {
            Match::None(why) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(none("nba-gsw-phx-2026-02-05", &list), Unmatched::NoSuchGame);
        assert_eq!(none("nba-bos-phx-2026-02-05", &list), Unmatched::NoSuchGame);
        assert_eq!(none("wnba-atl-chi-2026-02-05", &list), Unmatched::NoGames);
        assert_eq!(none("nba-xxx-yyy-2026-02-05", &list), Unmatched::UnknownTeams);
        assert_eq!(none("nba-bos-mia-2026-01-01", &list), Unmatched::NoSuchGame);
        assert_eq!(Game::of_slug("cs2-faze-ill-2026-04-05"), None);
        assert_eq!(decide(&Game::default(), &list), Match::None(Unmatched::NoSport));
    }

    #[test]
    fn names_and_codes_that_disagree_go_to_a_person() {
        let list = [candidate("a", NBA, "Boston Celtics", "Miami Heat", "2026-02-06T00:00:00Z")];
        let game = named("nba-bkn-mia-2026-02-05", ["Celtics", "Heat"], None);
        let Match::Review(one) = decide(&game, &list) else { panic!() };
        assert!(one[0].reasons.iter().any(|r| matches!(r, Why::CodesDisagree(..))));
    }

    #[test]
    fn clubs_without_a_table_are_compared_by_their_words() {
        let epl = "soccer_epl";
        let list = [
            candidate("a", epl, "Chelsea", "Arsenal", "2026-11-21T15:00:00Z"),
            candidate("b", epl, "Manchester City", "Everton", "2026-11-21T15:00:00Z"),
        ];
        let game = named("epl-ars-che-2026-11-21", ["Arsenal FC", "Chelsea FC"], Some("2026-11-21T15:00:00Z"));
        assert_eq!(certain(&game, &list), ("a".into(), 0));
        let game = named("epl-mun-eve-2026-11-21", ["Manchester United FC", "Everton FC"], None);
        assert!(matches!(decide(&game, &list), Match::Review(_)));
    }
}
