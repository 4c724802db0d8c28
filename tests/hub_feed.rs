//! One feed for a desk, through the real program: two collectors of which one polls, a board without a key that follows, a
//! server that is killed and comes back, a collector that dies and one that takes over.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "common/devices.rs"]
mod devices;
#[path = "common/postgres.rs"]
mod postgres;

use std::time::Duration;

use devices::{Device, simulator, until};
use postgres::{HOSTER, Postgres};
use serde_json::Value;

#[test]
fn a_desk_shares_one_feed() {
    // What a server has acknowledged it still has after it was killed, as every server does that nobody has told otherwise.
    let Some(server) = Postgres::start_with("synchronous_commit = on") else { return };
    let home = tempfile::tempdir().expect("folder");
    let (_sim, sim) = simulator(&home.path().join("sim"), 20);
    let device = |name: &'static str, url: String, key: bool| {
        let home = home.path().join(name);
        std::fs::create_dir_all(&home).expect("folder");
        Device { home, url, ca: server.ca_file(), sim: sim.clone(), name, key, more: Vec::new() }
    };
    let admin = device("admin", server.url(HOSTER), false);
    admin.run(&["hub", "init"]);
    let user = |name: &str, tier: &str| -> String {
        let text = admin.run(&["hub", "user", "add", name, "--tier", tier, "--reason", "a test", "--json"]);
        let rows: Vec<Value> = serde_json::from_str(&text).expect("JSON");
        rows[0]["address"].as_str().expect("an address").to_owned()
    };
    let first = device("desk-1", user("one", "collector"), true);
    let second = device("desk-2", user("two", "collector"), true);
    let board = device("board", user("ann", "pro"), false);
    for device in [&first, &second, &board] {
        device.run(&["hub", "link"]);
    }

    // One polls, the board follows.
    let one = first.daemon();
    until("looks of the first", || first.looks() >= 5);
    let following = board.daemon();
    until("looks at the board", || board.looks() >= 10);

    // The server dies in the middle of it and comes back; the first goes on and tells what it has missed.
    server.kill();
    let before = first.looks();
    until("polling without the hub", || first.looks() >= before + 5);
    server.restart();
    until("the board has caught up", || board.looks() > before + 5);

    // The second one stands by, and takes over when the first is killed.
    let two = second.daemon();
    until("the second follows", || second.looks() >= first.looks() - 3);
    let own = "SELECT count(*) FROM look JOIN hub ON 1 WHERE look.id NOT IN (SELECT look FROM hub_look)";
    assert_eq!(second.ask(own), 0, "the second polls nothing");
    one.signal("KILL");
    drop(one);
    let died = server.ask(HOSTER, postgres::DATABASE, "SET ROLE stratum_owner; SELECT max(received_at) FROM hub.look");
    let took = until("the second polls", || {
        let now =
            server.ask(HOSTER, postgres::DATABASE, "SET ROLE stratum_owner; SELECT max(received_at) FROM hub.look");
        now != died
    });
    println!("taken over after {took:?}");
    let seen = board.looks();
    until("the board sees what the second tells", || board.looks() >= seen + 5);

    // The first comes back: it stands by, and holds what everybody holds.
    let one = first.daemon();
    until("the first has caught up", || first.looks() >= board.looks() - 3);
    two.stop();
    until("the first polls again", || {
        let held = server.ask(HOSTER, postgres::DATABASE, "SET ROLE stratum_owner; SELECT max(token) FROM hub.lease");
        held.contains('3')
    });
    let seen = board.looks();
    until("the board sees it", || board.looks() >= seen + 3);
    one.stop();
    std::thread::sleep(Duration::from_secs(2));
    following.stop();
    let (a, b) = (first.content(), board.content());
    let told = first.ask("SELECT count(*) FROM look WHERE id IN (SELECT look FROM hub_look)");
    assert!(told > 20, "{told}");
    // The very last look may not have been told any more.
    let last = first.looks() - board.looks();
    let apart: Vec<&String> = a.iter().filter(|l| l.starts_with("Text(\"look\")") && !b.contains(l)).collect();
    let waiting = first.ask(own);
    assert!((0..=1).contains(&last), "{last} looks apart, {waiting} not told: {apart:#?}");
    if last == 0 {
        let differing = a.iter().zip(&b).find(|(a, b)| a != b);
        assert!(a.len() == b.len() && differing.is_none(), "{} and {}: {differing:?}", a.len(), b.len());
    }
    // Ends with an error when a row differs.
    board.run(&["replay", "--check"]);
    // Sums over every row say the same.
    for device in [&first, &board] {
        let text = device.run(&["hub", "verify"]);
        assert!(text.contains("basketball_nba: the same"), "{text}");
    }
    let spoilt = "SET ROLE stratum_owner; UPDATE hub.change SET price = price + 2 WHERE (look, event, slot) IN
        (SELECT look, event, slot FROM hub.change ORDER BY look, event, slot LIMIT 1)";
    server.ask(HOSTER, postgres::DATABASE, spoilt);
    let found = board.command().args(["hub", "verify"]).output().expect("runs");
    let text = String::from_utf8_lossy(&found.stdout);
    assert!(found.status.code() == Some(1) && text.contains("NOT the same") && text.contains(" change: "), "{text}");
    let status = first.run(&["hub", "status"]);
    assert!(status.contains("desk-1") && status.contains("desk-2"), "{status}");
}
