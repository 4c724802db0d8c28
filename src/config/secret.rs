//! The key of a provider: from the environment or from a file that only its owner can read.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// Larger than any key.
const MAX_KEY: usize = 512;

/// Where a key came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyOrigin {
    /// The variable `ODDS_API_KEY`.
    Environment,
    /// A key file.
    File(PathBuf),
}

/// Why a key cannot be used. No text of these holds any part of the key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("{}: the key file cannot be read ({source})", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read the file.
    #[error("{0}: other users can read this key file (mode {1:03o}); run: chmod 600 '{0}'", path.display(), mode)]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// What is there is no key.
    #[error("{0} does not hold a key: {1}")]
    NotAKey(String, &'static str),
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

/// The key of The Odds API: `variable` is the value of `ODDS_API_KEY`, which wins over the file. `None` when there is
/// neither.
pub fn odds_api_key(variable: Option<&str>, file: &Path) -> Result<Option<(SecretString, KeyOrigin)>, KeyError> {
    if let Some(text) = variable.filter(|t| !t.trim().is_empty()) {
        let key = checked(text).map_err(|why| KeyError::NotAKey("the variable ODDS_API_KEY".into(), why))?;
        return Ok(Some((key, KeyOrigin::Environment)));
    }
    if !check_key_file(file)? {
        return Ok(None);
    }
    let mut text = String::new();
    std::fs::File::open(file)
        .and_then(|f| f.take(4 * MAX_KEY as u64).read_to_string(&mut text))
        .map_err(|source| KeyError::Read { path: file.to_owned(), source })?;
    let key = checked(&text).map_err(|why| KeyError::NotAKey(file.display().to_string(), why))?;
    Ok(Some((key, KeyOrigin::File(file.to_owned()))))
}

/// Is there a key file, and is it safe from other users? `false` when there is none.
pub fn check_key_file(file: &Path) -> Result<bool, KeyError> {
    let metadata = match std::fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(KeyError::Read { path: file.to_owned(), source }),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Open { path: file.to_owned(), mode });
        }
    }
    let _ = metadata;
    Ok(true)
}

fn checked(text: &str) -> Result<SecretString, &'static str> {
    let key = text.trim();
    if key.is_empty() {
        return Err("it is empty");
    }
    if key.len() > MAX_KEY {
        return Err("it is far too long");
    }
    // Anything else would change the address it is put into.
    if !key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
        return Err("a key is one word of letters and digits, without quotes");
    }
    Ok(SecretString::from(key))
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
}
