//! Tells when the user saves the key map, the settings or a theme.
//!
//! Folders are watched rather than files, because editors save by putting a new file in the place of the old one. A
//! folder that is not there yet is waited for at the nearest one above it. Changes are gathered until they have been
//! quiet for a moment, and then told from a thread of the watch's own. While nothing is written the thread sleeps.
//!
//! Reads no file: what a change means is for whoever is told.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

/// Changes are told when they have been quiet for so long: a save is several events.
pub const QUIET: Duration = Duration::from_millis(300);
/// Changes that never rest are told after so long.
const LONGEST: Duration = Duration::from_secs(2);

/// What to watch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Watched {
    /// The key map.
    pub keys: PathBuf,
    /// The settings file.
    pub settings: PathBuf,
    /// The folder of themes.
    pub themes: PathBuf,
}

/// What was saved, made or removed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Changed {
    /// The key map.
    Keys,
    /// The settings file.
    Settings,
    /// Something in the folder of themes.
    Themes,
    /// The watch itself fails from now on; the text says why.
    Lost(String),
}

/// Why files cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The system gives no watch.
    #[error("files cannot be watched ({0}); changes are read with the key for `reload-files`")]
    System(#[from] notify::Error),
    /// The system gives no thread.
    #[error("files cannot be watched ({0}); changes are read with the key for `reload-files`")]
    Thread(#[from] std::io::Error),
}

enum Message {
    Event(notify::Result<notify::Event>),
    Stop,
}

/// A watch that lasts as long as this value.
#[derive(Debug)]
pub struct FileWatch {
    sender: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl FileWatch {
    /// Begins to watch. `tell` is called from the watch's own thread, once for each thing that changed.
    pub fn start(watched: Watched, tell: impl FnMut(Changed) + Send + 'static) -> Result<Self, WatchError> {
        let (sender, receiver) = channel();
        let events = sender.clone();
        let watcher = notify::recommended_watcher(move |event| {
            // Nobody listens any more only while the watch is being dropped.
            let _ = events.send(Message::Event(event));
        })?;
        let mut folders = Folders { watcher, watched: watched.resolved(), held: BTreeSet::new() };
        folders.hold()?;
        let thread = std::thread::Builder::new()
            .name("file-watch".to_owned())
            .spawn(move || listen(&receiver, &mut folders, tell))?;
        Ok(Self { sender, thread: Some(thread) })
    }
}

impl Drop for FileWatch {
    fn drop(&mut self) {
        let _ = self.sender.send(Message::Stop);
        if let Some(thread) = self.thread.take().filter(|t| t.thread().id() != std::thread::current().id()) {
            let _ = thread.join();
        }
    }
}

fn listen(receiver: &Receiver<Message>, folders: &mut Folders, mut tell: impl FnMut(Changed)) {
    let mut changes = BTreeSet::new();
    let mut first: Option<Instant> = None;
    loop {
        let wait = first.map(|at| QUIET.min((at + LONGEST).saturating_duration_since(Instant::now())));
        let message = match wait {
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(wait) => receiver.recv_timeout(wait),
        };
        match message {
            Ok(Message::Event(event)) => changes.extend(folders.changes(event)),
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                std::mem::take(&mut changes).into_iter().for_each(&mut tell);
                first = None;
            }
        }
        if !changes.is_empty() {
            first.get_or_insert_with(Instant::now);
        }
    }
}

impl Watched {
    /// With absolute paths, in which form events come.
    fn resolved(self) -> Self {
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        Self { keys: absolute(self.keys), settings: absolute(self.settings), themes: absolute(self.themes) }
    }

    fn files(&self) -> [(&Path, Changed); 2] {
        [(&self.keys, Changed::Keys), (&self.settings, Changed::Settings)]
    }

    /// Folders in which something may happen, there or not. A file that is a link is watched where it lies, too:
    /// people keep their settings in a folder of their own and link to it.
    fn folders(&self) -> BTreeSet<PathBuf> {
        let files = self.files().into_iter().map(|(file, _)| file);
        let behind = self.files().into_iter().filter_map(|(file, _)| file.canonicalize().ok());
        let parents = files.map(Path::to_owned).chain(behind).filter_map(|f| f.parent().map(Path::to_owned));
        let themes = [Some(self.themes.clone()), self.themes.canonicalize().ok()];
        parents.chain(themes.into_iter().flatten()).collect()
    }

    /// What a change of `path` is a change of.
    fn meaning(&self, path: &Path) -> Option<Changed> {
        let same = |file: &Path| path == file || file.canonicalize().is_ok_and(|real| path == real);
        if let Some((_, changed)) = self.files().into_iter().find(|(file, _)| same(file)) {
            return Some(changed);
        }
        let in_themes = path.parent().is_some_and(same_folder(&self.themes));
        let is_theme = path.extension().is_some_and(|e| e == "toml");
        ((in_themes && is_theme) || same(&self.themes)).then_some(Changed::Themes)
    }
}

fn same_folder(folder: &Path) -> impl Fn(&Path) -> bool + '_ {
    move |other| other == folder || folder.canonicalize().is_ok_and(|real| other == real)
}

