//! Reads the query parameters of a request and refuses what the provider refuses.

use super::books::{self, REGIONS};
use super::error::ApiError;
use super::extras;
use super::wire::{DateFormat, Style};
use crate::market::price::OddsFormat;
use crate::market::time::Timestamp;

/// Which books are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BooksAsked {
    /// All of the scenario (only in process; the provider always wants regions or keys).
    All,
    /// The books of some regions.
    Regions(Vec<String>),
    /// These keys.
    Keys(Vec<String>),
}

impl BooksAsked {
    /// `R` in the provider's price list: regions, or started groups of ten books.
    pub fn regions_charged(&self) -> i64 {
        match self {
            Self::All => 1,
            Self::Regions(regions) => regions.len() as i64,
            Self::Keys(keys) => keys.len().div_ceil(10) as i64,
        }
    }

    /// A book is asked for.
    pub fn covers(&self, book: &books::BookProfile) -> bool {
        match self {
            Self::All => true,
            Self::Regions(regions) => regions.iter().any(|r| book.regions.contains(&r.as_str())),
            Self::Keys(keys) => keys.iter().any(|k| k == book.key),
        }
    }
}

/// A question about odds or events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OddsQuery {
    /// Sport key, or `upcoming`.
    pub sport: String,
    /// Books.
    pub books: BooksAsked,
    /// Market keys, without doubles.
    pub markets: Vec<String>,
    /// Only these events; empty for all.
    pub event_ids: Vec<String>,
    /// Start at or after.
    pub commence_from: Option<Timestamp>,
    /// Start at or before.
    pub commence_to: Option<Timestamp>,
    /// Forms and flags.
    pub style: Style,
}

impl OddsQuery {
    /// Everything that a scenario shows of a sport: all books, the three featured markets, decimal odds.
    pub fn everything(sport: &str) -> Self {
        Self {
            sport: sport.to_owned(),
            books: BooksAsked::All,
            markets: ["h2h", "spreads", "totals"].map(str::to_owned).to_vec(),
            event_ids: Vec::new(),
            commence_from: None,
            commence_to: None,
            style: Style::default(),
        }
    }
}

