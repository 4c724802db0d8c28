//! Does the fair price earn its name? For each book left out in turn: how well does the fair price of the others, some
//! hours before the start, foretell the vig-free close of the others, compared with their plain median?
//!
//! Both are judged by the same target, the median over the other books at the close, each with its vig removed and on
//! the question's scale. Books of the left-out book's family stay in the median and in the target, and are out of the
//! fair price: the comparison is never to its advantage.

use serde::Serialize;

use crate::engine::EngineSettings;
use crate::engine::appraise::{Appraisal, Appraiser, BookPart};
use crate::engine::grade::interval::student;
use crate::engine::names::Names;
use crate::engine::price::fair::median;
use crate::market::ids::{EventId, SportId};
use crate::market::time::Timestamp;
use crate::store::{Reader, StoreError};

const HOUR: i64 = 3_600_000;
/// The last look before the start may be so old. Milliseconds.
const CLOSE_WITHIN: i64 = HOUR;
/// Other books at the close, at least.
const MIN_BOOKS: usize = 3;

/// What to check.
#[derive(Clone, PartialEq, Debug)]
pub struct FairCheck {
    /// Sport; `None`: every sport.
    pub sport: Option<SportId>,
    /// Hours before the start.
    pub hours: Vec<f64>,
}

/// The result for one sport, market and distance to the start.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct FairCheckRow {
    /// Sport key.
    pub sport: String,
    /// Market key.
    pub market: String,
    /// Unit of the errors: `points` or `log_odds`.
    pub scale: &'static str,
    /// Hours before the start.
    pub hours: f64,
    /// Games.
    pub games: usize,
    /// Pairs of game and left-out book.
    pub pairs: usize,
    /// Root mean square error of the fair price.
    pub rmse_fair: f64,
    /// Root mean square error of the plain median of the other books.
    pub rmse_median: f64,
    /// `rmse_fair / rmse_median`: below 1 the fair price is better.
    pub ratio: f64,
    /// Lower end of its 95 % interval, clustered by game.
    pub ratio_low: Option<f64>,
    /// Upper end.
    pub ratio_high: Option<f64>,
}

/// Squared errors of one game, summed over left-out books.
#[derive(Clone, Copy, Debug, Default)]
struct Game {
    fair: f64,
    median: f64,
    pairs: usize,
}

