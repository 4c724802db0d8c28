//! Folders, after the conventions of the platform (XDG on Linux).

use std::io;
use std::path::{Path, PathBuf};

use directories::{BaseDirs, ProjectDirs};

use super::Settings;

/// Where things lie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paths {
    /// The settings file.
    pub config_file: PathBuf,
    /// The settings file was named by the user.
    pub config_named: bool,
    /// The database and other things that must not be lost.
    pub data: PathBuf,
    /// Log files.
    pub logs: PathBuf,
    /// What can be fetched again.
    pub cache: PathBuf,
    /// Sockets and locks of running processes.
    pub runtime: PathBuf,
    home: Option<PathBuf>,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// Neither a home folder nor a folder was named.
    #[error("no home folder was found; set HOME, or name the folders with --data-dir and --config")]
    NoHome,
    /// A folder cannot be made.
    #[error("{}: the folder cannot be made ({source}); check its owner, or name another with --data-dir", path.display())]
    Create {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Paths {
    /// The folders of this user. `data_dir` takes the place of everything that is written; `config_file` names
    /// another settings file.
    pub fn find(data_dir: Option<&Path>, config_file: Option<&Path>) -> Result<Self, PathError> {
        let project = ProjectDirs::from("", "", "stratum");
        let home = BaseDirs::new().map(|b| b.home_dir().to_owned());
        let config_named = config_file.is_some();
        let config_file = match (config_file, &project) {
            (Some(file), _) => file.to_owned(),
            (None, Some(project)) => project.config_dir().join("stratum.toml"),
            (None, None) => return Err(PathError::NoHome),
        };
        let (data, logs, cache, runtime) = match (data_dir, &project) {
            (Some(dir), _) => (dir.to_owned(), dir.join("logs"), dir.join("cache"), dir.join("run")),
            (None, Some(p)) => {
                let data = p.data_local_dir().to_owned();
                (
                    data.clone(),
                    p.state_dir().unwrap_or(&data).join("logs"),
                    p.cache_dir().to_owned(),
                    p.runtime_dir().map_or_else(|| data.join("run"), Path::to_owned),
                )
            }
            (None, None) => return Err(PathError::NoHome),
        };
        Ok(Self { config_file, config_named, data, logs, cache, runtime, home })
    }

    /// The database.
    pub fn store(&self, settings: &Settings) -> PathBuf {
        match settings.store.path.as_str() {
            "" => self.data.join("stratum.db"),
            path => self.data.join(self.expanded(path)),
        }
    }

    /// The file of The Odds API's key.
    pub fn key_file(&self, settings: &Settings) -> PathBuf {
        self.beside(&settings.odds_api.key_file, "odds_api.key")
    }

    /// A file that is named in the settings, or else has this name beside them.
    pub fn beside(&self, named: &str, usual: &str) -> PathBuf {
        let beside = self.config_file.parent().unwrap_or(Path::new(""));
        if named.is_empty() { beside.join(usual) } else { beside.join(self.expanded(named)) }
    }

    /// The file of the hub's address.
    pub fn hub_url_file(&self, settings: &Settings) -> PathBuf {
        self.beside(&settings.hub.url_file, "hub.url")
    }

    /// The file of the authority that has signed the hub's certificate, if one is named.
    pub fn hub_ca_file(&self, settings: &Settings) -> Option<PathBuf> {
        let named = settings.hub.ca_file.as_str();
        (!named.is_empty()).then(|| self.beside(named, ""))
    }

    /// The key map of the board.
    pub fn keys_file(&self) -> PathBuf {
        self.config_file.parent().unwrap_or(Path::new("")).join("keys.toml")
    }

    /// The folder of the user's themes.
    pub fn themes(&self) -> PathBuf {
        self.config_file.parent().unwrap_or(Path::new("")).join("themes")
    }

    /// Where the board writes exports to.
    pub fn exports(&self) -> PathBuf {
        self.data.join("exports")
    }

    /// The file to which answers are recorded; a relative path starts in the data folder.
    pub fn record(&self, settings: &Settings) -> Option<PathBuf> {
        let path = settings.odds_api.record.as_str();
        (!path.is_empty()).then(|| self.data.join(self.expanded(path)))
    }

    /// Where frames of the exchange are recorded, if anywhere.
    pub fn exchange_record(&self, settings: &Settings) -> Option<PathBuf> {
        let path = settings.polymarket.record.as_str();
        (!path.is_empty()).then(|| self.data.join(self.expanded(path)))
    }

    fn expanded(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        }
    }

    /// Makes every folder that is written to, for this user only.
    pub fn make(&self) -> Result<(), PathError> {
        [&self.data, &self.logs, &self.cache, &self.runtime].into_iter().try_for_each(|dir| make_private(dir))
    }
}

/// Makes a folder and those above it, for this user only. Folders that are there are left as they are.
pub fn make_private(dir: &Path) -> Result<(), PathError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|source| PathError::Create { path: dir.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::super::{Sources, load};
    use super::*;

    #[test]
    fn one_folder_takes_everything_that_is_written() {
        let dir = tempfile::tempdir().expect("dir");
        let root = dir.path().join("deep/er");
        let paths = Paths::find(Some(&root), Some(Path::new("/etc/x/s.toml"))).expect("paths");
        paths.make().expect("makes");
        for written in [&paths.data, &paths.logs, &paths.cache, &paths.runtime] {
            assert!(written.starts_with(&root) && written.is_dir());
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&root).expect("there").permissions().mode() & 0o777, 0o700);
        }
        let mut settings = load(&Sources::default()).expect("defaults").settings;
        assert_eq!(paths.store(&settings), root.join("stratum.db"));
        assert_eq!(paths.key_file(&settings), Path::new("/etc/x/odds_api.key"));
        assert_eq!(paths.record(&settings), None);
        settings.store.path = "other/a.db".into();
        settings.odds_api.key_file = "/run/key".into();
        settings.odds_api.record = "r.jsonl.zst".into();
        assert_eq!(paths.store(&settings), root.join("other/a.db"));
        assert_eq!(paths.key_file(&settings), Path::new("/run/key"));
        assert_eq!(paths.record(&settings), Some(root.join("r.jsonl.zst")));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().expect("dir");
        let file = dir.path().join("file");
        std::fs::write(&file, "").expect("writes");
        let said = make_private(&file.join("x")).expect_err("no folder").to_string();
        assert!(said.contains("--data-dir"), "{said}");
    }
}
