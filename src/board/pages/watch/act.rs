//! What keys, clicks and the wheel do on the page. Every change is a job of its own and can be taken back.

use std::sync::Arc;

use super::draw::{GAMES, RULES};
use super::line::{Line, Verdict};
use super::rules::KindChooser;
use super::{Pane, Undo, current, current_game, current_rule, games, room, settle};
use crate::board::app::{App, Page};
use crate::board::desk;
use crate::board::keys::Action;
use crate::board::pages::board;
use crate::board::paint::Hit;
use crate::market::ids::EventId;
use crate::store::desk::{Added, Desk, DeskError, LONGEST_NAME, ListId, NewRule, Rule};

/// Changes that can be taken back.
const UNDOS: usize = 50;

/// Does an action of the page; `false`: it has none.
pub fn act(app: &mut App, action: Action) -> bool {
    use Action as A;
    let pane = app.pages.watch.pane;
    let screen = room(app, pane).max(2) as isize - 1;
    match action {
        A::Up => step(app, -1),
        A::Down => step(app, 1),
        A::PageUp => step(app, -screen),
        A::PageDown => step(app, screen),
        A::First => step(app, isize::MIN / 2),
        A::Last => step(app, isize::MAX / 2),
        A::Left => enter_pane(app, -1),
        A::Right => enter_pane(app, 1),
        A::NextPane => {
            app.pages.watch.pane = Pane::ALL.get((pane.place() + 1) % 3).copied().unwrap_or_default();
            app.dirty = true;
        }
        A::Open => open(app),
        A::NewList => new_list(app),
        A::AddRule => new_rule(app),
        A::Rename => rename(app),
        A::Delete => delete(app),
        A::MoveUp => reorder(app, -1),
        A::MoveDown => reorder(app, 1),
        A::Undo => undo(app),
        A::ToggleWatch => match (current_game(app).map(|g| g.who.id), current(app)) {
            (Some(event), Some((list, _))) => desk::watch::toggle_in(app, list, event),
            (Some(event), None) => desk::toggle(app, event),
            (None, _) => app.say("there is no game under the cursor"),
        },
        _ => return false,
    }
    true
}

fn enter_pane(app: &mut App, by: isize) {
    let at = app.pages.watch.pane.place() as isize + by;
    if let Some(pane) = usize::try_from(at).ok().and_then(|at| Pane::ALL.get(at)) {
        app.pages.watch.pane = *pane;
    }
    app.dirty = true;
}

/// Moves the cursor of the pane with the keyboard.
fn step(app: &mut App, by: isize) {
    let pane = app.pages.watch.pane;
    let count = match pane {
        Pane::Lists => app.desk.lists.len() + 1,
        Pane::Rules => current(app).map_or(0, |(_, l)| l.rules.len()),
        Pane::Games => games(app).len(),
    };
    let to = (app.pages.watch.at[pane.place()] as isize).saturating_add(by).clamp(0, count.saturating_sub(1) as isize);
    put(app, pane, to.max(0) as usize);
}

fn put(app: &mut App, pane: Pane, at: usize) {
    let page = &mut app.pages.watch;
    page.at[pane.place()] = at;
    match pane {
        Pane::Lists => {
            let list = at.checked_sub(1).and_then(|at| app.desk.lists.get(at)).map(|l| l.list.id);
            if page.list != list {
                (page.list, page.rule) = (list, None);
                (page.at[1], page.at[2]) = (0, 0);
            }
        }
        Pane::Rules => {
            let rule = current(app).and_then(|(_, l)| l.rules.get(at)).map(|r| r.id);
            app.pages.watch.rule = rule;
        }
        Pane::Games => {}
    }
    settle(app);
}

fn open(app: &mut App) {
    if app.pages.watch.pane == Pane::Games
        && let Some(event) = current_game(app).map(|g| g.who.id)
    {
        return show_game(app, event);
    }
    let list = current(app).map(|(at, _)| at);
    desk::choose(app, list);
    app.go(Page::Board);
}

/// Shows a game in full. Where the board does not show it, it is shown with the list under the cursor.
fn show_game(app: &mut App, event: EventId) {
    if !follow(app, event) {
        let list = current(app).map(|(at, _)| at);
        app.prefs.filter.clear();
        app.prefs.sport = None;
        desk::choose(app, list);
        if !follow(app, event) {
            app.say("this game is not on the board any more");
            return;
        }
    }
    app.go(Page::Game);
}

/// Puts the board's cursor on a game; `false`: it is not shown there.
fn follow(app: &mut App, event: EventId) -> bool {
    let slate = app.slate().clone();
    let Some(line) = app.pages.board.rows.find(&slate, event, 0) else { return false };
    app.pages.board.line = line;
    app.pages.board.follows = Some((event, 0));
    board::settle(app);
    true
}

