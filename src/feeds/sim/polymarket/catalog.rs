//! What the exchange lists: events and their markets, with every id and name. Drawn once from the world.
//!
//! Lines are set from the belief at the opening and stay; the sportsbooks move theirs.

use std::ops::Range;

use chrono_tz::America::New_York;

use super::super::extras::players;
use super::super::game::Game;
use super::super::pricing::{margin_view, total_view};
use super::super::rng::{mix, name_tag, unit};
use super::super::sports::SpreadStyle;
use super::super::world::World;
use super::fair::{Bet, settled_at};
use super::leagues::{League, league, short_name, team_code};
use crate::market::time::Timestamp;

/// Markets about players are listed so long before the start.
const LATE_LISTING_MS: i64 = 90 * 60_000;

/// One event: a game, or its further markets.
#[derive(Debug)]
pub struct EventSpec {
    /// Numeric id.
    pub id: u32,
    /// Number of the game in the world.
    pub fixture: usize,
    /// League.
    pub league: &'static League,
    /// Slug, which is also the ticker.
    pub slug: String,
    /// Title.
    pub title: String,
    /// Short names, in the order of the title.
    pub teams: [String; 2],
    /// Codes in the same order.
    pub codes: [String; 2],
    /// The game's id in the exchange's score feed.
    pub game_id: u32,
    /// Local date in the ticker.
    pub date: String,
    /// Its markets are Yes or No questions of which one comes true.
    pub neg_risk: bool,
    /// Its markets.
    pub markets: Range<usize>,
}

/// One market.
#[derive(Debug)]
pub struct MarketSpec {
    /// Numeric id.
    pub id: u32,
    /// Number of its event.
    pub event: usize,
    /// Number of the game in the world.
    pub fixture: usize,
    /// `sportsMarketType`.
    pub kind: &'static str,
    /// What it is about.
    pub bet: Bet,
    /// Names of the outcomes.
    pub outcomes: [String; 2],
    /// Token ids, in the same order.
    pub tokens: [String; 2],
    /// Condition id.
    pub condition: String,
    /// Id of the question.
    pub question_id: String,
    /// Slug.
    pub slug: String,
    /// Question.
    pub question: String,
    /// `groupItemTitle`.
    pub group: String,
    /// Line in hundredths, of the first outcome.
    pub line: Option<i32>,
    /// One of a set of which one comes true.
    pub neg_risk: bool,
    /// Coordinate in hashes.
    pub tag: u64,
    /// How many times slower than a moneyline it trades.
    pub slow: i64,
    /// Shares at the best price, roughly.
    pub depth: f64,
    /// When it is listed; what is about players comes late.
    pub listed: Timestamp,
    /// When it stops trading for good.
    pub closes: Timestamp,
}

/// Everything that is listed.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Events, by id.
    pub events: Vec<EventSpec>,
    /// Markets, by id.
    pub markets: Vec<MarketSpec>,
}

/// A market before it has ids.
struct Draft {
    kind: &'static str,
    bet: Bet,
    outcomes: [String; 2],
    suffix: String,
    question: String,
    group: String,
    line: Option<i32>,
    slow: i64,
}

impl Catalog {
    /// Lists the games of a world.
    pub fn of(world: &World) -> Self {
        let mut catalog = Self::default();
        for (number, fixture) in world.fixtures().iter().enumerate() {
            let Some(league) = league(fixture.game.sport) else { continue };
            // The ticker keeps the date that was first announced.
            let announced = fixture.effects.moved.map_or(fixture.game.scheduled, |(_, before, _)| before);
            catalog.game(number, &fixture.game, league, announced);
        }
        catalog
    }

