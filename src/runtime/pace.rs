//! When to ask: by plan, or by the steady beat of demos and recordings that cost nothing.
//!
//! Translates between what is planned and what is asked; holds no clock and asks nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use super::follow::FollowConfig;
use crate::engine::standing::Standing;
use crate::feeds::odds_api::SOURCE;
use crate::feeds::odds_api::ask::{Ask, EventFilter};
use crate::feeds::odds_api::breaker::Purpose;
use crate::feeds::odds_api::fetched::Fetched;
use crate::feeds::odds_api::quota::Quota;
use crate::feeds::odds_api::request::{Question, Request};
use crate::feeds::outcome::Unavailable;
use crate::hub::credit::Heard;
use crate::market::batch::Endpoint;
use crate::market::ids::EventId;
use crate::market::time::Timestamp;
use crate::poller::calendar::{Day, Month};
use crate::poller::ledger::{Account, Bill, Entry, Ledger, Spent, Turn};
use crate::poller::plan::{Call, DetectorNeed, Plan, SportVerdict, Wanted};
use crate::poller::planner::Planner;
use crate::poller::rules::{PlanRules, Prices};
use crate::poller::slate::{Game, GameState, SportSlate};
use crate::poller::{Cadence, Due, Pause, Schedule};
use crate::store::credit::{AccountRow, Billing, CreditRow, GameRow};
use crate::store::credit_elsewhere::ElsewhereRow;
use crate::store::{Reader, StoreError};

/// How the beat is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pacing {
    /// Every sport every so often, whatever it costs.
    Steady(Cadence),
    /// By the games, the credits and these rules.
    Planned(PlanRules),
}

/// A question that is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Task {
    Steady(Due),
    Planned(Call),
}

impl Task {
    /// The sport asked about.
    pub(super) fn sport(&self) -> &str {
        match self {
            Self::Steady(Due::Odds(sport) | Due::Scores(sport)) => sport,
            Self::Planned(call) => &call.sport,
        }
    }

    /// Which question.
    pub(super) const fn endpoint(&self) -> Endpoint {
        match self {
            Self::Steady(Due::Odds(_)) => Endpoint::Odds,
            Self::Steady(Due::Scores(_)) => Endpoint::Scores,
            Self::Planned(call) => endpoint(call.wanted),
        }
    }

    /// How near the next start is.
    pub(super) fn tier(&self) -> Option<&'static str> {
        match self {
            Self::Steady(_) => None,
            Self::Planned(call) => call.tier.map(|t| t.name()),
        }
    }

    /// The question itself, and what it is for.
    pub(super) fn request(&self, ask: &Ask) -> (Request, Purpose) {
        let sport = self.sport().to_owned();
        let filter = EventFilter::default();
        match self {
            Self::Steady(Due::Odds(_)) => (Question::Odds { sport, filter, ask: ask.clone() }.into(), Purpose::Live),
            Self::Steady(Due::Scores(_)) => (scores(sport), Purpose::Scores),
            Self::Planned(call) => match call.wanted {
                Wanted::Full => (Question::Odds { sport, filter, ask: ask.clone() }.into(), call.purpose),
                Wanted::Lean => {
                    let markets = ask.markets.first().cloned().into_iter().collect();
                    let ask = Ask { markets, ..ask.clone() };
                    (Question::Odds { sport, filter, ask }.into(), call.purpose)
                }
                Wanted::Scores => (scores(sport), call.purpose),
                Wanted::Listing => (Question::Events { sport, filter }.into(), call.purpose),
            },
        }
    }
}

fn scores(sport: String) -> Request {
    Question::Scores { sport, days_from: None, events: Vec::new() }.into()
}

const fn endpoint(wanted: Wanted) -> Endpoint {
    match wanted {
        Wanted::Full | Wanted::Lean => Endpoint::Odds,
        Wanted::Scores => Endpoint::Scores,
        Wanted::Listing => Endpoint::Events,
    }
}

/// Games between these two instants matter to a plan made at `now`.
pub(super) const fn games_about(now: Timestamp) -> (Timestamp, Timestamp) {
    const HOUR_MS: i64 = 3_600_000;
    (now.plus(-12 * HOUR_MS), now.plus(8 * 24 * HOUR_MS))
}

/// What calls cost by these settings.
pub fn prices(ask: &Ask) -> Prices {
    let markets = u32::try_from(ask.markets.len()).unwrap_or(u32::MAX);
    Prices::of(markets, ask.books.region_count())
}

