//! How the session stands that feeds the store: in this process, in a daemon, or nowhere.

use super::app::{App, Effect};
use super::model::worker::Order;
use crate::market::time::Timestamp;
use crate::runtime::link::{LinkEvent, LinkLoss};
use crate::runtime::status::LiveStatus;

/// Who feeds the store.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Feeder {
    /// Not known yet.
    #[default]
    Unknown,
    /// This process.
    Here,
    /// Another process that answers.
    Daemon {
        /// Its process.
        pid: u32,
        /// Its version.
        version: String,
    },
    /// Nobody, or nobody that answers.
    Lost {
        /// For a person: why, and what to do.
        why: String,
        /// Another process holds the store and does not answer.
        silent: bool,
        /// Since when, in market time.
        since: Timestamp,
    },
}

/// What the board knows of the session.
#[derive(Clone, Debug, Default)]
pub struct LinkState {
    /// Who feeds the store.
    pub feeder: Feeder,
    /// How it goes; the last word, however old, once there was one.
    pub status: Option<Box<LiveStatus>>,
}

impl LinkState {
    /// Something feeds the store and says so.
    pub fn is_alive(&self) -> bool {
        matches!(self.feeder, Feeder::Here | Feeder::Daemon { .. })
    }
}

/// Takes in what the session says.
pub fn heard(app: &mut App, event: LinkEvent) {
    match event {
        LinkEvent::Connected(connected) => {
            app.link.feeder = if connected.local {
                Feeder::Here
            } else {
                if matches!(app.link.feeder, Feeder::Lost { .. }) {
                    app.say("the daemon answers again");
                }
                Feeder::Daemon { pid: connected.pid, version: connected.version }
            };
            app.effect(Effect::Slate(Order::Again));
            app.dirty = true;
        }
        LinkEvent::Published(published) => app.effect(Effect::Slate(Order::Look(published.look))),
        LinkEvent::Status(status) => {
            app.clocks.market = status.clock;
            app.link.status = Some(status);
            super::pages::welcome::offer(app);
            app.dirty = true;
        }
        LinkEvent::Lagged => app.effect(Effect::Slate(Order::Again)),
        LinkEvent::Lost(loss) => {
            let silent = matches!(loss, LinkLoss::Silent { .. } | LinkLoss::Version(_));
            if app.link.is_alive() {
                app.complain(format!("{loss}: what is stored stays on show"));
            }
            app.link.feeder = Feeder::Lost { why: loss.to_string(), silent, since: app.clocks.market() };
            app.dirty = true;
        }
    }
}
