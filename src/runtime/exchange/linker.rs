//! Which of our games each listing is: what a person has said, else what the rules of matching find, else a question.
//!
//! Pure: listings, games, decisions and earlier links come in as values. A link that stands is not lost because the listing
//! or the game is missing for a while; another game is never put in its place without a person.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::feeds::polymarket::classify::same_team;
use crate::feeds::polymarket::matching::{Candidate, Game, Match, find};
use crate::market::ids::EventId;
use crate::market::sports::Sports;
use crate::market::teams::Teams;
use crate::market::time::Timestamp;
use crate::store::credit::GameRow;
use crate::store::desk::ExchangeDecision;
use crate::store::exchange::{Link, LinkHow, LinkState};

/// A listing, as linking knows it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Listed {
    pub(crate) id: i64,
    /// The exchange's own number: several listings may share a name.
    pub(crate) key: String,
    pub(crate) slug: String,
    pub(crate) game: Game,
}

/// A candidate of a review, as it stands in [`Link::reasons`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReviewCandidate {
    /// Our number of the game.
    pub event: u32,
    /// Its id at the source.
    pub provider_id: String,
    /// Home and away.
    pub teams: [String; 2],
    /// Its start.
    pub commence: Timestamp,
    /// From 0 to 1.
    pub confidence: f64,
    /// What speaks for it and against it.
    pub reasons: Vec<String>,
}

/// A game of ours with its sport.
pub(crate) type Ours = (String, GameRow);

/// Links everything anew. Answers the links that are new or differ from `links`, which is brought up to date.
pub(crate) fn link_all(
    listings: &[Listed],
    games: &[Ours],
    decisions: &[ExchangeDecision],
    links: &mut BTreeMap<i64, Link>,
    now: Timestamp,
) -> Vec<Link> {
    let (sports, teams) = (Sports::embedded(), Teams::embedded());
    let candidates: Vec<Candidate> = games
        .iter()
        .map(|(sport, g)| Candidate {
            id: g.event.0.to_string(),
            sport: sport.clone(),
            home: g.home.to_string(),
            away: g.away.to_string(),
            commence: g.start,
        })
        .collect();
    let by_event: BTreeMap<u32, &GameRow> = games.iter().map(|(_, g)| (g.event.0, g)).collect();
    let mut changed = Vec::new();
    for listed in listings {
        // What was said of this very listing goes before what was said of its name.
        let by = |name: &str| decisions.iter().find(|d| d.slug == name);
        let decided = by(&listed.key).or_else(|| by(&listed.slug));
        let before = links.get(&listed.id);
        let new = match decided {
            Some(decision) => by_user(listed, decision, games, before, now),
            None => by_rules(listed, &candidates, &by_event, before, now, sports, teams),
        };
        let Some(new) = new else { continue };
        let same = before.is_some_and(|b| {
            (b.event, b.state, b.how, b.home_first, &b.reasons)
                == (new.event, new.state, new.how, new.home_first, &new.reasons)
        });
        if !same {
            links.insert(listed.id, new.clone());
            changed.push(new);
        }
    }
    changed
}

/// What a person has said.
fn by_user(
    listed: &Listed,
    decision: &ExchangeDecision,
    games: &[Ours],
    before: Option<&Link>,
    now: Timestamp,
) -> Option<Link> {
    let link = Link { listing: listed.id, how: LinkHow::User, confidence: 1.0, at: now, ..Link::default() };
    let Some(wanted) = &decision.provider_id else {
        return Some(Link { state: LinkState::Refused, reasons: texts(&["a person said that it is none"]), ..link });
    };
    let Some((_, game)) = games.iter().find(|(_, g)| *g.provider_id == **wanted) else {
        // The game is not there at the moment: what stands goes on to stand.
        let stands = before.is_some_and(|b| b.how == LinkHow::User && b.state == LinkState::Linked);
        let reasons = texts(&["a person named a game that the store does not have (any more)"]);
        return (!stands).then_some(Link { state: LinkState::Review, reasons, ..link });
    };
    let home_first = listed.game.names.as_ref().and_then(|[first, other]| {
        match (names_match(first, other, &game.home, &game.away), names_match(other, first, &game.home, &game.away)) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        }
    });
    // Whose names nobody can tell apart are listed as the exchange lists them: the visitors first.
    let reasons = match home_first {
        Some(_) => texts(&["a person said so"]),
        None => texts(&["a person said so", "which team is at home goes by the order of the listing"]),
    };
    let (event, home_first) = (Some(game.event), Some(home_first.unwrap_or(false)));
    Some(Link { event, home_first, state: LinkState::Linked, reasons, ..link })
}

