//! A bench of synthetic markets: each case is a recording made by hand that goes through the real pipeline (import,
//! store, reader), is run again from the store with nothing different, and is then asked what it told.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot be set up has failed")]

#[path = "market_bench/bench.rs"]
mod bench;
#[path = "market_bench/gaps.rs"]
mod gaps;
#[path = "market_bench/moves.rs"]
mod moves;
#[path = "market_bench/order.rs"]
mod order;
#[path = "market_bench/quiet.rs"]
mod quiet;
#[path = "market_bench/simulated.rs"]
mod simulated;
#[path = "market_bench/starts.rs"]
mod starts;
#[path = "market_bench/tape.rs"]
mod tape;
