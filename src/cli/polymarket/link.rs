//! `stratum polymarket link`, `unlink` and `review`: which of our games each listing is.
//!
//! What a person decides is written to the desk; a running daemon takes it up within ten seconds, and where none runs it
//! holds from the next start on. Nothing is written to the market store.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};

use serde::Serialize;

use super::{OVER_MS, Place, market_now, slug, warn};
use crate::cli::args_polymarket::{LinkArgs, ReviewArgs, UnlinkArgs};
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
    Listed { id: l.id, slug: l.slug.clone(), game }
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

fn decisions(place: &Place) -> Result<Vec<ExchangeDecision>, Failure> {
    let path = desk::beside(&place.store);
    // Only looking is no reason to make a file.
    Ok(if path.exists() { Desk::open(&path)?.exchange_decisions(SOURCE)? } else { Vec::new() })
}

/// The listings that can still be linked, or all.
fn listings(reader: &Reader, all: bool, now: Timestamp) -> Result<Vec<ExchangeGame>, Failure> {
    let from = if all { Timestamp::default() } else { now.plus(-OVER_MS) };
    Ok(reader.exchange_games(SOURCE, from, END_OF_TIME)?)
}

/// What stands in [`Link::reasons`].
enum Reasons {
    Candidates(Vec<ReviewCandidate>),
    Texts(Vec<String>),
}

impl Reasons {
    fn of(link: &Link) -> Self {
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
    let game = place.game(&reader, slug)?;
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
        desk.decide_exchange(SOURCE, &game.listing.slug, Some(&event.provider_id), look::now())?;
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
    let game = place.game(&place.reader()?, &args.slug)?;
    Desk::open(&path)?.decide_exchange(SOURCE, &game.listing.slug, None, look::now())?;
    tell(format!("{} is none of ours; {TAKEN_UP}", game.listing.slug))?;
    Ok(Exit::Ok)
}

/// A listing that waits for a person, with one of its candidates.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct ReviewRow {
    slug: String,
    sport: String,
    title: String,
    start: Option<Timestamp>,
    /// `None`: there is no candidate.
    event_id: Option<u32>,
    provider_id: Option<String>,
    home_team: Option<String>,
    away_team: Option<String>,
    commence_time: Option<Timestamp>,
    confidence: f64,
    reasons: Vec<String>,
    /// A person has decided already, and it has not been taken up yet.
    decided: bool,
}

/// Runs `stratum polymarket review`.
pub(super) fn review(place: &Place, args: &ReviewArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let reader = place.reader()?;
    let now = market_now(&reader)?;
    let decided = decisions(place)?;
    let mut rows = Vec::new();
    for game in listings(&reader, args.all, now)? {
        let Some(link) = game.link.as_ref().filter(|k| k.state == LinkState::Review) else { continue };
        rows.extend(review_rows(&game, link, decided.iter().any(|d| d.slug == game.listing.slug)));
    }
    let demo = reader.is_demo()?;
    if args.output.json {
        stored_rows(out, &rows, demo)?;
        return Ok(Exit::Ok);
    }
    label(out, demo)?;
    if rows.is_empty() {
        let none = reader.exchange_totals(SOURCE)?.is_empty();
        writeln!(out, "{}", if none { place.nothing_stored() } else { "nothing waits for you".to_owned() })?;
        return Ok(Exit::Ok);
    }
    review_table(&rows).print(out)?;
    writeln!(
        out,
        "\n`stratum polymarket link SLUG EVENT` says which it is, `stratum polymarket unlink SLUG` that it is none"
    )?;
    Ok(Exit::Ok)
}

