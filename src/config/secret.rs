//! Secrets: from the environment, from a file that only its owner can read, or from the keyring of the system.
//!
//! The key of a provider may be several, one after another is used up; they are one text here, separated by commas.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// Larger than any key.
const MAX_KEY: usize = 512;
/// More keys than anybody has.
const MAX_KEYS: usize = 32;
/// Larger than any file of secrets. Bytes.
const MAX_FILE: u64 = 64 * 1024;
/// Longest address or other secret.
const MAX_SECRET: usize = 4096;

/// Where a key came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyOrigin {
    /// A variable, such as `ODDS_API_KEY`.
    Environment,
    /// A file that only its owner can read.
    File(PathBuf),
    /// The keyring of the system.
    Keyring,
}

/// Why a key cannot be used. No text of these holds any part of the key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("{}: the file of a key or secret cannot be read ({source})", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read the file.
    #[error("{0}: other users can read this file of a key or secret (mode {1:03o}); run: chmod 600 '{0}'", path.display(), mode)]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// What is there is no key.
    #[error("{0} does not hold a key: {1}")]
    NotAKey(String, &'static str),
    /// What is there is no secret.
    #[error("{0} cannot be used: {1}")]
    NotASecret(String, &'static str),
}

/// Keeps a key in its file, readable for its owner only. The file is written whole or not at all.
///
/// # Errors
/// When the file cannot be written; no part of the key is in the text.
pub fn keep_key(file: &Path, key: &SecretString) -> io::Result<()> {
    let folder = file.parent().ok_or_else(|| io::Error::other("the key file has no folder"))?;
    std::fs::create_dir_all(folder)?;
    // A temporary file is its owner's alone from the first byte on.
    let mut kept = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut kept, secrecy::ExposeSecret::expose_secret(key).as_bytes())?;
    kept.as_file().sync_all()?;
    kept.persist(file).map_err(|e| e.error)?;
    Ok(())
}

/// The key of The Odds API: `variable` is the value of `ODDS_API_KEY`, which wins over the file, and the file over the
/// keyring of the system. `None` when there is none of them. Several keys, separated by commas or standing in lines of
/// their own (`#` begins a comment in a file), come back separated by commas, in their order and each once.
///
/// # Errors
/// [`KeyError`], without any part of a key.
pub fn odds_api_key(variable: Option<&str>, file: &Path) -> Result<Option<(SecretString, KeyOrigin)>, KeyError> {
    if let Some(text) = variable.filter(|t| !t.trim().is_empty()) {
        let key = checked(text).map_err(|why| KeyError::NotAKey("the variable ODDS_API_KEY".into(), why))?;
        return Ok(Some((key, KeyOrigin::Environment)));
    }
    if let Some(text) = read_private(file)? {
        let key = checked(secrecy::ExposeSecret::expose_secret(&text))
            .map_err(|why| KeyError::NotAKey(file.display().to_string(), why))?;
        return Ok(Some((key, KeyOrigin::File(file.to_owned()))));
    }
    match super::keyring::read() {
        None => Ok(None),
        Some(text) => {
            let key = checked(secrecy::ExposeSecret::expose_secret(&text))
                .map_err(|why| KeyError::NotAKey("the keyring of the system".into(), why))?;
            Ok(Some((key, KeyOrigin::Keyring)))
        }
    }
}

/// Any other secret, such as an address: `variable` is the value of the variable called `name`, which wins over the
/// file. White space around it is dropped. `None` when there is neither.
///
/// # Errors
/// [`KeyError`], without any part of the secret.
pub fn owner_secret(
    name: &str,
    variable: Option<&str>,
    file: &Path,
) -> Result<Option<(SecretString, KeyOrigin)>, KeyError> {
    let fits = |text: &str, place: &dyn Fn() -> String| {
        let text = text.trim();
        match text {
            "" => Err(KeyError::NotASecret(place(), "it is empty")),
            _ if text.len() > MAX_SECRET => Err(KeyError::NotASecret(place(), "it is far too long")),
            _ if text.chars().any(char::is_control) => Err(KeyError::NotASecret(place(), "it has more than one line")),
            _ => Ok(SecretString::from(text)),
        }
    };
    if let Some(text) = variable.filter(|t| !t.trim().is_empty()) {
        return Ok(Some((fits(text, &|| format!("the variable {name}"))?, KeyOrigin::Environment)));
    }
    let Some(text) = read_private(file)? else { return Ok(None) };
    let secret = fits(secrecy::ExposeSecret::expose_secret(&text), &|| file.display().to_string())?;
    Ok(Some((secret, KeyOrigin::File(file.to_owned()))))
}

/// The text of a file that nobody else can read. `None` when there is none.
fn read_private(file: &Path) -> Result<Option<SecretString>, KeyError> {
    let failed = |source| KeyError::Read { path: file.to_owned(), source };
    let opened = match std::fs::File::open(file) {
        Ok(opened) => opened,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed(source)),
    };
    // What is looked at is what is read, whatever takes its place meanwhile.
    safe(file, &opened.metadata().map_err(failed)?)?;
    let mut text = String::new();
    opened.take(MAX_FILE).read_to_string(&mut text).map_err(failed)?;
    Ok(Some(SecretString::from(text)))
}

