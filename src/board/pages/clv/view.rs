//! What the page shows, worked out of graded signals: groups with their statistics, distributions, days and weeks.
//! Pure; runs on the thread that reads.

use std::ops::Range;
use std::sync::Arc;

use chrono::NaiveDate;
use rustc_hash::FxHashMap;

use crate::alerts::quality;
use crate::board::format::Zone;
use crate::board::pages::tape::row;
use crate::engine::grade::close::Grade;
use crate::engine::grade::clv::ClvRow;
use crate::engine::grade::record::preset::Preset;
use crate::engine::grade::record::stats::{Sign, Stats};
use crate::engine::grade::record::{Filter, Grades, Grain, RecapRow, RecordTier, recap};
use crate::market::ids::EventId;
use crate::market::sports::Sports;
use crate::market::time::Timestamp;

/// Fewer games than this say little: no tier above C is given below it.
pub const FEW: u32 = 30;

macro_rules! choices {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $choice:ident $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub enum $name { #[default] $($(#[$doc])* $choice,)* }

        impl $name {
            /// Every choice, in the order in which a key goes through them.
            pub const ALL: &[Self] = &[$(Self::$choice,)*];

            /// For people.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$choice => $text,)* }
            }

            /// The next one.
            pub fn next(self) -> Self {
                let at = Self::ALL.iter().position(|c| *c == self).unwrap_or(0);
                Self::ALL.get((at + 1) % Self::ALL.len()).copied().unwrap_or(self)
            }
        }
    };
}

choices! {
    /// By what signals are grouped.
    Group {
        /// Type of the signal.
        Kind "type",
        /// Market.
        Market "market",
        /// Time to the start at detection.
        Bucket "time to start",
        /// Book of the entry.
        Book "book",
        /// Sport.
        Sport "sport",
    }
}

choices! {
    /// Of which games, by their local day.
    Period {
        /// Every one.
        All "all time",
        /// The last thirty days.
        Month "30 days",
        /// The last seven.
        Week "7 days",
        /// The day on show.
        Today "today",
    }
}

choices! {
    /// Which closes count.
    Counted {
        /// Grades A and B.
        Good "closes A and B",
        /// Grade A.
        Best "closes A",
        /// Grades A to D.
        All "closes A to D",
    }
}

impl Counted {
    const fn grades(self) -> Grades {
        match self {
            Self::Good => Grades::DEFAULT,
            Self::Best => Grades::NONE.with(Grade::A),
            Self::All => Grades::ALL,
        }
    }
}

/// What the user asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Choice {
    /// By what.
    pub group: Group,
    /// Of when.
    pub period: Period,
    /// Against which closes.
    pub counted: Counted,
    /// Only what it keeps.
    pub preset: Option<Preset>,
    /// Only this sport, by its key.
    pub sport: Option<String>,
}

/// Signals that belong together.
#[derive(Clone, PartialEq, Debug)]
pub struct GroupRow {
    /// For people.
    pub title: String,
    /// How far it has proven itself.
    pub tier: RecordTier,
    /// What its signals were worth.
    pub stats: Stats,
    /// Places of its records in [`View::rows`].
    pub rows: Range<usize>,
}

/// All of the page.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct View {
    /// What was asked.
    pub choice: Choice,
    /// What became of alerts, where any were sent: all of them, then by rule and by type.
    pub alerts: Arc<Vec<quality::Row>>,
    /// Records by group, the newest of each first.
    pub rows: Vec<ClvRow>,
    /// By the order of their keys.
    pub groups: Vec<GroupRow>,
    /// Of all groups together.
    pub total: Stats,
    /// Counted signals by their CLV in steps of one percent from -10 to +10; the outer ones hold all beyond.
    pub values: [u32; 20],
    /// Games by the share of their counted signals that are positive, in steps of ten percent.
    pub games: [u32; 10],
    /// By local day, newest first.
    pub days: Vec<RecapRow>,
    /// By week, newest first.
    pub weeks: Vec<RecapRow>,
    /// Graded signals before anything was chosen.
    pub of: usize,
}

/// The local day of an instant.
pub fn day(zone: Zone, at: Timestamp) -> NaiveDate {
    at.to_chrono().with_timezone(&zone.0).date_naive()
}

