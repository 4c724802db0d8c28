//! What the board knows of the market: plain values, put together on a thread of their own and handed to the screen
//! whole. Nothing here draws.

pub mod build;
pub mod game;
pub mod slate;
pub mod worker;

pub use game::{Cell, Game, Identity, Market, Offer, Turn};
pub use slate::{BookColumn, Slate};
