//! What the board wants done outside: questions to the store, small writes of the user's own things, text to copy.

use std::path::PathBuf;

use super::{App, Follows, Surroundings};
use crate::board::model::worker::Order;
use crate::store::desk::{Desk, DeskError, Version};
use crate::store::{Reader, StoreError};

/// Something to be done outside.
pub enum Effect {
    /// Work on another thread whose answer comes back.
    Job(Job),
    /// An order to the thread that keeps the slate.
    Slate(Order),
    /// Text for the clipboard of the terminal.
    Copy(String),
    /// What the user chose is kept.
    Prefs,
    /// The bell of the terminal.
    Bell,
    /// These bytes, which draw nothing, go to the terminal between two frames.
    Terminal(Vec<u8>),
    /// Everything is drawn anew.
    Redraw,
    /// Settings, keys and themes are read again.
    Reload,
    /// A key for the source, typed by the user: checked, then kept.
    Key(secrecy::SecretString),
    /// What the source offers is asked for, to be chosen from.
    Offer,
    /// Other sports and books: kept in the settings file, and followed from now on.
    Follow(Box<Follows>),
    /// The simulated market, from the welcome screen.
    Demo,
    /// The shell gets the terminal for a while.
    Suspend,
    /// The end.
    Quit,
}

impl std::fmt::Debug for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Job(job) => job.kind,
            Self::Slate(_) => "Slate",
            Self::Copy(_) => "Copy",
            Self::Prefs => "Prefs",
            Self::Bell => "Bell",
            Self::Terminal(_) => "Terminal",
            Self::Redraw => "Redraw",
            Self::Reload => "Reload",
            Self::Key(_) => "Key",
            Self::Offer => "Offer",
            Self::Follow(_) => "Follow",
            Self::Demo => "Demo",
            Self::Suspend => "Suspend",
            Self::Quit => "Quit",
        })
    }
}

/// Which thread does a job. Each does one after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// Reading the market store: may take a while.
    Store,
    /// The user's own things and files: short.
    Desk,
}

/// What a finished job does to the state.
pub type Apply = Box<dyn FnOnce(&mut App) + Send>;

/// Work on another thread. Of jobs of one kind that wait, only the newest is done.
pub struct Job {
    /// Its kind.
    pub kind: &'static str,
    /// Which thread.
    pub lane: Lane,
    /// The work. It must not panic; what went wrong is part of the answer.
    pub work: Box<dyn FnOnce(&mut JobRoom) -> Apply + Send>,
}

impl Job {
    /// A job that reads the store. `then` gets what came of it.
    pub fn reading<T: Send + 'static>(
        kind: &'static str,
        read: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
        then: impl FnOnce(&mut App, Result<T, String>) + Send + 'static,
    ) -> Self {
        let work = move |room: &mut JobRoom| -> Apply {
            let found = room.reader().and_then(|reader| read(reader).map_err(|e| e.to_string()));
            if found.is_err() {
                // A store that was taken away or put right is opened anew next time.
                room.close();
            }
            Box::new(move |app: &mut App| then(app, found))
        };
        Self { kind, lane: Lane::Store, work: Box::new(work) }
    }

    /// A job on the user's own things, or on files.
    pub fn desk<T: Send + 'static>(
        kind: &'static str,
        work: impl FnOnce(&mut JobRoom) -> T + Send + 'static,
        then: impl FnOnce(&mut App, T) + Send + 'static,
    ) -> Self {
        let work = move |room: &mut JobRoom| -> Apply {
            let done = work(room);
            Box::new(move |app: &mut App| then(app, done))
        };
        Self { kind, lane: Lane::Desk, work: Box::new(work) }
    }
}

/// What the thread of a lane keeps between jobs.
#[derive(Debug)]
pub struct JobRoom {
    /// Files and settings.
    pub at: Surroundings,
    reader: Option<Reader>,
    desk: Option<(Desk, Version)>,
}

impl JobRoom {
    /// A room in which nothing is open yet.
    pub fn new(at: Surroundings) -> Self {
        Self { at, reader: None, desk: None }
    }

    /// The market store, opened when it is first needed.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn reader(&mut self) -> Result<&Reader, String> {
        if self.reader.is_none() {
            self.reader = Some(Reader::open(&self.at.store).map_err(|e| e.to_string())?);
        }
        self.reader.as_ref().ok_or_else(|| "the store is not open".to_owned())
    }

    /// The user's own things, opened when they are first needed. A desk that cannot be opened is tried anew next time.
    ///
    /// # Errors
    /// [`DeskError`]; the file is as it was.
    pub fn desk(&mut self) -> Result<&mut Desk, DeskError> {
        if self.desk.is_none() {
            let desk = Desk::open(&self.at.desk)?;
            let version = desk.version()?;
            self.desk = Some((desk, version));
        }
        self.desk.as_mut().map(|(desk, _)| desk).ok_or(DeskError::NoList)
    }

    /// Another process has changed the user's things since this was last asked, or they have only now been opened.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn desk_changed(&mut self) -> Result<bool, DeskError> {
        let fresh = self.desk.is_none();
        self.desk()?;
        let Some((desk, seen)) = &mut self.desk else { return Ok(false) };
        let version = desk.version()?;
        let changed = fresh || *seen != version;
        *seen = version;
        Ok(changed)
    }

    /// Closes the user's things: after a failure they are opened and looked over anew.
    pub fn close_desk(&mut self) {
        self.desk = None;
    }

    /// The path of the market store.
    pub fn store(&self) -> PathBuf {
        self.at.store.clone()
    }

    /// Closes the market store.
    pub fn close(&mut self) {
        self.reader = None;
    }
}
