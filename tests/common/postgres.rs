//! A real PostgreSQL that a test starts for itself: in a temporary folder, as an unprivileged user, with TLS.
//!
//! A process of its own (a shell) waits until the test process is gone, however that came about, and then stops the
//! server and removes the folder: a server that stands in a `static` is never dropped.
#![allow(dead_code, reason = "shared by tests that each need a part")]

use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// The server's superuser. No hosted provider gives such a login; tests use it for what a provider does.
pub const SUPERUSER: &str = "postgres";
/// The login that hosted providers give: it makes roles and databases, and is no superuser.
pub const HOSTER: &str = "hoster";
/// The database that is there from the start.
pub const DATABASE: &str = "desk";
/// Patience with everything that a loaded machine may do slowly.
const PATIENCE: Duration = Duration::from_secs(60);

const BASE: &str = "\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
ssl = on
ssl_cert_file = '../server.crt'
ssl_key_file = '../server.key'
password_encryption = 'scram-sha-256'
fsync = off
full_page_writes = off
synchronous_commit = off
shared_buffers = 32MB
max_connections = 120
max_wal_size = 256MB
min_wal_size = 32MB
wal_level = minimal
max_wal_senders = 0
max_locks_per_transaction = 256
jit = off
log_min_messages = warning
logging_collector = off
";

/// Waits until whoever started it is gone, then stops the server and removes the folder.
const KEEPER: &str = r#"
cat >/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ] && grep -q postgres "/proc/$pid/comm" 2>/dev/null; then
  kill -QUIT "$pid" 2>/dev/null
  n=0
  while [ -e "$1/data/postmaster.pid" ] && [ $n -lt 100 ]; do n=$((n + 1)); sleep 0.05; done
  [ -e "$1/data/postmaster.pid" ] && kill -KILL "$pid" 2>/dev/null
fi
rm -rf "$1"
"#;

/// A running server. Dropped: stopped and gone.
pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    owner: Option<(u32, u32)>,
    port: u16,
    server: Mutex<Option<Child>>,
    keeper: Mutex<Child>,
    passwords: Mutex<BTreeMap<String, String>>,
    /// Mebibytes of a disk of its own, at `small` below its folder.
    small: Option<u32>,
}

impl Postgres {
    /// Starts a server. `None`, with a word on the error output, where none is installed; under CI that is an error.
    pub fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// As [`Self::start`], with more lines of `postgresql.conf`; they win over the usual ones.
    pub fn start_with(settings: &str) -> Option<Self> {
        Self::start_beside(settings, None)
    }

    /// As [`Self::start_with`], with a disk of so many mebibytes for a tablespace, which the server alone sees: it is in a
    /// mount namespace of the server's own. It is empty again after a [`Self::restart`]. `None`, with a word, where that
    /// takes rights that we do not have; under CI that is an error.
    pub fn start_with_a_small_disk(settings: &str, mebibytes: u32) -> Option<Self> {
        if unprivileged().is_none() {
            let text = "a disk of the server's own can be had by root only";
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{text}");
            eprintln!("skipped: {text}");
            return None;
        }
        Self::start_beside(settings, Some(mebibytes))
    }

