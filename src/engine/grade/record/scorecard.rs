//! Scorecards: a type in a market, a time bucket and a sport, with its stability over months and its tier.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use chrono::Datelike;
use serde::Serialize;

use super::filter::{Filter, Grades};
use super::stats::{Sign, Stats, graded};
use super::summary::grouped;
use crate::engine::detect::signal::SignalType;
use crate::engine::grade::clv::ClvRow;
use crate::market::bucket::TimeBucket;

/// How far a type has proven itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub enum RecordTier {
    /// 500 graded events, 58 % positive, and more than half even at the lower bound.
    S,
    /// 100 graded events, 54 % positive, and more than half even at the lower bound.
    A,
    /// 30 graded events, 52 % positive.
    B,
    /// Everything else: too little, or not good.
    C,
}

impl RecordTier {
    /// The tier of a record.
    pub fn of(stats: &Stats) -> Self {
        let at_least = |events, rate| stats.events >= events && stats.positive_rate.is_some_and(|r| r >= rate);
        let sure = stats.positive_rate_low.is_some_and(|low| low > 0.5);
        if at_least(500, 0.58) && sure {
            Self::S
        } else if at_least(100, 0.54) && sure {
            Self::A
        } else if at_least(30, 0.52) {
            Self::B
        } else {
            Self::C
        }
    }
}

/// One calendar month (UTC, by the start of the game).
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Month {
    /// `2026-11`.
    pub month: String,
    /// Graded signals.
    pub signals: u32,
    /// Mean expected profit against the vig-free close.
    pub mean_clv_ev: f64,
}

/// One type in one market, time bucket and sport.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Scorecard {
    /// Type of the signals.
    #[serde(rename = "type")]
    pub kind: SignalType,
    /// Market key.
    pub market: String,
    /// Time to the start at detection.
    pub time_bucket: TimeBucket,
    /// Sport key.
    pub sport: String,
    /// How far it has proven itself.
    pub tier: RecordTier,
    /// What the signals were worth.
    #[serde(flatten)]
    pub stats: Stats,
    /// Share of the months below whose mean has the same three-way sign as the mean of all; absent without graded
    /// signals. Months count alike, however many signals they have.
    pub months_same_sign: Option<f64>,
    /// Months with graded signals, oldest first.
    pub months: Vec<Month>,
}

/// The record by type, market, time bucket and sport. `rows`: the newest version of each.
///
/// Order: by the lower end of the interval of the mean, what is surest to make money first; then groups without an
/// interval (a single game); last the proven losers, whose whole interval is below zero, for a narrow interval must not
/// lift a loss above what is merely uncertain. Ties by the keys.
pub fn scorecards(rows: &[ClvRow], filter: &Filter) -> Vec<Scorecard> {
    let mut cards: Vec<_> =
        grouped(rows, filter, |row| (row.kind, row.market.as_str(), row.time_bucket, row.sport.as_str()))
            .into_iter()
            .map(|((kind, market, time_bucket, sport), rows, stats)| {
                let months = months(&rows, filter.grades);
                let months_same_sign = stats.mean_clv_ev.map(Sign::of).filter(|_| !months.is_empty()).map(|sign| {
                    let same = months.iter().filter(|m| Sign::of(m.mean_clv_ev) == sign).count();
                    same as f64 / months.len() as f64
                });
                Scorecard {
                    kind,
                    market: market.to_owned(),
                    time_bucket,
                    sport: sport.to_owned(),
                    tier: RecordTier::of(&stats),
                    stats,
                    months_same_sign,
                    months,
                }
            })
            .collect();
    // Groups come by their keys, and the sort keeps that order among equals.
    cards.sort_by(best_first);
    cards
}

fn best_first(a: &Scorecard, b: &Scorecard) -> Ordering {
    let low = |card: &Scorecard| card.stats.mean_clv_ev_low.unwrap_or(f64::NEG_INFINITY);
    standing(a).cmp(&standing(b)).then_with(|| low(b).total_cmp(&low(a)))
}

/// 0: may be worth something; 1: nothing to judge by; 2: a proven loser.
fn standing(card: &Scorecard) -> u8 {
    match card.stats.mean_clv_ev_high {
        Some(high) if high < 0.0 => 2,
        Some(_) => 0,
        None => 1,
    }
}