/// A change that can be taken back by `undo`.
fn change<T: Send + 'static>(
    app: &mut App,
    what: String,
    work: impl FnOnce(&mut Desk) -> Result<(T, Undo), DeskError> + Send + 'static,
    then: impl FnOnce(&mut App, T) + Send + 'static,
) {
    desk::change(app, "change lists", work, move |app, done| {
        let Some((value, undo)) = done else { return };
        let page = &mut app.pages.watch;
        page.undo.push(undo);
        let surplus = page.undo.len().saturating_sub(UNDOS);
        page.undo.drain(..surplus);
        if !what.is_empty() {
            app.say(what);
        }
        then(app, value);
        settle(app);
    });
}

fn undoing(what: impl Into<String>, work: impl Fn(&mut Desk) -> Result<(), DeskError> + Send + Sync + 'static) -> Undo {
    Undo { what: what.into(), work: Arc::new(work) }
}

fn undo(app: &mut App) {
    let Some(last) = app.pages.watch.undo.pop() else {
        app.say("there is nothing to take back");
        return;
    };
    let work = last.work.clone();
    desk::change(
        app,
        "take back",
        move |desk| work(desk),
        move |app, done| {
            if done.is_some() {
                app.say(format!("taken back: {}", last.what));
            } else {
                // It can be tried once more: nothing is lost.
                app.pages.watch.undo.push(last);
            }
            settle(app);
        },
    );
}

/// Judges a name for a list; `own`: that of the list itself is free.
fn judge_name(app: &App, text: &str, own: Option<ListId>) -> Verdict {
    let name = text.trim();
    if name.is_empty() {
        return Verdict::unfinished("a list needs a name");
    }
    if name.chars().count() > LONGEST_NAME {
        return Verdict::bad(format!("longer than {LONGEST_NAME} characters"));
    }
    let lower = name.to_lowercase();
    let taken = app.desk.lists.iter().find(|l| Some(l.list.id) != own && l.list.name.to_lowercase() == lower);
    match taken {
        Some(list) => Verdict::bad(format!("there is a list '{}' already", list.list.name)),
        None => Verdict::default(),
    }
}

fn new_list(app: &mut App) {
    let line = Line::new(
        app,
        "New list",
        "a name, such as Tonight",
        "",
        Box::new(|app, text| judge_name(app, text, None)),
        Box::new(|app, text| {
            let name = text.trim().to_owned();
            change(
                app,
                format!("made '{name}': r adds a rule, w adds a game"),
                move |desk| {
                    let list = desk.create(&name)?;
                    let id = list.id;
                    Ok((id, undoing(format!("made '{name}'"), move |desk| desk.delete(id).map(drop))))
                },
                |app, id| {
                    (app.pages.watch.list, app.pages.watch.pane) = (Some(id), Pane::Lists);
                },
            );
        }),
    );
    app.overlay(line);
}

fn rename(app: &mut App) {
    let Some((_, list)) = current(app) else {
        app.say("choose a list first");
        return;
    };
    let (id, old) = (list.list.id, list.list.name.clone());
    let line = Line::new(
        app,
        &format!("Rename '{old}'"),
        "the new name",
        &old.clone(),
        Box::new(move |app, text| judge_name(app, text, Some(id))),
        Box::new(move |app, text| {
            let name = text.trim().to_owned();
            if name == old {
                return;
            }
            change(
                app,
                format!("'{old}' is called '{name}' now"),
                move |desk| {
                    desk.rename(id, &name)?;
                    let what = format!("'{old}' was called '{name}'");
                    Ok(((), undoing(what, move |desk| desk.rename(id, &old).map(drop))))
                },
                |_, ()| {},
            );
        }),
    );
    app.overlay(line);
}

fn new_rule(app: &mut App) {
    let Some((_, list)) = current(app) else {
        app.say(if app.desk.lists.is_empty() { "a makes a list; rules belong to one" } else { "choose a list first" });
        return;
    };
    let chooser = KindChooser::new(list.list.id, list.list.name.clone());
    app.overlay(chooser);
}

/// Adds a rule to a list.
pub fn add_rule(app: &mut App, list: ListId, rule: NewRule) {
    desk::change(
        app,
        "add rule",
        move |desk| desk.add_rule(list, &rule),
        move |app, done| {
            let Some(added) = done else { return };
            let rule = added.rule().clone();
            let (label, id) = (rule.label.clone(), rule.id);
            app.pages.watch.rule = Some(id);
            let undo = match added {
                Added::New(_) => {
                    app.say(format!("new rule: {label}"));
                    undoing(format!("added {label}"), move |desk| desk.remove_rule(id).map(drop))
                }
                Added::Turned(rule) => {
                    app.say(format!("the rule {label} says the opposite now"));
                    let before = NewRule { kind: rule.kind, negative: !rule.negative, label: rule.label };
                    undoing(format!("turned {label}"), move |desk| desk.add_rule(list, &before).map(drop))
                }
                Added::Same(_) => {
                    app.say(format!("the rule {label} was there already"));
                    settle(app);
                    return;
                }
            };
            app.pages.watch.undo.push(undo);
            settle(app);
        },
    );
}

