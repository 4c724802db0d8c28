//! The loop in which everything meets: signals, keys, answers, slates, word of the session, and the instant at which
//! something on the screen would change by itself. There is no frame timer: when nothing happens nothing wakes up but
//! the clock.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use crossterm::event::{Event, KeyEventKind, MouseButton, MouseEventKind};
use ratatui::layout::{Position, Rect};
use tokio::sync::{mpsc, watch};

use super::alarm::Alarm;
use super::hangup;
use super::input::{Gone, Input};
use super::pace::Pace;
use super::screen::Screen;
use super::signals::{Signal, Signals};
use super::terminal::{self, TerminalGuard};
use crate::board::app::input::Press;
use crate::board::app::{App, Apply, Effect};
use crate::board::jobs::Jobs;
use crate::board::keys::Key;
use crate::board::model::Slate;
use crate::board::model::worker::{Order, Worker};
use crate::board::paint::Paint;
use crate::board::{chrome, desk, pages};
use crate::market::time::Timestamp;

/// While a page stands still, all of it is drawn again every so many seconds, and the clocks alone in between.
const WHOLE_EVERY: u32 = 5;

/// What comes from the session, in the terms of the board.
pub type Word = Box<dyn FnOnce(&mut App) + Send>;

/// Everything the loop listens to besides the terminal.
#[derive(Debug)]
pub struct Ears {
    /// Newest slates.
    pub slates: watch::Receiver<Arc<Slate>>,
    /// Answers of jobs.
    pub answers: mpsc::UnboundedReceiver<Apply>,
    /// Word of the session, of files that changed, and of other tasks.
    pub words: mpsc::UnboundedReceiver<Word>,
}

/// Everything the loop speaks to.
#[derive(Debug)]
pub struct Hands {
    /// The thread that keeps the slate.
    pub worker: Worker,
    /// The threads that read and write.
    pub jobs: Jobs,
    /// What only the surroundings can do: reload, a key, the demo.
    pub errands: mpsc::UnboundedSender<Effect>,
}

/// How the loop ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// The user quit.
    Quit,
    /// A signal asked for the end.
    Signal,
    /// The terminal has gone away.
    Gone,
    /// The user wants the simulated market.
    Demo,
}

/// Runs the board until it ends.
///
/// # Errors
/// When the terminal cannot be used.
pub async fn run(app: &mut App, hands: &Hands, ears: &mut Ears, mouse: bool) -> io::Result<Ended> {
    let guard = TerminalGuard::enter(mouse)?;
    let mut screen = Screen::new(app.area.width, app.area.height);
    let mut signals = Signals::listen()?;
    let mut input = Input::start()?;
    let mut pace = Pace::new(Instant::now());
    let mut rest = Rest::default();
    let mut alarm = Alarm::new();
    // The frame that waits answers a key.
    let mut asked = false;
    let mut out = io::stdout();
    loop {
        read_clocks(app);
        if let Some(ended) = act(app, hands, &guard, &mut screen, &mut out)? {
            return Ok(ended);
        }
        let now = Instant::now();
        if app.dirty && now >= pace.next(asked) {
            if draw(app, &mut screen, &mut out).is_err() {
                return Ok(Ended::Gone);
            }
            pace.drawn(now);
            rest = Rest::default();
            (app.dirty, asked) = (false, false);
        }
        let deadline = deadline(app, pace.next(asked));
        tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Signal::Stop => return Ok(Ended::Signal),
                Signal::Suspend => app.effect(Effect::Suspend),
                Signal::Reload => app.effect(Effect::Reload),
                Signal::Resize => {
                    let (width, height) = crossterm::terminal::size()?;
                    take(app, &mut screen, Event::Resize(width, height));
                    asked = true;
                }
                Signal::Panic => panic!("asked for by a signal"),
            },
            event = input.next() => {
                read_clocks(app);
                match event {
                    Ok(event) => take(app, &mut screen, event),
                    // Nobody will type any more.
                    Err(Gone) => return Ok(Ended::Gone),
                }
                // Everything that waits is taken before the next frame.
                while let Some(event) = input.at_hand() {
                    take(app, &mut screen, event);
                }
                asked = true;
            }
            Some(apply) = ears.answers.recv() => {
                read_clocks(app);
                apply(app);
                app.dirty |= !std::mem::take(&mut app.unseen);
            }
            Some(word) = ears.words.recv() => {
                read_clocks(app);
                word(app);
            }
            Ok(()) = ears.slates.changed() => {
                read_clocks(app);
                let slate = ears.slates.borrow_and_update().clone();
                app.arrived(slate);
            }
            () = alarm.until(deadline) => {
                read_clocks(app);
                if hangup::terminal_is_gone() {
                    return Ok(Ended::Gone);
                }
                if !tick(app) && !app.dirty && second(app, &mut screen, &mut out, &mut rest).is_err() {
                    return Ok(Ended::Gone);
                }
            }
        }
    }
}

fn read_clocks(app: &mut App) {
    app.clocks.read(Instant::now(), Timestamp::from_chrono(Utc::now()));
}

/// What changes by itself with time. Answers whether more did than the clocks.
fn tick(app: &mut App) -> bool {
    let tick = app.tick();
    let now = app.clocks.now();
    let due = [app.toasts.next_end(), app.play_due(), pages::next_light(app)];
    let mut changed = due.into_iter().flatten().any(|at| at <= tick);
    app.toasts.expire(tick);
    changed |= app.matcher.expire(now);
    app.play_on();
    pages::tick(app);
    app.dirty |= changed;
    changed
}

