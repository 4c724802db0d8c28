//! What a written value of a text field looks for: itself, and whatever its aliases stand for.
//!
//! Aliases of books and sports come from the tables of the market; the few that no table holds are here.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::fields::TextField;
use super::fold;
use super::pattern::{Pattern, Place};
use crate::market::books::Books;
use crate::market::sports::Sports;

/// One value, as written and as looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct TextValue {
    /// Small letters, single blanks.
    pub(super) written: String,
    patterns: Vec<Pattern>,
}

/// Sports by names that the table of sports does not hold, each with words of the key.
const SPORT_NAMES: [(&str, &str); 7] = [
    ("cbb", "ncaab"),
    ("cfb", "ncaaf"),
    ("college basketball", "ncaab"),
    ("college football", "ncaaf"),
    ("premier league", "soccer_epl"),
    ("champions league", "soccer_uefa_champs_league"),
    ("bundesliga", "soccer_germany_bundesliga"),
];

/// Books by names that the table of books does not hold.
const BOOK_NAMES: [(&str, &str); 8] = [
    ("pinny", "pinnacle"),
    ("rivers", "betrivers"),
    ("espn", "espnbet"),
    ("thescore", "espnbet"),
    ("hardrock", "hardrockbet"),
    ("betonline", "betonlineag"),
    ("mybookie", "mybookieag"),
    ("prophet", "prophetx"),
];

/// A kind of bet: the words for it, its main key, and how its keys begin.
struct MarketKind {
    names: &'static [&'static str],
    main: Option<&'static str>,
    begins: &'static [&'static str],
}

const MARKETS: [MarketKind; 8] = [
    MarketKind { names: &["moneyline", "ml", "h2h"], main: Some("h2h"), begins: &["h2h", "alternate_h2h"] },
    MarketKind {
        names: &["spread", "spreads", "handicap"],
        main: Some("spreads"),
        begins: &["spreads", "alternate_spreads"],
    },
    MarketKind { names: &["total", "totals", "ou"], main: Some("totals"), begins: &["totals", "alternate_totals"] },
    MarketKind {
        names: &["team_total", "team_totals"],
        main: Some("team_totals"),
        begins: &["team_totals", "alternate_team_totals"],
    },
    MarketKind { names: &["prop", "props"], main: None, begins: &["player", "batter", "pitcher"] },
    MarketKind { names: &["outright", "outrights", "futures"], main: Some("outrights"), begins: &["outrights"] },
    MarketKind { names: &["btts"], main: Some("btts"), begins: &["btts"] },
    MarketKind { names: &["dnb", "draw_no_bet"], main: Some("draw_no_bet"), begins: &["draw_no_bet"] },
];

/// The first word for each kind of bet, for completion.
pub(super) fn market_names() -> impl Iterator<Item = &'static str> {
    MARKETS.iter().filter_map(|m| m.names.first().copied())
}

impl TextValue {
    /// A value of a field; `None` when nothing is left of it to look for. `exact`: the whole text, not a part of it.
    pub(super) fn of(field: TextField, exact: bool, written: &str) -> Option<Self> {
        let folded = fold(written);
        let patterns = match field {
            _ if folded.is_empty() => return None,
            TextField::Sport => sport(exact, &folded),
            TextField::Market => market(exact, &folded),
            TextField::Book => book(&folded),
            TextField::Team | TextField::Label if !exact => vec![Pattern::new(Place::WordStart, &folded)],
            _ => vec![Pattern::new(Place::Whole, &folded)],
        };
        Some(Self { written: plain(written), patterns })
    }

    /// A bare word; `None` when nothing is left of it to look for.
    pub(super) fn word(written: &str) -> Option<Self> {
        let folded = fold(written);
        let patterns = vec![Pattern::new(Place::Anywhere, &folded)];
        (!folded.is_empty()).then(|| Self { written: plain(written), patterns })
    }

    /// The folded text of a row is what this value looks for.
    pub(super) fn fits(&self, text: &str) -> bool {
        self.patterns.iter().any(|p| p.fits(text))
    }
}

