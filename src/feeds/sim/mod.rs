//! A market maker for tests, demos and load that speaks The Odds API v4 on loopback.
//!
//! ```text
//! scenario --> world (games, books, scripts) --> view --> faults --> wire text --> server
//!                 answers as of an instant                 bend it    JSON          HTTP, virtual clock
//! ```
//!
//! Owns the simulated market and nothing else: it may use the words of [`crate::market`], never the engine, the
//! store or the client, so that a demo runs exactly the code that a live key runs. Two worlds with the same scenario
//! and start answer the same question about the same instant with the same bytes.
//!
//! Beside the books stands a prediction exchange that tells of the same games: [`polymarket`].
//!
//! To serve: [`SimServer::start`] with a [`SimConfig`]. Without HTTP: [`Api::get`], or [`World::odds_body`].

mod api;
mod body;
mod books;
mod clock;
mod error;
mod extras;
mod fault_shapes;
mod faults;
mod game;
mod ledger;
mod market_maker;
mod play;
mod playback;
pub mod polymarket;
mod pricing;
mod query;
mod rng;
mod scenario;
mod script;
mod server;
mod sports;
mod view;
mod wire;
mod world;

#[cfg(test)]
mod tests;

pub use api::{Answer, Api, Delivery, Source, Stats};
pub use clock::{MAX_SPEED, SimClock};
pub use error::ApiError;
pub use faults::{FaultKind, FaultSpec, FaultSwitch};
pub use ledger::Quota;
pub use playback::{Frame, Frames, Playback};
pub use query::{BooksAsked, OddsQuery};
pub use scenario::{EMBEDDED, Scenario, ScenarioError, Script, Situation, SportSlate};
pub use server::{ExchangeUrls, SimConfig, SimContent, SimError, SimHandle, SimServer};
pub use wire::{DateFormat, Style};
pub use world::World;
