//! Sources of quotes: a folder per source, each turning what it fetches into batches.

pub mod sim;
