//! The board as it is drawn: sizes, signs, moments, and a slate that is larger than any screen.

use std::sync::Arc;

use ratatui::style::Color;

use super::Mode;
use crate::board::app::Showing;
use crate::board::app::prefs::{Grouping, Sort};
use crate::board::model::{Game, Slate};
use crate::board::testing::{bare, board, frame, press, settle, text};
use crate::board::theme::Glyphs;
use crate::engine::status::Status;
use crate::market::ids::{BookId, EventId};
use crate::market::price::Price;

#[test]
fn sizes() {
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        let mut app = board(width, height);
        insta::assert_snapshot!(format!("board_{width}x{height}"), text(&mut app));
    }
}

#[test]
fn signs_do_without_colour_and_unicode() {
    let mut app = board(120, 40);
    app.looks.glyphs = Glyphs::Ascii;
    app.dress("none");
    let shown = text(&mut app);
    // Names keep their letters; everything that the board draws itself is ASCII.
    let drawn: String = shown.replace('é', "e");
    assert!(drawn.is_ascii(), "{:?}", drawn.chars().filter(|c| !c.is_ascii()).collect::<String>());
    for cell in frame(&mut app).content() {
        assert!(matches!((cell.fg, cell.bg), (Color::Reset, Color::Reset)), "{cell:?}");
    }
    insta::assert_snapshot!("board_120x40_ascii", shown);
}

#[test]
fn markets_and_modes() {
    let mut app = board(120, 40);
    press(&mut app, &["t"]);
    insta::assert_snapshot!("board_120x40_totals", text(&mut app));
    press(&mut app, &["m", "o"]);
    insta::assert_snapshot!("board_120x40_moneyline_decimal", text(&mut app));
    press(&mut app, &["s", "a"]);
    assert_eq!(app.pages.board.mode, Mode::Ages);
    insta::assert_snapshot!("board_120x40_ages", text(&mut app));
    press(&mut app, &["v"]);
    assert_eq!(app.pages.board.mode, Mode::Opener);
    assert!(!app.pages.board.pasts.is_empty(), "openers have been read");
}

#[test]
fn an_empty_board_says_why() {
    let mut app = bare(80, 24);
    assert!(text(&mut app).contains("reading the store"));
    app.arrived(Arc::new(Slate { loaded: true, ..Slate::default() }));
    settle(&mut app);
    assert!(text(&mut app).contains("no games in the store yet"));
    app.arrived(Arc::new(Slate { trouble: Some("disk I/O error".into()), ..Slate::default() }));
    assert!(text(&mut app).contains("disk I/O error"));
    let mut app = board(80, 24);
    app.prefs.sport = Some("curling".into());
    app.moved();
    let shown = text(&mut app);
    assert!(shown.contains("no game passes") && shown.contains("sport curling"), "{shown}");
}

/// The demo's games again and again under other numbers, with more books than any screen holds.
fn large() -> Slate {
    let app = board(120, 40);
    let base = app.slate();
    let mut games = Vec::new();
    for n in 0..400_u32 {
        let source = &base.games[n as usize % base.games.len()];
        let mut game = Game::clone(source);
        let mut who = (*game.who).clone();
        who.id = EventId(n + 1);
        who.provider_id = format!("{n:032x}").into();
        game.who = Arc::new(who);
        game.commence = game.commence.plus(i64::from(n) * 60_000);
        for market in &mut game.markets {
            let first: Vec<_> = market.cells.iter().filter(|c| c.book == market.cells[0].book).copied().collect();
            market.cells = (1..=30_u16)
                .flat_map(|book| first.iter().map(move |c| crate::board::model::Cell { book: BookId(book), ..*c }))
                .collect();
        }
        games.push(Arc::new(game));
    }
    let columns = (1..=30_u16).map(|n| crate::board::model::BookColumn {
        id: BookId(n),
        key: format!("book{n}").into(),
        short: format!("B{n}").into(),
        title: format!("Book {n}").into(),
        kind: crate::market::books::BookKind::Retail,
        rank: n,
    });
    Slate { games, books: columns.collect(), ..(**base).clone() }
}

#[test]
fn four_hundred_games_and_thirty_books() {
    let mut app = board(120, 40);
    app.arrived(Arc::new(large()));
    settle(&mut app);
    assert_eq!(app.pages.board.rows.lines.len(), 800);
    press(&mut app, &["G"]);
    for _ in 0..40 {
        press(&mut app, &["l"]);
    }
    assert_eq!((app.pages.board.line, app.pages.board.book), (799, 29));
    let shown = text(&mut app);
    assert!(shown.contains("B30"), "{shown}");
    press(&mut app, &["g", "g"]);
    assert_eq!(app.pages.board.line, 0);
    // The cursor follows its game when the order changes.
    press(&mut app, &["j", "j", "j"]);
    let id = super::current(&app).expect("a game").who.id;
    press(&mut app, &["c", "c"]);
    assert_ne!(app.prefs.sort, Sort::Start);
    assert_eq!(super::current(&app).expect("a game").who.id, id);
    app.prefs.group = Grouping::Sport;
    app.moved();
    assert_eq!(super::current(&app).expect("a game").who.id, id);
    insta::assert_snapshot!("board_120x40_grouped", text(&mut app));
}