/// Works it out. `until` is the moment on show.
pub fn view(all: &[ClvRow], choice: &Choice, zone: Zone, until: Timestamp) -> View {
    let filter = Filter { grades: choice.counted.grades(), preset: choice.preset, min_samples: Some(0) };
    let today = day(zone, until);
    let from = match choice.period {
        Period::All => None,
        Period::Month => today.checked_sub_days(chrono::Days::new(29)),
        Period::Week => today.checked_sub_days(chrono::Days::new(6)),
        Period::Today => Some(today),
    };
    let keeps = |r: &&ClvRow| {
        filter.keeps(r)
            && choice.sport.as_ref().is_none_or(|s| *s == r.sport)
            && from.is_none_or(|from| day(zone, r.start) >= from)
    };
    let mut rows: Vec<(String, String, ClvRow)> = all
        .iter()
        .filter(keeps)
        .map(|r| {
            let (key, title) = key(choice.group, r);
            (key, title, r.clone())
        })
        .collect();
    rows.sort_by(|a, b| {
        a.0.cmp(&b.0)
            .then_with(|| b.2.detected_at.cmp(&a.2.detected_at))
            .then_with(|| a.2.signal_id.cmp(&b.2.signal_id))
    });
    let mut spans: Vec<(String, Range<usize>)> = Vec::new();
    for chunk in rows.chunk_by(|a, b| a.0 == b.0) {
        let start = spans.last().map_or(0, |s| s.1.end);
        let title = chunk.first().map_or_else(String::new, |c| c.1.clone());
        spans.push((title, start..start + chunk.len()));
    }
    let rows: Vec<ClvRow> = rows.into_iter().map(|r| r.2).collect();
    let groups = spans
        .into_iter()
        .map(|(title, span)| {
            let stats = stats(rows.get(span.clone()).unwrap_or_default(), &filter);
            GroupRow { title, tier: RecordTier::of(&stats), stats, rows: span }
        })
        .collect();
    let total = stats(&rows, &filter);
    let (values, games) = distributions(&rows, filter.grades);
    let of_day = |at| day(zone, at);
    let days = recap(&rows, Grain::Day, &filter, of_day);
    let weeks = recap(&rows, Grain::Week, &filter, of_day);
    View {
        alerts: Arc::default(),
        choice: choice.clone(),
        groups,
        total,
        values,
        games,
        days,
        weeks,
        of: all.len(),
        rows,
    }
}

/// The statistics of these rows together: a recap of a single day.
fn stats(rows: &[ClvRow], filter: &Filter) -> Stats {
    recap(rows, Grain::Day, filter, |_| NaiveDate::MIN).pop().map_or_else(Stats::default, |r| r.stats)
}

/// The key by which a group is sorted, and its title.
fn key(group: Group, r: &ClvRow) -> (String, String) {
    match group {
        Group::Kind => (format!("{:02}", r.kind.number()), row::kind(r.kind).to_owned()),
        Group::Market => (r.market.clone(), crate::board::format::market_title(&r.market)),
        Group::Bucket => (format!("{:02}", r.time_bucket as u8), bucket(r.time_bucket).to_owned()),
        Group::Book => match &r.entry {
            Some(entry) => (entry.book.clone(), row::book_title(&entry.book)),
            None => ("~".to_owned(), "no entry".to_owned()),
        },
        Group::Sport => (r.sport.clone(), Sports::embedded().resolve(&r.sport).short),
    }
}

const fn bucket(bucket: crate::market::bucket::TimeBucket) -> &'static str {
    use crate::market::bucket::TimeBucket as B;
    match bucket {
        B::Unknown => "start unknown",
        B::Open => "over 6 h",
        B::Mid => "2 to 6 h",
        B::Late => "30 min to 2 h",
        B::PreTip => "last 30 min",
        B::InPlay => "in play",
    }
}

/// The CLV of a row that counts.
pub fn counted(row: &ClvRow, grades: Grades) -> Option<f64> {
    let asked = row.left_out.is_none() && row.close.grade.is_some_and(|g| grades.has(g));
    row.clv_ev.filter(|v| asked && v.is_finite())
}

fn distributions(rows: &[ClvRow], grades: Grades) -> ([u32; 20], [u32; 10]) {
    let (mut values, mut games) = ([0; 20], [0; 10]);
    let mut by_game: FxHashMap<EventId, (u32, u32)> = FxHashMap::default();
    for row in rows {
        let Some(value) = counted(row, grades) else { continue };
        let at = ((value * 100.0).floor() + 10.0).clamp(0.0, 19.0) as usize;
        if let Some(bin) = values.get_mut(at) {
            *bin += 1;
        }
        let game = by_game.entry(row.event_id).or_default();
        game.0 += u32::from(Sign::of(value) == Sign::Positive);
        game.1 += 1;
    }
    // Only counts come out, so the order of the games does not matter.
    for (positive, all) in by_game.values() {
        let at = (f64::from(*positive) / f64::from(*all) * 10.0).floor().clamp(0.0, 9.0) as usize;
        if let Some(bin) = games.get_mut(at) {
            *bin += 1;
        }
    }
    (values, games)
}

