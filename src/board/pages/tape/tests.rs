//! The tape over the simulated evening.

use super::*;
use crate::board::app::away::Away;
use crate::board::format::Odds;
use crate::board::testing::{bare, board, press, settle as answer, text};
use crate::board::theme::Glyphs;

fn tape(width: u16, height: u16) -> App {
    let mut app = board(width, height);
    app.go(Page::Tape);
    answer(&mut app);
    app
}

fn plain(mut app: App) -> App {
    app.looks.glyphs = Glyphs::Ascii;
    app.dress("none");
    app
}

fn id(app: &App) -> String {
    explain_target(app).expect("a signal under the cursor")
}

#[test]
fn pictures_of_the_list() {
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        insta::assert_snapshot!(format!("list_{width}x{height}"), text(&mut tape(width, height)));
    }
    insta::assert_snapshot!("list_120x40_ascii", text(&mut plain(tape(120, 40))));
}

#[test]
fn pictures_of_the_evidence() {
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        let mut app = tape(width, height);
        press(&mut app, &["j", "enter"]);
        insta::assert_snapshot!(format!("evidence_{width}x{height}"), text(&mut app));
    }
    let mut app = plain(tape(80, 24));
    press(&mut app, &["i", "enter", "pagedown"]);
    let shown = text(&mut app);
    assert!(shown.is_ascii(), "{shown}");
    insta::assert_snapshot!("evidence_80x24_ascii", shown);
}

#[test]
fn picture_of_the_pane_beside_the_board() {
    let mut app = board(160, 45);
    app.dirty = true;
    insta::assert_snapshot!("pane_160x45", text(&mut app));
}

#[test]
fn picture_of_a_return() {
    let mut app = board(100, 30);
    let since = app.clocks.market().plus(-20 * 60_000);
    app.away = Away { since: Some(since) };
    app.returned();
    answer(&mut app);
    insta::assert_snapshot!("away_100x30", text(&mut app));
    press(&mut app, &["j", "enter"]);
    assert!(app.overlays.is_empty() && app.page == Page::Tape && app.pages.tape.evidence);
    // A short look away is not worth a word.
    let mut app = board(100, 30);
    app.away = Away { since: Some(app.clocks.market().plus(-60_000)) };
    app.returned();
    answer(&mut app);
    assert!(app.overlays.is_empty());
}

#[test]
fn keys_choose_and_the_strip_says_so() {
    let mut app = tape(120, 40);
    let all = app.pages.tape.shown.len();
    assert!(all > 100, "{all}");
    press(&mut app, &["i"]);
    let kind = app.pages.tape.chosen.kind.expect("a type");
    assert!(app.pages.tape.shown.len() < all);
    for at in 0..app.pages.tape.shown.len() {
        assert_eq!(row(&app, at).expect("row").signal.kind, kind);
    }
    press(&mut app, &["F", "r"]);
    assert!(
        app.pages
            .tape
            .shown
            .iter()
            .all(|at| { app.pages.tape.slot.data.as_ref().expect("data").rows[*at].signal.tier == Tier::High })
    );
    press(&mut app, &["F", "v"]);
    assert_eq!(app.pages.tape.chosen.preset, Some(Preset::HighConfidence));
    press(&mut app, &["v", "v", "v", "v"]);
    assert_eq!((app.pages.tape.chosen.preset, app.pages.tape.shown.len()), (None, all));
}

#[test]
fn the_filter_language_chooses_and_its_errors_are_shown() {
    let mut app = tape(120, 40);
    let all = app.pages.tape.shown.len();
    for filter in
        ["type:steam", "strength>=60 market:total", "is:actionable ev>0", "clv>-100", "sport:nba or sport:nhl"]
    {
        app.prefs.filter = filter.into();
        app.moved();
        let some = app.pages.tape.shown.len();
        assert!(some > 0 && some < all, "{filter}: {some}");
    }
    app.prefs.filter = "strength>>60".into();
    app.moved();
    assert!(app.pages.tape.shown.is_empty());
    let shown = text(&mut app);
    assert!(shown.contains("F clears the filter"), "{shown}");
    press(&mut app, &["F"]);
    assert_eq!(app.pages.tape.shown.len(), all);
    app.prefs.sport = Some("icehockey_nhl".into());
    app.moved();
    assert!(app.pages.tape.shown.len() < all);
}

