//! Which of our sports a league of Polymarket is, and the team codes that differ from ours.
//!
//! Owns two small tables. Series and tags are not in them: those change by season and are read at run time.

/// Leagues by their short name at Polymarket (in the sports listing and in front of slugs), with our sport keys.
const LEAGUES: [(&str, &str); 30] = [
    ("nba", "basketball_nba"),
    ("wnba", "basketball_wnba"),
    ("cbb", "basketball_ncaab"),
    ("ncaab", "basketball_ncaab"),
    ("cwbb", "basketball_wncaab"),
    ("nfl", "americanfootball_nfl"),
    ("cfb", "americanfootball_ncaaf"),
    ("ncaaf", "americanfootball_ncaaf"),
    ("mlb", "baseball_mlb"),
    ("kbo", "baseball_kbo"),
    ("npb", "baseball_npb"),
    ("nhl", "icehockey_nhl"),
    ("epl", "soccer_epl"),
    ("mls", "soccer_usa_mls"),
    ("lal", "soccer_spain_la_liga"),
    ("laliga", "soccer_spain_la_liga"),
    ("bun", "soccer_germany_bundesliga"),
    ("bundesliga", "soccer_germany_bundesliga"),
    ("sea", "soccer_italy_serie_a"),
    ("seriea", "soccer_italy_serie_a"),
    ("fl1", "soccer_france_ligue_one"),
    ("ligue1", "soccer_france_ligue_one"),
    ("ucl", "soccer_uefa_champs_league"),
    ("uel", "soccer_uefa_europa_league"),
    ("mex", "soccer_mexico_ligamx"),
    ("nwsl", "soccer_usa_nwsl"),
    ("fifwc", "soccer_fifa_world_cup"),
    ("euroleague", "basketball_euroleague"),
    ("cfl", "americanfootball_cfl"),
    ("ufc", "mma_mixed_martial_arts"),
];

/// The sport key of a league's short name; `None` for leagues that we do not follow.
pub fn sport_key(league: &str) -> Option<&'static str> {
    LEAGUES.iter().find(|(name, _)| name.eq_ignore_ascii_case(league)).map(|(_, key)| *key)
}

/// Our keys of all leagues, each once, in alphabetical order.
pub fn sport_keys() -> impl Iterator<Item = &'static str> {
    LEAGUES.iter().map(|(_, key)| *key).collect::<std::collections::BTreeSet<_>>().into_iter()
}

/// The short names of a sport key, in the order of the table.
pub fn names_of(sport: &str) -> impl Iterator<Item = &'static str> + '_ {
    LEAGUES.iter().filter(move |(_, key)| *key == sport).map(|(name, _)| *name)
}

/// Team codes in slugs that our tables of teams do not have, or have for another team: table of teams, code, name.
const CODES: [(&str, &str, &str); 14] = [
    ("nfl", "la", "Los Angeles Rams"),
    ("nfl", "las", "Las Vegas Raiders"),
    ("nfl", "jac", "Jacksonville Jaguars"),
    ("nfl", "was", "Washington Commanders"),
    ("nhl", "mon", "Montreal Canadiens"),
    ("nhl", "las", "Vegas Golden Knights"),
    ("nhl", "lv", "Vegas Golden Knights"),
    ("nhl", "utah", "Utah Mammoth"),
    ("nhl", "cal", "Calgary Flames"),
    ("mlb", "az", "Arizona Diamondbacks"),
    ("mlb", "wsh", "Washington Nationals"),
    ("nba", "pho", "Phoenix Suns"),
    ("wnba", "wsh", "Washington Mystics"),
    ("wnba", "conn", "Connecticut Sun"),
];

/// The team's name for a code in a slug, where our own table would not find it.
pub fn team_of_code(table: &str, code: &str) -> Option<&'static str> {
    CODES.iter().find(|(t, c, _)| *t == table && c.eq_ignore_ascii_case(code)).map(|(.., name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::sports::Sports;
    use crate::market::teams::Teams;

    #[test]
    fn every_league_and_team_exists() {
        for (name, key) in LEAGUES {
            let origin = Sports::embedded().resolve(key).origin;
            assert_eq!(origin, crate::market::sports::Origin::Listed, "{key}");
            assert_eq!(sport_key(name), Some(key));
        }
        for (table, code, name) in CODES {
            assert!(Teams::embedded().resolve(table, name).exact().is_some(), "{table} {code} {name}");
        }
        assert_eq!(sport_key("curling"), None);
        assert_eq!(names_of("basketball_ncaab").collect::<Vec<_>>(), ["cbb", "ncaab"]);
    }
}
