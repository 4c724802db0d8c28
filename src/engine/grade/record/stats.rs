//! What a group of signals was worth: counts, rates, means, intervals, and what stayed out of them.

use serde::Serialize;

use super::filter::Grades;
use crate::engine::grade::close::NoClose;
use crate::engine::grade::clv::{ClvRow, NoClv};
use crate::engine::grade::interval::{self, Observation};

/// A CLV closer to zero than this is zero: less than any step of any price.
pub const ZERO: f64 = 1e-9;

/// Three-way sign of a CLV.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Below zero.
    Negative,
    /// Closer to zero than [`ZERO`].
    Zero,
    /// Above zero.
    Positive,
}

impl Sign {
    /// The sign of a number.
    pub const fn of(value: f64) -> Self {
        if value.abs() < ZERO {
            Self::Zero
        } else if value > 0.0 {
            Self::Positive
        } else {
            Self::Negative
        }
    }
}

/// Signals that are not graded, by reason. All of them together are `signals - graded`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct LeftOut {
    /// It recommends no side.
    #[serde(rename = "left_out_informational")]
    pub informational: u32,
    /// It recommends a side that nobody offered.
    #[serde(rename = "left_out_no_entry")]
    pub no_entry: u32,
    /// It was detected in play.
    #[serde(rename = "left_out_in_play")]
    pub in_play: u32,
    /// The model does not carry the close to the entry's line.
    #[serde(rename = "left_out_beyond_model")]
    pub beyond_model: u32,
    /// No close: no book had the market open at the last look before the start.
    #[serde(rename = "left_out_no_quotes")]
    pub no_quotes: u32,
    /// No close: no book's price could be used.
    #[serde(rename = "left_out_no_usable_quotes")]
    pub no_usable_quotes: u32,
    /// No close: the event was missing from the last answer before the start.
    #[serde(rename = "left_out_event_missing")]
    pub event_missing: u32,
    /// No close: the market was first seen after the start.
    #[serde(rename = "left_out_only_in_play")]
    pub only_in_play: u32,
    /// No close: the start was moved later and the game has not been played.
    #[serde(rename = "left_out_postponed")]
    pub postponed: u32,
    /// No close yet, or none for a reason that the row does not give.
    #[serde(rename = "left_out_no_close")]
    pub no_close: u32,
    /// There is a CLV, but its close has none of the asked grades.
    #[serde(rename = "left_out_grade")]
    pub grade: u32,
    /// The row has neither a finite CLV nor a reason for its absence. Never seen in a sound store.
    #[serde(rename = "left_out_unexplained")]
    pub unexplained: u32,
}

impl LeftOut {
    /// All reasons together.
    pub const fn total(&self) -> u32 {
        self.informational
            + self.no_entry
            + self.in_play
            + self.beyond_model
            + self.no_quotes
            + self.no_usable_quotes
            + self.event_missing
            + self.only_in_play
            + self.postponed
            + self.no_close
            + self.grade
            + self.unexplained
    }

    fn count(&mut self, row: &ClvRow) {
        let place = match row.left_out {
            Some(NoClv::Informational) => &mut self.informational,
            Some(NoClv::NoEntry) => &mut self.no_entry,
            Some(NoClv::InPlay) => &mut self.in_play,
            Some(NoClv::BeyondModel) => &mut self.beyond_model,
            Some(NoClv::NoClose) => match row.close.reason {
                Some(NoClose::NoQuotes) => &mut self.no_quotes,
                Some(NoClose::NoUsableQuotes) => &mut self.no_usable_quotes,
                Some(NoClose::EventMissing) => &mut self.event_missing,
                Some(NoClose::OnlyInPlay) => &mut self.only_in_play,
                Some(NoClose::Postponed) => &mut self.postponed,
                None => &mut self.no_close,
            },
            None if row.clv_ev.is_some_and(f64::is_finite) && row.close.grade.is_some() => &mut self.grade,
            None => &mut self.unexplained,
        };
        *place += 1;
    }
}