/// Runs the check over a store. `progress` hears of games done out of all.
///
/// # Errors
/// [`StoreError`].
pub fn fair_check(
    reader: &Reader,
    settings: &EngineSettings,
    check: &FairCheck,
    mut progress: impl FnMut(usize, usize),
) -> Result<Vec<FairCheckRow>, StoreError> {
    let names: Names = reader.names()?;
    let mut appraiser = Appraiser::new(settings.clone(), names);
    let events = reader.events(check.sport)?;
    let mut found: Vec<(String, String, &'static str, usize, Game)> = Vec::new();
    let all = events.len();
    for (done, row) in events.into_iter().enumerate() {
        progress(done, all);
        let (id, start) = (row.id, row.commence);
        let close = at(reader, &mut appraiser, id, start.plus(-1))?;
        let sport = appraiser.names().sport(row.sport).to_owned();
        for (place, hours) in check.hours.iter().enumerate() {
            let early = at(reader, &mut appraiser, id, start.plus((-hours * HOUR as f64) as i64))?;
            for now in &early {
                let Some(then) = close.iter().find(|c| c.key == now.key) else { continue };
                if !matches!(now.market.as_str(), "h2h" | "spreads" | "totals") {
                    continue;
                }
                let game = compare(now, then);
                if game.pairs > 0 {
                    found.push((sport.clone(), now.market.clone(), now.scale, place, game));
                }
            }
        }
    }
    let mut keys: Vec<_> = found.iter().map(|(s, m, scale, h, _)| (s.clone(), m.clone(), *scale, *h)).collect();
    keys.sort();
    keys.dedup();
    let rows = keys.into_iter().map(|key| {
        let games: Vec<Game> = found
            .iter()
            .filter(|(s, m, scale, h, _)| (s, m, scale, h) == (&key.0, &key.1, &key.2, &key.3))
            .map(|(.., game)| *game)
            .collect();
        let hours = check.hours.get(key.3).copied().unwrap_or_default();
        row(key.0, key.1, key.2, hours, &games)
    });
    Ok(rows.collect())
}

fn at(reader: &Reader, appraiser: &mut Appraiser, event: EventId, at: Timestamp) -> Result<Vec<Appraisal>, StoreError> {
    let Some(then) = reader.event_as_of(event, at)? else { return Ok(Vec::new()) };
    Ok(appraiser.event(then.row, then.quotes, at, &[]))
}

/// A book whose value can be used, seen at most [`CLOSE_WITHIN`] ago.
fn usable(part: &&BookPart) -> bool {
    let open = matches!(part.excluded, None | Some("outlier" | "no_vote"));
    open && part.value.is_some() && part.received_seconds_ago * 1000.0 <= CLOSE_WITHIN as f64
}

fn median_without(appraisal: &Appraisal, book: &str) -> Option<f64> {
    let others = appraisal.books.iter().filter(usable).filter(|p| p.book != book);
    let mut values: Vec<f64> = others.filter_map(|p| p.value).collect();
    values.sort_by(f64::total_cmp);
    if values.len() >= MIN_BOOKS { median(&values) } else { None }
}

fn compare(now: &Appraisal, close: &Appraisal) -> Game {
    let mut game = Game::default();
    for part in now.books.iter().filter(usable) {
        let (Some(fair), Some(plain), Some(target)) =
            (&part.without, median_without(now, &part.book), median_without(close, &part.book))
        else {
            continue;
        };
        game.fair += (fair.value - target).powi(2);
        game.median += (plain - target).powi(2);
        game.pairs += 1;
    }
    game
}

/// The ratio of two sums over games and its interval: by the delta method for a ratio of means (W. G. Cochran,
/// *Sampling Techniques*, 1977, section 6.3), on the logarithm, with Student's t for the number of games.
fn row(sport: String, market: String, scale: &'static str, hours: f64, games: &[Game]) -> FairCheckRow {
    let pairs: usize = games.iter().map(|g| g.pairs).sum();
    let (fair, plain) = games.iter().fold((0.0, 0.0), |(a, b), g| (a + g.fair, b + g.median));
    let ratio = fair / plain;
    let n = games.len() as f64;
    let spread: f64 = games.iter().map(|g| (g.fair - ratio * g.median).powi(2)).sum::<f64>() * n / (n - 1.0);
    let error = spread.sqrt() / plain / ratio;
    let t = student((games.len() as u32).saturating_sub(1)).filter(|_| error.is_finite());
    let bound = |sign: f64| t.map(|t| (0.5 * (ratio.ln() + sign * t * error)).exp());
    FairCheckRow {
        sport,
        market,
        scale,
        hours,
        games: games.len(),
        pairs,
        rmse_fair: (fair / pairs as f64).sqrt(),
        rmse_median: (plain / pairs as f64).sqrt(),
        ratio: ratio.sqrt(),
        ratio_low: bound(-1.0),
        ratio_high: bound(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_of_equal_errors_is_one_and_its_interval_has_no_width() {
        let games = [Game { fair: 1.0, median: 1.0, pairs: 2 }, Game { fair: 3.0, median: 3.0, pairs: 2 }];
        let r = row("s".into(), "spreads".into(), "points", 3.0, &games);
        assert_eq!((r.ratio, r.ratio_low, r.ratio_high), (1.0, Some(1.0), Some(1.0)));
        assert_eq!((r.rmse_fair, r.games, r.pairs), (1.0, 2, 4));
    }

    #[test]
    fn one_game_has_no_interval() {
        let r = row("s".into(), "h2h".into(), "log_odds", 3.0, &[Game { fair: 1.0, median: 4.0, pairs: 4 }]);
        assert_eq!(r.ratio, 0.5);
        assert_eq!(r.ratio_low, None);
    }
}