/// Decoded query parameters; the last of a name wins.
#[derive(Debug, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `a=1&b=2`, with percent signs and plus signs decoded.
    pub fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|p| !p.is_empty());
        Self(pairs.map(|p| p.split_once('=').unwrap_or((p, ""))).map(|(k, v)| (decode(k), decode(v))).collect())
    }

    /// A parameter that is present and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(k, _)| k == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    /// Every value of a repeated parameter that is not empty.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(k, v)| k == name && !v.is_empty()).map(|(_, v)| v.as_str()).collect()
    }

    /// A comma list without doubles and blanks; empty when absent.
    pub fn list(&self, name: &str) -> Vec<String> {
        let mut items: Vec<String> = Vec::new();
        for item in self.get(name).unwrap_or_default().split(',').map(str::trim).filter(|i| !i.is_empty()) {
            if !items.iter().any(|i| i == item) {
                items.push(item.to_owned());
            }
        }
        items
    }

    /// The literal words `true` and `false`; absent is false.
    ///
    /// # Errors
    /// 422 with `code` for anything else.
    pub fn flag(&self, name: &str, code: &'static str) -> Result<bool, ApiError> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ApiError::invalid(code, format!("Invalid {name}: use true or false"))),
        }
    }

    /// A time of exactly the form `YYYY-MM-DDTHH:MM:SSZ`: milliseconds and offsets are refused, as by the provider.
    ///
    /// # Errors
    /// 422 with `code`.
    pub fn time(&self, name: &str, code: &'static str) -> Result<Option<Timestamp>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let time = Timestamp::parse(text).filter(|_| text.len() == 20 && text.ends_with('Z'));
        let refused = || ApiError::invalid(code, format!("Invalid {name}: use the form YYYY-MM-DDTHH:MM:SSZ"));
        time.map(Some).ok_or_else(refused)
    }

    /// Ids of 32 characters.
    ///
    /// # Errors
    /// 422 `INVALID_EVENT_IDS`.
    pub fn event_ids(&self) -> Result<Vec<String>, ApiError> {
        let ids = self.list("eventIds");
        match ids.iter().find(|id| !is_event_id(id)) {
            Some(id) => Err(ApiError::invalid("INVALID_EVENT_IDS", format!("Invalid event id {id}"))),
            None => Ok(ids),
        }
    }

    /// Form of times.
    ///
    /// # Errors
    /// 422 `INVALID_DATE_FORMAT`.
    pub fn date_format(&self) -> Result<DateFormat, ApiError> {
        match self.get("dateFormat") {
            None | Some("iso") => Ok(DateFormat::Iso),
            Some("unix") => Ok(DateFormat::Unix),
            Some(_) => Err(ApiError::invalid("INVALID_DATE_FORMAT", "Invalid dateFormat: use iso or unix")),
        }
    }

    /// Form of prices.
    ///
    /// # Errors
    /// 422 `INVALID_ODDS_FORMAT`.
    pub fn odds_format(&self) -> Result<OddsFormat, ApiError> {
        match self.get("oddsFormat") {
            None | Some("decimal") => Ok(OddsFormat::Decimal),
            Some("american") => Ok(OddsFormat::American),
            Some(_) => Err(ApiError::invalid("INVALID_ODDS_FORMAT", "Invalid oddsFormat: use decimal or american")),
        }
    }

    /// Books asked for. Keys win over regions.
    ///
    /// # Errors
    /// 422 `MISSING_REGION`, `INVALID_REGION`, `INVALID_BOOKMAKERS`.
    pub fn books(&self) -> Result<BooksAsked, ApiError> {
        let keys = self.list("bookmakers");
        if !keys.is_empty() {
            return match keys.iter().find(|k| books::profile(k).is_none()) {
                Some(k) => Err(ApiError::invalid("INVALID_BOOKMAKERS", format!("Invalid bookmakers: {k}"))),
                None => Ok(BooksAsked::Keys(keys)),
            };
        }
        let regions = self.list("regions");
        if regions.is_empty() {
            return Err(ApiError::invalid("MISSING_REGION", "Missing regions or bookmakers key"));
        }
        match regions.iter().find(|r| !REGIONS.contains(&r.as_str())) {
            Some(r) => Err(ApiError::invalid("INVALID_REGION", format!("Invalid region: {r}"))),
            None => Ok(BooksAsked::Regions(regions)),
        }
    }

    /// Market keys; `h2h` when absent.
    ///
    /// # Errors
    /// 422 `INVALID_MARKET`; `INVALID_MARKET_COMBO` for markets of single events asked of a whole sport, and for
    /// outrights of a sport of games.
    pub fn markets(&self, single_event: bool) -> Result<Vec<String>, ApiError> {
        let mut markets = self.list("markets");
        if markets.is_empty() {
            if self.0.iter().any(|(k, _)| k == "markets") {
                return Err(ApiError::invalid("MISSING_MARKET", "Missing markets"));
            }
            markets.push("h2h".to_owned());
        }
        if let Some(m) = markets.iter().find(|m| !extras::is_known(m)) {
            return Err(ApiError::invalid("INVALID_MARKET", format!("Invalid markets: {m}")));
        }
        let featured = ["h2h", "spreads", "totals"];
        let misfit = |m: &&String| m.starts_with("outrights") || !single_event && !featured.contains(&m.as_str());
        match markets.iter().find(misfit) {
            Some(m) => Err(ApiError::invalid("INVALID_MARKET_COMBO", format!("Market {m} is not available here"))),
            None => Ok(markets),
        }
    }

    /// The time window of starts.
    ///
    /// # Errors
    /// 422 `INVALID_COMMENCE_TIME_FROM`, `_TO`, `_RANGE`.
    pub fn window(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
        let from = self.time("commenceTimeFrom", "INVALID_COMMENCE_TIME_FROM")?;
        let to = self.time("commenceTimeTo", "INVALID_COMMENCE_TIME_TO")?;
        match (from, to) {
            (Some(f), Some(t)) if t <= f => Err(ApiError::invalid(
                "INVALID_COMMENCE_TIME_RANGE",
                "commenceTimeTo must be later than commenceTimeFrom",
            )),
            window => Ok(window),
        }
    }

    /// Forms and flags of an answer.
    ///
    /// # Errors
    /// 422 for a form or flag that is not one.
    pub fn style(&self, single_event: bool) -> Result<Style, ApiError> {
        Ok(Style {
            odds: self.odds_format()?,
            dates: self.date_format()?,
            links: self.flag("includeLinks", "INVALID_INCLUDE_LINKS")?,
            sids: self.flag("includeSids", "INVALID_INCLUDE_SIDS")?,
            limits: self.flag("includeBetLimits", "INVALID_INCLUDE_BET_LIMITS")?,
            multipliers: self.flag("includeMultipliers", "INVALID_INCLUDE_MULTIPLIERS")? && single_event,
            rotation: self.flag("includeRotationNumbers", "INVALID_INCLUDE_ROTATION_NUMBERS")?,
            book_update: !single_event,
        })
    }

    /// A whole question about odds.
    ///
    /// # Errors
    /// As for the parts.
    pub fn odds(&self, sport: &str, single_event: bool) -> Result<OddsQuery, ApiError> {
        let (commence_from, commence_to) = self.window()?;
        Ok(OddsQuery {
            sport: sport.to_owned(),
            books: self.books()?,
            markets: self.markets(single_event)?,
            event_ids: self.event_ids()?,
            commence_from,
            commence_to,
            style: self.style(single_event)?,
        })
    }

    /// A question about events without odds.
    ///
    /// # Errors
    /// As for the parts.
    pub fn events(&self, sport: &str) -> Result<OddsQuery, ApiError> {
        let (commence_from, commence_to) = self.window()?;
        Ok(OddsQuery {
            event_ids: self.event_ids()?,
            commence_from,
            commence_to,
            markets: Vec::new(),
            style: self.style(false)?,
            ..OddsQuery::everything(sport)
        })
    }
}