/// Why a row has no part: in words, empty where it has one.
pub fn left_out(row: &ClvRow, counted: Counted) -> String {
    use crate::engine::explain::words;
    match (row.left_out, row.close.reason) {
        (Some(_), Some(why)) => words::no_close(why).to_owned(),
        (Some(why), None) => words::no_clv(why).to_owned(),
        (None, _) => match row.close.grade {
            Some(grade) if !counted.grades().has(grade) => {
                format!("a close of grade {} is not asked for", grade.name())
            }
            _ => String::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::detect::signal::{SignalType, Tier};
    use crate::engine::grade::clv::{CloseSide, NoClv};
    use crate::market::bucket::TimeBucket;

    pub fn graded(id: u32, event: u32, kind: SignalType, clv: Option<f64>) -> ClvRow {
        let at = Timestamp::parse("2026-11-20T22:00:00Z").expect("time");
        ClvRow {
            signal_id: format!("s{id}"),
            version: 1,
            kind,
            event_id: EventId(event),
            sport: "basketball_nba".into(),
            market: "spreads".into(),
            selection: "Gulls".into(),
            side: Some("home".into()),
            entry: None,
            close: CloseSide {
                line: Some(-3.5),
                price: None,
                fair_probability: None,
                grade: clv.map(|_| Grade::A),
                reason: None,
            },
            clv_ev: clv,
            clv_points: None,
            clv_price: None,
            fair_to_fair: None,
            left_out: clv.is_none().then_some(NoClv::NoEntry),
            detected_at: at.plus(i64::from(id)),
            start: at.plus(3_600_000),
            time_bucket: TimeBucket::Late,
            strength: 70,
            composite: 60,
            tier: Tier::Medium,
            books_affected: 4,
            dispersion: None,
            window_minutes: 10.0,
            graded_at: at.plus(7_200_000),
        }
    }

    fn rows() -> Vec<ClvRow> {
        vec![
            graded(1, 1, SignalType::Steam, Some(0.02)),
            graded(2, 1, SignalType::Steam, Some(-0.015)),
            graded(3, 2, SignalType::Move, Some(0.25)),
            graded(4, 2, SignalType::Move, None),
        ]
    }

    #[test]
    fn every_record_is_in_one_group_and_groups_add_up() {
        let at = Timestamp::parse("2026-11-21T04:00:00Z").expect("time");
        for group in Group::ALL {
            let view = view(&rows(), &Choice { group: *group, ..Choice::default() }, Zone::default(), at);
            assert_eq!(view.groups.iter().map(|g| g.rows.len()).sum::<usize>(), view.rows.len());
            assert_eq!(view.groups.iter().map(|g| g.stats.graded).sum::<u32>(), view.total.graded);
            assert_eq!((view.total.signals, view.total.graded, view.total.events), (4, 3, 2));
            assert_eq!(view.values.iter().sum::<u32>(), 3);
            assert_eq!(view.games.iter().sum::<u32>(), 2);
        }
        let view = view(&rows(), &Choice::default(), Zone::default(), at);
        let titles: Vec<_> = view.groups.iter().map(|g| (g.title.as_str(), g.rows.clone())).collect();
        assert_eq!(titles, [("MOVE", 0..2), ("STEAM", 2..4)]);
        assert_eq!((view.values[8], view.values[12], view.values[19]), (1, 1, 1), "beyond is at the edge");
        assert_eq!((view.games[5], view.games[9]), (1, 1));
    }

    #[test]
    fn days_are_the_users() {
        // 23:00 UTC on the 20th is the 21st in Tokyo.
        let zone = Zone::parse("Asia/Tokyo").expect("zone");
        let at = Timestamp::parse("2026-11-21T04:00:00Z").expect("time");
        let today = Choice { period: Period::Today, ..Choice::default() };
        assert_eq!(view(&rows(), &today, zone, at).rows.len(), 4);
        assert_eq!(view(&rows(), &today, Zone::default(), at).rows.len(), 0);
        let days = view(&rows(), &Choice::default(), zone, at).days;
        assert_eq!(days.iter().map(|d| d.from.to_string()).collect::<Vec<_>>(), ["2026-11-21"]);
    }

    #[test]
    fn what_has_no_part_says_why() {
        let all = rows();
        assert_eq!(left_out(&all[0], Counted::Good), "");
        assert!(left_out(&all[3], Counted::Good).contains("nobody offered"));
        let thin = ClvRow { close: CloseSide { grade: Some(Grade::C), ..all[0].close.clone() }, ..all[0].clone() };
        assert!(left_out(&thin, Counted::Good).contains("grade C"));
        assert_eq!(left_out(&thin, Counted::All), "");
    }
}