fn names_match(home: &str, away: &str, our_home: &str, our_away: &str) -> bool {
    same_team(home, our_home) && same_team(away, our_away)
}

fn by_rules(
    listed: &Listed,
    candidates: &[Candidate],
    by_event: &BTreeMap<u32, &GameRow>,
    before: Option<&Link>,
    now: Timestamp,
    sports: &Sports,
    teams: &Teams,
) -> Option<Link> {
    // What a person had decided and has taken back again is open.
    let standing = before.filter(|b| b.state == LinkState::Linked && b.how == LinkHow::Auto);
    let link = Link { listing: listed.id, how: LinkHow::Auto, at: now, ..Link::default() };
    let review = |proposals: Vec<ReviewCandidate>| Link {
        state: LinkState::Review,
        confidence: proposals.first().map_or(0.0, |p| p.confidence),
        reasons: serde_json::to_string(&proposals).unwrap_or_default(),
        ..link.clone()
    };
    let candidate = |event: &str, confidence: f64, reasons: Vec<String>| {
        let game = by_event.get(&event.parse::<u32>().ok()?)?;
        Some(ReviewCandidate {
            event: game.event.0,
            provider_id: game.provider_id.to_string(),
            teams: [game.home.to_string(), game.away.to_string()],
            commence: game.start,
            confidence,
            reasons,
        })
    };
    let words = |reasons: &[crate::feeds::polymarket::matching::Why]| -> Vec<String> {
        reasons.iter().map(ToString::to_string).collect()
    };
    match find(&listed.game, candidates, sports, teams) {
        Match::Certain { event, home_outcome, confidence, reasons } => {
            let id = event.parse::<u32>().ok().map(EventId);
            if standing.is_some_and(|s| s.event != id && s.event.is_some_and(|e| by_event.contains_key(&e.0))) {
                // It was another game, which is still there: a person decides.
                let old = standing.and_then(|s| s.event).map(|e| e.0.to_string()).unwrap_or_default();
                let was = candidate(&old, 0.5, vec!["it was linked to this game before".to_owned()]);
                let proposals = candidate(&event, confidence, words(&reasons)).into_iter().chain(was).collect();
                return Some(review(proposals));
            }
            Some(Link {
                event: id,
                home_first: Some(home_outcome == 0),
                state: LinkState::Linked,
                confidence,
                reasons: serde_json::to_string(&words(&reasons)).unwrap_or_default(),
                ..link
            })
        }
        // It stands until somebody knows better.
        _ if standing.is_some() => None,
        Match::Review(proposals) => {
            let all = proposals.iter().filter_map(|p| candidate(&p.event, p.confidence, words(&p.reasons)));
            Some(review(all.collect()))
        }
        Match::None(why) => Some(Link { state: LinkState::None, reasons: texts(&[why.text()]), ..link }),
    }
}

