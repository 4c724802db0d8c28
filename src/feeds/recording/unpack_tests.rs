//! Files with a long window: the same content as from the ordinary decoder, whatever the file, in little memory.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use proptest::prelude::*;

use super::frames::frames;
use super::tests::{put, sample, test_data};
use super::unpack::Unpacked;
use super::*;

/// Content of which any part may refer back `distance` bytes, with noise between.
fn content(len: usize, distance: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(len);
    let mut noise = 1u64;
    while out.len() < len {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        match out.len().checked_sub(distance) {
            Some(from) if noise >> 61 != 0 => {
                let some = (noise >> 40) as usize % 5000;
                let end = (from + some).min(out.len());
                out.extend_from_within(from..end);
            }
            _ => out.extend_from_slice(format!("{noise:x}\n").as_bytes()),
        }
    }
    out.truncate(len);
    out
}

fn packed(content: &[u8], window_log: u32, sized: bool) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("encoder");
    encoder.window_log(window_log).expect("window");
    encoder.long_distance_matching(true).expect("long");
    encoder.include_checksum(true).expect("checksum");
    if sized {
        encoder.set_pledged_src_size(Some(content.len() as u64)).expect("size");
    }
    encoder.write_all(content).expect("writes");
    encoder.finish().expect("finishes")
}

fn unpacked(path: &Path) -> Unpacked {
    let file = std::fs::File::open(path).expect("opens");
    let frames = frames(&mut std::io::BufReader::new(&file)).expect("walks");
    Unpacked::of(file, &frames).expect("unpacks")
}

/// What comes before the end or the fault, and the fault.
fn drained(mut reader: impl Read) -> (Vec<u8>, Option<String>) {
    let mut all = Vec::new();
    let fault = reader.read_to_end(&mut all).err().map(|e| e.to_string());
    (all, fault)
}

fn ordinary(bytes: &[u8]) -> (Vec<u8>, Option<String>) {
    let mut decoder = zstd::Decoder::new(Cursor::new(bytes)).expect("decoder");
    decoder.window_log_max(31).expect("window");
    drained(decoder)
}

#[test]
fn the_content_is_that_of_the_ordinary_decoder() {
    let dir = tempfile::tempdir().expect("dir");
    let far = content(30 << 20, 12 << 20);
    let mut several = packed(&far, 25, true);
    several.extend(b"\x51\x2a\x4d\x18\x03\x00\x00\x00abc");
    several.extend(packed(b"", 24, false));
    several.extend(packed(b"short\n", 10, true));
    several.extend(packed(&far[..9 << 20], 27, false));
    for (what, bytes, len) in [
        ("sized", packed(&far, 25, true), far.len()),
        ("unsized", packed(&far, 27, false), far.len()),
        ("beyond what is decoded in memory", packed(&far, 30, false), far.len()),
        ("several frames", several, far.len() + 6 + (9 << 20)),
        ("zeros", packed(&vec![0; 20 << 20], 24, false), 20 << 20),
        ("nothing", packed(b"", 24, false), 0),
    ] {
        let content = unpacked(&put(dir.path(), "r.zst", &bytes));
        assert_eq!(content.len(), len as u64, "{what}");
        assert!(drained(content.reader()) == ordinary(&bytes), "{what}");
        // And once more.
        assert!(drained(content.reader()) == ordinary(&bytes), "{what}");
    }
}

#[test]
fn what_comes_before_a_cut_is_read() {
    let dir = tempfile::tempdir().expect("dir");
    let far = content(24 << 20, 12 << 20);
    for sized in [true, false] {
        let whole = packed(&far, 25, sized);
        for cut in [whole.len() / 2, whole.len() - 1, whole.len() - 5, 20, 9, 5] {
            let content = unpacked(&put(dir.path(), "r.zst", &whole[..cut]));
            let (read, fault) = drained(content.reader());
            let (expected, _) = ordinary(&whole[..cut]);
            assert!(read == expected, "{cut}: {} of {}", read.len(), expected.len());
            assert_eq!(fault.as_deref(), Some("incomplete frame"), "{cut}");
        }
    }
}