/// Is there a key file, and is it safe from other users? `false` when there is none.
pub fn check_key_file(file: &Path) -> Result<bool, KeyError> {
    let metadata = match std::fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(KeyError::Read { path: file.to_owned(), source }),
    };
    safe(file, &metadata)?;
    Ok(true)
}

/// Can nobody else read it?
fn safe(file: &Path, metadata: &std::fs::Metadata) -> Result<(), KeyError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Open { path: file.to_owned(), mode });
        }
    }
    let _ = (file, metadata);
    Ok(())
}

/// Keys separated by commas or lines, in one form.
///
/// # Errors
/// What is wrong with them, without any part of them.
pub fn checked(text: &str) -> Result<SecretString, &'static str> {
    let mut keys: Vec<&str> = Vec::new();
    let lines = text.lines().map(|l| if l.trim_start().starts_with('#') { "" } else { l });
    for key in lines.flat_map(|l| l.split(',')).map(str::trim).filter(|k| !k.is_empty()) {
        if key.len() > MAX_KEY {
            return Err("it is far too long");
        }
        // Anything else would change the address it is put into.
        if !key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
            return Err("a key is one word of letters and digits, without quotes; several are separated by commas");
        }
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    if keys.is_empty() {
        return Err("it is empty");
    }
    if keys.len() > MAX_KEYS {
        return Err("it holds more than 32 keys");
    }
    Ok(SecretString::from(keys.join(",")))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn key_file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("dir");
        let file = dir.path().join("odds_api.key");
        std::fs::write(&file, text).expect("writes");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("mode");
        }
        let _ = mode;
        (dir, file)
    }

    #[test]
    fn the_variable_wins_over_the_file() {
        let (_dir, file) = key_file("fromfile1\n", 0o600);
        let (key, origin) = odds_api_key(Some(" fromenv1 "), &file).expect("reads").expect("key");
        assert_eq!((key.expose_secret(), origin), ("fromenv1", KeyOrigin::Environment));
        let (key, origin) = odds_api_key(Some(""), &file).expect("reads").expect("key");
        assert_eq!((key.expose_secret(), origin), ("fromfile1", KeyOrigin::File(file.clone())));
        assert!(odds_api_key(None, &file.with_extension("none")).expect("reads").is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        for mode in [0o644, 0o640, 0o604, 0o666, 0o610] {
            let (_dir, file) = key_file("5ecret", mode);
            let e = odds_api_key(None, &file).expect_err("open");
            assert!(e.to_string().contains("chmod 600") && !format!("{e} {e:?}").contains("5ecret"));
        }
        let (_dir, file) = key_file("5ecret", 0o400);
        assert!(odds_api_key(None, &file).expect("reads").is_some());
    }

    #[test]
    fn nothing_but_a_key_is_taken_and_none_is_ever_printed() {
        for text in ["", "  \n", "two words", "\"5ecret\"", "5ecret&x=1", "ü5ecret", "5ecret\u{0}"] {
            let (_dir, file) = key_file(text, 0o600);
            let e = odds_api_key(None, &file).expect_err(text);
            assert!(!format!("{e} {e:?}").contains("5ecret"), "{e:?}");
        }
        let key = odds_api_key(Some("5ecret"), Path::new("/none")).expect("reads");
        assert!(!format!("{key:?}").contains("5ecret"));
    }

    #[test]
    fn several_keys_are_one_text() {
        let (_dir, file) = key_file("# mine\nfirst1\n\nsecond2, first1\n  # old\nthird3\r\n", 0o600);
        let (keys, _) = odds_api_key(None, &file).expect("reads").expect("keys");
        assert_eq!(keys.expose_secret(), "first1,second2,third3");
        let (keys, _) = odds_api_key(Some("a1, b2,,"), &file).expect("reads").expect("keys");
        assert_eq!(keys.expose_secret(), "a1,b2");
        assert!(checked(",\n,").is_err() && checked("a1,b 2").is_err());
        let many: Vec<String> = (0..33).map(|n| format!("key{n}")).collect();
        assert!(checked(&many.join(",")).is_err() && checked(&many[..32].join("\n")).is_ok());
    }

    #[test]
    fn other_secrets_are_read_the_same_way() {
        let (_dir, file) = key_file("https://x.example/5ecret?a=1,2\n", 0o600);
        let of = |variable| owner_secret("STRATUM_X", variable, &file).expect("reads").expect("there");
        assert_eq!(of(None).0.expose_secret(), "https://x.example/5ecret?a=1,2");
        assert_eq!(of(Some(" v ")).0.expose_secret(), "v");
        assert!(owner_secret("STRATUM_X", None, Path::new("/none")).expect("reads").is_none());
        let e = owner_secret("STRATUM_X", Some("5ecret\nmore"), &file).expect_err("two lines");
        assert!(e.to_string().contains("STRATUM_X") && !format!("{e:?}").contains("5ecret"));
        #[cfg(unix)]
        {
            let (_dir, open) = key_file("5ecret", 0o644);
            assert!(owner_secret("X", None, &open).expect_err("open").to_string().contains("chmod 600"));
        }
    }
}