fn texts(all: &[&str]) -> String {
    serde_json::to_string(all).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::changes::EventStatus;
    use crate::engine::standing::Standing;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("time")
    }

    fn ours(n: u32, home: &str, away: &str, start: &str) -> Ours {
        let game = GameRow {
            event: EventId(n),
            provider_id: format!("p{n}").into(),
            home: home.into(),
            away: away.into(),
            start: at(start),
            status: EventStatus::Scheduled,
            standing: Standing::Scheduled,
        };
        ("basketball_nba".to_owned(), game)
    }

    fn listed() -> Listed {
        let mut game = Game::of_slug("nba-bos-mia-2026-11-20").expect("slug");
        game.names = Some(["Celtics".into(), "Heat".into()]);
        game.start = Some(at("2026-11-21T00:40:00Z"));
        Listed { id: 5, key: "5005".into(), slug: "nba-bos-mia-2026-11-20".into(), game }
    }

    fn run(games: &[Ours], decisions: &[ExchangeDecision], links: &mut BTreeMap<i64, Link>) -> Vec<Link> {
        link_all(&[listed()], games, decisions, links, at("2026-11-20T20:00:00Z"))
    }

    fn decision(provider_id: Option<&str>) -> ExchangeDecision {
        let provider_id = provider_id.map(str::to_owned);
        ExchangeDecision { slug: "nba-bos-mia-2026-11-20".into(), provider_id, at: Timestamp::default() }
    }

    #[test]
    fn a_certain_game_is_linked_and_stays_so_while_it_is_missing() {
        let games = [ours(1, "Miami Heat", "Boston Celtics", "2026-11-21T00:40:00Z")];
        let mut links = BTreeMap::new();
        let made = run(&games, &[], &mut links);
        assert_eq!(
            (made[0].event, made[0].state, made[0].home_first),
            (Some(EventId(1)), LinkState::Linked, Some(false))
        );
        assert!(run(&games, &[], &mut links).is_empty(), "nothing new");
        assert!(run(&[], &[], &mut links).is_empty(), "the game is missing for a while");
        assert_eq!(links[&5].event, Some(EventId(1)));
    }

    #[test]
    fn another_game_is_a_question() {
        let first = ours(1, "Miami Heat", "Boston Celtics", "2026-11-21T00:40:00Z");
        let mut links = BTreeMap::new();
        run(std::slice::from_ref(&first), &[], &mut links);
        // The first one turns out to be next week's, the second is tonight's.
        let games = [
            ours(1, "Miami Heat", "Boston Celtics", "2026-11-28T00:40:00Z"),
            ours(2, "Miami Heat", "Boston Celtics", "2026-11-21T00:40:00Z"),
        ];
        let changed = run(&games, &[], &mut links);
        assert_eq!(changed[0].state, LinkState::Review);
        let candidates: Vec<ReviewCandidate> = serde_json::from_str(&changed[0].reasons).expect("candidates");
        assert_eq!(candidates.iter().map(|c| c.event).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn what_a_person_says_holds_until_it_is_taken_back() {
        let games = [
            ours(1, "Miami Heat", "Boston Celtics", "2026-11-21T00:40:00Z"),
            ours(2, "Utah Jazz", "Denver Nuggets", "2026-11-21T02:00:00Z"),
        ];
        let mut links = BTreeMap::new();
        run(&games, &[], &mut links);
        let refused = run(&games, &[decision(None)], &mut links);
        assert_eq!((refused[0].event, refused[0].state), (None, LinkState::Refused));
        let other = run(&games, &[decision(Some("p2"))], &mut links);
        assert_eq!((other[0].event, other[0].how), (Some(EventId(2)), LinkHow::User));
        let back = run(&games, &[], &mut links);
        assert_eq!((back[0].event, back[0].how), (Some(EventId(1)), LinkHow::Auto));
    }

    #[test]
    fn what_is_said_of_one_listing_goes_before_what_is_said_of_its_name() {
        let games = [ours(1, "Miami Heat", "Boston Celtics", "2026-11-21T00:40:00Z")];
        let (mut links, now) = (BTreeMap::new(), at("2026-11-20T20:00:00Z"));
        let twin = Listed { id: 6, key: "6006".into(), ..listed() };
        let of_twin = ExchangeDecision { slug: "6006".into(), ..decision(None) };
        link_all(&[listed(), twin], &games, &[of_twin, decision(Some("p1"))], &mut links, now);
        assert_eq!((links[&5].state, links[&6].state), (LinkState::Linked, LinkState::Refused));
    }

    #[test]
    fn a_person_may_name_a_game_that_is_not_there() {
        let mut links = BTreeMap::new();
        let made = run(&[], &[decision(Some("p9"))], &mut links);
        assert_eq!(made[0].state, LinkState::Review);
    }
}