/// What was known when the program ended last.
#[derive(Clone, Debug, Default)]
pub struct Known {
    ledgers: BTreeMap<String, Ledger>,
    sports: Vec<SportSlate>,
}

impl Known {
    /// Reads it from the store.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn read(reader: &Reader, sports: &[String], now: Timestamp) -> Result<Self, StoreError> {
        let month = Month::of(now);
        let credits = reader.credits(month.0 - 1)?;
        let of_key = |key: &str| -> Vec<Entry> { credits.iter().filter(|c| c.key == key).filter_map(entry).collect() };
        let desk = reader.credits_elsewhere(month.0 - 1)?;
        let ledgers = reader.accounts()?.into_iter().map(|row| {
            let mut ledger =
                Ledger::restored(Month(row.month), account(&row), of_key(&row.key)).with_desk(desk_of(&desk, &row.key));
            ledger.at(now);
            (row.key, ledger)
        });
        let ledgers = ledgers.collect();
        let sports = sports.iter().map(|sport| {
            let asked = reader.last_asked(SOURCE, sport)?;
            let mut slate = SportSlate::unknown(sport);
            slate.set_games(reader.games(sport, games_about(now), now)?.iter().map(game).collect());
            (slate.odds_at, slate.listed_at, slate.scores_at) = (asked.odds, asked.listing, asked.scores);
            Ok(slate)
        });
        Ok(Self { ledgers, sports: sports.collect::<Result<_, StoreError>>()? })
    }
}

impl Known {
    /// The ledgers of all keys as one, and the sports in the order of `sports`.
    pub fn into_parts(self, sports: &[String], now: Timestamp) -> (Ledger, Vec<SportSlate>) {
        let ledger = Ledger::together(self.ledgers.values(), now);
        let of = |name: &String| self.sports.iter().find(|s| *s.sport == **name).cloned();
        (ledger, sports.iter().map(|s| of(s).unwrap_or_else(|| SportSlate::unknown(s))).collect())
    }
}

fn entry(row: &CreditRow) -> Option<Entry> {
    let purpose = Purpose::ALL.into_iter().find(|p| p.name() == row.purpose)?;
    let spent = Spent { credits: row.credits, calls: row.calls };
    Some(Entry { month: Month(row.month), day: Day(row.day), purpose, spent })
}

/// What others of the desk have spent on one key.
fn desk_of<'a>(desk: &'a [ElsewhereRow], key: &'a str) -> impl Iterator<Item = Entry> + 'a {
    desk.iter().map(|row| &row.credit).filter(move |c| c.key == key).filter_map(entry)
}

fn account(row: &AccountRow) -> Account {
    let AccountRow { remaining, used, limit, told_at, elsewhere, .. } = *row;
    Account { remaining, used, limit, told_at, elsewhere }
}

fn game(row: &GameRow) -> Game {
    let state = match row.standing {
        // A game that nobody lists any more is not going to be played as scheduled.
        standing if standing.is_over() => GameState::Over,
        Standing::Live => GameState::Live,
        _ => GameState::Scheduled,
    };
    Game { event: row.event, start: row.start, state, watched: false }
}

fn account_row(key: String, ledger: &Ledger) -> AccountRow {
    let Account { remaining, used, limit, told_at, elsewhere } = *ledger.account();
    AccountRow { key, month: ledger.month().0, remaining, used, limit, told_at, elsewhere }
}

/// The ledgers of all keys, and the planner over all of them together.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    planner: Planner,
    ledgers: BTreeMap<String, Ledger>,
}

impl Planned {
    fn billed(&mut self, call: &Call, fetched: &Fetched, at: Timestamp) -> Option<Billing> {
        let key = fetched.key.clone()?;
        // Nothing was sent, or the source says that it was free.
        let told = fetched.charged();
        let answered = fetched.outcome.body().is_some();
        let cost = told.or((!answered).then_some(0));
        let bill = Bill { at, purpose: call.purpose, planned: u64::from(call.cost), cost };
        let ledger = self.ledgers.entry(key.clone()).or_insert_with(|| Ledger::new(at));
        if let Some(turn) = ledger.enter(&bill, fetched.quota) {
            match turn {
                Turn::MonthReset => tracing::info!(key, "a new month: the credits are back"),
                Turn::LimitChanged { from, to } => tracing::info!(key, from, to, "the account holds another amount"),
            }
        }
        let account = account_row(key.clone(), ledger);
        let together = Ledger::together(self.ledgers.values(), at);
        self.planner.set_ledger(together);
        Some(Billing {
            credit: CreditRow {
                key,
                month: Month::of(at).0,
                day: Day::of(at).0,
                purpose: call.purpose.name().to_owned(),
                calls: 1,
                credits: bill.counted(),
            },
            account,
        })
    }

