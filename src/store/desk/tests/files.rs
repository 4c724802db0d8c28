//! The file: damaged, too new, somebody else's, shared, and cut off in the middle of a write.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("reads")
}

/// A desk of some size, closed.
fn filled(home: &Home) {
    let mut desk = home.desk();
    for i in 0..40 {
        let list = desk.create(&format!("list {i}")).expect("made").id;
        desk.add_rule(list, &NewRule::filter("x".repeat(500))).expect("rule");
    }
}

fn refused(path: &Path) -> String {
    let before = bytes(path);
    let error = Desk::open(path).expect_err("refused").to_string();
    assert_eq!(bytes(path), before, "nothing was changed");
    assert!(error.contains("desk.db"), "{error}");
    error
}

#[test]
fn a_newer_or_foreign_file_is_refused_and_left_alone() {
    let home = Home::new();
    filled(&home);
    let c = Connection::open(home.path()).expect("opens");
    c.pragma_update(None, "user_version", SCHEMA_VERSION + 1).expect("sets");
    drop(c);
    assert!(refused(&home.path()).contains("update stratum"));

    let other = Home::new();
    std::fs::create_dir_all(other.path().parent().expect("folder")).expect("made");
    let c = Connection::open(other.path()).expect("opens");
    c.execute_batch("CREATE TABLE precious (x); INSERT INTO precious VALUES (1)").expect("fills");
    drop(c);
    assert!(refused(&other.path()).contains("another program"));

    // A market store under the desk's name is not ours either.
    let store = Home::new();
    drop(crate::store::Store::open(&store.path()).expect("store"));
    assert!(refused(&store.path()).contains("another program"));
}

#[test]
fn a_damaged_file_is_refused_and_left_alone() {
    let home = Home::new();
    filled(&home);
    let whole = bytes(&home.path());
    assert!(whole.len() > 8 * 4096, "some pages");
    let mut torn = whole.clone();
    torn[4096..].fill(0xa5);
    let mut half = whole.clone();
    half.truncate(whole.len() / 2);
    let mut header = whole.clone();
    header[..16].fill(b'#');
    for (what, content) in
        [("torn", torn), ("half", half), ("header", header), ("text", b"not a database, but long enough\n".repeat(9))]
    {
        std::fs::write(home.path(), content).expect("writes");
        let error = refused(&home.path());
        assert!(error.contains("damaged") && error.contains(".recover"), "{what}: {error}");
    }
    std::fs::write(home.path(), whole).expect("writes");
    assert_eq!(home.desk().lists().expect("lists").len(), 40);
}

#[test]
fn a_damaged_value_is_said_with_the_file() {
    let home = Home::new();
    filled(&home);
    let c = Connection::open(home.path()).expect("opens");
    c.execute("UPDATE rule SET kind = 'future' WHERE id = 1", []).expect("sets");
    let error = home.desk().contents().expect_err("damaged").to_string();
    assert!(error.contains("desk.db") && error.contains("kind of rule"), "{error}");
}

#[test]
fn a_lost_file_does_not_take_its_log_with_it() {
    let home = Home::new();
    let mut desk = home.desk();
    desk.create("x").expect("made");
    let log = home.path().with_file_name("desk.db-wal");
    let kept = bytes(&log);
    assert!(!kept.is_empty());
    let other = Home::new();
    std::fs::create_dir_all(other.path().parent().expect("folder")).expect("made");
    let beside = other.path().with_file_name("desk.db-wal");
    std::fs::write(&beside, &kept).expect("writes");
    std::fs::write(other.path(), "").expect("writes");
    assert!(refused(&other.path()).contains("log"));
    assert_eq!(bytes(&beside), kept);
}

#[test]
fn an_empty_file_becomes_a_desk_and_a_folder_in_the_way_is_said() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().parent().expect("folder")).expect("made");
    std::fs::write(home.path(), "").expect("writes");
    home.desk().create("x").expect("made");
    let in_the_way = Home::new();
    std::fs::create_dir_all(in_the_way.path()).expect("made");
    assert!(Desk::open(&in_the_way.path()).is_err());
    let below_a_file = home.path().join("desk.db");
    assert!(matches!(Desk::open(&below_a_file), Err(DeskError::Io { .. })));
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let mode = |path: PathBuf| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    home.desk().create("x").expect("made");
    assert_eq!(mode(home.path()), 0o600);
    assert_eq!(mode(home.path().parent().expect("folder").to_owned()), 0o700);
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o644)).expect("loosens");
    let mut desk = home.desk();
    desk.create("y").expect("made");
    for name in ["desk.db", "desk.db-wal", "desk.db-shm"] {
        assert_eq!(mode(home.path().with_file_name(name)), 0o600, "{name}");
    }
}

