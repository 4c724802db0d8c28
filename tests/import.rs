//! An import may be stopped anywhere and started again, by another process: the store ends up the same.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};

use common::{Lcg, TABLES, assert_same_content, dump, import_into, import_new, lines, series};
use stratum::market::time::Timestamp;

/// Lines `range` of a recording as a file of the same name in a folder of its own.
fn part(folder: &Path, name: &str, file: &Path, lines: &[(i64, Vec<u8>)]) -> PathBuf {
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder).expect("folder");
    let path = folder.join(file.file_name().expect("name"));
    let mut out = std::io::BufWriter::new(std::fs::File::create(&path).expect("file"));
    for (at, body) in lines {
        let at = Timestamp::from_millis(*at);
        write!(out, r#"{{"captured_at":"{at}","sport":"{}","body":"#, sport(file)).expect("line");
        out.write_all(body).expect("line");
        out.write_all(b"}\n").expect("line");
    }
    out.flush().expect("file");
    path
}

/// Empty answers do not say their sport, and a half that begins with one has no other line to tell it.
fn sport(file: &Path) -> &'static str {
    let name = file.to_string_lossy();
    match name.as_ref() {
        n if n.contains("wncaab") => "basketball_wncaab",
        n if n.contains("ncaaf") => "americanfootball_ncaaf",
        n if n.contains("kbo") => "baseball_kbo",
        other => panic!("{other}"),
    }
}

fn check_halves(name: &str, cuts: usize) {
    let Some(file) = series(name) else { return };
    let all = lines(&file);
    let folder = tempfile::tempdir().expect("folder");
    let whole = folder.path().join("whole.db");
    let whole_file = part(folder.path(), "whole", &file, &all);
    let report = import_new(&whole, std::slice::from_ref(&whole_file));
    assert_eq!(report.taken.looks as usize, all.len());
    assert_eq!(report.unreadable, 0, "{:?}", report.complaints);

    let mut random = Lcg(7);
    for _ in 0..cuts {
        let cut = 1 + random.below(all.len() - 1);
        let second = cut + random.below(all.len() - cut);
        let db = folder.path().join(format!("cut_{cut}_{second}.db"));
        let parts = [0..cut, cut..second, second..all.len()];
        for (n, range) in parts.into_iter().enumerate() {
            let file = part(folder.path(), &format!("{cut}_{second}_{n}"), &file, &all[range]);
            import_into(&db, &[file]);
        }
        assert_same_content(&whole, &db, &format!("{name}, cut before looks {cut} and {second}"));
    }
}

#[test]
fn two_restarts_leave_no_trace_in_kbo() {
    check_halves("kbo_2026_07_20_21", 5);
}

#[test]
fn two_restarts_leave_no_trace_in_ncaaf() {
    check_halves("ncaaf_2025_11_08", 4);
}

#[test]
fn two_restarts_leave_no_trace_among_empty_answers() {
    check_halves("wncaab_2026_02_22_03_04", 8);
}

#[test]
fn a_second_import_changes_nothing() {
    for name in ["kbo_2026_07_20_21", "wncaab_2026_02_22_03_04"] {
        let Some(file) = series(name) else { return };
        let folder = tempfile::tempdir().expect("folder");
        let (once, twice) = (folder.path().join("once.db"), folder.path().join("twice.db"));
        let files = [file];
        let first = import_new(&once, &files);
        import_new(&twice, &files);
        let again = import_into(&twice, &files);
        assert_eq!(again.taken.looks, 0);
        assert_eq!(again.taken.known, first.taken.looks);
        assert_same_content(&once, &twice, name);
    }
}

#[test]
fn two_imports_are_equal_to_the_byte() {
    let Some(file) = series("kbo_2026_07_20_21") else { return };
    let folder = tempfile::tempdir().expect("folder");
    let (a, b) = (folder.path().join("a.db"), folder.path().join("b.db"));
    import_new(&a, std::slice::from_ref(&file));
    import_new(&b, &[file]);
    assert_same_content(&a, &b, "two imports");
    for table in TABLES.iter().filter(|t| !["event_life", "event_score", "quality"].contains(t)) {
        assert!(!dump(&a, table).is_empty(), "{table} is compared, so it should hold something");
    }
}
