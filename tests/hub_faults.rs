//! Faults between devices and their hub, a real PostgreSQL: a server that is killed while it is told, a disk that is full,
//! a network that drops, delays and resets, a pooler in between, clocks that are minutes apart, collectors that are split
//! from each other. Afterwards the stores hold what the hub holds, every row once, no write of an old holder was taken, and
//! somebody polled again in time.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "common/devices.rs"]
mod devices;
#[path = "common/evening.rs"]
mod evening;
#[path = "common/faketime.rs"]
mod faketime;
#[path = "common/hub_pair.rs"]
mod hub_pair;
#[path = "common/postgres.rs"]
mod postgres;
#[path = "hub_lease/proxy.rs"]
mod proxy;

#[path = "hub_faults/clocks.rs"]
mod clocks;
#[path = "hub_faults/feed.rs"]
mod feed;
#[path = "hub_faults/network.rs"]
mod network;
#[path = "hub_faults/pooler.rs"]
mod pooler;
#[path = "hub_faults/server.rs"]
mod server;
#[path = "hub_faults/split.rs"]
mod split;

use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use postgres::Postgres;

/// Nobody may be without a poller for longer.
const IN_TIME: Duration = Duration::from_secs(15);

/// A server for those who do it no harm.
fn shared() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    SERVER.get_or_init(Postgres::start).as_ref()
}

/// For how long the machine has stood still since then: a thread that sleeps a little woke up so much later than it wanted.
/// Nobody takes over in that time, and nobody polls.
fn stood_still(since: Instant) -> Duration {
    const NAP: Duration = Duration::from_millis(50);
    static HELD_UP: Mutex<Vec<(Instant, Duration)>> = Mutex::new(Vec::new());
    static WATCH: OnceLock<()> = OnceLock::new();
    WATCH.get_or_init(|| {
        std::thread::spawn(|| {
            loop {
                let began = Instant::now();
                std::thread::sleep(NAP);
                let late = began.elapsed().saturating_sub(NAP);
                if late > NAP * 2 {
                    HELD_UP.lock().expect("lock").push((began, late));
                }
            }
        });
    });
    HELD_UP.lock().expect("lock").iter().filter(|(at, _)| *at >= since).map(|(_, late)| *late).sum()
}

/// Each has a hub of its own and waits for most of its time: all at once, whatever number of tests the machine runs at once.
#[test]
fn the_real_program_outlives_them() {
    let scenarios: [(&str, fn()); 4] = [
        ("network", split::a_desk_outlives_a_network_that_drops_resets_and_delays),
        ("split", split::collectors_that_are_split_both_poll_where_they_may_and_agree_afterwards),
        ("clocks", clocks::devices_with_clocks_minutes_apart_hold_the_same),
        ("pooler", pooler::everything_goes_through_a_transaction_pooler),
    ];
    let running = scenarios
        .map(|(name, scenario)| std::thread::Builder::new().name(name.to_owned()).spawn(scenario).expect("a thread"));
    let failed: Vec<String> = running
        .into_iter()
        .filter_map(|thread| {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            thread.join().err().map(|_| name)
        })
        .collect();
    assert!(failed.is_empty(), "{failed:?}; see above");
}
