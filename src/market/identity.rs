//! Whether two reports are of one game.
//!
//! Owns the rule: the same two participants in either order, and starts within the sport's window, or the same slate
//! day where a source knows only the date. More than one answer is an answer for a person, never "the first".
//! Pure: it compares what it is given and keeps nothing.

use chrono::NaiveDate;

use super::day::SlateClock;
use super::ids::EventId;
use super::sports::{MatchWindow, Sport};
use super::teams::name::comparable;
use super::time::Timestamp;

/// The two sides of a game, in comparable form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Participants {
    home: String,
    away: String,
}

/// How the sides of one report stand to those of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Orientation {
    /// Home is home.
    Same,
    /// Home is away: a neutral site, or a sport without a home side.
    Swapped,
}

impl Participants {
    /// The sides of a game. Give canonical names where the team is known, else the names as written.
    ///
    /// `None` when a side is missing, not yet decided (`TBD`), or playing itself: such a report matches nothing.
    pub fn new(home: &str, away: &str) -> Option<Self> {
        let (home, away) = (comparable(home), comparable(away));
        let decided =
            |n: &str| !matches!(n, "" | "tbd" | "tba" | "to be decided" | "to be determined" | "to be announced");
        (decided(&home) && decided(&away) && home != away).then_some(Self { home, away })
    }

    /// Both names, sorted: the same for either order. A key for indices.
    pub fn unordered(&self) -> (&str, &str) {
        if self.home <= self.away { (&self.home, &self.away) } else { (&self.away, &self.home) }
    }

    /// How this pair stands to another; `None` when it is another pair.
    pub fn orientation(&self, other: &Self) -> Option<Orientation> {
        if self == other {
            Some(Orientation::Same)
        } else if self.home == other.away && self.away == other.home {
            Some(Orientation::Swapped)
        } else {
            None
        }
    }
}

/// When a report says that the game starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// At this instant.
    At(Timestamp),
    /// On this local day of the league, as in the tickers of prediction markets.
    On(NaiveDate),
}

/// A report of a game, to be recognised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Who plays.
    pub participants: Participants,
    /// When.
    pub when: When,
    /// First or second game of a doubleheader, where the source says so; from 1.
    pub game_number: Option<u8>,
}

/// A game that we have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownGame {
    /// Our id.
    pub event: EventId,
    /// Who plays.
    pub participants: Participants,
    /// The start as last known.
    pub commence: Timestamp,
    /// First or second game of a doubleheader, where known; from 1.
    pub game_number: Option<u8>,
    /// The source still lists it under the id that we have.
    pub listed: bool,
}

/// What a report means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Recognised {
    /// This game.
    Game {
        /// Our id.
        event: EventId,
        /// Whether the report's sides are turned.
        orientation: Orientation,
    },
    /// One of these, in the order of their ids, and nothing tells which: for review.
    Ambiguous(Vec<EventId>),
    /// None that we have.
    New,
}

/// Recognises a report among the games of its sport.
pub fn recognise(report: &Report, sport: &Sport, known: &[KnownGame]) -> Recognised {
    let mut fits: Vec<(EventId, Orientation)> = Vec::new();
    let mut doubtful = false;
    for game in known {
        let Some(orientation) = report.participants.orientation(&game.participants) else { continue };
        if !times_fit(report.when, game.commence, sport.clock, sport.window) {
            continue;
        }
        match (report.game_number, game.game_number) {
            (Some(a), Some(b)) if a != b => continue,
            // A second game is not the only one that we happen to have, unless that one is known to be the second.
            (Some(a), None) if a > 1 => doubtful = true,
            (None, Some(b)) if b > 1 => doubtful = true,
            _ => {}
        }
        fits.push((game.event, orientation));
    }
    fits.sort_by_key(|(event, _)| *event);
    fits.dedup_by_key(|(event, _)| *event);
    match fits.as_slice() {
        [] => Recognised::New,
        [(event, orientation)] if !doubtful => Recognised::Game { event: *event, orientation: *orientation },
        several => Recognised::Ambiguous(several.iter().map(|(event, _)| *event).collect()),
    }
}

fn times_fit(when: When, commence: Timestamp, clock: SlateClock, window: MatchWindow) -> bool {
    match when {
        When::On(day) => clock.day_of(commence) == day,
        When::At(start) => {
            let near = start.since(commence).unsigned_abs() <= window.millis().unsigned_abs();
            // In a series the same pair meets on the next day: there the local day must agree as well.
            near && (!window.game_numbers || clock.day_of(start) == clock.day_of(commence))
        }
    }
}