/// `=` means something else than `:` in this field: there, a part of the text is enough.
pub(super) const fn has_exact(field: TextField) -> bool {
    matches!(field, TextField::Sport | TextField::Market | TextField::Team | TextField::Label)
}

/// Small letters, blanks as one, nothing that cannot be seen.
fn plain(written: &str) -> String {
    let visible: String = written.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

fn sport(exact: bool, folded: &str) -> Vec<Pattern> {
    let place = if exact { Place::Whole } else { Place::Words };
    let mut patterns = vec![Pattern::new(place, folded)];
    let tables = sports();
    patterns.extend(tables.short.get(folded).into_iter().flatten().map(|key| Pattern::new(place, key)));
    if !exact {
        let begins = tables.group.get(folded).into_iter().flatten();
        patterns.extend(begins.map(|begin| Pattern::new(Place::FirstWords, begin)));
    }
    without_doubles(patterns)
}

fn market(exact: bool, folded: &str) -> Vec<Pattern> {
    let Some(kind) = MARKETS.iter().find(|m| m.names.iter().any(|n| fold(n) == folded)) else {
        return vec![Pattern::new(if exact { Place::Whole } else { Place::Words }, folded)];
    };
    match kind.main {
        Some(main) if exact => vec![Pattern::new(Place::Whole, main)],
        _ => kind.begins.iter().map(|b| Pattern::new(Place::FirstWords, b)).collect(),
    }
}

fn book(folded: &str) -> Vec<Pattern> {
    let mut patterns = vec![Pattern::new(Place::Whole, folded)];
    patterns.extend(books().get(folded).into_iter().flatten().map(|key| Pattern::new(Place::Whole, key)));
    without_doubles(patterns)
}

fn without_doubles(patterns: Vec<Pattern>) -> Vec<Pattern> {
    let mut kept = Vec::with_capacity(patterns.len());
    for pattern in patterns {
        if !kept.contains(&pattern) {
            kept.push(pattern);
        }
    }
    kept
}

type Aliases = BTreeMap<String, Vec<String>>;

/// Folded titles and column headings of the books, with the keys they stand for.
fn books() -> &'static Aliases {
    static TABLE: OnceLock<Aliases> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Aliases::new();
        for book in Books::embedded().iter() {
            for name in [&book.short, &book.title] {
                table.entry(fold(name)).or_default().push(book.key.clone());
            }
        }
        for (name, key) in BOOK_NAMES {
            table.entry(fold(name)).or_default().push(key.to_owned());
        }
        table
    })
}

struct SportAliases {
    /// Short names, with keys or words of keys.
    short: Aliases,
    /// Groups and each word of them, with the beginnings of their keys.
    group: Aliases,
}

