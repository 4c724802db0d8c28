//! Recorded slates: games of Polymarket against the events of the sportsbooks, and years of resolved games.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeZone};

use super::{csv, recorded_file, unpacked};
use crate::feeds::polymarket::classify::{Kind, classify, classify_in};
use crate::feeds::polymarket::leagues;
use crate::feeds::polymarket::matching::{Candidate, Game, Match, find};
use crate::feeds::polymarket::slug::{GameSlug, SlugKind};
use crate::feeds::polymarket::wire::gamma;
use crate::feeds::polymarket::wire::lenient::time;
use crate::feeds::recording::RecordingReader;
use crate::market::sports::Sports;
use crate::market::teams::Teams;
use crate::market::time::Timestamp;

/// The events of a recorded series as they stood last before `until`.
fn events(name: &str, until: Timestamp) -> Option<Vec<Candidate>> {
    let path = recorded_file(&format!("odds_api/timeseries/{name}.jsonl.zst"))?;
    let mut all: BTreeMap<String, Candidate> = BTreeMap::new();
    for line in RecordingReader::open(path).expect("recording") {
        let line = line.expect("line");
        if line.captured_at.is_none_or(|at| at > until) {
            continue;
        }
        let body: serde_json::Value = serde_json::from_slice(&line.body).expect("json");
        for e in body.as_array().into_iter().flatten() {
            let text = |f: &str| e[f].as_str().unwrap_or_default().to_owned();
            let candidate = Candidate {
                id: text("id"),
                sport: text("sport_key"),
                home: text("home_team"),
                away: text("away_team"),
                commence: Timestamp::parse(&text("commence_time")).expect("start"),
            };
            all.insert(candidate.id.clone(), candidate);
        }
    }
    Some(all.into_values().collect())
}

/// The truth, found another way than by the matcher: last words of names, and the date in New York by plain arithmetic.
fn truth(slug: &GameSlug, names: &BTreeMap<&str, &str>, events: &[Candidate]) -> Vec<String> {
    let (away, home) = slug.pair().expect("two codes");
    let (away, home) = (names[away], names[home]);
    let local = |at: Timestamp| chrono::Utc.timestamp_millis_opt(at.millis()).unwrap().date_naive_in_new_york();
    let of = |c: &&Candidate| c.away.ends_with(away) && c.home.ends_with(home) && local(c.commence) == slug.date;
    events.iter().filter(of).map(|c| c.id.clone()).collect()
}

trait NewYork {
    fn date_naive_in_new_york(self) -> NaiveDate;
}

impl NewYork for chrono::DateTime<chrono::Utc> {
    /// August: four hours behind UTC.
    fn date_naive_in_new_york(self) -> NaiveDate {
        (self - chrono::Duration::hours(4)).date_naive()
    }
}

fn same_day(series: &str, quotes: &str, names: &[(&str, &str)]) {
    let until = Timestamp::parse("2026-08-05T23:59:59Z").unwrap();
    let (Some(events), Some(text)) = (events(series, until), unpacked(quotes)) else { return };
    let names: BTreeMap<&str, &str> = names.iter().copied().collect();
    let slugs: BTreeSet<&str> = text.lines().skip(1).filter_map(|l| l.split(',').nth(1)).collect();
    let (mut certain, mut none, mut markets) = (0, 0, 0);
    let mut games: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut found: BTreeSet<String> = BTreeSet::new();
    for slug in &slugs {
        let parsed = GameSlug::parse(slug).unwrap_or_else(|| panic!("{slug}"));
        assert!(parsed.kind.is_some());
        let truth = truth(&parsed, &names, &events);
        let game = Game::of_slug(slug).expect("a league that is followed");
        markets += 1;
        match find(&game, &events, Sports::embedded(), Teams::embedded()) {
            Match::Certain { event, home_outcome, .. } => {
                certain += 1;
                assert_eq!(truth, std::slice::from_ref(&event), "{slug}");
                let home = events.iter().find(|c| c.id == event).unwrap();
                assert!(home.home.ends_with(names[parsed.codes[home_outcome].as_str()]), "{slug}");
                games.entry(parsed.game()).or_default().insert(event.clone());
                found.insert(event);
            }
            Match::None(why) => {
                none += 1;
                assert!(truth.is_empty(), "{slug}: {why:?}, but there is {truth:?}");
            }
            Match::Review(list) => {
                // Only for a game of the same pair on another day, which the books do not have on this one.
                assert!(truth.is_empty(), "{slug}: {list:?}");
                assert!(list.iter().all(|p| p.reasons.iter().any(|r| r.is_doubt())), "{slug}");
                none += 1;
            }
        }
    }
    assert!(games.values().all(|e| e.len() == 1), "all markets of a game go to one event");
    println!(
        "{series}: {markets} markets, {certain} matched to {} games, {none} of games that the books do not have",
        found.len()
    );
    assert!(certain > 0);
}

