//! A week of a season in virtual time, by the real parts: the planner asks, the simulated market answers and bills, the
//! pipeline judges and stores, and the engine grades the closes. Nothing is between them but sockets and waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::clock::Clock;
use super::follow::FollowConfig;
use super::keeper::Keeper;
use super::pace::{Known, Pace, Pacing};
use super::pipeline::{Noted, Pipeline, PipelineConfig};
use super::watchdog::Pulse;
use super::watched;
use crate::alerts::watchlist::Compiled;
use crate::feeds::odds_api::ask::{Ask, BookFilter};
use crate::feeds::odds_api::breaker::Purpose;
use crate::feeds::odds_api::fetched::{AttemptLog, Fetched, PendingVerdict};
use crate::feeds::odds_api::quota::Quota;
use crate::feeds::odds_api::request::Request;
use crate::feeds::outcome::{AttemptClass, Outcome};
use crate::feeds::sim::{Api, Scenario, SportSlate};
use crate::market::ids::EventId;
use crate::market::time::Timestamp;
use crate::poller::calendar::{DAY_MS, Day};
use crate::poller::rules::PlanRules;
use crate::store::Retention;
use crate::store::desk::{Desk, NewRule};

/// A sharp book and enough others for an A.
const BOOKS: [&str; 6] = ["pinnacle", "draftkings", "fanduel", "betmgm", "bovada", "betrivers"];
/// Teams that the user watches: some of each league, a Sunday's worth and more.
const WATCHED: [&str; 12] = [
    "Boston Celtics",
    "Los Angeles Lakers",
    "Denver Nuggets",
    "Miami Heat",
    "New York Rangers",
    "Boston Bruins",
    "Colorado Avalanche",
    "Edmonton Oilers",
    "Kansas City Chiefs",
    "Dallas Cowboys",
    "Buffalo Bills",
    "Green Bay Packers",
];

/// A Monday morning at the beginning of a month: nothing of its credits has been spent.
fn monday() -> Timestamp {
    Timestamp::parse("2026-11-02T10:00:00Z").expect("time")
}

/// Three American sports, starts as they usually are (UTC): hour and minute of the day, and how many games.
fn week(credits: u64) -> Scenario {
    let min = |day: i64, hour: i64, minute: i64| ((day * 24 + hour - 10) * 60 + minute) as f64;
    let many = |starts: &mut Vec<f64>, at: f64, games: usize| starts.extend(std::iter::repeat_n(at, games));
    let mut nfl = vec![min(0, 25, 15), min(3, 25, 15)];
    for (hour, minute, games) in [(14, 30, 1), (18, 0, 8), (21, 5, 2), (21, 25, 2), (25, 20, 1)] {
        many(&mut nfl, min(6, hour, minute), games);
    }
    let (mut nba, mut nhl) = (Vec::new(), Vec::new());
    for day in 0..7 {
        for (hour, minute, games) in [(24, 0, 2), (24, 30, 2), (25, 0, 2), (26, 30, 1), (27, 0, 1)] {
            many(&mut nba, min(day, hour, minute), games);
        }
        for (hour, minute, games) in [(24, 5, 4), (25, 5, 1), (27, 5, 2), (27, 35, 1)] {
            many(&mut nhl, min(day, hour, minute), games);
        }
    }
    let slate = |key: &str, starts: Vec<f64>| SportSlate {
        key: key.to_owned(),
        games: starts.len(),
        first_in_min: 0.0,
        every_min: 0.0,
        starts_min: starts,
    };
    let mut scenario = Scenario::parse("season week", "name = \"season week\"\nseed = 7").expect("a scenario");
    scenario.credits = i64::try_from(credits).expect("credits");
    scenario.books = BOOKS.map(str::to_owned).into();
    scenario.coverage = 1.0;
    scenario.past_hours = 1.0;
    // Books put lines up the evening before; the free list of games shows the whole week.
    scenario.offered_hours = 15.0;
    scenario.volatility = 0.5;
    scenario.sports =
        vec![slate("americanfootball_nfl", nfl), slate("basketball_nba", nba), slate("icehockey_nhl", nhl)];
    scenario
}

/// What the provider says to a question that the planner had asked, as the client would hand it over.
fn ask_provider(api: &mut Api, request: &Request, purpose: Purpose, at: Timestamp) -> Fetched {
    let asked = request.path_and_query();
    let (path, query) = asked.split_once('?').unwrap_or((&asked, ""));
    let answer = api.get(at, path, &format!("{query}&apiKey=k"));
    assert_eq!(answer.status, 200, "{asked}: {}", String::from_utf8_lossy(&answer.body));
    let credits = |n: i64| u64::try_from(n).ok();
    let quota = answer.quota.map_or_else(Quota::default, |q| Quota {
        remaining: credits(q.remaining),
        used: credits(q.used),
        last: credits(q.last),
    });
    let (body, format, server_date) = (answer.body, request.format(), Some(at));
    let empty = body == b"[]";
    Fetched {
        request: asked,
        key: Some("k".to_owned()),
        endpoint: request.endpoint(),
        sport: request.sport().to_owned(),
        scope: request.scope(),
        purpose,
        received_at: at,
        elapsed: Duration::from_secs(1),
        attempts: vec![AttemptLog {
            started_at: at.plus(-1000),
            elapsed: Duration::from_secs(1),
            status: Some(200),
            class: if empty { AttemptClass::NoEvents } else { AttemptClass::Data },
            bytes: body.len(),
            quota,
            message: None,
            wait: Duration::ZERO,
        }],
        quota,
        outcome: if empty {
            Outcome::NoEvents { body, format, server_date }
        } else {
            Outcome::Data { body, format, server_date }
        },
        verdict: PendingVerdict::none(),
    }
}

