//! The board and everything behind it: puts the rooms together, draws at once, and starts to follow meanwhile.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use ratatui::layout::Rect;
use secrecy::SecretString;
use tokio::sync::mpsc;

use super::link::{Link, LinkEvent, StoreOwner, probe};
use super::reload::{self, Rereading};
use super::session::{Session, SessionConfig, SessionError};
use crate::board::app::{App, Clocks, Effect, Follows, Offered, Surroundings};
use crate::board::format::Zone;
use crate::board::jobs::Jobs;
use crate::board::looks::Looks;
use crate::board::model::worker::{Worker, WorkerConfig};
use crate::board::pages::welcome;
use crate::board::shell::run::{Ears, Ended, Hands, Word, run};
use crate::board::shell::{panic, terminal};
use crate::board::theme::{Changed, Environment, FileWatch, Themes, Watched};
use crate::board::{files, link};
use crate::config::{BoardSettings, keep_names};
use crate::market::time::Timestamp;

/// A session that has not stopped by then is left to the operating system; every commit is whole at any moment.
const STOP_WITHIN: Duration = Duration::from_millis(1_500);

/// How to run the board.
pub struct ScreenConfig {
    /// Files and settings of the board.
    pub at: Surroundings,
    /// The session to run here when nobody else holds the store; `None`: only look at what is stored.
    pub session: Option<SessionConfig>,
    /// Files that the user may change while the board runs.
    pub files: files::Files,
    /// How it is to look.
    pub look: BoardSettings,
    /// Where a key that the user types is kept.
    pub key_file: PathBuf,
    /// What alerts write to the terminal.
    pub bells: Option<mpsc::Receiver<Vec<u8>>>,
    /// Reads the settings of the session again; `None`: they are nobody's to change.
    pub reread: Option<Box<dyn Rereading>>,
    /// The board ends by itself after this time.
    pub stop_after: Option<Duration>,
}

/// Why the board could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// There is no terminal to draw on.
    #[error("the board needs a terminal; `stratum --daemon` and `stratum demo --headless` do without")]
    NoTerminal,
    /// The terminal refuses.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] io::Error),
}

/// How the board ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScreenEnd {
    /// The user quit, or a signal asked for it.
    Quit,
    /// The user wants the simulated market.
    Demo,
    /// The terminal has gone away.
    Gone,
}

