//! The fair price of one question: of all books, and without each of them; and what the board as a whole says.
//!
//! Votes: a book's weight from the table, less with every half-life of its age and with its margin, shared with its sisters (a family votes
//! with the weight of its heaviest member). The mean is robust, see [`super::robust`]. A book is judged against the fair
//! price without its whole family: a sister is not an independent opinion.

use serde::Serialize;

use super::robust::{self, Vote};
use super::scale::{Scale, from_log_odds};
use super::unit::Layout;
use super::view::{BookView, Exclusion};
use crate::market::books::BookKind;
use crate::market::ids::BookId;
use crate::market::line::Line;
use crate::market::time::Timestamp;

/// What the calculation knows of a book.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Voter {
    /// Number of its family.
    pub family: u16,
    /// Kind of business.
    pub kind: BookKind,
    /// Vote before families and age; 0 is shown, not counted.
    pub weight: f64,
}

/// How votes become a price.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct FairRule {
    /// A vote is halved with every so many milliseconds of age.
    pub half_life_ms: i64,
    /// Books of the board consensus, at least.
    pub min_books: usize,
    /// Independent families of a fair price, at least; or one sharp book and one other.
    pub min_families: u16,
    /// Full votes up to this distance from the median, as a share of the standard deviation of results.
    pub clip_share: f64,
    /// The same for log-odds.
    pub clip_log_odds: f64,
    /// A published fair price moves by at least so much probability.
    pub step: f64,
}

/// A fair price.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Fair {
    /// On the question's scale: points, or log-odds of each side.
    pub values: [f64; 3],
    /// Vig-free probability of each side at the reference line, conditional on no push. They sum to 1.
    pub probability: [f64; 3],
    /// Of the first value.
    pub standard_error: f64,
    /// Effective number of independent books.
    pub effective: f64,
    /// Families whose vote counts.
    pub families: u16,
}

/// What the board says: medians over its books, each counted once.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Consensus {
    /// Median line, as the first side sees it.
    pub line: Option<Line>,
    /// Median vig-free probability of the first side at that line.
    pub probability: f64,
    /// Median value on the scale.
    pub value: f64,
    /// Population standard deviation: of values in points, or of probabilities.
    pub dispersion: f64,
    /// Books counted.
    pub books: u16,
}

/// A book's part in a fair price.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Part {
    /// Its share of one family vote after age, before clipping.
    pub weight: f64,
    /// Share of that which counts, given its distance from the median.
    pub share: f64,
}

/// Everything that one question's quotes say at one instant.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Priced {
    /// The modal line of the votes, ties to the sharper book; `None` where the market has no line.
    pub reference: Option<Line>,
    /// The fair price of all books.
    pub all: Option<Fair>,
    /// Without one family: (family, fair). In rising order of families.
    pub without: Vec<(u16, Option<Fair>)>,
    /// The board consensus, if enough books stand on it.
    pub consensus: Option<Consensus>,
    /// Books counted.
    pub books: u16,
}

impl Priced {
    /// The fair price that a book of `family` is judged against. A family without a vote is judged against all.
    pub fn without(&self, family: u16) -> Option<&Fair> {
        match self.without.binary_search_by_key(&family, |(f, _)| *f) {
            Ok(at) => self.without.get(at).and_then(|(_, fair)| fair.as_ref()),
            Err(_) => self.all.as_ref(),
        }
    }
}

/// Space that calculations use again and again.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    votes: [Vec<Vote>; 3],
    families: Vec<(u16, f64, f64, bool)>,
    sums: Vec<f64>,
    sorted: Vec<f64>,
    lines: Vec<(Line, f64, f64)>,
    stands: Vec<(Line, u16, f64)>,
    books: Vec<(usize, u16, f64)>,
}

/// A market with this margin has the weight of the book table: -110 on both sides.
pub const USUAL_MARGIN: f64 = 1.0 / 21.0;
/// Margins below are no surer sign of a sharp price.
pub const LEAST_MARGIN: f64 = 0.025;

