//! From order books to what the engine judges: the asks of a contract are prices that can be backed, its bids prices that
//! can be laid, and between them stands the middle, where enough stands behind both.
//!
//! Owns which contract becomes which market and nothing else; time and books come in as values.

use std::borrow::Cow;

use crate::feeds::polymarket::SOURCE;
use crate::feeds::polymarket::classify::{Contract, Kind, Leg, Role, same_team};
use crate::feeds::polymarket::metrics::Metrics;
use crate::feeds::polymarket::pair::PairBook;
use crate::market::batch::{Asked, Batch, BookObs, Defect, Endpoint, EventObs, MarketObs, OutcomeObs, Place, Scope};
use crate::market::line::Line;
use crate::market::price::OddsFormat;
use crate::market::quality::Reason;
use crate::market::time::Timestamp;

/// A middle is told anew when it moved by this much, or when bid or ask did: sizes change all the time.
const MIDDLE_STEP: f64 = 0.0025;
/// Another line becomes the main one when it is nearer to even money by this much.
const MAIN_STEP: f64 = 0.05;

/// What the first outcome of a contract is in our game.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Seat {
    /// Who wins. `home`: the first outcome is the home team.
    Winner { home: bool },
    /// A handicap at the first outcome's own line.
    Spread { home: bool, line: Line },
    /// Points of both teams. `over`: the first outcome is Over.
    Total { over: bool, line: Line },
    /// Yes to one of three results.
    Leg(Result3),
}

/// One of three results.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Result3 {
    Home,
    Away,
    Draw,
}

/// Where a contract belongs in a game whose home team the listing calls `home` and whose away team it calls `away`.
/// `None`: nothing that the books quote, or it cannot be told.
pub(super) fn seat(contract: &Contract, home: &str, away: &str) -> Option<Seat> {
    let first = contract.outcomes.first()?;
    let is_home = |name: &str| match (same_team(name, home), same_team(name, away)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    };
    match &contract.kind {
        Kind::Moneyline => Some(Seat::Winner { home: is_home(&first.name)? }),
        Kind::Spread { line, team } => Some(Seat::Spread { home: is_home(team)?, line: *line }),
        Kind::Total { line } => match first.role {
            Role::Over | Role::Yes => Some(Seat::Total { over: true, line: *line }),
            Role::Under => Some(Seat::Total { over: false, line: *line }),
            _ => None,
        },
        Kind::ThreeWayLeg(leg) if first.role == Role::Yes => Some(Seat::Leg(match leg {
            Leg::Draw => Result3::Draw,
            Leg::Team(team) if is_home(team)? => Result3::Home,
            Leg::Team(_) => Result3::Away,
        })),
        _ => None,
    }
}

/// What may be told of a contract.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Told {
    /// Probability at which the first outcome can be sold and bought.
    pub bid: Option<f64>,
    pub ask: Option<f64>,
    /// Between the two, weighted by size; only where enough stands behind both.
    pub middle: Option<f64>,
}

impl Told {
    /// Of a live book; `None`: nothing can be said. `before`: what was told last.
    pub fn of(book: &PairBook, min_depth: f64, before: Option<&Self>) -> Option<Self> {
        let m = Metrics::of(book)?;
        let bid = m.best_bid.map(|l| l.price.probability());
        let ask = m.best_ask.map(|l| l.price.probability());
        let deep = |near: f64, price: Option<f64>| price.is_some_and(|p| near * p >= min_depth);
        // Whoever asks for the first outcome bids for the other, and has put up that one's price.
        let enough = deep(m.bid_near.shares(), bid) && deep(m.ask_near.shares(), ask.map(|a| 1.0 - a));
        let near = m.spread.is_some_and(|s| s.ticks() <= crate::feeds::polymarket::metrics::WIDEST_FOR_MID);
        let middle = m.weighted_mid.filter(|_| enough && near).map(|new| match before {
            Some(b) if (b.bid, b.ask) == (bid, ask) => {
                b.middle.filter(|old| (old - new).abs() < MIDDLE_STEP).unwrap_or(new)
            }
            _ => new,
        });
        Some(Self { bid, ask, middle })
    }
}

/// A contract with its place and what may be told of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Offer {
    pub seat: Seat,
    /// `None`: it is not known at the moment.
    pub told: Option<Told>,
}

