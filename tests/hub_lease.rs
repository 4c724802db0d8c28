//! Two and three collectors at one hub, each a process of its own, the hub a real PostgreSQL: the holder is killed, frozen
//! and cut off, the server is restarted, clocks are minutes apart. Never do two believe to poll one sport, never is a write
//! of an old holder taken, and somebody polls again in time.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "hub_lease/collector.rs"]
mod collector;
#[path = "common/faketime.rs"]
mod faketime;
#[path = "common/postgres.rs"]
mod postgres;
#[path = "hub_lease/proxy.rs"]
mod proxy;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use collector::{Desk, SPORT};
use faketime::WallClock;
use postgres::{Postgres, SUPERUSER};
use proxy::{Link, Proxy};

/// The promise.
const IN_TIME: Duration = Duration::from_secs(15);

fn shared() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    SERVER.get_or_init(Postgres::start).as_ref()
}

/// Not a test: the body of a collector's process.
#[test]
fn collector_process() {
    collector::run_if_asked();
}

#[test]
fn a_holder_that_is_killed_is_followed_in_time_whatever_the_clocks_say() {
    let Some(server) = shared() else { return };
    let mut desk = Desk::new(server, "killed");
    for (n, skew) in [(1, 300), (2, -300), (3, 0)] {
        // The clock's file is read as long as the process lives: each has its own.
        let folder = desk.folder().join(format!("clock{n}"));
        std::fs::create_dir(&folder).expect("folder");
        let clock = WallClock::new(&folder);
        clock.iter().for_each(|clock| clock.set(skew));
        desk.start(n, None, clock.as_ref());
    }
    let first = desk.somebody_polls();
    desk.run_for(Duration::from_secs(4));
    let at = desk.kill(first);
    let second = desk.another_polls(first, at);
    let third = {
        let at = desk.kill(second);
        desk.another_polls(second, at)
    };
    assert!(third != first && third != second);
    // The first comes back, as a process that knows nothing, and stands by.
    desk.start(first, None, None);
    desk.run_for(Duration::from_secs(4));
    assert_eq!(desk.polls_now(), Some(third));
    // Who stops in good order hands over at once.
    let at = desk.stop(third);
    let heir = desk.another_polls(third, at);
    assert_eq!(heir, first);
    let gap = desk.checked(server).gaps.last().copied().expect("a change of hands");
    println!("handed over in {gap:?}");
    assert!(gap < Duration::from_secs(5), "{gap:?}");
}

#[test]
fn a_holder_that_was_frozen_wakes_without_rights() {
    let Some(server) = shared() else { return };
    let mut desk = Desk::new(server, "frozen");
    (1..=2).for_each(|n| desk.start(n, None, None));
    let first = desk.somebody_polls();
    desk.run_for(Duration::from_secs(2));
    let at = desk.signal(first, "STOP");
    let second = desk.another_polls(first, at);
    desk.run_for(Duration::from_secs(20).saturating_sub(at.elapsed()));
    desk.signal(first, "CONT");
    desk.run_for(Duration::from_secs(5));
    assert_eq!(desk.polls_now(), Some(second), "who took over goes on");
    let seen = desk.checked(server);
    assert!(seen.refused.contains(&first), "its late write was refused: {seen:?}");
}

#[test]
fn a_holder_that_is_cut_off_stops_before_another_begins() {
    let Some(server) = shared() else { return };
    let mut desk = Desk::new(server, "cut");
    let proxies: Vec<Proxy> = (0..2).map(|_| Proxy::start(server.port())).collect();
    (1..=2).for_each(|n| desk.start(n, Some(proxies[n - 1].port()), None));
    let mut holder = desk.somebody_polls();
    // What is sent vanishes; connections are reset and refused; answers take long, some too long.
    for link in [Link::Silent, Link::Reset] {
        desk.run_for(Duration::from_secs(3));
        let at = Instant::now();
        proxies[holder - 1].set(link);
        let next = desk.another_polls(holder, at);
        proxies[holder - 1].set(Link::Open);
        desk.run_for(Duration::from_secs(4));
        assert_eq!(desk.polls_now(), Some(next), "{link:?}");
        holder = next;
    }
    // A link that is only slow changes nothing.
    proxies.iter().for_each(|p| p.set(Link::Late(Duration::from_millis(400))));
    desk.run_for(Duration::from_secs(12));
    println!("on a slow link {holder} polled, and then {:?}", desk.polls_now());
    // One on which most questions are given up: who polls may change, and never two do.
    proxies.iter().for_each(|p| p.set(Link::Late(Duration::from_millis(1_400))));
    desk.run_for(Duration::from_secs(15));
    proxies.iter().for_each(|p| p.set(Link::Open));
    let at = Instant::now();
    desk.somebody_polls();
    assert!(at.elapsed() < IN_TIME);
    desk.checked(server);
}

