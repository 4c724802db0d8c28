//! What a session needs to speak to the hub that its store is linked to.

use std::io::Write;

use uuid::Uuid;

use super::Place;
use crate::cli::Failure;
use crate::config::{Alone as Wanted, Paths, Settings};
use crate::hub::lease::Alone;
use crate::runtime::hub::sync::HubConfig;
use crate::store::{Reader, StoreError, desk};

/// The hub of the settings, where it is switched on and the store is linked to it. `has_key`: this device could ask the
/// sources.
///
/// # Errors
/// When the address cannot be used. A store that is not linked yet is told about, and goes on without.
pub(in crate::cli) fn config(paths: &Paths, settings: &Settings, has_key: bool) -> Result<Option<HubConfig>, Failure> {
    if !settings.hub.on {
        return Ok(None);
    }
    let store = paths.store(settings);
    let link = match Reader::open(&store) {
        Ok(reader) => reader.hub_link()?,
        Err(StoreError::Missing { .. } | StoreError::OlderSchema { .. }) => None,
        Err(e) => return Err(e.into()),
    };
    let Some(link) = link else {
        let _ = writeln!(
            std::io::stderr(),
            "stratum: warning: hub.on is set, and this store is not linked to a hub yet: run `stratum hub link` once"
        );
        return Ok(None);
    };
    let place = Place { file: paths.hub_url_file(settings), named: false, ca: paths.hub_ca_file(settings) };
    let device = Uuid::parse_str(&link.device)
        .map_err(|_| Failure::Other("the store's link to its hub is damaged: run `stratum hub unlink`".to_owned()))?;
    let may = settings.hub.collect && has_key && matches!(link.tier.as_str(), "collector" | "owner");
    if may && link.gap.is_some() {
        let _ = writeln!(
            std::io::stderr(),
            "stratum: warning: the hub's history is not all here yet: until the next start after it is, this device follows \
             and asks no source"
        );
    }
    // Whoever judges needs all of it.
    let collects = may && link.gap.is_none();
    Ok(Some(HubConfig {
        url: place.url()?,
        device,
        number: link.number,
        collects: collects.then_some(match settings.hub.alone {
            Wanted::Auto => Alone::Auto,
            Wanted::Poll => Alone::Poll,
            Wanted::Wait => Alone::Wait,
        }),
        answers: settings.hub.answers,
        desk: desk::beside(&store),
    }))
}
