//! The simulated sports: teams, how games spread, how long they last.
//!
//! Parameters are round figures that look right on a board; the research models have their own.

/// How a book sets the spread.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum SpreadStyle {
    /// The line moves with the market in steps of half a point.
    Free,
    /// The line stands at this many points on the favourite and only the price moves.
    Fixed(f64),
}

/// One sport.
pub struct SportProfile {
    /// Key on the wire.
    pub key: &'static str,
    /// Group in the list of sports.
    pub group: &'static str,
    /// Display name.
    pub title: &'static str,
    /// Long name.
    pub description: &'static str,
    /// Teams.
    pub teams: &'static [&'static str],
    /// Points by which the home side is favoured among equals.
    pub home_edge: f64,
    /// Deviation of the difference in strength between two teams, points.
    pub strength: f64,
    /// Mean total.
    pub total: f64,
    /// Deviation of totals between games.
    pub total_spread: f64,
    /// Deviation of the final margin around its expectation.
    pub sd_margin: f64,
    /// Deviation of the final total around its expectation.
    pub sd_total: f64,
    /// Spread style.
    pub style: SpreadStyle,
    /// A draw is a result of its own.
    pub draw: bool,
    /// Real minutes from the first whistle to the last.
    pub minutes: i64,
    /// Points of one score, with weights.
    pub scores: &'static [(i32, f64)],
    /// Has rotation numbers.
    pub rotation: bool,
    /// Player propositions: market key, lowest and highest line.
    pub props: &'static [(&'static str, f64, f64)],
}

impl SportProfile {
    /// How much likelier a margin of `k` points is than a smooth curve says.
    pub fn margin_weight(&self, k: i32) -> f64 {
        match (self.group, k.abs()) {
            ("American Football", k) => match k {
                0 => 0.05,
                3 => 3.4,
                7 => 2.4,
                6 | 10 | 14 => 1.6,
                4 | 17 => 1.3,
                1 | 2 | 8 => 0.9,
                _ => 0.75,
            },
            ("Basketball", 0) | ("Baseball", 0) | ("Ice Hockey", 0) => 0.0,
            ("Baseball", 1) => 1.6,
            ("Ice Hockey", 1) => 1.7,
            ("Soccer", 0) => 1.15,
            _ => 1.0,
        }
    }
}

/// Every sport.
pub const SPORTS: &[SportProfile] = &[
    SportProfile {
        key: "basketball_nba",
        group: "Basketball",
        title: "NBA",
        description: "US Basketball",
        teams: NBA,
        home_edge: 2.2,
        strength: 5.5,
        total: 226.0,
        total_spread: 6.0,
        sd_margin: 12.0,
        sd_total: 18.0,
        style: SpreadStyle::Free,
        draw: false,
        minutes: 145,
        scores: &[(2, 0.55), (3, 0.25), (1, 0.2)],
        rotation: true,
        props: &[("player_points", 11.5, 31.5), ("player_rebounds", 3.5, 12.5), ("player_assists", 2.5, 10.5)],
    },
    SportProfile {
        key: "americanfootball_nfl",
        group: "American Football",
        title: "NFL",
        description: "US Football",
        teams: NFL,
        home_edge: 1.7,
        strength: 4.5,
        total: 44.5,
        total_spread: 3.0,
        sd_margin: 13.0,
        sd_total: 13.5,
        style: SpreadStyle::Free,
        draw: false,
        minutes: 190,
        scores: &[(7, 0.55), (3, 0.4), (8, 0.05)],
        rotation: true,
        props: &[("player_pass_yds", 189.5, 289.5), ("player_rush_yds", 39.5, 89.5), ("player_receptions", 2.5, 7.5)],
    },
    SportProfile {
        key: "baseball_mlb",
        group: "Baseball",
        title: "MLB",
        description: "Major League Baseball",
        teams: MLB,
        home_edge: 0.2,
        strength: 0.9,
        total: 8.4,
        total_spread: 0.8,
        sd_margin: 4.2,
        sd_total: 4.4,
        style: SpreadStyle::Fixed(1.5),
        draw: false,
        minutes: 165,
        scores: &[(1, 0.75), (2, 0.18), (4, 0.07)],
        rotation: true,
        props: &[("pitcher_strikeouts", 3.5, 8.5), ("batter_hits", 0.5, 1.5), ("batter_total_bases", 0.5, 2.5)],
    },
    SportProfile {
        key: "icehockey_nhl",
        group: "Ice Hockey",
        title: "NHL",
        description: "US Ice Hockey",
        teams: NHL,
        home_edge: 0.2,
        strength: 0.5,
        total: 6.1,
        total_spread: 0.35,
        sd_margin: 2.4,
        sd_total: 2.4,
        style: SpreadStyle::Fixed(1.5),
        draw: false,
        minutes: 155,
        scores: &[(1, 1.0)],
        rotation: true,
        props: &[("player_shots_on_goal", 1.5, 4.5), ("player_points", 0.5, 1.5), ("player_total_saves", 22.5, 29.5)],
    },
    SportProfile {
        key: "soccer_epl",
        group: "Soccer",
        title: "EPL",
        description: "English Premier League",
        teams: EPL,
        home_edge: 0.3,
        strength: 0.8,
        total: 2.8,
        total_spread: 0.25,
        sd_margin: 1.7,
        sd_total: 1.65,
        style: SpreadStyle::Free,
        draw: true,
        minutes: 113,
        scores: &[(1, 1.0)],
        rotation: false,
        props: &[("player_shots_on_target", 0.5, 2.5)],
    },
    SportProfile {
        key: "basketball_ncaab",
        group: "Basketball",
        title: "NCAAB",
        description: "US College Basketball",
        teams: NCAAB,
        home_edge: 3.2,
        strength: 7.5,
        total: 146.0,
        total_spread: 7.0,
        sd_margin: 11.0,
        sd_total: 16.0,
        style: SpreadStyle::Free,
        draw: false,
        minutes: 125,
        scores: &[(2, 0.55), (3, 0.25), (1, 0.2)],
        rotation: true,
        props: &[("player_points", 9.5, 22.5)],
    },
];

