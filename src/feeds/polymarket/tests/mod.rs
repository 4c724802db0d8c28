//! The room against recorded data, laws, and servers that misbehave.

mod books;
mod fixtures;
mod laws;
mod recorded;
mod servers;
mod slates;
mod sockets;

use std::path::PathBuf;

/// A file of recorded data: below `STRATUM_TEST_DATA`, or in `../shared/data` beside the project. `None` (with a word
/// on the output) where there is none.
pub(super) fn recorded_file(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("STRATUM_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {name} is not there; set STRATUM_TEST_DATA to the folder of recorded data");
    None
}

/// The bytes of a fixture.
pub(super) fn fixture(name: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(recorded_file(&format!("polymarket/fixtures/{name}.json"))?).expect("readable"))
}

/// The text of a packed file.
pub(super) fn unpacked(name: &str) -> Option<String> {
    use std::io::Read;
    let path = recorded_file(name)?;
    let file = std::fs::File::open(path).expect("readable");
    let mut text = String::new();
    if name.ends_with(".zst") {
        zstd::Decoder::new(file).expect("zstd").read_to_string(&mut text).expect("text");
    } else {
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("text");
    }
    Some(text)
}

/// The fields of a line of CSV, quotes understood.
pub(super) fn csv(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    fields.push(field);
    fields
}
