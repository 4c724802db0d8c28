//! Recordings written, read, damaged and merged.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use secrecy::SecretString;

use super::*;
use crate::market::batch::{Asked, Endpoint, Scope};
use crate::market::time::Timestamp;

fn t(text: &str) -> Timestamp {
    Timestamp::parse(text).expect(text)
}

fn read_bytes(bytes: &[u8]) -> Vec<Result<Line, RecordingError>> {
    RecordingReader::from_reader(Box::new(Cursor::new(bytes.to_vec())), Arc::from(Path::new("r"))).collect()
}

fn read_file(path: &Path) -> Vec<Result<Line, RecordingError>> {
    RecordingReader::open(path).expect("opens").collect()
}

pub(super) fn sample(n: i64, body: &str) -> Vec<u8> {
    format!("{{\"captured_at\":\"{}\",\"body\":{body}}}\n", Timestamp::from_secs(1_700_000_000 + n)).into_bytes()
}

#[test]
fn an_envelope_is_read_in_full() {
    let text = r#"{"captured_at":"2025-11-09T17:03:11Z","commit":"x","source":"the-odds-api","endpoint":"event_odds",
        "sport":"a\u0062c","asked":{"markets":["h2h"],"events":["e1","e2"],"commence_from":"2025-11-09T00:00:00Z"},
        "status":200,"headers":{"x-requests-last":"3"},"origin":"DEMO","body": {"id":"e1" , "bookmakers":[]} }"#
        .replace('\n', " ");
    let lines = read_bytes(text.as_bytes());
    let line = lines[0].as_ref().expect("reads");
    assert_eq!(line.captured_at, Some(t("2025-11-09T17:03:11Z")));
    assert_eq!(line.source.as_deref(), Some("the-odds-api"));
    assert_eq!(line.endpoint, Some(Endpoint::EventOdds));
    assert_eq!(line.sport.as_deref(), Some("abc"));
    assert_eq!(line.status, Some(200));
    let asked = line.asked.as_ref().expect("asked");
    assert_eq!(asked.markets, Asked::Only(vec!["h2h".into()]));
    assert_eq!(asked.books, Asked::All);
    assert_eq!(asked.events, Asked::Only(vec!["e1".into(), "e2".into()]));
    assert_eq!(asked.commence_from, Some(t("2025-11-09T00:00:00Z")));
    assert_eq!(line.body, br#"{"id":"e1" , "bookmakers":[]}"#);
    assert_eq!(line.kind(), BodyKind::EventObject);
    assert_eq!((line.line_no, lines.len()), (1, 1));
}

#[test]
fn bad_lines_are_named_and_passed_over() {
    let mut file = b"\xef\xbb\xbf".to_vec();
    file.extend(sample(0, "[]"));
    for bad in [
        r#"{"captured_at":"2025-11-09T17:03:11Z","body":[1,2"#,
        r#"{"body":[]}"#,
        r#"{"captured_at":"2025-11-09T17:03:11Z"}"#,
        r#"{"captured_at":"2025-11-09T17:03:11Z","body":null}"#,
        r#"{"captured_at":"yesterday","body":[]}"#,
        r#"{"captured_at":17,"body":[]}"#,
        r#"{"captured_at":"2025-11-09T17:03:11Z","status":"ok","body":[]}"#,
        r#"{"captured_at":"2025-11-09T17:03:11Z","endpoint":"oods","body":[]}"#,
        r#"{"captured_at":"2025-11-09T17:03:11Z","asked":{"markets":"h2h"},"body":[]}"#,
        r#"{"captured_at":"2025-11-09T17:03:11Z","asked":{"commence_to":"soon"},"body":[]}"#,
        "[]",
        "nonsense",
        "\u{0}\u{1}",
    ] {
        file.extend(bad.as_bytes());
        file.extend(b"\r\n");
    }
    file.extend(b"\n   \n");
    file.extend(sample(1, "[ ]"));
    file.pop();
    let lines = read_bytes(&file);
    assert_eq!(lines.len(), 15);
    assert!(lines[0].is_ok() && lines[14].is_ok());
    for (at, line) in lines[1..14].iter().enumerate() {
        assert_eq!(line.as_ref().expect_err("bad").line_no, at as u64 + 2);
    }
    let said = lines[8].as_ref().expect_err("bad").to_string();
    assert!(said.starts_with("r:9: `endpoint` is `oods`, expected the name"), "{said}");
    // Blank lines are counted, or the number would not lead to the place.
    assert_eq!(lines[14].as_ref().expect("reads").line_no, 17);
}