#[test]
fn the_cursor_stays_on_its_signal_and_new_ones_are_counted() {
    let app = board(120, 40);
    let newest = app.live.at.expect("looks");
    // The board of ten minutes ago, and then the present.
    let slate = |at: Timestamp, look: u64| {
        let mut slate = (*app.live).clone();
        (slate.at, slate.look) = (Some(at), Some(crate::market::ids::LookId(look)));
        Arc::new(slate)
    };
    let (before, after) = (slate(newest.plus(-600_000), 1), slate(newest, 2));
    let mut app = bare(120, 40);
    let clock = |at: Timestamp| {
        let epoch = std::time::Instant::now();
        crate::board::app::Clocks::new(epoch, at)
    };
    app.clocks = clock(newest.plus(-600_000));
    app.arrived(before);
    answer(&mut app);
    assert_eq!(badge(&app), None, "what was there at first is no news");
    app.go(Page::Tape);
    press(&mut app, &["j", "j"]);
    let (held, line) = (id(&app), app.pages.tape.line);
    app.go(Page::Board);
    app.clocks = clock(newest);
    app.arrived(after);
    answer(&mut app);
    assert_eq!(id(&app), held);
    assert!(app.pages.tape.line > line);
    let told = badge(&app).expect("news");
    assert!(!told.is_empty() && !told.is_ascii(), "{told}");
    app.looks.glyphs = Glyphs::Ascii;
    assert!(badge(&app).is_some_and(|b| b.starts_with('(') && b.is_ascii()));
    app.go(Page::Tape);
    answer(&mut app);
    assert_eq!(badge(&app), None);
    assert!(row(&app, 0).is_some_and(|r| is_new(&app, r)), "it is marked while the page is on show");
    app.go(Page::Board);
    app.go(Page::Tape);
    assert!(row(&app, 0).is_some_and(|r| !is_new(&app, r)));
}

#[test]
fn the_past_shows_nothing_of_the_future() {
    let mut app = tape(120, 40);
    let all = app.pages.tape.shown.len();
    let at = app.live.at.expect("looks").plus(-15 * 60_000);
    app.go_to(at);
    answer(&mut app);
    let data = app.pages.tape.slot.data.clone().expect("data");
    assert!(!data.rows.is_empty() && data.rows.len() < all);
    assert!(data.rows.iter().all(|r| r.signal.detected_at <= at && r.signal.updated_at <= at));
    assert!(data.clv.values().all(|c| c.graded_at <= at));
    app.go_live();
    answer(&mut app);
    assert_eq!(app.pages.tape.shown.len(), all);
}

#[test]
fn enter_opens_the_evidence_then_the_game() {
    let mut app = tape(80, 24);
    press(&mut app, &["enter"]);
    assert!(app.pages.tape.evidence && app.page == Page::Tape);
    let event = current(&app).expect("row").signal.event_id;
    press(&mut app, &["enter"]);
    assert_eq!((app.page, crate::board::pages::board::current(&app).map(|g| g.who.id)), (Page::Game, Some(event)));
    app.go(Page::Tape);
    press(&mut app, &["esc"]);
    assert!(!app.pages.tape.evidence && app.page == Page::Tape);
}

#[test]
fn empty_states_say_why() {
    let mut app = bare(80, 24);
    app.go(Page::Tape);
    assert!(text(&mut app).contains("reading the store"));
    let data = load::Tape {
        tallies: vec![crate::store::analysis::TallySum {
            source: 1,
            sport: crate::market::ids::SportId(1),
            detector: SignalType::Steam,
            looks: 4,
            evaluated: 30,
            not_evaluable: 90,
            longest_gap_ms: 900_000,
            needed_ms: 180_000,
            suppressed: 0,
        }],
        ..load::Tape::default()
    };
    let version = app.pages.tape.slot.ask(false);
    app.pages.tape.slot.answer(version, Ok(data));
    insta::assert_snapshot!("empty_80x24", text(&mut app));
}

#[test]
fn an_export_has_a_value_for_every_head() {
    let mut app = tape(80, 24);
    app.prefs.odds = Odds::Decimal;
    let (heads, rows) = table(&app);
    assert_eq!(rows.len(), app.pages.tape.shown.len());
    assert!(rows.iter().all(|r| r.len() == heads.len()));
}