struct Folders {
    watcher: RecommendedWatcher,
    watched: Watched,
    /// Folders that the system watches for us.
    held: BTreeSet<PathBuf>,
}

impl Folders {
    /// Watches every folder that is there, and the nearest one above those that are not.
    fn hold(&mut self) -> notify::Result<()> {
        /// Folders that come into being one inside the other are caught up with so often.
        const ROUNDS: usize = 16;
        for _ in 0..ROUNDS {
            let wanted = self.wanted();
            if wanted == self.held {
                return Ok(());
            }
            for folder in self.held.difference(&wanted) {
                // It may have been removed, and the watch with it.
                let _ = self.watcher.unwatch(folder);
            }
            self.held.retain(|f| wanted.contains(f));
            for folder in wanted {
                if !self.held.contains(&folder) {
                    self.watcher.watch(&folder, RecursiveMode::NonRecursive)?;
                    self.held.insert(folder);
                }
            }
            // What was made in a folder before it was watched is told by nobody: it is looked for again.
        }
        Ok(())
    }

    fn wanted(&self) -> BTreeSet<PathBuf> {
        let nearest = |folder: PathBuf| folder.ancestors().find(|f| f.is_dir()).map(Path::to_owned);
        self.watched.folders().into_iter().filter_map(nearest).collect()
    }