/// What a book's own vote weighs, before its sisters.
///
/// Table weight, halved with every half-life of age, times (usual margin / margin)². What is not known of a price is how
/// its margin lies on the sides; that error grows with the margin, and a vote weighs as the inverse of its variance. In
/// the recorded NFL weeks this took the error of the fair price 3 to 24 hours before the start from 1.00 to 0.98 of the
/// plain median's.
///
/// `margin` is Σ 1/d - 1. Ages count in whole minutes: seconds say more about our looks than about the price.
pub fn single_weight(table: f64, margin: f64, age_ms: i64, rule: &FairRule) -> f64 {
    let relative = USUAL_MARGIN / margin.max(LEAST_MARGIN);
    let minutes = age_ms / 60_000 * 60_000;
    let fresh = if minutes == 0 { 1.0 } else { 0.5_f64.powf(minutes as f64 / rule.half_life_ms.max(1) as f64) };
    table * relative * relative * fresh
}

/// Distance from the median up to which a vote counts in full, and the smallest spread believed, in units of a value.
///
/// In points a share of the standard deviation of results, which is one distance in probability near the middle. In
/// log-odds the same distance in probability around `centre`: long shots differ by more log-odds without disagreeing.
pub fn tuning(scale: Scale<'_>, sd: f64, rule: &FairRule, centre: f64) -> (f64, f64) {
    match scale {
        Scale::Points(_) => (rule.clip_share * sd, 0.004 * sd),
        Scale::LogOdds => {
            let slope = slope(centre);
            (rule.clip_log_odds / slope, 0.01 / slope)
        }
    }
}

/// How far probability goes with log-odds around `centre`, 1 at even chances: 4 p (1 - p), at least 0.01.
pub fn slope(centre: f64) -> f64 {
    let p = from_log_odds(centre);
    (4.0 * p * (1.0 - p)).max(0.01)
}

fn centre(votes: &[Vote]) -> f64 {
    robust::weighted_median(votes, None).unwrap_or_default()
}

/// Prices one question. `voter` tells of a book; `sd` is the standard deviation of results where the scale is points; of two
/// lines in the middle of the board the consensus takes the one nearer to `stay`.
/// `views` learn why they do not count, where that shows only among others (`other_line`, `no_vote`, `outlier`); of an
/// outlier the values stay. Cost: the square of the number of families.
#[allow(clippy::too_many_arguments)]
pub fn price(
    views: &mut [BookView],
    layout: Layout,
    scale: Scale<'_>,
    sd: f64,
    at: Timestamp,
    rule: &FairRule,
    stay: Option<Line>,
    voter: impl Fn(BookId) -> Voter,
    scratch: &mut Scratch,
    out: &mut Priced,
) {
    out.without.clear();
    views.iter_mut().for_each(|v| v.excluded = v.own);
    (out.all, out.consensus, out.books) = (None, None, 0);
    out.reference = reference_line(views, &voter, scratch);
    if !scale.has_model() {
        for view in views.iter_mut().filter(|v| v.counts() && v.line != out.reference) {
            view.excluded = Some(Exclusion::OtherLine);
        }
    }
    out.consensus = consensus(views, layout, scale, rule, stay, &voter, scratch);
    out.books = collect(views, layout, scale, at, rule, &voter, scratch);
    if scratch.families.is_empty() {
        return;
    }
    let tunings = [0, 1, 2].map(|i| tuning(scale, sd, rule, scratch.votes.get(i).map_or(0.0, |v| centre(v))));
    out.all = fair(layout, scale, out.reference, &tunings, None, rule, scratch);
    for at in 0..scratch.families.len() {
        let without = fair(layout, scale, out.reference, &tunings, Some(at as u16), rule, scratch);
        let family = scratch.families.get(at).map_or(0, |(family, ..)| *family);
        out.without.push((family, without));
    }
    out.without.sort_unstable_by_key(|(family, _)| *family);
    if let Some(centre) = scratch.votes.first().and_then(|v| robust::weighted_median(v, None)) {
        for view in views.iter_mut().filter(|v| v.counts()) {
            if robust::share(view.values.first().copied().unwrap_or_default() - centre, tunings[0].0) <= 0.0 {
                view.excluded = Some(Exclusion::Outlier);
            }
        }
    }
}

