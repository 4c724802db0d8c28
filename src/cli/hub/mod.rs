//! `stratum hub`: the PostgreSQL through which a desk shares one feed, made, looked at, and its users managed.
//!
//! Owns what its commands share: where the address comes from, and the runtime in which a connection lives.

mod audit;
mod export;
mod init;
mod keeping;
mod link;
mod repair;
pub(super) mod session;
mod status;
mod user;
mod verify;

use std::io::Write;
use std::path::PathBuf;

use secrecy::SecretString;

use super::args::Global;
use super::args_hub::{HubAction, HubArgs};
use super::output::printable;
use super::{Exit, Failure, prepare};
use crate::config::{KeyOrigin, owner_secret};
use crate::hub::push::PushError;
use crate::hub::{Connection, HubError, HubUrl, connect};

/// The variable of the address.
const VARIABLE: &str = "STRATUM_HUB_URL";

/// Runs `stratum hub`.
///
/// # Errors
/// [`Failure::StoreUnavailable`] for a hub that a newer program made, and what the hub answers.
pub fn run(global: &Global, args: &HubArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (paths, loaded) = prepare(global, Vec::new())?;
    let place = Place {
        file: args.url_file.clone().unwrap_or_else(|| paths.hub_url_file(&loaded.settings)),
        named: args.url_file.is_some(),
        ca: paths.hub_ca_file(&loaded.settings),
    };
    match &args.action {
        HubAction::Init(output) => init::run(&place, *output, out),
        HubAction::Status(output) => status::run(&place, *output, out),
        HubAction::User(args) => user::run(&place, &args.action, out),
        HubAction::Link(args) => link::link(&place, &paths, &loaded.settings, args, out),
        HubAction::Verify(output) => verify::run(&place, &paths, &loaded.settings, *output, out),
        HubAction::Export(args) => export::run(&place, args, out),
        HubAction::Size(output) => keeping::size(&place, *output, out),
        HubAction::Retention(args) => keeping::retention(&place, args, out),
        HubAction::Repair(args) => repair::run(&place, &paths, &loaded.settings, args, out),
        HubAction::Unlink(output) => link::unlink(&paths, &loaded.settings, *output, out),
        HubAction::Audit(args) => audit::run(&place, args, out),
    }
}

/// Where the hub is.
struct Place {
    file: PathBuf,
    named: bool,
    ca: Option<PathBuf>,
}

impl Place {
    /// The address, with a word on the error output if it is a careless one.
    fn url(&self) -> Result<HubUrl, Failure> {
        // Whoever names a file means that one.
        let variable = if self.named { None } else { std::env::var(VARIABLE).ok() };
        let Some((text, origin)) = owner_secret(VARIABLE, variable.as_deref(), &self.file)? else {
            return Err(Failure::NotFound(format!(
                "there is no address of a hub: put it into {} (chmod 600), or into the variable {VARIABLE}",
                self.file.display()
            )));
        };
        let url = parsed(&text, &origin)?.with_ca(self.ca.as_deref());
        if let Some(warning) = url.warning() {
            let _ = writeln!(std::io::stderr(), "stratum: warning: {warning}");
        }
        Ok(url)
    }

    /// Connects, and does something with the connection.
    fn with<T>(
        &self,
        purpose: &'static str,
        work: impl AsyncFnOnce(&mut Connection, &HubUrl) -> Result<T, HubError>,
    ) -> Result<T, Failure> {
        let url = self.url()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(async {
            let mut connection = connect(&url, purpose).await?;
            work(&mut connection, &url).await
        })?)
    }
}

fn parsed(text: &SecretString, origin: &KeyOrigin) -> Result<HubUrl, Failure> {
    HubUrl::parse(text).map_err(|e| {
        let from = match origin {
            KeyOrigin::File(path) => path.display().to_string(),
            KeyOrigin::Environment | KeyOrigin::Keyring => format!("the variable {VARIABLE}"),
        };
        Failure::Other(format!("{from}: {e}"))
    })
}

impl From<PushError> for Failure {
    fn from(e: PushError) -> Self {
        match e {
            PushError::Hub(e) => e.into(),
            PushError::Store(e) => e.into(),
        }
    }
}

impl From<HubError> for Failure {
    fn from(e: HubError) -> Self {
        // What a server says goes to a terminal.
        let text = printable(&e.to_string()).into_owned();
        match e {
            HubError::NewerSchema { .. } | HubError::Altered { .. } => Self::StoreUnavailable(text),
            HubError::NotAHub => Self::NotFound(text),
            _ => Self::Other(text),
        }
    }
}