    /// What an event means. Reading a file is none.
    fn changes(&mut self, event: notify::Result<notify::Event>) -> BTreeSet<Changed> {
        let event = match event {
            Ok(event) => event,
            Err(e) => return BTreeSet::from([Changed::Lost(e.to_string())]),
        };
        let is_reading = matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
        if is_reading {
            return BTreeSet::new();
        }
        if event.need_rescan() {
            // The system lost count of what happened.
            return BTreeSet::from([Changed::Keys, Changed::Settings, Changed::Themes]);
        }
        let mut changes: BTreeSet<Changed> = event.paths.iter().filter_map(|p| self.watched.meaning(p)).collect();
        let before = self.held.clone();
        if matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(notify::event::ModifyKind::Name(_))) {
            // A removed folder takes its watch with it, even if another has its name by now.
            self.held.retain(|held| !event.paths.contains(held));
        }
        if let Err(e) = self.hold() {
            changes.insert(Changed::Lost(e.to_string()));
        }
        // What was written into a new folder before it was watched.
        for folder in self.held.difference(&before) {
            let inside = |path: &Path| path.starts_with(folder) && path.exists();
            changes.extend(self.watched.files().into_iter().filter(|(file, _)| inside(file)).map(|(_, c)| c));
            if inside(&self.watched.themes) {
                changes.insert(Changed::Themes);
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Bench {
        dir: tempfile::TempDir,
        told: Receiver<Changed>,
        _watch: FileWatch,
    }

    fn bench(make: impl Fn(&Path)) -> Bench {
        let dir = tempfile::tempdir().expect("dir");
        make(dir.path());
        let home = dir.path().join("config");
        let watched =
            Watched { keys: home.join("keys.toml"), settings: home.join("stratum.toml"), themes: home.join("themes") };
        let (sender, told) = channel();
        let watch = FileWatch::start(watched, move |c| sender.send(c).unwrap_or(())).expect("watches");
        Bench { dir, told, _watch: watch }
    }

    impl Bench {
        fn path(&self, name: &str) -> PathBuf {
            self.dir.path().join("config").join(name)
        }

        fn next(&self) -> Option<Changed> {
            self.told.recv_timeout(Duration::from_secs(5)).ok()
        }

        fn is_quiet(&self) -> bool {
            self.told.recv_timeout(QUIET * 3).is_err()
        }
    }

    fn with_folders(root: &Path) {
        fs::create_dir_all(root.join("config/themes")).expect("dir");
        fs::write(root.join("config/keys.toml"), "").expect("writes");
    }

    #[test]
    fn saves_are_told_once_and_by_name() {
        let bench = bench(with_folders);
        for text in ["a", "b", "c"] {
            fs::write(bench.path("keys.toml"), text).expect("writes");
        }
        assert_eq!(bench.next(), Some(Changed::Keys));
        assert!(bench.is_quiet(), "one save, one call");

        // As editors do: a new file takes the place of the old one.
        fs::write(bench.path("stratum.toml.tmp"), "x").expect("writes");
        fs::rename(bench.path("stratum.toml.tmp"), bench.path("stratum.toml")).expect("renames");
        assert_eq!(bench.next(), Some(Changed::Settings));
        fs::write(bench.path("themes/mine.toml"), "x").expect("writes");
        assert_eq!(bench.next(), Some(Changed::Themes));
        fs::remove_file(bench.path("themes/mine.toml")).expect("removes");
        assert_eq!(bench.next(), Some(Changed::Themes));

        fs::write(bench.path("other.toml"), "x").expect("writes");
        fs::write(bench.path("themes/notes.txt"), "x").expect("writes");
        let _ = fs::read(bench.path("keys.toml")).expect("reads");
        assert!(bench.is_quiet(), "others' files and reading are nothing");
    }

    #[test]
    fn folders_may_come_and_go() {
        let bench = bench(|_| {});
        fs::create_dir_all(bench.path("themes")).expect("dir");
        fs::write(bench.path("keys.toml"), "x").expect("writes");
        let mut told = BTreeSet::new();
        while !told.contains(&Changed::Keys) {
            told.insert(bench.next().expect("is told"));
        }
        while !bench.is_quiet() {}
        fs::write(bench.path("themes/a.toml"), "x").expect("writes");
        assert_eq!(bench.next(), Some(Changed::Themes));

        fs::remove_dir_all(bench.path("themes")).expect("removes");
        assert_eq!(bench.next(), Some(Changed::Themes));
        while !bench.is_quiet() {}
        fs::create_dir_all(bench.path("themes")).expect("dir");
        assert_eq!(bench.next(), Some(Changed::Themes));
        while !bench.is_quiet() {}
        fs::write(bench.path("themes/a.toml"), "y").expect("writes");
        assert_eq!(bench.next(), Some(Changed::Themes), "the new folder is watched");
    }

    #[cfg(unix)]
    #[test]
    fn a_linked_file_is_watched_where_it_lies() {
        let bench = bench(|root| {
            with_folders(root);
            fs::create_dir_all(root.join("dots")).expect("dir");
            fs::write(root.join("dots/s.toml"), "").expect("writes");
            std::os::unix::fs::symlink(root.join("dots/s.toml"), root.join("config/stratum.toml")).expect("links");
        });
        fs::write(bench.dir.path().join("dots/s.toml"), "x").expect("writes");
        assert_eq!(bench.next(), Some(Changed::Settings));
    }

    #[test]
    fn dropping_ends_the_thread() {
        let bench = bench(with_folders);
        let Bench { dir: _dir, told, _watch } = bench;
        drop(_watch);
        assert!(told.recv().is_err(), "the callback is gone with its thread");
    }
}
