//! The simulated books: real keys and regions, invented temper.
//!
//! Lags, margins and shades are chosen to be plausible and different; they measure nothing.

/// How a book makes its prices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Leads the market.
    Sharp,
    /// Follows, shades towards favourites and overs.
    Retail,
    /// Follows faster, thinner margin.
    Offshore,
    /// Back and lay, thin margin, decimal ticks.
    Exchange,
}

/// One book.
#[derive(Clone, Copy, Debug)]
pub struct BookProfile {
    /// Key on the wire.
    pub key: &'static str,
    /// Display name.
    pub title: &'static str,
    /// Regions that list it.
    pub regions: &'static [&'static str],
    /// Temper.
    pub kind: Kind,
    /// How long it takes to follow the leaders, seconds, before a game.
    pub lag_s: f64,
    /// Margin of two-way lines (sum of raw probabilities less 1).
    pub margin: f64,
    /// Margin of moneylines.
    pub ml_margin: f64,
    /// Lean towards favourites and overs, in tenths of a point of the sport's scale.
    pub shade: f64,
    /// Seconds between two looks of the provider at this book, before a game.
    pub refresh_s: i64,
    /// Offers prices during the game.
    pub live: bool,
}

macro_rules! book {
    ($key:literal, $title:literal, $regions:expr, $kind:ident, $lag:literal, $m:literal, $ml:literal, $shade:literal,
     $refresh:literal, $live:literal) => {
        BookProfile {
            key: $key,
            title: $title,
            regions: &$regions,
            kind: Kind::$kind,
            lag_s: $lag,
            margin: $m,
            ml_margin: $ml,
            shade: $shade,
            refresh_s: $refresh,
            live: $live,
        }
    };
}

