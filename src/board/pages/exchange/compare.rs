//! What a contract of an exchange is beside the market of the books: which side, at which line, worth what by their fair
//! price, and where it pays otherwise than a sportsbook does. Pure.

use serde::Deserialize;

use crate::engine::appraise::{Appraisal, FairPrice};
use crate::engine::changes::Point;
use crate::engine::price::scale::Scale;
use crate::engine::price::unit::Layout;
use crate::market::line::Line;
use crate::market::selection::Side;
use crate::store::exchange::{ContractRow, ExchangeGame, Link, LinkState};

/// Key of the exchange as a book, and its name in the store.
pub const EXCHANGE: &str = "polymarket";

/// The market of the books that a kind of contract belongs to; `None`: none that is calculated with.
pub fn market_of(kind: &str) -> Option<&'static str> {
    match kind {
        "moneyline" | "three_way_leg" => Some("h2h"),
        "spread" => Some("spreads"),
        "total" => Some("totals"),
        _ => None,
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct About {
    team: Option<String>,
    leg: Option<String>,
    period: Option<String>,
}

/// The part of the game that a contract is about, as the exchange says it.
pub fn period(contract: &ContractRow) -> Option<String> {
    serde_json::from_str::<About>(&contract.about).ok()?.period
}

/// The first outcome as the books name it. `None`: the contract is not about that, or nobody can say.
pub fn first_side(contract: &ContractRow, teams: Option<&[String; 2]>, home_first: Option<bool>) -> Option<Side> {
    let [outcome, _] = &contract.outcomes;
    let outcome = outcome.trim().to_lowercase();
    match contract.kind.as_str() {
        "total" if outcome.starts_with("over") || outcome == "yes" => return Some(Side::Over),
        "total" if outcome.starts_with("under") => return Some(Side::Under),
        "moneyline" | "spread" | "three_way_leg" => {}
        _ => return None,
    }
    // A question that is answered with Yes is about the team that it names.
    let who = if outcome == "yes" {
        let about: About = serde_json::from_str(&contract.about).unwrap_or_default();
        about.leg.or(about.team)?.trim().to_lowercase()
    } else {
        outcome
    };
    if contract.kind == "three_way_leg" && who == "draw" {
        return Some(Side::Draw);
    }
    let [a, b] = teams?;
    let is = |team: &str| {
        let team = team.trim().to_lowercase();
        team == who || (!who.is_empty() && (team.ends_with(&format!(" {who}")) || who.ends_with(&format!(" {team}"))))
    };
    let first = match (is(a), is(b)) {
        (true, false) => true,
        (false, true) => false,
        _ => return None,
    };
    Some(if first == home_first? { Side::Home } else { Side::Away })
}

/// The first outcome of a contract of a game that is linked.
pub fn side_in(game: &ExchangeGame, contract: &ContractRow) -> Option<Side> {
    let link = game.link.as_ref().filter(|l| l.state == LinkState::Linked)?;
    first_side(contract, game.listing.teams.as_ref(), link.home_first)
}

/// The line of a contract as the market's first side sees it.
pub fn market_line(contract: &ContractRow, side: Side) -> Option<Line> {
    let line = contract.line?;
    Some(if side == Side::Away { line.flipped() } else { line })
}

/// What the books give the first outcome, without the exchange's own vote.
///
/// # Errors
/// Why there is nothing to compare with, for a person.
pub fn fair_of(all: &[Appraisal], contract: &ContractRow, side: Option<Side>) -> Result<f64, &'static str> {
    let Some(market) = market_of(&contract.kind) else { return Err("the books have no such market") };
    let side = side.ok_or("nobody can say which side of the books it is")?;
    let found = all.iter().find(|a| a.market == market && a.subject.is_none() && a.key.line.is_none());
    let appraisal = found.ok_or("no book quotes this market")?;
    let place = appraisal.layout.place(side).ok_or("the books' market has no such outcome")?;
    // A two-way price says nothing of a contract that a draw decides, and the other way round.
    if (appraisal.layout == Layout::ThreeWay) != (contract.kind == "three_way_leg") {
        return Err("a different bet: one of the two can end in a draw");
    }
    let part = appraisal.books.iter().find(|b| b.book == EXCHANGE);
    let fair: Option<&FairPrice> = match part {
        Some(part) => part.without.as_ref(),
        None => appraisal.fair.as_ref(),
    };
    let fair = fair.ok_or("too few independent books for a fair price")?;
    let at = market_line(contract, side);
    match appraisal.workings.scale() {
        scale @ Scale::Points(_) => {
            let first = scale.probability(appraisal.layout, at, fair.value).ok_or("no model reaches this line")?;
            Ok(if place == 0 { first } else { 1.0 - first })
        }
        Scale::LogOdds if at == appraisal.reference_line.and_then(Line::from_points) => {
            fair.sides.get(place).map(|s| s.fair_probability).ok_or("the books' market has no such outcome")
        }
        Scale::LogOdds => Err("the books stand at another line, and no model converts it"),
    }
}

/// The same of a published point: all books together.
pub fn fair_at(appraisal: &Appraisal, point: &Point, contract: &ContractRow, side: Side) -> Option<f64> {
    let fair = point.fair.as_ref()?;
    let place = appraisal.layout.place(side)?;
    let at = market_line(contract, side);
    match appraisal.workings.scale() {
        scale @ Scale::Points(_) => {
            let first = scale.probability(appraisal.layout, at, *fair.values.first()?)?;
            Some(if place == 0 { first } else { 1.0 - first })
        }
        Scale::LogOdds => fair.probability.get(place).copied().filter(|_| at == point.line),
    }
}

