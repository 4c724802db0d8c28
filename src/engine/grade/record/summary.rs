//! The record by type and market, and by type alone.

use std::collections::BTreeMap;

use serde::Serialize;

use super::filter::Filter;
use super::stats::{Stats, in_order};
use crate::engine::detect::signal::SignalType;
use crate::engine::grade::clv::ClvRow;

/// One type in one market.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SummaryRow {
    /// Type of the signals.
    #[serde(rename = "type")]
    pub kind: SignalType,
    /// Market key.
    pub market: String,
    /// What they were worth.
    #[serde(flatten)]
    pub stats: Stats,
}

/// The record by type and market, in the order of the types and then of the market keys. `rows`: the newest version of
/// each.
pub fn summary(rows: &[ClvRow], filter: &Filter) -> Vec<SummaryRow> {
    grouped(rows, filter, |row| (row.kind, row.market.as_str()))
        .into_iter()
        .map(|((kind, market), _, stats)| SummaryRow { kind, market: market.to_owned(), stats })
        .collect()
}

/// The record of each type over all markets. [`Stats::positive_rate_low`] is the lower bound that the composite score
/// takes from the record once [`Stats::events`] suffice.
pub fn by_type(rows: &[ClvRow], filter: &Filter) -> BTreeMap<SignalType, Stats> {
    grouped(rows, filter, |row| row.kind).into_iter().map(|(kind, _, stats)| (kind, stats)).collect()
}

/// The rows that the filter keeps by their key, in rising order of the keys, without the groups that are too small.
pub(super) fn grouped<'a, K: Ord>(
    rows: &'a [ClvRow],
    filter: &Filter,
    key: impl Fn(&'a ClvRow) -> K,
) -> Vec<(K, Vec<&'a ClvRow>, Stats)> {
    let mut groups: BTreeMap<K, Vec<&ClvRow>> = BTreeMap::new();
    for row in in_order(rows, |row| filter.keeps(row)) {
        groups.entry(key(row)).or_default().push(row);
    }
    groups
        .into_iter()
        .filter_map(|(key, rows)| {
            let stats = Stats::of(rows.iter().copied(), filter.grades);
            filter.enough(stats.events).then_some((key, rows, stats))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::preset::Preset;
    use super::super::rows::{any_rows, row};
    use super::*;

    #[test]
    fn types_and_markets_stand_apart() {
        let total = |event, ev| ClvRow { market: "totals".into(), ..row(event, Some(ev)) };
        let steam = |event, ev| ClvRow { kind: SignalType::Steam, ..row(event, Some(ev)) };
        let rows = [steam(1, 0.04), total(1, 0.01), row(1, Some(0.02)), row(2, Some(-0.01)), row(3, None)];
        let all = summary(&rows, &Filter::default());
        let keys: Vec<_> = all.iter().map(|r| (r.kind.name(), r.market.as_str())).collect();
        assert_eq!(keys, [("MOVE", "spreads"), ("MOVE", "totals"), ("STEAM", "spreads")]);
        assert_eq!((all[0].stats.signals, all[0].stats.graded), (3, 2));
        assert_eq!(all[0].stats.mean_clv_ev, Some(0.005));
        let json = serde_json::to_value(&all[2]).unwrap();
        assert_eq!((json["type"].as_str(), json["market"].as_str()), (Some("STEAM"), Some("spreads")));
        assert_eq!(json["mean_clv_ev"], 0.04);
        let two = summary(&rows, &Filter { min_samples: Some(2), ..Filter::default() });
        assert_eq!(two.len(), 1, "one game is no sample of two");
        assert_eq!(by_type(&rows, &Filter::default())[&SignalType::Move].graded, 3);
    }

    #[test]
    fn a_preset_narrows_rows_before_anything_is_counted() {
        let steam = |event| ClvRow { kind: SignalType::Steam, window_minutes: 3.0, ..row(event, Some(0.01)) };
        let mut rows: Vec<_> = (0..10).map(steam).collect();
        rows.push(row(30, Some(0.01)));
        rows.push(ClvRow { strength: 64, ..steam(31) });
        let filter = Filter { preset: Some(Preset::SteamOnly), ..Filter::default() };
        let all = summary(&rows, &filter);
        assert_eq!((all.len(), all[0].stats.signals), (1, 10));
        assert_eq!(summary(&rows[1..], &filter), [], "nine events are below ten");
    }

    proptest! {
        #[test]
        fn groups_add_up(rows in any_rows()) {
            let all = summary(&rows, &Filter::default());
            prop_assert_eq!(all.iter().map(|r| r.stats.signals as usize).sum::<usize>(), rows.len());
            let by_type: u32 = by_type(&rows, &Filter::default()).values().map(|s| s.graded).sum();
            prop_assert_eq!(by_type, all.iter().map(|r| r.stats.graded).sum::<u32>());
        }
    }
}
