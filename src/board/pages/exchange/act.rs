//! What keys, clicks and the wheel do on the page, and what the user decides about links.

use super::compare::{self, EXCHANGE};
use super::layout::{self, Pane};
use super::rows::Links;
use super::{choose, contract, current, list, load, settle};
use crate::board::app::{App, Effect, Job, Page, Showing};
use crate::board::chrome;
use crate::board::keys::Action;
use crate::board::paint::Hit;
use crate::board::widgets::chart::Window;
use crate::board::widgets::text;
use crate::board::{desk, format};
use crate::store::exchange::LinkState;

/// The shortest time that the chart shows. Milliseconds.
const LEAST_MS: i64 = 10 * 60_000;

/// Does an action of the page; `false`: it has none.
pub fn act(app: &mut App, action: Action) -> bool {
    use Action as A;
    let places = layout::places(chrome::body(app), app.pages.exchange.open);
    let screen = places.list.map_or(2, list::visible).max(2) as isize - 1;
    match action {
        A::Up => step(app, -1),
        A::Down => step(app, 1),
        A::PageUp => step(app, -screen),
        A::PageDown => step(app, screen),
        A::First => step(app, isize::MIN / 2),
        A::Last => step(app, isize::MAX / 2),
        A::Left => sideways(app, -1),
        A::Right => sideways(app, 1),
        A::NextMarket => step_contract(app, 1),
        A::PreviousMarket => step_contract(app, -1),
        A::MarketMoneyline => kind(app, "h2h"),
        A::MarketSpread => kind(app, "spreads"),
        A::MarketTotal => kind(app, "totals"),
        A::Open if !app.pages.exchange.open && !places.beside => {
            app.pages.exchange.open = !app.pages.exchange.rows.is_empty();
            settle(app);
        }
        A::Open | A::PageGame => game(app),
        A::Back if app.pages.exchange.open && !places.beside => {
            app.pages.exchange.open = false;
            settle(app);
        }
        A::NextPane => app.pages.exchange.pane = app.pages.exchange.pane.next(),
        A::ZoomIn => zoom(app, 0.5),
        A::ZoomOut => zoom(app, 2.0),
        A::ZoomAll => app.pages.exchange.span = None,
        A::Sort => {
            let page = &mut app.pages.exchange;
            page.sort = page.sort.next();
            let told = format!("by {}", page.sort.name());
            choose(app);
            app.say(told);
        }
        A::ReverseSort => {
            app.pages.exchange.reverse = !app.pages.exchange.reverse;
            choose(app);
        }
        A::LinkFilter => {
            let page = &mut app.pages.exchange;
            page.links = page.links.next();
            let told = page.links.name();
            choose(app);
            app.say(told);
        }
        A::ClearFilter => {
            app.pages.exchange.links = Links::All;
            app.prefs.sport = None;
            app.keep_prefs();
            app.moved();
            app.say("all listings");
        }
        A::LinkAccept => accept(app),
        A::LinkRefuse => refuse(app),
        A::Undo => undo(app),
        A::ToggleWatch => match current(app).and_then(|l| l.event()) {
            Some(event) => desk::toggle(app, event),
            None => app.say("it is not linked to a game that could be watched"),
        },
        _ => return false,
    }
    app.dirty = true;
    true
}

fn step(app: &mut App, by: isize) {
    let page = &mut app.pages.exchange;
    let last = page.rows.len().saturating_sub(1) as isize;
    page.line = (page.line as isize).saturating_add(by).clamp(0, last) as usize;
    settle(app);
}

/// Of a listing that waits for a person the candidate, else the contract.
fn sideways(app: &mut App, by: isize) {
    if is_review(app) {
        let page = &mut app.pages.exchange;
        page.candidate = page.candidate.saturating_add_signed(by);
        settle(app);
    } else {
        step_contract(app, by);
    }
}

fn is_review(app: &App) -> bool {
    current(app).is_some_and(|l| !l.candidates.is_empty())
}

fn step_contract(app: &mut App, by: isize) {
    let page = &mut app.pages.exchange;
    page.contract = page.contract.saturating_add_signed(by);
    settle(app);
}

/// Puts the cursor on the first contract of a market of the books; `false`: there is none.
pub fn contract_of(app: &mut App, market: &str) -> bool {
    let of = |l: &std::sync::Arc<load::Listed>| {
        l.game.markets.iter().position(|m| compare::market_of(&m.contract.kind) == Some(market))
    };
    let found = current(app).and_then(of);
    if let Some(at) = found {
        app.pages.exchange.contract = at;
        settle(app);
    }
    found.is_some()
}

fn kind(app: &mut App, market: &str) {
    if !contract_of(app, market) && current(app).is_some() {
        app.say(format!("the exchange lists no {} here", format::market_title(market).to_lowercase()));
    }
}

/// Goes to the game of the books, in the market of the chosen contract.
fn game(app: &mut App) {
    let Some(listed) = current(app) else { return };
    let Some(event) = listed.event() else {
        app.say("it is not linked to a game of the books");
        return;
    };
    if app.slate().game(event).is_none() {
        app.say("that game is not on the board any more");
        return;
    }
    let market = contract(app).and_then(|m| compare::market_of(&m.contract.kind));
    app.pages.board.follows = Some((event, 0));
    if let Some(market) = market.filter(|m| app.slate().game(event).is_some_and(|g| g.market(m).is_some())) {
        market.clone_into(&mut app.prefs.market);
        app.keep_prefs();
    }
    crate::board::pages::board::refresh(app);
    if crate::board::pages::board::current(app).is_some_and(|g| g.who.id == event) {
        app.go(Page::Game);
    } else {
        app.say("that game is filtered out on the board: F there shows all games");
    }
}

