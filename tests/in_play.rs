//! Alerts that take more than prices before the start, through the real program: a shock in a watched game under way, and
//! what books take. Each reaches a real server.
#![cfg(unix)]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "deliveries/house.rs"]
#[allow(dead_code, reason = "shared with the other deliveries")]
mod house;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use house::{BINARY, Got, Home, Running, Server, daemon, sim, stop};

/// Two games twenty minutes old that nothing moves but the script: three quarters of a minute later every book
/// has turned against the same side of either.
const EVENING: &str = "name = \"shock\"\nseed = 11\nspeed = 1\ncredits = 100000\nvolatility = 0.0\n\
    books = [\"pinnacle\", \"draftkings\", \"fanduel\", \"betmgm\", \"bovada\", \"betrivers\", \"lowvig\"]\n\
    [[sport]]\nkey = \"basketball_nba\"\ngames = 2\nfirst_in_min = -20\nevery_min = 0\n\
    [[event]]\nkind = \"simultaneous\"\nsport = \"basketball_nba\"\ngame = 0\nat_s = 45\npoints = 16.0\n\
    [[event]]\nkind = \"simultaneous\"\nsport = \"basketball_nba\"\ngame = 1\nat_s = 45\npoints = 16.0\n";

/// The home of the first of them.
const WATCHED: &str = "Atlanta Hawks";

/// The homes of the games, in the order of their ids.
fn homes(home: &Home) -> Vec<(String, String)> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let c = rusqlite::Connection::open_with_flags(home.data().join("stratum.db"), flags).expect("store");
    let mut select = c.prepare("SELECT provider_id, home FROM event ORDER BY id").expect("events");
    let row = |r: &rusqlite::Row<'_>| Ok((r.get(0)?, r.get(1)?));
    select.query_map([], row).expect("events").collect::<Result<_, _>>().expect("events")
}

#[test]
fn a_shock_in_a_watched_game_is_paid_for_seen_and_told() {
    let home = Home::new();
    let add = ["rules", "add", "Shock", "--channel", "webhook", "--filter", "type:live_shock", "--cooldown", "0s"];
    assert!(home.run(&add).status.success());
    assert!(home.run(&["watch", "create", "Tonight"]).status.success());
    let added = home.run(&["watch", "add", "Tonight", "--team", WATCHED]);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let scenario = home.0.path().join("shock.toml");
    std::fs::write(&scenario, EVENING).expect("written");
    let mut child = Command::new(BINARY)
        .args(["sim", "--scenario"])
        .arg(&scenario)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("sim");
    let mut url = String::new();
    BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut url).expect("its address");
    let _sim = Running(child);
    let webhook = Server::start(|_| Some(("204 No Content", "", "")));
    let running = home
        .command(&["--daemon"], None, Some(webhook.address))
        .env("STRATUM_ODDS_API_BASE_URL", url.trim())
        .env("STRATUM_ODDS_API_SPORTS", "basketball_nba")
        .env("STRATUM_ODDS_API_INTERVAL", "5s")
        .env("STRATUM_CREDITS_DAILY_TARGET", "0")
        // Enough for a look every ten seconds of a whole game.
        .env("STRATUM_CREDITS_IN_PLAY_DAILY", "9000")
        .env("STRATUM_CREDITS_IN_PLAY", "10s")
        .env("STRATUM_LIVE_SHOCK_WATCH", "watchlists")
        // A window shows nothing before there are looks of its whole length: five minutes, as they usually are, are long.
        .env("STRATUM_LIVE_SHOCK_WINDOW", "20s")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let running = Running(running);
    home.until("the games are known", "SELECT count(*) > 1 FROM event");
    let games = homes(&home);
    let (watched, other) = (&games[0], &games[1]);
    assert_eq!((watched.1.as_str(), games.len()), (WATCHED, 2));
    webhook.until(1);
    // The purse for games under way has paid, and no more than one look every ten seconds.
    home.until("looks in play", "SELECT count(*) FROM credit WHERE purpose = 'in_play' AND credits >= 3");
    stop(running);
    for got in webhook.all() {
        let told = got.json();
        let text = told.to_string();
        assert!(text.contains("LIVE_SHOCK") || text.contains("live_shock"), "{text}");
        assert!(text.contains(&watched.0) || text.contains(&watched.1), "{text}");
        assert!(!text.contains(&other.0) && !text.contains(&other.1), "{text}");
    }
    assert_eq!(home.keys("webhook", "delivered").len(), webhook.all().len());
    let c = rusqlite::Connection::open(home.data().join("stratum.db")).expect("store");
    let count = |sql: &str| -> i64 { c.query_row(sql, [], |r| r.get(0)).expect("count") };
    assert!(count("SELECT count(*) FROM signal WHERE type = 6") > 0);
    let elsewhere = format!(
        "SELECT count(*) FROM signal JOIN event ON event.id = signal.event WHERE type = 6 AND provider_id <> '{}'",
        watched.0
    );
    assert_eq!(count(&elsewhere), 0, "only watched games are judged in play");
    assert!(count("SELECT sum(credits) FROM credit WHERE purpose = 'in_play'") <= 9000);
}

/// A change of a limit as the server got it.
fn limit(got: &Got) -> (String, String) {
    let told = got.json();
    assert_eq!(told["kind"], "limit", "{told}");
    (got.headers["stratum-delivery"].clone(), told["title"].as_str().expect("title").to_owned())
}

#[test]
fn a_book_that_takes_more_or_less_is_told() {
    let home = Home::new();
    let add = ["rules", "add", "Limits", "--kind", "limit", "--channel", "webhook", "--cooldown", "0s"];
    let added = home.run(&add);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let (_sim, url) = sim();
    // Not asked for, nothing can be told of limits.
    let webhook = Server::start(|_| Some(("204 No Content", "", "")));
    let silent = daemon(&home, &url, None, Some(webhook.address));
    home.until("looks", "SELECT count(*) > 8 FROM look");
    stop(silent);
    assert!(webhook.all().is_empty());

    let asking = house::daemon_with(
        &home,
        &url,
        None,
        Some(webhook.address),
        &[
            ("STRATUM_ODDS_API_BET_LIMITS", "true"),
            ("STRATUM_ODDS_API_BOOKS", "pinnacle,matchbook,draftkings,betonlineag"),
        ],
    );
    webhook.until(3);
    home.until("delivered", "SELECT count(*) > 2 FROM outbox WHERE state = 'delivered' AND kind = 'limit'");
    stop(asking);
    let mut keys = Vec::new();
    for (key, title) in webhook.all().iter().map(limit) {
        // Of those that are asked, only these two say what they take.
        assert!(title.starts_with("limits changed at ") || title.starts_with("limit changed at "), "{title}");
        assert!(title.contains("Pinnacle") || title.contains("Matchbook"), "{title}");
        keys.push(key);
    }
    let told = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(told, keys.len(), "each once");
    let rows = home.json(&["alerts", "list", "--limit", "10000"]);
    assert!(rows.iter().all(|r| r["kind"] == "limit" && r["rules"] == serde_json::json!(["Limits"])), "{rows:?}");
}