/// The line that most weight stands on (sisters at one line stand there once), ties to the heavier single book, then to
/// the smaller distance from zero.
fn reference_line(views: &[BookView], voter: &impl Fn(BookId) -> Voter, scratch: &mut Scratch) -> Option<Line> {
    let Scratch { lines, stands, .. } = scratch;
    lines.clear();
    stands.clear();
    for view in views.iter().filter(|v| v.counts()) {
        let (Some(line), Voter { family, weight, .. }) = (view.line, voter(view.book)) else { continue };
        match stands.iter_mut().find(|(l, f, _)| *l == line && *f == family) {
            Some((.., heaviest)) => *heaviest = heaviest.max(weight),
            None => stands.push((line, family, weight)),
        }
    }
    for (line, _, weight) in stands.iter() {
        match lines.iter_mut().find(|(l, ..)| l == line) {
            Some((_, sum, heaviest)) => (*sum, *heaviest) = (*sum + weight, heaviest.max(*weight)),
            None => lines.push((*line, *weight, *weight)),
        }
    }
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    lines
        .iter()
        .max_by(|(la, sa, ha), (lb, sb, hb)| {
            let by_weight = if near(*sa, *sb) { std::cmp::Ordering::Equal } else { sa.total_cmp(sb) };
            let by_heaviest = if near(*ha, *hb) { std::cmp::Ordering::Equal } else { ha.total_cmp(hb) };
            by_weight
                .then(by_heaviest)
                .then(lb.hundredths().abs().cmp(&la.hundredths().abs()))
                .then(lb.hundredths().cmp(&la.hundredths()))
        })
        .map(|(line, ..)| *line)
}

/// Gathers the votes, each value's in rising order. Answers how many books vote.
fn collect(
    views: &mut [BookView],
    layout: Layout,
    scale: Scale<'_>,
    at: Timestamp,
    rule: &FairRule,
    voter: &impl Fn(BookId) -> Voter,
    scratch: &mut Scratch,
) -> u16 {
    scratch.books.clear();
    scratch.families.clear();
    for (place, view) in views.iter_mut().enumerate().filter(|(_, v)| v.counts()) {
        let Voter { family, kind, weight } = voter(view.book);
        if weight <= 0.0 {
            view.excluded = Some(Exclusion::NoVote);
            continue;
        }
        let aged = single_weight(weight, view.raw_sum - 1.0, view.age(at), rule);
        let sharp = kind == BookKind::Sharp;
        // In the order of views: numbers of families depend on the order in which they were met, sums must not.
        match scratch.families.iter_mut().find(|(f, ..)| *f == family) {
            Some((_, sum, heaviest, any_sharp)) => {
                (*sum, *heaviest, *any_sharp) = (*sum + aged, heaviest.max(aged), *any_sharp || sharp);
            }
            None => scratch.families.push((family, aged, aged, sharp)),
        }
        scratch.books.push((place, family, aged));
    }
    let values = match (scale, layout) {
        (Scale::LogOdds, Layout::ThreeWay) => 3,
        _ => 1,
    };
    for (n, votes) in scratch.votes.iter_mut().enumerate() {
        votes.clear();
        if n >= values {
            continue;
        }
        for (place, family, aged) in &scratch.books {
            let Some(found) = scratch.families.iter().position(|(f, ..)| f == family) else { continue };
            let Some((_, sum, heaviest, _)) = scratch.families.get(found) else { continue };
            let value = views.get(*place).and_then(|v| v.values.get(n)).copied().unwrap_or_default();
            votes.push(Vote { family: found as u16, weight: heaviest * aged / sum, value });
        }
        // Equal values in the order of books, which is that of their numbers: sums do not depend on chance.
        votes.sort_by(|a, b| a.value.total_cmp(&b.value));
    }
    scratch.books.len() as u16
}

#[allow(clippy::too_many_arguments)]
fn fair(
    layout: Layout,
    scale: Scale<'_>,
    reference: Option<Line>,
    tunings: &[(f64, f64); 3],
    without: Option<u16>,
    rule: &FairRule,
    scratch: &mut Scratch,
) -> Option<Fair> {
    let Scratch { votes, families, sums, .. } = scratch;
    let [first, second, third] = votes;
    let [(clip, floor), (clip_two, floor_two), (clip_three, floor_three)] = *tunings;
    let one = robust::estimate(first, without, clip, floor, sums)?;
    // Enough independent opinions: three, or a sharp one and another.
    let sharp = families.iter().zip(sums.iter()).any(|((.., sharp), w)| *sharp && *w > 0.0);
    if one.families < rule.min_families && !(sharp && one.families >= 2) {
        return None;
    }
    let mut fair = Fair {
        values: [one.value, 0.0, 0.0],
        probability: [0.0; 3],
        standard_error: one.standard_error,
        effective: one.effective,
        families: one.families,
    };
    if matches!((scale, layout), (Scale::LogOdds, Layout::ThreeWay)) {
        let two = robust::estimate(second, without, clip_two, floor_two, sums)?;
        let three = robust::estimate(third, without, clip_three, floor_three, sums)?;
        let p = [one.value, two.value, three.value].map(from_log_odds);
        let sum: f64 = p.iter().sum();
        fair.probability = p.map(|p| p / sum);
        fair.values = fair.probability.map(super::scale::log_odds);
    } else {
        let p = scale.probability(layout, reference, one.value)?;
        fair.probability = [p, 1.0 - p, 0.0];
    }
    Some(fair)
}

