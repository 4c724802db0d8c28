//! The questions that can be put to The Odds API v4: their path, their planned cost and what their answers cover.
//!
//! Pure. The key is no part of a request, so a request may be printed anywhere.

use crate::market::batch::{Asked, Endpoint, Scope};
use crate::market::price::OddsFormat;
use crate::market::time::Timestamp;

use super::ask::{Ask, BookFilter, DateFormat, EventFilter, clean};

/// Before this instant the provider kept decimal odds only.
const AMERICAN_HISTORY_FROM: Timestamp = Timestamp::from_secs(1_663_459_200); // 2022-09-18T00:00:00Z

/// A question that would certainly be refused, found before it is sent.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RequestError {
    /// A sport key or event id with characters that no key has; also keeps them from bending the path.
    #[error("{what} '{text}' is not a key of the provider: letters, digits, _ and - only")]
    BadKey {
        /// Sport or event.
        what: &'static str,
        /// The text.
        text: String,
    },
    /// Neither regions nor books.
    #[error("no regions and no books are set: name at least one region or one book")]
    NoBooks,
    /// The end of the range of starts is not after its beginning.
    #[error("the range of start times is empty: its end must be later than its beginning")]
    EmptyRange,
    /// Scores reach back one to three days.
    #[error("scores reach back 1 to 3 days, not {0}")]
    DaysFrom(u8),
    /// A year that the wire format cannot write.
    #[error("the time {0} cannot be written with a four-digit year")]
    Time(Timestamp),
}

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Question {
    /// The list of sports.
    Sports {
        /// Those out of season too.
        all: bool,
    },
    /// The events of a sport.
    Events {
        /// Sport key.
        sport: String,
        /// Which events.
        filter: EventFilter,
    },
    /// Featured odds of a sport.
    Odds {
        /// Sport key, or `upcoming`.
        sport: String,
        /// Which events.
        filter: EventFilter,
        /// Which quotes.
        ask: Ask,
    },
    /// Odds of one event, any markets.
    EventOdds {
        /// Sport key.
        sport: String,
        /// Provider id of the event.
        event: String,
        /// Which quotes.
        ask: Ask,
    },
    /// Scores of a sport.
    Scores {
        /// Sport key.
        sport: String,
        /// Finished games of so many days back too, 1 to 3.
        days_from: Option<u8>,
        /// Provider ids; empty means all.
        events: Vec<String>,
    },
    /// [`Question::Odds`] at an earlier time.
    HistoricalOdds {
        /// Sport key.
        sport: String,
        /// The snapshot at or before this instant.
        at: Timestamp,
        /// Which events.
        filter: EventFilter,
        /// Which quotes.
        ask: Ask,
    },
    /// [`Question::Events`] at an earlier time.
    HistoricalEvents {
        /// Sport key.
        sport: String,
        /// The snapshot at or before this instant.
        at: Timestamp,
        /// Which events.
        filter: EventFilter,
    },
    /// [`Question::EventOdds`] at an earlier time.
    HistoricalEventOdds {
        /// Sport key.
        sport: String,
        /// Provider id of the event.
        event: String,
        /// The snapshot at or before this instant.
        at: Timestamp,
        /// Which quotes.
        ask: Ask,
    },
}

/// A question and how times in its answer are written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// What is asked.
    pub question: Question,
    /// How times are written.
    pub dates: DateFormat,
}

impl From<Question> for Request {
    fn from(question: Question) -> Self {
        Self { question, dates: DateFormat::Iso }
    }
}

impl Request {
    /// The endpoint that answers it.
    pub const fn endpoint(&self) -> Endpoint {
        match self.question {
            Question::Sports { .. } => Endpoint::Sports,
            Question::Events { .. } => Endpoint::Events,
            Question::Odds { .. } => Endpoint::Odds,
            Question::EventOdds { .. } => Endpoint::EventOdds,
            Question::Scores { .. } => Endpoint::Scores,
            Question::HistoricalOdds { .. } => Endpoint::HistoricalOdds,
            Question::HistoricalEvents { .. } => Endpoint::HistoricalEvents,
            Question::HistoricalEventOdds { .. } => Endpoint::HistoricalEventOdds,
        }
    }

