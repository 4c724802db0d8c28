//! `stratum polymarket`: the prediction exchange beside the books, looked at, linked and filled up.
//!
//! Owns what its commands share. What a person decides goes to the desk, so that it works beside a running daemon; only
//! the backfill writes the market store.

mod backfill;
mod book;
mod discover;
mod link;
mod review;
mod shift;
mod status;

use std::io::Write;
use std::path::PathBuf;

use super::args::Global;
use super::args_polymarket::{PolymarketAction, PolymarketArgs};
use super::output::printable;
use super::{Exit, Failure, look, prepare};
use crate::config::Settings;
use crate::feeds::polymarket::SOURCE;
use crate::feeds::polymarket::client::Client;
use crate::feeds::polymarket::error::AskError;
use crate::feeds::polymarket::leagues;
use crate::market::time::Timestamp;
use crate::runtime::settings::polymarket_client;
use crate::store::exchange::ExchangeGame;
use crate::store::query::END_OF_TIME;
use crate::store::{Reader, StoreError};

/// Games that started longer ago are over and linked no more. Milliseconds.
const OVER_MS: i64 = 36 * 3_600_000;
/// Names that are suggested.
const SUGGESTED: usize = 5;

/// Runs `stratum polymarket`.
///
/// # Errors
/// [`Failure::NotFound`] for games and contracts that are not there, [`Failure::StoreUnavailable`] when another process
/// has what only one may have, and what Polymarket or the store answers.
pub fn run(global: &Global, args: &PolymarketArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let (paths, loaded) = prepare(global, Vec::new())?;
    let place = Place { store: paths.store(&loaded.settings), settings: loaded.settings };
    match &args.action {
        PolymarketAction::Discover(args) => discover::run(&place, args, out),
        PolymarketAction::Status(output) => status::run(&place, *output, out),
        PolymarketAction::Book(args) => book::run(&place, args, out),
        PolymarketAction::Link(args) => link::run(&place, args, out),
        PolymarketAction::Unlink(args) => link::unlink(&place, args, out),
        PolymarketAction::Review(args) => review::run(&place, args, out),
        PolymarketAction::Backfill(args) => backfill::run(&place, args, out),
        PolymarketAction::Shift(args) => shift::run(&place, args, out),
    }
}

/// Where things are and how they are set.
struct Place {
    store: PathBuf,
    settings: Settings,
}

impl Place {
    fn reader(&self) -> Result<Reader, Failure> {
        Reader::open(&self.store).map_err(|e| match e {
            StoreError::Missing { .. } if !self.settings.polymarket.on => Failure::Other(format!("{e}; {OFF}")),
            e => e.into(),
        })
    }

    fn client(&self) -> Result<Client, Failure> {
        Client::new(polymarket_client(&self.settings)).map_err(|e| Failure::Other(e.to_string()))
    }

    /// The sports that are meant.
    fn sports(&self, named: Option<&str>) -> Result<Vec<String>, Failure> {
        let Some(named) = named else {
            let known: Vec<String> = self.settings.odds_api.sports.clone();
            if !known.iter().any(|s| leagues::names_of(s).next().is_some()) {
                let why = "Polymarket lists none of the sports of odds_api.sports; name one with --sport";
                return Err(Failure::NotFound(why.to_owned()));
            }
            return Ok(known);
        };
        let key = leagues::sport_key(named).or_else(|| leagues::sport_keys().find(|k| k.eq_ignore_ascii_case(named)));
        match key {
            Some(key) => Ok(vec![key.to_owned()]),
            None => Err(look::unknown("sport of Polymarket", named, leagues::sport_keys())),
        }
    }

    /// The game of a name in addresses, or of Polymarket's own number. Of several with one name the newest is taken, and
    /// the others are named.
    fn game(&self, reader: &Reader, text: &str) -> Result<ExchangeGame, Failure> {
        let slug = slug(text)?;
        if let Some(game) = reader.exchange_game(SOURCE, &slug)? {
            if let Some(others) = namesakes(reader, &slug)? {
                warn(&format!("{others}; this is the one that was listed last, {}", printable(&game.listing.key)));
            }
            return Ok(game);
        }
        let all = reader.exchange_games(SOURCE, Timestamp::default(), END_OF_TIME)?;
        if all.is_empty() {
            return Err(Failure::NotFound(self.nothing_stored()));
        }
        let near = suggestions(&slug, all.iter().map(|g| g.listing.slug.as_str()));
        let hint = match near.as_slice() {
            [] => "`stratum polymarket discover` lists what Polymarket has".to_owned(),
            near => format!("did you mean {}?", near.join(", ")),
        };
        Err(Failure::NotFound(format!("the store has no Polymarket game '{}'; {hint}", printable(&slug))))
    }

