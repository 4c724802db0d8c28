//! What the devices of a desk share through the real program, and what is to hold of it when all is over.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::devices::{Device, Running, simulator, until};
use crate::hub_pair::assert_once;
use crate::postgres::{HOSTER, Postgres, SUPERUSER};
use crate::{IN_TIME, stood_still};

/// A database with a hub, and a source.
pub struct Feed<'s> {
    pub server: &'s Postgres,
    pub database: String,
    pub home: tempfile::TempDir,
    pub sim: String,
    since: Instant,
    admin: Device,
    _sim: Running,
}

impl<'s> Feed<'s> {
    /// A source that runs so many times as fast as the clock.
    pub fn new(server: &'s Postgres, name: &str, speed: u32) -> Self {
        let database = server.database(name);
        let home = tempfile::tempdir().expect("folder");
        let (running, sim) = simulator(&home.path().join("sim"), speed);
        let admin = device(server, home.path(), &sim, "admin", server.url_to(HOSTER, &database));
        admin.run(&["hub", "init"]);
        Self { server, database, home, sim, since: Instant::now(), admin, _sim: running }
    }

    /// A new login, and its address.
    pub fn user(&self, name: &str, tier: &str) -> String {
        let name = format!("{}_{name}", self.database);
        let text = self.admin.run(&["hub", "user", "add", &name, "--tier", tier, "--reason", "a test", "--json"]);
        let rows: Vec<Value> = serde_json::from_str(&text).expect("JSON");
        rows[0]["address"].as_str().expect("an address").to_owned()
    }

    /// A device that is linked, through this port if it is not the server's.
    pub fn device(&self, name: &'static str, tier: &str, port: Option<u16>) -> Device {
        let url = through(self.server, self.user(&name.replace('-', ""), tier), port);
        let mut device = device(self.server, self.home.path(), &self.sim, name, url);
        device.key = tier == "collector";
        device.run(&["hub", "link"]);
        device
    }

    fn ask(&self, sql: &str) -> String {
        self.server.ask(SUPERUSER, &self.database, sql)
    }

    /// Looks that the hub has of a device.
    pub fn told_by(&self, device: &Device) -> i64 {
        let sql = format!(
            "SELECT count(*) FROM hub.look l JOIN hub.device d ON d.id = l.device WHERE d.name = '{}'",
            device.name
        );
        self.ask(&sql).parse().expect("a number")
    }

    /// Waits until this device tells, to whose predecessor something happened at that instant.
    pub fn until_told_by(&self, device: &Device, since: Instant) {
        let before = self.told_by(device);
        until("another one tells", || self.told_by(device) > before);
        let (took, lost) = (since.elapsed(), stood_still(since));
        println!("{}: {} tells after {took:?}, of which the machine stood still {lost:?}", self.database, device.name);
        assert!(took < IN_TIME + lost, "{took:?}");
    }

    /// What the daemon of a device says of its hub.
    pub fn status(&self, device: &Device) -> Value {
        let rows: Vec<Value> = serde_json::from_str(&device.run(&["status", "--json"])).expect("JSON");
        rows.into_iter().find(|r| r["kind"] == "daemon").map(|r| r["hub"].clone()).unwrap_or_default()
    }

    /// Waits until a device has taken in what the hub has, or almost: the source goes on.
    pub fn until_caught_up(&self, device: &Device) -> Duration {
        let all = "SELECT count(*) FROM hub.look";
        let there: i64 = self.ask(all).parse().expect("a number");
        until("caught up", || {
            device.ask("SELECT count(*) FROM hub_look") >= there && device.ask("SELECT pulled >= 0 FROM hub") == 1
        })
    }

    /// Nobody asks any more: every device holds what the hub holds, the hub holds it once, took nothing of an old holder, and
    /// was told without a longer pause than is promised.
    pub fn assert_whole(&self, devices: &[&Device]) {
        let head = "SELECT entry FROM hub.head";
        for device in devices {
            let head: i64 = self.ask(head).parse().expect("a number");
            let following = device.daemon_without_key();
            until("everything is taken in", || {
                device.ask("SELECT pulled FROM hub") >= head && self.status(device)["following"] == "on"
            });
            following.stop();
            let rows: Vec<Value> = serde_json::from_str(&device.run(&["hub", "verify", "--json"])).expect("JSON");
            let row = rows.iter().find(|r| r["sport"] == "basketball_nba").expect("the sport");
            // Exit code 0 says this too.
            assert!(row["same"] == true && row["only_there"] == 0 && row["looks"].as_i64() > Some(3), "{row}");
            // The last answer before a stop may wait in the store until the next start.
            let waits = row["only_here"].as_i64().expect("a number");
            assert!(waits <= i64::from(device.key), "{}: {row}", device.name);
        }
        assert_once(self.server, &self.database);
        let pause = "SELECT max(extract(epoch FROM t.pause)) FROM
            (SELECT stored_at - lag(stored_at) OVER (ORDER BY seq) AS pause FROM hub.entry) t";
        let pause: f64 = self.ask(pause).parse().expect("seconds");
        println!("{}: the longest pause was {pause:.1} s", self.database);
        assert!(pause < (IN_TIME + stood_still(self.since)).as_secs_f64(), "{pause}");
    }
}

fn device(server: &Postgres, home: &Path, sim: &str, name: &'static str, url: String) -> Device {
    let home = home.join(name);
    std::fs::create_dir_all(&home).expect("folder");
    Device { home, url, ca: server.ca_file(), sim: sim.to_owned(), name, key: false, more: Vec::new() }
}

/// An address with another port.
pub fn through(server: &Postgres, url: String, port: Option<u16>) -> String {
    let Some(port) = port else { return url };
    let other = url.replace(&format!(":{}/", server.port()), &format!(":{port}/"));
    assert!(other != url, "{url}");
    other
}