/// The main lines of a game as they were told last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Mains {
    /// Of the home team.
    spread: Option<Line>,
    total: Option<Line>,
}

/// One outcome at all its prices.
#[derive(Clone, PartialEq, Debug)]
struct Row {
    name: String,
    line: Option<Line>,
    ask: Option<f64>,
    bid: Option<f64>,
    middle: Option<f64>,
}

/// A game as it is told to the engine.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct GameTold {
    /// The books' id of the game.
    pub provider_id: String,
    /// Home and away as the books call them.
    pub teams: [String; 2],
    /// By market key.
    markets: Vec<(&'static str, Vec<Row>)>,
    /// Of some contract nothing is known.
    unknown: bool,
}

impl GameTold {
    /// Puts a game together. `mains` is brought up to date.
    pub fn of(provider_id: &str, teams: &[String; 2], offers: &[Offer], mains: &mut Mains) -> Self {
        let [home, away] = teams;
        let mut told = Self {
            provider_id: provider_id.to_owned(),
            teams: teams.clone(),
            markets: Vec::new(),
            unknown: offers.iter().any(|o| o.told.is_none()),
        };
        let known = || offers.iter().filter_map(|o| Some((o.seat, o.told?)));
        let two = |first: &str, other: &str, lines: Option<(Line, Line)>, t: &Told| {
            let turned = |p: Option<f64>| p.map(|p| 1.0 - p);
            [
                Row { name: first.to_owned(), line: lines.map(|l| l.0), ask: t.ask, bid: t.bid, middle: t.middle },
                Row {
                    name: other.to_owned(),
                    line: lines.map(|l| l.1),
                    ask: turned(t.bid),
                    bid: turned(t.ask),
                    middle: turned(t.middle),
                },
            ]
        };
        let mut winner = Vec::new();
        for (seat, t) in known() {
            if let Seat::Winner { home: first } = seat
                && winner.is_empty()
            {
                winner.extend(if first { two(home, away, None, &t) } else { two(away, home, None, &t) });
            }
        }
        let legs = [(Result3::Home, home.as_str()), (Result3::Away, away), (Result3::Draw, "Draw")];
        let of_leg = |leg| known().find(|(seat, _)| *seat == Seat::Leg(leg)).map(|(_, t)| t);
        if winner.is_empty() && legs.iter().all(|(leg, _)| of_leg(*leg).is_some()) {
            for (leg, name) in legs {
                let row = |t: Told| Row { name: name.to_owned(), line: None, ask: t.ask, bid: t.bid, middle: t.middle };
                winner.extend(of_leg(leg).map(row));
            }
        }
        told.push("h2h", winner);
        let spreads: Vec<(Line, [Row; 2], Told)> = known()
            .filter_map(|(seat, t)| match seat {
                Seat::Spread { home: true, line } => Some((line, two(home, away, Some((line, line.flipped())), &t), t)),
                Seat::Spread { home: false, line } => {
                    Some((line.flipped(), two(away, home, Some((line, line.flipped())), &t), t))
                }
                _ => None,
            })
            .collect();
        told.lines("spreads", "alternate_spreads", spreads, &mut mains.spread);
        let totals: Vec<(Line, [Row; 2], Told)> = known()
            .filter_map(|(seat, t)| match seat {
                Seat::Total { over: true, line } => Some((line, two("Over", "Under", Some((line, line)), &t), t)),
                Seat::Total { over: false, line } => Some((line, two("Under", "Over", Some((line, line)), &t), t)),
                _ => None,
            })
            .collect();
        told.lines("totals", "alternate_totals", totals, &mut mains.total);
        told
    }