#[test]
fn many_open_and_write_at_once_and_nothing_is_lost() {
    const THREADS: usize = 6;
    const EACH: usize = 15;
    let home = Home::new();
    std::thread::scope(|s| {
        for thread in 0..THREADS {
            let path = home.path();
            s.spawn(move || {
                // All of them find no file and make it together.
                let mut desk = Desk::open(&path).expect("opens");
                for i in 0..EACH {
                    let list = desk.create(&format!("{thread} {i}")).expect("made").id;
                    desk.add_rule(list, &NewRule::league("basketball_nba")).expect("adds");
                    desk.move_to(list, i % 3).expect("moves");
                    if i % 5 == 4 {
                        desk.delete(list).expect("deletes");
                        desk = Desk::open(&path).expect("opens again");
                    }
                }
            });
        }
    });
    let desk = home.desk();
    assert_eq!(names(&desk).len(), THREADS * (EACH - EACH / 5));
    assert!(desk.lists().expect("lists").iter().all(|l| l.rules == 1));
}

#[test]
fn waiting_has_an_end() {
    let home = Home::new();
    let mut desk = home.desk();
    desk.connection.busy_timeout(Duration::from_millis(50)).expect("sets");
    let other = Connection::open(home.path()).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("begins");
    assert!(matches!(desk.create("x"), Err(DeskError::Busy { .. })));
    assert_eq!(names(&desk), [""; 0], "reading goes on");
    other.execute_batch("COMMIT").expect("ends");
    desk.create("x").expect("made");
}

const WRITER_DESK: &str = "STRATUM_TEST_DESK";

/// Not a test: the process that is killed. Says every number once it is kept.
#[test]
fn writer_to_be_killed() {
    let Some(path) = std::env::var_os(WRITER_DESK) else { return };
    let mut desk = Desk::open(Path::new(&path)).expect("opens");
    let list = match desk.find("kept").expect("finds") {
        Some(list) => list.id,
        None => desk.create("kept").expect("made").id,
    };
    for n in desk.rules(list).expect("rules").len().. {
        desk.add_rule(list, &NewRule::league(format!("n{n}"))).expect("adds");
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nkept n{n}").and_then(|()| out.flush()).expect("says");
    }
}

#[test]
fn a_killed_writer_loses_nothing_that_it_acknowledged() {
    let home = Home::new();
    let mut kept: Vec<String> = Vec::new();
    for round in 0..16_u64 {
        let program = std::env::current_exe().expect("this test");
        let mut child = Command::new(program)
            .args(["--exact", "--nocapture", "store::desk::tests::files::writer_to_be_killed"])
            .env(WRITER_DESK, home.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let mut said = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let mut acknowledged = || said.find_map(|l| l.strip_prefix("kept ").map(str::to_owned));
        if round % 2 == 0 {
            // Somewhere between the start of the process and its first writes.
            std::thread::sleep(Duration::from_millis(3 * round));
        } else {
            kept.extend((0..3 + round).map(|_| acknowledged().expect("goes on")));
        }
        child.kill().expect("kills");
        child.wait().expect("ends");
        kept.extend(std::iter::from_fn(acknowledged));
        let desk = home.desk();
        let Some(list) = desk.find("kept").expect("finds") else {
            assert!(kept.is_empty());
            continue;
        };
        let there = desk.rules(list.id).expect("rules");
        assert!(there.iter().enumerate().all(|(i, r)| r.position == i));
        for n in &kept {
            assert!(there.iter().any(|r| r.kind.text() == n), "{n} was acknowledged");
        }
    }
    assert!(kept.len() > 50, "the writer got somewhere: {}", kept.len());
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_is_said_with_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.desk().create("x").expect("made");
    let folder = home.path().parent().expect("folder").to_owned();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o500)).expect("closes");
    let tried = Desk::open(&home.path()).and_then(|mut desk| desk.create("y"));
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).expect("opens");
    // The superuser may write everywhere.
    if let Err(e) = tried {
        assert!(e.to_string().contains("desk.db"), "{e}");
    }
    assert!(names(&home.desk()).contains(&"x".to_owned()));
}
