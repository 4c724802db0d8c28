//! `stratum alerts`.
#![allow(missing_docs)]
use std::sync::Arc;

use super::Failure;
use crate::alerts::channel::Channel;
use crate::config::Settings;

/// The channels of the settings.
///
/// # Errors
/// [`Failure`] when one of them cannot be used.
pub fn channels(_: &Settings) -> Result<Vec<Arc<dyn Channel>>, Failure> {
    Ok(Vec::new())
}
