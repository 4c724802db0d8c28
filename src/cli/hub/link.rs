//! `stratum hub link` and `unlink`: which hub this store belongs to.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use uuid::Uuid;

use super::Place;
use crate::cli::args::OutputArgs;
use crate::cli::args_hub::HubLinkArgs;
use crate::cli::output::json_array;
use crate::cli::{Exit, Failure};
use crate::config::{Paths, Settings};
use crate::hub::link::{Joined, join};
use crate::market::time::Timestamp;
use crate::store::Store;

#[derive(Serialize)]
struct Row {
    hub: String,
    place: String,
    tier: &'static str,
    device: String,
    number: i32,
    set_aside: Option<PathBuf>,
}

/// Links the store.
pub(super) fn link(
    place: &Place,
    paths: &Paths,
    settings: &Settings,
    args: &HubLinkArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let path = paths.store(settings);
    // Held until the end: nobody writes into it meanwhile.
    let mut store = Store::open(&path)?;
    let reader = store.reader()?;
    if let Some(link) = reader.hub_link()? {
        return Err(Failure::Usage(format!(
            "this store is linked already, as device {} of the hub {}; `stratum hub unlink` undoes that",
            link.number, link.hub
        )));
    }
    let device = Uuid::new_v4();
    let name = if settings.hub.name.is_empty() { machine() } else { settings.hub.name.clone() };
    let collects = settings.hub.collect;
    let (joined, shown) =
        place.with("link", async |c, url| Ok((join(c, device, &name, collects).await?, url.shown())))?;
    let ours = reader.sports_with_looks()?;
    let both: Vec<&str> = ours.iter().filter(|s| joined.sports.contains(s)).map(String::as_str).collect();
    drop(reader);
    let mut set_aside = None;
    if !both.is_empty() {
        if !args.set_aside {
            return Err(Failure::Usage(format!(
                "this store and the hub both have a history of {}, and they cannot be made one; \
                 `stratum hub link --set-aside` keeps this store's file beside and begins with the hub's",
                both.join(", ")
            )));
        }
        drop(store);
        set_aside = Some(put_aside(&path)?);
        store = Store::open(&path)?;
    }
    finish(&mut store, &joined, device)?;
    if args.output.json {
        let row = Row {
            hub: joined.hub,
            place: shown,
            tier: joined.tier.name(),
            device: device.to_string(),
            number: joined.number,
            set_aside,
        };
        json_array(out, [row])?;
        return Ok(Exit::Ok);
    }
    writeln!(out, "this store is linked to the hub at {shown} ({})", joined.tier.name())?;
    if let Some(file) = set_aside {
        writeln!(out, "what it held is kept in {}", file.display())?;
    }
    if !settings.hub.on {
        writeln!(out, "next: set hub.on = true in {}", paths.config_file.display())?;
    }
    Ok(Exit::Ok)
}

fn finish(store: &mut Store, joined: &Joined, device: Uuid) -> Result<(), Failure> {
    let newest = store.newest_look_id()?;
    let now = Timestamp::from_chrono(chrono::Utc::now());
    Ok(store.hub_join(&joined.link(device, newest, now))?)
}

/// Moves a store out of the way; answers where it is now.
fn put_aside(path: &Path) -> Result<PathBuf, Failure> {
    let stamp = chrono::Utc::now().format("%Y%m%d-%H%M%S");
    let aside = path.with_file_name(format!("stratum-before-hub-{stamp}.db"));
    // Everything is in one file before it is moved.
    let mut store = Store::open(path)?;
    store.settle()?;
    drop(store);
    std::fs::rename(path, &aside)?;
    for ending in ["db-wal", "db-shm"] {
        let _ = std::fs::remove_file(path.with_extension(ending));
    }
    Ok(aside)
}

fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    name.map(|n| n.trim().to_owned()).filter(|n| !n.is_empty()).unwrap_or_else(|| "stratum".to_owned())
}

/// Forgets the hub.
pub(super) fn unlink(
    paths: &Paths,
    settings: &Settings,
    output: OutputArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut store = Store::open(&paths.store(settings))?;
    let Some(link) = store.reader()?.hub_link()? else {
        return Err(Failure::NotFound("this store is linked to no hub".to_owned()));
    };
    let (waiting, _) = store.reader()?.hub_backlog(|_| true)?;
    store.hub_part()?;
    if output.json {
        json_array(out, [serde_json::json!({"hub": link.hub, "device": link.device, "untold_looks": waiting})])?;
        return Ok(Exit::Ok);
    }
    writeln!(out, "this store is linked to no hub any more; everything that it holds stays")?;
    if waiting > 0 {
        writeln!(out, "{waiting} looks had not been told to the hub")?;
    }
    Ok(Exit::Ok)
}