/// The sport of a key.
pub fn sport(key: &str) -> Option<&'static SportProfile> {
    SPORTS.iter().find(|s| s.key == key)
}

const NBA: &[&str] = &[
    "Atlanta Hawks",
    "Boston Celtics",
    "Brooklyn Nets",
    "Charlotte Hornets",
    "Chicago Bulls",
    "Cleveland Cavaliers",
    "Dallas Mavericks",
    "Denver Nuggets",
    "Detroit Pistons",
    "Golden State Warriors",
    "Houston Rockets",
    "Indiana Pacers",
    "Los Angeles Clippers",
    "Los Angeles Lakers",
    "Memphis Grizzlies",
    "Miami Heat",
    "Milwaukee Bucks",
    "Minnesota Timberwolves",
    "New Orleans Pelicans",
    "New York Knicks",
    "Oklahoma City Thunder",
    "Orlando Magic",
    "Philadelphia 76ers",
    "Phoenix Suns",
    "Portland Trail Blazers",
    "Sacramento Kings",
    "San Antonio Spurs",
    "Toronto Raptors",
    "Utah Jazz",
    "Washington Wizards",
];

const NFL: &[&str] = &[
    "Arizona Cardinals",
    "Atlanta Falcons",
    "Baltimore Ravens",
    "Buffalo Bills",
    "Carolina Panthers",
    "Chicago Bears",
    "Cincinnati Bengals",
    "Cleveland Browns",
    "Dallas Cowboys",
    "Denver Broncos",
    "Detroit Lions",
    "Green Bay Packers",
    "Houston Texans",
    "Indianapolis Colts",
    "Jacksonville Jaguars",
    "Kansas City Chiefs",
    "Las Vegas Raiders",
    "Los Angeles Chargers",
    "Los Angeles Rams",
    "Miami Dolphins",
    "Minnesota Vikings",
    "New England Patriots",
    "New Orleans Saints",
    "New York Giants",
    "New York Jets",
    "Philadelphia Eagles",
    "Pittsburgh Steelers",
    "San Francisco 49ers",
    "Seattle Seahawks",
    "Tampa Bay Buccaneers",
    "Tennessee Titans",
    "Washington Commanders",
];

const MLB: &[&str] = &[
    "Arizona Diamondbacks",
    "Athletics",
    "Atlanta Braves",
    "Baltimore Orioles",
    "Boston Red Sox",
    "Chicago Cubs",
    "Chicago White Sox",
    "Cincinnati Reds",
    "Cleveland Guardians",
    "Colorado Rockies",
    "Detroit Tigers",
    "Houston Astros",
    "Kansas City Royals",
    "Los Angeles Angels",
    "Los Angeles Dodgers",
    "Miami Marlins",
    "Milwaukee Brewers",
    "Minnesota Twins",
    "New York Mets",
    "New York Yankees",
    "Philadelphia Phillies",
    "Pittsburgh Pirates",
    "San Diego Padres",
    "San Francisco Giants",
    "Seattle Mariners",
    "St. Louis Cardinals",
    "Tampa Bay Rays",
    "Texas Rangers",
    "Toronto Blue Jays",
    "Washington Nationals",
];

