//! A real PgBouncer in between that lends a connection for one transaction: everything goes through it, and what cannot is
//! found out.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::devices::{Running, until};
use crate::postgres::{self, Postgres, SUPERUSER, wait_until};
use crate::shared;

use super::feed::{Feed, through};

/// A running PgBouncer in front of a server.
struct Pooler {
    port: u16,
    folder: tempfile::TempDir,
    _running: Running,
}

fn program() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").map(|p| std::env::split_paths(&p).collect::<Vec<_>>()).unwrap_or_default();
    let found = on_path
        .into_iter()
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")])
        .map(|p| p.join("pgbouncer"))
        .find(|p| p.exists());
    if found.is_none() {
        let text = "PgBouncer is not installed (Debian: apt-get install pgbouncer)";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{text}");
        eprintln!("skipped: {text}");
    }
    found
}

impl Pooler {
    /// Starts it for these logins and their passwords.
    fn start(program: &Path, server: &Postgres, logins: &BTreeMap<String, String>) -> Self {
        // Not below a folder of root's own: it runs as the one that the server does.
        let folder = tempfile::Builder::new().prefix("stratum-pooler-").tempdir_in("/tmp").expect("folder");
        let port = postgres::free_port();
        let mut users = String::new();
        for (login, password) in logins {
            writeln!(users, "\"{login}\" \"{password}\"").expect("text");
        }
        // As few connections as will do, so that they are lent to many.
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {users}\npool_mode = transaction\n\
             default_pool_size = 2\nclient_tls_sslmode = require\nclient_tls_key_file = {key}\n\
             client_tls_cert_file = {cert}\nserver_tls_sslmode = require\nlogfile = {log}\nserver_login_retry = 1\n",
            server.port(),
            users = folder.path().join("users").display(),
            key = server.folder().join("server.key").display(),
            cert = server.folder().join("server.crt").display(),
            log = folder.path().join("log").display(),
        );
        let owner = postgres::unprivileged();
        for (name, text) in [("users", &users), ("settings", &settings)] {
            std::fs::write(folder.path().join(name), text).expect("written");
            if let Some((uid, gid)) = owner {
                chown(folder.path().join(name), Some(uid), Some(gid)).expect("owner");
            }
        }
        if let Some((uid, gid)) = owner {
            chown(folder.path(), Some(uid), Some(gid)).expect("owner");
        }
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("mode");
        let child = postgres::command(program, owner, folder.path())
            .arg(folder.path().join("settings"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pgbouncer");
        let pooler = Self { port, folder, _running: Running(child) };
        wait_until("the pooler listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        pooler
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

/// User and password of an address.
fn login(url: &str) -> (String, String) {
    let (user, rest) = url.trim_start_matches("postgres://").split_once(':').expect("user");
    (user.to_owned(), rest.split_once('@').expect("password").0.to_owned())
}

pub fn everything_goes_through_a_transaction_pooler() {
    let (Some(program), Some(server)) = (program(), shared()) else { return };
    let feed = Feed::new(server, "pooled", 20);
    let mut first = feed.device("desk-1", "collector", None);
    let mut second = feed.device("desk-2", "collector", None);
    let mut board = feed.device("board", "pro", None);
    let logins: BTreeMap<String, String> = [&first, &second, &board].iter().map(|d| login(&d.url)).collect();
    let pooler = Pooler::start(&program, server, &logins);
    for device in [&mut first, &mut second, &mut board] {
        device.url = through(server, device.url.clone(), Some(pooler.port));
    }
    let one = first.daemon();
    until("looks of the first", || feed.told_by(&first) >= 3);
    let (two, follows) = (second.daemon(), board.daemon());
    until("both follow", || second.looks() >= 3 && board.looks() >= 3);

    // Announcements do not come through: it is found out, told, and the log is asked often instead.
    for device in [&first, &second, &board] {
        until("it follows", || feed.status(device)["following"] == "on");
        let status = feed.status(device);
        assert_eq!(status["announced"], false, "{status}");
    }
    let text = board.run(&["status"]);
    assert!(text.contains("asked every second as announcements do not come through"), "{text}");
    let seen = board.looks();
    let took = until("the board sees more", || board.looks() > seen + 3);
    assert!(took < Duration::from_secs(10), "{took:?}");

    // The desk is shared through it.
    board.run(&["watch", "create", "Tonight"]);
    until("the watchlist is at the other device", || second.run(&["watch", "list"]).contains("Tonight"));

    // Killed in the middle of it, the first one is followed in time.
    let at = Instant::now();
    drop(one);
    feed.until_told_by(&second, at);
    let one = first.daemon();
    feed.until_caught_up(&first);
    // The pooler's connections to the server are cut under everybody's feet.
    let cut = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{}' AND pid <> pg_backend_pid()",
        feed.database
    );
    assert!(server.ask(SUPERUSER, "postgres", &cut).parse::<i64>().expect("a number") > 0);
    let before = (feed.told_by(&first), feed.told_by(&second));
    until("it goes on", || {
        let now = (feed.told_by(&first), feed.told_by(&second));
        now.0 > before.0 + 1 || now.1 > before.1 + 1
    });
    two.stop();
    one.stop();
    follows.stop();
    feed.assert_whole(&[&first, &second, &board]);
    let status = board.run(&["hub", "status"]);
    assert!(status.contains("desk-1") && status.contains("desk-2"), "{status}");
    let log = pooler.log();
    let told: Vec<&str> = log.lines().filter(|l| l.contains("prepared statement")).collect();
    assert!(told.is_empty(), "{told:#?}");
}
