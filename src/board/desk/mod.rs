//! The user's own things on the board: watchlists, saved filters, and what was chosen, kept from one evening to the next.
//!
//! Owns what is known of `desk.db` on the screen's side. The file is read and written in jobs only. Until it has been read
//! nothing is written, and while it cannot be read the board works without lists: a damaged file is never written over.
//!
//! ```text
//! kept   what was chosen, as text
//! held   which games of the slate each list holds
//! watch  a game into a list or out of it; the next list
//! ```

pub mod held;
mod kept;
#[cfg(test)]
pub mod tests;
pub mod watch;

use std::sync::{Arc, Mutex, PoisonError};

use self::held::{Held, minute};
pub use self::watch::{act, next_list, toggle, toggle_signal};
use super::app::{App, Effect, Job, JobRoom};
use super::model::Game;
use crate::alerts::watchlist::{self, Compiled};
use crate::filter::Filter;
use crate::market::time::Timestamp;
use crate::store::desk::{Desk, DeskError, ListContents, ListId, SavedFilter};

/// Name of the board's view, and of when it was last looked at.
const NAME: &str = "board";
/// Choices are written no more often than this. Milliseconds.
const WRITE_EVERY: u32 = 1_000;
/// Whether another process has changed something is asked no more often than this; after a failure less often.
const LOOK_EVERY: u32 = 15_000;
const LOOK_EVERY_AFTER_FAILURE: u32 = 30_000;
/// The look at the board is noted so often, for the case that the end never comes.
const SEEN_EVERY: u32 = 300_000;
/// Shorter absences are not worth a word. Milliseconds of market time.
const AWAY_MS: i64 = 5 * 60_000;

/// The filter in force: its text, the version of the saved filters, and what it means.
type Parsed = (String, u64, Result<Arc<Filter>, String>);

/// What is known of them.
#[derive(Debug, Default)]
pub struct DeskState {
    /// Watchlists with their rules, in the user's order.
    pub lists: Arc<[ListContents]>,
    /// Saved filters by name.
    pub filters: Arc<[SavedFilter]>,
    /// Why there are none, if they cannot be read.
    pub trouble: Option<String>,
    /// They have been read.
    pub loaded: bool,
    /// Rises when lists or filters change.
    pub version: u64,
    /// The lists, ready to be asked; as many as there are lists.
    pub compiled: Arc<[Compiled]>,
    /// The welcome has been offered: once an evening is enough.
    pub welcomed: bool,
    /// The list on show, by its number: it may be renamed elsewhere.
    chosen: Option<ListId>,
    kept: Option<String>,
    written: u32,
    looked: u32,
    looking: bool,
    seen: u32,
    minute: i64,
    held: Mutex<Arc<Held>>,
    parsed: Mutex<Option<Parsed>>,
}

/// Lists and filters of one state of the desk.
#[derive(Debug)]
struct Things {
    lists: Vec<ListContents>,
    filters: Vec<SavedFilter>,
}

fn read(desk: &Desk) -> Result<Things, DeskError> {
    Ok(Things { lists: desk.contents()?, filters: desk.filters()? })
}

/// What is read when the board is opened.
#[derive(Debug)]
struct Opened {
    things: Things,
    view: Option<String>,
    seen: Option<Timestamp>,
    newest: Option<Timestamp>,
}

fn open(room: &mut JobRoom) -> Result<Opened, DeskError> {
    let newest = room.reader().ok().and_then(|r| r.newest().ok()).flatten().map(|(_, at)| at);
    room.desk_changed()?;
    let desk = room.desk()?;
    Ok(Opened { things: read(desk)?, view: desk.view(NAME)?, seen: desk.seen(NAME)?, newest })
}

/// The board has been opened: what was kept is asked for.
pub fn begin(app: &mut App) {
    app.desk.looking = true;
    let job = Job::desk(
        "open desk",
        |room| open(room).map_err(|e| failed(room, &e)),
        |app, found| match found {
            Ok(opened) => began(app, opened),
            Err(why) => in_trouble(app, why),
        },
    );
    app.effect(Effect::Job(job));
}

fn failed(room: &mut JobRoom, e: &DeskError) -> String {
    room.close_desk();
    e.to_string()
}

fn began(app: &mut App, opened: Opened) {
    let view = opened.view.as_deref().map(kept::read);
    if let Some(view) = view {
        app.prefs = kept::under(view, &app.prefs);
        let theme = app.prefs.theme.clone();
        if !theme.is_empty() {
            app.dress(&theme);
        }
    }
    app.desk.kept = opened.view;
    take(app, opened.things);
    if let (Some(seen), Some(newest)) = (opened.seen, opened.newest)
        && newest > seen
    {
        // A simulated market's time is known to its looks alone before the session has spoken.
        let now = if app.at.demo { newest } else { newest.max(app.clocks.market()) };
        if now.since(seen) > AWAY_MS {
            super::pages::while_away(app, seen);
        }
    }
}

