use crate::board::app::{App, Page};
use crate::board::desk;
use crate::board::desk::tests::board;
use crate::board::testing::{press, settle, text, type_text};
use crate::board::theme::Glyphs;
use crate::store::desk::NewRule;

/// A board with two lists: one of a league without a team, one of a few games.
fn lists(width: u16, height: u16) -> (tempfile::TempDir, App) {
    let (folder, mut app) = board(width, height);
    desk::change(
        &mut app,
        "test",
        |desk| {
            let tonight = desk.create("Tonight")?.id;
            desk.add_rule(tonight, &NewRule::league("basketball_nba"))?;
            desk.add_rule(tonight, &NewRule::team("Utah Jazz", None).excluded())?;
            desk.add_rule(tonight, &NewRule::filter("montreal or @sharp"))?;
            let steam = desk.create("Steam watch of the whole long week")?.id;
            desk.add_rule(steam, &NewRule::filter("sport:nhl lead:0..2h"))
        },
        |_, _| {},
    );
    settle(&mut app);
    (folder, app)
}

fn page(width: u16, height: u16) -> (tempfile::TempDir, App) {
    let (folder, mut app) = lists(width, height);
    press(&mut app, &["5", "j"]);
    app.toasts.clear();
    (folder, app)
}

fn names(app: &App) -> Vec<&str> {
    app.desk.lists.iter().map(|l| l.list.name.as_str()).collect()
}

#[test]
fn the_page_at_every_size() {
    for (width, height) in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        let (_folder, mut app) = page(width, height);
        insta::assert_snapshot!(format!("watch_{width}x{height}"), text(&mut app));
    }
    let (_folder, mut app) = page(100, 30);
    app.looks.glyphs = Glyphs::Ascii;
    app.dress("none");
    let shown = text(&mut app);
    assert!(shown.replace("Montréal", "").is_ascii(), "{shown}");
    insta::assert_snapshot!("watch_ascii", shown);
}

#[test]
fn the_pane_beside_the_board() {
    let (_folder, mut app) = lists(160, 30);
    press(&mut app, &["5", "1"]);
    app.toasts.clear();
    insta::assert_snapshot!("watch_pane", text(&mut app));
}

#[test]
fn an_empty_page_says_what_to_do() {
    let (_folder, mut app) = board(80, 24);
    press(&mut app, &["5"]);
    insta::assert_snapshot!("watch_empty", text(&mut app));
}

#[test]
fn lists_are_made_renamed_ordered_deleted_and_taken_back() {
    let (_folder, mut app) = page(120, 40);
    press(&mut app, &["a"]);
    type_text(&mut app, "tonight");
    press(&mut app, &["enter"]);
    assert!(text(&mut app).contains("there is a list 'Tonight' already"));
    type_text(&mut app, " 2");
    press(&mut app, &["enter"]);
    assert_eq!(names(&app).last(), Some(&"tonight 2"));
    press(&mut app, &["K", "K"]);
    assert_eq!(names(&app).first(), Some(&"tonight 2"));
    press(&mut app, &["R", "ctrl-u"]);
    type_text(&mut app, "Late");
    press(&mut app, &["enter"]);
    assert_eq!(names(&app).first(), Some(&"Late"));
    press(&mut app, &["d"]);
    assert_eq!(app.desk.lists.len(), 2);
    press(&mut app, &["u", "u", "u", "u", "u"]);
    assert_eq!(names(&app), ["Tonight", "Steam watch of the whole long week"]);
    press(&mut app, &["u"]);
    assert!(app.toasts.iter().any(|t| t.text.contains("nothing to take back")));
}

#[test]
fn rules_are_understood_while_they_are_typed() {
    let (_folder, mut app) = page(120, 40);
    let before = app.desk.lists[0].rules.len();
    press(&mut app, &["r", "j", "enter"]);
    type_text(&mut app, "bos");
    assert!(text(&mut app).contains("Boston Celtics"));
    press(&mut app, &["tab", "enter"]);
    assert_eq!(app.desk.lists[0].rules[before].expression(), "team:\"Boston Celtics\"");
    press(&mut app, &["r", "G", "enter"]);
    type_text(&mut app, "ev>2 streng>7");
    let shown = text(&mut app);
    assert!(shown.contains("did you mean `strength`") && shown.contains("^^^^^^"), "{shown}");
    press(&mut app, &["enter"]);
    assert_eq!(app.overlays.len(), 1, "it is not taken");
    press(&mut app, &["ctrl-u"]);
    type_text(&mut app, "ev>2");
    press(&mut app, &["enter"]);
    assert_eq!((app.desk.lists[0].rules.len(), app.overlays.len()), (before + 2, 0));
    // Delete a rule in its pane, and take it back into its place.
    press(&mut app, &["ctrl-w", "g", "g", "d"]);
    assert_eq!(app.desk.lists[0].rules.len(), before + 1);
    press(&mut app, &["u"]);
    assert_eq!(app.desk.lists[0].rules[0].expression(), "sport:basketball_nba");
    press(&mut app, &["g", "g", "J"]);
    assert_eq!(app.desk.lists[0].rules[1].expression(), "sport:basketball_nba");
}

#[test]
fn enter_shows_the_board_with_the_list() {
    let (_folder, mut app) = page(120, 40);
    let held = desk::held(&app).games[0].len();
    press(&mut app, &["enter"]);
    assert_eq!((app.page, app.prefs.list.as_deref()), (Page::Board, Some("Tonight")));
    assert_eq!(app.pages.board.rows.games, held);
    press(&mut app, &["5", "ctrl-w", "ctrl-w", "j", "enter"]);
    assert_eq!(app.page, Page::Game);
}
