//! What the pane with the keyboard shows, as a table: lists, rules, or games.

use super::{Pane, activity, current, games};
use crate::board::app::App;
use crate::board::desk;
use crate::board::export::{Table, Value};

/// The table. `None`: the lists have not been read yet.
pub fn table(app: &App) -> Option<Table> {
    if !app.desk.loaded {
        return None;
    }
    Some(match app.pages.watch.pane {
        Pane::Lists => lists(app),
        Pane::Rules => rules(app),
        Pane::Games => held(app),
    })
}

/// The row of [`table`] under the cursor.
pub fn row(app: &App) -> usize {
    let page = &app.pages.watch;
    page.at[page.pane.place()]
}

/// What is under the cursor, in a few words: a list's name, a rule's text, a game.
pub fn cell(app: &App) -> Option<String> {
    match app.pages.watch.pane {
        Pane::Lists => Some(current(app).map_or_else(|| "All games".to_owned(), |(_, l)| l.list.name.clone())),
        Pane::Rules => {
            super::current_rule(app).map(|r| format!("{}{}", if r.negative { "not " } else { "" }, r.kind.text()))
        }
        Pane::Games => super::current_game(app).map(|g| format!("{} @ {}", g.who.away, g.who.home)),
    }
}

fn named(name: &str, columns: &[&str], rows: Vec<Vec<Value>>) -> Table {
    Table { name: format!("watch-{name}"), columns: columns.iter().map(|c| (*c).to_owned()).collect(), rows }
}

fn count(n: usize) -> Value {
    Value::Integer(i64::try_from(n).unwrap_or(i64::MAX))
}

fn lists(app: &App) -> Table {
    let held = desk::held(app);
    let (all, each) = activity::of_lists(app, &held);
    let row = |name: &str, games: usize, lately: activity::Lately| {
        vec![
            Value::from(name),
            count(games),
            Value::Integer(lately.signals.into()),
            Value::Integer(lately.moves.into()),
        ]
    };
    let mut rows = vec![row("All games", app.slate().games.len(), all)];
    rows.extend(app.desk.lists.iter().enumerate().map(|(at, list)| {
        let games = held.games.get(at).map_or(0, Vec::len);
        row(&list.list.name, games, each.get(at).copied().unwrap_or_default())
    }));
    named("lists", &["list", "games", "signals_15m", "moves_15m"], rows)
}

fn rules(app: &App) -> Table {
    let columns = ["list", "not", "kind", "rule", "label"];
    let rows = current(app).map_or_else(Vec::new, |(_, list)| {
        let row = |rule: &crate::store::desk::Rule| {
            vec![
                Value::from(list.list.name.as_str()),
                Value::from(if rule.negative { "not" } else { "" }),
                Value::from(rule.kind.name()),
                Value::from(rule.kind.text()),
                Value::from(rule.label.as_str()),
            ]
        };
        list.rules.iter().map(row).collect()
    });
    named("rules", &columns, rows)
}

fn held(app: &App) -> Table {
    let columns = [
        "list",
        "event_id",
        "sport",
        "start",
        "status",
        "away_team",
        "home_team",
        "away_score",
        "home_score",
        "signals_15m",
        "moves_15m",
    ];
    let list = current(app).map_or_else(|| "All games".to_owned(), |(_, l)| l.list.name.clone());
    let rows = games(app).into_iter().filter_map(|at| app.slate().games.get(at)).map(|game| {
        let lately = activity::of_game(app, game);
        let score = |of: Option<i64>| of.map_or(Value::None, Value::Integer);
        vec![
            Value::from(list.as_str()),
            Value::Integer(i64::from(game.who.id.0)),
            Value::from(&*game.who.sport_key),
            Value::Time(game.commence),
            Value::from(game.status.name()),
            Value::from(&*game.who.away),
            Value::from(&*game.who.home),
            score(game.score.map(|s| s.1.into())),
            score(game.score.map(|s| s.0.into())),
            Value::Integer(lately.signals.into()),
            Value::Integer(lately.moves.into()),
        ]
    });
    named("games", &columns, rows.collect())
}