/// 32 hexadecimal digits.
pub fn is_event_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while let Some(&b) = bytes.get(i) {
        let hex = text.get(i + 1..i + 3).and_then(|h| u8::from_str_radix(h, 16).ok());
        match (b, hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                i += 2;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(b),
        }
        i += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(query: &str) -> &'static str {
        Params::parse(query).odds("basketball_nba", false).expect_err(query).code
    }

    #[test]
    fn what_the_provider_refuses_is_refused_with_its_code() {
        for (query, want) in [
            ("", "MISSING_REGION"),
            ("regions=mars", "INVALID_REGION"),
            ("bookmakers=nobody", "INVALID_BOOKMAKERS"),
            ("regions=us&markets=", "MISSING_MARKET"),
            ("regions=us&markets=moneyline", "INVALID_MARKET"),
            ("regions=us&markets=player_points", "INVALID_MARKET_COMBO"),
            ("regions=us&markets=h2h,outrights", "INVALID_MARKET_COMBO"),
            ("regions=us&oddsFormat=fractional", "INVALID_ODDS_FORMAT"),
            ("regions=us&dateFormat=julian", "INVALID_DATE_FORMAT"),
            ("regions=us&eventIds=abc", "INVALID_EVENT_IDS"),
            ("regions=us&includeLinks=1", "INVALID_INCLUDE_LINKS"),
            ("regions=us&includeSids=yes", "INVALID_INCLUDE_SIDS"),
            ("regions=us&includeBetLimits=TRUE", "INVALID_INCLUDE_BET_LIMITS"),
            ("regions=us&includeRotationNumbers=0", "INVALID_INCLUDE_ROTATION_NUMBERS"),
            ("regions=us&commenceTimeFrom=tomorrow", "INVALID_COMMENCE_TIME_FROM"),
            ("regions=us&commenceTimeTo=2026-01-02T03:04:05.000Z", "INVALID_COMMENCE_TIME_TO"),
            (
                "regions=us&commenceTimeFrom=2026-01-02T03:04:05Z&commenceTimeTo=2026-01-02T03:04:05Z",
                "INVALID_COMMENCE_TIME_RANGE",
            ),
        ] {
            assert_eq!(code(query), want, "{query}");
        }
    }

    #[test]
    fn groups_of_ten_books_count_as_a_region() {
        let charged = |n: usize| {
            let keys: Vec<&str> = books::BOOKS.iter().take(n).map(|b| b.key).collect();
            let q = Params::parse(&format!("regions=us,uk,eu&bookmakers={}", keys.join("%2C")));
            q.books().expect("books").regions_charged()
        };
        assert_eq!([1, 10, 11, 20, 21].map(charged), [1, 1, 2, 2, 3]);
        let q = Params::parse("regions=us,eu,us");
        assert_eq!(q.books().expect("regions").regions_charged(), 2);
    }

    #[test]
    fn encoded_text_is_decoded_and_broken_codes_survive() {
        assert_eq!(decode("a%2Cb+c"), "a,b c");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%4"), "%zz%4");
        assert_eq!(decode("%ff"), "\u{fffd}");
        let p = Params::parse("date=2026-01-02T03%3A04%3A05Z");
        assert_eq!(p.time("date", "X"), Ok(Timestamp::parse("2026-01-02T03:04:05Z")));
    }
}
