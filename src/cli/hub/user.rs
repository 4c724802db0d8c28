//! `stratum hub user`: who may see what. A password is shown once, as a part of the address for that login.

use std::io::Write;

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::Place;
use crate::cli::args::OutputArgs;
use crate::cli::args_hub::UserAction;
use crate::cli::output::{Align, Table, json_array};
use crate::cli::{Exit, Failure};
use crate::hub::{HubUrl, users};

#[derive(Serialize)]
struct Shown<'s> {
    name: &'s str,
    address: &'s str,
}

#[derive(Serialize)]
struct Row {
    name: String,
    tier: String,
    disabled: bool,
    made_at: String,
    password_at: String,
    sessions: i64,
}

/// Runs it.
pub(super) fn run(place: &Place, action: &UserAction, out: &mut dyn Write) -> Result<Exit, Failure> {
    match action {
        UserAction::Add(args) => {
            let (name, tier, reason) = (args.name.as_str(), args.tier.name(), args.reason.reason.as_str());
            let address = place.with("user", async |c, url| {
                Ok(address(url, name, &users::add(c, name, tier, reason, args.in_clear).await?))
            })?;
            show(place, out, name, &address, args.output)
        }
        UserAction::Rotate(args) => {
            let (name, reason) = (args.name.as_str(), args.reason.reason.as_str());
            let address = place.with("user", async |c, url| {
                Ok(address(url, name, &users::rotate(c, name, reason, args.in_clear).await?))
            })?;
            show(place, out, name, &address, args.output)
        }
        UserAction::List(output) => list(place, *output, out),
        UserAction::SetTier(args) => {
            let (name, tier, reason) = (args.name.as_str(), args.tier.name(), args.reason.reason.as_str());
            place.with("user", async |c, _| users::set_tier(c, name, tier, reason).await)?;
            writeln!(out, "{name} is {tier} now")?;
            Ok(Exit::Ok)
        }
        UserAction::Disable(args) => {
            let (name, reason) = (args.name.as_str(), args.reason.reason.as_str());
            place.with("user", async |c, _| users::disable(c, name, reason).await)?;
            writeln!(out, "{name} is shut out")?;
            Ok(Exit::Ok)
        }
    }
}

fn address(url: &HubUrl, name: &str, password: &SecretString) -> SecretString {
    url.for_login(name, password)
}

fn show(
    place: &Place,
    out: &mut dyn Write,
    name: &str,
    address: &SecretString,
    output: OutputArgs,
) -> Result<Exit, Failure> {
    if output.json {
        json_array(out, [Shown { name, address: address.expose_secret() }])?;
        return Ok(Exit::Ok);
    }
    writeln!(
        out,
        "the hub's address for {name}; it is shown this once, and goes into that device's hub.url (chmod 600):"
    )?;
    writeln!(out, "{}", address.expose_secret())?;
    if let Some(file) = &place.ca {
        let file = file.display();
        writeln!(out, "that device needs the file of certificates too ({file}), under hub.ca_file in its settings")?;
    }
    Ok(Exit::Ok)
}

fn list(place: &Place, output: OutputArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let found = place.with("user", async |c, _| users::list(c).await)?;
    let rows = found.into_iter().map(|u| Row {
        name: u.name,
        tier: u.tier,
        disabled: u.disabled,
        made_at: u.made_at,
        password_at: u.password_at,
        sessions: u.sessions,
    });
    if output.json {
        json_array(out, rows)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new([
        ("NAME", Align::Left),
        ("TIER", Align::Left),
        ("STATE", Align::Left),
        ("SESSIONS", Align::Right),
        ("MADE", Align::Left),
        ("PASSWORD OF", Align::Left),
    ]);
    for row in rows {
        let state = if row.disabled { "disabled" } else { "on" };
        table.row([row.name, row.tier, state.to_owned(), row.sessions.to_string(), row.made_at, row.password_at]);
    }
    if table.is_empty() {
        writeln!(out, "the hub has no users yet; `stratum hub user add` makes one")?;
    } else {
        table.print(out)?;
    }
    Ok(Exit::Ok)
}