    /// The sport asked about; empty for the list of sports.
    pub fn sport(&self) -> &str {
        match &self.question {
            Question::Sports { .. } => "",
            Question::Events { sport, .. }
            | Question::Odds { sport, .. }
            | Question::EventOdds { sport, .. }
            | Question::Scores { sport, .. }
            | Question::HistoricalOdds { sport, .. }
            | Question::HistoricalEvents { sport, .. }
            | Question::HistoricalEventOdds { sport, .. } => sport,
        }
    }

    fn ask(&self) -> Option<&Ask> {
        match &self.question {
            Question::Odds { ask, .. }
            | Question::EventOdds { ask, .. }
            | Question::HistoricalOdds { ask, .. }
            | Question::HistoricalEventOdds { ask, .. } => Some(ask),
            _ => None,
        }
    }

    fn filter(&self) -> Option<&EventFilter> {
        match &self.question {
            Question::Events { filter, .. }
            | Question::Odds { filter, .. }
            | Question::HistoricalOdds { filter, .. }
            | Question::HistoricalEvents { filter, .. } => Some(filter),
            _ => None,
        }
    }

    fn event(&self) -> Option<&str> {
        match &self.question {
            Question::EventOdds { event, .. } | Question::HistoricalEventOdds { event, .. } => Some(event),
            _ => None,
        }
    }

    fn event_ids(&self) -> Vec<String> {
        match &self.question {
            Question::Scores { events, .. } => clean(events),
            _ => self.filter().map(|f| clean(&f.events)).unwrap_or_default(),
        }
    }

    /// The instant asked about, for history.
    pub const fn at(&self) -> Option<Timestamp> {
        match self.question {
            Question::HistoricalOdds { at, .. }
            | Question::HistoricalEvents { at, .. }
            | Question::HistoricalEventOdds { at, .. } => Some(at),
            _ => None,
        }
    }

    /// How prices in the answer are written. History from before 18 September 2022 is always asked for as decimal:
    /// nothing else was kept, and a converted price is not the one that was quoted.
    pub fn format(&self) -> OddsFormat {
        match (self.ask(), self.at()) {
            (Some(_), Some(at)) if at < AMERICAN_HISTORY_FROM => OddsFormat::Decimal,
            (Some(ask), _) => ask.format,
            (None, _) => OddsFormat::Decimal,
        }
    }

    /// Is it worth sending? Says nothing about names of markets, books and regions: those sets are open.
    ///
    /// # Errors
    /// [`RequestError`]: what the provider would refuse in any case.
    pub fn check(&self) -> Result<(), RequestError> {
        if self.endpoint() != Endpoint::Sports {
            check_key("sport", self.sport())?;
        }
        if let Some(event) = self.event() {
            check_key("event", event)?;
        }
        if self.ask().is_some_and(|ask| ask.books.region_count() == 0) {
            return Err(RequestError::NoBooks);
        }
        if let Question::Scores { days_from: Some(days), .. } = self.question
            && !(1..=3).contains(&days)
        {
            return Err(RequestError::DaysFrom(days));
        }
        let range = self.filter().map(|f| (f.commence_from, f.commence_to)).unwrap_or_default();
        if let (Some(from), Some(to)) = range
            && to.secs() <= from.secs()
        {
            return Err(RequestError::EmptyRange);
        }
        let unwritable = |t: &Timestamp| t.to_wire().len() != "YYYY-MM-DDTHH:MM:SSZ".len();
        match [range.0, range.1, self.at()].into_iter().flatten().find(unwritable) {
            Some(t) => Err(RequestError::Time(t)),
            None => Ok(()),
        }
    }

