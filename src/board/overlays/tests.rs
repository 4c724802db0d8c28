//! What lies over the pages, driven by keys over the simulated market.

use super::explain::{self, Target};
use super::export;
use crate::board::app::{App, Effect, Page, Showing};
use crate::board::keys::Action;
use crate::board::testing::{board, press, settle, text, type_text};
use crate::board::theme::Glyphs;

const SIZES: [(u16, u16); 4] = [(60, 16), (80, 24), (120, 40), (200, 60)];

fn act(app: &mut App, action: Action) {
    crate::board::app::act::act(app, action);
    settle(app);
}

fn plain(app: &mut App) {
    app.looks.glyphs = Glyphs::Ascii;
    app.dress("none");
}

/// Opens one overlay at every size, and once in ASCII without colours.
fn seen(name: &str, open: impl Fn(&mut App)) {
    for (width, height) in SIZES {
        let mut app = board(width, height);
        open(&mut app);
        assert!(!app.overlays.is_empty(), "{name} is open");
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), text(&mut app));
    }
    let mut app = board(80, 24);
    plain(&mut app);
    open(&mut app);
    insta::assert_snapshot!(format!("{name}_ascii"), text(&mut app));
}

#[test]
fn help_is_seen() {
    seen("help", |app| press(app, &["?"]));
}

#[test]
fn palette_is_seen() {
    seen("palette", |app| press(app, &[":"]));
}

#[test]
fn find_is_seen() {
    seen("find", |app| {
        press(app, &["/"]);
        type_text(app, "bos");
    });
}

#[test]
fn filter_is_seen() {
    seen("filter", |app| {
        press(app, &["f"]);
        type_text(app, "sport:nba streng>7");
    });
}

#[test]
fn columns_are_seen() {
    seen("columns", |app| press(app, &["O"]));
}

#[test]
fn themes_are_seen() {
    seen("themes", |app| press(app, &["T", "j"]));
}

#[test]
fn go_to_time_is_seen() {
    seen("go", |app| {
        press(app, &["ctrl-g"]);
        type_text(app, "-10m");
    });
}

#[test]
fn explain_is_seen() {
    seen("explain", |app| press(app, &["x"]));
}

#[test]
fn nothing_breaks_on_an_empty_board_or_a_tiny_terminal() {
    for (width, height) in [(60, 16), (20, 5), (300, 90)] {
        for key in ["?", ":", "/", "f", "O", "T", "ctrl-g", "x", "X", "y", "Y", "n", "N", "ctrl-s"] {
            let mut app = crate::board::testing::bare(width, height);
            press(&mut app, &[key]);
            let _ = text(&mut app);
            for more in ["down", "pagedown", "tab", "enter", "esc", "esc"] {
                press(&mut app, &[more]);
                let _ = text(&mut app);
            }
        }
    }
}

#[test]
fn help_narrows_to_what_is_typed() {
    let mut app = board(120, 40);
    press(&mut app, &["?", "/"]);
    type_text(&mut app, "odds");
    let shown = text(&mut app);
    assert!(shown.contains("Change how odds are written") && !shown.contains("Freeze the view"), "{shown}");
    press(&mut app, &["esc"]);
    assert!(text(&mut app).contains("Freeze the view"));
    press(&mut app, &["esc"]);
    assert!(app.overlays.is_empty());
}