    /// The one game that is meant, and the name under which a decision about it is kept.
    fn one_game(&self, reader: &Reader, text: &str) -> Result<(ExchangeGame, String), Failure> {
        let slug = slug(text)?;
        match namesakes(reader, &slug)? {
            Some(others) => Err(Failure::Usage(format!("{others}; say which by its number"))),
            None => Ok((self.game(reader, text)?, slug)),
        }
    }

    fn nothing_stored(&self) -> String {
        let what = "nothing of Polymarket is stored";
        if self.settings.polymarket.on {
            format!("{what} yet; a daemon or board fills it")
        } else {
            format!("{what}; {OFF}")
        }
    }
}

const OFF: &str = "polymarket is off: set polymarket.on = true, and a daemon or board listens to it";

/// Says which listings share a name, if several do.
fn namesakes(reader: &Reader, slug: &str) -> Result<Option<String>, Failure> {
    let all = reader.exchange_namesakes(SOURCE, slug)?;
    if all.len() < 2 {
        return Ok(None);
    }
    let each = |l: &crate::store::exchange::ListingRow| {
        let start = l.starts.map_or_else(|| "no start".to_owned(), crate::cli::show::minute);
        format!("{} ({}, {start})", printable(&l.key), printable(&l.title))
    };
    let all: Vec<String> = all.iter().map(each).collect();
    Ok(Some(format!("{} listings share the name {}: {}", all.len(), printable(slug), all.join(", "))))
}

/// The name in an address, from it or from the address.
fn slug(text: &str) -> Result<String, Failure> {
    let path = text.trim().split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let slug = path.rsplit('/').next().unwrap_or_default().to_lowercase();
    if slug.is_empty() {
        return Err(Failure::Usage("name a game as its address does, such as nba-bos-mia-2026-11-20".into()));
    }
    Ok(slug)
}

/// The names that share most parts with one that is not there, the likeliest first.
fn suggestions<'n>(slug: &str, known: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let wanted: Vec<&str> = slug.split('-').collect();
    let mut scored: Vec<(usize, &str)> = known
        .filter_map(|name| {
            let shared = wanted.iter().filter(|part| name.split('-').any(|own| own == **part)).count();
            (shared * 2 > wanted.len() || (slug.len() > 2 && name.contains(slug))).then_some((shared, name))
        })
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().map(|(_, name)| name).take(SUGGESTED).collect()
}

/// Now in market time: that of a simulated market runs ahead of the wall.
fn market_now(reader: &Reader) -> Result<Timestamp, Failure> {
    let wall = look::now();
    Ok(reader.newest_look()?.map_or(wall, |newest| newest.max(wall)))
}

/// A word to a person, on the standard error.
fn warn(text: &str) {
    let _ = writeln!(std::io::stderr(), "stratum: warning: {}", printable(text));
}

/// For questions to the exchange.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

impl From<AskError> for Failure {
    fn from(e: AskError) -> Self {
        match e {
            AskError::NotFound { .. } => Self::NotFound(e.to_string()),
            e => Self::Other(e.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_addresses_too() {
        for text in [
            "nba-bos-mia-2026-11-20",
            " NBA-bos-mia-2026-11-20/ ",
            "https://polymarket.com/event/nba-bos-mia-2026-11-20?tid=1#x",
        ] {
            assert_eq!(slug(text).expect("slug"), "nba-bos-mia-2026-11-20");
        }
        assert!(slug(" / ").is_err() && slug("").is_err());
    }

    #[test]
    fn what_is_like_it_is_suggested() {
        let known =
            ["nba-bos-mia-2026-11-21", "nba-den-uta-2026-11-20", "nhl-bos-mon-2026-11-20", "nba-bos-mia-2026-11-20"];
        assert_eq!(
            suggestions("nba-bos-mia-2026-11-22", known.into_iter()),
            ["nba-bos-mia-2026-11-20", "nba-bos-mia-2026-11-21"]
        );
        assert!(suggestions("mlb", known.into_iter()).is_empty());
        assert_eq!(suggestions("bos-mon", known.into_iter()), ["nhl-bos-mon-2026-11-20"]);
    }
}