    /// What the hub has told of these keys; answers their accounts as they stand now.
    fn heard(&mut self, heard: &Heard, keys: &BTreeSet<String>, now: Timestamp) -> Vec<AccountRow> {
        let mut accounts = Vec::new();
        for key in keys {
            let desk: Vec<Entry> = desk_of(&heard.spent, key).collect();
            let told = heard.accounts.iter().find(|a| a.key == *key);
            if desk.is_empty() && told.is_none() {
                continue;
            }
            let ledger = self.ledgers.entry(key.clone()).or_insert_with(|| Ledger::new(now));
            ledger.at(now);
            ledger.hear(desk);
            if let Some(told) = told {
                let quota = Quota { remaining: told.remaining, used: told.used, last: None };
                ledger.hear_account(Month(told.month), told.told_at.unwrap_or(now), quota);
            }
            accounts.push(account_row(key.clone(), ledger));
        }
        let together = Ledger::together(self.ledgers.values(), now);
        self.planner.set_ledger(together);
        accounts
    }
}

/// When to ask.
#[derive(Clone, Debug)]
pub(super) enum Pace {
    Steady(Schedule),
    Planned(Box<Planned>),
}

impl Pace {
    /// Everything is due from `now` on, as far as it was not asked in an earlier life.
    pub(super) fn new(config: &FollowConfig, known: Known, now: Timestamp) -> Self {
        match config.pacing {
            Pacing::Steady(cadence) => Self::Steady(Schedule::new(&config.sports, cadence, now)),
            Pacing::Planned(rules) => {
                let together = Ledger::together(known.ledgers.values(), now);
                let mut planner = Planner::new(&config.sports, prices(&config.ask), rules, together);
                for slate in known.sports {
                    planner.remember(slate);
                }
                Self::Planned(Box::new(Planned { planner, ledgers: known.ledgers }))
            }
        }
    }

    /// Goes on with other settings: sports that stay keep what is known of them.
    pub(super) fn change(&mut self, config: &FollowConfig, now: Timestamp) {
        match (&mut *self, config.pacing) {
            (Self::Steady(schedule), Pacing::Steady(cadence)) => schedule.change(&config.sports, cadence, now),
            (Self::Planned(planned), Pacing::Planned(rules)) => {
                planned.planner.set_rules(&config.sports, prices(&config.ask), rules);
            }
            _ => *self = Self::new(config, Known::default(), now),
        }
    }

    pub(super) fn due(&mut self, now: Timestamp) -> Option<Task> {
        match self {
            Self::Steady(schedule) => schedule.due(now).map(Task::Steady),
            Self::Planned(planned) => planned.planner.due(now).map(Task::Planned),
        }
    }

