//! Tests of names and tables, the traps first.

use super::*;
use proptest::prelude::*;

fn name_of(league: &str, name: &str) -> String {
    match Teams::embedded().resolve(league, name) {
        Resolution::Exact(team) => Teams::embedded().get(team).expect("valid").name.clone(),
        other => panic!("{league} {name}: {other:?}"),
    }
}

fn names(league: &str, name: &str) -> Vec<String> {
    let list = match Teams::embedded().resolve(league, name) {
        Resolution::Ambiguous(list) => list,
        other => panic!("{league} {name}: {other:?}"),
    };
    list.into_iter().map(|t| Teams::embedded().get(t).expect("valid").name.clone()).collect()
}

#[test]
fn the_embedded_tables_are_sound_and_complete() {
    let teams = Teams::parse(&EMBEDDED).expect("embedded");
    assert_eq!(Teams::embedded(), &teams);
    assert_eq!(teams.leagues(), ["mlb", "nba", "ncaa", "nfl", "nhl", "wnba"]);
    let playing = |league| teams.teams(league).filter(|(_, t)| !t.former).count();
    assert_eq!((playing("nfl"), playing("nba"), playing("mlb"), playing("nhl")), (32, 30, 30, 32));
    assert_eq!(playing("wnba"), 15);
    assert!(playing("ncaa") > 350);
    assert_eq!(teams.title("nfl"), Some("NFL"));
    assert_eq!(teams.title("none"), None);
}