    fn game(&mut self, fixture: usize, game: &Game, league: &'static League, announced: Timestamp) {
        let order = if league.first == "home" { [game.home, game.away] } else { [game.away, game.home] };
        let names = order.map(|t| short_name(league, t));
        let codes = order.map(|t| team_code(league, t));
        let date = announced.to_chrono().with_timezone(&New_York).format("%Y-%m-%d").to_string();
        let slug = format!("{}-{}-{}-{date}", league.code, codes[0], codes[1]);
        let title = format!("{} vs. {}", names[0], names[1]);
        let first_home = league.first == "home";
        let event = EventSpec {
            id: 0,
            fixture,
            league,
            slug,
            title,
            teams: names,
            codes,
            game_id: 70_000 + (mix(&[game.tag, 50]) % 9_000_000) as u32,
            date,
            neg_risk: game.sport.draw,
            markets: 0..0,
        };
        let mut more = Vec::new();
        let main = if game.sport.draw { results(game, &event) } else { winner(&event, first_home) };
        more.extend(spreads(game, &event, first_home));
        more.extend(totals(game, &event));
        more.extend(others(game, &event, first_home));
        if game.sport.draw {
            // Soccer keeps its further markets in an event of their own.
            let further = EventSpec {
                slug: format!("{}-more-markets", event.slug),
                title: format!("{} - More Markets", event.title),
                teams: event.teams.clone(),
                codes: event.codes.clone(),
                date: event.date.clone(),
                neg_risk: false,
                markets: 0..0,
                ..event
            };
            self.list(game, event, main);
            self.list(game, further, more);
        } else {
            self.list(game, event, main.into_iter().chain(more).collect());
        }
    }

    fn list(&mut self, game: &Game, mut event: EventSpec, drafts: Vec<Draft>) {
        let number = self.events.len();
        let from = self.markets.len();
        event.id = 800_001 + 7 * number as u32;
        for draft in drafts {
            let tag = mix(&[game.tag, 60, name_tag(&draft.suffix)]);
            let base = event.slug.trim_end_matches("-more-markets");
            let slug = if draft.suffix.is_empty() { base.to_owned() } else { format!("{base}-{}", draft.suffix) };
            let depth = if draft.slow == 1 { 900.0 } else { 250.0 } * (0.6 + 0.8 * unit(mix(&[tag, 1])));
            self.markets.push(MarketSpec {
                id: 900_001 + 3 * self.markets.len() as u32,
                event: number,
                fixture: event.fixture,
                kind: draft.kind,
                tokens: [token(tag, 0), token(tag, 1)],
                condition: hex(tag, 20),
                question_id: hex(tag, 21),
                slug,
                question: draft.question,
                group: draft.group,
                line: draft.line,
                neg_risk: event.neg_risk,
                tag,
                slow: draft.slow,
                depth,
                listed: if matches!(draft.bet, Bet::Other { .. }) {
                    game.scheduled.plus(-LATE_LISTING_MS)
                } else {
                    Timestamp::from_millis(i64::MIN)
                },
                closes: settled_at(game, &draft.bet).plus(90_000 + (mix(&[tag, 2]) % 180_000) as i64),
                bet: draft.bet,
                outcomes: draft.outcomes,
            });
        }
        event.markets = from..self.markets.len();
        self.events.push(event);
    }
}

fn winner(event: &EventSpec, first_home: bool) -> Vec<Draft> {
    vec![Draft {
        kind: "moneyline",
        bet: Bet::Win { home: first_home },
        outcomes: event.teams.clone(),
        suffix: String::new(),
        question: event.title.clone(),
        group: "Moneyline".into(),
        line: None,
        slow: 1,
    }]
}

/// Three questions instead of one market with three outcomes.
fn results(game: &Game, event: &EventSpec) -> Vec<Draft> {
    let yes_no = || ["Yes".to_owned(), "No".to_owned()];
    let draft = |side, suffix: &str, question, group: String| Draft {
        kind: "moneyline",
        bet: Bet::Result { side },
        outcomes: yes_no(),
        suffix: suffix.to_owned(),
        question,
        group,
        line: None,
        slow: 1,
    };
    let [home, away] = &event.teams;
    let win = |team: &str| format!("Will {team} win on {}?", event.date);
    debug_assert_eq!(game.sport.draw, event.neg_risk);
    vec![
        draft(1, &event.codes[0], win(home), home.clone()),
        draft(0, "draw", format!("Will {} end in a draw?", event.title), format!("Draw ({})", event.title)),
        draft(-1, &event.codes[1], win(away), away.clone()),
    ]
}