    /// The line nearest to even money is the main one, the others stand beside it.
    fn lines(
        &mut self,
        key: &'static str,
        others: &'static str,
        mut lines: Vec<(Line, [Row; 2], Told)>,
        main: &mut Option<Line>,
    ) {
        // Two contracts at one line: the one with a middle, then the first.
        lines.sort_by(|a, b| a.0.cmp(&b.0).then(b.2.middle.is_some().cmp(&a.2.middle.is_some())));
        lines.dedup_by_key(|(line, ..)| *line);
        let even = |t: &Told| t.middle.or_else(|| Some(f64::midpoint(t.bid?, t.ask?))).map(|p| (p - 0.5).abs());
        let nearest = lines.iter().filter_map(|(l, _, t)| Some((even(t)?, *l))).min_by(|a, b| a.0.total_cmp(&b.0));
        let stays = main.and_then(|m| lines.iter().find(|(l, ..)| *l == m)).and_then(|(l, _, t)| Some((even(t)?, *l)));
        *main = match (stays, nearest) {
            (Some((old, line)), Some((new, _))) if old - new < MAIN_STEP => Some(line),
            (_, Some((_, line))) => Some(line),
            _ => None,
        };
        let (mut of_main, mut rest) = (Vec::new(), Vec::new());
        for (line, rows, _) in lines {
            if Some(line) == *main { of_main.extend(rows) } else { rest.extend(rows) }
        }
        self.push(key, of_main);
        self.push(others, rest);
    }

    fn push(&mut self, key: &'static str, rows: Vec<Row>) {
        if !rows.is_empty() {
            self.markets.push((key, rows));
        }
    }
}

/// One look at an exchange: some games of one sport at one instant, each with up to when it is known that nothing else has
/// happened. `source`: whose ids the games have.
pub(super) fn batch(
    source: &'static str,
    sport: &str,
    games: &[(GameTold, Timestamp)],
    at: Timestamp,
) -> Batch<'static> {
    let mut out = Batch {
        source,
        sport: Cow::Owned(sport.to_owned()),
        endpoint: Endpoint::Exchange,
        received_at: at,
        scope: Scope {
            books: Asked::Only(vec![SOURCE.to_owned()]),
            events: Asked::Only(games.iter().map(|(g, _)| g.provider_id.clone()).collect()),
            ..Scope::default()
        },
        format: OddsFormat::Decimal,
        events: Vec::with_capacity(games.len()),
        books: Vec::with_capacity(games.len()),
        markets: Vec::new(),
        outcomes: Vec::new(),
        defects: Vec::new(),
    };
    for (index, (game, heard)) in games.iter().enumerate() {
        let (book, first) = (out.books.len() as u32, out.markets.len() as u32);
        for (key, rows) in &game.markets {
            type Pick = fn(&Row) -> Option<f64>;
            let prices: [(&str, Pick); 3] = [("", |r| r.ask), ("_lay", |r| r.bid), ("_mid", |r| r.middle)];
            for (suffix, pick) in prices {
                let begin = out.outcomes.len() as u32;
                out.outcomes.extend(rows.iter().filter_map(|row| {
                    Some(OutcomeObs {
                        name: Cow::Owned(row.name.clone()),
                        description: None,
                        price: decimal(pick(row)?)?,
                        point: row.line.map_or(f64::NAN, Line::points),
                        // What stands there is told with the book; it is no limit of a bookmaker.
                        limit: 0.0,
                    })
                }));
                let end = out.outcomes.len() as u32;
                if end > begin {
                    out.markets.push(MarketObs {
                        key: Cow::Owned(format!("{key}{suffix}")),
                        last_update: Some((*heard).min(at)),
                        outcomes: begin..end,
                    });
                }
            }
        }
        out.books.push(BookObs {
            key: Cow::Borrowed(SOURCE),
            title: Cow::Borrowed("Polymarket"),
            markets: first..out.markets.len() as u32,
        });
        if game.unknown {
            out.defects.push(Defect {
                place: Place::Book(index as u32, book),
                reason: Reason::NotHeard,
                detail: "of some contracts nothing is heard at the moment".to_owned(),
            });
        }
        let [home, away] = &game.teams;
        out.events.push(EventObs {
            id: Cow::Owned(game.provider_id.clone()),
            sport: Cow::Owned(sport.to_owned()),
            commence: None,
            home: Some(Cow::Owned(home.clone())),
            away: Some(Cow::Owned(away.clone())),
            has_odds: true,
            books: book..book + 1,
            score: None,
        });
    }
    out
}