#[test]
fn damage_and_lies_about_the_size_are_told() {
    let dir = tempfile::tempdir().expect("dir");
    let far = content((10 << 20) + 77, 2 << 20);
    let whole = packed(&far, 24, true);
    assert_eq!(whole[4] >> 5, 0b101, "a size of four bytes, and the window is the content");
    for change in [-4_000_000i64, -1, 1, 4_000_000, 1 << 31] {
        let mut lying = whole.clone();
        let lie = (far.len() as i64 + change) as u32;
        lying[5..9].copy_from_slice(&lie.to_le_bytes());
        let (read, fault) = drained(unpacked(&put(dir.path(), "r.zst", &lying)).reader());
        assert!(fault.is_some() && far.starts_with(&read), "{change}: {} bytes, {fault:?}", read.len());
    }
    // zstd does not compare the sizes when the last block is empty; what is read is right all the same.
    let blocks = &far[..10 << 20];
    let mut lying = packed(blocks, 24, true);
    lying[5..9].copy_from_slice(&6_000_000u32.to_le_bytes());
    assert!(drained(unpacked(&put(dir.path(), "r.zst", &lying)).reader()).0 == blocks);
    let mut tail = whole.clone();
    tail.extend(b"no frame");
    let (read, fault) = drained(unpacked(&put(dir.path(), "r.zst", &tail)).reader());
    assert_eq!((read.len(), fault.as_deref()), (far.len(), Some("Unknown frame descriptor")));
}

#[test]
fn a_content_without_bounds_is_refused() {
    let dir = tempfile::tempdir().expect("dir");
    let path = put(dir.path(), "r.zst", b"\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\x00\x01\x00\x00");
    let said = RecordingReader::open(&path).err().expect("refused").to_string();
    assert!(said.contains("unpack to more than 64 GB"), "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn damage_gives_what_the_ordinary_decoder_gives(at in 4usize..40_000, byte in any::<u8>()) {
        let dir = tempfile::tempdir().expect("dir");
        let mut bytes = packed(&content(200_000, 20_000), 24, false);
        let at = at % bytes.len();
        bytes[at] = byte;
        let path = put(dir.path(), "r.zst", &bytes);
        let file = std::fs::File::open(&path).expect("opens");
        let frames = frames(&mut std::io::BufReader::new(&file)).expect("walks");
        if let Ok(content) = Unpacked::of(file, &frames) {
            let (read, fault) = drained(content.reader());
            let (expected, expected_fault) = ordinary(&bytes);
            prop_assert_eq!(fault.is_some(), expected_fault.is_some());
            prop_assert!(read.starts_with(&expected) || expected.starts_with(&read));
        }
    }
}

#[test]
fn recordings_with_a_long_window_are_read_and_merged() {
    let dir = tempfile::tempdir().expect("dir");
    let lines = |seconds: &[i64]| -> Vec<u8> { seconds.iter().flat_map(|&s| sample(s, "[]")).collect() };
    put(dir.path(), "a.jsonl.zst", &packed(&lines(&[1, 4, 9]), 24, false));
    put(dir.path(), "b.jsonl.zst", &packed(&lines(&[5, 2, 3]), 27, false));
    let noise = content(1 << 20, 1 << 19).into_iter().map(|b| char::from(b).to_ascii_lowercase()).collect::<String>();
    let mut long = lines(&[6, 7]);
    long.extend(sample(8, &format!("\"{}\"", noise.replace('\n', " "))));
    let cut = packed(&long, 25, false);
    put(dir.path(), "c.jsonl.zst", &cut[..cut.len() - 1000]);
    let merged = merged([dir.path()]).expect("merges");
    assert_eq!((merged.totals().files, merged.totals().unreadable), (3, 1));
    let order: Vec<_> = merged.map(|l| l.ok().and_then(|l| l.captured_at).map(|t| t.secs() - 1_700_000_000)).collect();
    let read: Vec<_> = order.iter().flatten().copied().collect();
    assert!(read.starts_with(&[1, 2, 3, 4, 5]) && read.ends_with(&[9]), "{order:?}");
    assert_eq!(order.iter().filter(|l| l.is_none()).count(), 1, "the cut is told once");
}

