//! What the exchange calls leagues and teams: ids of series and tags, short names and codes of tickers.
//!
//! Names follow the exchange's manner (`Celtics`, `bos`), which is not that of the sportsbook feed: telling that both
//! mean one team is the reader's work. The ids look like real ones and are not to be relied on.

use super::super::sports::SportProfile;

/// Tag of everything that is a sport.
pub const SPORTS_TAG: u32 = 1;
/// Tag of single games, as against futures.
pub const GAMES_TAG: u32 = 100_639;

/// A league on the exchange.
#[derive(Debug)]
pub struct League {
    /// Sport key of the sportsbook feed.
    pub sport: &'static str,
    /// Code in `/sports` and in tickers.
    pub code: &'static str,
    /// Name.
    pub title: &'static str,
    /// Id of its series.
    pub series: u32,
    /// Id of its tag.
    pub tag: u32,
    /// `home` or `away`: who comes first in titles, tickers and outcomes.
    pub first: &'static str,
    /// Where results are looked up.
    pub source: &'static str,
}

/// Every league that the exchange lists.
pub const LEAGUES: &[League] = &[
    League {
        sport: "basketball_nba",
        code: "nba",
        title: "NBA",
        series: 10_345,
        tag: 745,
        first: "away",
        source: "https://www.nba.com/",
    },
    League {
        sport: "americanfootball_nfl",
        code: "nfl",
        title: "NFL",
        series: 10_187,
        tag: 450,
        first: "away",
        source: "https://www.nfl.com/",
    },
    League {
        sport: "baseball_mlb",
        code: "mlb",
        title: "MLB",
        series: 3,
        tag: 100_381,
        first: "away",
        source: "https://www.mlb.com/",
    },
    League {
        sport: "icehockey_nhl",
        code: "nhl",
        title: "NHL",
        series: 10_346,
        tag: 899,
        first: "away",
        source: "https://www.nhl.com/",
    },
    League {
        sport: "soccer_epl",
        code: "epl",
        title: "Premier League",
        series: 10_188,
        tag: 306,
        first: "home",
        source: "https://www.premierleague.com/",
    },
    League {
        sport: "basketball_ncaab",
        code: "cbb",
        title: "NCAA Basketball",
        series: 39,
        tag: 101_178,
        first: "away",
        source: "https://www.ncaa.com/",
    },
];

/// The league of a sport.
pub fn league(sport: &SportProfile) -> Option<&'static League> {
    LEAGUES.iter().find(|l| l.sport == sport.key)
}

/// Codes that do not follow from the name, by league and team. NBA and NFL codes are those of recorded tickers.
const CODES: &[(&str, &[(&str, &str)])] = &[
    (
        "nba",
        &[
            ("Brooklyn Nets", "bkn"),
            ("Golden State Warriors", "gsw"),
            ("Los Angeles Clippers", "lac"),
            ("Los Angeles Lakers", "lal"),
            ("New Orleans Pelicans", "nop"),
            ("New York Knicks", "nyk"),
            ("Oklahoma City Thunder", "okc"),
            ("Phoenix Suns", "phx"),
            ("San Antonio Spurs", "sas"),
        ],
    ),
    (
        "nfl",
        &[
            ("Green Bay Packers", "gb"),
            ("Jacksonville Jaguars", "jax"),
            ("Kansas City Chiefs", "kc"),
            ("Las Vegas Raiders", "lv"),
            ("Los Angeles Chargers", "lac"),
            ("Los Angeles Rams", "la"),
            ("New England Patriots", "ne"),
            ("New Orleans Saints", "no"),
            ("New York Giants", "nyg"),
            ("New York Jets", "nyj"),
            ("San Francisco 49ers", "sf"),
            ("Tampa Bay Buccaneers", "tb"),
        ],
    ),
    (
        "mlb",
        &[
            ("Athletics", "ath"),
            ("Chicago Cubs", "chc"),
            ("Chicago White Sox", "cws"),
            ("Kansas City Royals", "kc"),
            ("Los Angeles Angels", "laa"),
            ("Los Angeles Dodgers", "lad"),
            ("New York Mets", "nym"),
            ("New York Yankees", "nyy"),
            ("San Diego Padres", "sd"),
            ("San Francisco Giants", "sf"),
            ("St. Louis Cardinals", "stl"),
            ("Tampa Bay Rays", "tb"),
            ("Arizona Diamondbacks", "az"),
        ],
    ),
    (
        "nhl",
        &[
            ("Columbus Blue Jackets", "cbj"),
            ("Los Angeles Kings", "lak"),
            ("Montréal Canadiens", "mon"),
            ("New Jersey Devils", "njd"),
            ("New York Islanders", "nyi"),
            ("New York Rangers", "nyr"),
            ("San Jose Sharks", "sjs"),
            ("St Louis Blues", "stl"),
            ("Tampa Bay Lightning", "tbl"),
            ("Vegas Golden Knights", "las"),
        ],
    ),
    (
        "epl",
        &[
            ("Aston Villa", "ast"),
            ("Crystal Palace", "cry"),
            ("Manchester City", "mac"),
            ("Manchester United", "mun"),
            ("Nottingham Forest", "not"),
            ("West Ham United", "wes"),
        ],
    ),
    (
        "cbb",
        &[
            ("Arizona St Sun Devils", "arzst"),
            ("Florida St Seminoles", "flst"),
            ("Georgetown Hoyas", "gtwn"),
            ("Georgia Bulldogs", "uga"),
            ("Iowa State Cyclones", "iowast"),
            ("Kansas Jayhawks", "ku"),
            ("Kansas St Wildcats", "kst"),
            ("Kentucky Wildcats", "uk"),
            ("Miami Hurricanes", "miami"),
            ("Michigan St Spartans", "michst"),
            ("Mississippi St Bulldogs", "mst"),
            ("North Carolina Tar Heels", "unc"),
            ("NC State Wolfpack", "ncst"),
            ("Notre Dame Fighting Irish", "nd"),
            ("Ohio State Buckeyes", "osu"),
            ("Ole Miss Rebels", "miss"),
            ("Penn State Nittany Lions", "psu"),
            ("San Diego St Aztecs", "sdst"),
            ("Seton Hall Pirates", "hall"),
            ("St. John's Red Storm", "john"),
            ("Texas A&M Aggies", "txam"),
        ],
    ),
];

