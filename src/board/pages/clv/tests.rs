//! The record over the simulated evening, and over a longer one.

use std::sync::Arc;

use super::load::Record;
use super::view::{Counted, Group, Period};
use super::*;
use crate::board::app::Page;
use crate::board::testing::{bare, board, press, settle as answer, text};
use crate::board::theme::Glyphs;
use crate::engine::detect::signal::{SignalType, Tier};
use crate::engine::grade::close::Grade;
use crate::engine::grade::clv::{CloseSide, ClvRow, NoClv};
use crate::market::bucket::TimeBucket;
use crate::market::ids::EventId;
use crate::market::time::Timestamp;
use crate::store::analysis::Ungraded;

fn clv(width: u16, height: u16) -> App {
    let mut app = board(width, height);
    app.go(Page::Clv);
    answer(&mut app);
    app
}

/// A page over a made-up season: three types, two markets, sixty days.
fn season(width: u16, height: u16) -> App {
    let mut app = clv(width, height);
    let first = Timestamp::parse("2026-09-21T23:00:00Z").expect("time");
    let rows: Vec<ClvRow> = (0..900_u32)
        .map(|i| {
            let kind = [SignalType::Steam, SignalType::MultibookSync, SignalType::Dislocation][i as usize % 3];
            // Even steps from -7 to +7 %, shifted by type.
            let value = f64::from((i * 37) % 29) / 200.0 - 0.07 + [0.02, 0.0, -0.01][i as usize % 3];
            let graded = i % 11 != 0;
            let start = first.plus(i64::from(i / 15) * 86_400_000);
            ClvRow {
                signal_id: format!("s{i:04}"),
                version: 1,
                kind,
                event_id: EventId(i / 3),
                sport: "basketball_nba".into(),
                market: if i % 2 == 0 { "spreads" } else { "totals" }.into(),
                selection: "Harbor City Gulls".into(),
                side: Some("home".into()),
                entry: None,
                close: CloseSide {
                    line: Some(-3.5),
                    price: None,
                    fair_probability: Some(0.5),
                    grade: graded.then_some(Grade::A),
                    reason: None,
                },
                clv_ev: graded.then_some(value),
                clv_points: None,
                clv_price: None,
                fair_to_fair: None,
                left_out: (!graded).then_some(NoClv::NoEntry),
                detected_at: start.plus(-3_600_000),
                start,
                time_bucket: TimeBucket::Late,
                strength: 70,
                composite: 60,
                tier: Tier::Medium,
                books_affected: 4,
                dispersion: None,
                window_minutes: 10.0,
                graded_at: start.plus(60_000),
            }
        })
        .collect();
    let view = view::view(&rows, &app.pages.clv.choice.clone(), app.prefs.zone(), app.until());
    let record = Record { rows: Arc::new(rows), view, ..Record::default() };
    let version = app.pages.clv.slot.ask(true);
    assert!(app.pages.clv.slot.answer(version, Ok(record)));
    settle(&mut app);
    app
}

#[test]
fn pictures_of_a_season() {
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        insta::assert_snapshot!(format!("season_{width}x{height}"), text(&mut season(width, height)));
    }
    let mut app = season(120, 40);
    app.looks.glyphs = Glyphs::Ascii;
    app.dress("none");
    let shown = text(&mut app);
    assert!(shown.is_ascii(), "{shown}");
    insta::assert_snapshot!("season_120x40_ascii", shown);
}

#[test]
fn pictures_of_an_evening_with_few_games() {
    for (width, height) in [(60, 16), (80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("evening_{width}x{height}"), text(&mut clv(width, height)));
    }
    let mut app = clv(120, 40);
    press(&mut app, &["enter"]);
    insta::assert_snapshot!("records_120x40", text(&mut app));
    let mut app = clv(60, 16);
    press(&mut app, &["enter"]);
    insta::assert_snapshot!("records_60x16", text(&mut app));
    let mut app = season(120, 40);
    press(&mut app, &["enter"]);
    insta::assert_snapshot!("season_records_120x40", text(&mut app));
}

#[test]
fn few_games_are_never_a_bare_number() {
    let mut app = clv(80, 24);
    let shown = text(&mut app);
    assert!(shown.contains("too few to mean much") && shown.contains("few"), "{shown}");
}

#[test]
fn keys_choose_what_is_counted() {
    let mut app = clv(120, 40);
    let all = app.pages.clv.slot.data.as_ref().expect("data").view.total.signals;
    assert!(all > 0);
    for group in [Group::Market, Group::Bucket, Group::Book, Group::Sport, Group::Kind] {
        press(&mut app, &["u"]);
        let view = &app.pages.clv.slot.data.as_ref().expect("data").view;
        assert_eq!((view.choice.group, view.total.signals), (group, all));
    }
    press(&mut app, &["r", "r", "r"]);
    let view = &app.pages.clv.slot.data.as_ref().expect("data").view;
    assert_eq!(view.choice.period, Period::Today);
    press(&mut app, &["r", "i"]);
    let view = &app.pages.clv.slot.data.as_ref().expect("data").view;
    assert_eq!((view.choice.counted, view.choice.period), (Counted::Best, Period::All));
    press(&mut app, &["v"]);
    assert_eq!(app.pages.clv.choice.preset, Some(Preset::HighConfidence));
    press(&mut app, &["F"]);
    assert_eq!(app.pages.clv.slot.data.as_ref().expect("data").view.total.signals, all);
}

#[test]
fn the_records_are_those_of_the_number_and_lead_to_the_evidence() {
    let mut app = clv(120, 40);
    press(&mut app, &["enter"]);
    assert!(app.pages.clv.open);
    let (heads, rows) = table(&app);
    let expected = group(&app.pages.clv).map(|g| g.stats.signals as usize);
    assert_eq!(Some(rows.len()), expected);
    assert!(rows.iter().all(|r| r.len() == heads.len()));
    let id = explain_target(&app).expect("a record");
    press(&mut app, &["enter"]);
    assert_eq!((app.page, crate::board::pages::tape::explain_target(&app)), (Page::Tape, Some(id)));
    app.go(Page::Clv);
    press(&mut app, &["esc"]);
    assert!(!app.pages.clv.open && app.page == Page::Clv);
    let (heads, rows) = table(&app);
    assert!(!rows.is_empty() && rows.iter().all(|r| r.len() == heads.len()));
}

#[test]
fn the_past_knows_only_what_was_graded_by_then() {
    let mut app = clv(120, 40);
    let all = app.pages.clv.slot.data.as_ref().expect("data").rows.len();
    let at = app.live.at.expect("looks").plus(-30 * 60_000);
    app.go_to(at);
    answer(&mut app);
    let data = app.pages.clv.slot.data.clone().expect("data");
    assert!(data.rows.len() < all && data.rows.iter().all(|r| r.graded_at <= at));
    app.go_live();
    answer(&mut app);
    assert_eq!(app.pages.clv.slot.data.as_ref().expect("data").rows.len(), all);
}

#[test]
fn empty_states_say_why() {
    let mut app = bare(80, 24);
    app.go(Page::Clv);
    assert!(text(&mut app).contains("reading the store"));
    let waiting = Ungraded { signals: 14, unstarted: 12, next_start: Some(app.now().plus(3_600_000)) };
    let version = app.pages.clv.slot.ask(false);
    app.pages.clv.slot.answer(version, Ok(Record { waiting, ..Record::default() }));
    insta::assert_snapshot!("empty_80x24", text(&mut app));
}