fn in_trouble(app: &mut App, why: String) {
    app.desk.looking = false;
    app.desk.looked = app.tick();
    if app.desk.trouble.as_ref() != Some(&why) {
        app.complain(format!("lists and choices cannot be used: {why}"));
    }
    app.desk.trouble = Some(why);
    app.moved();
}

/// Takes in lists and filters as they now are.
fn take(app: &mut App, things: Things) {
    let desk = &mut app.desk;
    (desk.looking, desk.looked) = (false, app.clocks.tick());
    if desk.trouble.take().is_some() {
        app.say("lists and choices can be used again");
    }
    let desk = &mut app.desk;
    let same = desk.loaded && *desk.lists == things.lists[..] && *desk.filters == things.filters[..];
    desk.loaded = true;
    if same {
        return;
    }
    desk.version += 1;
    desk.compiled = things.lists.iter().map(|l| Compiled::new(l, &things.filters)).collect();
    desk.lists = things.lists.into();
    desk.filters = things.filters.into();
    keep_chosen(app);
    app.moved();
}

/// The list on show keeps being shown when it has another name now, and no more when it is gone.
fn keep_chosen(app: &mut App) {
    let Some(name) = app.prefs.list.clone() else {
        app.desk.chosen = None;
        return;
    };
    let by_name = app.desk.lists.iter().find(|l| is_name(&l.list.name, &name)).map(|l| l.list.id);
    let renamed = app.desk.chosen.and_then(|id| app.desk.lists.iter().find(|l| l.list.id == id));
    match (by_name, renamed.map(|l| l.list.name.clone())) {
        (Some(id), _) => app.desk.chosen = Some(id),
        (None, Some(now)) => {
            app.prefs.list = Some(now);
            app.keep_prefs();
        }
        (None, None) => {
            app.prefs.list = None;
            app.desk.chosen = None;
            app.keep_prefs();
            app.say(format!("there is no list '{name}' any more: all games are shown"));
        }
    }
}

fn is_name(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.trim().to_lowercase()
}

/// Shows only the games of a list, by its place; `None`: all.
pub fn choose(app: &mut App, list: Option<usize>) {
    let list = list.and_then(|at| app.desk.lists.get(at)).map(|l| (l.list.id, l.list.name.clone()));
    app.desk.chosen = list.as_ref().map(|(id, _)| *id);
    app.prefs.list = list.map(|(_, name)| name);
    app.keep_prefs();
    app.moved();
}

/// Place of the list on show.
pub fn chosen(app: &App) -> Option<usize> {
    let name = app.prefs.list.as_deref()?;
    app.desk.lists.iter().position(|l| is_name(&l.list.name, name))
}

/// Changes the user's things, and takes in how they are afterwards. What went wrong is said; `then` gets what came of it.
pub fn change<T: Send + 'static>(
    app: &mut App,
    kind: &'static str,
    work: impl FnOnce(&mut Desk) -> Result<T, DeskError> + Send + 'static,
    then: impl FnOnce(&mut App, Option<T>) + Send + 'static,
) {
    if let Some(why) = &app.desk.trouble {
        let why = format!("nothing was changed: {why}");
        app.complain(why);
        return then(app, None);
    }
    let job = Job::desk(
        kind,
        move |room| {
            let done = room.desk().and_then(work).map_err(|e| e.to_string());
            let things = room.desk().and_then(|desk| read(desk)).map_err(|e| failed(room, &e));
            (done, things)
        },
        move |app, (done, things)| {
            match things {
                Ok(things) => take(app, things),
                Err(why) => in_trouble(app, why),
            }
            let done = done.map_err(|why| app.complain(why)).ok();
            then(app, done);
            app.moved();
        },
    );
    app.effect(Effect::Job(job));
}

/// Keeps what the user chose: now, or within a second if something was written just now.
pub fn keep_prefs(app: &mut App) {
    let tick = app.tick();
    if app.desk.kept.is_none() || tick.saturating_sub(app.desk.written) >= WRITE_EVERY {
        write_prefs(app);
    }
}

