//! What is kept of an exchange that is listened to: listings, links to our games, order books, trades, gaps.
//!
//! Quotes that follow from order books are quotes like any others and stand with them; here stands what a book of odds does
//! not have. May not know how an exchange talks.

mod read;
mod rows;
#[cfg(test)]
mod tests;
mod totals;
mod write;

pub use read::{ExchangeGame, LinkLog, MarketNow};
pub use rows::{
    BookRow, BookState, ContractRow, DepthLevel, GapRow, Link, LinkHow, LinkState, ListingRow, PricePoint, TradeRow,
};
pub use totals::ExchangeTotals;
pub(super) use write::forget;
pub use write::{ExchangeRows, NewListing};