/// What a group of signals was worth. In JSON every field stands beside the keys of the group; `null` is "not known",
/// never zero. CLV is a share of the stake: 0.02 is 2 %.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Stats {
    /// Signals of the group.
    pub signals: u32,
    /// Those with a CLV against a close of an asked grade. Everything below is about them.
    pub graded: u32,
    /// Their events.
    pub events: u32,
    /// How many events of equal size they are worth; the trials behind the interval of the positive rate.
    pub effective_events: f64,
    /// Expected profit against the close above zero.
    pub positive: u32,
    /// Zero.
    pub zero: u32,
    /// Below zero.
    pub negative: u32,
    /// `positive / graded`.
    pub positive_rate: Option<f64>,
    /// Lower end of its 95 % interval: Wilson's, with events as the unit
    /// ([`effective_events`](interval::effective_events)).
    pub positive_rate_low: Option<f64>,
    /// Upper end.
    pub positive_rate_high: Option<f64>,
    /// Mean expected profit against the vig-free close.
    pub mean_clv_ev: Option<f64>,
    /// Lower end of its 95 % interval, clustered by event; absent below two events.
    pub mean_clv_ev_low: Option<f64>,
    /// Upper end.
    pub mean_clv_ev_high: Option<f64>,
    /// Median of the same.
    pub median_clv_ev: Option<f64>,
    /// Lower end of its 95 % interval, clustered by event; absent for a handful of events.
    pub median_clv_ev_low: Option<f64>,
    /// Upper end.
    pub median_clv_ev_high: Option<f64>,
    /// Mean of the points won against the closing line.
    pub mean_clv_points: Option<f64>,
    /// Graded signals that have points. Moneylines have none.
    pub with_clv_points: u32,
    /// Mean of entry price over the same book's closing price at the same line, less 1.
    pub mean_clv_price: Option<f64>,
    /// Graded signals that have it: the book still had the line.
    pub with_clv_price: u32,
    /// Mean change of the fair probability from detection to close.
    pub mean_fair_to_fair: Option<f64>,
    /// Graded signals that have it: there was a fair price at detection.
    pub with_fair_to_fair: u32,
    /// What is not graded, and why.
    #[serde(flatten)]
    pub left_out: LeftOut,
}

impl Stats {
    /// Over rows in the order of [`in_order`].
    pub(super) fn of<'a>(rows: impl IntoIterator<Item = &'a ClvRow>, grades: Grades) -> Self {
        let mut stats = Self::default();
        let mut ev = Vec::new();
        let (mut points, mut price, mut fair) = (Sum::default(), Sum::default(), Sum::default());
        for row in rows {
            stats.signals += 1;
            let Some(value) = graded(row, grades) else {
                stats.left_out.count(row);
                continue;
            };
            match Sign::of(value) {
                Sign::Positive => stats.positive += 1,
                Sign::Zero => stats.zero += 1,
                Sign::Negative => stats.negative += 1,
            }
            ev.push(Observation { event: row.event_id.0, value });
            points.add(row.clv_points);
            price.add(row.clv_price);
            fair.add(row.fair_to_fair);
        }
        let events = || ev.chunk_by(|a, b| a.event == b.event);
        stats.graded = ev.len() as u32;
        stats.events = events().count() as u32;
        stats.effective_events = interval::effective_events(events().map(|e| e.len() as u32));
        stats.positive_rate = (stats.graded > 0).then(|| f64::from(stats.positive) / f64::from(stats.graded));
        let rate = stats.positive_rate.and_then(|rate| interval::wilson_of(rate, stats.effective_events));
        (stats.positive_rate_low, stats.positive_rate_high) = ends(rate);
        stats.mean_clv_ev = interval::mean(&ev);
        (stats.mean_clv_ev_low, stats.mean_clv_ev_high) = ends(interval::mean_interval(&ev));
        stats.median_clv_ev = interval::median(&ev);
        (stats.median_clv_ev_low, stats.median_clv_ev_high) = ends(interval::median_interval(&ev));
        (stats.mean_clv_points, stats.with_clv_points) = points.mean();
        (stats.mean_clv_price, stats.with_clv_price) = price.mean();
        (stats.mean_fair_to_fair, stats.with_fair_to_fair) = fair.mean();
        stats
    }
}

/// The CLV of a row that counts under these grades.
pub(super) fn graded(row: &ClvRow, grades: Grades) -> Option<f64> {
    let asked = row.left_out.is_none() && row.close.grade.is_some_and(|g| grades.has(g));
    row.clv_ev.filter(|v| asked && v.is_finite())
}

/// The rows that a filter keeps, by event and signal: rows of one event stand together, and sums come out the same
/// whatever the order in which the rows were given.
pub(super) fn in_order(rows: &[ClvRow], keeps: impl Fn(&ClvRow) -> bool) -> Vec<&ClvRow> {
    let mut kept: Vec<_> = rows.iter().filter(|r| keeps(r)).collect();
    kept.sort_by(|a, b| (a.event_id, &a.signal_id, a.version).cmp(&(b.event_id, &b.signal_id, b.version)));
    kept
}

fn ends(interval: Option<interval::Interval>) -> (Option<f64>, Option<f64>) {
    interval.map_or((None, None), |i| (Some(i.low), Some(i.high)))
}

#[derive(Default)]
struct Sum {
    sum: f64,
    count: u32,
}

