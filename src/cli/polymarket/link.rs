//! `stratum polymarket link` and `unlink`: which of our games each listing is.
//!
//! What a person decides is written to the desk; a running daemon takes it up within ten seconds, and where none runs it
//! holds from the next start on. Nothing is written to the market store.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};

use serde::Serialize;

use super::{OVER_MS, Place, market_now, slug, warn};
use crate::cli::args_polymarket::{LinkArgs, UnlinkArgs};
use crate::cli::cells::{or_none, percent};
use crate::cli::output::{Align, Table, json_array, label, printable, stored_rows};
use crate::cli::{Exit, Failure, look, show};
use crate::engine::changes::EventRow;
use crate::feeds::polymarket::SOURCE;
use crate::feeds::polymarket::matching::Game;
use crate::market::time::Timestamp;
use crate::runtime::exchange::ReviewCandidate;
use crate::runtime::exchange::linker::{Listed, Ours, link_all};
use crate::store::Reader;
use crate::store::desk::{self, Desk, ExchangeDecision};
use crate::store::exchange::{ExchangeGame, Link, LinkState};
use crate::store::query::END_OF_TIME;

/// How soon a daemon or board takes up what was decided.
const TAKEN_UP: &str = "a running daemon or board takes it up within 10 s";

/// Runs `stratum polymarket link`.
pub(super) fn run(place: &Place, args: &LinkArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    match (&args.slug, &args.event) {
        (Some(slug), Some(event)) => link(place, args, slug, event, out),
        _ => tried(place, args, out),
    }
}

/// A listing as the matching knows it.
fn listed(game: &ExchangeGame) -> Listed {
    let l = &game.listing;
    let named = Game::of_slug(&l.slug).unwrap_or_default();
    let game = Game {
        sport: l.sport.clone(),
        names: l.teams.clone(),
        date: l.date.parse().ok().or(named.date),
        start: l.starts,
        codes: named.codes,
    };
    Listed { id: l.id, key: l.key.clone(), slug: l.slug.clone(), game }
}

/// Our games that the listings can be.
fn ours(reader: &Reader, listings: &[ExchangeGame], now: Timestamp) -> Result<Vec<Ours>, Failure> {
    let mut spans: BTreeMap<&str, (Timestamp, Timestamp)> = BTreeMap::new();
    for l in listings.iter().map(|g| &g.listing) {
        let at = l.starts.unwrap_or(now);
        let span = spans.entry(&l.sport).or_insert((at, at));
        *span = (span.0.min(at), span.1.max(at));
    }
    let mut all = Vec::new();
    for (sport, (from, to)) in spans {
        let games = reader.games(sport, (from.plus(-OVER_MS), to.plus(OVER_MS)), now)?;
        all.extend(games.into_iter().map(|game| (sport.to_owned(), game)));
    }
    Ok(all)
}

/// What a person has decided.
pub(super) fn decisions(place: &Place) -> Result<Vec<ExchangeDecision>, Failure> {
    let path = desk::beside(&place.store);
    // Only looking is no reason to make a file.
    Ok(if path.exists() { Desk::open(&path)?.exchange_decisions(SOURCE)? } else { Vec::new() })
}

/// The listings that can still be linked, or all.
pub(super) fn listings(reader: &Reader, all: bool, now: Timestamp) -> Result<Vec<ExchangeGame>, Failure> {
    let from = if all { Timestamp::default() } else { now.plus(-OVER_MS) };
    Ok(reader.exchange_games(SOURCE, from, END_OF_TIME)?)
}

/// What stands in [`Link::reasons`].
pub(super) enum Reasons {
    Candidates(Vec<ReviewCandidate>),
    Texts(Vec<String>),
}

