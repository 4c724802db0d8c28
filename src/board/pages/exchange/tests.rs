//! The page over a market with an exchange beside it.