#[test]
fn a_broken_first_line_does_not_hide_the_rest() {
    let mut file = br#"{"captured_at":"2025-11-09T17:03:11Z","body":["#.to_vec();
    file.push(b'\n');
    file.extend(sample(0, "[]"));
    let lines = read_bytes(&file);
    assert!(lines[0].is_err() && lines[1].is_ok());
    let mut file = b"{\"capt\n".to_vec();
    file.extend(sample(0, "[]"));
    let lines = read_bytes(&file);
    assert!(lines[0].is_err() && lines[1].is_ok());
}

#[test]
fn a_file_may_be_one_bare_answer() {
    let pretty = "\n[\n  {\n    \"id\": \"a\",\n    \"commence_time\": \"x\"\n  }\n]\n";
    for (text, kind) in [(pretty, BodyKind::Events), ("[]\n", BodyKind::Empty), ("[\n]", BodyKind::Empty)] {
        let lines = read_bytes(text.as_bytes());
        let line = lines[0].as_ref().expect("reads");
        assert_eq!((line.captured_at, line.kind(), lines.len()), (None, kind, 1));
        assert_eq!(line.body, text.trim().as_bytes());
    }
    let wrapper = "{\n\"timestamp\":\"2021-10-19T11:55:00Z\",\n\"data\":[]\n}";
    for text in [wrapper.to_owned(), wrapper.replace('\n', "")] {
        let lines = read_bytes(text.as_bytes());
        assert_eq!(lines[0].as_ref().expect("reads").captured_at, Some(t("2021-10-19T11:55:00Z")));
        assert!(matches!(lines[0].as_ref().expect("reads").kind(), BodyKind::Historical { data: b"[]", .. }));
    }
    // Historical answers need no envelope, one a line.
    let two = format!("{0}\n{0}\n", wrapper.replace('\n', ""));
    assert_eq!(read_bytes(two.as_bytes()).into_iter().filter(Result::is_ok).count(), 2);
    // One recorded line, spread over several.
    let spread = "{\n\"captured_at\":\n\"2021-10-19T11:55:00Z\",\n\"body\":[]\n}";
    assert!(read_bytes(spread.replace("\"captured_at\":\n", "\n\"captured_at\":").as_bytes())[0].is_ok());
}

#[test]
fn what_is_neither_is_refused_once() {
    for text in ["[\n1,\n2\n", "{\n\"a\": 1\n}", "7", "\"text\"", "{\"message\":\"no\"}", "[1,2,3]"] {
        let lines = read_bytes(text.as_bytes());
        assert_eq!(lines.len(), 1, "{text}");
        assert!(lines[0].is_err(), "{text}");
    }
    assert!(read_bytes(b"").is_empty());
    assert!(read_bytes(b"\n\n  \n").is_empty());
}

#[test]
fn written_lines_come_back_whatever_the_packing() {
    let dir = tempfile::tempdir().expect("dir");
    let scope = Scope {
        markets: Asked::Only(vec!["h2h".into(), "totals".into()]),
        commence_to: Some(t("2025-01-01T00:00:00.250Z")),
        ..Scope::default()
    };
    for name in ["r.jsonl", "r.jsonl.gz", "r.jsonl.zst"] {
        let path = dir.path().join(name);
        let bodies: [&[u8]; 4] = [b"[]", b"[\n  {\"id\": \"a\"}\r\n]", b"<html>no</html>", b"\xff\xfe"];
        let mut writer = RecordingWriter::create(&path).expect("creates");
        for (n, body) in bodies.iter().enumerate() {
            let at = Timestamp::from_millis(1_700_000_000_123 + n as i64);
            let entry = Entry {
                source: Some("the-odds-api"),
                endpoint: Some(Endpoint::Odds),
                sport: Some("basketball_nba"),
                asked: Some(&scope),
                status: Some(200),
                ..Entry::new(at, body)
            };
            writer.write(&entry).expect("writes");
            // On disk after every line: another reader sees it while the writer still has the file.
            assert_eq!(read_file(&path).into_iter().filter_map(Result::ok).count(), n + 1, "{name}");
        }
        writer.finish().expect("finishes");
        RecordingWriter::create(&path).map(drop).expect_err("never overwrites");
        let mut writer = RecordingWriter::append(&path).expect("appends");
        writer.write(&Entry::new(Timestamp::from_secs(1_700_000_001), b"[]")).expect("writes");
        drop(writer);
        let lines: Vec<Line> = read_file(&path).into_iter().map(|l| l.expect("reads")).collect();
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[0].captured_at, Some(Timestamp::from_millis(1_700_000_000_123)));
        assert_eq!(lines[0].asked, Some(scope.clone()));
        assert_eq!(lines[1].body, b"[   {\"id\": \"a\"}  ]");
        assert_eq!(lines[2].body, b"\"<html>no</html>\"");
        assert_eq!(lines[4].asked, None);
    }
}