#[test]
fn recorded_days_unpack_to_the_same_content() {
    let Some(folder) = test_data() else { return };
    for entry in std::fs::read_dir(folder.join("timeseries")).expect("lists") {
        let path = entry.expect("entry").path();
        let mut decoder = zstd::Decoder::new(std::fs::File::open(&path).expect("opens")).expect("decoder");
        decoder.window_log_max(27).expect("window");
        let mut expected = std::io::BufReader::with_capacity(1 << 20, decoder);
        let content = unpacked(&path);
        let mut found = content.reader();
        let (mut one, mut other) = (vec![0; 1 << 20], vec![0; 1 << 20]);
        let mut left = content.len();
        while left > 0 {
            let some = left.min(1 << 20) as usize;
            expected.read_exact(&mut one[..some]).expect("as long");
            found.read_exact(&mut other[..some]).expect("reads");
            assert!(one[..some] == other[..some], "{}", path.display());
            left -= some as u64;
        }
        assert_eq!((expected.read(&mut one).expect("ends"), found.read(&mut other).expect("ends")), (0, 0));
    }
}

/// Read in a process of its own, whose peak the system tells.
#[cfg(target_os = "linux")]
mod peak {
    use super::*;

    const FILE: &str = "STRATUM_TEST_PEAK_OF";

    #[test]
    #[ignore = "the child of the test below"]
    fn child() {
        let Some(path) = std::env::var_os(FILE) else { return };
        let lines = merged([Path::new(&path)]).expect("merges").filter(|l| l.is_ok()).count();
        let status = std::fs::read_to_string("/proc/self/status").expect("status");
        let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).expect("peak");
        println!("lines={lines} peak={}", peak.trim());
    }

    /// Lines, and kilobytes resident at the most.
    fn read_in_a_child(path: &Path) -> (u64, u64) {
        let child = std::process::Command::new(std::env::current_exe().expect("this program"))
            .args(["--ignored", "--exact", "--nocapture", "feeds::recording::unpack_tests::peak::child"])
            .env(FILE, path)
            .output()
            .expect("runs");
        let text = String::from_utf8_lossy(&child.stdout).into_owned();
        let number = |name: &str| -> u64 {
            let rest = text.split(name).nth(1).unwrap_or_else(|| panic!("{text}"));
            rest.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{text}"))
        };
        (number("lines="), number("peak="))
    }

    #[test]
    fn memory_does_not_grow_with_the_window() {
        let dir = tempfile::tempdir().expect("dir");
        let body = content(120 << 20, 40 << 20);
        let mut lines = Vec::with_capacity(body.len() + (1 << 20));
        let mut count = 0;
        for chunk in body.chunks(100_000) {
            let text: String = chunk.iter().map(|&b| if b == b'\n' { ' ' } else { char::from(b) }).collect();
            lines.extend(sample(count, &format!("\"{text}\"")));
            count += 1;
        }
        let path = put(dir.path(), "long.jsonl.zst", &packed(&lines, 27, true));
        let (read, peak) = read_in_a_child(&path);
        println!("generated: {peak} kB");
        assert_eq!(read, count as u64);
        assert!(peak < 64 << 10, "{peak} kB");
    }

    #[test]
    fn the_longest_recorded_days_fit_in_forty_megabytes() {
        let Some(folder) = test_data() else { return };
        let path = folder.join("timeseries/nfl_2025_weeks6_9_long.jsonl.zst");
        if !path.exists() {
            return;
        }
        let (lines, peak) = read_in_a_child(&path);
        println!("recorded: {peak} kB");
        assert_eq!(lines, 1703);
        assert!(peak < 40 << 10, "{peak} kB");
    }
}