fn months(rows: &[&ClvRow], grades: Grades) -> Vec<Month> {
    let mut sums: BTreeMap<(i32, u32), (u32, f64)> = BTreeMap::new();
    for row in rows {
        if let Some(value) = graded(row, grades) {
            let start = row.start.to_chrono();
            let month = sums.entry((start.year(), start.month())).or_default();
            month.0 += 1;
            month.1 += value;
        }
    }
    sums.into_iter()
        .map(|((year, month), (signals, sum))| Month {
            month: format!("{year:04}-{month:02}"),
            signals,
            mean_clv_ev: sum / f64::from(signals),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rows::{any_rows, at, row};
    use super::*;

    fn keys(card: &Scorecard) -> (SignalType, &str, TimeBucket, &str) {
        (card.kind, &card.market, card.time_bucket, &card.sport)
    }

    /// So many games of one signal, of which so many positive.
    fn games(kind: SignalType, events: u32, positive: u32) -> Vec<ClvRow> {
        (0..events)
            .map(|i| ClvRow {
                kind,
                ..row(1000 * u32::from(kind.number()) + i, Some(if i < positive { 0.02 } else { -0.02 }))
            })
            .collect()
    }

    fn tier(events: u32, positive: u32) -> RecordTier {
        scorecards(&games(SignalType::Move, events, positive), &Filter::default())[0].tier
    }

    #[test]
    fn tiers_need_events_rate_and_lower_bound() {
        // Wilson: 290/500 from 53.6 %, 63/100 from 53.2 %, 54/100 from 44.3 %.
        for (events, positive, want) in [
            (500, 290, RecordTier::S),
            (499, 290, RecordTier::A),
            (500, 289, RecordTier::A),
            (100, 63, RecordTier::A),
            (100, 54, RecordTier::B),
            (99, 63, RecordTier::B),
            (30, 16, RecordTier::B),
            (29, 29, RecordTier::C),
            (30, 15, RecordTier::C),
            (500, 259, RecordTier::C),
        ] {
            assert_eq!(tier(events, positive), want, "{positive} of {events}");
        }
    }

    #[test]
    fn many_signals_of_few_games_earn_no_tier() {
        let mut rows = games(SignalType::Move, 600, 400);
        for (i, row) in rows.iter_mut().enumerate() {
            row.signal_id = format!("s{i}");
            row.event_id.0 = i as u32 / 30;
        }
        let card = &scorecards(&rows, &Filter::default())[0];
        assert_eq!((card.stats.graded, card.stats.events, card.tier), (600, 20, RecordTier::C));
    }

    #[test]
    fn reliable_losers_stand_last() {
        let mut rows = games(SignalType::Steam, 40, 24);
        rows.extend(games(SignalType::Move, 200, 60));
        rows.extend(games(SignalType::KeyCross, 1, 1));
        rows.extend(games(SignalType::Dislocation, 10, 5));
        let cards = scorecards(&rows, &Filter::default());
        let order: Vec<_> = cards.iter().map(|c| (c.kind.name(), c.stats.mean_clv_ev_low.is_some())).collect();
        // The lower ends are -0.0023, -0.0151, none and -0.0106: the surest loss has not the lowest.
        assert_eq!(order, [("STEAM", true), ("DISLOCATION", true), ("KEY_CROSS", false), ("MOVE", true)]);
        assert_eq!(cards[3].tier, RecordTier::C);
    }

    #[test]
    fn groups_are_type_market_bucket_and_sport() {
        let mut rows = games(SignalType::Move, 4, 2);
        rows[0].time_bucket = TimeBucket::Open;
        rows[1].sport = "icehockey_nhl".into();
        rows[2].market = "totals".into();
        let cards = scorecards(&rows, &Filter::default());
        let order: Vec<_> = cards.iter().map(keys).collect();
        assert_eq!(
            order,
            [
                (SignalType::Move, "spreads", TimeBucket::Open, "basketball_nba"),
                (SignalType::Move, "spreads", TimeBucket::Late, "basketball_nba"),
                (SignalType::Move, "spreads", TimeBucket::Late, "icehockey_nhl"),
                (SignalType::Move, "totals", TimeBucket::Late, "basketball_nba"),
            ]
        );
        let json = serde_json::to_value(&cards[0]).unwrap();
        assert_eq!((json["time_bucket"].as_str(), json["tier"].as_str()), (Some("OPEN"), Some("C")));
        assert_eq!(json["mean_clv_ev_low"], serde_json::Value::Null);
        assert_eq!(json["months"][0]["month"], "2026-11");
    }

    #[test]
    fn months_are_those_of_the_start() {
        let on = |event, start: &str, ev| ClvRow { start: at(start), ..row(event, Some(ev)) };
        let rows = [
            on(1, "2026-12-31T23:59:59Z", 0.05),
            on(2, "2026-11-01T00:00:00Z", 0.01),
            on(3, "2026-11-30T20:00:00Z", 0.03),
            on(4, "2027-01-01T00:00:00Z", -0.02),
            ClvRow { start: at("2027-02-01T00:00:00Z"), ..row(5, None) },
        ];
        let card = &scorecards(&rows, &Filter::default())[0];
        let months: Vec<_> = card.months.iter().map(|m| (m.month.as_str(), m.signals, m.mean_clv_ev)).collect();
        assert_eq!(months, [("2026-11", 2, 0.02), ("2026-12", 1, 0.05), ("2027-01", 1, -0.02)]);
        assert_eq!(card.months_same_sign, Some(2.0 / 3.0));
    }

    proptest! {
        #[test]
        fn cards_hold_every_signal_and_fall(rows in any_rows()) {
            let cards = scorecards(&rows, &Filter::default());
            prop_assert_eq!(cards.iter().map(|c| c.stats.signals as usize).sum::<usize>(), rows.len());
            let places: Vec<_> =
                cards.iter().map(|c| (standing(c), -c.stats.mean_clv_ev_low.unwrap_or(0.0))).collect();
            prop_assert!(places.windows(2).all(|w| w[0] <= w[1]), "{:?}", places);
            for card in &cards {
                prop_assert_eq!(card.months.iter().map(|m| m.signals).sum::<u32>(), card.stats.graded);
                prop_assert_eq!(card.months_same_sign.is_some(), card.stats.graded > 0);
            }
        }
    }
}