fn consensus(
    views: &[BookView],
    layout: Layout,
    scale: Scale<'_>,
    rule: &FairRule,
    stay: Option<Line>,
    voter: &impl Fn(BookId) -> Voter,
    scratch: &mut Scratch,
) -> Option<Consensus> {
    let counted = || views.iter().filter(|v| v.counts() && voter(v.book).weight > 0.0);
    let books = counted().count();
    if books < rule.min_books.max(1) {
        return None;
    }
    let values = &mut scratch.sorted;
    let first = |v: &BookView| v.values.first().copied().unwrap_or_default();
    values.clear();
    values.extend(counted().map(first));
    values.sort_by(f64::total_cmp);
    let value = median(values)?;
    let line = median_line(counted().filter_map(|v| v.line), stay);
    let probability = scale.probability(layout, line, value)?;
    values.clear();
    match scale {
        Scale::Points(_) => values.extend(counted().map(first)),
        Scale::LogOdds => values.extend(counted().map(|v| v.fair.first().copied().unwrap_or_default())),
    }
    Some(Consensus { line, probability, value, dispersion: deviation(values), books: books as u16 })
}

/// The median of sorted values; the middle between the two in the middle of an even number.
pub fn median(sorted: &[f64]) -> Option<f64> {
    let n = sorted.len();
    let upper = *sorted.get(n / 2)?;
    if n % 2 == 1 { Some(upper) } else { Some(0.5 * (upper + sorted.get(n / 2 - 1)?)) }
}

/// The median of lines, always one that some book has. An even number has two in the middle: the one nearer to `stay` is
/// taken, so that a split board does not flicker; without one, the one nearer to zero.
pub fn median_line(lines: impl Iterator<Item = Line>, stay: Option<Line>) -> Option<Line> {
    let mut sorted: Vec<i32> = lines.map(Line::hundredths).collect();
    sorted.sort_unstable();
    let n = sorted.len();
    let upper = *sorted.get(n / 2)?;
    if n % 2 == 1 {
        return Some(Line::from_hundredths(upper));
    }
    let lower = *sorted.get(n / 2 - 1)?;
    let target = stay.map_or(0, Line::hundredths);
    let near = |x: i32| (x - target).abs();
    Some(Line::from_hundredths(if near(upper) < near(lower) { upper } else { lower }))
}

/// Population standard deviation.
pub fn deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n).sqrt()
}

/// What part each book had, for explanations: in the order of `views`, `None` for those without.
pub fn parts(
    views: &[BookView],
    scale: Scale<'_>,
    sd: f64,
    at: Timestamp,
    rule: &FairRule,
    voter: impl Fn(BookId) -> Voter,
) -> Vec<Option<Part>> {
    let voted = |v: &&BookView| matches!(v.excluded, None | Some(Exclusion::Outlier));
    let aged = |v: &BookView| single_weight(voter(v.book).weight, v.raw_sum - 1.0, v.age(at), rule);
    let weight = |v: &BookView| {
        let sisters = || views.iter().filter(voted).filter(|s| voter(s.book).family == voter(v.book).family);
        let sum: f64 = sisters().map(aged).sum();
        let heaviest = sisters().map(aged).fold(0.0, f64::max);
        heaviest * aged(v) / sum
    };
    let mut votes: Vec<Vote> = views
        .iter()
        .filter(voted)
        .map(|v| Vote {
            family: voter(v.book).family,
            weight: weight(v),
            value: v.values.first().copied().unwrap_or_default(),
        })
        .collect();
    votes.sort_by(|a, b| a.value.total_cmp(&b.value));
    let Some(centre) = robust::weighted_median(&votes, None) else { return vec![None; views.len()] };
    let (clip, _) = tuning(scale, sd, rule, centre);
    let part = |v: &BookView| Part {
        weight: weight(v),
        share: robust::share(v.values.first().copied().unwrap_or_default() - centre, clip),
    };
    views.iter().map(|v| voted(&v).then(|| part(v))).collect()
}

#[cfg(test)]
mod tests;