fn zoom(app: &mut App, factor: f64) {
    let Some(all) = recorded(app) else { return };
    let page = &mut app.pages.exchange;
    let span = (page.span.unwrap_or_else(|| all.span()).min(all.span()) as f64 * factor) as i64;
    page.span = (span < all.span()).then_some(span.max(LEAST_MS));
    page.pane = Pane::Chart;
}

/// All the time of which something is known of the chosen contract.
pub fn recorded(app: &App) -> Option<Window> {
    let detail = super::detail(app)?;
    let from = detail.middle.first()?.at;
    let to = detail.at.millis();
    Some(Window { from: from.min(to - LEAST_MS), to })
}

/// The name under which a decision about the listing under the cursor is kept (the exchange's own number where several
/// share a name), and that number.
fn names(app: &App) -> Option<(String, String)> {
    let listing = &current(app)?.game.listing;
    let all = &app.pages.exchange.slot.data.as_ref()?.listed;
    let shared = all.iter().filter(|l| l.game.listing.slug == listing.slug).count() > 1;
    let name = if shared { &listing.key } else { &listing.slug };
    Some((name.clone(), listing.key.clone()))
}

/// Decides about the listing under the cursor: the work is done away from the keyboard, what came of it is told.
fn decide(app: &mut App, provider_id: Option<String>, told: String) {
    let Some((slug, _)) = names(app) else { return };
    let at = app.clocks.local();
    let job = Job::desk(
        "exchange decision",
        move |room| {
            let kept = room.desk().and_then(|d| d.decide_exchange(EXCHANGE, &slug, provider_id.as_deref(), at));
            kept.map_err(|e| {
                room.close_desk();
                e.to_string()
            })
        },
        move |app, kept| match kept {
            Ok(()) => {
                app.say(told);
                load::ask_decisions(app);
            }
            Err(why) => app.complain(format!("the decision is not kept: {why}")),
        },
    );
    app.effect(Effect::Job(job));
}

/// Decisions are about what is listed now.
fn in_the_present(app: &mut App) -> bool {
    let live = matches!(app.showing, Showing::Live);
    if !live {
        app.say("links are decided in the present: L goes back to it");
    }
    live
}

fn accept(app: &mut App) {
    if !in_the_present(app) {
        return;
    }
    let Some(listed) = current(app).cloned() else { return };
    let Some(candidate) = listed.candidates.get(app.pages.exchange.candidate) else {
        app.say(match listed.event() {
            Some(_) => "it is linked already; d says that it is none of ours",
            None => "there is no candidate to accept; `stratum polymarket link` names any game",
        });
        return;
    };
    // A toast is short: what it is comes first.
    let name = text::fit(&candidate.name, 42, app.looks.glyphs.is_ascii()).into_owned();
    let told = format!("linked to {name}; u takes it back");
    decide(app, Some(candidate.provider_id.clone()), told);
}

fn refuse(app: &mut App) {
    if !in_the_present(app) {
        return;
    }
    let Some(listed) = current(app).cloned() else { return };
    if listed.game.link.as_ref().is_some_and(|l| l.state == LinkState::Refused) {
        app.say("it was refused already; u takes that back");
        return;
    }
    let title = text::fit(&listed.game.listing.title, 30, app.looks.glyphs.is_ascii()).into_owned();
    let told = format!("{title} is none of our games; u takes it back");
    decide(app, None, told);
}

fn undo(app: &mut App) {
    if !in_the_present(app) {
        return;
    }
    let Some(listed) = current(app).cloned() else { return };
    let Some((slug, key)) = names(app) else { return };
    let title = listed.game.listing.title.clone();
    let job = Job::desk(
        "exchange decision",
        move |room| {
            // What was said of this very listing holds before what was said of its name.
            let gone = room
                .desk()
                .and_then(|d| Ok(d.undecide_exchange(EXCHANGE, &key)? || d.undecide_exchange(EXCHANGE, &slug)?));
            gone.map_err(|e| {
                room.close_desk();
                e.to_string()
            })
        },
        move |app, gone| match gone {
            Ok(true) => {
                app.say(format!("taken back: the rules decide again about {title}"));
                load::ask_decisions(app);
            }
            Ok(false) => app.say(format!("nothing was decided about {title}")),
            Err(why) => app.complain(format!("the decision stands: {why}")),
        },
    );
    app.effect(Effect::Job(job));
}

/// A click on the page; `false`: it means nothing here.
pub fn click(app: &mut App, hit: &Hit, double: bool) -> bool {
    match hit {
        Hit::Row(at) => {
            app.pages.exchange.line = *at;
            settle(app);
            if double {
                act(app, Action::Open);
            }
        }
        Hit::Cell { row, .. } => {
            app.pages.exchange.contract = *row;
            settle(app);
        }
        Hit::Item(at) => {
            app.pages.exchange.candidate = *at;
            settle(app);
        }
        Hit::Pane(at) => {
            let Some(pane) = Pane::ALL.get(*at) else { return false };
            app.pages.exchange.pane = *pane;
        }
        Hit::Signal(id) if double => {
            let id = id.clone();
            crate::board::pages::tape::show(app, &id);
        }
        Hit::Signal(_) => app.pages.exchange.pane = Pane::Signals,
        _ => return false,
    }
    app.dirty = true;
    true
}

/// The wheel over a part of the page; `false`: it moves the cursor as keys do.
pub fn wheel(app: &mut App, hit: Option<&Hit>, rows: i16) -> bool {
    match hit {
        Some(Hit::Chart(..)) => zoom(app, if rows < 0 { 0.5 } else { 2.0 }),
        Some(Hit::Cell { .. }) => step_contract(app, isize::from(rows.signum())),
        _ => step(app, isize::from(rows)),
    }
    app.dirty = true;
    true
}