#[test]
fn the_palette_runs_actions_and_commands_and_remembers_them() {
    let mut app = board(120, 40);
    press(&mut app, &[":"]);
    type_text(&mut app, "show totals");
    press(&mut app, &["enter"]);
    assert_eq!(app.prefs.market, "totals");
    for (typed, done) in [
        ("odds decimal", "decimal"),
        ("sport nba", "nba"),
        ("sort ev", "ev"),
        ("market spread", "spreads"),
        ("zone utc", "utc"),
        ("theme light", "light"),
    ] {
        press(&mut app, &[":"]);
        type_text(&mut app, typed);
        press(&mut app, &["enter"]);
        assert!(app.overlays.is_empty(), "{done}: {}", text(&mut app));
    }
    assert_eq!(app.prefs.odds.name(), "Decimal");
    assert_eq!(app.prefs.sport.as_deref(), Some("basketball_nba"));
    assert_eq!(app.prefs.sort.name(), "best EV");
    assert_eq!((app.prefs.market.as_str(), app.prefs.utc, app.prefs.theme.as_str()), ("spreads", true, "light"));
    assert_eq!(app.pages.ops.kept.recent.first().map(String::as_str), Some("theme light"));
    assert!(app.pages.ops.kept.recent.iter().any(|r| r == "market-total"));
    press(&mut app, &[":"]);
    type_text(&mut app, "zone Nowhere/Land");
    press(&mut app, &["enter"]);
    assert!(text(&mut app).contains("is no zone"), "{}", text(&mut app));
    press(&mut app, &["esc"]);
    press(&mut app, &[":"]);
    let long = "q".repeat(2_000);
    app.paste(&long);
    assert!(text(&mut app).contains("nothing has that name"));
}

#[test]
fn find_goes_to_a_game_and_on_to_the_next_match() {
    let mut app = board(120, 40);
    let name = app.slate().games.iter().last().expect("games").who.home.to_string();
    press(&mut app, &["/"]);
    type_text(&mut app, &name);
    press(&mut app, &["enter"]);
    let here = crate::board::pages::board::current(&app).expect("a game").who.clone();
    assert_eq!(&*here.home, name.as_str());
    assert_eq!(app.pages.board.found, name);
    press(&mut app, &["g", "g", "n"]);
    assert_eq!(crate::board::pages::board::current(&app).expect("a game").who.id, here.id);
    press(&mut app, &["/"]);
    type_text(&mut app, "pinnacle");
    press(&mut app, &["enter"]);
    let books = crate::board::pages::board::columns::books(app.slate(), &app.prefs);
    assert_eq!(books.get(app.pages.board.book).map(|b| &*b.key), Some("pinnacle"));
    press(&mut app, &["/"]);
    type_text(&mut app, "zzzz");
    assert!(text(&mut app).contains("nothing on show has that in it"));
    press(&mut app, &["esc"]);
    assert_eq!(app.pages.board.found, "pinnacle", "what was marked before");
}

#[test]
fn a_filter_works_as_it_is_typed_and_esc_takes_it_back() {
    let mut app = board(120, 40);
    press(&mut app, &["f"]);
    type_text(&mut app, "sport:nba");
    assert_eq!(app.prefs.filter, "sport:nba");
    type_text(&mut app, " streng>7");
    assert_eq!(app.prefs.filter, "sport:nba streng", "a word is looked for as it is; a mistake does not count");
    let shown = text(&mut app);
    assert!(shown.contains("^^^^^^"), "{shown}");
    press(&mut app, &["enter"]);
    assert_eq!(app.overlays.len(), 1, "a mistake is not kept");
    press(&mut app, &["esc"]);
    assert_eq!(app.prefs.filter, "");
    press(&mut app, &["f"]);
    type_text(&mut app, "spo");
    press(&mut app, &["tab"]);
    assert!(text(&mut app).contains("sport:"));
    press(&mut app, &["ctrl-u"]);
    type_text(&mut app, "sport:nba");
    press(&mut app, &["enter"]);
    assert_eq!((app.prefs.filter.as_str(), app.overlays.len()), ("sport:nba", 0));
    press(&mut app, &["F", "f", "up"]);
    assert_eq!(app.prefs.filter, "sport:nba", "from the history");
    press(&mut app, &["down"]);
    assert_eq!(app.prefs.filter, "");
}

#[test]
fn a_filter_is_saved_under_a_name() {
    let folder = tempfile::tempdir().expect("folder");
    let mut app = board(120, 40);
    app.at.desk = folder.path().join("desk.db");
    press(&mut app, &["ctrl-s"]);
    assert!(app.overlays.is_empty(), "there is nothing to save");
    app.prefs.filter = "sport:nba".into();
    press(&mut app, &["ctrl-s"]);
    type_text(&mut app, "mine");
    press(&mut app, &["enter"]);
    let desk = crate::store::desk::Desk::open(&app.at.desk).expect("desk");
    assert_eq!(desk.filters().expect("filters")[0].text, "sport:nba");
    press(&mut app, &["f", "ctrl-u"]);
    type_text(&mut app, "@mine");
    assert_eq!(app.prefs.filter, "@mine");
}