fn review_rows(game: &ExchangeGame, link: &Link, decided: bool) -> Vec<ReviewRow> {
    let l = &game.listing;
    let bare = ReviewRow {
        slug: l.slug.clone(),
        sport: l.sport.clone(),
        title: l.title.clone(),
        start: l.starts,
        event_id: None,
        provider_id: None,
        home_team: None,
        away_team: None,
        commence_time: None,
        confidence: link.confidence,
        reasons: Vec::new(),
        decided,
    };
    match Reasons::of(link) {
        Reasons::Texts(reasons) => vec![ReviewRow { reasons, ..bare }],
        Reasons::Candidates(all) => {
            let row = |c: ReviewCandidate| {
                let [home, away] = c.teams;
                ReviewRow {
                    event_id: Some(c.event),
                    provider_id: Some(c.provider_id),
                    home_team: Some(home),
                    away_team: Some(away),
                    commence_time: Some(c.commence),
                    confidence: c.confidence,
                    reasons: c.reasons,
                    ..bare.clone()
                }
            };
            all.into_iter().map(row).collect()
        }
    }
}

fn review_table(rows: &[ReviewRow]) -> Table {
    let mut table = Table::new([
        ("SLUG", Align::Left),
        ("TITLE", Align::Left),
        ("START (UTC)", Align::Left),
        ("EVENT", Align::Right),
        ("CANDIDATE", Align::Left),
        ("ITS START (UTC)", Align::Left),
        ("CONF", Align::Right),
        ("REASONS", Align::Left),
    ]);
    let time = |at: Option<Timestamp>| at.map_or_else(|| show::NONE.to_owned(), show::minute);
    let mut before: Option<&str> = None;
    for r in rows {
        let new = before != Some(r.slug.as_str());
        before = Some(&r.slug);
        let once = |text: String| if new { text } else { String::new() };
        let teams = r.away_team.as_deref().zip(r.home_team.as_deref());
        let mut reasons = r.reasons.join("; ");
        if r.decided {
            reasons = format!("decided, not taken up yet; {reasons}");
        }
        table.row([
            once(r.slug.clone()),
            once(r.title.clone()),
            once(time(r.start)),
            or_none(r.event_id, |id| id.to_string()),
            or_none(teams, |(away, home)| show::teams(away, home)),
            time(r.commence_time),
            percent(r.confidence, 0),
            reasons,
        ]);
    }
    table
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

    fn candidate(event: u32, confidence: f64) -> ReviewCandidate {
        ReviewCandidate {
            event,
            provider_id: format!("p{event}"),
            teams: ["Miami Heat".into(), "Boston Celtics".into()],
            commence: Timestamp::parse("2026-11-21T01:40:00Z").expect("time"),
            confidence,
            reasons: vec!["both teams".into(), "an hour apart".into()],
        }
    }

    #[test]
    fn a_review_shows_every_candidate_and_names_the_listing_once() {
        let reasons = serde_json::to_string(&[candidate(1, 0.8), candidate(2, 0.5)]).expect("JSON");
        let link = Link { listing: 5, state: LinkState::Review, reasons, ..Link::default() };
        let rows = review_rows(&game(), &link, true);
        assert_eq!(
            rows.iter().map(|r| (r.event_id, r.confidence)).collect::<Vec<_>>(),
            [(Some(1), 0.8), (Some(2), 0.5)]
        );
        let mut text = Vec::new();
        review_table(&rows).print(&mut text).expect("printed");
        let text = String::from_utf8(text).expect("text");
        assert_eq!(text.matches("nba-bos-mia-2026-11-20").count(), 1);
        assert!(text.contains("Boston Celtics @ Miami Heat") && text.contains("decided, not taken up yet; both teams"));
        // What has no candidate says why all the same, and so does what cannot be read.
        let bare = Link { reasons: r#"["a person named a game that is not there"]"#.into(), ..link.clone() };
        assert_eq!(review_rows(&game(), &bare, false)[0].reasons, ["a person named a game that is not there"]);
        let broken = Link { reasons: "{".into(), ..link };
        assert_eq!(review_rows(&game(), &broken, false)[0].event_id, None);
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