    /// The most that an answer can cost, in credits. The true price stands in the answer: empty answers are free, and
    /// single events are billed by the markets that came back.
    pub fn planned_cost(&self) -> u32 {
        let quotes = self.ask().map_or(0, |ask| ask.market_count().saturating_mul(ask.books.region_count()));
        match &self.question {
            Question::Sports { .. } | Question::Events { .. } => 0,
            Question::Odds { .. } | Question::EventOdds { .. } => quotes,
            Question::Scores { days_from, .. } => 1 + u32::from(days_from.is_some()),
            Question::HistoricalEvents { .. } => 1,
            Question::HistoricalOdds { .. } | Question::HistoricalEventOdds { .. } => quotes.saturating_mul(10),
        }
    }

    /// What the answer covers: absence from it proves something only in here.
    pub fn scope(&self) -> Scope {
        let events = match self.event() {
            Some(event) => Asked::Only(vec![event.to_owned()]),
            None => only_or_all(self.event_ids()),
        };
        // Whole seconds: what is on the wire is what was asked.
        let whole = |t: Timestamp| Timestamp::from_secs(t.secs());
        let (commence_from, commence_to) =
            self.filter().map(|f| (f.commence_from.map(whole), f.commence_to.map(whole))).unwrap_or_default();
        let nothing = || Asked::Only(Vec::new());
        let (markets, books, regions) = match self.ask() {
            // No quote was asked for, so none is missing.
            None => (nothing(), nothing(), nothing()),
            Some(ask) => {
                let mut markets = ask.sent_markets();
                for key in ["h2h", "outrights"] {
                    // Exchanges answer with their lay prices unasked.
                    if markets.iter().any(|m| m == key) {
                        markets.push(format!("{key}_lay"));
                    }
                }
                let markets = Asked::Only(clean(&markets));
                match &ask.books {
                    BookFilter::Regions(regions) => (markets, Asked::All, Asked::Only(clean(regions))),
                    BookFilter::Books(books) => (markets, Asked::Only(clean(books)), Asked::All),
                }
            }
        };
        Scope { markets, books, regions, events, commence_from, commence_to }
    }

    /// Path and query, without the key. Meaningful only for requests that pass [`Request::check`].
    pub fn path_and_query(&self) -> String {
        let sport = encode(self.sport());
        let event = encode(self.event().unwrap_or_default());
        let path = match self.endpoint() {
            Endpoint::Sports => "/v4/sports".to_owned(),
            Endpoint::Events => format!("/v4/sports/{sport}/events"),
            Endpoint::Odds => format!("/v4/sports/{sport}/odds"),
            Endpoint::EventOdds => format!("/v4/sports/{sport}/events/{event}/odds"),
            Endpoint::Scores => format!("/v4/sports/{sport}/scores"),
            Endpoint::HistoricalOdds => format!("/v4/historical/sports/{sport}/odds"),
            Endpoint::HistoricalEvents => format!("/v4/historical/sports/{sport}/events"),
            Endpoint::HistoricalEventOdds => format!("/v4/historical/sports/{sport}/events/{event}/odds"),
            // An exchange is listened to; nothing here asks for it.
            Endpoint::Exchange => return String::new(),
        };
        let mut out = path;
        for (i, (name, value)) in self.query().into_iter().enumerate() {
            out.push(if i == 0 { '?' } else { '&' });
            out.push_str(name);
            out.push('=');
            out.push_str(&encode(&value));
        }
        out
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        if let Question::Sports { all } = self.question {
            if all {
                query.push(("all", "true".to_owned()));
            }
            return query;
        }
        if let Some(at) = self.at() {
            query.push(("date", at.to_wire()));
        }
        if let Some(ask) = self.ask() {
            match &ask.books {
                BookFilter::Regions(regions) => query.push(("regions", clean(regions).join(","))),
                BookFilter::Books(books) => query.push(("bookmakers", clean(books).join(","))),
            }
            query.push(("markets", ask.sent_markets().join(",")));
            let format = match self.format() {
                OddsFormat::American => "american",
                OddsFormat::Decimal => "decimal",
            };
            query.push(("oddsFormat", format.to_owned()));
        }
        let dates = match self.dates {
            DateFormat::Iso => "iso",
            DateFormat::Unix => "unix",
        };
        query.push(("dateFormat", dates.to_owned()));
        if let Question::Scores { days_from: Some(days), .. } = self.question {
            query.push(("daysFrom", days.to_string()));
        }
        let ids = self.event_ids();
        if !ids.is_empty() {
            query.push(("eventIds", ids.join(",")));
        }
        if let Some(filter) = self.filter() {
            query.extend(filter.commence_from.map(|t| ("commenceTimeFrom", t.to_wire())));
            query.extend(filter.commence_to.map(|t| ("commenceTimeTo", t.to_wire())));
        }
        if let Some(Ask { extras, .. }) = self.ask() {
            let single = self.endpoint().is_single_event();
            for (name, wanted) in [
                ("includeLinks", extras.links),
                ("includeSids", extras.sids),
                ("includeBetLimits", extras.bet_limits),
                ("includeMultipliers", extras.multipliers && single),
                ("includeRotationNumbers", extras.rotation_numbers),
            ] {
                if wanted {
                    query.push((name, "true".to_owned()));
                }
            }
        }
        query
    }
}

