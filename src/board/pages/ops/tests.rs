//! The page at every size, over a session with something to tell.

use std::sync::Arc;

use super::*;
use crate::board::app::Page;
use crate::board::link::Feeder;
use crate::board::testing::{bare, board, press, settle, text};
use crate::board::theme::Glyphs;
use crate::market::batch::Endpoint;
use crate::runtime::status::{
    AnswerNote, BandNote, BreakerState, BreakerStatus, CloseNote, Counted, Credits, Cycle, FailureNote, Following,
    KeyState, LiveStatus, PlanNote, QuestionStatus, SportNote, Steps,
};

fn status(at: Timestamp) -> LiveStatus {
    let question = |sport: &str, endpoint, failing: bool| QuestionStatus {
        source: "the_odds_api".into(),
        sport: sport.into(),
        endpoint,
        asked: Some(at.plus(-13_000)),
        answer: Some(AnswerNote {
            at: at.plus(-12_000),
            outcome: "data".into(),
            credits: Some(3),
            quotes: 1_240,
            changes: 31,
        }),
        failure: failing.then(|| FailureNote {
            at: at.plus(-4_000),
            reason: "rate_limited".into(),
            message: "the source asks to wait for 30 s".into(),
        }),
        due: Some(at.plus(48_000)),
    };
    let breaker = |purpose: &str, state| BreakerStatus {
        purpose: purpose.into(),
        state,
        failures: 0,
        until: (state == BreakerState::Open).then(|| at.plus(90_000)),
    };
    let steps = |total_us| Steps { total_us, read_us: total_us / 4, apply_us: total_us / 2, commit_us: total_us / 4 };
    LiveStatus {
        version: "0.1.0".into(),
        pid: 4242,
        since: at.plus(-3_600_000),
        following: Following::Running,
        key: KeyState::Accepted,
        questions: vec![
            question("basketball_nba", Endpoint::Odds, false),
            question("basketball_nba", Endpoint::Scores, true),
            question("americanfootball_nfl", Endpoint::Odds, false),
        ],
        breakers: vec![breaker("live", BreakerState::Closed), breaker("scores", BreakerState::Open)],
        credits: Credits { remaining: Some(18_402), told_at: Some(at.plus(-12_000)), spent: 612 },
        cycle: Cycle { looks: 64, last: steps(41_200), mean: steps(38_000), p95_us: 61_000, slowest_us: 88_400 },
        plan: Some(plan(at)),
        counted: Counted { looks: 118, quotes: 140_233, changes: 3_120, issues: 4, failed: 2 },
        ..LiveStatus::default()
    }
}

fn plan(at: Timestamp) -> PlanNote {
    let band = |band: &str, every_s, blind: &[&str]| BandNote {
        band: band.into(),
        every_s: Some(every_s),
        wanted_s: 60,
        not_evaluable: blind.iter().map(|s| (*s).to_owned()).collect(),
    };
    let sport = |sport: &str| SportNote {
        sport: sport.into(),
        bands: vec![band("far", 2_160, &["STEAM", "MOVE"]), band("middle", 720, &["STEAM"]), band("near", 144, &[])],
        ..SportNote::default()
    };
    PlanNote {
        made_at: at,
        until: at.plus(86_400_000),
        day_budget: 666,
        day_spent: 128,
        credits: 538,
        calls: 181,
        stretch: Some(2.4),
        closes: CloseNote { games: 14, best: 12, good: 13, watched: 3, watched_good: 3 },
        sports: vec![sport("basketball_nba"), sport("americanfootball_nfl")],
        ..PlanNote::default()
    }
}

fn page(width: u16, height: u16) -> App {
    let mut app = board(width, height);
    app.at.logs = "/nowhere/logs".into();
    app.link.feeder = Feeder::Daemon { pid: 4242, version: "0.1.0".into() };
    app.link.status = Some(Box::new(status(app.clocks.local())));
    app.go(Page::Ops);
    settle(&mut app);
    // The size of a file is no matter of the page.
    let facts = app.pages.ops.facts.data.clone().expect("answered");
    app.pages.ops.facts.data = Some(Arc::new(data::Facts { bytes: Some(12_345_678), ..(*facts).clone() }));
    app
}

#[test]
fn the_page_is_seen_at_every_size() {
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        insta::assert_snapshot!(format!("ops_{width}x{height}"), text(&mut page(width, height)));
    }
    let mut app = page(120, 40);
    app.looks.glyphs = Glyphs::Ascii;
    app.dress("none");
    insta::assert_snapshot!("ops_ascii", text(&mut app));
}

#[test]
fn without_a_session_it_says_why() {
    let mut app = board(120, 40);
    app.at.logs = "/nowhere/logs".into();
    let since = app.clocks.market().plus(-120_000);
    app.link.feeder = Feeder::Lost { why: "no daemon follows the market".into(), silent: false, since };
    app.go(Page::Ops);
    settle(&mut app);
    let shown = text(&mut app);
    assert!(shown.contains("no daemon follows the market") && shown.contains("stratum --daemon"), "{shown}");
    let mut app = bare(80, 24);
    app.go(Page::Ops);
    let _ = text(&mut app);
}

#[test]
fn every_pane_can_be_come_to_and_scrolled() {
    let mut app = page(80, 24);
    for _ in 0..Pane::COUNT {
        let shown = text(&mut app);
        assert!(shown.contains(app.pages.ops.focus.title()), "{shown}");
        press(&mut app, &["j", "j", "k", "G", "pageup", "p"]);
    }
    assert_eq!(app.pages.ops.focus, Pane::Session);
    press(&mut app, &["v"]);
    assert_eq!((app.pages.ops.focus, app.pages.ops.level), (Pane::Log, log::Level::Info));
}

#[test]
fn the_past_is_told_as_it_was() {
    let mut app = page(120, 40);
    let now = app.pages.ops.facts.data.clone().expect("answered").stored;
    let at = app.live.at.expect("looks").plus(-20 * 60_000);
    app.go_to(at);
    settle(&mut app);
    let then = app.pages.ops.facts.data.clone().expect("answered").stored;
    assert!(then.looks < now.looks && then.newest.expect("looks") <= at, "{then:?} {now:?}");
    assert!(text(&mut app).contains("of the present"));
}

#[test]
fn the_questions_can_be_exported() {
    let app = page(80, 24);
    let table = table(&app).expect("a table");
    assert_eq!(table.rows.len(), 3);
    assert!(table.rows.iter().all(|r| r.len() == table.columns.len()));
}
