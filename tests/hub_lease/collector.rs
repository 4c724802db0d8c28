//! Collectors as processes, and what they say they did: when each believed to poll, and which of its writes were taken.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use stratum::hub::lease::ask::Hub;
use stratum::hub::lease::{Alone, Lease, Timing};
use stratum::hub::{HubError, HubUrl, connect, schema};
use stratum::runtime::hub::lease::{Leases, Leasing, OwnLedger};
use tokio_postgres::types::Type;

use crate::faketime::WallClock;
use crate::postgres::{HOSTER, Postgres, SUPERUSER};

/// What they poll.
pub const SPORT: &str = "basketball_nba";
/// Longer than anything may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// A takeover has to be done in that time.
const IN_TIME: Duration = Duration::from_secs(15);
/// A collector says so often that it polls. Milliseconds.
const BEAT: u64 = 20;

/// Milliseconds of the clock that all processes of this machine share and nobody sets.
fn now() -> u64 {
    let at = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    at.tv_sec as u64 * 1000 + at.tv_nsec as u64 / 1_000_000
}

/// The collector's process, if this is one.
pub fn run_if_asked() {
    let Ok(url) = std::env::var("STRATUM_TEST_HUB") else { return };
    let device: i32 = std::env::var("STRATUM_TEST_DEVICE").expect("device").parse().expect("number");
    let notes = PathBuf::from(std::env::var("STRATUM_TEST_NOTES").expect("notes"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    runtime.block_on(collect(&HubUrl::parse(&SecretString::from(url)).expect("address"), device, &notes));
}

async fn collect(url: &HubUrl, device: i32, notes: &Path) {
    let timing = Timing::default();
    let leases = Leases::new(timing, Alone::Wait, None);
    leases.want("test", BTreeSet::from([SPORT.to_owned()]));
    let hub = Hub::new(url.clone(), device, timing.patience);
    let leasing = Leasing::start(leases.clone(), hub, OwnLedger(notes.with_extension("none")));
    let mut file = File::options().append(true).create(true).open(notes).expect("notes");
    tokio::spawn(write(url.clone(), device, leases.clone(), file.try_clone().expect("notes")));
    let stop = notes.with_extension("stop");
    let mut known = None;
    while !stop.exists() {
        // The moment of asking is before the answer: what is noted was so then, however long this is held up.
        let at = now();
        let lease = leases.lease(SPORT);
        if let Lease::Held { token } = lease {
            writeln!(file, "polls {at} {token}").expect("noted");
        }
        if known.as_ref() != Some(&lease) {
            writeln!(file, "stands {at} {lease:?}").expect("noted");
            known = Some(lease);
        }
        tokio::time::sleep(Duration::from_millis(BEAT)).await;
    }
    leasing.stop().await;
    writeln!(file, "stopped {}", now()).expect("noted");
}

/// Writes with the token that it had a while ago, as whoever pushes what has been collected does.
async fn write(url: HubUrl, device: i32, leases: Leases, mut file: File) {
    let mut connection = None;
    loop {
        let Lease::Held { token } = leases.lease(SPORT) else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        tokio::time::sleep(Duration::from_millis(300)).await;
        if connection.is_none() {
            connection = connect(&url, "test").await.ok();
        }
        let Some(open) = &mut connection else { continue };
        let client = open.client();
        let written = async {
            let step = client.transaction().await?;
            let fence = [
                (&device as &(dyn tokio_postgres::types::ToSql + Sync), Type::INT4),
                (&SPORT, Type::TEXT),
                (&token, Type::INT8),
            ];
            step.query_typed("SELECT hub.fence($1, $2, $3)::text", &fence).await?;
            step.query_typed(
                "INSERT INTO public.written (device, token) VALUES ($1, $2)",
                &[(&device, Type::INT4), (&token, Type::INT8)],
            )
            .await?;
            step.commit().await?;
            Ok::<_, HubError>(())
        };
        match tokio::time::timeout(Duration::from_secs(3), written).await {
            Ok(Ok(())) => {}
            Ok(Err(HubError::Fenced { sport })) => {
                assert_eq!(sport, SPORT);
                writeln!(file, "refused {} {token}", now()).expect("noted");
            }
            Ok(Err(_)) | Err(_) => connection = None,
        }
    }
}

/// What the notes say.
#[derive(Debug, Default)]
pub struct Seen {
    /// Times without anybody who polled, in order: from the last beat of one token to the first of the next.
    pub gaps: Vec<Duration>,
    /// Devices whose writes were refused.
    pub refused: BTreeSet<usize>,
}

/// Collectors at one hub.
pub struct Desk<'a> {
    server: &'a Postgres,
    database: String,
    folder: tempfile::TempDir,
    processes: BTreeMap<usize, Child>,
    since: u64,
}

impl<'a> Desk<'a> {
    /// A hub in a database of its own, with three devices.
    pub fn new(server: &'a Postgres, name: &str) -> Self {
        let database = server.database(name);
        let me = Self {
            server,
            database,
            folder: tempfile::tempdir().expect("folder"),
            processes: BTreeMap::new(),
            since: 0,
        };
        let owner = HubUrl::parse(&SecretString::from(server.url_to(HOSTER, &me.database))).expect("address");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async {
            let mut c = connect(&owner, "test").await.expect("connects");
            schema::init(&mut c).await.expect("a hub");
        });
        let mut sql = "CREATE TABLE public.written (n int GENERATED ALWAYS AS IDENTITY, device int, token bigint);
                       GRANT INSERT ON public.written TO stratum_collector;"
            .to_owned();
        for n in 1..=3 {
            // Roles are the whole server's: another test may have made them.
            sql += &format!(
                "DO $$ BEGIN CREATE ROLE collector{n} LOGIN PASSWORD 'c' IN ROLE stratum_collector;
                 EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$;"
            );
            server.know(&format!("collector{n}"), "c");
        }
        for n in 1..=3 {
            sql += &format!(
                "INSERT INTO hub.device (uuid, name, login, program) VALUES (gen_random_uuid(), 'desk-{n}', 'collector{n}', 'test');"
            );
        }
        server.ask(SUPERUSER, &me.database, &sql);
        me
    }

    pub fn database(&self) -> &str {
        &self.database
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn notes(&self, n: usize) -> PathBuf {
        self.folder.path().join(format!("{n}.notes"))
    }

    /// Starts a collector, through this port if it is not the server's, with this clock on its wall.
    pub fn start(&mut self, n: usize, port: Option<u16>, clock: Option<&WallClock>) {
        let url = self.server.url_to(&format!("collector{n}"), &self.database);
        let url = port.map_or(url.clone(), |p| url.replace(&format!(":{}/", self.server.port()), &format!(":{p}/")));
        let mut command = Command::new(std::env::current_exe().expect("this test"));
        command
            .args(["collector_process", "--exact", "--nocapture"])
            .env("STRATUM_TEST_HUB", url)
            .env("STRATUM_TEST_DEVICE", n.to_string())
            .env("STRATUM_TEST_NOTES", self.notes(n))
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some(clock) = clock {
            clock.surround(&mut command);
        }
        let _ = std::fs::remove_file(self.notes(n).with_extension("stop"));
        self.processes.insert(n, command.spawn().expect("a collector"));
    }

    /// Kills it, and tells when.
    pub fn kill(&mut self, n: usize) -> Instant {
        let mut process = self.processes.remove(&n).expect("runs");
        let at = Instant::now();
        process.kill().expect("killed");
        process.wait().expect("gone");
        at
    }

    /// Sends it a signal.
    pub fn signal(&self, n: usize, signal: &str) -> Instant {
        let pid = self.processes[&n].id().to_string();
        let at = Instant::now();
        assert!(Command::new("kill").args([format!("-{signal}"), pid]).status().expect("kill").success());
        at
    }

    /// Has it stop in good order.
    pub fn stop(&mut self, n: usize) -> Instant {
        let at = Instant::now();
        File::create(self.notes(n).with_extension("stop")).expect("written");
        let mut process = self.processes.remove(&n).expect("runs");
        process.wait().expect("ends");
        at
    }

    /// What was noted of beats so far: when, who, token.
    fn beats(&self) -> Vec<(u64, usize, i64)> {
        let mut all = Vec::new();
        for n in 1..=3 {
            for words in self.lines(n) {
                if let [what, at, token] = &words[..]
                    && what == "polls"
                {
                    all.push((at.parse().expect("time"), n, token.parse().expect("token")));
                }
            }
        }
        all.sort_unstable();
        all
    }

    fn lines(&self, n: usize) -> Vec<Vec<String>> {
        let Ok(file) = File::open(self.notes(n)) else { return Vec::new() };
        let mut lines: Vec<String> = BufReader::new(file).lines().map(|l| l.expect("text")).collect();
        // A line that is being written.
        if lines.last().is_some_and(|l| l.split(' ').count() < 2) {
            lines.pop();
        }
        lines.iter().map(|l| l.split(' ').map(str::to_owned).collect()).collect()
    }

    /// Who polls, as of the last moments.
    pub fn polls_now(&self) -> Option<usize> {
        let from = now().saturating_sub(3_000).max(self.since);
        self.beats().into_iter().rev().find(|(at, ..)| *at >= from).map(|(_, n, _)| n)
    }

    /// What was before counts no more for who polls now.
    pub fn forget(&mut self) {
        self.since = now();
    }

    /// Waits until somebody polls.
    pub fn somebody_polls(&self) -> usize {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(n) = self.polls_now() {
                return n;
            }
            assert!(Instant::now() < until, "nobody polls: {}", self.told());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until another one polls than `n`, to whom something happened then.
    pub fn another_polls(&self, n: usize, since: Instant) -> usize {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(other) = self.polls_now().filter(|other| *other != n) {
                println!("{}: {other} polls {:?} after {n} was lost", self.database, since.elapsed());
                assert!(since.elapsed() < IN_TIME, "{:?}: {}", since.elapsed(), self.told());
                return other;
            }
            assert!(Instant::now() < until, "nobody took over: {}", self.told());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn run_for(&self, time: Duration) {
        std::thread::sleep(time);
    }

    fn told(&self) -> String {
        let stands = |n: usize| {
            let lines = self.lines(n).into_iter().filter(|w| w[0] != "polls").map(|w| w.join(" "));
            format!("{n}: {}", lines.collect::<Vec<_>>().join("; "))
        };
        (1..=3).map(stands).collect::<Vec<_>>().join("\n")
    }

    /// Never two at once, no write by an old token after one by a newer.
    pub fn checked(&self, server: &Postgres) -> Seen {
        let mut seen = Seen::default();
        let mut last: Option<(u64, usize, i64)> = None;
        for beat @ (at, n, token) in self.beats() {
            if let Some((before, m, old)) = last {
                assert!(token >= old, "{n} polls with {token} at {at}, {m} with {old} at {before}: {}", self.told());
                assert!(token > old || n == m, "{n} and {m} both poll with {token}");
                if token > old {
                    seen.gaps.push(Duration::from_millis(at - before));
                }
            }
            last = Some(beat);
        }
        let order = "SELECT count(*) FROM (SELECT token, max(token) OVER (ORDER BY n) AS newest FROM public.written) w \
                     WHERE token < newest";
        assert_eq!(server.ask(SUPERUSER, &self.database, order), "0", "a write of an old holder was taken");
        let writes = server.ask(SUPERUSER, &self.database, "SELECT count(DISTINCT token) FROM public.written");
        for n in 1..=3 {
            if self.lines(n).iter().any(|w| w[0] == "refused") {
                seen.refused.insert(n);
            }
        }
        println!("{}: gaps {:?}, refused {:?}, {writes} tokens wrote", self.database, seen.gaps, seen.refused);
        seen
    }
}

impl Drop for Desk<'_> {
    fn drop(&mut self) {
        for (_, mut process) in std::mem::take(&mut self.processes) {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
