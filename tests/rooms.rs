//! The arrows between the rooms run one way, and the pure rooms stay pure.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::path::{Path, PathBuf};

/// Tests may go through other rooms.
fn is_of_tests(path: &Path) -> bool {
    let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    name == "tests" || name == "testing" || name.ends_with("_tests")
}

fn sources(room: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).expect("folder").flatten() {
            let path = entry.path();
            if path.is_dir() && path.file_name().is_some_and(|n| n != "tests") {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") && !is_of_tests(&path) {
                let text = std::fs::read_to_string(&path).expect("source");
                // Tests may go through other rooms.
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
                found.push((path, code));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room), &mut found);
    assert!(!found.is_empty(), "{room} is a room");
    found
}

/// The code of a file without its comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, l)| (i + 1, l)).filter(|(_, l)| !l.trim_start().starts_with("//"))
}

#[test]
fn market_and_engine_touch_neither_clock_nor_outside() {
    const FORBIDDEN: [&str; 22] = [
        "std::fs",
        "std::net",
        "std::io",
        "std::env",
        "std::process",
        "std::thread",
        "std::time::Instant",
        "SystemTime",
        "Instant::now",
        "Utc::now",
        "Local::now",
        "tokio",
        "reqwest",
        "rusqlite",
        "axum",
        "tracing",
        "rand::",
        "rand_chacha",
        "async fn",
        "println!",
        "eprintln!",
        "File::",
    ];
    for room in ["market", "engine"] {
        for (path, text) in sources(room) {
            for (line, code) in code(&text) {
                for word in FORBIDDEN {
                    assert!(!code.contains(word), "{}:{line} uses {word}", path.display());
                }
            }
        }
    }
}

#[test]
fn arrows_run_one_way() {
    // Each room with the rooms that it may use.
    const MAY_USE: [(&str, &[&str]); 10] = [
        ("market", &["market"]),
        ("engine", &["market", "engine"]),
        ("store", &["market", "engine", "store"]),
        ("hub", &["market", "engine", "store", "hub"]),
        ("poller", &["market", "feeds", "poller"]),
        ("config", &["market", "config"]),
        ("filter", &["market", "filter"]),
        ("board", &["market", "engine", "store", "filter", "config", "board", "runtime", "alerts"]),
        ("alerts", &["market", "engine", "store", "filter", "alerts"]),
        ("feeds", &["market", "feeds", "store", "engine"]),
    ];
    for (room, allowed) in MAY_USE {
        for (path, text) in sources(room) {
            // Only the replay feed reads the store; every other feed knows the market alone.
            let replay = path.to_string_lossy().contains("replay");
            for (line, code) in code(&text) {
                for part in code.split("crate::").skip(1) {
                    let used: String = part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                    let fine = allowed.contains(&used.as_str())
                        && (room != "feeds" || replay || ["market", "feeds"].contains(&used.as_str()));
                    // Of what runs, the board knows the words in which it tells how it goes, and nothing else.
                    let words = ["runtime::status::", "runtime::link::", "runtime::published::"];
                    let fine = fine && (used != "runtime" || words.iter().any(|w| part.starts_with(w)));
                    assert!(fine || used.is_empty(), "{}:{line}: {room} uses {used}", path.display());
                }
            }
        }
    }
}

#[test]
fn the_board_waits_for_nobody() {
    // What draws and what takes keys in neither opens the store nor files, nor talks to the network: jobs do.
    const FORBIDDEN: [&str; 8] =
        ["std::fs", "File::", "Reader::open", "Desk::open", "rusqlite", "reqwest", "TcpStream", "thread::sleep"];
    for room in ["board/app", "board/widgets", "board/keys", "board/pages/board", "board/pages/exchange"] {
        for (path, text) in sources(room) {
            // Jobs open the store in a room of their own; keys are read from their file before the board begins.
            if ["effect.rs", "file.rs", "user_file.rs"].iter().any(|f| path.ends_with(f)) {
                continue;
            }
            for (line, code) in code(&text) {
                for word in FORBIDDEN {
                    assert!(!code.contains(word), "{}:{line} uses {word}", path.display());
                }
            }
        }
    }
}