#[test]
fn every_listed_name_leads_to_its_team() {
    let teams = Teams::embedded();
    for league in teams.leagues() {
        for (reference, team) in teams.teams(league) {
            assert_eq!(teams.get(reference), Some(team));
            for name in team.own_names() {
                assert_eq!(teams.resolve(league, name), Resolution::Exact(reference), "{league} {name}");
            }
            for name in team.common_names() {
                match teams.resolve(league, name) {
                    Resolution::Exact(found) => assert_eq!(found, reference, "{league} {name}"),
                    Resolution::Ambiguous(found) => assert!(found.contains(&reference), "{league} {name}"),
                    other => panic!("{league} {name}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn saint_and_state() {
    assert_eq!(name_of("ncaa", "Kansas St Wildcats"), "Kansas State Wildcats");
    assert_eq!(name_of("ncaa", "Kansas St."), "Kansas State Wildcats");
    assert_eq!(name_of("ncaa", "Kansas"), "Kansas Jayhawks");
    assert_eq!(name_of("ncaa", "Saint John's"), "St. John's Red Storm");
    assert_eq!(name_of("ncaa", "St. Joseph's"), "Saint Joseph's Hawks");
    assert_eq!(name_of("ncaa", "Mt. St. Mary's Mountaineers"), "Mount St. Mary's Mountaineers");
    assert_eq!(name_of("ncaa", "Washington St Cougars"), "Washington State Cougars");
    assert_eq!(name_of("mlb", "St Louis Cardinals"), "St. Louis Cardinals");
    assert_eq!(name_of("nhl", "St Louis Blues"), "St. Louis Blues");
    assert_eq!(name_of("ncaa", "Saint Francis (PA) Red Flash"), "Saint Francis Red Flash");
    assert_eq!(names("ncaa", "St. Francis"), ["Saint Francis Red Flash", "St. Francis Brooklyn Terriers"]);
}

#[test]
fn two_miamis() {
    for ohio in ["Miami (OH) RedHawks", "Miami (OH)", "Miami-Ohio", "Miami Ohio", "MIAMI OH"] {
        assert_eq!(name_of("ncaa", ohio), "Miami (OH) RedHawks");
    }
    for florida in ["Miami Hurricanes", "Miami (FL)", "Miami FL Hurricanes"] {
        assert_eq!(name_of("ncaa", florida), "Miami Hurricanes");
    }
    assert_eq!(names("ncaa", "Miami"), ["Miami (OH) RedHawks", "Miami Hurricanes"]);
    assert_eq!(name_of("nfl", "Miami"), "Miami Dolphins");
}

#[test]
fn schools_with_initials() {
    assert_eq!(name_of("ncaa", "USC"), "USC Trojans");
    assert_eq!(name_of("ncaa", "USC Trojans"), "USC Trojans");
    assert_eq!(name_of("ncaa", "Southern Cal"), "USC Trojans");
    assert_eq!(name_of("ncaa", "South Carolina"), "South Carolina Gamecocks");
    assert_eq!(name_of("ncaa", "South Carolina St"), "South Carolina State Bulldogs");
    assert_eq!(name_of("ncaa", "USC Upstate"), "South Carolina Upstate Spartans");
    for connecticut in ["UConn", "Connecticut", "UConn Huskies", "UCONN", "CONN"] {
        assert_eq!(name_of("ncaa", connecticut), "UConn Huskies");
    }
    assert_eq!(name_of("ncaa", "Texas A&M-CC Islanders"), "Texas A&M-Corpus Christi Islanders");
    assert_eq!(name_of("ncaa", "Ole Miss"), "Ole Miss Rebels");
    assert_eq!(names("ncaa", "OSU"), ["Ohio State Buckeyes", "Oklahoma State Cowboys", "Oregon State Beavers"]);
    assert!(names("ncaa", "Wildcats").len() > 5);
}

#[test]
fn a_womens_team_is_its_school_and_a_marked_one_is_not_the_mens() {
    assert_eq!(name_of("ncaa", "Oklahoma St Cowgirls"), "Oklahoma State Cowboys");
    assert_eq!(name_of("ncaa", "Massachusetts Minutewomen"), "Massachusetts Minutemen");
    for marked in ["Baylor Bears (W)", "Baylor Bears Women", "Baylor U21"] {
        assert!(matches!(Teams::embedded().resolve("ncaa", marked), Resolution::Suggested(_)), "{marked}");
    }
}

#[test]
fn cities_with_two_teams() {
    assert_eq!(names("nba", "Los Angeles"), ["Los Angeles Clippers", "Los Angeles Lakers"]);
    assert_eq!(names("nba", "New York"), ["Brooklyn Nets", "New York Knicks"]);
    assert_eq!(names("nfl", "New York"), ["New York Giants", "New York Jets"]);
    assert_eq!(names("nfl", "LA"), ["Los Angeles Chargers", "Los Angeles Rams"]);
    assert_eq!(names("mlb", "Los Angeles"), ["Los Angeles Angels", "Los Angeles Dodgers"]);
    assert_eq!(names("mlb", "New York"), ["New York Mets", "New York Yankees"]);
    assert_eq!(names("mlb", "Chicago"), ["Chicago Cubs", "Chicago White Sox"]);
    assert_eq!(names("nhl", "New York"), ["New York Islanders", "New York Rangers"]);
    // One team only: no doubt.
    assert_eq!(name_of("wnba", "New York"), "New York Liberty");
    assert_eq!(name_of("wnba", "Los Angeles"), "Los Angeles Sparks");
    assert_eq!(name_of("nhl", "Los Angeles"), "Los Angeles Kings");
    for clippers in ["LA Clippers", "L.A. Clippers", "Los Angeles Clippers", "Clippers", "LAC", "Los Angeles C"] {
        assert_eq!(name_of("nba", clippers), "Los Angeles Clippers");
    }
}

#[test]
fn moves_and_new_teams() {
    for athletics in ["Athletics", "Oakland Athletics", "A's", "ATH", "Las Vegas Athletics", "The Athletics"] {
        assert_eq!(name_of("mlb", athletics), "Athletics");
    }
    for utah in ["Utah Mammoth", "Utah Hockey Club", "Utah", "UTA"] {
        assert_eq!(name_of("nhl", utah), "Utah Mammoth");
    }
    // The Coyotes' games are history of their own.
    assert_eq!(name_of("nhl", "Arizona Coyotes"), "Arizona Coyotes");
    assert_eq!(name_of("nhl", "Montreal Canadiens"), "Montréal Canadiens");
    assert_eq!(name_of("nfl", "Washington Football Team"), "Washington Commanders");
    assert_eq!(name_of("mlb", "Cleveland Indians"), "Cleveland Guardians");
    for (code, name) in [("GSV", "Golden State Valkyries"), ("TOR", "Toronto Tempo"), ("POR", "Portland Fire")] {
        assert_eq!(name_of("wnba", code), name);
        assert_eq!(name_of("wnba", name), name);
    }
    assert_eq!(name_of("nba", "Golden State"), "Golden State Warriors");
}

#[test]
fn likeness_suggests_and_never_matches() {
    let teams = Teams::embedded();
    let first = |league: &str, name: &str| match teams.resolve(league, name) {
        Resolution::Suggested(list) => list.first().and_then(|t| teams.get(*t)).map(|t| t.name.clone()),
        other => panic!("{league} {name}: {other:?}"),
    };
    assert_eq!(first("nba", "Bostn Celtics").as_deref(), Some("Boston Celtics"));
    assert_eq!(first("nfl", "Kansas City Cheifs").as_deref(), Some("Kansas City Chiefs"));
    assert_eq!(first("ncaa", "Gonzaga Zags").as_deref(), Some("Gonzaga Bulldogs"));
    for nobody in ["TBD", "", "...", "Zzyzx"] {
        assert_eq!(teams.resolve("nba", nobody), Resolution::Unknown, "{nobody}");
    }
    assert_eq!(teams.resolve("no_such_league", "Boston Celtics"), Resolution::Unknown);
    assert_eq!(teams.resolve("nfl", "Boston Celtics").exact(), None);
}

const ENGLAND: &str = r#"
    league = "soccer_epl"
    teams = [
        { name = "Manchester United", code = "MUN", city = "Manchester", nickname = "United", aliases = ["Man Utd", "Man United"] },
        { name = "Manchester City", code = "MCI", city = "Manchester", nickname = "City", aliases = ["Man City"] },
    ]
"#;

#[test]
fn a_users_table_adds_leagues_teams_and_names() {
    let teams = Teams::embedded().with_overrides(ENGLAND).expect("valid");
    let name = |n: &str| teams.resolve("soccer_epl", n).exact().and_then(|t| teams.get(t)).map(|t| t.code.as_str());
    assert_eq!((name("Man Utd"), name("man city"), name("Manchester")), (Some("MUN"), Some("MCI"), None));
    let own = "league = \"nba\"\nteams = [{ name = \"New York Knicks\", aliases = [\"New York\", \"Bockers\"] }]";
    let teams = Teams::embedded().with_overrides(own).expect("valid");
    let knicks = teams.resolve("nba", "Knicks");
    // An alias of one's own settles what the table leaves open.
    assert_eq!(teams.resolve("nba", "New York"), knicks);
    assert_eq!(teams.resolve("nba", "bockers"), knicks);
    assert_eq!(teams.resolve("nba", "NYK"), knicks);
    assert_eq!(teams.title("nba"), Some("NBA"));
}

#[test]
fn what_is_wrong_is_named() {
    let error = |teams: &str| {
        let text = format!("league = \"nba\"\nteams = [{teams}]");
        Teams::embedded().with_overrides(&text).map(drop).expect_err(teams).to_string()
    };
    let clash = error("{ name = \"Boston Celtics\", aliases = [\"LA Lakers\"] }");
    assert!(clash.contains("Boston Celtics") && clash.contains("Los Angeles Lakers") && clash.contains("shared"));
    assert!(error("{ name = \"Las Vegas Jacks\" }").contains("code"));
    assert!(error("{ name = \"Las Vegas Jacks\", code = \"lv\" }").contains("capitals"));
    assert!(error("{ name = \"Las Vegas Jacks\", code = \"BOS\" }").contains("BOS"));
    assert!(error("{ name = \"...\", code = \"DOT\" }").contains("letters"));
    assert!(error("{ name = \"Boston Celtics\", aliases = [\"\"] }").contains("aliases"));
    assert!(error("{ name = \"Boston Celtics\" }, { name = \"Boston Celtics\" }").contains("twice"));
    assert!(error("{ name = \"Boston Celtics\", colour = \"green\" }").contains("colour"));
    let league = |text: &str| Teams::default().with_overrides(text).map(drop).expect_err(text).to_string();
    assert!(league("teams = []").contains("league"));
    assert!(league("league = \"My League\"").contains("small letters"));
}

proptest! {
    #[test]
    fn case_accents_and_marks_never_decide(pick in any::<prop::sample::Index>(), upper in any::<bool>(), mark in "[-.,!]{0,2}") {
        let all: Vec<_> = Teams::embedded().teams("ncaa").collect();
        let (reference, team) = pick.get(&all);
        let name = if upper { team.name.to_uppercase() } else { team.name.to_lowercase() };
        let name = format!(" {}{mark} ", name.replace("State", "St."));
        prop_assert_eq!(Teams::embedded().resolve("ncaa", &name), Resolution::Exact(*reference));
    }

    #[test]
    fn any_text_has_an_answer(name in any::<String>()) {
        let answer = Teams::embedded().resolve("nfl", &name);
        prop_assert_eq!(&answer, &Teams::embedded().resolve("nfl", &name));
        if let Resolution::Ambiguous(list) = answer {
            prop_assert!(list.len() > 1);
        }
    }
}
