//! Rows for the tests of the record.

use proptest::prelude::*;

use crate::engine::detect::signal::{SignalType, Tier};
use crate::engine::grade::close::Grade;
use crate::engine::grade::clv::{CloseSide, ClvRow, NoClv};
use crate::market::bucket::TimeBucket;
use crate::market::ids::EventId;
use crate::market::time::Timestamp;

/// A MOVE of NBA spreads with a close of grade A, started 2026-11-20T23:00Z.
pub fn row(event: u32, clv_ev: Option<f64>) -> ClvRow {
    ClvRow {
        signal_id: format!("s{event}"),
        version: 1,
        kind: SignalType::Move,
        event_id: EventId(event),
        sport: "basketball_nba".into(),
        market: "spreads".into(),
        selection: "Harbor City Gulls".into(),
        side: Some("home".into()),
        entry: None,
        close: CloseSide {
            line: Some(-3.5),
            price: None,
            fair_probability: Some(0.5),
            grade: clv_ev.map(|_| Grade::A),
            reason: None,
        },
        clv_ev,
        clv_points: None,
        clv_price: None,
        fair_to_fair: None,
        left_out: None,
        detected_at: at("2026-11-20T22:00:00Z"),
        start: at("2026-11-20T23:00:00Z"),
        time_bucket: TimeBucket::Late,
        strength: 70,
        composite: 60,
        tier: Tier::Medium,
        books_affected: 4,
        dispersion: None,
        window_minutes: 10.0,
        graded_at: at("2026-11-21T00:00:00Z"),
    }
}

/// An instant.
pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Up to 40 rows of all kinds, each with its own id.
pub fn any_rows() -> impl Strategy<Value = Vec<ClvRow>> {
    let left_out = prop_oneof![
        6 => Just(None),
        1 => Just(Some(NoClv::NoEntry)),
        1 => Just(Some(NoClv::NoClose)),
    ];
    let one = (0_u32..8, -0.2_f64..0.2, left_out, 0_usize..4, 0_usize..7, 0_i64..90, any::<bool>());
    prop::collection::vec(one, 0..40).prop_map(|all| {
        all.into_iter()
            .enumerate()
            .map(|(i, (event, ev, left_out, grade, kind, day, total))| {
                let mut row = row(event, left_out.is_none().then_some(ev));
                row.signal_id = format!("s{i}");
                row.left_out = left_out;
                row.close.grade = row.close.grade.and(Grade::ALL.get(grade).copied());
                row.kind = SignalType::ALL[kind];
                row.start = row.start.plus(day * 86_400_000);
                if total {
                    row.market = "totals".into();
                }
                row
            })
            .collect()
    })
}
