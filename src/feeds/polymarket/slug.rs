//! What the slug of a game says: league, the codes of both teams, the league's local date, and what follows.

use chrono::NaiveDate;

use crate::market::line::Line;

/// The kind of market that a slug's prefix names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SlugKind {
    /// `aec-`: who wins; Yes is the team named first.
    Winner,
    /// `asc-`: the team named first covers a spread.
    Spread,
    /// `tsc-`: more points than a total.
    Total,
}

/// The slug of a game or of a market of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GameSlug {
    /// The kind of market, where the slug has a prefix for it.
    pub kind: Option<SlugKind>,
    /// The league's short name, such as `nba`.
    pub league: String,
    /// The codes between league and date. Two for most games: the away team's and the home team's in US leagues. More
    /// when a code holds a hyphen.
    pub codes: Vec<String>,
    /// The league's local date of the game.
    pub date: NaiveDate,
    /// What follows the date, such as `neg-10pt5` or `v2`.
    pub rest: String,
}

impl GameSlug {
    /// Reads a slug; `None` when it is not of a game.
    pub fn parse(slug: &str) -> Option<Self> {
        let slug = slug.to_ascii_lowercase();
        let parts: Vec<&str> = slug.split('-').collect();
        let number = |part: Option<&&str>, len: usize| -> Option<u32> {
            part.filter(|p| p.len() == len && p.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
        };
        let (at, date) = (2..parts.len()).find_map(|i| {
            let (y, m, d) = (number(parts.get(i), 4)?, number(parts.get(i + 1), 2)?, number(parts.get(i + 2), 2)?);
            Some((i, NaiveDate::from_ymd_opt(i32::try_from(y).ok()?, m, d)?))
        })?;
        let (kind, from) = match *parts.first()? {
            "aec" => (Some(SlugKind::Winner), 1),
            "asc" => (Some(SlugKind::Spread), 1),
            "tsc" => (Some(SlugKind::Total), 1),
            _ => (None, 0),
        };
        let league = (*parts.get(from)?).to_owned();
        let codes: Vec<String> = parts.get(from + 1..at)?.iter().map(|p| (*p).to_owned()).collect();
        let rest = parts.get(at + 3..).unwrap_or_default().join("-");
        let sound = !league.is_empty() && codes.len() >= 2 && codes.iter().all(|c| !c.is_empty());
        sound.then_some(Self { kind, league, codes, date, rest })
    }

    /// Both codes, where there is no doubt where one ends.
    pub fn pair(&self) -> Option<(&str, &str)> {
        match self.codes.as_slice() {
            [first, second] => Some((first, second)),
            _ => None,
        }
    }

    /// The slug of the game itself, without what follows the date.
    pub fn game(&self) -> String {
        format!("{}-{}-{}", self.league, self.codes.join("-"), self.date)
    }

    /// The points at the end, such as 10.5 of `neg-10pt5`, with their sign where the slug tells one.
    pub fn points(&self) -> Option<SlugPoints> {
        points(&self.rest)
    }
}

/// Points in a slug.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlugPoints {
    /// The points, positive.
    pub size: Line,
    /// `Some(true)` for `neg`, `Some(false)` for `pos`.
    pub negative: Option<bool>,
}

/// The points at the end of a slug or of a part of it.
pub fn points(slug: &str) -> Option<SlugPoints> {
    let mut parts = slug.rsplit('-');
    let (whole, part) = parts.next()?.split_once("pt")?;
    let digits = |t: &str| !t.is_empty() && t.len() <= 4 && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return None;
    }
    let size = Line::from_points(format!("{whole}.{part}").parse().ok()?)?;
    let negative = match parts.next() {
        Some("neg") => Some(true),
        Some("pos") => Some(false),
        _ => None,
    };
    Some(SlugPoints { size, negative })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slugs_of_games() {
        let s = GameSlug::parse("nba-gsw-phx-2026-02-05").unwrap();
        assert_eq!((s.kind, s.league.as_str(), s.pair()), (None, "nba", Some(("gsw", "phx"))));
        let s = GameSlug::parse("asc-wnba-dal-wsh-2026-08-05-neg-10pt5").unwrap();
        assert_eq!((s.kind, s.pair(), s.rest.as_str()), (Some(SlugKind::Spread), Some(("dal", "wsh")), "neg-10pt5"));
        assert_eq!(s.points(), Some(SlugPoints { size: Line::from_points(10.5).unwrap(), negative: Some(true) }));
        assert_eq!(s.game(), "wnba-dal-wsh-2026-08-05");
        let s = GameSlug::parse("cbb-m-oh-akrn-2025-03-15").unwrap();
        assert_eq!((s.pair(), s.codes.len()), (None, 3));
        for none in
            ["", "nba", "nfl-houston-texans", "nba-a-b-2026-13-01", "btc-updown-5m-1773307200", "nba-2026-02-05"]
        {
            assert_eq!(GameSlug::parse(none), None, "{none}");
        }
        assert_eq!(points("cs2-faze-ill-2026-04-05-map-handicap-away-1pt5").unwrap().negative, None);
        assert_eq!(points("x-10"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,60}|[a-z]{1,4}(-[a-z0-9]{1,4}){0,8}") {
            let _ = (GameSlug::parse(&text), points(&text));
        }
    }
}
