//! The prediction exchange beside the simulated books: Gamma, order books, trades and the market channel.
//!
//! ```text
//! world --> catalog (events, markets, ids) --> venue (prices at an instant) --> gamma, lists, clob --> HTTP
//!           fair (who wins, how likely)        book (ladder, steps, trades) --> session ------------> WebSocket
//! ```
//!
//! Speaks Polymarket's formats of 2026 from the same scenario, seed and start as the sportsbook feed, on the same
//! port: `/gamma`, `/clob`, `/data`, and the market channel at `/clob/ws/market`. Without HTTP: [`Venue`] with
//! [`answer`] and [`Session`]. Every answer is a function of the instant, of the faults that are switched on and of
//! the load that was sent; what the channel pushes leads from one REST book to the next.

mod book;
mod catalog;
mod clob;
mod fair;
mod faults;
mod gamma;
mod leagues;
mod lists;
mod messages;
mod reply;
mod session;
mod settings;
mod socket;
mod venue;

#[cfg(test)]
mod tests;

pub use reply::Reply;
pub use session::{Pumped, Session};
pub use settings::ExchangeSettings;
pub use venue::{ExchangeStats, Venue};

pub(super) use socket::{Load, serve};

use super::query::Params;
use crate::market::time::Timestamp;

/// The parts of the exchange, as the first part of a path.
pub const PARTS: [&str; 3] = ["gamma", "clob", "data"];
/// The path of the market channel.
pub const CHANNEL: &str = "/clob/ws/market";

/// Answers a request whose path begins with one of [`PARTS`], at a virtual instant.
pub fn answer(venue: &Venue, now: Timestamp, post: bool, path: &str, query: &str, body: &[u8]) -> Reply {
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let Some((&part, rest)) = parts.split_first() else { return Reply::not_found() };
    let fault = {
        let mut state = venue.state();
        match part {
            "gamma" => state.stats.gamma += 1,
            "clob" => state.stats.clob += 1,
            _ => state.stats.data += 1,
        }
        state.faults.request(now, part)
    };
    let reply = match fault.and_then(|f| Reply::instead(f, part)) {
        Some(instead) => instead,
        None => route(venue, now, post, part, rest, &Params::parse(query), body).bent(fault),
    };
    if reply.status != 200 || fault.is_some() {
        venue.state().stats.errors += 1;
    }
    reply
}

fn route(venue: &Venue, now: Timestamp, post: bool, part: &str, rest: &[&str], params: &Params, body: &[u8]) -> Reply {
    match (part, post) {
        ("gamma", false) => lists::get(venue, now, rest, params),
        ("clob", false) => clob::get(venue, now, rest, params),
        ("clob", true) => clob::post(venue, now, rest, body),
        ("data", false) => clob::data(venue, now, rest, params),
        ("gamma" | "data", true) => Reply::refuse(405, "method not allowed"),
        _ => Reply::not_found(),
    }
}