impl Reasons {
    pub(super) fn of(link: &Link) -> Self {
        match serde_json::from_str::<Vec<ReviewCandidate>>(&link.reasons) {
            Ok(candidates) if !candidates.is_empty() => Self::Candidates(candidates),
            _ => Self::Texts(serde_json::from_str(&link.reasons).unwrap_or_default()),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Texts(texts) => texts.join("; "),
            Self::Candidates(all) => {
                let one = |c: &ReviewCandidate| {
                    format!("{} ({}): {}", c.event, percent(c.confidence, 0), c.reasons.join(", "))
                };
                all.iter().map(one).collect::<Vec<_>>().join("; ")
            }
        }
    }
}

/// What the matching says of one listing.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct TriedRow {
    slug: String,
    sport: String,
    title: String,
    start: Option<Timestamp>,
    /// As it stands in the store.
    state: Option<&'static str>,
    event_id: Option<u32>,
    /// As it would stand after the matching.
    new_state: Option<&'static str>,
    new_event_id: Option<u32>,
    how: Option<&'static str>,
    confidence: Option<f64>,
    reasons: String,
}

impl TriedRow {
    fn of(game: &ExchangeGame, new: Option<&Link>) -> Self {
        let l = &game.listing;
        Self {
            slug: l.slug.clone(),
            sport: l.sport.clone(),
            title: l.title.clone(),
            start: l.starts,
            state: game.link.as_ref().map(|k| k.state.name()),
            event_id: game.link.as_ref().and_then(|k| k.event).map(|e| e.0),
            new_state: new.map(|k| k.state.name()),
            new_event_id: new.and_then(|k| k.event).map(|e| e.0),
            how: new.map(|k| k.how.name()),
            confidence: new.map(|k| k.confidence),
            reasons: new.map_or_else(String::new, |k| Reasons::of(k).text()),
        }
    }
}

/// The matching over what is stored; nothing is changed.
fn tried(place: &Place, args: &LinkArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let reader = place.reader()?;
    let now = market_now(&reader)?;
    let games = listings(&reader, args.all, now)?;
    let listed: Vec<Listed> = games.iter().map(listed).collect();
    let mut links: BTreeMap<i64, Link> =
        games.iter().filter_map(|g| g.link.clone()).map(|link| (link.listing, link)).collect();
    link_all(&listed, &ours(&reader, &games, now)?, &decisions(place)?, &mut links, now);
    let rows: Vec<TriedRow> = games.iter().map(|g| TriedRow::of(g, links.get(&g.listing.id))).collect();
    let demo = reader.is_demo()?;
    if args.output.json {
        stored_rows(out, &rows, demo)?;
        return Ok(Exit::Ok);
    }
    label(out, demo)?;
    if rows.is_empty() {
        let none = reader.exchange_totals(SOURCE)?.is_empty();
        let text = if none {
            place.nothing_stored()
        } else {
            "no game of Polymarket is ahead; --all shows earlier ones".into()
        };
        writeln!(out, "{text}")?;
        return Ok(Exit::Ok);
    }
    tried_table(&rows).print(out)?;
    Ok(Exit::Ok)
}

fn tried_table(rows: &[TriedRow]) -> Table {
    let mut table = Table::new([
        ("SLUG", Align::Left),
        ("TITLE", Align::Left),
        ("START (UTC)", Align::Left),
        ("NOW", Align::Left),
        ("RESULT", Align::Left),
        ("CONF", Align::Right),
        ("REASONS", Align::Left),
    ]);
    let standing = |state: Option<&str>, event: Option<u32>| match (state, event) {
        (Some(state), Some(event)) => format!("{state} {event}"),
        (Some(state), None) => state.to_owned(),
        (None, _) => show::NONE.to_owned(),
    };
    for r in rows {
        table.row([
            r.slug.clone(),
            r.title.clone(),
            r.start.map_or_else(|| show::NONE.to_owned(), show::minute),
            standing(r.state, r.event_id),
            standing(r.new_state, r.new_event_id),
            or_none(r.confidence, |c| percent(c, 0)),
            r.reasons.clone(),
        ]);
    }
    table
}