/// Shows the board until it ends. Everything that was committed stays; the session, which runs in `background`, is
/// stopped.
///
/// # Errors
/// [`ScreenError`].
pub async fn show(config: ScreenConfig, background: &tokio::runtime::Handle) -> Result<ScreenEnd, ScreenError> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(ScreenError::NoTerminal);
    }
    let ScreenConfig { at, session, files, look, key_file, bells, reread, stop_after } = config;
    panic::install(&at.logs);
    let epoch = Instant::now();
    let (width, height) = crossterm::terminal::size()?;
    let environment = Environment::of(|name| std::env::var(name).ok());
    let (themes, theme_problems) = Themes::load(&files.themes);
    let looks = Looks::detect(&environment, themes, &look);
    let clocks = Clocks::new(epoch, Timestamp::from_chrono(Utc::now()));
    let mut app = App::new(at.clone(), Rect::new(0, 0, width, height), clocks, looks);
    let (keys, key_problems) = files.keys();
    app.keys = Arc::new(keys);
    app.prefs.zone = Some(look.zone.clone()).filter(|z| !z.is_empty());
    if app.prefs.zone.as_deref().is_some_and(|z| Zone::parse(z).is_none()) {
        app.complain(format!("board.zone: there is no zone `{}`; this machine's is used", look.zone));
    }
    for problem in theme_problems.iter().map(ToString::to_string).chain(key_problems) {
        app.complain(problem);
    }
    crate::board::desk::begin(&mut app);

    let (answer, answers) = mpsc::unbounded_channel();
    let (speak, words) = mpsc::unbounded_channel::<Word>();
    let (errands, errand) = mpsc::unbounded_channel();
    let worker = Worker::start(WorkerConfig { store: at.store.clone(), engine: at.engine.clone(), epoch })?;
    let jobs = Jobs::start(&at, &answer)?;
    let mut ears = Ears { slates: worker.slates(), answers, words };
    let hands = Hands { worker, jobs, errands };
    let watch = watch_files(&files, &speak);
    let spoken = speak.clone();
    let stop = tokio_util::sync::CancellationToken::new();
    let minding =
        background.spawn(mind(Minder { at, session, files, key_file, reread, speak, errand, stop: stop.clone() }));
    if let Some(mut bells) = bells {
        let speak = spoken.clone();
        tokio::spawn(async move {
            while let Some(bytes) = bells.recv().await {
                drop(speak.send(Box::new(|app: &mut App| app.effect(Effect::Terminal(bytes))) as Word));
            }
        });
    }
    if let Some(limit) = stop_after {
        let speak = spoken.clone();
        tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            drop(speak.send(Box::new(|app: &mut App| app.effect(Effect::Quit)) as Word));
        });
    }
    let ended = run(&mut app, &hands, &mut ears, look.mouse).await;
    terminal::restore();
    crate::board::desk::end(&mut app);
    for effect in std::mem::take(&mut app.effects) {
        if let Effect::Job(job) = effect {
            hands.jobs.give(job);
        }
    }
    drop(watch);
    stop.cancel();
    // A terminal that has gone away leaves a reader behind that never rests: the end must not be waited for long.
    let minded = tokio::time::timeout(STOP_WITHIN, minding).await;
    if minded.is_err() {
        tracing::warn!("the session did not stop in time and was left");
    }
    drop(hands);
    Ok(match ended? {
        Ended::Gone => ScreenEnd::Gone,
        Ended::Demo => ScreenEnd::Demo,
        Ended::Quit | Ended::Signal => ScreenEnd::Quit,
    })
}

fn watch_files(files: &files::Files, speak: &mpsc::UnboundedSender<Word>) -> Option<FileWatch> {
    let watched = Watched { keys: files.keys.clone(), settings: files.settings.clone(), themes: files.themes.clone() };
    let (files, tell) = (files.clone(), speak.clone());
    let started = FileWatch::start(watched, move |_: Changed| {
        let word = files.reload();
        // Nobody listens any more: the board is ending.
        drop(tell.send(word));
    });
    match started {
        Ok(watch) => Some(watch),
        Err(e) => {
            tracing::warn!(error = %e, "changed files are not noticed; ctrl-r reads them again");
            None
        }
    }
}

/// Looks after the session: owns it or attaches to another's, passes its word on, does errands.
struct Minder {
    at: Surroundings,
    session: Option<SessionConfig>,
    files: files::Files,
    key_file: PathBuf,
    reread: Option<Box<dyn Rereading>>,
    speak: mpsc::UnboundedSender<Word>,
    errand: mpsc::UnboundedReceiver<Effect>,
    stop: tokio_util::sync::CancellationToken,
}