#[test]
fn the_fourth_of_august_is_matched_game_by_game() {
    let wnba = [
        ("atl", "Dream"),
        ("wsh", "Mystics"),
        ("dal", "Wings"),
        ("gsv", "Valkyries"),
        ("la", "Sparks"),
        ("chi", "Sky"),
        ("min", "Lynx"),
        ("lv", "Aces"),
        ("ind", "Fever"),
        ("phx", "Mercury"),
        ("conn", "Sun"),
        ("sea", "Storm"),
        ("ny", "Liberty"),
        ("tor", "Tempo"),
        ("por", "Fire"),
    ];
    same_day("wnba_2026_08_03_05", "polymarket/top_of_book/wnba_2026-08-04.csv.zst", &wnba);
    let mlb = [
        ("ath", "Athletics"),
        ("bos", "Red Sox"),
        ("cin", "Reds"),
        ("atl", "Braves"),
        ("nyy", "Yankees"),
        ("bal", "Orioles"),
        ("tex", "Rangers"),
        ("chc", "Cubs"),
        ("kc", "Royals"),
        ("wsh", "Nationals"),
        ("cle", "Guardians"),
        ("cws", "White Sox"),
        ("col", "Rockies"),
        ("stl", "Cardinals"),
        ("det", "Tigers"),
        ("sea", "Mariners"),
        ("sf", "Giants"),
        ("hou", "Astros"),
        ("sd", "Padres"),
        ("laa", "Angels"),
        ("mia", "Marlins"),
        ("lad", "Dodgers"),
        ("az", "Diamondbacks"),
        ("min", "Twins"),
        ("mil", "Brewers"),
        ("nym", "Mets"),
        ("pit", "Pirates"),
        ("tb", "Rays"),
        ("tor", "Blue Jays"),
        ("phi", "Phillies"),
    ];
    same_day("mlb_2026_08_03_05", "polymarket/top_of_book/mlb_moneyline_2026-08-04.csv.zst", &mlb);
}

#[test]
fn questions_of_recorded_markets_say_what_their_slugs_say() {
    let Some(text) = unpacked("polymarket/top_of_book/wnba_2026-08-04_markets.csv.gz") else { return };
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let f = csv(line);
        let slug = GameSlug::parse(&f[0]).expect("a game");
        let body = serde_json::json!([{"id": "1", "slug": f[0], "question": f[1], "outcomes": ["Yes", "No"]}]);
        let market = gamma::markets(body.to_string().as_bytes()).unwrap().read.items.remove(0);
        let kind = classify(&market, None).kind;
        *kinds.entry(kind.name()).or_default() += 1;
        match (slug.kind.unwrap(), &kind) {
            (SlugKind::Spread, Kind::Spread { line, .. }) | (SlugKind::Total, Kind::Total { line }) => {
                assert_eq!(slug.points().unwrap().size.points(), line.points().abs(), "{line:?}");
            }
            // "Who will win ...?" with Yes and No says nothing for sure.
            (SlugKind::Winner, Kind::Other(_)) => {}
            (slug, kind) => panic!("{} {slug:?} {kind:?}", f[0]),
        }
    }
    println!("recorded WNBA markets: {kinds:?}");
}