#[test]
fn a_file_cut_off_by_a_crash_is_read_and_appended_to() {
    let dir = tempfile::tempdir().expect("dir");
    for name in ["r.jsonl", "r.jsonl.gz", "r.jsonl.zst"] {
        let path = dir.path().join(name);
        let mut writer = RecordingWriter::create(&path).expect("creates");
        for n in 0..3 {
            writer.write(&Entry::new(Timestamp::from_secs(n), b"[{\"id\":\"a\"}]")).expect("writes");
        }
        writer.finish().expect("finishes");
        let whole = std::fs::read(&path).expect("reads");
        std::fs::write(&path, &whole[..whole.len() - 16]).expect("cuts");
        let lines = read_file(&path);
        assert!(lines.iter().any(Result::is_err), "{name}: a cut-off end is said, not hidden");
        let kept = lines.iter().filter(|l| l.is_ok()).count();
        assert!(kept >= 2, "{name}: {kept}");
        let mut writer = RecordingWriter::append(&path).expect("appends");
        writer.write(&Entry::new(Timestamp::from_secs(9), b"[]")).expect("writes");
        writer.finish().expect("finishes");
        let good: Vec<_> = read_file(&path).into_iter().filter_map(Result::ok).collect();
        assert_eq!(good.len(), kept + 1, "{name}");
        assert_eq!(good[kept].captured_at, Some(Timestamp::from_secs(9)));
        assert_eq!(std::fs::read_dir(dir.path()).expect("lists").filter_map(Result::ok).count(), 1);
        std::fs::remove_file(&path).expect("removes");
    }
}