#[test]
fn columns_are_ticked_moved_and_sized() {
    let mut app = board(120, 40);
    press(&mut app, &["O", "space"]);
    assert!(!app.prefs.columns[0].on);
    press(&mut app, &["space", "J"]);
    assert_eq!(app.prefs.columns[1].column.title(), "Start");
    press(&mut app, &["l"]);
    assert!(app.prefs.columns[1].width.is_some());
    press(&mut app, &["G", "space"]);
    assert_eq!(app.prefs.hidden_books.len(), 1);
    press(&mut app, &["space", "K", "enter"]);
    assert!(app.prefs.hidden_books.is_empty() && !app.prefs.books.is_empty() && app.overlays.is_empty());
}

#[test]
fn a_theme_is_tried_and_taken_back() {
    let mut app = board(120, 40);
    press(&mut app, &["T", "j", "j", "j"]);
    assert_ne!(app.prefs.theme, "");
    press(&mut app, &["esc"]);
    assert_eq!(app.prefs.theme, "");
}

#[test]
fn a_moment_is_gone_to() {
    let mut app = board(120, 40);
    press(&mut app, &["ctrl-g"]);
    type_text(&mut app, "soon");
    press(&mut app, &["enter"]);
    assert_eq!(app.overlays.len(), 1);
    press(&mut app, &["ctrl-u"]);
    type_text(&mut app, "-10m");
    press(&mut app, &["enter"]);
    assert!(matches!(app.showing, Showing::Past { .. }) && app.overlays.is_empty());
}

#[test]
fn a_price_is_explained_unfolded_and_folded() {
    let mut app = board(120, 40);
    press(&mut app, &["x"]);
    let shown = text(&mut app);
    assert!(shown.contains("This price") && shown.contains("Fair price"), "{shown}");
    let before = shown.lines().count();
    press(&mut app, &["enter"]);
    let folded = text(&mut app);
    assert!(!folded.contains("decimal odds after fees"), "{folded}");
    assert_eq!(folded.lines().count(), before);
    let mut overlay = app.overlays.pop().expect("open");
    overlay.act(&mut app, Action::Copy);
    let copied = app.effects.iter().any(|e| matches!(e, Effect::Copy(t) if t.contains("Fair price")));
    assert!(copied);
    for target in [Target::Signal("none".into()), Target::Clv("none".into())] {
        app.overlays.clear();
        explain::explain(&mut app, target);
        settle(&mut app);
        assert!(text(&mut app).contains("not known at the moment"), "{}", text(&mut app));
    }
}

#[test]
fn cells_and_rows_are_copied() {
    let mut app = board(160, 45);
    app.key(crate::board::keys::Key::parse("y").expect("a key"));
    let cell = app.effects.iter().find_map(|e| if let Effect::Copy(t) = e { Some(t.clone()) } else { None });
    let cell = cell.expect("copied");
    assert!(cell.split(' ').count() >= 3, "{cell}");
    settle(&mut app);
    app.key(crate::board::keys::Key::parse("Y").expect("a key"));
    let row = app.effects.iter().find_map(|e| if let Effect::Copy(t) = e { Some(t.clone()) } else { None });
    assert!(row.expect("copied").matches('\t').count() > 5);
}

#[test]
fn the_board_is_exported_as_it_is_seen() {
    let folder = tempfile::tempdir().expect("folder");
    let mut app = board(120, 40);
    app.at.exports = folder.path().join("exports");
    for keys in [["X", "enter"].as_slice(), &["X", "j", "enter"]] {
        press(&mut app, keys);
    }
    let mut files: Vec<_> = std::fs::read_dir(&app.at.exports).expect("folder").filter_map(Result::ok).collect();
    files.sort_by_key(std::fs::DirEntry::file_name);
    assert_eq!(files.len(), 2);
    let csv = std::fs::read_to_string(files[0].path()).expect("read");
    assert_eq!(csv.lines().count(), app.pages.board.rows.lines.len() + 1);
    assert!(csv.lines().skip(1).all(|l| l.starts_with("DEMO,")), "{csv}");
    let json = std::fs::read_to_string(files[1].path()).expect("read");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert!(json[0]["pinnacle_american"].is_i64(), "{}", json[0]);
    // Lists that have not been read are no lists.
    app.go(Page::Watch);
    settle(&mut app);
    app.desk.loaded = false;
    act(&mut app, Action::Export);
    assert!(app.overlays.is_empty(), "there is nothing to export");
}

