//! `stratum polymarket review`: what the matching leaves to a person, with candidates and reasons.

use std::io::Write;

use serde::Serialize;

use super::link::{Reasons, decisions, listings};
use super::{Place, market_now};
use crate::cli::args_polymarket::ReviewArgs;
use crate::cli::cells::{or_none, percent};
use crate::cli::output::{Align, Table, label, stored_rows};
use crate::cli::{Exit, Failure, show};
use crate::feeds::polymarket::SOURCE;
use crate::market::time::Timestamp;
use crate::runtime::exchange::ReviewCandidate;
use crate::store::exchange::{ExchangeGame, Link, LinkState};

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
pub(super) fn run(place: &Place, args: &ReviewArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let reader = place.reader()?;
    let now = market_now(&reader)?;
    let decided = decisions(place)?;
    let mut rows = Vec::new();
    for game in listings(&reader, args.all, now)? {
        let Some(link) = game.link.as_ref().filter(|k| k.state == LinkState::Review) else { continue };
        rows.extend(review_rows(
            &game,
            link,
            decided.iter().any(|d| d.slug == game.listing.key || d.slug == game.listing.slug),
        ));
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
}