    pub(super) fn next(&mut self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Steady(schedule) => schedule.next(),
            Self::Planned(planned) => planned.planner.next(now),
        }
    }

    pub(super) fn asked(&mut self, task: &Task, now: Timestamp) {
        match (self, task) {
            (Self::Steady(schedule), Task::Steady(due)) => schedule.asked(due, now),
            (Self::Planned(planned), Task::Planned(call)) => planned.planner.asked(call, now),
            _ => {}
        }
    }

    pub(super) fn failed(&mut self, task: &Task, reason: Unavailable, now: Timestamp) -> Option<Pause> {
        match (self, task) {
            (Self::Steady(schedule), Task::Steady(due)) => schedule.failed(due, reason, now),
            (Self::Planned(planned), Task::Planned(call)) => planned.planner.failed(call, reason, now),
            _ => None,
        }
    }

    pub(super) fn answered(&mut self, task: &Task) {
        match (self, task) {
            (Self::Steady(schedule), _) => schedule.succeeded(),
            (Self::Planned(planned), Task::Planned(call)) => planned.planner.answered(call),
            _ => {}
        }
    }

    /// Pauses because of the key or its credits are over.
    pub(super) fn succeeded(&mut self) {
        match self {
            Self::Steady(schedule) => schedule.succeeded(),
            Self::Planned(planned) => planned.planner.unpause(),
        }
    }

    pub(super) fn pause(&self) -> Option<Pause> {
        match self {
            Self::Steady(schedule) => schedule.pause(),
            Self::Planned(planned) => planned.planner.pause(),
        }
    }

    /// The clock was set back by so much: what was due later than that is due in its turn.
    pub(super) fn clock_set_back(&mut self, by_ms: i64) {
        match self {
            Self::Steady(schedule) => schedule.clock_set_back(by_ms),
            Self::Planned(planned) => planned.planner.clock_set_back(by_ms),
        }
    }

    /// Enters what a call cost; answers what is to be kept of it.
    pub(super) fn billed(&mut self, task: &Task, fetched: &Fetched, at: Timestamp) -> Option<Billing> {
        match (self, task) {
            (Self::Planned(planned), Task::Planned(call)) => planned.billed(call, fetched, at),
            _ => None,
        }
    }

    /// Takes note of what a free answer said of the account: what was bought meanwhile can be spent.
    pub(super) fn told(&mut self, fetched: &Fetched, at: Timestamp) {
        if let (Self::Planned(planned), Some(key)) = (self, fetched.key.clone()) {
            let bill = Bill { at, purpose: fetched.purpose, planned: 0, cost: Some(0) };
            planned.ledgers.entry(key).or_insert_with(|| Ledger::new(at)).enter(&bill, fetched.quota);
            let together = Ledger::together(planned.ledgers.values(), at);
            planned.planner.set_ledger(together);
        }
    }

    /// What the store knows of a sport's games now.
    ///
    /// Answers whether they are others than before.
    pub(super) fn judged(&mut self, sport: &str, under_way: u64, games: Option<&[GameRow]>) -> bool {
        match self {
            Self::Steady(schedule) => {
                schedule.under_way(sport, under_way > 0);
                false
            }
            Self::Planned(planned) => match games {
                Some(games) => planned.planner.set_games(sport, games.iter().map(game).collect()),
                None => false,
            },
        }
    }

    /// Every question that comes next, by sport, and when.
    pub(super) fn upcoming(&mut self, now: Timestamp) -> Vec<(String, Endpoint, Timestamp)> {
        match self {
            Self::Steady(schedule) => {
                let plan = schedule.plan().into_iter();
                plan.map(|(due, at)| {
                    let task = Task::Steady(due);
                    (task.sport().to_owned(), task.endpoint(), at)
                })
                .collect()
            }
            Self::Planned(planned) => {
                let paused = planned.planner.pause().map(|p| p.until);
                let mut seen = BTreeSet::new();
                let mut all = Vec::new();
                for call in &planned.planner.plan(now).calls {
                    let endpoint = endpoint(call.wanted);
                    if !seen.insert((call.sport.clone(), endpoint.name())) {
                        continue;
                    }
                    let at = if call.cost == 0 { call.at } else { paused.map_or(call.at, |p| p.max(call.at)) };
                    all.push((call.sport.to_string(), endpoint, at));
                }
                all
            }
        }
    }

    /// Sports that another device of the desk asks about: they are neither due nor planned for. Answers the sports that are
    /// ours again; `None`: nothing is different.
    pub(super) fn leave(&mut self, elsewhere: BTreeSet<String>) -> Option<BTreeSet<String>> {
        match self {
            Self::Steady(schedule) => schedule.leave(elsewhere),
            Self::Planned(planned) => planned.planner.leave(elsewhere),
        }
    }

    /// What others of the desk have spent on these keys. Answers the accounts, to be kept.
    pub(super) fn heard(&mut self, heard: &Heard, keys: &BTreeSet<String>, now: Timestamp) -> Vec<AccountRow> {
        match self {
            Self::Steady(_) => Vec::new(),
            Self::Planned(planned) => planned.heard(heard, keys, now),
        }
    }

    /// What the store knows of sports that this device asks about from now on: another one has asked meanwhile.
    pub(super) fn take_over(&mut self, known: Known) {
        if let Self::Planned(planned) = self {
            known.sports.into_iter().for_each(|slate| planned.planner.remember(slate));
        }
    }

    /// The games that the user watches. `true`: they are others than before.
    pub(super) fn watch(&mut self, watched: BTreeSet<EventId>) -> bool {
        match self {
            Self::Steady(_) => false,
            Self::Planned(planned) => planned.planner.watch(watched),
        }
    }

    /// The plan and what it means, where there is one.
    pub(super) fn plan(&mut self, now: Timestamp, needs: &[DetectorNeed]) -> Option<(Plan, Vec<SportVerdict>, Ledger)> {
        match self {
            Self::Steady(_) => None,
            Self::Planned(planned) => {
                let verdicts = planned.planner.verdicts(now, needs);
                Some((planned.planner.plan(now).clone(), verdicts, planned.planner.ledger().clone()))
            }
        }
    }
}
