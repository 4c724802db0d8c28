//! Discord is down for an hour while signals go on: an hour of the daemon's own clock, whose pauses all run sixty times
//! faster, as does the market. Nothing is lost, nothing comes twice, and Discord is asked ever more rarely.
//!
//! What waits for a timer of the runtime runs faster; what waits on a condition variable of the standard library does not,
//! so the watchdog stands still here. Others test it.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "common/faketime.rs"]
mod faketime;
#[path = "deliveries/house.rs"]
#[allow(dead_code, reason = "shared with the other deliveries")]
mod house;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use house::{Home, Server, daemon_with, sim_at};

/// How much faster the clocks run.
const TIMES: u32 = 60;
const HOUR: Duration = Duration::from_secs(3600);

/// So long on the daemon's clock.
fn fast(of_its_clock: Duration) -> Duration {
    of_its_clock / TIMES
}

#[test]
fn an_hour_without_discord_loses_nothing() {
    let Some(library) = faketime::library() else { return };
    let home = Home::new();
    home.rule("discord");
    let (_sim, url) = sim_at(TIMES);
    let asked: Arc<Mutex<Vec<(Instant, bool)>>> = Arc::default();
    let (begin, heard) = (Instant::now(), Arc::clone(&asked));
    let discord = Server::start(move |_| {
        let up = begin.elapsed() > fast(HOUR);
        heard.lock().expect("asked").push((Instant::now(), up));
        Some(if up {
            ("204 No Content", "", "")
        } else {
            ("502 Bad Gateway", "content-type: text/html\r\n", "<html><h1>502 Bad Gateway</h1></html>")
        })
    });
    let clocks = faketime::faster(&library, TIMES);
    let settings: Vec<(&str, &str)> = clocks
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        // A look a minute at each sport, and as patient with answers as it would be otherwise.
        .chain([("STRATUM_ODDS_API_INTERVAL", "60s"), ("STRATUM_ODDS_API_TIMEOUT", "300s")])
        .collect();
    let mut daemon = daemon_with(&home, &url, Some(discord.address), None, &settings);

    // Half an hour in, the user can read what is wrong.
    while begin.elapsed() < fast(HOUR) / 2 {
        assert!(daemon.0.try_wait().expect("asked").is_none(), "it has ended");
        std::thread::sleep(Duration::from_millis(200));
    }
    let halfway = home.keys("discord", "waiting");
    assert!(!halfway.is_empty());
    let rows = home.json(&["alerts", "list", "--state", "waiting", "--limit", "10000"]);
    assert!(rows.iter().any(|r| r["why"] == "Discord has trouble (status 502)"), "{rows:?}");
    while begin.elapsed() < fast(HOUR) {
        std::thread::sleep(Duration::from_millis(200));
    }
    let waiting = home.keys("discord", "waiting");
    assert!(waiting.len() > halfway.len(), "signals go on: {} and {}", halfway.len(), waiting.len());
    assert!(home.keys("discord", "delivered").is_empty() && home.keys("discord", "dead").is_empty());

    // It is back: the longest pause is ten minutes.
    let end = Instant::now() + fast(HOUR);
    let delivered = loop {
        let delivered = home.keys("discord", "delivered");
        if waiting.iter().all(|key| delivered.contains(key)) {
            break delivered;
        }
        assert!(Instant::now() < end, "{} of {}", delivered.len(), waiting.len());
        std::thread::sleep(Duration::from_millis(200));
    };
    assert!(daemon.0.try_wait().expect("asked").is_none(), "it has ended");
    daemon.0.kill().expect("killed");
    daemon.0.wait().expect("ended");

    // Asked ever more rarely, whatever waited: after a quarter of an hour at most every five minutes.
    let asked = asked.lock().expect("asked").clone();
    let refused: Vec<Instant> = asked.iter().filter(|(_, up)| !up).map(|(at, _)| *at).collect();
    println!("{} attempts in the hour, {} messages", refused.len(), delivered.len());
    assert!((8..=30).contains(&refused.len()), "{} attempts", refused.len());
    let late = refused.windows(2).filter(|w| w[0].duration_since(begin) > fast(HOUR / 2));
    for pair in late {
        let pause = pair[1].duration_since(pair[0]);
        assert!(pause >= fast(Duration::from_secs(290)), "{pause:?}");
    }

    // Every message was taken once: as many embeds as rows, counting what was taken when the daemon was ended.
    let calls = discord.all();
    let taken = calls.iter().zip(&asked).filter(|(_, (_, up))| *up);
    let embeds: usize = taken.map(|(call, _)| call.json()["embeds"].as_array().expect("embeds").len()).sum();
    let rows = home.json(&["alerts", "list", "--state", "delivered", "--limit", "10000"]);
    let log = home.json(&["alerts", "log", "--limit", "100000"]);
    let later = || log.iter().filter(|l| l["outcome"] == "later");
    // A limit of ten seconds is a sixth of one here: a machine that is too busy for that may take an answer for lost, and
    // sends again. Everything else was refused by Discord.
    let slow = later().filter(|l| l["why"] == "no answer in time").count();
    assert!(later().all(|l| l["why"] == "Discord has trouble (status 502)" || l["why"] == "no answer in time"));
    // One batch may have been under way at the end.
    assert!(embeds >= rows.len() && embeds <= rows.len() + slow + 10, "{embeds} embeds, {} rows, {slow}", rows.len());
    let mut keys = home.keys("discord", "delivered");
    keys.dedup();
    assert_eq!(keys.len(), rows.len(), "each under a key of its own");

    // What waited longest waited an hour, and the log says so.
    let longest = log.iter().filter_map(|l| l["latency_ms"].as_i64()).max().expect("deliveries");
    assert!((3_000_000..5_400_000).contains(&longest), "{longest} ms");
}