impl Sum {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value.filter(|v| v.is_finite()) {
            self.sum += value;
            self.count += 1;
        }
    }

    fn mean(&self) -> (Option<f64>, u32) {
        ((self.count > 0).then(|| self.sum / f64::from(self.count)).filter(|m| m.is_finite()), self.count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rows::{any_rows, row};
    use super::*;
    use crate::engine::grade::close::Grade;

    fn of(rows: &[ClvRow]) -> Stats {
        Stats::of(in_order(rows, |_| true), Grades::DEFAULT)
    }

    #[test]
    fn zero_is_neither() {
        let rows = [
            row(1, Some(0.02)),
            row(2, Some(0.0)),
            row(3, Some(9e-10)),
            row(4, Some(-9e-10)),
            row(5, Some(1e-9)),
            row(6, Some(-0.01)),
        ];
        let s = of(&rows);
        assert_eq!((s.positive, s.zero, s.negative, s.graded, s.events), (2, 3, 1, 6, 6));
        assert_eq!(s.positive_rate, Some(2.0 / 6.0));
    }

    #[test]
    fn one_game_says_less_than_ten() {
        let value = |i: u32| if i.is_multiple_of(3) { -0.01 } else { 0.02 };
        let ten: Vec<_> = (0..10).map(|i| row(i, Some(value(i)))).collect();
        let mut one = ten.clone();
        one.iter_mut().for_each(|r| r.event_id.0 = 1);
        let mut two = ten.clone();
        two.iter_mut().for_each(|r| r.event_id.0 = u32::from(r.clv_ev > Some(0.0)));
        let width = |s: &Stats| s.mean_clv_ev_high.unwrap() - s.mean_clv_ev_low.unwrap();
        let rate = |s: &Stats| s.positive_rate_high.unwrap() - s.positive_rate_low.unwrap();
        let (ten, two, one) = (of(&ten), of(&two), of(&one));
        assert_eq!(ten.mean_clv_ev, one.mean_clv_ev);
        assert!(width(&two) > 2.0 * width(&ten));
        assert_eq!((one.mean_clv_ev_low, one.mean_clv_ev_high), (None, None), "one game has no interval");
        assert_eq!((one.events, one.effective_events, ten.effective_events), (1, 1.0, 10.0));
        assert!(rate(&one) > rate(&two) && rate(&two) > rate(&ten));
        // 6 of 10, ten independent games.
        assert!((ten.positive_rate_low.unwrap() - interval::wilson(6, 10).unwrap().low).abs() < 1e-15);
    }

    #[test]
    fn what_is_left_out_is_counted_by_reason() {
        let without = |event, why| ClvRow { left_out: Some(why), ..row(event, None) };
        let mut no_close = without(5, NoClv::NoClose);
        no_close.close.reason = Some(NoClose::EventMissing);
        let mut thin = row(6, Some(0.5));
        thin.close.grade = Some(Grade::C);
        let rows = [
            row(1, Some(0.01)),
            without(1, NoClv::Informational),
            without(2, NoClv::NoEntry),
            without(3, NoClv::InPlay),
            without(4, NoClv::BeyondModel),
            no_close,
            without(5, NoClv::NoClose),
            thin,
            row(7, Some(f64::NAN)),
        ];
        let s = of(&rows);
        assert_eq!((s.signals, s.graded, s.events), (9, 1, 1));
        assert_eq!(
            s.left_out,
            LeftOut {
                informational: 1,
                no_entry: 1,
                in_play: 1,
                beyond_model: 1,
                event_missing: 1,
                no_close: 1,
                grade: 1,
                unexplained: 1,
                ..LeftOut::default()
            }
        );
        assert_eq!(s.mean_clv_ev, Some(0.01), "a left-out signal is not a zero");
        let all = Stats::of(in_order(&rows, |_| true), Grades::ALL);
        assert_eq!((all.graded, all.left_out.grade), (2, 0));
    }

    #[test]
    fn nothing_is_known_of_nothing() {
        let json = serde_json::to_value(of(&[ClvRow { left_out: Some(NoClv::NoEntry), ..row(1, None) }])).unwrap();
        assert_eq!(json["signals"], 1);
        assert_eq!(json["left_out_no_entry"], 1, "one flat object");
        for field in ["positive_rate", "positive_rate_low", "mean_clv_ev", "median_clv_ev", "mean_clv_points"] {
            assert_eq!(json[field], serde_json::Value::Null, "{field}");
        }
    }

    #[test]
    fn each_mean_says_how_many_it_is_made_of() {
        let mut rows = [row(1, Some(0.01)), row(2, Some(0.03)), row(3, Some(0.02))];
        rows[0].clv_points = Some(0.5);
        rows[1].clv_points = Some(-1.5);
        rows[2].clv_price = Some(0.05);
        let s = of(&rows);
        assert_eq!((s.mean_clv_points, s.with_clv_points), (Some(-0.5), 2));
        assert_eq!((s.mean_clv_price, s.with_clv_price), (Some(0.05), 1));
        assert_eq!((s.mean_fair_to_fair, s.with_fair_to_fair), (None, 0));
    }

    proptest! {
        #[test]
        fn every_signal_is_graded_or_left_out(rows in any_rows()) {
            let s = of(&rows);
            prop_assert_eq!(s.signals as usize, rows.len());
            prop_assert_eq!(s.signals, s.graded + s.left_out.total());
            prop_assert_eq!(s.graded, s.positive + s.zero + s.negative);
            prop_assert!(s.events <= s.graded);
        }

        #[test]
        fn the_order_of_rows_does_not_matter(rows in any_rows(), turn in 0_usize..40) {
            let mut other = rows.clone();
            other.reverse();
            other.rotate_left(turn % rows.len().max(1));
            prop_assert_eq!(of(&rows), of(&other));
        }
    }
}