/// The favourite gives points; the line is the favourite's and it stands first.
fn spreads(game: &Game, event: &EventSpec, first_home: bool) -> Vec<Draft> {
    let Some(opening) = game.path.first() else { return Vec::new() };
    let main = half(margin_view(game.sport, opening.margin, game.sport.sd_margin, true).line);
    let away_from_zero = if main < 0 { -100 } else { 100 };
    let lines = match game.sport.style {
        SpreadStyle::Fixed(_) => vec![main, main + away_from_zero],
        SpreadStyle::Free if game.sport.draw => vec![main, main + away_from_zero],
        SpreadStyle::Free => vec![main, main - 100, main + 100],
    };
    let draft = |(i, home_line): (usize, i32)| {
        let home = home_line < 0;
        let line = -home_line.abs();
        let place = usize::from(home != first_home);
        let [favourite, other] = if place == 0 { [0, 1] } else { [1, 0] }.map(|n: usize| event.teams[n].clone());
        // In the slug, `away` is who stands first in American tickers.
        let word = if home { "home" } else { "away" };
        let points = tenths(line);
        Draft {
            kind: "spreads",
            bet: Bet::Spread { home, line },
            question: format!("Spread: {favourite} ({points})"),
            group: format!("Spread {points}"),
            suffix: format!("spread-{word}-{}", tenths(-line).replace('.', "pt")),
            outcomes: [favourite, other],
            line: Some(line),
            slow: if i == 0 { 2 } else { 4 },
        }
    };
    lines.into_iter().enumerate().map(draft).collect()
}

fn totals(game: &Game, event: &EventSpec) -> Vec<Draft> {
    let Some(opening) = game.path.first() else { return Vec::new() };
    let main = half(total_view(opening.total, game.sport.sd_total).0);
    let step = if game.sport.sd_total > 10.0 { 300 } else { 100 };
    let lines = [main, main - step, main + step];
    let draft = |(i, line): (usize, i32)| {
        let points = tenths(line);
        Draft {
            kind: "totals",
            bet: Bet::Over { line },
            outcomes: ["Over".into(), "Under".into()],
            suffix: format!("total-{}", points.replace('.', "pt")),
            question: format!("{}: O/U {points}", event.title),
            group: format!("O/U {points}"),
            line: Some(line),
            slow: if i == 0 { 2 } else { 4 },
        }
    };
    lines.into_iter().filter(|l| *l > 0).enumerate().map(draft).collect()
}

/// Parts of the game, players, and what has no counterpart at the books.
fn others(game: &Game, event: &EventSpec, first_home: bool) -> Vec<Draft> {
    let mut drafts = Vec::new();
    if matches!(game.sport.group, "Basketball" | "American Football") {
        drafts.push(Draft {
            kind: "first_half_moneyline",
            bet: Bet::FirstHalf { home: first_home },
            outcomes: event.teams.clone(),
            suffix: "1h-moneyline".into(),
            question: format!("{}: 1H Moneyline", event.title),
            group: "1H Moneyline".into(),
            line: None,
            slow: 3,
        });
    }
    if game.sport.group == "Baseball" {
        drafts.push(Draft {
            kind: "nrfi",
            bet: Bet::Other { tag: mix(&[game.tag, 71]) },
            outcomes: ["Yes Run".into(), "No Run".into()],
            suffix: "nrfi".into(),
            question: format!("Will there be a run scored in the first inning of {}?", event.title),
            group: "NRFI".into(),
            line: None,
            slow: 5,
        });
    }
    if let (Some(&(key, low, high)), Some(player)) = (game.sport.props.first(), players(game.home).next()) {
        let tag = mix(&[game.tag, 70, name_tag(&player)]);
        let line = ((low + (high - low) * unit(tag)).floor() as i32) * 100 + 50;
        let (figure, points) = (key.split_once('_').map_or(key, |(_, f)| f), tenths(line));
        drafts.push(Draft {
            kind: figure,
            bet: Bet::Other { tag },
            outcomes: ["Yes".into(), "No".into()],
            suffix: format!("{figure}-{}-{}", player.to_lowercase().replace(' ', "-"), points.replace('.', "pt"))
                .replace('_', "-"),
            question: format!("{player}: {} O/U {points}", figure.replace('_', " ")),
            group: format!("{player}: {} O/U {points}", figure.replace('_', " ")),
            line: Some(line),
            slow: 6,
        });
    }
    drafts
}