#[test]
fn resolved_games_of_two_years_are_parsed_and_classified() {
    let Some(text) = unpacked("polymarket/resolved_games/nba_cbb_nfl.csv.gz") else { return };
    let (sports, teams) = (Sports::embedded(), Teams::embedded());
    let mut counts: BTreeMap<(String, &str), u32> = BTreeMap::new();
    let mut unknown: BTreeMap<String, u32> = BTreeMap::new();
    let mut bump = |sport: &str, what: &'static str| *counts.entry((sport.to_owned(), what)).or_default() += 1;
    for line in text.lines().skip(1) {
        let f = csv(line);
        let (sport, title, slug, outcomes) = (f[1].as_str(), &f[4], &f[5], [&f[8], &f[9]]);
        bump(sport, "rows");
        let Some(parsed) = GameSlug::parse(slug) else {
            bump(sport, "no game by slug");
            continue;
        };
        bump(sport, "games by slug");
        let key = leagues::sport_key(&parsed.league).unwrap_or_else(|| panic!("{slug}"));
        let table = sports.resolve(key).teams;
        let start = time(&f[7]).unwrap_or_else(|| panic!("{line}"));
        let local = sports.resolve(key).clock.day_of(start);
        bump(sport, if local == parsed.date { "local date is the slug's" } else { "local date differs" });
        let body = serde_json::json!([{"id": "1", "slug": slug, "question": title, "outcomes": outcomes}]);
        let market = gamma::markets(body.to_string().as_bytes()).unwrap().read.items.remove(0);
        let kind = classify_in(&market, Some(title), Some(&table)).kind;
        bump(sport, if kind == Kind::Moneyline { "moneylines" } else { "in doubt" });
        let named = outcomes.map(|o| teams.resolve(&table, o).exact());
        for (team, name) in named.iter().zip(outcomes) {
            bump(sport, if team.is_some() { "names resolved" } else { "names unresolved" });
            if team.is_none() {
                *unknown.entry(format!("{sport} {name}")).or_default() += 1;
            }
        }
        let Some((a, b)) = parsed.pair() else { continue };
        for (code, name) in [(a, named[0]), (b, named[1])] {
            let wanted = leagues::team_of_code(&table, code).unwrap_or(code);
            match (teams.resolve(&table, wanted).exact(), name) {
                (Some(code), Some(name)) if code == name => bump(sport, "codes right"),
                (Some(_), Some(_)) => {
                    *unknown.entry(format!("{sport} wrong code {code}")).or_default() += 1;
                    bump(sport, "codes wrong");
                }
                (None, _) => {
                    if sport != "cbb" {
                        *unknown.entry(format!("{sport} code {code}")).or_default() += 1;
                    }
                    bump(sport, "codes unknown");
                }
                (Some(_), None) => bump(sport, "codes unproven"),
            };
        }
    }
    for ((sport, what), n) in &counts {
        println!("{sport}: {what} {n}");
    }
    let mut often: Vec<_> = unknown.into_iter().collect();
    often.sort_by_key(|(name, n)| (std::cmp::Reverse(*n), name.clone()));
    println!("{:?}", often.iter().take(60).collect::<Vec<_>>());
    let n = |sport: &str, what: &'static str| counts.get(&(sport.to_owned(), what)).copied().unwrap_or(0);
    assert_eq!((n("nba", "rows"), n("nfl", "rows"), n("cbb", "rows")), (2198, 685, 1719));
    assert_eq!((n("nba", "codes wrong"), n("nfl", "codes wrong")), (0, 0));
    assert!(n("nba", "moneylines") >= 2126 && n("nfl", "moneylines") >= 632 && n("cbb", "moneylines") >= 1718);
    assert_eq!((n("nba", "names unresolved"), n("cbb", "names unresolved")), (4, 0), "an all-star game of four teams");
}

/// The probability of the away team without the vig, by the median book, at each snapshot of a series.
fn fair(name: &str) -> Option<BTreeMap<String, Vec<(Timestamp, f64)>>> {
    let path = recorded_file(&format!("odds_api/timeseries/{name}.jsonl.zst"))?;
    let mut all: BTreeMap<String, Vec<(Timestamp, f64)>> = BTreeMap::new();
    for line in RecordingReader::open(path).expect("recording") {
        let line = line.expect("line");
        let at = line.captured_at.expect("time");
        let body: serde_json::Value = serde_json::from_slice(&line.body).expect("json");
        for e in body.as_array().into_iter().flatten() {
            let mut books: Vec<f64> = Vec::new();
            for book in e["bookmakers"].as_array().into_iter().flatten() {
                let h2h = book["markets"].as_array().into_iter().flatten().find(|m| m["key"] == "h2h");
                let price = |team: &serde_json::Value| -> Option<f64> {
                    let of = h2h?["outcomes"].as_array()?.iter().find(|o| o["name"] == *team)?;
                    let american = of["price"].as_f64()?;
                    Some(if american > 0.0 { 100.0 / (american + 100.0) } else { -american / (100.0 - american) })
                };
                if let (Some(away), Some(home)) = (price(&e["away_team"]), price(&e["home_team"])) {
                    books.push(away / (away + home));
                }
            }
            books.sort_by(f64::total_cmp);
            if books.len() >= 3 {
                let id = e["id"].as_str().unwrap().to_owned();
                all.entry(id).or_default().push((at, books[books.len() / 2]));
            }
        }
    }
    Some(all)
}

/// Gaps between mids and books without vig before the start, by game, and the shifts with their sign. The recorder's
/// clock is `behind` milliseconds behind UTC.
struct Beside {
    gaps: BTreeMap<String, Vec<f64>>,
    shifts: Vec<f64>,
    at_eight: BTreeMap<String, f64>,
}