/// What came of a week.
struct Week {
    calls: u64,
    spent: u64,
    /// The most that a day spent beyond what it was allowed.
    worst_day: i64,
    /// Games that were played, and those of them on the watchlist.
    games: usize,
    watched: usize,
    /// Of these, those whose three markets all have an A, and all an A or B.
    best: usize,
    good: usize,
    watched_good: usize,
    /// Watched games whose moneyline has an A or B.
    watched_moneyline: usize,
    by_purpose: BTreeMap<String, i64>,
}

impl Week {
    fn told(&self, name: &str) {
        let share = |n: usize, of: usize| 100.0 * n as f64 / of.max(1) as f64;
        println!(
            "{name}: {} credits in {} calls {:?}, worst day {:+}; of {} games {:.1} % have an A in all markets, {:.1} % an A or \
             B; of {} watched games {:.1} %, in the moneyline {:.1} %",
            self.spent,
            self.calls,
            self.by_purpose,
            self.worst_day,
            self.games,
            share(self.best, self.games),
            share(self.good, self.games),
            self.watched,
            share(self.watched_good, self.watched),
            share(self.watched_moneyline, self.watched),
        );
    }
}

fn live(credits: u64, rules: PlanRules) -> Week {
    let folder = tempfile::tempdir().expect("folder");
    let store = folder.path().join("stratum.db");
    let scenario = week(credits);
    let (start, end) = (monday(), monday().plus(7 * DAY_MS));
    let mut api = Api::of_scenario(&scenario, start, None);
    let sports: Vec<String> = scenario.sports.iter().map(|s| s.key.clone()).collect();
    let mut ask = Ask::new(&["h2h", "spreads", "totals"].map(str::to_owned), BookFilter::choose(&[], &scenario.books));
    ask.format = crate::market::price::OddsFormat::American;
    let config = FollowConfig {
        sports: sports.clone(),
        ask: ask.clone(),
        pacing: Pacing::Planned(rules),
        clock: Clock::Local,
        needs: Vec::new(),
        watch_in_play: false,
    };
    let pipeline = PipelineConfig {
        store: store.clone(),
        engine: super::settings::engine_settings(
            &crate::config::load(&crate::config::Sources::default()).expect("defaults").settings,
        ),
        retention: Retention::default(),
        keep_raw: false,
        record: None,
        secret: Vec::new(),
        origin: None,
    };
    let lists = {
        let mut desk = Desk::open(&folder.path().join("desk.db")).expect("desk");
        let list = desk.create("Season").expect("list");
        for team in WATCHED {
            desk.add_rule(list.id, &NewRule::team(team, None)).expect("rule");
        }
        desk.contents().expect("lists").iter().map(|l| Compiled::new(l, &[])).collect::<Vec<_>>()
    };
    let pipeline = Pipeline::start(pipeline, None, Keeper::new(None), Pulse::default()).expect("starts");
    let way_in = pipeline.way_in();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
    let mut pace = Pace::new(&config, Known::default(), start);
    let (mut now, mut calls, mut spent) = (start, 0, 0_u64);
    let mut watched: BTreeSet<EventId> = BTreeSet::new();
    let mut of_sport: BTreeMap<String, BTreeSet<EventId>> = BTreeMap::new();
    let mut days: BTreeMap<Day, (u64, u64)> = BTreeMap::new();
    while now < end {
        let Some(task) = pace.due(now) else {
            now = pace.next(now).map_or(end, |next| next.max(now.plus(1)));
            continue;
        };
        let (plan, _, _) = pace.plan(now, &[]).expect("planned");
        let allowed = plan.allowances.first().map_or(0, |a| a.day);
        pace.asked(&task, now);
        let (request, purpose) = task.request(&ask);
        now = now.plus(1000);
        let fetched = ask_provider(&mut api, &request, purpose, now);
        pace.answered(&task);
        let cost = fetched.charged().unwrap_or_default();
        (calls, spent) = (calls + 1, spent + cost);
        let day = days.entry(Day::of(now)).or_default();
        *day = (day.0 + cost, day.1.max(allowed));
        let noted = Noted { tier: task.tier(), billing: pace.billed(&task, &fetched, now) };
        let judged = runtime.block_on(way_in.judge(fetched, now, noted)).expect("judged");
        assert!(judged.taken.is_some() && judged.malformed.is_none(), "{:?}", judged.malformed);
        let games = judged.games.expect("games");
        if pace.judged(task.sport(), judged.under_way, Some(&games)) {
            let held = watched::of_sport(&lists, task.sport(), &ask.markets, &games, now);
            of_sport.entry(task.sport().to_owned()).or_default().extend(held.into_keys());
            watched = of_sport.values().flatten().copied().collect();
            pace.watch(watched.clone());
        }
    }
    pipeline.stop().expect("stops");
    let worst_day = days.values().map(|(spent, allowed)| *spent as i64 - *allowed as i64).max().unwrap_or(0);
    let c = rusqlite::Connection::open(&store).expect("store");
    let ledger: i64 = c.query_row("SELECT sum(credits) FROM credit", [], |r| r.get(0)).expect("sum");
    assert_eq!(
        (spent, spent),
        (u64::try_from(ledger).expect("credits"), u64::try_from(api.stats.credits_used).expect("credits"))
    );
    // The engine's own closes: the newest version of each. A game that was played and has none has no grade.
    let mut grades: BTreeMap<EventId, BTreeMap<String, String>> = BTreeMap::new();
    let mut played = c
        .prepare(
            "SELECT event.id, ifnull(json_extract(close.json, '$.market'), '-'), ifnull(close.grade, '-') FROM event LEFT JOIN close ON close.event = event.id
             AND close.version = (SELECT max(version) FROM close AS x WHERE x.event = close.event AND x.market = close.market
                                  AND x.subject = close.subject AND x.own_line = close.own_line)
             WHERE commence < ? ORDER BY event.id",
        )
        .expect("closes");
    // Whoever starts in the last moments of the week is graded in the next.
    let until = end.plus(-30 * 60_000).millis();
    let mut rows = played.query([until]).expect("closes");
    while let Some(row) = rows.next().expect("row") {
        let event = EventId(row.get(0).expect("id"));
        grades.entry(event).or_default().insert(row.get(1).expect("market"), row.get(2).expect("grade"));
    }
    let all = |of: &BTreeMap<String, String>, known: &[&str]| {
        ask.markets.iter().all(|market| of.get(market).is_some_and(|grade| known.contains(&grade.as_str())))
    };
    let good = |of: &BTreeMap<String, String>| all(of, &["A", "B"]);
    let moneyline = |of: &BTreeMap<String, String>| of.get("h2h").is_some_and(|g| g == "A" || g == "B");
    let on_list = || grades.iter().filter(|(event, _)| watched.contains(event)).map(|(_, of)| of);
    let mut purposes = c.prepare("SELECT purpose, sum(credits) FROM credit GROUP BY purpose").expect("purposes");
    let by_purpose = purposes.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).expect("purposes");
    Week {
        calls,
        spent,
        worst_day,
        games: grades.len(),
        watched: on_list().count(),
        best: grades.values().filter(|of| all(of, &["A"])).count(),
        good: grades.values().filter(|of| good(of)).count(),
        watched_good: on_list().filter(|of| good(of)).count(),
        watched_moneyline: on_list().filter(|of| moneyline(of)).count(),
        by_purpose: by_purpose.collect::<Result<_, _>>().expect("purposes"),
    }
}

