//! The log: daily files in the log folder, bounded in number and size, written by a thread of their own.
//!
//! Nothing is ever logged to the terminal: the board owns it. Secrets are types that do not print themselves.

use std::path::{Path, PathBuf};

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use super::log_file::{Bounds, LogFile};
use crate::config::{LogFormat, LogSettings, PathError, make_private};

/// Lines that may wait to be written. Beyond it lines are dropped rather than holding up the market.
const WAITING_LINES: usize = 16_384;

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The folder cannot be made.
    #[error(transparent)]
    Folder(#[from] PathError),
    /// The file cannot be opened.
    #[error("{}: no log can be written here ({message}); check the owner of the folder", path.display())]
    Open {
        /// The folder.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// There is a log already.
    #[error("the log was started twice")]
    Twice,
}

/// Writes out what is waiting when it is dropped; keep it until the end of the program.
#[must_use = "the last lines are lost when this is dropped at once"]
#[derive(Debug)]
pub struct LogGuard {
    /// Held for its drop.
    _worker: WorkerGuard,
    filter: Level,
}

/// Changes the level of a log that is running. Clones are of the same log.
#[derive(Clone, Debug)]
pub struct Level(reload::Handle<EnvFilter, Registry>);

impl Level {
    /// Writes lines from this level on.
    pub fn set(&self, level: &str) {
        // The log is there for as long as the program is.
        let _ = self.0.reload(filter(level));
    }
}

impl LogGuard {
    /// The level, to be changed.
    pub fn level(&self) -> Level {
        self.filter.clone()
    }
}

/// Starts the log of this process in `folder`.
pub fn start(settings: &LogSettings, folder: &Path) -> Result<LogGuard, LogError> {
    let (writer, worker) = open(settings, folder)?;
    let (subscriber, filter) = subscriber(settings, writer);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Twice)?;
    Ok(LogGuard { _worker: worker, filter })
}

fn open(settings: &LogSettings, folder: &Path) -> Result<(NonBlocking, WorkerGuard), LogError> {
    make_private(folder)?;
    let bounds = Bounds { days: usize::from(settings.files), bytes: u64::from(settings.size_mb) * 1_000_000 };
    let file = LogFile::open(folder, bounds)
        .map_err(|e| LogError::Open { path: folder.to_owned(), message: e.to_string() })?;
    Ok(NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING_LINES).finish(file))
}

/// Libraries speak up only when something is wrong: a network client's debug lines hold whole addresses.
fn filter(level: &str) -> EnvFilter {
    EnvFilter::new(format!("warn,stratum={level}"))
}

fn subscriber<W>(settings: &LogSettings, writer: W) -> (Box<dyn tracing::Subscriber + Send + Sync>, Level)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(filter(&settings.level));
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
    let lines = match settings.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    (Box::new(tracing_subscriber::registry().with(filter).with(lines)), Level(handle))
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn logged(format: LogFormat, level: &str, f: impl Fn()) -> String {
        let dir = tempfile::tempdir().expect("dir");
        let settings = LogSettings { level: level.into(), format, files: 2, size_mb: 10 };
        let (writer, guard) = open(&settings, &dir.path().join("logs")).expect("opens");
        tracing::subscriber::with_default(subscriber(&settings, writer).0, f);
        drop(guard);
        let files: Vec<_> = std::fs::read_dir(dir.path().join("logs")).expect("lists").filter_map(Result::ok).collect();
        assert_eq!(files.len(), 1);
        std::fs::read_to_string(files[0].path()).expect("reads")
    }

    #[test]
    fn lines_go_to_a_file_of_the_day() {
        let text = logged(LogFormat::Text, "info", || {
            tracing::info!(target: "stratum::poller", sport = "basketball_nba", "asked");
            tracing::debug!(target: "stratum::poller", "too fine");
            tracing::info!(target: "reqwest", "not ours");
        });
        assert!(text.contains("asked") && text.contains("sport=\"basketball_nba\""), "{text}");
        assert!(!text.contains("too fine") && !text.contains("not ours") && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn the_level_may_change_while_it_runs() {
        let dir = tempfile::tempdir().expect("dir");
        let settings = LogSettings { level: "warn".into(), format: LogFormat::Text, files: 2, size_mb: 10 };
        let (writer, guard) = open(&settings, dir.path()).expect("opens");
        let (subscriber, level) = subscriber(&settings, writer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!(target: "stratum", "before");
            level.set("debug");
            tracing::debug!(target: "stratum", "after");
        });
        drop(guard);
        let file = std::fs::read_dir(dir.path()).expect("lists").next().expect("one").expect("entry").path();
        let text = std::fs::read_to_string(file).expect("reads");
        assert!(text.contains("after") && !text.contains("before"), "{text}");
    }

    #[test]
    fn json_lines_are_json() {
        let text = logged(LogFormat::Json, "debug", || tracing::debug!(target: "stratum", credits = 3, "asked"));
        let line: serde_json::Value = serde_json::from_str(text.trim()).expect("json");
        assert_eq!((line["credits"].as_i64(), line["message"].as_str()), (Some(3), Some("asked")));
    }

    #[test]
    fn a_secret_does_not_reach_the_log() {
        let key = SecretString::from("5ecretkey");
        for format in [LogFormat::Text, LogFormat::Json] {
            let text = logged(format, "trace", || {
                tracing::error!(target: "stratum", ?key, settings = ?Some(&key), "asked {key:?}");
            });
            assert!(text.contains("asked") && !text.contains("5ecretkey"), "{text}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().expect("dir");
        std::fs::write(dir.path().join("logs"), "").expect("writes");
        let settings = LogSettings { level: "info".into(), format: LogFormat::Text, files: 2, size_mb: 10 };
        assert!(open(&settings, &dir.path().join("logs/x")).is_err());
    }
}