/// One thing that the rules of a contract say.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fact {
    /// About what.
    pub topic: String,
    /// What then holds.
    pub rule: String,
    /// The sentence.
    pub text: String,
}

/// What the rules of a contract say, each thing once.
pub fn facts(contract: &ContractRow) -> Vec<Fact> {
    let mut facts: Vec<Fact> = serde_json::from_str(&contract.settlement).unwrap_or_default();
    let mut seen: Vec<(String, String)> = Vec::new();
    facts.retain(|f| {
        let key = (f.topic.clone(), f.rule.clone());
        let new = !seen.contains(&key);
        seen.push(key);
        new
    });
    facts
}

/// What a sportsbook does instead, where that is another bet.
pub fn differs(fact: &Fact, kind: &str) -> Option<&'static str> {
    match (fact.topic.as_str(), fact.rule.as_str()) {
        ("canceled", "fifty_fifty" | "resolves_no" | "resolves_yes") => Some("a sportsbook refunds"),
        ("postponed" | "delayed", "stays_open") => Some("a sportsbook refunds after a day or two"),
        ("postponed" | "delayed", "fifty_fifty" | "resolves_no" | "resolves_yes") => Some("a sportsbook refunds"),
        ("tie", "fifty_fifty" | "resolves_no" | "resolves_yes") if kind != "three_way_leg" => {
            Some("a sportsbook gives the stake back")
        }
        ("overtime", "does_not_count") if kind != "three_way_leg" => Some("a sportsbook counts it"),
        _ => None,
    }
}

/// Some of the rules of a contract make it another bet than a sportsbook's.
pub fn is_other_bet(contract: &ContractRow) -> bool {
    facts(contract).iter().any(|f| differs(f, &contract.kind).is_some())
}

/// A fact in words.
pub fn fact_words(fact: &Fact) -> String {
    let topic = match fact.topic.as_str() {
        "canceled" => "not played at all",
        "tie" => "nobody wins",
        "delayed" => "not decided in time",
        "forfeit" => "given up",
        other => other,
    };
    let rule = match fact.rule.as_str() {
        "counts" => "counts",
        "does_not_count" => "does not count",
        "stays_open" => "stays open until it is played",
        "fifty_fifty" => "every share pays half a dollar",
        "resolves_no" => "resolves to No",
        "resolves_yes" => "resolves to Yes",
        "to_the_winner" => "goes to whoever is declared the winner",
        other => other,
    };
    format!("{topic}: {rule}")
}

/// A link in words.
pub fn link_words(link: Option<&Link>) -> &'static str {
    match link.map(|l| l.state) {
        Some(LinkState::Linked) => "linked",
        Some(LinkState::Review) => "review",
        Some(LinkState::Refused) => "refused",
        Some(LinkState::None) => "none",
        None => "new",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contract(kind: &str, outcomes: [&str; 2], about: &str) -> ContractRow {
        ContractRow {
            kind: kind.into(),
            about: about.into(),
            outcomes: outcomes.map(str::to_owned),
            line: Line::from_points(-3.5),
            ..ContractRow::default()
        }
    }

    #[test]
    fn the_first_outcome_finds_its_side() {
        let teams = ["Bay Bison".to_owned(), "Harbor Gulls".to_owned()];
        let side = |c: &ContractRow, home_first| first_side(c, Some(&teams), home_first);
        let ml = contract("moneyline", ["Bison", "Gulls"], "{}");
        assert_eq!((side(&ml, Some(true)), side(&ml, Some(false))), (Some(Side::Home), Some(Side::Away)));
        assert_eq!(side(&ml, None), None, "who plays at home is not known");
        assert_eq!(first_side(&ml, None, Some(true)), None);
        let spread = contract("spread", ["Yes", "No"], r#"{"team":"harbor gulls"}"#);
        assert_eq!(side(&spread, Some(true)), Some(Side::Away));
        assert_eq!(market_line(&spread, Side::Away), Line::from_points(3.5));
        assert_eq!(side(&contract("spread", ["Yes", "No"], "no JSON"), Some(true)), None);
        assert_eq!(side(&contract("total", ["Over", "Under"], "{}"), None), Some(Side::Over));
        assert_eq!(side(&contract("three_way_leg", ["Yes", "No"], r#"{"leg":"draw"}"#), None), Some(Side::Draw));
        assert_eq!(side(&contract("other", ["Bison", "Gulls"], "{}"), Some(true)), None, "never guessed");
        assert_eq!(side(&contract("moneyline", ["Nobody", "Gulls"], "{}"), Some(true)), None);
    }

    #[test]
    fn another_bet_is_called_one() {
        let fact = |topic: &str, rule: &str| Fact { topic: topic.into(), rule: rule.into(), text: String::new() };
        assert!(differs(&fact("canceled", "fifty_fifty"), "moneyline").is_some());
        assert!(differs(&fact("overtime", "does_not_count"), "moneyline").is_some());
        assert!(differs(&fact("overtime", "counts"), "moneyline").is_none());
        assert!(differs(&fact("tie", "resolves_no"), "three_way_leg").is_none());
        let both =
            r#"[{"topic":"tie","rule":"fifty_fifty","text":"a"},{"topic":"tie","rule":"fifty_fifty","text":"b"}]"#;
        let read = ContractRow { settlement: both.into(), ..ContractRow::default() };
        assert_eq!(facts(&read).len(), 1);
        assert!(facts(&ContractRow { settlement: "torn".into(), ..ContractRow::default() }).is_empty());
    }
}
