use super::*;
use crate::board::format::Odds;
use crate::board::testing::{self, press, settle};
use crate::store::desk::NewRule;

/// A board over the demo with a desk of its own.
pub fn board(width: u16, height: u16) -> (tempfile::TempDir, App) {
    let folder = tempfile::tempdir().expect("folder");
    let mut app = testing::board(width, height);
    app.at.desk = folder.path().join("desk.db");
    begin(&mut app);
    settle(&mut app);
    (folder, app)
}

fn again(app: &App) -> App {
    let mut next = testing::board(app.area.width, app.area.height);
    next.at.desk.clone_from(&app.at.desk);
    begin(&mut next);
    settle(&mut next);
    next
}

fn pass(app: &mut App, ms: u64) {
    let (now, local) = (app.clocks.now(), app.clocks.local());
    app.clocks.read(now + std::time::Duration::from_millis(ms), local.plus(ms as i64));
}

fn said(app: &App) -> String {
    app.toasts.iter().map(|t| t.text.clone()).collect::<Vec<_>>().join("\n")
}

#[test]
fn choices_are_there_the_next_evening() {
    let (_folder, mut app) = board(160, 45);
    assert!(app.desk.loaded && app.desk.trouble.is_none());
    app.prefs.odds = Odds::Decimal;
    keep_prefs(&mut app);
    settle(&mut app);
    assert_eq!(again(&app).prefs.odds, Odds::Decimal);
    // Within a second it waits; the end does not.
    app.prefs.market = "totals".into();
    keep_prefs(&mut app);
    assert!(app.effects.is_empty());
    settle(&mut app);
    assert_eq!(again(&app).prefs.market, "spreads");
    pass(&mut app, 1_100);
    tick(&mut app);
    settle(&mut app);
    assert_eq!(again(&app).prefs.market, "totals");
    app.prefs.utc = true;
    end(&mut app);
    settle(&mut app);
    let next = again(&app);
    assert!(next.prefs.utc);
    assert_eq!(Desk::open(&app.at.desk).expect("desk").seen(NAME).expect("reads"), app.live.at);
}

#[test]
fn a_game_is_watched_shown_alone_and_let_go() {
    let (_folder, mut app) = board(160, 45);
    let all = app.pages.board.rows.games;
    let game = super::super::pages::board::current(&app).expect("a game").clone();
    press(&mut app, &["W"]);
    assert!(said(&app).contains("no list yet"));
    press(&mut app, &["w"]);
    assert_eq!(app.desk.lists.len(), 1);
    assert!(said(&app).contains("is in 'Watch' now"), "{}", said(&app));
    assert!(is_watched(&app, &game));
    press(&mut app, &["W"]);
    assert_eq!((app.pages.board.rows.games, app.prefs.list.as_deref()), (1, Some("Watch")));
    press(&mut app, &["w"]);
    assert_eq!(app.pages.board.rows.games, 0, "the list is empty now");
    press(&mut app, &["W"]);
    assert_eq!((app.pages.board.rows.games, app.prefs.list.clone()), (all, None));
    assert!(!is_watched(&app, &game));
}

#[test]
fn a_game_that_a_rule_brings_in_is_excluded() {
    let (_folder, mut app) = board(160, 45);
    let game = super::super::pages::board::current(&app).expect("a game").clone();
    let sport = game.who.sport_key.to_string();
    change(
        &mut app,
        "test",
        move |desk| {
            let list = desk.create("League")?.id;
            desk.add_rule(list, &NewRule::league(sport))
        },
        |_, _| {},
    );
    settle(&mut app);
    let before = held(&app).games[0].len();
    assert!(before > 1 && is_watched(&app, &game));
    press(&mut app, &["w"]);
    assert!(said(&app).contains("is excluded from 'League'"), "{}", said(&app));
    assert_eq!(held(&app).games[0].len(), before - 1);
    press(&mut app, &["w"]);
    assert_eq!(held(&app).games[0].len(), before);
}

#[test]
fn lists_of_the_command_line_appear_and_a_chosen_one_follows_its_name() {
    let (_folder, mut app) = board(160, 45);
    let mut other = Desk::open(&app.at.desk).expect("desk");
    let list = other.create("Tonight").expect("list");
    other.add_rule(list.id, &NewRule::filter("sport:nhl")).expect("rule");
    pass(&mut app, 14_000);
    tick(&mut app);
    settle(&mut app);
    assert!(app.desk.lists.is_empty(), "not looked yet");
    pass(&mut app, 1_100);
    tick(&mut app);
    settle(&mut app);
    assert_eq!(app.desk.lists.len(), 1);
    choose(&mut app, Some(0));
    let nhl = app.slate().games.iter().filter(|g| &*g.who.sport_key == "icehockey_nhl").count();
    assert_eq!(app.pages.board.rows.games, nhl);
    other.rename(list.id, "Late").expect("renamed");
    refresh(&mut app);
    settle(&mut app);
    assert_eq!(app.prefs.list.as_deref(), Some("Late"));
    other.delete(list.id).expect("deleted");
    refresh(&mut app);
    settle(&mut app);
    assert_eq!((app.prefs.list.as_deref(), app.pages.board.rows.games), (None, app.slate().games.len()));
    assert!(said(&app).contains("no list 'Late' any more"));
}

#[test]
fn a_damaged_desk_is_complained_about_and_left_alone() {
    let folder = tempfile::tempdir().expect("folder");
    let mut app = testing::board(160, 45);
    app.at.desk = folder.path().join("desk.db");
    let nonsense = b"this is no database at all, and it is long enough to be looked at".repeat(40);
    std::fs::write(&app.at.desk, &nonsense).expect("writes");
    begin(&mut app);
    settle(&mut app);
    assert!(app.desk.trouble.is_some() && said(&app).contains("lists and choices cannot be used"));
    press(&mut app, &["w", "W", "o"]);
    keep_prefs(&mut app);
    end(&mut app);
    settle(&mut app);
    assert_eq!(app.pages.board.rows.games, app.slate().games.len());
    assert_eq!(std::fs::read(&app.at.desk).expect("reads"), nonsense);
    // Put right, it is used again.
    std::fs::remove_file(&app.at.desk).expect("removed");
    pass(&mut app, 31_000);
    tick(&mut app);
    settle(&mut app);
    assert!(app.desk.trouble.is_none() && app.desk.loaded);
}

#[test]
fn what_depends_on_time_is_worked_out_each_minute() {
    let (_folder, mut app) = board(160, 45);
    app.prefs.filter = "lead:0..2h".into();
    app.moved();
    let before = app.pages.board.rows.games;
    assert!(before > 0);
    tick(&mut app);
    pass(&mut app, 115 * 60_000);
    tick(&mut app);
    settle(&mut app);
    assert_ne!(app.pages.board.rows.games, before);
}
