use super::*;
use crate::board::app::Page;
use crate::board::keys::Action;
use crate::board::paint::Hit;
use crate::board::testing;
use crate::board::theme::{Glyphs, PLAIN};

/// The page of the first game on the board that has not started, or of one that has.
fn page(width: u16, height: u16, started: bool) -> App {
    let mut app = testing::board(width, height);
    let now = app.now();
    for _ in 0..80 {
        if board::current(&app).is_some_and(|g| (g.commence <= now) == started) {
            break;
        }
        testing::press(&mut app, &["j"]);
    }
    app.go(Page::Game);
    testing::settle(&mut app);
    app
}

fn data(app: &App) -> Arc<GameData> {
    app.pages.game.slot.data.clone().expect("data")
}

#[test]
fn looks_at_every_size() {
    for (width, height) in [(60, 16), (80, 24), (100, 30), (120, 40), (160, 45), (200, 60)] {
        let mut app = page(width, height, false);
        insta::assert_snapshot!(format!("game_{width}x{height}"), testing::text(&mut app));
    }
}

#[test]
fn looks_of_single_panes_and_of_both_sides() {
    let mut app = page(60, 16, false);
    for name in ["chart", "card", "tape"] {
        testing::press(&mut app, &["ctrl-w"]);
        insta::assert_snapshot!(format!("game_60x16_{name}"), testing::text(&mut app));
    }
    let mut app = page(160, 45, false);
    testing::press(&mut app, &["t", "d", "j", "c", "i", "h", "h", "h"]);
    insta::assert_snapshot!("game_160x45_total_both_sides_cross_hair", testing::text(&mut app));
    testing::press(&mut app, &["esc", "S"]);
    insta::assert_snapshot!("game_160x45_chooser", testing::text(&mut app));
}

#[test]
fn looks_of_a_started_game_without_colours_in_ascii() {
    let mut app = page(160, 45, true);
    app.looks.glyphs = Glyphs::Ascii;
    app.dress(PLAIN);
    testing::press(&mut app, &["m"]);
    let shown = testing::text(&mut app);
    let game = board::current(&app).expect("a game").clone();
    let plain = shown.lines().skip(3).take(40).all(str::is_ascii);
    assert!(plain || !game.who.home.is_ascii() || !game.who.away.is_ascii(), "{shown}");
    insta::assert_snapshot!("game_160x45_started_ascii", shown);
}

#[test]
fn a_board_without_games_says_so() {
    let mut app = testing::bare(80, 24);
    app.go(Page::Game);
    assert!(testing::text(&mut app).contains("reading the store"));
    app.live = Arc::new(crate::board::model::Slate { loaded: true, ..Default::default() });
    app.moved();
    assert!(testing::text(&mut app).contains("no game under the cursor"));
    assert_eq!(explain_target(&app), None);
}

#[test]
fn a_market_that_nobody_quotes_is_named() {
    let mut app = page(100, 30, false);
    app.show_market("player_points");
    testing::settle(&mut app);
    let shown = testing::text(&mut app);
    assert!(shown.contains("nobody has quoted the player points"), "{shown}");
}

#[test]
fn keys_go_through_games_and_sides() {
    let mut app = page(160, 45, false);
    let first = board::current(&app).expect("a game").who.id;
    testing::press(&mut app, &["J"]);
    let second = board::current(&app).expect("a game").who.id;
    assert_ne!(first, second);
    assert_eq!(data(&app).row.id, second);
    testing::press(&mut app, &["K"]);
    assert_eq!(board::current(&app).expect("a game").who.id, first);
    assert_eq!(data(&app).row.id, first);
    let target = explain_target(&app).expect("a target");
    assert_eq!((target.event, target.place), (first, 1), "the away team stands first");
    testing::press(&mut app, &["l"]);
    assert_eq!(explain_target(&app).expect("a target").place, 0);
    assert!(explain_target(&app).expect("a target").book.is_some());
}

#[test]
fn nothing_later_than_the_moment_on_show_is_shown() {
    let mut app = page(160, 45, false);
    let all = data(&app);
    let at = testing::start().plus(12 * 60_000);
    app.go_to(at);
    testing::settle(&mut app);
    let past = data(&app);
    assert!(past.at <= at && all.at > at);
    let steps = app.pages.game.series.iter().flat_map(|s| &s.steps);
    assert!(steps.map(|s| s.at).chain(past.signals.iter().map(|s| s.updated_at.millis())).all(|t| t <= at.millis()));
    assert!(past.quotes.iter().all(|q| q.value.last_seen <= at));
    // What was seen up to then is the beginning of what is seen now.
    for book in &past.books {
        let now = all.book(&book.key).expect("the book");
        assert_eq!(now.states.get(..book.states.len()), Some(book.states.as_slice()), "{}", book.key);
    }
    app.go_live();
    testing::settle(&mut app);
    assert_eq!(data(&app).at, all.at);
}

#[test]
fn the_history_ends_with_what_the_appraisal_says() {
    let app = page(160, 45, false);
    let data = data(&app);
    let appraisal = data.appraisal.as_ref().expect("an appraisal");
    let mut compared = 0;
    for part in &appraisal.books {
        let (Some(book), Some(probability)) = (data.book(&part.book), part.probability.as_ref()) else { continue };
        let fair = book.states.last().and_then(|s| s.fair).expect("a fair price");
        // Of an exchange the appraisal knows the lay prices too.
        if part.parameter.is_some() {
            assert!((fair[0] - probability[0]).abs() < 1e-12, "{}", part.book);
            compared += 1;
        }
    }
    assert!(compared > 5, "{compared}");
}

#[test]
fn the_cross_hair_follows_clicks_and_the_chart_zooms() {
    let mut app = page(160, 45, false);
    let all = history::window(&app).expect("a window");
    assert!(click(&mut app, &Hit::Chart(10, 0), false));
    let cross = app.pages.game.cross.expect("a cross-hair");
    assert!(all.from < cross && cross < all.to);
    testing::press(&mut app, &["right"]);
    assert!(app.pages.game.cross.expect("a cross-hair") > cross);
    assert!(wheel(&mut app, Some(&Hit::Chart(10, 0)), -3));
    let near = history::window(&app).expect("a window");
    assert!(near.span() < all.span() && near.from >= all.from && near.to <= all.to);
    testing::press(&mut app, &["esc", "0"]);
    assert_eq!((app.pages.game.cross, history::window(&app)), (None, Some(all)));
    for _ in 0..40 {
        act(&mut app, Action::ZoomIn);
        act(&mut app, Action::Left);
        let window = history::window(&app).expect("a window");
        assert!(window.from < window.to && window.from >= all.from && window.to <= all.to);
        testing::frame(&mut app);
    }
}

#[test]
fn lines_are_chosen_from_a_list() {
    let mut app = page(100, 30, false);
    let before = app.pages.game.series.len();
    testing::press(&mut app, &["S", "j", "space", "G", "space", "esc"]);
    assert_eq!(app.pages.game.series.len(), before + 2);
    assert!(app.overlays.is_empty());
    assert!(app.pages.game.picks.contains(&Pick::Consensus));
}

#[test]
fn every_frame_can_be_drawn() {
    for (width, height) in [(60, 16), (61, 17), (76, 22), (80, 24), (139, 33), (140, 34), (220, 70)] {
        let mut app = page(width, height, width % 2 == 0);
        for key in ["t", "d", "m", "v", "v", "o", "S", "esc", "ctrl-w", "i", "ctrl-w", "s", "+", "C", "G", "ctrl-w"] {
            testing::press(&mut app, &[key]);
            testing::frame(&mut app);
        }
    }
}