/// Every book, in the order in which `book_count` takes them.
pub const BOOKS: &[BookProfile] = &[
    book!("pinnacle", "Pinnacle", ["eu"], Sharp, 0.0, 0.026, 0.025, 0.0, 20, true),
    book!("draftkings", "DraftKings", ["us"], Retail, 45.0, 0.045, 0.044, 0.6, 30, true),
    book!("fanduel", "FanDuel", ["us"], Retail, 35.0, 0.046, 0.045, 0.5, 25, true),
    book!("betmgm", "BetMGM", ["us"], Retail, 110.0, 0.050, 0.052, 1.0, 45, true),
    book!("williamhill_us", "Caesars", ["us"], Retail, 95.0, 0.048, 0.050, 0.8, 40, true),
    book!("betrivers", "BetRivers", ["us"], Retail, 130.0, 0.052, 0.054, 0.9, 50, true),
    book!("betonlineag", "BetOnline.ag", ["us", "eu"], Offshore, 12.0, 0.045, 0.040, 0.1, 30, true),
    book!("lowvig", "LowVig.ag", ["us"], Offshore, 12.0, 0.030, 0.028, 0.1, 30, true),
    book!("bovada", "Bovada", ["us"], Offshore, 75.0, 0.047, 0.048, 0.7, 40, true),
    book!("mybookieag", "MyBookie.ag", ["us"], Offshore, 150.0, 0.050, 0.052, 0.8, 55, false),
    book!("betus", "BetUS", ["us"], Offshore, 140.0, 0.048, 0.050, 0.9, 55, false),
    book!("fanatics", "Fanatics", ["us"], Retail, 80.0, 0.049, 0.050, 0.7, 40, true),
    book!("betfair_ex_eu", "Betfair", ["eu"], Exchange, 2.0, 0.012, 0.010, 0.0, 15, true),
    book!("matchbook", "Matchbook", ["eu", "uk"], Exchange, 4.0, 0.014, 0.013, 0.0, 15, true),
    book!("espnbet", "theScore Bet", ["us2"], Retail, 120.0, 0.050, 0.053, 1.0, 50, true),
    book!("hardrockbet", "Hard Rock Bet", ["us2"], Retail, 90.0, 0.049, 0.050, 0.8, 45, true),
    book!("ballybet", "Bally Bet", ["us2"], Retail, 160.0, 0.052, 0.055, 0.9, 55, true),
    book!("betparx", "betPARX", ["us2"], Retail, 170.0, 0.053, 0.055, 0.9, 55, true),
    book!("fliff", "Fliff", ["us2"], Retail, 180.0, 0.060, 0.062, 1.1, 60, true),
    book!("betanysports", "BetAnything", ["us2", "eu"], Offshore, 60.0, 0.046, 0.046, 0.4, 45, false),
    book!("rebet", "ReBet", ["us2"], Retail, 200.0, 0.055, 0.057, 1.0, 60, false),
    book!("novig", "Novig", ["us_ex"], Exchange, 6.0, 0.012, 0.012, 0.0, 15, true),
    book!("prophetx", "ProphetX", ["us_ex"], Exchange, 8.0, 0.014, 0.014, 0.0, 15, true),
    book!("kalshi", "Kalshi", ["us_ex"], Exchange, 10.0, 0.020, 0.020, 0.0, 20, true),
    book!("betopenly", "BetOpenly", ["us_ex"], Exchange, 30.0, 0.018, 0.018, 0.0, 30, false),
    book!("marathonbet", "Marathon Bet", ["eu"], Offshore, 25.0, 0.035, 0.034, 0.2, 35, true),
    book!("onexbet", "1xBet", ["eu"], Offshore, 20.0, 0.040, 0.042, 0.3, 30, true),
    book!("williamhill", "William Hill", ["eu", "uk"], Retail, 100.0, 0.050, 0.052, 0.8, 45, true),
    book!("unibet_eu", "Unibet", ["eu"], Retail, 85.0, 0.048, 0.050, 0.6, 40, true),
    book!("betsson", "Betsson", ["eu"], Retail, 105.0, 0.051, 0.053, 0.7, 45, true),
    book!("nordicbet", "Nordic Bet", ["eu"], Retail, 106.0, 0.051, 0.053, 0.7, 45, true),
    book!("coolbet", "Coolbet", ["eu"], Retail, 70.0, 0.047, 0.049, 0.5, 40, true),
    book!("betfair_ex_uk", "Betfair", ["uk"], Exchange, 2.0, 0.012, 0.010, 0.0, 15, true),
    book!("smarkets", "Smarkets", ["uk"], Exchange, 5.0, 0.013, 0.012, 0.0, 15, true),
    book!("ladbrokes_uk", "Ladbrokes", ["uk"], Retail, 115.0, 0.052, 0.054, 0.9, 50, true),
    book!("skybet", "Sky Bet", ["uk"], Retail, 125.0, 0.053, 0.055, 1.0, 50, true),
    book!("sportsbet", "SportsBet", ["au"], Retail, 135.0, 0.052, 0.054, 0.9, 50, true),
    book!("tab", "TAB", ["au"], Retail, 145.0, 0.054, 0.056, 0.9, 55, true),
];

/// Every region that the provider knows.
pub const REGIONS: &[&str] = &["us", "us2", "us_dfs", "us_ex", "uk", "eu", "au", "fr", "se"];

/// Pairs that share one trading desk: the first copies the second.
pub const SISTERS: &[(&str, &str)] =
    &[("lowvig", "betonlineag"), ("nordicbet", "betsson"), ("betfair_ex_uk", "betfair_ex_eu")];

/// The profile of a key.
pub fn profile(key: &str) -> Option<&'static BookProfile> {
    BOOKS.iter().find(|b| b.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_unique_and_regions_known() {
        for (i, book) in BOOKS.iter().enumerate() {
            assert!(BOOKS[..i].iter().all(|b| b.key != book.key), "{}", book.key);
            assert!(book.regions.iter().all(|r| REGIONS.contains(r)));
            assert!(book.refresh_s <= 60 && book.margin > 0.0 && book.ml_margin > 0.0);
        }
        assert!(BOOKS.len() >= 30);
        assert!(SISTERS.iter().all(|(a, b)| profile(a).is_some() && profile(b).is_some()));
    }
}