#[test]
fn odd_names_and_prices_line_up() {
    let mut app = board(100, 30);
    let mut slate = (**app.slate()).clone();
    let names = [
        ("東京ヤクルトスワローズ", "阪神タイガース"),
        ("Atlético Mineiro", "São Paulo"),
        ("A Very Long Name of a Club That Nobody Would Ever Print in Full", "FC"),
        ("bad\u{1b}[31mname\n", "\u{202e}evil"),
    ];
    for (n, (away, home)) in names.iter().enumerate() {
        let game = Arc::make_mut(&mut slate.games[n]);
        let mut who = (*game.who).clone();
        (who.away, who.home, who.away_code, who.home_code) = ((*away).into(), (*home).into(), "".into(), "".into());
        game.who = Arc::new(who);
        for (market, price) in game.markets.iter_mut().zip([-10_000_000, 10_000_000, -100]) {
            for cell in &mut market.cells {
                cell.offer.price = Price::american(price).expect("price");
            }
        }
    }
    app.arrived(Arc::new(slate));
    settle(&mut app);
    let shown = text(&mut app);
    assert!(!shown.contains('\u{1b}') && shown.contains("東京"), "{shown}");
    insta::assert_snapshot!("board_100x30_odd", shown);
}

#[test]
fn what_is_gone_or_too_old_never_looks_live() {
    let mut app = board(160, 45);
    let (game, market, place, book) = super::current_cell(&app).expect("a cell");
    let (id, key) = (game.who.id, market.key);
    let change = |app: &mut crate::board::app::App, status: Status, age_ms: i64| {
        let mut slate = (**app.slate()).clone();
        let at = slate.at.expect("an instant");
        for game in slate.games.iter_mut().filter(|g| g.who.id == id) {
            for market in Arc::make_mut(game).markets.iter_mut().filter(|m| m.key == key) {
                for cell in market.cells.iter_mut().filter(|c| c.book == book && c.place == place) {
                    cell.status = status;
                    cell.provider_update = Some(at.plus(-age_ms));
                }
            }
        }
        app.arrived(Arc::new(slate));
        settle(app);
        text(app)
    };
    assert!(change(&mut app, Status::Gone, 0).contains("taken down"));
    assert!(change(&mut app, Status::Flawed, 0).contains("suspect: it contradicts itself"));
    let old = change(&mut app, Status::Open, 400_000);
    assert!(old.contains("too old") && old.contains('◦'), "{old}");
    // Prices grow old by themselves when nobody confirms them any more.
    let mut app = board(160, 45);
    let fresh = text(&mut app).matches('◦').count();
    let (now, at) = (app.clocks.now(), app.clocks.local().plus(600_000));
    app.clocks.read(now, at);
    assert!(text(&mut app).matches('◦').count() > fresh + 50);
}

#[test]
fn a_frozen_view_stands_still_and_the_past_is_marked() {
    let mut app = board(160, 45);
    press(&mut app, &["space"]);
    assert!(text(&mut app).contains("FROZEN"));
    let before = app.slate().version;
    let mut newer = (*app.live).clone();
    newer.version += 1;
    newer.games.clear();
    app.arrived(Arc::new(newer));
    assert_eq!(app.slate().version, before);
    press(&mut app, &["space"]);
    assert!(app.slate().games.is_empty());
    let mut app = board(160, 45);
    press(&mut app, &["["]);
    let first = app.now();
    assert!(matches!(app.showing, Showing::Past { .. }) && first < app.live.at.expect("an instant"));
    assert!(text(&mut app).contains("PAST"));
    press(&mut app, &["[", "["]);
    assert!(app.now() < first);
    let games = app.slate().games.len();
    assert!(games > 0 && app.slate().at == Some(app.now()));
    // What came later is not known then: neither openers nor earlier offers.
    let reader = crate::store::Reader::open(&app.at.store).expect("store");
    let (early, late) = (crate::board::testing::start().plus(400), app.live.at.expect("an instant"));
    let event = app.slate().games[0].who.id;
    let offers = |until| reader.first_and_last_offers(event, until).expect("offers");
    assert!(offers(early).iter().all(|(_, _, before)| before.is_none()));
    assert!(offers(late).iter().any(|(_, _, before)| before.is_some()));
    assert!(offers(early.plus(-1_000)).is_empty());
    assert!(reader.opening_points(event, early.plus(-1_000)).expect("points").is_empty());
    assert!(!reader.opening_points(event, late).expect("points").is_empty());
    press(&mut app, &["{"]);
    assert!(matches!(app.showing, Showing::Past { .. }));
    press(&mut app, &["L"]);
    assert!(matches!(app.showing, Showing::Live));
}