#[test]
fn a_week_on_500_credits_a_month() {
    let week = live(500, PlanRules::default());
    week.told("500 credits a month");
    // A week of a month of 29 days that are left, and a call.
    assert!(week.spent <= 500 * 8 / 29 + 3 && week.worst_day <= 3, "{} {}", week.spent, week.worst_day);
    assert!(week.games > 100 && week.watched > 20);
    // Two or three calls a day for games of three sports: watched games come first.
    assert!(week.watched_good * week.games > week.good * week.watched, "watched games come first");
}

#[test]
fn a_week_on_20_000_credits_a_month() {
    let week = live(20_000, PlanRules::default());
    week.told("20,000 credits a month");
    assert!(week.spent <= 20_000 * 8 / 29 + 3 && week.worst_day <= 3, "{} {}", week.spent, week.worst_day);
    assert!(week.games > 100 && week.watched > 20);
    assert!(week.watched_good * 100 >= week.watched * 95, "{} of {}", week.watched_good, week.watched);
}

#[test]
fn a_week_on_100_000_credits_a_month() {
    let week = live(100_000, PlanRules::default());
    week.told("100,000 credits a month, a daily target of 1,200");
    // The week touches eight days.
    assert!(week.spent <= 8 * 1_203 && week.worst_day <= 3, "{} {}", week.spent, week.worst_day);
    assert!(week.games > 100 && week.watched > 20);
    // With a look a minute there is a close of every game. Where the sharp book stands apart from the others in one market,
    // as simulated hockey books do on their fixed line, these others do not count and its grade is less.
    assert_eq!(week.watched_moneyline, week.watched);
    assert!(week.watched_good * 100 >= week.watched * 90, "{} of {}", week.watched_good, week.watched);
}
