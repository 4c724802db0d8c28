//! A hub that was put back to an earlier moment: noticed, and told again what it has forgotten.

use std::process::Command;

use stratum::engine::EngineSettings;
use stratum::market::time::Timestamp;

use super::evening::{SPORT, at, told};
use super::{Desk, assert_all_same, copy, postgres, runtime};

/// A process that does not outlive the test.
struct Running(std::process::Child);

impl Running {
    fn stop(mut self) {
        let sent = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().expect("kill");
        assert!(sent.success() && self.0.wait().expect("ends").success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_a_hub_that_was_put_back_has_forgotten_is_told_again() {
    runtime().block_on(async {
        let Some(mut desk) = Desk::new().await else { return };
        let (mut a, mut b) = (desk.device("a", "one").await, desk.device("b", "ann").await);
        desk.lease(&a, 1).await;
        a.collect(0..3, 1).await;
        a.follow().await;
        b.follow().await;
        desk.keep(&mut [&mut a, &mut b]).await;
        // Games, books and names of that time are new too.
        a.collect(3..40, 1).await;
        a.follow().await;
        assert_eq!(b.follow().await, 37);
        assert_all_same(&desk, &mut [&mut a, &mut b], 40).await;
        desk.put_back(&mut [&mut a, &mut b]).await;
        // Whoever does not look first is refused, and nothing of it is kept.
        a.looks(40..41);
        assert!(a.tell(1).await.is_err());
        assert_eq!(desk.ask("SELECT count(*) FROM hub.look"), "3");
        assert_eq!((a.mend().await, b.mend().await), (Some(3), Some(3)));
        assert_eq!((a.mend().await, b.mend().await), (None, None));
        assert_eq!((a.follow().await, b.follow().await), (0, 0));
        let waits = b.compare().await;
        assert!(waits.is_same() && waits.only_here == 37, "{waits:?}");
        assert_eq!(a.tell(1).await.expect("told"), 38);
        a.collect(41..70, 1).await;
        a.follow().await;
        b.follow().await;
        assert_all_same(&desk, &mut [&mut a, &mut b], 70).await;
    });
}

#[test]
fn a_hub_that_was_put_back_and_grew_again_is_noticed() {
    runtime().block_on(async {
        let Some(mut desk) = Desk::new().await else { return };
        let (mut a, mut b) = (desk.device("a", "one").await, desk.device("b", "two").await);
        let mut c = desk.device("c", "ann").await;
        desk.lease(&a, 1).await;
        a.collect(0..5, 1).await;
        for d in [&mut a, &mut b, &mut c] {
            d.follow().await;
        }
        desk.keep(&mut [&mut a, &mut b, &mut c]).await;
        a.collect(5..10, 1).await;
        for d in [&mut a, &mut b, &mut c] {
            d.follow().await;
        }
        desk.put_back(&mut [&mut a, &mut b, &mut c]).await;
        // The other collector goes on. What it had heard of the lost time it tells in the name of the first.
        assert_eq!(b.mend().await, Some(5));
        b.follow().await;
        desk.lease(&b, 2).await;
        b.collect(10..22, 2).await;
        assert_eq!(desk.ask("SELECT count(*) FROM hub.look"), "22");
        assert!(desk.ask("SELECT max(seq) FROM hub.entry").parse::<i64>().expect("number") > 10);
        for d in [&mut a, &mut c] {
            assert_eq!(d.mend().await, Some(5), "{}", d.name);
            assert_eq!(d.follow().await, 17, "{}", d.name);
        }
        b.follow().await;
        assert_all_same(&desk, &mut [&mut a, &mut b, &mut c], 22).await;

        // Once more, and the other one knows nothing of the lost time: the hub goes on without it.
        desk.keep(&mut [&mut a, &mut b, &mut c]).await;
        desk.lease(&a, 3).await;
        a.collect(22..28, 3).await;
        a.follow().await;
        c.follow().await;
        desk.put_back(&mut [&mut a, &mut b, &mut c]).await;
        assert_eq!(b.mend().await, None);
        desk.lease(&b, 4).await;
        b.collect(28..40, 4).await;
        b.follow().await;
        assert!(a.mend().await.is_some());
        a.follow().await;
        assert!(c.mend().await.is_some());
        c.follow().await;
        assert_all_same(&desk, &mut [&mut a, &mut b, &mut c], 34).await;
        // And the first one goes on from there.
        desk.lease(&a, 5).await;
        a.collect(40..50, 5).await;
        for d in [&mut a, &mut b, &mut c] {
            d.follow().await;
        }
        assert_all_same(&desk, &mut [&mut a, &mut b, &mut c], 44).await;
    });
}

#[test]
fn what_was_taken_back_in_the_lost_time_is_taken_back_again() {
    runtime().block_on(async {
        let Some(mut desk) = Desk::new().await else { return };
        let (mut a, mut b) = (desk.device("a", "one").await, desk.device("b", "two").await);
        let mut c = desk.device("c", "ann").await;
        desk.lease(&a, 1).await;
        a.collect(0..10, 1).await;
        a.collect(12..30, 1).await;
        for d in [&mut a, &mut b, &mut c] {
            d.follow().await;
        }
        desk.keep(&mut [&mut a, &mut b, &mut c]).await;
        let settings = EngineSettings::default();
        let rewound = a.store.together(|t| {
            let (source, sport) = t.numbers("the_odds_api", SPORT)?.expect("known");
            t.rewind(source, sport, Timestamp::from_millis(at(9)), &settings).map(drop)
        });
        rewound.expect("rewound");
        a.engine = None;
        a.looks(10..30);
        a.tell(1).await.expect("told");
        for d in [&mut a, &mut b, &mut c] {
            d.follow().await;
        }
        assert_all_same(&desk, &mut [&mut a, &mut b, &mut c], 30).await;
        desk.put_back(&mut [&mut a, &mut b, &mut c]).await;
        for d in [&mut a, &mut b, &mut c] {
            assert!(d.mend().await.is_some(), "{}", d.name);
            d.follow().await;
        }
        a.tell(1).await.expect("told");
        a.collect(30..40, 1).await;
        for d in [&mut a, &mut b, &mut c] {
            d.follow().await;
        }
        assert_all_same(&desk, &mut [&mut a, &mut b, &mut c], 40).await;
        // The other collector wants nothing taken back any more.
        desk.lease(&b, 2).await;
        b.collect(40..50, 2).await;
        for d in [&mut a, &mut b, &mut c] {
            d.follow().await;
        }
        assert_all_same(&desk, &mut [&mut a, &mut b, &mut c], 50).await;
    });
}

#[test]
fn what_nobody_had_followed_and_what_gives_way_leave_no_hole() {
    runtime().block_on(async {
        let Some(mut desk) = Desk::new().await else { return };
        let (mut a, mut b) = (desk.device("a", "one").await, desk.device("b", "two").await);
        let mut guest = desk.device("guest", "guest").await;
        desk.sql("UPDATE hub.meta SET value = '0 seconds' WHERE key = 'delay'").await;
        desk.lease(&a, 1).await;
        a.collect(0..5, 1).await;
        for d in [&mut a, &mut b, &mut guest] {
            assert!(d.follow().await == 5 || d.name == "a");
        }
        // A free login that is made to see less is not behind another hub.
        desk.sql("UPDATE hub.meta SET value = '10 minutes' WHERE key = 'delay'").await;
        assert_eq!(guest.mend().await, None);
        desk.sql("UPDATE hub.meta SET value = '0 seconds' WHERE key = 'delay'").await;
        assert_eq!(guest.mend().await, None);

        // Lost before anybody, the teller included, had read it.
        desk.keep(&mut [&mut a, &mut b, &mut guest]).await;
        a.collect(5..10, 1).await;
        desk.put_back(&mut [&mut a, &mut b, &mut guest]).await;
        assert_eq!((a.mend().await, b.mend().await, guest.mend().await), (Some(5), None, None));
        a.follow().await;
        assert_eq!(a.tell(1).await.expect("told"), 5);
        a.collect(12..20, 1).await;
        for d in [&mut a, &mut b, &mut guest] {
            d.follow().await;
        }
        assert_all_same(&desk, &mut [&mut a, &mut b], 18).await;
        assert_eq!(told(&guest.path()).iter().filter(|l| l.starts_with("Text(\"look\")")).count(), 18);

        // Late looks are worked in, and another collector goes on before that is told: what the hub has comes back.
        let settings = EngineSettings::default();
        let rewound = a.store.together(|t| {
            let (source, sport) = t.numbers("the_odds_api", SPORT)?.expect("known");
            t.rewind(source, sport, Timestamp::from_millis(at(9)), &settings).map(drop)
        });
        rewound.expect("rewound");
        a.engine = None;
        a.looks(10..20);
        desk.lease(&b, 2).await;
        b.collect(20..25, 2).await;
        for d in [&mut a, &mut b] {
            d.follow().await;
        }
        assert_all_same(&desk, &mut [&mut a, &mut b], 23).await;
        desk.lease(&a, 3).await;
        a.collect(25..30, 3).await;
        b.follow().await;
        assert_all_same(&desk, &mut [&mut a, &mut b], 28).await;
    });
}

/// The real program: nobody does anything, and everybody holds the same again.
#[test]
fn sessions_go_on_with_a_hub_that_was_put_back() {
    let runtime = runtime();
    let Some(mut desk) = runtime.block_on(Desk::new()) else { return };
    desk.owner = None;
    let mut sim = Command::new(env!("CARGO_BIN_EXE_stratum"))
        .arg("--data-dir")
        .arg(desk.home.path().join("sim"))
        .args(["sim", "--speed", "20", "--seed", "7"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("sim starts");
    let mut url = String::new();
    let out = sim.stdout.take().expect("stdout");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut url).expect("its address");
    let _sim = Running(sim);
    let daemon = |device: &str, login: &str, key: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stratum"));
        command
            .env_clear()
            .env("HOME", desk.home.path())
            .env("STRATUM_HUB_URL", desk.server.url(login))
            .env("STRATUM_HUB_CA_FILE", desk.server.ca_file())
            .env("STRATUM_HUB_ON", "true")
            .env("STRATUM_ODDS_API_BASE_URL", url.trim())
            .env("STRATUM_POLLING_PACE", "steady")
            .env("STRATUM_ODDS_API_CLOCK", "server")
            .env("STRATUM_ODDS_API_INTERVAL", "1s")
            .env("STRATUM_ODDS_API_SPORTS", SPORT)
            .arg("--data-dir")
            .arg(desk.home.path().join(device))
            .arg("--daemon")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        if key {
            command.env("ODDS_API_KEY", "0123456789abcdef0123456789abcdef");
        }
        Running(command.spawn().expect("starts"))
    };
    for (device, login) in [("a", "one"), ("b", "ann")] {
        let (code, text, errors) = desk.run(device, login, &["hub", "link"]);
        assert_eq!(code, Some(0), "{text}{errors}");
    }
    let ask = |device: &str, sql: &str| -> i64 {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let path = desk.home.path().join(device).join("stratum.db");
        let Ok(c) = rusqlite::Connection::open_with_flags(path, flags) else { return -1 };
        c.query_row(sql, [], |r| r.get(0)).unwrap_or(-1)
    };
    let told = |device: &str| ask(device, "SELECT count(*) FROM look WHERE id IN (SELECT look FROM hub_look)");
    let (one, two) = (daemon("a", "one", true), daemon("b", "ann", false));
    postgres::wait_until("the board follows", || told("b") >= 4);
    desk.server.stop();
    copy(&desk.server, "data", "kept");
    desk.server.restart();
    let before = told("b");
    postgres::wait_until("it goes on", || told("b") >= before + 6);
    desk.server.stop();
    copy(&desk.server, "kept", "data");
    desk.server.restart();
    postgres::wait_until("both have noticed", || ["a", "b"].iter().all(|d| ask(d, "SELECT history FROM hub") == 1));
    let before = told("a");
    postgres::wait_until("it goes on again", || told("b") >= before.max(12) + 4);
    one.stop();
    postgres::wait_until("the board has everything", || told("b") == told("a"));
    two.stop();
    for (device, login) in [("a", "one"), ("b", "ann")] {
        let (code, text, errors) = desk.run(device, login, &["hub", "verify"]);
        assert!(code == Some(0) && text.contains("the same"), "{device}: {text}{errors}");
    }
    assert_eq!(desk.ask("SELECT count(*) = count(DISTINCT received_at) FROM hub.look"), "t");
    assert_eq!(desk.ask("SELECT count(*) FROM hub.look"), told("a").to_string());
}
