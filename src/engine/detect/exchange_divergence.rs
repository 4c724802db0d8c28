//! EXCHANGE_DIVERGENCE: an exchange and the books disagree.
//!
//! The slot of a detector that needs order books: mid prices with depth and an exchange's own clock. Until a source of
//! those exists it has nothing to judge, and says so rather than guess from single quotes.

use super::finding::Answer;

/// Judges a question: there is no order book to judge by.
pub(crate) fn judge() -> Answer {
    Answer::Nothing
}