/// A pair that a person makes.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct LinkedRow {
    slug: String,
    title: String,
    /// In the order of the listing.
    teams: Option<[String; 2]>,
    event_id: u32,
    provider_id: String,
    home_team: String,
    away_team: String,
    commence_time: Timestamp,
    /// The first team of the listing is our home team; `None`: the names do not tell.
    first_is_home: Option<bool>,
    /// What the matching says of the listing by itself.
    matching: String,
    /// It was decided; otherwise it was only tried.
    decided: bool,
}

fn link(place: &Place, args: &LinkArgs, slug: &str, event: &str, out: &mut dyn Write) -> Result<Exit, Failure> {
    let reader = place.reader()?;
    let names = reader.names()?;
    let now = market_now(&reader)?;
    let (game, name) = place.one_game(&reader, slug)?;
    let event = look::event(&reader, &names, event, END_OF_TIME)?;
    let sport = names.sport(event.sport);
    if sport != game.listing.sport {
        return Err(Failure::Other(format!(
            "{} is a game of {} and event {} one of {sport}: they cannot be the same",
            printable(&game.listing.slug),
            game.listing.sport,
            event.id
        )));
    }
    let row = paired(&reader, &game, &event, !args.dry_run, now)?;
    if !args.dry_run {
        let mut desk = Desk::open(&desk::beside(&place.store))?;
        desk.decide_exchange(SOURCE, &name, Some(&event.provider_id), look::now())?;
    }
    if row.first_is_home.is_none() {
        warn("the names do not tell which team is at home: the first of the listing is taken for the visitors");
    }
    let far = game.listing.starts.is_some_and(|start| start.since(event.commence).abs() > OVER_MS);
    if far {
        warn("their starts are more than 36 hours apart");
    }
    if args.output.json {
        json_array(out, [&row])?;
        return Ok(Exit::Ok);
    }
    print_pair(out, &row)?;
    if row.decided && std::io::stdout().is_terminal() {
        writeln!(out, "decided; {TAKEN_UP}")?;
    }
    Ok(Exit::Ok)
}

/// Tries the pair: which team is which, and what the matching says without it.
fn paired(
    reader: &Reader,
    game: &ExchangeGame,
    event: &EventRow,
    decided: bool,
    now: Timestamp,
) -> Result<LinkedRow, Failure> {
    let listed = listed(game);
    let around = ours(reader, std::slice::from_ref(game), now)?;
    let mut free = BTreeMap::new();
    link_all(std::slice::from_ref(&listed), &around, &[], &mut free, now);
    let matching = free.get(&listed.id).map_or_else(String::new, |link| {
        let to = link.event.map_or_else(String::new, |e| format!(" {e}"));
        format!("{}{to}: {}", link.state.name(), Reasons::of(link).text())
    });
    let at = event.commence;
    let sport = &game.listing.sport;
    let own: Vec<Ours> = reader.games(sport, (at, at), now)?.into_iter().map(|g| (sport.clone(), g)).collect();
    let decision =
        ExchangeDecision { slug: listed.slug.clone(), provider_id: Some(event.provider_id.to_string()), at: now };
    let mut forced = BTreeMap::new();
    link_all(std::slice::from_ref(&listed), &own, &[decision], &mut forced, now);
    let made = forced.get(&listed.id).filter(|link| link.state == LinkState::Linked);
    // More than one reason: the order of the listing had to decide.
    let sure = made.filter(|link| matches!(Reasons::of(link), Reasons::Texts(t) if t.len() == 1));
    Ok(LinkedRow {
        slug: game.listing.slug.clone(),
        title: game.listing.title.clone(),
        teams: game.listing.teams.clone(),
        event_id: event.id.0,
        provider_id: event.provider_id.to_string(),
        home_team: event.home.to_string(),
        away_team: event.away.to_string(),
        commence_time: event.commence,
        first_is_home: sure.and_then(|link| link.home_first),
        matching,
        decided,
    })
}