#[test]
fn a_server_that_is_restarted_finds_the_same_holder_or_another_never_both() {
    let Some(server) = Postgres::start() else { return };
    let mut desk = Desk::new(&server, "restarted");
    (1..=3).for_each(|n| desk.start(n, None, None));
    desk.somebody_polls();
    desk.run_for(Duration::from_secs(3));
    for down in [0, 12] {
        server.kill();
        std::thread::sleep(Duration::from_secs(down));
        server.restart();
        let at = Instant::now();
        desk.forget();
        desk.somebody_polls();
        println!("{down} s down: somebody polls {:?} after the server is back", at.elapsed());
        assert!(at.elapsed() < IN_TIME);
        desk.run_for(Duration::from_secs(4));
    }
    desk.checked(&server);
}

#[test]
fn functions_are_for_collectors_and_their_own_devices() {
    let Some(server) = shared() else { return };
    let desk = Desk::new(server, "rights");
    let as_one = |sql: &str| server.psql_in("collector1", desk.database(), sql);
    let taken = as_one(&format!("SELECT token, mine FROM hub.lease_take(1, 7, '{{{SPORT}}}', 10000)"));
    assert_eq!(String::from_utf8_lossy(&taken.stdout).trim(), "1|t");
    for (sql, code) in [
        (format!("SELECT hub.lease_take(2, 7, '{{{SPORT}}}', 10000)"), "SH002"),
        (format!("SELECT hub.lease_release(2, 7, '{{{SPORT}}}')"), "SH002"),
        ("SELECT hub.credit_tell(2, '{k}', '{1}', '{1}', '{live}', '{1}', '{1}')".to_owned(), "SH002"),
        (format!("SELECT hub.fence(1, '{SPORT}', 2)"), "SH001"),
        ("UPDATE hub.lease SET token = 9".to_owned(), "42501"),
        ("SELECT hub.own_device(1)".to_owned(), "42501"),
    ] {
        let refused = as_one(&sql);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(code), "{sql}: {said}");
    }
    // A write that is under way keeps the sport, and does not keep its holder from renewing.
    let under_way =
        format!("BEGIN; SELECT hub.fence(1, '{SPORT}', 1); SELECT pg_sleep(3); COMMIT; SELECT token FROM hub.lease");
    std::thread::scope(|s| {
        let writing = s.spawn(|| as_one(&under_way));
        std::thread::sleep(Duration::from_millis(800));
        let at = Instant::now();
        let renewed = as_one(&format!("SELECT mine FROM hub.lease_take(1, 7, '{{{SPORT}}}', 1000)"));
        assert_eq!(String::from_utf8_lossy(&renewed.stdout).trim(), "t");
        std::thread::sleep(Duration::from_millis(1_100));
        let other = format!("SELECT token, mine FROM hub.lease_take(2, 8, '{{{SPORT}}}', 10000)");
        let waits = server.psql_in("collector2", desk.database(), &other);
        let waited = at.elapsed();
        assert_eq!(String::from_utf8_lossy(&waits.stdout).trim(), "1|f", "{waits:?}");
        assert!(waited < Duration::from_secs(60));
        writing.join().expect("written");
        let taken = server.psql_in("collector2", desk.database(), &other);
        assert_eq!(String::from_utf8_lossy(&taken.stdout).trim(), "2|t");
    });
    assert_eq!(server.ask(SUPERUSER, desk.database(), "SELECT token FROM hub.lease"), "2");
}