fn whole(table: &crate::board::export::Table) {
    assert!(!table.rows.is_empty(), "{}", table.name);
    assert!(table.rows.iter().all(|r| r.len() == table.columns.len()), "{}", table.name);
    let names: std::collections::BTreeSet<_> = table.columns.iter().collect();
    assert_eq!(names.len(), table.columns.len(), "{}: each once", table.name);
}

/// A theme is made for its own background, and the terminal may have any.
#[test]
fn nothing_is_drawn_on_the_terminals_own_background() {
    let mut app = board(100, 30);
    app.dress("light");
    let check = |app: &mut App, what: &str| {
        let buf = crate::board::testing::frame(app);
        let bare = buf.content().iter().filter(|c| c.bg == ratatui::style::Color::Reset).count();
        assert_eq!(bare, 0, "{what}");
    };
    for page in Page::ALL {
        app.go(page);
        settle(&mut app);
        check(&mut app, page.title());
    }
    press(&mut app, &["3", "enter"]);
    check(&mut app, "evidence");
    app.go(Page::Board);
    for key in ["?", ":", "/", "f", "x", "O", "T", "X", "ctrl-g"] {
        press(&mut app, &[key]);
        assert!(!app.overlays.is_empty(), "{key}");
        check(&mut app, key);
        app.overlays.clear();
    }
}

#[test]
fn every_pane_of_a_game_and_of_the_lists_is_exported_and_copied() {
    let mut app = board(160, 45);
    press(&mut app, &["enter"]);
    let copied = |app: &mut App, key: &str| {
        app.key(crate::board::keys::Key::parse(key).expect("a key"));
        let told = app.effects.iter().find_map(|e| if let Effect::Copy(t) = e { Some(t.clone()) } else { None });
        settle(app);
        told.unwrap_or_default()
    };
    let cell = copied(&mut app, "y");
    assert!(cell.split(' ').count() >= 3, "{cell}");
    assert!(copied(&mut app, "Y").matches('\t').count() > 20);
    for name in ["game-books", "game-chart", "game-books", "game-signals"] {
        let table = export::table(&app).expect("a table");
        assert_eq!(table.name, name);
        if name != "game-signals" || !table.rows.is_empty() {
            whole(&table);
        }
        press(&mut app, &["ctrl-w"]);
    }
    app.prefs.odds = crate::board::format::Odds::American;
    press(&mut app, &["ctrl-w", "i", "i"]);
    let table = export::table(&app).expect("a table");
    let american = |row: &Vec<crate::board::export::Value>| matches!(row.as_slice(), [.., crate::board::export::Value::Number(x), _] if x.abs() < 100.0);
    let unit = table.rows.first().and_then(|r| r.last()).map(crate::board::export::Value::told);
    assert!(unit.as_deref() != Some("american") || !table.rows.iter().any(american), "{table:?}");

    press(&mut app, &["5"]);
    app.desk.loaded = true;
    for name in ["watch-lists", "watch-rules", "watch-games"] {
        let table = export::table(&app).expect("a table");
        assert_eq!(table.name, name);
        if name != "watch-rules" {
            whole(&table);
            assert!(!copied(&mut app, "y").is_empty() && copied(&mut app, "Y").contains('\t'), "{name}");
        }
        press(&mut app, &["ctrl-w"]);
    }
    for (page, key) in [("3", "y"), ("9", "Y")] {
        press(&mut app, &[page]);
        assert!(!copied(&mut app, key).is_empty(), "{page}");
    }
}