/// What is known of a page that nothing but the clock has touched.
#[derive(Clone, Copy, Debug, Default)]
struct Rest {
    /// The last whole frame that a second asked for differed in nothing but its first row.
    still: bool,
    /// Seconds since then.
    seconds: u32,
}

/// A second has passed and nothing else: the clocks, and whatever tells an age in seconds. A page without any such age
/// stands still for most of its time, which is found out rather than known: one whole frame in five is drawn to see.
fn second(app: &mut App, screen: &mut Screen, out: &mut impl Write, rest: &mut Rest) -> io::Result<()> {
    if rest.still && rest.seconds < WHOLE_EVERY && !screen.is_dirty() && chrome::fits(app) {
        rest.seconds += 1;
        let theme = app.theme.clone();
        return screen.draw_head(out, |buf| {
            let mut paint = Paint { buf, theme: &theme, glyphs: app.looks.glyphs, zones: &mut Vec::new() };
            chrome::draw_head(app, &mut paint);
        });
    }
    let moved = draw(app, screen, out)?;
    *rest = Rest { still: !moved, seconds: 0 };
    Ok(())
}

/// When something changes next: a frame that waits, the clock, a light, a message.
fn deadline(app: &App, next_frame: Instant) -> Instant {
    // The next full second of the clock on show.
    let ms = u64::try_from(app.clocks.local().millis().rem_euclid(1000)).unwrap_or(0);
    let mut next = app.clocks.now() + Duration::from_millis(1000 - ms);
    if app.dirty {
        next = next.min(next_frame);
    }
    let ticks = [app.toasts.next_end(), app.play_due(), pages::next_light(app)];
    for tick in ticks.into_iter().flatten() {
        next = next.min(app.clocks.instant_of(tick).max(next_frame));
    }
    if let Some(at) = app.matcher.deadline() {
        next = next.min(at);
    }
    next
}

fn draw(app: &mut App, screen: &mut Screen, out: &mut impl Write) -> io::Result<bool> {
    let mut zones = std::mem::take(&mut app.zones);
    zones.clear();
    let theme = app.theme.clone();
    let drawn = screen.draw(out, |buf| {
        let mut paint = Paint { buf, theme: &theme, glyphs: app.looks.glyphs, zones: &mut zones };
        chrome::draw(app, &mut paint);
    });
    app.zones = zones;
    drawn
}

fn take(app: &mut App, screen: &mut Screen, event: Event) {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            if let Some(key) = Key::of_event(key) {
                app.key(key);
            }
        }
        Event::Paste(text) => app.paste(&text),
        Event::Resize(width, height) => {
            screen.resize(width, height);
            app.resized(Rect::new(0, 0, width, height));
        }
        Event::Mouse(mouse) => {
            let at = Position::new(mouse.column, mouse.row);
            match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => app.press(Press::Down, at),
                MouseEventKind::Drag(MouseButton::Left) => app.press(Press::Drag, at),
                MouseEventKind::Up(MouseButton::Left) => app.press(Press::Up, at),
                MouseEventKind::ScrollDown => app.wheel(1, at),
                MouseEventKind::ScrollUp => app.wheel(-1, at),
                MouseEventKind::ScrollLeft => app.wheel_sideways(-1),
                MouseEventKind::ScrollRight => app.wheel_sideways(1),
                _ => {}
            }
        }
        Event::FocusGained => app.returned(),
        Event::FocusLost => app.left(),
        Event::Key(_) => {}
    }
}

/// Does what the board has asked for.
fn act(
    app: &mut App,
    hands: &Hands,
    guard: &TerminalGuard,
    screen: &mut Screen,
    out: &mut impl Write,
) -> io::Result<Option<Ended>> {
    for effect in std::mem::take(&mut app.effects) {
        match effect {
            Effect::Job(job) => hands.jobs.give(job),
            Effect::Slate(order) => hands.worker.order(order),
            Effect::Copy(text) => out.write_all(super::copy::osc52(&text).as_bytes())?,
            Effect::Bell => out.write_all(b"\x07")?,
            Effect::Terminal(bytes) => {
                out.write_all(&bytes)?;
                out.flush()?;
            }
            Effect::Redraw => {
                screen.forget();
                hands.worker.order(Order::Again);
                app.dirty = true;
            }
            Effect::Suspend => {
                suspend(guard)?;
                let (width, height) = crossterm::terminal::size()?;
                screen.resize(width, height);
                app.resized(Rect::new(0, 0, width, height));
            }
            Effect::Quit => return Ok(Some(Ended::Quit)),
            Effect::Prefs => desk::keep_prefs(app),
            Effect::Demo => return Ok(Some(Ended::Demo)),
            // Nobody left to do it: the program is ending.
            errand @ (Effect::Reload | Effect::Key(_) | Effect::Offer | Effect::Follow(_)) => {
                drop(hands.errands.send(errand))
            }
        }
    }
    // Keeping a choice is a job of its own.
    for effect in std::mem::take(&mut app.effects) {
        match effect {
            Effect::Job(job) => hands.jobs.give(job),
            other => app.effects.push(other),
        }
    }
    Ok(None)
}

/// Gives the terminal back to the shell, stops, and takes it again when the shell lets the board go on.
fn suspend(guard: &TerminalGuard) -> io::Result<()> {
    terminal::restore();
    #[cfg(unix)]
    super::signals::stop_self();
    // The reader of keys slept through it and goes on.
    guard.resume()
}