fn sports() -> &'static SportAliases {
    static TABLE: OnceLock<SportAliases> = OnceLock::new();
    TABLE.get_or_init(|| {
        let (mut short, mut group) = (Aliases::new(), Aliases::new());
        for key in Sports::embedded().keys() {
            let sport = Sports::embedded().resolve(key);
            short.entry(fold(&sport.short)).or_default().push(key.to_owned());
            let begin = key.split('_').next().unwrap_or_default();
            let name = fold(&sport.group);
            for word in std::iter::once(name.as_str()).chain(name.split(' ')) {
                let begins = group.entry(word.to_owned()).or_default();
                if !begins.iter().any(|b| b == begin) {
                    begins.push(begin.to_owned());
                }
            }
        }
        for (name, key) in SPORT_NAMES {
            short.entry(fold(name)).or_default().push(key.to_owned());
        }
        SportAliases { short, group }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(field: TextField, exact: bool, value: &str, text: &str) -> bool {
        TextValue::of(field, exact, value).expect(value).fits(&fold(text))
    }

    #[test]
    fn sports_are_found_by_key_part_short_name_and_group() {
        for (value, key, wanted) in [
            ("nba", "basketball_nba", true),
            ("NBA", "basketball_nba_preseason", true),
            ("nba", "basketball_wnba", false),
            ("basketball_nba", "basketball_nba", true),
            ("basketball", "basketball_euroleague", true),
            ("epl", "soccer_epl", true),
            ("premier league", "soccer_epl", true),
            ("ucl", "soccer_uefa_champs_league", true),
            ("football", "americanfootball_nfl", true),
            ("football", "soccer_epl", false),
            ("hockey", "icehockey_liiga", true),
            ("ice hockey", "icehockey_nhl", true),
            ("wcbb", "basketball_wncaab", true),
            ("ncaab", "basketball_wncaab", false),
            ("cfb", "americanfootball_ncaaf", true),
            ("mma", "mma_mixed_martial_arts", true),
            ("tennis*", "tennis_atp_us_open", true),
            ("us_open", "tennis_atp_us_open", true),
            ("unheard", "esports_lol", false),
        ] {
            assert_eq!(fits(TextField::Sport, false, value, key), wanted, "{value} {key}");
        }
        assert!(fits(TextField::Sport, true, "nba", "basketball_nba"));
        assert!(!fits(TextField::Sport, true, "nba", "basketball_nba_preseason"));
        assert!(!fits(TextField::Sport, true, "basketball", "basketball_nba"));
    }

    #[test]
    fn markets_are_found_by_kind_key_and_word() {
        for (value, key, wanted) in [
            ("ml", "h2h", true),
            ("moneyline", "h2h_h1", true),
            ("h2h", "h2h_3_way", true),
            ("spread", "spreads", true),
            ("spreads", "alternate_spreads_h1", true),
            ("total", "totals_1st_5_innings", true),
            ("totals", "team_totals", false),
            ("team_total", "alternate_team_totals", true),
            ("props", "player_points_alternate", true),
            ("props", "h2h", false),
            ("player_points", "player_points", true),
            ("player_points", "player_points_alternate", true),
            ("h1", "spreads_h1", true),
            ("lay", "h2h_lay", true),
            ("alternate", "alternate_spreads", true),
            ("futures", "outrights", true),
            ("player_*", "player_assists", true),
        ] {
            assert_eq!(fits(TextField::Market, false, value, key), wanted, "{value} {key}");
        }
        for (value, key, wanted) in [
            ("ml", "h2h", true),
            ("ml", "h2h_h1", false),
            ("spread", "spreads", true),
            ("totals", "alternate_totals", false),
            ("player_points", "player_points_alternate", false),
            ("props", "player_points", true),
        ] {
            assert_eq!(fits(TextField::Market, true, value, key), wanted, "={value} {key}");
        }
    }

    #[test]
    fn books_are_found_by_key_heading_and_title() {
        for (value, key, wanted) in [
            ("dk", "draftkings", true),
            ("DraftKings", "draftkings", true),
            ("fd", "fanduel", true),
            ("pin", "pinnacle", true),
            ("mgm", "betmgm", true),
            ("czr", "williamhill_us", true),
            ("caesars", "williamhill_us", true),
            ("williamhill", "williamhill_us", false),
            ("william hill", "williamhill", true),
            ("betfair", "betfair_ex_eu", true),
            ("betfair_ex_eu", "betfair_ex_uk", false),
            ("betfair_ex_*", "betfair_ex_uk", true),
            ("888", "sport888", true),
            ("a_new_book", "a_new_book", true),
            ("draft", "draftkings", false),
        ] {
            assert_eq!(fits(TextField::Book, false, value, key), wanted, "{value} {key}");
        }
        for (_, key) in BOOK_NAMES {
            assert!(Books::embedded().get(key).is_some(), "{key}");
        }
    }

    #[test]
    fn nothing_to_look_for_is_no_value() {
        for value in ["", " ", "-", "'", "_._"] {
            assert_eq!(TextValue::of(TextField::Team, false, value), None, "{value}");
            assert_eq!(TextValue::word(value), None, "{value}");
        }
    }
}