#[test]
fn secrets_and_private_headers_are_not_written() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("r.jsonl");
    let mut writer =
        RecordingWriter::create(&path).expect("creates").hiding(SecretString::from("5ecret,0ther")).hiding("".into());
    let headers = [("Set-Cookie", "5ecret"), ("X-Requests-Last", "3"), ("authorization", "5ecret")];
    let entry = Entry {
        headers: &headers,
        ..Entry::new(Timestamp::from_secs(0), br#"{"message":"bad url ?apiKey=5ecret&x=1","y":"0ther"}"#)
    };
    writer.write(&entry).expect("writes");
    drop(writer);
    let text = std::fs::read_to_string(&path).expect("reads");
    assert!(!text.contains("5ecret") && !text.contains("0ther"), "{text}");
    assert!(text.contains(r#""headers":{"x-requests-last":"3"}"#) && text.contains("apiKey=***&x=1"), "{text}");
}

pub(super) fn put(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().expect("parent")).expect("dir");
    std::fs::write(&path, bytes).expect("writes");
    path
}

#[test]
fn files_are_merged_in_the_order_of_time() {
    let dir = tempfile::tempdir().expect("dir");
    let lines = |seconds: &[i64], tag: &str| -> Vec<u8> {
        seconds.iter().flat_map(|&s| sample(s, &format!("[\"{tag}\"]"))).collect()
    };
    put(dir.path(), "a.jsonl", &lines(&[1, 4, 4, 9], "a"));
    put(dir.path(), "deep/b.jsonl.gz", &lines(&[4, 5], "b"));
    let mut c = lines(&[8, 2], "c");
    c.extend(b"broken\n");
    c.extend(lines(&[4, 0], "c"));
    put(dir.path(), "c.jsonl", &c);
    put(dir.path(), "notes.txt", b"no recording");
    put(dir.path(), ".hidden.jsonl", b"no recording");
    let merged = merged([dir.path(), &dir.path().join("a.jsonl")]).expect("merges");
    let totals = merged.totals();
    assert_eq!((totals.files, totals.lines), (3, 11));
    let mut order = Vec::new();
    for line in merged {
        match line {
            Ok(line) => {
                let s = line.captured_at.expect("time").secs() - 1_700_000_000;
                order.push(format!("{}{s}:{}", char::from(line.body[2]), line.line_no));
            }
            Err(e) => order.push(format!("!{}", e.line_no)),
        }
    }
    assert_eq!(order, ["c0:5", "a1:1", "c2:2", "!3", "a4:2", "a4:3", "c4:4", "b4:1", "b5:2", "c8:1", "a9:4"]);
}

#[test]
fn merging_says_what_is_not_there() {
    let dir = tempfile::tempdir().expect("dir");
    let said = merged([dir.path()]).err().expect("empty").to_string();
    assert!(said.contains("no recordings in this folder"), "{said}");
    let said = merged([dir.path().join("none.jsonl")]).err().expect("missing").to_string();
    assert!(said.contains("cannot be opened"), "{said}");
    assert!(RecordingReader::open(dir.path()).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for line in read_bytes(&bytes).into_iter().flatten() {
            let _ = line.kind();
        }
        let _ = classify(&bytes);
    }

    #[test]
    fn no_damage_makes_the_reader_panic(
        text in r#"([\[\]{}":,0-9ntfe\\ \n]|captured_at|body|asked|data|timestamp|"id":|"2025-11-09T17:03:11Z"){0,60}"#,
        at in 0usize..200,
        byte in any::<u8>(),
    ) {
        let mut file = sample(0, r#"[{"id":"a","sport_key":"b"}]"#);
        file.extend(text.as_bytes());
        if let Some(b) = file.get_mut(at) {
            *b = byte;
        }
        for line in read_bytes(&file).into_iter().flatten() {
            let _ = line.kind();
        }
        let _ = classify(text.as_bytes());
    }

    #[test]
    fn damaged_packed_files_do_not_panic(cut in 0usize..200, at in 0usize..200, byte in any::<u8>()) {
        let dir = tempfile::tempdir().expect("dir");
        for name in ["r.gz", "r.zst"] {
            let path = dir.path().join(name);
            let mut writer = RecordingWriter::create(&path).expect("creates");
            for n in 0..4 {
                writer.write(&Entry::new(Timestamp::from_secs(n), b"[]")).expect("writes");
            }
            drop(writer);
            let mut bytes = std::fs::read(&path).expect("reads");
            if let Some(b) = bytes.get_mut(at) {
                *b = byte;
            }
            bytes.truncate(bytes.len().saturating_sub(cut));
            std::fs::write(&path, bytes).expect("writes");
            if let Ok(reader) = RecordingReader::open(&path) {
                // Ends, whatever the damage.
                prop_assert!(reader.take(10_000).count() < 10_000);
            }
        }
    }
}

/// Developers keep recorded days beside the project.
pub(super) fn test_data() -> Option<PathBuf> {
    let folder = std::env::var_os("STRATUM_TEST_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let found = folder.join("odds_api").is_dir().then(|| folder.join("odds_api"));
    if found.is_none() {
        println!("skipped: no recorded data (set STRATUM_TEST_DATA)");
    }
    found
}

#[test]
fn recorded_days_are_read_to_the_last_line() {
    let Some(folder) = test_data() else { return };
    let log = RecordingReader::open(folder.join("timeseries/fetch_log_2026_08_03_05.jsonl.zst")).expect("opens");
    let mut lines = 0;
    for line in log {
        assert_eq!(line.expect("reads").kind(), BodyKind::NotAnAnswer);
        lines += 1;
    }
    assert_eq!(lines, 703);
    let merged = merged([folder.join("timeseries"), folder.join("historical_nfl")]).expect("merges");
    let totals = merged.totals();
    let mut last = None;
    let mut seen = 0;
    for line in merged {
        let line = line.expect("reads");
        assert!(line.captured_at.is_some() && line.captured_at >= last);
        last = line.captured_at;
        seen += 1;
    }
    assert_eq!(seen, totals.lines);
}
