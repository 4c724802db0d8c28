//! Markets beyond the featured three: alternates, periods, team totals, propositions. Only before the start.

use std::borrow::Cow;

use super::books::Kind;
use super::market_maker::{Ask, Belief, MarketMaker};
use super::pricing::{Margins, over, total_view};
use super::rng::{mix, name_tag, signed};
use super::script::Featured;
use super::sports::SportProfile;
use super::view::MarketView;

/// Periods, as (ending of the key, share of the game).
const PERIODS: &[(&str, f64)] = &[
    ("_h1", 0.5),
    ("_h2", 0.5),
    ("_q1", 0.25),
    ("_q2", 0.25),
    ("_q3", 0.25),
    ("_q4", 0.25),
    ("_p1", 1.0 / 3.0),
    ("_p2", 1.0 / 3.0),
    ("_p3", 1.0 / 3.0),
    ("_1st_1_innings", 1.0 / 9.0),
    ("_1st_3_innings", 3.0 / 9.0),
    ("_1st_5_innings", 5.0 / 9.0),
    ("_1st_7_innings", 7.0 / 9.0),
];

/// Keys without a period that are understood, offered or not.
const PLAIN: &[&str] = &[
    "h2h",
    "spreads",
    "totals",
    "h2h_lay",
    "outrights",
    "outrights_lay",
    "alternate_spreads",
    "alternate_totals",
    "team_totals",
    "alternate_team_totals",
    "btts",
    "draw_no_bet",
    "double_chance",
    "h2h_3_way",
];

/// A market key that the provider would not refuse.
pub fn is_known(key: &str) -> bool {
    PLAIN.contains(&key)
        || ["player_", "batter_", "pitcher_"].iter().any(|p| key.starts_with(p))
        || period(key).is_some_and(|(base, _)| PLAIN.contains(&base))
}

fn period(key: &str) -> Option<(&str, f64)> {
    PERIODS.iter().find_map(|&(ending, share)| Some((key.strip_suffix(ending)?, share)))
}

/// The extra markets that a book offers on a game of this sport.
pub fn offered(sport: &SportProfile, kind: Kind) -> Vec<&'static str> {
    let mut keys = vec!["alternate_spreads", "alternate_totals"];
    if sport.draw {
        keys.push("draw_no_bet");
    }
    if kind != Kind::Exchange {
        keys.push("team_totals");
        keys.extend(match sport.group {
            "Ice Hockey" => ["h2h_p1", "spreads_p1", "totals_p1"],
            "Baseball" => ["h2h_1st_5_innings", "spreads_1st_5_innings", "totals_1st_5_innings"],
            _ => ["h2h_h1", "spreads_h1", "totals_h1"],
        });
    }
    if kind == Kind::Retail {
        keys.extend(sport.props.iter().map(|p| p.0));
    }
    keys
}

impl MarketMaker {
    /// A market of any key; nothing when the book does not offer it.
    pub fn any(&mut self, ask: &Ask<'_>, key: &str, out: &mut Vec<MarketView>) {
        if let Some(market) = Featured::from_key(key) {
            return self.featured(ask, market, out);
        }
        let Some(key) = offered(ask.game.sport, ask.desk.book.kind).into_iter().find(|k| *k == key) else { return };
        if !ask.belief.pregame {
            return;
        }
        let (sport, b) = (ask.game.sport, ask.belief);
        let outcomes = match key {
            "alternate_spreads" => {
                let margins = Margins::new(sport, b.margin, b.sd_margin);
                let main = self.margin_view(ask.game, b).line;
                (-6..=6)
                    .flat_map(|i| {
                        let line = main + 50 * i;
                        ask.spread(line, margins.cover(line))
                    })
                    .collect()
            }
            "alternate_totals" => {
                let main = total_view(b.total, b.sd_total).0;
                (-6..=6)
                    .map(|i| main + 50 * i)
                    .filter(|&line| line > 0)
                    .flat_map(|line| ask.total(line, over(b.total, b.sd_total, line), None))
                    .collect()
            }
            "team_totals" => [(ask.game.home, b.margin), (ask.game.away, -b.margin)]
                .into_iter()
                .flat_map(|(team, lead)| {
                    let (line, over) = total_view((b.total + lead) / 2.0, b.sd_total / std::f64::consts::SQRT_2);
                    ask.total(line, over, Some(&Cow::Borrowed(team)))
                })
                .collect(),
            "draw_no_bet" => {
                let v = self.margin_view(ask.game, b);
                let mut outcomes = ask.spread(0, v.home / (1.0 - v.draw).max(0.01));
                outcomes.iter_mut().for_each(|o| o.point = None);
                outcomes
            }
            key if period(key).is_some() => return self.part(ask, key, out),
            key => propositions(ask, key),
        };
        out.push(MarketView { key: Cow::Borrowed(key), last_update: ask.seen, outcomes });
    }

    /// A featured market of a part of the game.
    fn part(&mut self, ask: &Ask<'_>, key: &'static str, out: &mut Vec<MarketView>) {
        let Some((base, share)) = period(key) else { return };
        let Some(market) = Featured::from_key(base) else { return };
        let b = ask.belief;
        let root = share.sqrt();
        let belief = Belief {
            margin: b.margin * share,
            sd_margin: b.sd_margin * root,
            total: b.total * share,
            sd_total: b.sd_total * root,
            extra: [0.0; 3],
            // A fixed run line is for whole games.
            pregame: false,
        };
        let mut made = Vec::new();
        self.featured(&Ask { belief: &belief, ..*ask }, market, &mut made);
        out.extend(made.into_iter().take(1).map(|m| MarketView { key: Cow::Borrowed(key), ..m }));
    }
}

const FIRST: &[&str] = &["Avery", "Blake", "Casey", "Devin", "Emery", "Finley", "Harper", "Jordan", "Kendall", "Logan"];
const LAST: &[&str] =
    &["Ashford", "Brooks", "Calder", "Dunmore", "Ellery", "Fenwick", "Garrow", "Holt", "Ives", "Keaton"];

/// Players are invented: three a team, the same for every market of the game.
fn propositions(ask: &Ask<'_>, key: &str) -> Vec<super::view::OutcomeView> {
    let Some(&(_, low, high)) = ask.game.sport.props.iter().find(|p| p.0 == key) else { return Vec::new() };
    players(ask.game.home)
        .chain(players(ask.game.away))
        .flat_map(|player| {
            let tag = mix(&[ask.game.tag, name_tag(&player), name_tag(key)]);
            let mean = low + (high - low) * (0.5 + 0.5 * signed(tag));
            let own = mean * (1.0 + 0.02 * signed(mix(&[tag, ask.desk.tag])));
            let line = own.floor() as i32 * 100 + 50;
            let p = over(own + 0.5, (mean * 0.35).max(0.8), line);
            ask.total(line, p, Some(&Cow::Owned(player)))
        })
        .collect()
}

/// The invented players of a team.
pub fn players(team: &str) -> impl Iterator<Item = String> {
    let tag = name_tag(team) as usize;
    let pick = |names: &'static [&'static str], i: usize| names.get(i % names.len()).copied().unwrap_or_default();
    (0..3usize).map(move |i| format!("{} {}", pick(FIRST, tag % 97 + 3 * i), pick(LAST, tag % 89 + i)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_understood_by_pattern() {
        for key in ["h2h", "alternate_spreads_q1", "totals_1st_5_innings", "player_points", "pitcher_strikeouts"] {
            assert!(is_known(key), "{key}");
        }
        for key in ["", "moneyline", "spreads_q9", "h2h_"] {
            assert!(!is_known(key), "{key}");
        }
    }
}
