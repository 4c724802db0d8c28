//! Actions that mean the same on every page; what they do not take goes to the page.

use super::{App, Effect, Outcome, Page, Showing};
use crate::board::keys::Action;
use crate::board::{overlays, pages};
use crate::market::market_key::{MarketSpec, Stance};

/// Does an action: what lies over the page first, then the page, then the board as a whole.
pub fn act(app: &mut App, action: Action) {
    app.dirty = true;
    if action == Action::ForceQuit {
        app.effect(Effect::Quit);
        return;
    }
    if let Some(mut top) = app.overlays.pop() {
        let under = app.overlays.len();
        match top.act(app, action) {
            // What it has opened lies over it.
            Outcome::Stay => app.overlays.insert(under, top),
            Outcome::Close => {}
            Outcome::Pass(action) => act(app, action),
        }
        return;
    }
    if pages::act(app, action) {
        return;
    }
    common(app, action);
}

fn common(app: &mut App, action: Action) {
    use Action as A;
    match action {
        A::PageBoard => app.go(Page::Board),
        A::PageGame => app.go(Page::Game),
        A::PageTape => app.go(Page::Tape),
        A::PageClv => app.go(Page::Clv),
        A::PageWatch => app.go(Page::Watch),
        A::PageExchange => pages::exchange::open(app),
        A::PageOps => app.go(Page::Ops),
        A::NextPage => app.go(app.page.stepped(1)),
        A::PreviousPage => app.go(app.page.stepped(-1)),
        A::OddsFormat => {
            app.prefs.odds = app.prefs.odds.next();
            app.say(format!("odds: {}", app.prefs.odds.name()));
            app.keep_prefs();
        }
        A::Zone => {
            app.prefs.utc = !app.prefs.utc;
            app.say(if app.prefs.utc { "clocks in UTC" } else { "clocks in your own zone" });
            app.keep_prefs();
        }
        A::MarketSpread => app.show_market("spreads"),
        A::MarketTotal => app.show_market("totals"),
        A::MarketMoneyline => app.show_market("h2h"),
        A::NextMarket => app.step_market(1),
        A::PreviousMarket => app.step_market(-1),
        A::NextSport => app.step_sport(1),
        A::PreviousSport => app.step_sport(-1),
        A::Freeze => app.toggle_freeze(),
        A::StepBack => app.step_time(false),
        A::StepForward => app.step_time(true),
        A::PreviousSignal => app.step_signal(false),
        A::NextSignal => app.step_signal(true),
        A::Play => app.toggle_play(),
        A::Slower => app.change_speed(false),
        A::Faster => app.change_speed(true),
        A::Live => app.go_live(),
        A::Dismiss => app.toasts.clear(),
        A::Redraw => app.effect(Effect::Redraw),
        A::Sports => app.effect(Effect::Offer),
        A::ReloadFiles => app.effect(Effect::Reload),
        A::Suspend => app.effect(Effect::Suspend),
        A::Quit => app.effect(Effect::Quit),
        A::Back => {
            if !matches!(app.showing, Showing::Live) {
                app.go_live();
            } else if app.page != Page::Board {
                app.go(Page::Board);
            }
        }
        _ => {
            if !crate::board::desk::act(app, action) {
                overlays::act(app, action);
            }
        }
    }
}

/// A market of its own: not the bids or the middles of an exchange, which belong to the market of its asks.
pub fn is_told(market: &str) -> bool {
    MarketSpec::parse(market).stance == Stance::Back
}

impl App {
    /// Shows another market on the board and the page of a game.
    pub fn show_market(&mut self, key: &str) {
        if self.prefs.market != key {
            key.clone_into(&mut self.prefs.market);
            self.keep_prefs();
        }
        self.moved();
    }

    /// The next market that any game on show has.
    pub fn step_market(&mut self, by: isize) {
        let markets = self.markets();
        if markets.is_empty() {
            return;
        }
        let at = markets.iter().position(|m| *m == self.prefs.market).unwrap_or(0);
        let at = (at as isize + by).rem_euclid(markets.len() as isize) as usize;
        if let Some(key) = markets.get(at).cloned() {
            self.show_market(&key);
            self.say(super::super::format::market_title(&key));
        }
    }

    /// Markets of the slate: the three main ones first, then the others by name.
    pub fn markets(&self) -> Vec<String> {
        const MAIN: [&str; 3] = ["spreads", "totals", "h2h"];
        let names = &self.slate().names;
        let mut others: Vec<String> =
            names.markets.iter().filter(|m| !MAIN.contains(m) && is_told(m)).map(str::to_owned).collect();
        others.sort();
        MAIN.iter().map(|m| (*m).to_owned()).chain(others).collect()
    }

    /// Only the games of the next sport, or all.
    pub fn step_sport(&mut self, by: isize) {
        let mut sports: Vec<String> = self.slate().games.iter().map(|g| g.who.sport_key.to_string()).collect();
        sports.sort();
        sports.dedup();
        let choices: Vec<Option<String>> = std::iter::once(None).chain(sports.into_iter().map(Some)).collect();
        let at = choices.iter().position(|s| *s == self.prefs.sport).unwrap_or(0);
        let at = (at as isize + by).rem_euclid(choices.len() as isize) as usize;
        self.prefs.sport = choices.get(at).cloned().flatten();
        self.keep_prefs();
        self.moved();
    }

    /// Keeps what the user chose; written by and by.
    pub fn keep_prefs(&mut self) {
        self.dirty = true;
        self.effect(Effect::Prefs);
    }
}