fn print_pair(out: &mut dyn Write, row: &LinkedRow) -> Result<(), Failure> {
    let teams = show::teams(&row.away_team, &row.home_team);
    writeln!(out, "{}  {}", printable(&row.slug), printable(&row.title))?;
    writeln!(out, "event {}  {}  {} UTC", row.event_id, printable(&teams), show::minute(row.commence_time))?;
    if let Some([first, other]) = &row.teams {
        let (one, two) = match row.first_is_home {
            Some(true) => (&row.home_team, &row.away_team),
            _ => (&row.away_team, &row.home_team),
        };
        writeln!(out, "  {} = {}", printable(first), printable(one))?;
        writeln!(out, "  {} = {}", printable(other), printable(two))?;
    }
    writeln!(out, "matching by itself: {}", printable(&row.matching))?;
    Ok(())
}

/// Runs `stratum polymarket unlink`.
pub(super) fn unlink(place: &Place, args: &UnlinkArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let path = desk::beside(&place.store);
    let mut tell = |text: String| -> Result<(), Failure> {
        if std::io::stdout().is_terminal() {
            writeln!(out, "{}", printable(&text))?;
        }
        Ok(())
    };
    if args.forget {
        // The listing itself may be gone by now.
        let name = slug(&args.slug)?;
        let forgotten = path.exists() && Desk::open(&path)?.undecide_exchange(SOURCE, &name)?;
        if !forgotten {
            let known = decisions(place)?;
            return Err(look::unknown("decision about", &name, known.iter().map(|d| d.slug.as_str())));
        }
        tell(format!("the matching decides about {name} again; {TAKEN_UP}"))?;
        return Ok(Exit::Ok);
    }
    let (game, name) = place.one_game(&place.reader()?, &args.slug)?;
    Desk::open(&path)?.decide_exchange(SOURCE, &name, None, look::now())?;
    tell(format!("{} is none of ours; {TAKEN_UP}", game.listing.slug))?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::exchange::ListingRow;

    fn game() -> ExchangeGame {
        let listing = ListingRow {
            id: 5,
            slug: "nba-bos-mia-2026-11-20".into(),
            title: "Celtics vs. Heat".into(),
            sport: "basketball_nba".into(),
            date: "2026-11-20".into(),
            starts: Timestamp::parse("2026-11-21T00:40:00Z"),
            teams: Some(["Celtics".into(), "Heat".into()]),
            ..ListingRow::default()
        };
        ExchangeGame { listing, ..ExchangeGame::default() }
    }

    #[test]
    fn a_listing_of_the_store_is_matched_as_it_was_when_it_was_read() {
        let listed = listed(&game());
        assert_eq!(listed.game.codes, Some(["bos".into(), "mia".into()]));
        assert_eq!(listed.game.date.map(|d| d.to_string()).as_deref(), Some("2026-11-20"));
        let mut odd = game();
        (odd.listing.slug, odd.listing.date) = ("something".into(), "soon".into());
        let odd = super::listed(&odd);
        assert_eq!((odd.game.codes, odd.game.date, odd.game.sport.as_str()), (None, None, "basketball_nba"));
    }

    #[test]
    fn the_table_of_a_try() {
        let link = Link {
            listing: 5,
            event: Some(crate::market::ids::EventId(7)),
            state: LinkState::Linked,
            confidence: 1.0,
            reasons: r#"["both teams","the day"]"#.into(),
            ..Link::default()
        };
        let mut text = Vec::new();
        tried_table(&[TriedRow::of(&game(), Some(&link)), TriedRow::of(&game(), None)])
            .print(&mut text)
            .expect("printed");
        let text = String::from_utf8(text).expect("text");
        assert!(text.contains("linked 7") && text.contains("both teams; the day"), "{text}");
    }
}