fn beside(quotes: &str, events: &[Candidate], fair: &BTreeMap<String, Vec<(Timestamp, f64)>>, behind: i64) -> Beside {
    let mut out = Beside { gaps: BTreeMap::new(), shifts: Vec::new(), at_eight: BTreeMap::new() };
    let eight = Timestamp::parse("2026-08-04T20:00:00Z").unwrap();
    let mut matched: BTreeMap<String, Option<(String, usize)>> = BTreeMap::new();
    for line in quotes.lines().skip(1) {
        let f = csv(line);
        let slug = GameSlug::parse(&f[1]).expect("a game");
        let (Some(at), Ok(mid), Ok(spread)) = (Timestamp::parse(&f[0]), f[4].parse::<f64>(), f[5].parse::<f64>())
        else {
            continue;
        };
        if slug.kind != Some(SlugKind::Winner) || mid.is_nan() || spread > 0.05 {
            continue;
        }
        let at = at.plus(behind);
        let game = matched.entry(f[1].clone()).or_insert_with(|| {
            let game = Game::of_slug(&f[1]).expect("a league that is followed");
            match find(&game, events, Sports::embedded(), Teams::embedded()) {
                Match::Certain { event, home_outcome, .. } => Some((event, home_outcome)),
                _ => None,
            }
        });
        let Some((event, home_outcome)) = game else { continue };
        let commence = events.iter().find(|c| c.id == *event).unwrap().commence;
        let Some(points) = fair.get(event) else { continue };
        // The newest look at the books at or before it, at most ten minutes old, before the game.
        let newest = points.partition_point(|p| p.0 <= at);
        let Some((seen, away)) = newest.checked_sub(1).and_then(|i| points.get(i)) else { continue };
        if at >= commence || at.since(*seen) > 600_000 {
            continue;
        }
        // The mid is of the team named first, wherever it plays.
        let ours = if *home_outcome == 1 { *away } else { 1.0 - away };
        out.gaps.entry(slug.game()).or_default().push((mid - ours).abs());
        out.shifts.push(mid - ours);
        if at <= eight {
            out.at_eight.insert(slug.game(), (mid - ours).abs());
        }
    }
    out
}

fn quantile(list: &mut [f64], q: f64) -> f64 {
    list.sort_by(f64::total_cmp);
    list[((list.len() - 1) as f64 * q) as usize]
}

#[test]
fn mids_and_books_without_vig_lie_close_together() {
    const HOUR: i64 = 3_600_000;
    let until = Timestamp::parse("2026-08-05T23:59:59Z").unwrap();
    for (series, quotes, least) in [
        ("wnba_2026_08_03_05", "polymarket/top_of_book/wnba_2026-08-04.csv.zst", 6),
        ("mlb_2026_08_03_05", "polymarket/top_of_book/mlb_moneyline_2026-08-04.csv.zst", 14),
    ] {
        let (Some(events), Some(fair), Some(text)) = (events(series, until), fair(series), unpacked(quotes)) else {
            return;
        };
        let mut tail = Vec::new();
        // The times of these quotes are marked as UTC and are of New York: games are over before they begin otherwise.
        for behind in [0, 3 * HOUR, 4 * HOUR, 5 * HOUR] {
            let mut b = beside(&text, &events, &fair, behind);
            let mut all: Vec<f64> = b.gaps.values().flatten().copied().collect();
            let by_game: BTreeMap<&String, f64> = b.gaps.iter_mut().map(|(g, l)| (g, quantile(l, 0.5))).collect();
            let worst = by_game.iter().max_by(|x, y| x.1.total_cmp(y.1)).unwrap();
            println!(
                "{series}, clock {} h behind: {} mids of {} games, gap median {:.4}, 95 % {:.4}, widest {:.4}; shift median \
                 {:+.4}; widest median of a game {:.4} ({}); widest at 20:00 {:.4}",
                behind / HOUR,
                all.len(),
                by_game.len(),
                quantile(&mut all, 0.5),
                quantile(&mut all, 0.95),
                quantile(&mut all, 1.0),
                quantile(&mut b.shifts, 0.5),
                worst.1,
                worst.0,
                b.at_eight.values().copied().fold(0.0, f64::max),
            );
            tail.push(quantile(&mut all, 0.95));
            if behind == 4 * HOUR {
                assert!(by_game.len() >= least && quantile(&mut all, 0.5) < 0.02);
                assert!(by_game.values().all(|gap| *gap < 0.05), "{by_game:?}");
                assert!(b.at_eight.values().all(|gap| *gap <= 0.04), "{:?}", b.at_eight);
            }
        }
        assert!(tail[2] <= tail[0] && tail[2] <= tail[3], "{tail:?}");
    }
}