/// Writes what is not written yet.
fn write_prefs(app: &mut App) {
    // Before it has been read nobody knows what would be written over.
    if !app.desk.loaded || app.desk.trouble.is_some() {
        return;
    }
    let json = kept::write(&app.prefs);
    if app.desk.kept.as_ref() == Some(&json) {
        return;
    }
    app.desk.kept = Some(json.clone());
    app.desk.written = app.tick();
    let job = Job::desk(
        "keep choices",
        move |room| room.desk().and_then(|desk| desk.set_view(NAME, &json)).map_err(|e| failed(room, &e)),
        |app, done| {
            if let Err(why) = done {
                app.complain(format!("what you chose is not kept: {why}"));
            }
        },
    );
    app.effect(Effect::Job(job));
}

fn note_seen(app: &mut App) {
    app.desk.seen = app.tick();
    let Some(at) = app.live.at.filter(|_| app.desk.loaded && app.desk.trouble.is_none()) else { return };
    let job = Job::desk(
        "note look",
        move |room| room.desk().and_then(|desk| desk.set_seen(NAME, at)).map_err(|e| failed(room, &e)),
        |_, done| {
            if let Err(why) = done {
                tracing::warn!(why, "when the board was last looked at is not kept");
            }
        },
    );
    app.effect(Effect::Job(job));
}

/// The board is about to be closed: what is to be kept is handed over.
pub fn end(app: &mut App) {
    write_prefs(app);
    note_seen(app);
}

/// The user may have changed lists from the command line.
pub fn refresh(app: &mut App) {
    if app.desk.looking {
        return;
    }
    (app.desk.looking, app.desk.looked) = (true, app.tick());
    if !app.desk.loaded {
        return begin(app);
    }
    let look = |room: &mut JobRoom| -> Result<Option<Things>, DeskError> {
        if !room.desk_changed()? {
            return Ok(None);
        }
        read(room.desk()?).map(Some)
    };
    let job = Job::desk(
        "look at desk",
        move |room| look(room).map_err(|e| failed(room, &e)),
        |app, found| match found {
            Ok(Some(things)) => take(app, things),
            Ok(None) => {
                app.desk.looking = false;
                app.unseen = app.desk.trouble.take().is_none();
            }
            Err(why) => in_trouble(app, why),
        },
    );
    app.effect(Effect::Job(job));
}

/// A second of the clock has passed: writes what waits, looks for changes made elsewhere, and works out anew what depends
/// on time.
pub fn tick(app: &mut App) {
    let tick = app.tick();
    keep_prefs(app);
    let every = if app.desk.trouble.is_some() { LOOK_EVERY_AFTER_FAILURE } else { LOOK_EVERY };
    if tick.saturating_sub(app.desk.looked) >= every {
        refresh(app);
    }
    if tick.saturating_sub(app.desk.seen) >= SEEN_EVERY {
        note_seen(app);
    }
    let now = minute(app.now());
    if app.desk.minute != now {
        app.desk.minute = now;
        let by_list = app.desk.compiled.iter().any(|l| l.timed);
        if by_list || filter(app).is_ok_and(|f| f.is_some_and(|f| f.depends_on_time())) {
            app.moved();
        }
    }
}

/// Which games of the slate on show the lists hold.
pub fn held(app: &App) -> Arc<Held> {
    let desk = &app.desk;
    let mut held = desk.held.lock().unwrap_or_else(PoisonError::into_inner);
    let timed = desk.compiled.iter().any(|l| l.timed);
    if !held.is_of(app.slate(), desk.version, timed, app.now()) {
        let new = held.renewed(app.slate(), &desk.compiled, desk.version, app.now(), app.at.max_age_ms);
        *held = Arc::new(new);
    }
    held.clone()
}

/// The user's filter, read once; `None`: all games. Saved filters in it stand for their text.
///
/// # Errors
/// Why it is no filter, with a mark under the mistake on a line of its own.
pub fn filter(app: &App) -> Result<Option<Arc<Filter>>, String> {
    let text = app.prefs.filter.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let mut parsed = app.desk.parsed.lock().unwrap_or_else(PoisonError::into_inner);
    let known = parsed.as_ref().is_some_and(|(of, version, _)| of == text && *version == app.desk.version);
    if !known {
        let read = Filter::parse_with(text, &|name| watchlist::saved_text(&app.desk.filters, name));
        let read = read.map(Arc::new).map_err(|e| e.to_string());
        *parsed = Some((text.to_owned(), app.desk.version, read));
    }
    match parsed.as_ref() {
        Some((_, _, read)) => read.clone().map(Some),
        None => Ok(None),
    }
}

/// The game is on a watchlist.
pub fn is_watched(app: &App, game: &Game) -> bool {
    !app.desk.compiled.is_empty() && held(app).is_watched(game)
}