    fn start_beside(settings: &str, small: Option<u32>) -> Option<Self> {
        let Some(programs) = programs() else {
            let text =
                "no PostgreSQL server is installed (Debian: apt-get install postgresql; or set STRATUM_TEST_PG_BIN)";
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{text}");
            eprintln!("skipped: {text}");
            return None;
        };
        let owner = unprivileged();
        let folder = new_folder(owner);
        let keeper = command(Path::new("/bin/sh"), owner, &folder)
            .args(["-c", KEEPER, "stratum-test-keeper"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let passwords = [(SUPERUSER, word("super")), (HOSTER, word("hoster"))];
        let server = Self {
            port: free_port(),
            server: Mutex::new(None),
            keeper: Mutex::new(keeper),
            passwords: Mutex::new(passwords.iter().map(|(u, p)| ((*u).to_owned(), p.clone())).collect()),
            folder,
            programs,
            owner,
            small,
        };
        server.certificates();
        server.initialise();
        server.configure(settings);
        server.restart();
        let made = server.psql_in(
            SUPERUSER,
            "postgres",
            &format!(
                "CREATE ROLE {HOSTER} LOGIN CREATEROLE CREATEDB PASSWORD '{}'; CREATE DATABASE {DATABASE} OWNER {HOSTER};",
                passwords[1].1
            ),
        );
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(server)
    }

    /// A database of its own for a test, owned by [`HOSTER`] as at a provider.
    pub fn database(&self, name: &str) -> String {
        self.psql_in(SUPERUSER, "postgres", &format!("CREATE DATABASE {name} OWNER {HOSTER}")).checked();
        name.to_owned()
    }

    /// The address of the first database for a login that is known here, with the file of certificates in it.
    pub fn url(&self, user: &str) -> String {
        self.url_to(user, DATABASE)
    }

    /// The address of a database for a login that is known here.
    pub fn url_to(&self, user: &str, database: &str) -> String {
        let password = self.password(user);
        let ca = self.ca_file().display().to_string();
        let port = self.port;
        format!("postgres://{user}:{password}@127.0.0.1:{port}/{database}?sslmode=verify-full&sslrootcert={ca}")
    }

    /// The server's version, such as 15.
    pub fn version(&self) -> u32 {
        let number = self.ask(SUPERUSER, "postgres", "SHOW server_version_num");
        number.parse::<u32>().expect("version") / 10_000
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes the password of a login known to [`Self::url`] and [`Self::psql`].
    pub fn know(&self, user: &str, password: &str) {
        self.passwords.lock().expect("lock").insert(user.to_owned(), password.to_owned());
    }

    /// The password of a login that is known here.
    pub fn password(&self, user: &str) -> String {
        self.passwords.lock().expect("lock").get(user).unwrap_or_else(|| panic!("no password of {user}")).clone()
    }

    /// The certificate of the authority that has signed the server's.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    /// Everything that the server has logged so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.join("log")).unwrap_or_default()).into_owned()
    }

    /// The folder of everything; `data` below it is the server's.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs SQL with the client psql in the first database.
    pub fn psql(&self, user: &str, sql: &str) -> Output {
        self.psql_in(user, DATABASE, sql)
    }

    /// Runs SQL with the client psql: rows without a head, columns apart by `|`, errors with their codes; ends at the first.
    pub fn psql_in(&self, user: &str, database: &str, sql: &str) -> Output {
        self.psql_with(user, database, sql, &["ON_ERROR_STOP=1"])
    }

    /// As [`Self::psql_in`], with these variables of psql.
    pub fn psql_with(&self, user: &str, database: &str, sql: &str, variables: &[&str]) -> Output {
        // Servers without their clients are at hand too, and any client speaks to any server.
        let own = Some(self.programs.join("psql")).filter(|p| p.exists());
        let mut psql = Command::new(own.unwrap_or_else(|| PathBuf::from("psql")));
        psql.args(["-X", "-q", "-A", "-t", "-v", "VERBOSITY=verbose"])
            .args(variables.iter().flat_map(|v| ["-v", v]))
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", user, "-d", database, "-f", "-"])
            .env("PGPASSWORD", self.password(user))
            .env("PGSSLMODE", "verify-full")
            .env("PGSSLROOTCERT", self.ca_file())
            .env("PGCONNECT_TIMEOUT", "30")
            .env_remove("PGOPTIONS")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = psql.spawn().expect("psql");
        // A client that was refused has left already.
        let _ = child.stdin.take().expect("pipe").write_all(sql.as_bytes());
        child.wait_with_output().expect("psql")
    }

    /// The answer to SQL that has to work, without the last line end.
    pub fn ask(&self, user: &str, database: &str, sql: &str) -> String {
        self.psql_in(user, database, sql).checked()
    }

    /// More lines of `postgresql.conf`, in force after [`Self::restart`].
    pub fn settings(&self, lines: &str) {
        let file = self.folder.join("data/postgresql.conf");
        let mut text = std::fs::read_to_string(&file).expect("settings");
        text.push_str(lines);
        text.push('\n');
        std::fs::write(&file, text).expect("settings");
    }

    /// SIGKILL for the server and all its processes, as when the machine loses its power.
    pub fn kill(&self) {
        let mut held = self.server.lock().expect("lock");
        let Some(mut child) = held.take() else { return };
        let pids = children_of(child.id());
        // The first first, or it would tell its children of the crash of another.
        let _ = child.kill();
        let _ = child.wait();
        for pid in &pids {
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
        }
        wait_until("the killed server's processes are gone", || pids.iter().all(|pid| !is_postgres(*pid)));
    }

    /// Stops the server as an administrator would, with transactions under way broken off.
    pub fn stop(&self) {
        let Some(mut child) = self.server.lock().expect("lock").take() else { return };
        let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        let _ = child.wait();
    }

    /// Stops the server if it runs, starts it, and waits until it answers.
    pub fn restart(&self) {
        self.stop();
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log")).expect("log");
        let child = self
            .postgres()
            .arg("-D")
            .arg(self.folder.join("data"))
            .args(["-p", &self.port.to_string()])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("log"))
            .stderr(log)
            .spawn()
            .expect("postgres");
        *self.server.lock().expect("lock") = Some(child);
        let ready = Instant::now() + PATIENCE;
        while !self.psql_in(SUPERUSER, "postgres", "SELECT 1").status.success() {
            let ended = self.server.lock().expect("lock").as_mut().and_then(|c| c.try_wait().ok().flatten());
            assert!(ended.is_none() && Instant::now() < ready, "the server does not start:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn postgres(&self) -> Command {
        let program = self.programs.join("postgres");
        let (Some(size), Some((uid, gid))) = (self.small, self.owner) else {
            return command(&program, self.owner, &self.folder);
        };
        let folder = self.small_disk();
        std::fs::create_dir_all(&folder).expect("folder");
        let mut as_root = command(Path::new("unshare"), None, &self.folder);
        as_root.args(["--mount", "sh", "-c"]).arg(format!(
            "mount -t tmpfs -o size={size}m,mode=0700,uid={uid},gid={gid} none '{}' &&
             exec setpriv --reuid {uid} --regid {gid} --clear-groups '{}' \"$@\"",
            folder.display(),
            program.display()
        ));
        as_root.arg("postgres");
        as_root
    }

    /// Where the server sees its small disk.
    pub fn small_disk(&self) -> PathBuf {
        self.folder.join("small")
    }

    /// Where we see it.
    pub fn small_disk_from_outside(&self) -> PathBuf {
        let pid = self.server.lock().expect("lock").as_ref().map(Child::id).expect("runs");
        PathBuf::from(format!("/proc/{pid}/root{}", self.small_disk().display()))
    }

    fn certificates(&self) {
        let ca_key = KeyPair::generate().expect("key");
        let mut ca = CertificateParams::new(Vec::new()).expect("parameters");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.distinguished_name.push(rcgen::DnType::CommonName, "stratum test authority");
        let ca_certificate = ca.self_signed(&ca_key).expect("certificate");
        let issuer = Issuer::new(ca, ca_key);
        let key = KeyPair::generate().expect("key");
        let mut own = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()]).expect("parameters");
        own.distinguished_name.push(rcgen::DnType::CommonName, "localhost");
        let certificate = own.signed_by(&key, &issuer).expect("certificate");
        self.write("ca.crt", &ca_certificate.pem(), 0o644);
        self.write("server.crt", &certificate.pem(), 0o644);
        self.write("server.key", &key.serialize_pem(), 0o600);
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        let file = self.folder.join(name);
        std::fs::write(&file, text).expect("file");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("mode");
        if let Some((uid, gid)) = self.owner {
            chown(&file, Some(uid), Some(gid)).expect("owner");
        }
    }

    fn initialise(&self) {
        self.write("first", &self.password(SUPERUSER), 0o600);
        let done = command(&self.programs.join("initdb"), self.owner, &self.folder)
            .arg("-D")
            .arg(self.folder.join("data"))
            .args(["-U", SUPERUSER, "--no-sync", "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256"])
            .arg(format!("--pwfile={}", self.folder.join("first").display()))
            .stdin(Stdio::null())
            .output()
            .expect("initdb");
        assert!(done.status.success(), "initdb: {}", String::from_utf8_lossy(&done.stderr));
    }

    fn configure(&self, settings: &str) {
        self.settings(BASE);
        self.settings(settings);
        self.write(
            "data/pg_hba.conf",
            "hostssl all all 127.0.0.1/32 scram-sha-256\nhostnossl all all 0.0.0.0/0 reject\n",
            0o600,
        );
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let keeper = self.keeper.get_mut().expect("lock");
        drop(keeper.stdin.take());
        let _ = keeper.wait();
        if let Some(mut child) = self.server.get_mut().ok().and_then(Option::take) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What a client said that has to have worked.
pub trait Checked {
    /// Its output, without the last line end.
    fn checked(&self) -> String;
}

impl Checked for Output {
    fn checked(&self) -> String {
        assert!(self.status.success(), "psql: {}", String::from_utf8_lossy(&self.stderr));
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }
}

/// The newest server on this machine, or the one that is named.
fn programs() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("STRATUM_TEST_PG_BIN") {
        return Some(PathBuf::from(named));
    }
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin"))))
        .collect();
    found.sort();
    let on_path = std::env::var_os("PATH").map(|p| std::env::split_paths(&p).collect::<Vec<_>>()).unwrap_or_default();
    found
        .into_iter()
        .rev()
        .map(|(_, p)| p)
        .chain(on_path)
        .find(|p| ["postgres", "initdb", "psql"].iter().all(|program| p.join(program).exists()))
}

/// Somebody with fewer rights, when we have all: a PostgreSQL refuses to run as root.
pub fn unprivileged() -> Option<(u32, u32)> {
    if std::fs::metadata("/proc/self").expect("proc").uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("users");
    let of = |name: &str| {
        let mut fields = users.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'))?.split(':').skip(1);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    Some(of("postgres").or_else(|| of("nobody")).expect("an unprivileged user"))
}

/// A folder that its owner can reach: not below one of root's own.
fn new_folder(owner: Option<(u32, u32)>) -> PathBuf {
    let base = if owner.is_some() { PathBuf::from("/tmp") } else { std::env::temp_dir() };
    let folder = tempfile::Builder::new().prefix("stratum-pg-").tempdir_in(base).expect("folder").keep();
    if let Some((uid, gid)) = owner {
        chown(&folder, Some(uid), Some(gid)).expect("owner");
    }
    // Certificates are read by whoever runs the tests.
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).expect("mode");
    folder
}

/// A program as the owner of the folder, in it, away from the terminal's signals.
pub fn command(program: &Path, owner: Option<(u32, u32)>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).process_group(0).env("LC_ALL", "C").env_remove("PGOPTIONS").env_remove("LD_PRELOAD");
    if let Some((uid, gid)) = owner {
        command.uid(uid).gid(gid).env("HOME", folder);
    }
    command
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port()
}

/// A word that nobody else has used.
fn word(start: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{start}{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn children_of(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        after_name.split(' ').nth(1).and_then(|p| p.parse().ok()) == Some(parent)
    })
    .collect()
}

/// It still runs; one that waits to be collected does not.
fn is_postgres(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.starts_with("Name:\tpostgres") && !status.contains("State:\tZ")
}

/// Waits for a condition.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