async fn mind(mut minder: Minder) {
    let say = |word: Word| drop(minder.speak.send(word));
    let mut own: Option<Session> = None;
    let mut link = match (probe(&minder.at.store).await, minder.session.take()) {
        (StoreOwner::Free, Some(config)) => match start(config).await {
            Ok(session) => {
                let link = Link::local(&session);
                own = Some(session);
                Some(link)
            }
            Err(e) => {
                let message = e.to_string();
                say(Box::new(move |app: &mut App| app.complain(message)));
                Some(Link::attach(minder.at.store.clone()))
            }
        },
        _ => Some(Link::attach(minder.at.store.clone())),
    };
    loop {
        let next = async {
            match &mut link {
                Some(link) => link.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = minder.stop.cancelled() => break,
            event = next => {
                // A session of our own that ended by itself: what is stored stays on show.
                if matches!(event, LinkEvent::Lost(_)) && own.is_some() {
                    link = None;
                }
                say(Box::new(move |app: &mut App| link::heard(app, event)));
            }
            errand = minder.errand.recv() => match errand {
                Some(Effect::Reload) => {
                    say(minder.files.reload());
                    if let (Some(session), Some(reread)) = (&mut own, &mut minder.reread) {
                        say(read_settings(session, reread.as_mut()).await);
                    }
                }
                Some(Effect::Key(key)) => say(take_key(own.as_mut(), key, &minder.key_file).await),
                Some(Effect::Offer) => {
                    let offered = own.as_ref().map_or_else(Vec::new, offered);
                    say(Box::new(move |app: &mut App| welcome::pick::open(app, &offered)));
                }
                Some(Effect::Follow(follows)) => {
                    let file = &minder.files.settings;
                    say(follow(own.as_mut(), *follows, file, minder.reread.as_deref_mut()).await);
                }
                Some(_) => {}
                None => break,
            },
        }
    }
    if let Some(session) = own
        && let Err(e) = session.stop().await
    {
        tracing::error!(error = %e, "the session ended with an error");
    }
}

async fn start(config: SessionConfig) -> Result<Session, SessionError> {
    Session::start(config).await
}

/// Puts settings into force that have changed in the file.
async fn read_settings(session: &mut Session, reread: &mut dyn Rereading) -> Word {
    let note = reload::reload(reread, session).await;
    let (on, stake) = (session.listens(), reread.stake());
    let problem = note.problem.is_some().then(|| reload::sentence(&note));
    let word = reload::word(&note);
    Box::new(move |app: &mut App| {
        if let Some(problem) = problem {
            app.complain(problem);
            return;
        }
        (app.at.exchange_on, app.at.stake) = (on, stake);
        if let Some(word) = word {
            app.say(word);
        }
        app.dirty = true;
    })
}

/// Tries a key that the user typed, and keeps it when the source takes it.
async fn take_key(session: Option<&mut Session>, key: SecretString, file: &std::path::Path) -> Word {
    let Some(session) = session else {
        return Box::new(|app: &mut App| app.complain("the daemon follows the market with its own key"));
    };
    if let Err(e) = session.set_key(key.clone()).await {
        let message = e.to_string();
        return Box::new(move |app: &mut App| welcome::key_refused(app, &message));
    }
    match session.key_checked().await {
        Err(message) => Box::new(move |app: &mut App| welcome::key_refused(app, &message)),
        Ok(()) => {
            let kept = crate::config::keep_key(file, &key);
            let (place, offered) = (file.display().to_string(), offered(session));
            Box::new(move |app: &mut App| match kept {
                Ok(()) => welcome::key_taken(app, &place, &offered),
                Err(e) => app.complain(format!("the key works but could not be kept in {place}: {e}")),
            })
        }
    }
}

/// The sports that the source listed when the key was tried, without those of which no odds of games can be had.
fn offered(session: &Session) -> Vec<Offered> {
    let listed = session.sports();
    let games = listed.iter().filter(|s| !s.has_outrights);
    games
        .map(|s| Offered { key: s.key.clone(), title: s.title.clone(), group: s.group.clone(), active: s.active })
        .collect()
}

/// Keeps other sports and books in the settings file and has the session follow them.
async fn follow(
    session: Option<&mut Session>,
    follows: Follows,
    file: &std::path::Path,
    reread: Option<&mut (dyn Rereading + 'static)>,
) -> Word {
    let (Some(session), Some(reread)) = (session, reread) else {
        return Box::new(|app: &mut App| app.complain("what is followed here cannot be chosen here"));
    };
    let kept = keep_names(file, &[("odds_api.sports", &follows.sports), ("odds_api.books", &follows.books)]);
    if let Err(e) = kept {
        let message = e.to_string();
        return Box::new(move |app: &mut App| app.complain(message));
    }
    let place = file.display().to_string();
    let note = reload::reload(reread, session).await;
    let elsewhere = || format!("kept in {place}, but the environment or a flag says otherwise");
    let problem = note.problem.or_else(|| (session.followed() != follows.sports).then(elsewhere));
    Box::new(move |app: &mut App| welcome::pick::taken(app, follows, &place, problem))
}
