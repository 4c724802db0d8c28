//! Choices that the program writes into the settings file for its user. The rest of the file stays as the user wrote it,
//! with its comments and its order.

use std::io;
use std::path::{Path, PathBuf};

use toml_edit::{Array, DocumentMut, Item, Table, Value};

use super::init_text;
use super::paths::make_private;

/// Why a choice could not be written. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The file is no TOML, or a section is something else.
    #[error("{}: {message}; correct the file, and choose again", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// It cannot be read or written.
    #[error("{}: the settings file cannot be written ({source})", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Writes lists of names into the settings file, each under a name such as `odds_api.sports`. A file that is not there
/// begins as `stratum config init` writes it. Links are followed, and who may read the file stays as it is.
///
/// # Errors
/// [`KeepError`]; nothing has been written then.
pub fn keep_names(file: &Path, choices: &[(&str, &[String])]) -> Result<(), KeepError> {
    let fail = |source| KeepError::Write { path: file.to_owned(), source };
    let (text, there) = match std::fs::read_to_string(file) {
        Ok(text) => (text, true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => (init_text(), false),
        Err(e) => return Err(fail(e)),
    };
    let text =
        with_names(&text, choices).map_err(|message| KeepError::Unreadable { path: file.to_owned(), message })?;
    let target = if there { std::fs::canonicalize(file).map_err(fail)? } else { file.to_owned() };
    let folder = target.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !there {
        make_private(folder).map_err(|e| fail(io::Error::other(e.to_string())))?;
    }
    let write = || -> io::Result<()> {
        let mut kept = tempfile::NamedTempFile::new_in(folder)?;
        io::Write::write_all(&mut kept, text.as_bytes())?;
        if there {
            kept.as_file().set_permissions(std::fs::metadata(&target)?.permissions())?;
        }
        kept.as_file().sync_all()?;
        kept.persist(&target).map_err(|e| e.error)?;
        Ok(())
    };
    write().map_err(fail)
}

/// The text of a settings file with other lists in it.
fn with_names(text: &str, choices: &[(&str, &[String])]) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| e.message().to_owned())?;
    for (path, names) in choices {
        let (section, name) = path.rsplit_once('.').ok_or_else(|| format!("`{path}` is no setting"))?;
        let table = document
            .entry(section)
            .or_insert_with(|| Item::Table(Table::new()))
            .as_table_like_mut()
            .ok_or_else(|| format!("`{section}` must be a section, written as [{section}]"))?;
        let mut value = Value::from(names.iter().map(String::as_str).collect::<Array>());
        match table.get_mut(name).and_then(Item::as_value_mut) {
            Some(old) => {
                *value.decor_mut() = old.decor().clone();
                *old = value;
            }
            None => {
                table.insert(name, Item::Value(value));
            }
        }
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|n| (*n).to_owned()).collect()
    }

    fn in_force(file: &Path) -> (Vec<String>, Vec<String>) {
        let loaded = load(&Sources { file: Some(file.to_owned()), ..Sources::default() }).expect("loads");
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        (loaded.settings.odds_api.sports, loaded.settings.odds_api.books)
    }

    #[test]
    fn the_rest_of_the_file_stays() {
        let (sports, books) = (names(&["basketball_nba"]), names(&["pinnacle", "draftkings"]));
        let choices: [(&str, &[String]); 2] = [("odds_api.sports", &sports), ("odds_api.books", &books)];
        let before = "# mine\n[polling]\nfar = \"20m\" # calm\n\n[odds_api]\n# what I follow\nsports = [\n  \"x\", # not any \
                      more\n] # and so on\n\n[board]\ntheme = \"light\"\n";
        let after = with_names(before, &choices).expect("taken");
        assert_eq!(
            after,
            "# mine\n[polling]\nfar = \"20m\" # calm\n\n[odds_api]\n# what I follow\nsports = [\"basketball_nba\"] # and \
             so on\nbooks = [\"pinnacle\", \"draftkings\"]\n\n[board]\ntheme = \"light\"\n"
        );
        // Once more changes nothing.
        assert_eq!(with_names(&after, &choices).expect("taken"), after);
    }

    #[test]
    fn every_way_to_write_a_section_is_understood() {
        let dir = tempfile::tempdir().expect("folder");
        let file = dir.path().join("deep").join("stratum.toml");
        let (sports, books) = (names(&["icehockey_nhl"]), names(&[]));
        let choices: [(&str, &[String]); 2] = [("odds_api.sports", &sports), ("odds_api.books", &books)];
        keep_names(&file, &choices).expect("a new file");
        assert_eq!(in_force(&file), (sports.clone(), books.clone()));
        assert!(std::fs::read_to_string(&file).expect("text").contains("# Sports to follow"));
        for text in
            ["", "odds_api = { sports = [\"a\"], timeout = \"9s\" }\n", "odds_api.timeout = \"9s\"\n", "[odds_api]"]
        {
            std::fs::write(&file, text).expect("written");
            keep_names(&file, &choices).expect("kept");
            assert_eq!(in_force(&file), (sports.clone(), books.clone()), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_alone() {
        let dir = tempfile::tempdir().expect("folder");
        let file = dir.path().join("stratum.toml");
        let sports = names(&["icehockey_nhl"]);
        for text in ["[odds_api\n", "odds_api = 5\n"] {
            std::fs::write(&file, text).expect("written");
            let error = keep_names(&file, &[("odds_api.sports", &sports)]).expect_err("refused").to_string();
            assert!(error.contains("stratum.toml"), "{error}");
            assert_eq!(std::fs::read_to_string(&file).expect("text"), text);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_rights_stay() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("folder");
        let (real, link) = (dir.path().join("real.toml"), dir.path().join("stratum.toml"));
        std::fs::write(&real, "").expect("written");
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).expect("rights");
        std::os::unix::fs::symlink(&real, &link).expect("linked");
        let sports = names(&["icehockey_nhl"]);
        keep_names(&link, &[("odds_api.sports", &sports)]).expect("kept");
        assert!(std::fs::symlink_metadata(&link).expect("there").is_symlink());
        let mode = std::fs::metadata(&real).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode, in_force(&link).0), (0o640, sports));
    }
}