fn delete(app: &mut App) {
    match app.pages.watch.pane {
        Pane::Lists => delete_list(app),
        Pane::Rules => match current_rule(app).cloned() {
            Some(rule) => delete_rule(app, rule),
            None => app.say("there is no rule under the cursor"),
        },
        Pane::Games => match (current_game(app).map(|g| g.who.id), current(app)) {
            (Some(event), Some((list, _))) => desk::watch::toggle_in(app, list, event),
            _ => app.say("there is nothing to delete here"),
        },
    }
}

fn delete_list(app: &mut App) {
    let Some((_, list)) = current(app) else {
        app.say("all games are always there");
        return;
    };
    let (id, name) = (list.list.id, list.list.name.clone());
    change(
        app,
        format!("deleted '{name}': u takes it back"),
        move |desk| {
            let deleted = desk.delete(id)?;
            Ok(((), undoing(format!("deleted '{name}'"), move |desk| desk.restore(&deleted).map(drop))))
        },
        |_, ()| {},
    );
}

fn delete_rule(app: &mut App, rule: Rule) {
    let (id, label) = (rule.id, rule.label);
    change(
        app,
        format!("deleted the rule {label}: u takes it back"),
        move |desk| {
            let removed = desk.remove_rule(id)?;
            let undo = undoing(format!("deleted the rule {label}"), move |desk| {
                let Rule { kind, negative, label, .. } = removed.clone();
                let added = desk.add_rule(removed.list, &NewRule { kind, negative, label })?;
                desk.move_rule(added.rule().id, removed.position)
            });
            Ok(((), undo))
        },
        |_, ()| {},
    );
}

fn reorder(app: &mut App, by: isize) {
    match app.pages.watch.pane {
        Pane::Lists => {
            let Some((at, list)) = current(app) else { return };
            let (id, name) = (list.list.id, list.list.name.clone());
            let Some(to) = at.checked_add_signed(by).filter(|to| *to < app.desk.lists.len()) else { return };
            change(
                app,
                String::new(),
                move |desk| {
                    desk.move_to(id, to)?;
                    Ok(((), undoing(format!("moved '{name}'"), move |desk| desk.move_to(id, at))))
                },
                |_, ()| {},
            );
        }
        Pane::Rules => {
            let Some(rule) = current_rule(app) else { return };
            let (id, at, label) = (rule.id, rule.position, rule.label.clone());
            let count = current(app).map_or(0, |(_, l)| l.rules.len());
            let Some(to) = at.checked_add_signed(by).filter(|to| *to < count) else { return };
            change(
                app,
                String::new(),
                move |desk| {
                    desk.move_rule(id, to)?;
                    Ok(((), undoing(format!("moved {label}"), move |desk| desk.move_rule(id, at))))
                },
                |_, ()| {},
            );
        }
        Pane::Games => app.say("games stand in the order of their start"),
    }
}

/// A click on the page, or on the pane beside the board; `false`: it means nothing here.
pub fn click(app: &mut App, hit: &Hit, double: bool) -> bool {
    if app.page != Page::Watch {
        match hit {
            Hit::List(list) => desk::choose(app, *list),
            Hit::Game(event) => {
                if !follow(app, *event) {
                    app.say("the board does not show this game now: F shows all");
                } else if double {
                    app.go(Page::Game);
                }
            }
            _ => return false,
        }
        return true;
    }
    let (pane, at) = match hit {
        Hit::List(list) => (Pane::Lists, list.map_or(0, |at| at + 1)),
        Hit::Row(at) if *at >= RULES => (Pane::Rules, at - RULES),
        Hit::Row(at) if *at >= GAMES => (Pane::Games, at - GAMES),
        Hit::Pane(at) => {
            app.pages.watch.pane = Pane::ALL.get(*at).copied().unwrap_or_default();
            app.dirty = true;
            return true;
        }
        _ => return false,
    };
    app.pages.watch.pane = pane;
    put(app, pane, at);
    if double {
        open(app);
    }
    true
}

/// The wheel over a part of the page; `false`: it moves the cursor as keys do.
pub fn wheel(app: &mut App, hit: Option<&Hit>, rows: i16) -> bool {
    let pane = match hit {
        Some(Hit::List(_)) => Pane::Lists,
        Some(Hit::Row(at)) if *at >= RULES => Pane::Rules,
        Some(Hit::Row(at)) if *at >= GAMES => Pane::Games,
        Some(Hit::Pane(at)) => Pane::ALL.get(*at).copied().unwrap_or_default(),
        _ => return false,
    };
    let before = std::mem::replace(&mut app.pages.watch.pane, pane);
    step(app, isize::from(rows));
    app.pages.watch.pane = before;
    true
}