/// Nicknames of two words; the others are the last word of the name.
const LONG_NICKNAMES: &[&str] = &[
    "Trail Blazers",
    "Red Sox",
    "White Sox",
    "Blue Jays",
    "Blue Jackets",
    "Red Wings",
    "Maple Leafs",
    "Golden Knights",
    // College nicknames are cut off, and the school stays.
    "Crimson Tide",
    "Sun Devils",
    "Golden Bears",
    "Blue Devils",
    "Fighting Illini",
    "Golden Eagles",
    "Golden Gophers",
    "Tar Heels",
    "Fighting Irish",
    "Nittany Lions",
    "Scarlet Knights",
    "Red Storm",
];

/// The name of a team on the exchange: the nickname in the American leagues, the school in college sports, a name with
/// a suffix here and there in soccer.
pub fn short_name(league: &League, team: &str) -> String {
    let nickname = LONG_NICKNAMES.iter().find(|n| team.ends_with(**n)).copied();
    let nickname = nickname.or_else(|| team.rsplit(' ').next()).unwrap_or(team);
    match league.code {
        "epl" => match team {
            "Brighton and Hove Albion" => "Brighton & Hove Albion FC".to_owned(),
            "Bournemouth" => "AFC Bournemouth".to_owned(),
            "Sunderland" => "Sunderland AFC".to_owned(),
            name => format!("{name} FC"),
        },
        "cbb" => {
            let school = team.strip_suffix(nickname).map_or(team, str::trim);
            school.strip_suffix(" St").map_or_else(|| school.to_owned(), |s| format!("{s} State"))
        }
        _ => nickname.to_owned(),
    }
}

/// The code of a team in tickers.
pub fn team_code(league: &League, team: &str) -> String {
    let known = CODES.iter().find(|(code, _)| *code == league.code).map_or(&[][..], |(_, teams)| *teams);
    if let Some((_, code)) = known.iter().find(|(name, _)| *name == team) {
        return (*code).to_owned();
    }
    let (name, length) = if league.code == "cbb" { (short_name(league, team), 5) } else { (team.to_owned(), 3) };
    name.chars().filter(char::is_ascii_alphabetic).take(length).collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::super::sports::SPORTS;
    use super::*;

    #[test]
    fn every_sport_has_a_league_and_every_team_a_code_of_its_own() {
        for sport in SPORTS {
            let league = league(sport).expect(sport.key);
            let mut codes: Vec<String> = sport.teams.iter().map(|t| team_code(league, t)).collect();
            let mut names: Vec<String> = sport.teams.iter().map(|t| short_name(league, t)).collect();
            for list in [&mut codes, &mut names] {
                let n = list.len();
                list.sort();
                list.dedup();
                assert_eq!(list.len(), n, "{}: {list:?}", league.code);
                assert!(list.iter().all(|c| !c.is_empty()));
            }
        }
    }

    #[test]
    fn names_are_short() {
        let of = |sport: &str, team| {
            let league = LEAGUES.iter().find(|l| l.sport == sport).expect(sport);
            (short_name(league, team), team_code(league, team))
        };
        assert_eq!(of("basketball_nba", "Boston Celtics"), ("Celtics".into(), "bos".into()));
        assert_eq!(of("basketball_nba", "Portland Trail Blazers"), ("Trail Blazers".into(), "por".into()));
        assert_eq!(of("baseball_mlb", "Chicago White Sox"), ("White Sox".into(), "cws".into()));
        assert_eq!(of("basketball_ncaab", "Iowa State Cyclones"), ("Iowa State".into(), "iowast".into()));
        assert_eq!(of("basketball_ncaab", "Kansas St Wildcats").0, "Kansas State");
        assert_eq!(of("soccer_epl", "Arsenal"), ("Arsenal FC".into(), "ars".into()));
    }
}