/// Decimal odds of a probability, in millionths; `None`: nobody can bet at it.
fn decimal(p: f64) -> Option<f64> {
    (p > 0.0 && p < 1.0).then(|| (1e6 / p).round() / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: f64) -> Line {
        Line::from_points(points).expect("line")
    }

    fn told(bid: f64, ask: f64) -> Option<Told> {
        Some(Told { bid: Some(bid), ask: Some(ask), middle: Some(f64::midpoint(bid, ask)) })
    }

    fn teams() -> [String; 2] {
        ["Harbor City Gulls".into(), "Prairie Bison".into()]
    }

    fn rows<'g>(game: &'g GameTold, key: &str) -> &'g [Row] {
        game.markets.iter().find(|(k, _)| *k == key).map_or(&[], |(_, rows)| rows)
    }

    #[test]
    fn the_other_side_of_a_bid_is_an_ask() {
        let offers = [Offer { seat: Seat::Winner { home: false }, told: told(0.42, 0.43) }];
        let game = GameTold::of("e1", &teams(), &offers, &mut Mains::default());
        let h2h = rows(&game, "h2h");
        assert_eq!((h2h[0].name.as_str(), h2h[0].ask, h2h[0].bid), ("Prairie Bison", Some(0.43), Some(0.42)));
        assert_eq!(h2h[1].name, "Harbor City Gulls");
        assert!((h2h[1].ask.expect("ask") - 0.58).abs() < 1e-12 && (h2h[1].bid.expect("bid") - 0.57).abs() < 1e-12);
    }

    #[test]
    fn the_line_nearest_to_even_money_is_the_main_one_and_stays_so() {
        let spread = |points: f64, p: f64| Offer {
            seat: Seat::Spread { home: true, line: line(points) },
            told: told(p - 0.005, p + 0.005),
        };
        let mut mains = Mains::default();
        let game =
            GameTold::of("e1", &teams(), &[spread(-1.5, 0.56), spread(-3.5, 0.49), spread(-5.5, 0.41)], &mut mains);
        assert_eq!(rows(&game, "spreads")[0].line, Some(line(-3.5)));
        assert_eq!(rows(&game, "spreads")[1].line, Some(line(3.5)));
        assert_eq!(rows(&game, "alternate_spreads").len(), 4);
        // The other one is nearer now, but not by much.
        let game = GameTold::of("e1", &teams(), &[spread(-1.5, 0.53), spread(-3.5, 0.46)], &mut mains);
        assert_eq!(rows(&game, "spreads")[0].line, Some(line(-3.5)));
        let game = GameTold::of("e1", &teams(), &[spread(-1.5, 0.50), spread(-3.5, 0.43)], &mut mains);
        assert_eq!(rows(&game, "spreads")[0].line, Some(line(-1.5)));
    }

    #[test]
    fn three_contracts_make_a_market_of_three() {
        let leg = |leg, p: f64| Offer { seat: Seat::Leg(leg), told: told(p - 0.01, p + 0.01) };
        let mut offers = vec![leg(Result3::Draw, 0.27), leg(Result3::Home, 0.5)];
        let two = GameTold::of("e1", &teams(), &offers, &mut Mains::default());
        assert!(rows(&two, "h2h").is_empty(), "two of three are no market");
        offers.push(leg(Result3::Away, 0.24));
        let game = GameTold::of("e1", &teams(), &offers, &mut Mains::default());
        let names: Vec<&str> = rows(&game, "h2h").iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["Harbor City Gulls", "Prairie Bison", "Draw"]);
    }

    #[test]
    fn a_look_holds_asks_bids_and_middles_and_says_what_is_not_known() {
        let offers = [
            Offer { seat: Seat::Winner { home: true }, told: told(0.57, 0.58) },
            Offer { seat: Seat::Total { over: true, line: line(221.5) }, told: None },
        ];
        let game = GameTold::of("e1", &teams(), &offers, &mut Mains::default());
        let at = Timestamp::from_secs(1_800_000_000);
        let batch = batch("the-odds-api", "basketball_nba", &[(game, at.plus(-3000))], at);
        let keys: Vec<&str> = batch.markets.iter().map(|m| &*m.key).collect();
        assert_eq!(keys, ["h2h", "h2h_lay", "h2h_mid"]);
        assert_eq!(batch.outcomes.len(), 6);
        assert!((batch.outcomes[0].price - 1.724_138).abs() < 1e-9);
        assert_eq!(batch.defects.len(), 1);
        assert_eq!(batch.events[0].commence, None);
        assert!(batch.markets.iter().all(|m| m.last_update == Some(at.plus(-3000))), "no fresher than what was heard");
    }
}
