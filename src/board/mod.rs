//! The board: the full-screen terminal.
//!
//! One owner of the state ([`app`]) takes in keys, new slates and answers to questions, and draws when something
//! changed. What the market says is put together on other threads ([`model`], [`jobs`]) from the store, which is read
//! only; no database and no network is ever waited for by the thread that draws.

pub mod app;
pub mod chrome;
pub mod desk;
pub mod export;
pub mod facts;
pub mod files;
pub mod format;
pub mod jobs;
pub mod keys;
pub mod link;
pub mod looks;
pub mod model;
#[cfg(test)]
mod monkey_tests;
pub mod overlays;
pub mod pages;
pub mod paint;
pub mod shell;
pub mod svg;
#[cfg(test)]
pub mod testing;
pub mod theme;
pub mod widgets;
