//! Which moment is on show: the present, a frozen view, or recorded time. One way to look at the market for all of them:
//! a slate and an instant.

use std::sync::Arc;

use super::{App, Effect, Job};
use crate::board::model::{Slate, worker};
use crate::market::time::Timestamp;

/// The moment on show.
#[derive(Clone, Debug, Default)]
pub enum Showing {
    /// The present.
    #[default]
    Live,
    /// The view stands still while data goes on.
    Frozen {
        /// The slate as it was.
        slate: Arc<Slate>,
        /// Market time then.
        at: Timestamp,
    },
    /// Recorded time.
    Past {
        /// The slate of that moment, or of the last one that has been read.
        slate: Arc<Slate>,
        /// The moment.
        at: Timestamp,
        /// It runs.
        playing: Option<Playing>,
    },
}

/// Recorded time that runs.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Playing {
    /// Recorded seconds for each real one: 1 to 600.
    pub speed: u32,
    /// The board's milliseconds when it was last moved on.
    pub since: u32,
}

/// Speeds of a replay.
pub const SPEEDS: [u32; 7] = [1, 5, 20, 60, 120, 300, 600];
/// A replay is moved on so often.
pub const PLAY_EVERY_MS: u32 = 500;

impl App {
    /// Freezes the view, or lets it go.
    pub fn toggle_freeze(&mut self) {
        self.showing = match &self.showing {
            Showing::Live => Showing::Frozen { slate: self.live.clone(), at: self.clocks.market() },
            Showing::Frozen { .. } => Showing::Live,
            Showing::Past { slate, at, playing } => {
                let playing = if playing.is_some() { None } else { Some(self.start_playing(60)) };
                Showing::Past { slate: slate.clone(), at: *at, playing }
            }
        };
        self.moved();
    }

    fn start_playing(&self, speed: u32) -> Playing {
        Playing { speed, since: self.tick() }
    }

    /// Back to the present.
    pub fn go_live(&mut self) {
        self.showing = Showing::Live;
        self.forget_pasts();
        self.moved();
    }

    /// To a moment of recorded time. The slate follows when it has been read.
    pub fn go_to(&mut self, at: Timestamp) {
        // The future has not been recorded.
        let at = at.min(self.live.at.unwrap_or_else(|| self.clocks.market()));
        let playing = match &self.showing {
            Showing::Past { playing, .. } => *playing,
            _ => None,
        };
        self.showing = Showing::Past { slate: self.slate().clone(), at, playing };
        self.forget_pasts();
        self.read_past(at);
        self.moved();
    }

    fn read_past(&mut self, at: Timestamp) {
        let before = self.slate().clone();
        let lit = self.tick().max(1);
        let (store, engine) = (self.at.store.clone(), self.at.engine.clone());
        let job = Job::reading(
            "slate as of",
            move |_| worker::slate_as_of(&store, &engine, at, &before, lit),
            move |app, found| match found {
                Ok(read) => {
                    // Meanwhile another moment may have been gone to; while it plays, a little late is right enough.
                    if let Showing::Past { slate, at: now, playing } = &mut app.showing
                        && (playing.is_some() || *now == at)
                    {
                        *slate = Arc::new(read);
                        app.moved();
                    }
                }
                Err(why) => app.complain(format!("that moment cannot be shown: {why}")),
            },
        );
        self.effect(Effect::Job(job));
    }

    /// Steps through the looks of recorded time: to the one before the moment on show, or the one after it.
    pub fn step_time(&mut self, forward: bool) {
        let at = match &self.showing {
            Showing::Live | Showing::Frozen { .. } if forward => return,
            Showing::Live => self.live.at.unwrap_or_else(|| self.clocks.market()),
            Showing::Frozen { at, .. } | Showing::Past { at, .. } => *at,
        };
        let job = Job::reading(
            "neighbour look",
            move |reader| reader.neighbour_look(at, forward),
            move |app, found| match found {
                Ok(Some(at)) => app.go_to(at),
                Ok(None) if forward => app.go_live(),
                Ok(None) => app.say("nothing was recorded before this"),
                Err(why) => app.complain(why),
            },
        );
        self.effect(Effect::Job(job));
    }

    /// To the signal before or after the moment on show.
    pub fn step_signal(&mut self, forward: bool) {
        let at = self.until();
        let job = Job::reading(
            "neighbour signal",
            move |reader| reader.neighbour_signal(at, forward),
            move |app, found| match found {
                Ok(Some(at)) => app.go_to(at),
                Ok(None) => app.say(if forward { "no later signal" } else { "no earlier signal" }),
                Err(why) => app.complain(why),
            },
        );
        self.effect(Effect::Job(job));
    }

    /// Starts or stops a replay. From the present it begins an hour back.
    pub fn toggle_play(&mut self) {
        if !matches!(self.showing, Showing::Past { .. }) {
            const HOUR: i64 = 3_600_000;
            let from = self.live.at.unwrap_or_else(|| self.clocks.market()).plus(-HOUR);
            self.go_to(from);
        }
        let started = self.start_playing(60);
        if let Showing::Past { playing, .. } = &mut self.showing {
            *playing = if playing.is_some() { None } else { Some(started) };
        }
        self.dirty = true;
    }

    /// Plays faster or slower.
    pub fn change_speed(&mut self, faster: bool) {
        let Showing::Past { playing: Some(playing), .. } = &mut self.showing else { return };
        let at = SPEEDS.iter().position(|s| *s >= playing.speed).unwrap_or(0);
        let at = if faster { (at + 1).min(SPEEDS.len() - 1) } else { at.saturating_sub(1) };
        playing.speed = SPEEDS.get(at).copied().unwrap_or(60);
        self.dirty = true;
    }

    /// Moves a replay on, if one is due.
    pub fn play_on(&mut self) {
        let tick = self.tick();
        let newest = self.live.at;
        let Showing::Past { at, playing: Some(playing), .. } = &mut self.showing else { return };
        let passed = tick.saturating_sub(playing.since);
        if passed < PLAY_EVERY_MS {
            return;
        }
        playing.since = tick;
        *at = at.plus(i64::from(passed) * i64::from(playing.speed));
        let at = *at;
        if newest.is_some_and(|newest| at >= newest) {
            self.go_live();
            self.say("caught up with the present");
            return;
        }
        self.read_past(at);
        self.moved();
    }

    /// When a replay is to be moved on, in the board's milliseconds.
    pub fn play_due(&self) -> Option<u32> {
        match &self.showing {
            Showing::Past { playing: Some(playing), .. } => Some(playing.since.saturating_add(PLAY_EVERY_MS)),
            _ => None,
        }
    }

    /// What was read of the past of one moment is not that of another.
    fn forget_pasts(&mut self) {
        self.pages.board.pasts.clear();
    }

    /// Another moment or another slate is on show.
    pub fn moved(&mut self) {
        self.dirty = true;
        super::super::pages::refresh(self);
        let mut overlays = std::mem::take(&mut self.overlays);
        for overlay in &mut overlays {
            overlay.refresh(self);
        }
        overlays.append(&mut self.overlays);
        self.overlays = overlays;
    }

    /// A new slate has come.
    pub fn arrived(&mut self, slate: Arc<Slate>) {
        self.live = slate;
        if matches!(self.showing, Showing::Live) {
            self.moved();
        } else {
            self.dirty = true;
        }
    }
}