/// Percent-encodes everything but unreserved characters and the comma and colon of lists and times.
pub(in crate::feeds) fn encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~,:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    out
}

fn only_or_all(names: Vec<String>) -> Asked {
    if names.is_empty() { Asked::All } else { Asked::Only(names) }
}

fn check_key(what: &'static str, text: &str) -> Result<(), RequestError> {
    let fits =
        (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if fits { Ok(()) } else { Err(RequestError::BadKey { what, text: text.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::super::ask::Extras;
    use super::*;
    use proptest::prelude::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|s| (*s).to_owned()).collect()
    }

    fn ask(markets: &[&str], regions: &[&str], books: &[&str]) -> Ask {
        Ask::new(&names(markets), BookFilter::choose(&names(regions), &names(books)))
    }

    fn odds(ask: Ask, filter: EventFilter) -> Request {
        Question::Odds { sport: "basketball_nba".into(), filter, ask }.into()
    }

    fn t(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    const EVENT: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn every_endpoint_has_its_path() {
        let at = t("2026-01-02T03:04:05.678Z");
        let sport = || "icehockey_nhl".to_owned();
        let all = EventFilter::default;
        let h2h = || ask(&[], &["us"], &[]);
        let odds = "regions=us&markets=h2h&oddsFormat=american&dateFormat=iso";
        for (question, expected) in [
            (Question::Sports { all: false }, "/v4/sports".to_owned()),
            (Question::Sports { all: true }, "/v4/sports?all=true".to_owned()),
            (
                Question::Events { sport: sport(), filter: all() },
                "/v4/sports/icehockey_nhl/events?dateFormat=iso".to_owned(),
            ),
            (
                Question::Odds { sport: sport(), filter: all(), ask: h2h() },
                format!("/v4/sports/icehockey_nhl/odds?{odds}"),
            ),
            (
                Question::EventOdds { sport: sport(), event: EVENT.into(), ask: h2h() },
                format!("/v4/sports/icehockey_nhl/events/{EVENT}/odds?{odds}"),
            ),
            (
                Question::Scores { sport: sport(), days_from: Some(3), events: names(&["a", "b"]) },
                "/v4/sports/icehockey_nhl/scores?dateFormat=iso&daysFrom=3&eventIds=a,b".to_owned(),
            ),
            (
                Question::HistoricalOdds { sport: sport(), at, filter: all(), ask: h2h() },
                format!("/v4/historical/sports/icehockey_nhl/odds?date=2026-01-02T03:04:05Z&{odds}"),
            ),
            (
                Question::HistoricalEvents { sport: sport(), at, filter: all() },
                "/v4/historical/sports/icehockey_nhl/events?date=2026-01-02T03:04:05Z&dateFormat=iso".to_owned(),
            ),
            (
                Question::HistoricalEventOdds { sport: sport(), event: EVENT.into(), at, ask: h2h() },
                format!("/v4/historical/sports/icehockey_nhl/events/{EVENT}/odds?date=2026-01-02T03:04:05Z&{odds}"),
            ),
        ] {
            let request = Request::from(question);
            assert_eq!(request.path_and_query(), expected);
            assert_eq!(request.check(), Ok(()));
        }
    }

    #[test]
    fn all_parameters_in_a_fixed_order() {
        let mut ask = ask(&["h2h", " totals ", "h2h", ""], &["us", "us_ex"], &[]);
        ask.format = OddsFormat::Decimal;
        ask.extras = Extras { links: true, sids: true, bet_limits: true, multipliers: true, rotation_numbers: true };
        let filter = EventFilter {
            events: names(&[EVENT]),
            commence_from: Some(t("2026-11-20T00:00:00Z")),
            commence_to: Some(t("2026-11-21T00:00:00.999Z")),
        };
        let mut request = odds(ask, filter);
        request.dates = DateFormat::Unix;
        assert_eq!(
            request.path_and_query(),
            format!(
                "/v4/sports/basketball_nba/odds?regions=us,us_ex&markets=h2h,totals&oddsFormat=decimal&dateFormat=unix\
                 &eventIds={EVENT}&commenceTimeFrom=2026-11-20T00:00:00Z&commenceTimeTo=2026-11-21T00:00:00Z\
                 &includeLinks=true&includeSids=true&includeBetLimits=true&includeRotationNumbers=true"
            )
        );
        assert_eq!(request.planned_cost(), 4);
        let scope = request.scope();
        assert_eq!(scope.markets, Asked::Only(names(&["h2h", "totals", "h2h_lay"])));
        assert_eq!(scope.regions, Asked::Only(names(&["us", "us_ex"])));
        assert_eq!(scope.books, Asked::All);
        assert_eq!(scope.events, Asked::Only(names(&[EVENT])));
        assert_eq!(scope.commence_to, Some(t("2026-11-21T00:00:00Z")));
    }

    #[test]
    fn books_win_over_regions() {
        let request = odds(ask(&["spreads"], &["us", "eu"], &["pinnacle", "draftkings"]), EventFilter::default());
        assert!(request.path_and_query().contains("?bookmakers=pinnacle,draftkings&"));
        assert!(!request.path_and_query().contains("regions"));
        assert_eq!(request.scope().books, Asked::Only(names(&["pinnacle", "draftkings"])));
        assert_eq!(request.scope().regions, Asked::All);
        assert_eq!(request.planned_cost(), 1);
    }

    #[test]
    fn planned_costs_follow_the_price_list() {
        let books: Vec<String> = (0..21).map(|i| format!("book{i}")).collect();
        let sport = || "s".to_owned();
        let at = t("2026-01-01T00:00:00Z");
        let three_by_two = || ask(&["h2h", "spreads", "totals"], &["us", "eu"], &[]);
        for (question, cost) in [
            (Question::Sports { all: true }, 0),
            (Question::Events { sport: sport(), filter: EventFilter::default() }, 0),
            (Question::Odds { sport: sport(), filter: EventFilter::default(), ask: three_by_two() }, 6),
            (
                Question::Odds {
                    sport: sport(),
                    filter: EventFilter::default(),
                    ask: Ask::new(&names(&["h2h", "totals"]), BookFilter::Books(books)),
                },
                6,
            ),
            (Question::EventOdds { sport: sport(), event: "e".into(), ask: three_by_two() }, 6),
            (Question::Scores { sport: sport(), days_from: None, events: vec![] }, 1),
            (Question::Scores { sport: sport(), days_from: Some(1), events: vec![] }, 2),
            (Question::HistoricalOdds { sport: sport(), at, filter: EventFilter::default(), ask: three_by_two() }, 60),
            (Question::HistoricalEvents { sport: sport(), at, filter: EventFilter::default() }, 1),
            (Question::HistoricalEventOdds { sport: sport(), event: "e".into(), at, ask: three_by_two() }, 60),
        ] {
            assert_eq!(Request::from(question.clone()).planned_cost(), cost, "{question:?}");
        }
    }

    #[test]
    fn old_history_is_asked_for_as_decimal() {
        let at = |text| {
            let ask = ask(&["h2h"], &["us"], &[]);
            Request::from(Question::HistoricalOdds {
                sport: "s".into(),
                at: t(text),
                filter: EventFilter::default(),
                ask,
            })
        };
        assert_eq!(at("2022-09-17T23:59:59Z").format(), OddsFormat::Decimal);
        assert!(at("2022-09-17T23:59:59Z").path_and_query().contains("oddsFormat=decimal"));
        assert_eq!(at("2022-09-18T00:00:00Z").format(), OddsFormat::American);
    }

    #[test]
    fn what_would_be_refused_is_not_sent() {
        let h2h = || ask(&["h2h"], &["us"], &[]);
        for sport in ["", "..", "a/b", "a?b", "a#b", "a b", "%2e", "é", &"x".repeat(101)] {
            let request: Request =
                Question::Odds { sport: sport.into(), filter: EventFilter::default(), ask: h2h() }.into();
            assert!(matches!(request.check(), Err(RequestError::BadKey { what: "sport", .. })), "{sport:?}");
        }
        let event: Request = Question::EventOdds { sport: "s".into(), event: "../x".into(), ask: h2h() }.into();
        assert!(matches!(event.check(), Err(RequestError::BadKey { what: "event", .. })));
        assert_eq!(odds(ask(&["h2h"], &["", " "], &[]), EventFilter::default()).check(), Err(RequestError::NoBooks));
        let range = |from, to| EventFilter { events: vec![], commence_from: Some(from), commence_to: Some(to) };
        let noon = t("2026-01-01T12:00:00Z");
        assert_eq!(odds(h2h(), range(noon, noon.plus(999))).check(), Err(RequestError::EmptyRange));
        assert_eq!(odds(h2h(), range(noon, noon.plus(1000))).check(), Ok(()));
        let far = Timestamp::from_secs(253_402_300_800); // year 10000
        assert_eq!(odds(h2h(), range(noon, far)).check(), Err(RequestError::Time(far)));
        for days in [0, 4] {
            let scores: Request = Question::Scores { sport: "s".into(), days_from: Some(days), events: vec![] }.into();
            assert_eq!(scores.check(), Err(RequestError::DaysFrom(days)));
        }
    }

    #[test]
    fn without_quotes_no_quote_can_be_missing() {
        let scope = Request::from(Question::Events { sport: "s".into(), filter: EventFilter::default() }).scope();
        assert!(!scope.markets.covers("h2h") && !scope.books.covers("draftkings"));
        assert!(scope.events.covers(EVENT));
    }

    proptest! {
        #[test]
        fn whatever_is_asked_stays_inside_the_query(market in "\\PC{0,20}", book in "\\PC{0,20}") {
            let request = odds(ask(&[&market], &[], &[&book, "x"]), EventFilter::default());
            let text = request.path_and_query();
            prop_assert_eq!(text.matches('?').count(), 1);
            prop_assert!(text.bytes().all(|b| b.is_ascii_graphic() && b != b'#'));
            prop_assert_eq!(text.matches('&').count(), 3);
        }

        #[test]
        fn times_are_always_twenty_characters(secs in 0i64..253_402_300_799, ms in 0i64..1000) {
            let at = Timestamp::from_millis(secs * 1000 + ms);
            let request: Request = Question::HistoricalEvents { sport: "s".into(), at, filter: EventFilter::default() }.into();
            prop_assert_eq!(request.check(), Ok(()));
            let text = request.path_and_query();
            let date = text.split("date=").nth(1).and_then(|d| d.split('&').next()).unwrap_or_default();
            prop_assert_eq!(date.len(), 20);
            prop_assert_eq!(Timestamp::parse(date), Some(Timestamp::from_secs(secs)));
        }
    }
}