/// A line on the nearest half, away from zero.
fn half(hundredths: i32) -> i32 {
    match hundredths.rem_euclid(100) {
        50 => hundredths,
        // Quarter lines as well.
        _ if hundredths > 0 => hundredths.div_euclid(100) * 100 + 50,
        _ => -((-hundredths).div_euclid(100) * 100 + 50),
    }
}

/// `-450` as `-4.5`.
pub fn tenths(hundredths: i32) -> String {
    format!("{:.1}", f64::from(hundredths) / 100.0)
}

/// `0x` and 64 hexadecimal digits.
fn hex(tag: u64, salt: u64) -> String {
    let part = |i: u64| mix(&[tag, salt, i]);
    format!("0x{:016x}{:016x}{:016x}{:016x}", part(0), part(1), part(2), part(3))
}

/// A token id: 76 or 77 digits, as the exchange's are, below 2^256.
fn token(tag: u64, side: u64) -> String {
    let part = |i: u64| mix(&[tag, 30 + side, i]);
    let mut digits = format!("{}", 1 + part(0) % 9);
    let wanted = 76 + (part(1) % 2) as usize;
    let mut i = 2;
    while digits.len() < wanted {
        digits.push_str(&format!("{:018}", part(i) % 1_000_000_000_000_000_000));
        i += 1;
    }
    digits.truncate(wanted);
    digits
}

#[cfg(test)]
mod tests {
    use super::super::super::scenario::Scenario;
    use super::*;

    #[test]
    fn games_are_listed_with_ids_of_their_own() {
        let world = World::new(&Scenario::load("demo").expect("demo"), Timestamp::from_secs(1_795_212_000));
        let catalog = Catalog::of(&world);
        assert_eq!(catalog.events.len(), 28);
        let unique = |mut all: Vec<String>| {
            let n = all.len();
            all.sort();
            all.dedup();
            assert_eq!(all.len(), n);
        };
        unique(catalog.markets.iter().map(|m| m.slug.clone()).collect());
        unique(catalog.markets.iter().map(|m| m.condition.clone()).collect());
        unique(catalog.markets.iter().flat_map(|m| m.tokens.clone()).collect());
        unique(catalog.events.iter().map(|e| e.slug.clone()).collect());
        for m in &catalog.markets {
            assert!(m.tokens.iter().all(|t| (76..=77).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit())));
            assert_eq!(m.condition.len(), 66);
            assert!(m.line.is_none_or(|l| l.rem_euclid(100) == 50), "{}", m.question);
            assert!(m.slug.is_ascii(), "{}", m.slug);
        }
        let nba: Vec<&MarketSpec> = catalog.markets.iter().filter(|m| m.event == 0).collect();
        let kinds: Vec<&str> = nba.iter().map(|m| m.kind).collect();
        assert_eq!(
            kinds,
            [
                "moneyline",
                "spreads",
                "spreads",
                "spreads",
                "totals",
                "totals",
                "totals",
                "first_half_moneyline",
                "points"
            ]
        );
    }

    #[test]
    fn lines_lie_on_halves() {
        for (line, want) in [(-450, -450), (-400, -450), (300, 350), (0, -50), (-25, -50), (275, 250), (-275, -250)] {
            assert_eq!(half(line), want, "{line}");
        }
    }
}
