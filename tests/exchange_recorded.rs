//! Recorded quotes of an exchange beside recorded books of the same evening, from two collectors that know nothing of each
//! other: every game that both show is matched, none wrongly, and the exchange's middle is laid beside our own fair price
//! as it was published at that moment.
//!
//! The clock of the exchange's file is marked as UTC and is New York's, four hours behind: only so do its games end after
//! they begin.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use common::{import_with, recorded, series, usual};
use stratum::engine::changes::EventRow;
use stratum::feeds::polymarket::matching::{Candidate, Game, Match, find};
use stratum::market::ids::MarketId;
use stratum::market::sports::Sports;
use stratum::market::teams::Teams;
use stratum::market::time::Timestamp;
use stratum::store::Reader;

const NEW_YORK_MS: i64 = 4 * 3_600_000;
/// A middle counts while it stands so close to the last look at the books. Milliseconds.
const TOGETHER_MS: i64 = 600_000;

/// What both show of one game.
struct Compared {
    game: String,
    pairs: usize,
    median: f64,
    widest: f64,
}

/// Middles of moneylines: name, instant, middle of the first-named team.
fn middles(file: &str) -> Option<Vec<(String, Timestamp, f64)>> {
    let path = recorded(file)?;
    let mut text = String::new();
    let packed = std::fs::File::open(path).expect("file");
    zstd::Decoder::new(packed).expect("zstd").read_to_string(&mut text).expect("text");
    let row = |line: &str| {
        let mut fields = line.split(',');
        let (at, slug) = (Timestamp::parse(fields.next()?)?, fields.next()?.to_owned());
        let (bid, ask) = (fields.next()?.parse::<f64>().ok()?, fields.next()?.parse::<f64>().ok()?);
        let usable = bid.is_finite() && ask.is_finite() && ask - bid <= 0.05 && slug.starts_with("aec-");
        usable.then(|| (slug, at.plus(NEW_YORK_MS), f64::midpoint(bid, ask)))
    };
    Some(text.lines().skip(1).filter_map(row).collect())
}

/// Codes that mean a team in the recorded slugs, by the last word of its name: another way to the truth than the matcher's.
fn truth<'e>(slug: &str, codes: &BTreeMap<&str, &str>, events: &'e [EventRow]) -> Vec<&'e EventRow> {
    let parts: Vec<&str> = slug.split('-').collect();
    let (away, home) = (codes[parts[2]], codes[parts[3]]);
    let date = parts[4..].join("-");
    let same_day = |e: &&EventRow| e.commence.plus(-NEW_YORK_MS).to_string().starts_with(&date);
    events.iter().filter(same_day).filter(|e| e.away.ends_with(away) && e.home.ends_with(home)).collect()
}

fn compare(name: &str, file: &str, codes: &[(&str, &str)]) -> Option<Vec<Compared>> {
    let (books, quotes) = (series(name)?, middles(file)?);
    let folder = tempfile::tempdir().expect("folder");
    let db = folder.path().join("stratum.db");
    import_with(&db, usual(), books);
    let reader = Reader::open(&db).expect("store");
    let names = reader.names().expect("names");
    let events = reader.events(None).expect("events");
    let codes: BTreeMap<&str, &str> = codes.iter().copied().collect();
    let candidates: Vec<Candidate> = events
        .iter()
        .map(|e| Candidate {
            id: e.id.0.to_string(),
            sport: names.sport(e.sport).to_owned(),
            home: e.home.to_string(),
            away: e.away.to_string(),
            commence: e.commence,
        })
        .collect();
    let slugs: BTreeSet<&str> = quotes.iter().map(|(slug, ..)| slug.as_str()).collect();
    let looks: Vec<Timestamp> = {
        let c = rusqlite::Connection::open(&db).expect("database");
        let mut select = c.prepare("SELECT received_at FROM look ORDER BY received_at").expect("looks");
        let rows = select.query_map([], |r| r.get(0).map(Timestamp::from_millis)).expect("rows");
        rows.collect::<Result<_, _>>().expect("looks")
    };
    let h2h = MarketId(names.markets.number("h2h").expect("moneylines") as u16);
    let mut compared = Vec::new();
    for slug in slugs {
        let truth = truth(slug, &codes, &events);
        let game = Game::of_slug(slug).expect("a league that is followed");
        let event = match find(&game, &candidates, Sports::embedded(), Teams::embedded()) {
            Match::Certain { event, home_outcome, .. } => {
                assert_eq!(home_outcome, 1, "{slug}: the first-named team is the visitor");
                let found = events.iter().find(|e| e.id.0.to_string() == event).expect("a candidate");
                assert_eq!(truth.iter().map(|e| e.id).collect::<Vec<_>>(), [found.id], "{slug} is matched wrongly");
                found
            }
            other => {
                assert!(truth.is_empty(), "{slug} is {:?} and was not matched: {other:?}", truth[0].id);
                continue;
            }
        };
        let points = reader.points(event.id, Timestamp::default(), event.commence).expect("points");
        let points: Vec<_> = points.iter().filter(|p| p.point.key.market == h2h).collect();
        let mut gaps = Vec::new();
        for (_, at, middle) in quotes.iter().filter(|(s, at, _)| s == slug && *at < event.commence) {
            let point = points.iter().rev().find(|p| p.at <= *at).and_then(|p| p.point.fair);
            let fresh = looks.iter().rev().find(|l| **l <= *at).is_some_and(|l| at.since(*l) <= TOGETHER_MS);
            if let Some(fair) = point.filter(|_| fresh) {
                gaps.push(middle - fair.probability[1]);
            }
        }
        if gaps.len() < 20 {
            continue;
        }
        gaps.sort_by(f64::total_cmp);
        let widest = gaps.iter().map(|g| g.abs()).fold(0.0, f64::max);
        compared.push(Compared { game: slug.to_owned(), pairs: gaps.len(), median: gaps[gaps.len() / 2], widest });
    }
    Some(compared)
}

const WNBA: [(&str, &str); 15] = [
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

const MLB: [(&str, &str); 30] = [
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

/// Tells what was compared, and answers the median over games of each game's median distance, regardless of its sign.
fn report(compared: &[Compared]) -> f64 {
    for c in compared {
        println!("{:32} {:5} pairs, median {:+.4}, widest {:.4}", c.game, c.pairs, c.median, c.widest);
    }
    let mut medians: Vec<f64> = compared.iter().map(|c| c.median.abs()).collect();
    medians.sort_by(f64::total_cmp);
    let median = medians[medians.len() / 2];
    println!("{} games, median over games {median:.4}", compared.len());
    median
}

#[test]
fn wnba_middles_lie_beside_our_fair_price() {
    let file = "polymarket/top_of_book/wnba_2026-08-04.csv.zst";
    let Some(compared) = compare("wnba_2026_08_03_05", file, &WNBA) else { return };
    assert_eq!(compared.len(), 6, "the games that both show before they begin");
    assert!(report(&compared) < 0.02);
    assert!(compared.iter().all(|c| c.median.abs() < 0.04), "no game is farther apart");
}

#[test]
fn mlb_middles_lie_beside_our_fair_price() {
    let file = "polymarket/top_of_book/mlb_moneyline_2026-08-04.csv.zst";
    let Some(compared) = compare("mlb_2026_08_03_05", file, &MLB) else { return };
    assert!(compared.len() >= 25, "{}", compared.len());
    assert!(report(&compared) < 0.01);
    assert!(compared.iter().all(|c| c.median.abs() < 0.04), "no game is farther apart");
}