/// The games that a new id for a known pair may be a new date of: the same pair, outside the window but within `days`,
/// and no longer listed under the old id. A list for review, in the order of ids; merging is never automatic.
pub fn reschedule_candidates(report: &Report, sport: &Sport, known: &[KnownGame], days: u32) -> Vec<EventId> {
    let reach = u64::from(days) * 86_400_000;
    let mut found: Vec<EventId> = known
        .iter()
        .filter(|game| !game.listed && report.participants.orientation(&game.participants).is_some())
        .filter(|game| !times_fit(report.when, game.commence, sport.clock, sport.window))
        .filter(|game| {
            let start = match report.when {
                When::At(start) => start,
                When::On(day) => sport.clock.range(day).start,
            };
            start.since(game.commence).unsigned_abs() <= reach
        })
        .map(|game| game.event)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Numbers the games of the same pair on the same slate day by their starts: (event, number) for those that are not
/// alone, in the order of ids. Games of a pair that start at the same instant get no number.
pub fn doubleheader_numbers(clock: SlateClock, known: &[KnownGame]) -> Vec<(EventId, u8)> {
    let mut numbered = Vec::new();
    for game in known {
        let day = clock.day_of(game.commence);
        let others = || {
            known.iter().filter(|o| {
                o.event != game.event
                    && o.participants.unordered() == game.participants.unordered()
                    && clock.day_of(o.commence) == day
            })
        };
        if others().next().is_none() || others().any(|o| o.commence == game.commence) {
            continue;
        }
        let earlier = others().filter(|o| o.commence < game.commence).count();
        numbered.extend(u8::try_from(earlier + 1).ok().map(|n| (game.event, n)));
    }
    numbered.sort_unstable();
    numbered.dedup();
    numbered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::sports::Sports;
    use proptest::prelude::*;

    const NY: &str = "New York Yankees";
    const BOS: &str = "Boston Red Sox";

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect(text)
    }

    fn sides(home: &str, away: &str) -> Participants {
        Participants::new(home, away).expect("two sides")
    }

    fn game(event: u32, home: &str, away: &str, start: &str) -> KnownGame {
        KnownGame {
            event: EventId(event),
            participants: sides(home, away),
            commence: at(start),
            game_number: None,
            listed: true,
        }
    }

    fn report(home: &str, away: &str, start: &str) -> Report {
        Report { participants: sides(home, away), when: When::At(at(start)), game_number: None }
    }

    fn sport(key: &str) -> Sport {
        Sports::embedded().resolve(key)
    }

    fn is(event: u32) -> Recognised {
        Recognised::Game { event: EventId(event), orientation: Orientation::Same }
    }

    #[test]
    fn a_moved_start_is_the_same_game_within_the_window() {
        let known = [game(1, "Boston Celtics", "Miami Heat", "2026-11-21T00:30:00Z")];
        let nba = sport("basketball_nba");
        let seek = |start| recognise(&report("Boston Celtics", "Miami Heat", start), &nba, &known);
        assert_eq!(seek("2026-11-21T00:40:38Z"), is(1));
        assert_eq!(seek("2026-11-21T06:30:00Z"), is(1));
        assert_eq!(seek("2026-11-21T06:30:00.001Z"), Recognised::New);
        assert_eq!(seek("2026-11-23T00:30:00Z"), Recognised::New);
    }

    #[test]
    fn sides_may_be_turned_and_names_be_written_differently() {
        let known = [game(4, "Kansas St Wildcats", "Saint John's", "2026-11-21T00:30:00Z")];
        let turned = report("St. John's", "Kansas State Wildcats", "2026-11-21T00:30:00Z");
        let found = recognise(&turned, &sport("basketball_ncaab"), &known);
        assert_eq!(found, Recognised::Game { event: EventId(4), orientation: Orientation::Swapped });
    }

    #[test]
    fn a_series_is_three_games() {
        let known = [
            game(1, NY, BOS, "2026-08-03T23:05:00Z"),
            game(2, NY, BOS, "2026-08-04T23:05:00Z"),
            game(3, NY, BOS, "2026-08-05T17:05:00Z"),
        ];
        let mlb = sport("baseball_mlb");
        assert_eq!(recognise(&report(NY, BOS, "2026-08-04T23:40:00Z"), &mlb, &known), is(2));
        assert_eq!(recognise(&report(NY, BOS, "2026-08-05T17:05:00Z"), &mlb, &known), is(3));
        let on = |d| Report { when: When::On(d), ..report(NY, BOS, "2026-08-03T23:05:00Z") };
        // 23:05 UTC is the evening of the same date in New York; 00:05 UTC would be that of the day before.
        let fourth = NaiveDate::from_ymd_opt(2026, 8, 4).expect("date");
        assert_eq!(recognise(&on(fourth), &mlb, &known), is(2));
        assert!(doubleheader_numbers(mlb.clock, &known).is_empty());
    }

    #[test]
    fn a_doubleheader_is_two_games_and_doubt_stays_doubt() {
        let mut known = vec![game(7, NY, BOS, "2026-08-04T17:05:00Z"), game(9, NY, BOS, "2026-08-04T23:05:00Z")];
        let mlb = sport("baseball_mlb");
        assert_eq!(recognise(&report(NY, BOS, "2026-08-04T17:10:00Z"), &mlb, &known), is(7));
        assert_eq!(recognise(&report(NY, BOS, "2026-08-04T22:30:00Z"), &mlb, &known), is(9));
        let day = NaiveDate::from_ymd_opt(2026, 8, 4).expect("date");
        let mut seek = Report { when: When::On(day), ..report(NY, BOS, "2026-08-04T17:05:00Z") };
        let both = Recognised::Ambiguous(vec![EventId(7), EventId(9)]);
        assert_eq!(recognise(&seek, &mlb, &known), both);
        assert_eq!(doubleheader_numbers(mlb.clock, &known), [(EventId(7), 1), (EventId(9), 2)]);
        for (game, number) in known.iter_mut().zip([1, 2]) {
            game.game_number = Some(number);
        }
        seek.game_number = Some(2);
        assert_eq!(recognise(&seek, &mlb, &known), is(9));
        // The second start is a placeholder close to the first: the window holds both.
        known[1].commence = at("2026-08-04T18:05:00Z");
        assert_eq!(recognise(&report(NY, BOS, "2026-08-04T17:05:00Z"), &mlb, &known), both);
        // Only one is known, and the report is of the second.
        known.truncate(1);
        known[0].game_number = None;
        assert_eq!(recognise(&seek, &mlb, &known), Recognised::Ambiguous(vec![EventId(7)]));
    }

    #[test]
    fn a_window_does_not_reach_into_the_next_day_of_a_series() {
        let known = [game(1, NY, BOS, "2026-08-05T09:30:00Z")]; // 05:30 in New York: a game of the 4th
        let seek = report(NY, BOS, "2026-08-05T10:30:00Z"); // 06:30: the 5th
        assert_eq!(recognise(&seek, &sport("baseball_mlb"), &known), Recognised::New);
    }

    #[test]
    fn a_new_date_is_a_candidate_only_when_the_old_one_is_gone() {
        let mut known = [game(1, NY, BOS, "2026-08-04T23:05:00Z"), game(2, NY, BOS, "2026-08-05T23:05:00Z")];
        let seek = report(NY, BOS, "2026-08-06T20:05:00Z");
        let mlb = sport("baseball_mlb");
        assert_eq!(recognise(&seek, &mlb, &known), Recognised::New);
        assert!(reschedule_candidates(&seek, &mlb, &known, 10).is_empty());
        known[0].listed = false;
        assert_eq!(reschedule_candidates(&seek, &mlb, &known, 10), [EventId(1)]);
        assert!(reschedule_candidates(&seek, &mlb, &known, 1).is_empty());
    }

    #[test]
    fn undecided_sides_match_nothing() {
        for (home, away) in [("TBD", NY), (NY, "tba"), ("", NY), (NY, NY), (NY, "new york yankees"), ("?", "!")] {
            assert_eq!(Participants::new(home, away), None, "{home} {away}");
        }
    }

    #[test]
    fn a_womens_game_is_not_the_mens() {
        let known = [game(1, "Baylor Bears", "Kansas Jayhawks", "2026-11-21T00:30:00Z")];
        let seek = report("Baylor Bears (W)", "Kansas Jayhawks (W)", "2026-11-21T00:30:00Z");
        assert_eq!(recognise(&seek, &sport("basketball_ncaab"), &known), Recognised::New);
    }

    proptest! {
        #[test]
        fn the_order_of_what_is_known_does_not_matter(
            starts in prop::collection::vec((0_i64..200_000, any::<bool>()), 0..8),
            seek in 0_i64..200_000,
            key in prop::sample::select(vec!["baseball_mlb", "basketball_nba", "soccer_epl"]),
        ) {
            let sport = sport(key);
            let known: Vec<_> = starts.iter().zip(1..).map(|((s, turned), id)| {
                let (home, away) = if *turned { (NY, BOS) } else { (BOS, NY) };
                KnownGame { commence: Timestamp::from_secs(*s), ..game(id, home, away, "2026-01-01T00:00:00Z") }
            }).collect();
            let report = Report { when: When::At(Timestamp::from_secs(seek)), ..report(NY, BOS, "2026-01-01T00:00:00Z") };
            let found = recognise(&report, &sport, &known);
            let mut reversed = known.clone();
            reversed.reverse();
            prop_assert_eq!(&found, &recognise(&report, &sport, &reversed));
            // One answer means that no other game lies within the window.
            if let Recognised::Game { event, .. } = found {
                for game in known.iter().filter(|g| g.event != event) {
                    prop_assert!(!times_fit(report.when, game.commence, sport.clock, sport.window));
                }
            }
        }
    }
}