const NHL: &[&str] = &[
    "Anaheim Ducks",
    "Boston Bruins",
    "Buffalo Sabres",
    "Calgary Flames",
    "Carolina Hurricanes",
    "Chicago Blackhawks",
    "Colorado Avalanche",
    "Columbus Blue Jackets",
    "Dallas Stars",
    "Detroit Red Wings",
    "Edmonton Oilers",
    "Florida Panthers",
    "Los Angeles Kings",
    "Minnesota Wild",
    "Montréal Canadiens",
    "Nashville Predators",
    "New Jersey Devils",
    "New York Islanders",
    "New York Rangers",
    "Ottawa Senators",
    "Philadelphia Flyers",
    "Pittsburgh Penguins",
    "San Jose Sharks",
    "Seattle Kraken",
    "St Louis Blues",
    "Tampa Bay Lightning",
    "Toronto Maple Leafs",
    "Utah Mammoth",
    "Vancouver Canucks",
    "Vegas Golden Knights",
    "Washington Capitals",
    "Winnipeg Jets",
];

const EPL: &[&str] = &[
    "Arsenal",
    "Aston Villa",
    "Bournemouth",
    "Brentford",
    "Brighton and Hove Albion",
    "Burnley",
    "Chelsea",
    "Crystal Palace",
    "Everton",
    "Fulham",
    "Leeds United",
    "Liverpool",
    "Manchester City",
    "Manchester United",
    "Newcastle United",
    "Nottingham Forest",
    "Sunderland",
    "Tottenham Hotspur",
    "West Ham United",
    "Wolverhampton Wanderers",
];

const NCAAB: &[&str] = &[
    "Alabama Crimson Tide",
    "Arizona Wildcats",
    "Arizona St Sun Devils",
    "Arkansas Razorbacks",
    "Auburn Tigers",
    "Baylor Bears",
    "BYU Cougars",
    "Butler Bulldogs",
    "California Golden Bears",
    "Cincinnati Bearcats",
    "Clemson Tigers",
    "Colorado Buffaloes",
    "Creighton Bluejays",
    "Dayton Flyers",
    "Duke Blue Devils",
    "Florida Gators",
    "Florida St Seminoles",
    "Georgetown Hoyas",
    "Georgia Bulldogs",
    "Gonzaga Bulldogs",
    "Houston Cougars",
    "Illinois Fighting Illini",
    "Indiana Hoosiers",
    "Iowa Hawkeyes",
    "Iowa State Cyclones",
    "Kansas Jayhawks",
    "Kansas St Wildcats",
    "Kentucky Wildcats",
    "Louisville Cardinals",
    "LSU Tigers",
    "Marquette Golden Eagles",
    "Maryland Terrapins",
    "Memphis Tigers",
    "Miami Hurricanes",
    "Michigan Wolverines",
    "Michigan St Spartans",
    "Minnesota Golden Gophers",
    "Mississippi St Bulldogs",
    "Missouri Tigers",
    "Nebraska Cornhuskers",
    "North Carolina Tar Heels",
    "NC State Wolfpack",
    "Northwestern Wildcats",
    "Notre Dame Fighting Irish",
    "Ohio State Buckeyes",
    "Oklahoma Sooners",
    "Ole Miss Rebels",
    "Oregon Ducks",
    "Penn State Nittany Lions",
    "Pittsburgh Panthers",
    "Providence Friars",
    "Purdue Boilermakers",
    "Rutgers Scarlet Knights",
    "San Diego St Aztecs",
    "Seton Hall Pirates",
    "St. John's Red Storm",
    "Stanford Cardinal",
    "Syracuse Orange",
    "Tennessee Volunteers",
    "Texas Longhorns",
    "Texas A&M Aggies",
    "UCLA Bruins",
    "UConn Huskies",
    "Villanova Wildcats",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rosters_are_even_and_without_doubles() {
        for s in SPORTS {
            assert_eq!(s.teams.len() % 2, 0, "{}", s.key);
            for (i, t) in s.teams.iter().enumerate() {
                assert!(!s.teams[..i].contains(t), "{t}");
            }
        }
    }
}
