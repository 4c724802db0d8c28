//! What an error answer of The Odds API means.
//!
//! Routed by `error_code` first and by status second, because one status covers different things: 401 is a wrong key
//! as well as used-up credits, and only the latter ends by itself.

use crate::feeds::outcome::AttemptClass;
use crate::feeds::secret::ApiKey;

use super::quota::Quota;

/// Longest text of the provider passed on to a person, in characters.
const MAX_MESSAGE: usize = 300;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal => $class:ident;)*) => {
        /// The provider's own codes. The set is open.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)*
            /// A code that is not in the published list.
            Unknown(String),
        }

        impl ErrorCode {
            /// Every known code.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),*];

            /// As on the wire.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Unknown(name) => name,
                }
            }

            /// The code of a name.
            pub fn from_name(name: &str) -> Self {
                match name {
                    $($name => Self::$variant,)*
                    other => Self::Unknown(other.to_owned()),
                }
            }

            /// What it means for the caller; `None` for unknown codes, where the status decides.
            pub const fn class(&self) -> Option<AttemptClass> {
                Some(match self {
                    $(Self::$variant => AttemptClass::$class,)*
                    Self::Unknown(_) => return None,
                })
            }
        }
    };
}

codes! {
    /// No key was sent.
    MissingKey = "MISSING_KEY" => Auth;
    /// The key is wrong.
    InvalidKey = "INVALID_KEY" => Auth;
    /// The key was switched off.
    DeactivatedKey = "DEACTIVATED_KEY" => Auth;
    /// Credits are used up until the 1st of next month.
    OutOfUsageCredits = "OUT_OF_USAGE_CREDITS" => Quota;
    /// More than 30 requests a second, or their side is scaling up.
    ExceededFreqLimit = "EXCEEDED_FREQ_LIMIT" => RateLimited;
    /// Unknown or expired event.
    EventNotFound = "EVENT_NOT_FOUND" => NotFound;
    /// Unknown sport.
    UnknownSport = "UNKNOWN_SPORT" => NotFound;
    /// History needs a paid plan. A refusal of the question, not of the key: live polling goes on.
    HistoricalUnavailableOnFreePlan = "HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN" => BadRequest;
    /// These markets were not kept yet at that time.
    HistoricalMarketsUnavailable = "HISTORICAL_MARKETS_UNAVAILABLE_AT_DATE" => BadRequest;
    /// No time given.
    MissingHistoricalTimestamp = "MISSING_HISTORICAL_TIMESTAMP" => BadRequest;
    /// The time has another form than whole seconds and `Z`.
    InvalidHistoricalTimestamp = "INVALID_HISTORICAL_TIMESTAMP" => BadRequest;
    /// Neither regions nor bookmakers.
    MissingRegion = "MISSING_REGION" => BadRequest;
    /// Wrong region.
    InvalidRegion = "INVALID_REGION" => BadRequest;
    /// Wrong book.
    InvalidBookmakers = "INVALID_BOOKMAKERS" => BadRequest;
    /// No market.
    MissingMarket = "MISSING_MARKET" => BadRequest;
    /// Wrong market.
    InvalidMarket = "INVALID_MARKET" => BadRequest;
    /// Markets that do not go together, or not on this endpoint.
    InvalidMarketCombo = "INVALID_MARKET_COMBO" => BadRequest;
    /// Wrong `dateFormat`.
    InvalidDateFormat = "INVALID_DATE_FORMAT" => BadRequest;
    /// Wrong `oddsFormat`.
    InvalidOddsFormat = "INVALID_ODDS_FORMAT" => BadRequest;
    /// Wrong `all`.
    InvalidAllSportsParam = "INVALID_ALL_SPORTS_PARAM" => BadRequest;
    /// Wrong sport key.
    InvalidSport = "INVALID_SPORT" => BadRequest;
    /// Wrong `daysFrom`.
    InvalidScoresDaysFrom = "INVALID_SCORES_DAYS_FROM" => BadRequest;
    /// Wrong `eventIds`.
    InvalidEventIds = "INVALID_EVENT_IDS" => BadRequest;
    /// Wrong event id.
    InvalidEventId = "INVALID_EVENT_ID" => BadRequest;
    /// Wrong `commenceTimeFrom`.
    InvalidCommenceTimeFrom = "INVALID_COMMENCE_TIME_FROM" => BadRequest;
    /// Wrong `commenceTimeTo`.
    InvalidCommenceTimeTo = "INVALID_COMMENCE_TIME_TO" => BadRequest;
    /// The range ends before it begins.
    InvalidCommenceTimeRange = "INVALID_COMMENCE_TIME_RANGE" => BadRequest;
    /// Wrong participant.
    InvalidParticipantId = "INVALID_PARTICIPANT_ID" => BadRequest;
    /// Wrong `includeLinks`.
    InvalidIncludeLinks = "INVALID_INCLUDE_LINKS" => BadRequest;
    /// Wrong `includeSids`.
    InvalidIncludeSids = "INVALID_INCLUDE_SIDS" => BadRequest;
    /// Wrong `includeBetLimits`.
    InvalidIncludeBetLimits = "INVALID_INCLUDE_BET_LIMITS" => BadRequest;
    /// Wrong `includeMultipliers`.
    InvalidIncludeMultipliers = "INVALID_INCLUDE_MULTIPLIERS" => BadRequest;
    /// Wrong `includeRotationNumbers`.
    InvalidIncludeRotationNumbers = "INVALID_INCLUDE_ROTATION_NUMBERS" => BadRequest;
}

impl ErrorCode {
    /// The first known code standing in a text as a word of its own; longer names win over their beginnings.
    pub fn search(text: &str) -> Option<Self> {
        let mut known: Vec<&Self> = Self::KNOWN.iter().collect();
        known.sort_by_key(|code| std::cmp::Reverse(code.name().len()));
        known.into_iter().find(|code| contains_word(text, code.name())).cloned()
    }
}

fn contains_word(text: &str, word: &str) -> bool {
    let joins = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|s| s.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|s| s.chars().next());
        !before.is_some_and(joins) && !after.is_some_and(joins)
    })
}

/// An error answer, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What it means.
    pub class: AttemptClass,
    /// The provider's code, where there is one.
    pub code: Option<ErrorCode>,
    /// For a person. Free of the key and of control characters.
    pub message: String,
}

/// Understands an answer with an error status. `body` may be cut off, HTML or empty.
pub fn classify(status: u16, body: &[u8], quota: &Quota, key: &ApiKey) -> Fault {
    let text = String::from_utf8_lossy(body);
    let (code, said) = match read_body(body) {
        Some(read) => read,
        None => (ErrorCode::search(&text), None),
    };
    let code = code.filter(|code| key.redact(code.name()) == code.name());
    let class = code.as_ref().and_then(ErrorCode::class).unwrap_or_else(|| match status {
        401 if quota.is_exhausted() => AttemptClass::Quota,
        401 | 403 => AttemptClass::Auth,
        404 | 410 => AttemptClass::NotFound,
        408 => AttemptClass::ServerError,
        429 => AttemptClass::RateLimited,
        300..=399 => AttemptClass::Redirected,
        400..=499 => AttemptClass::BadRequest,
        500..=599 => AttemptClass::ServerError,
        _ => AttemptClass::NotJson,
    });
    let mut message = match &code {
        Some(code) => format!("status {status}, {}", code.name()),
        None => format!("status {status}"),
    };
    if let Some(said) = said.map(|said| for_person(&said, key)).filter(|said| !said.is_empty()) {
        message.push_str(": ");
        message.push_str(&said);
    }
    message.push_str(advice(class, code.as_ref()));
    Fault { class, code, message }
}

/// Is this, under status 200, really an error answer? Only bodies of the size of an error are looked at.
pub fn error_in_success(body: &[u8]) -> bool {
    body.len() <= 4096 && matches!(read_body(body), Some((Some(_), _)))
}

/// The code and message of a JSON body; `None` when it is no JSON object with either.
fn read_body(body: &[u8]) -> Option<(Option<ErrorCode>, Option<String>)> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let field = |name| value.get(name).and_then(serde_json::Value::as_str);
    let code = field("error_code").filter(|code| {
        (1..=64).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    });
    let message = field("message");
    if code.is_none() && message.is_none() {
        return None;
    }
    Some((code.map(ErrorCode::from_name), message.map(str::to_owned)))
}

fn advice(class: AttemptClass, code: Option<&ErrorCode>) -> &'static str {
    match (code, class) {
        (Some(ErrorCode::HistoricalUnavailableOnFreePlan), _) => "; history needs a paid plan",
        (Some(ErrorCode::UnknownSport), _) => "; the sport is not offered, check its key against the list of sports",
        (_, AttemptClass::Auth) => "; check the API key in the settings",
        (_, AttemptClass::Quota) => "; credits come back on the 1st of the month, or use another key or plan",
        (_, AttemptClass::BadRequest) => "; check markets, regions and books in the settings",
        (_, AttemptClass::NotFound) => "; it has ended or was removed",
        (_, AttemptClass::RateLimited) => "; too many requests at once",
        (_, AttemptClass::ServerError) => "; a fault at the provider, trying again later",
        (_, AttemptClass::Redirected) => {
            "; redirects are not followed, check the base URL and the network's sign-in page"
        }
        _ => "",
    }
}

/// Text of others for a person: key masked, control characters (terminals obey them) and line breaks flattened, and
/// shortened last, so that no cut leaves part of a key.
pub fn for_person(text: &str, key: &ApiKey) -> String {
    let clean = key.redact(text);
    let words: Vec<&str> =
        clean.split(|c: char| c.is_control() || c.is_whitespace()).filter(|w| !w.is_empty()).collect();
    let mut out = String::new();
    for (i, c) in words.join(" ").chars().enumerate() {
        if i == MAX_MESSAGE {
            out.push('…');
            break;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> ApiKey {
        ApiKey::parse("k3yk3yk3y").unwrap()
    }

    fn fault(status: u16, body: &str) -> Fault {
        classify(status, body.as_bytes(), &Quota::default(), &key())
    }

    #[test]
    fn names_survive_a_round_trip_and_are_unique() {
        for (i, code) in ErrorCode::KNOWN.iter().enumerate() {
            assert_eq!(&ErrorCode::from_name(code.name()), code);
            assert!(ErrorCode::KNOWN[..i].iter().all(|c| c.name() != code.name()));
            // Also inside text that is no JSON.
            let html = format!("<html><p>Error: {}.</p></html>", code.name());
            assert_eq!(ErrorCode::search(&html).as_ref(), Some(code));
            assert_eq!(fault(500, &html).class, code.class().unwrap());
            let json = format!("{{\"message\":\"m\",\"error_code\":\"{}\"}}", code.name());
            assert_eq!(fault(418, &json).code.as_ref(), Some(code));
        }
    }

    #[test]
    fn longer_names_win_and_parts_of_words_do_not_count() {
        assert_eq!(ErrorCode::search("x INVALID_MARKET_COMBO y"), Some(ErrorCode::InvalidMarketCombo));
        assert_eq!(ErrorCode::search("INVALID_EVENT_IDS"), Some(ErrorCode::InvalidEventIds));
        assert_eq!(ErrorCode::search("INVALID_EVENT_ID"), Some(ErrorCode::InvalidEventId));
        assert_eq!(ErrorCode::search("INVALID_MARKET_WHATEVER MY_INVALID_KEY"), None);
    }

    #[test]
    fn the_code_decides_before_the_status() {
        for (status, code, class) in [
            (401, "INVALID_KEY", AttemptClass::Auth),
            (401, "OUT_OF_USAGE_CREDITS", AttemptClass::Quota),
            (429, "OUT_OF_USAGE_CREDITS", AttemptClass::Quota),
            (403, "EXCEEDED_FREQ_LIMIT", AttemptClass::RateLimited),
            (401, "HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN", AttemptClass::BadRequest),
            (422, "SOMETHING_NEW", AttemptClass::BadRequest),
            (500, "SOMETHING_NEW", AttemptClass::ServerError),
        ] {
            let fault = fault(status, &format!("{{\"message\":\"m\",\"error_code\":\"{code}\"}}"));
            assert_eq!(fault.class, class, "{status} {code}");
            assert_eq!(fault.code.as_ref().map(ErrorCode::name), Some(code));
        }
    }

    #[test]
    fn without_a_code_the_status_decides() {
        for (status, class) in [
            (301, AttemptClass::Redirected),
            (400, AttemptClass::BadRequest),
            (401, AttemptClass::Auth),
            (403, AttemptClass::Auth),
            (404, AttemptClass::NotFound),
            (408, AttemptClass::ServerError),
            (422, AttemptClass::BadRequest),
            (429, AttemptClass::RateLimited),
            (500, AttemptClass::ServerError),
            (599, AttemptClass::ServerError),
        ] {
            for body in ["", "<html>", "null", "{", "[]", "{\"error_code\":7}"] {
                assert_eq!(fault(status, body).class, class, "{status} {body}");
            }
        }
    }

    #[test]
    fn a_bare_401_with_nothing_remaining_is_the_quota() {
        let empty = Quota { remaining: Some(0), ..Quota::default() };
        assert_eq!(classify(401, b"", &empty, &key()).class, AttemptClass::Quota);
        // A code still wins: a wrong key stays wrong.
        let body = br#"{"message":"m","error_code":"INVALID_KEY"}"#;
        assert_eq!(classify(401, body, &empty, &key()).class, AttemptClass::Auth);
        let some = Quota { remaining: Some(3), ..Quota::default() };
        assert_eq!(classify(401, b"", &some, &key()).class, AttemptClass::Auth);
    }

    #[test]
    fn messages_carry_neither_key_nor_control_characters() {
        let said = format!("bad key k3yk3yk3y \\u001b[31m\\n{}k3yk3yk3y", "x".repeat(MAX_MESSAGE - 25));
        let fault = fault(401, &format!("{{\"message\":\"{said}\",\"error_code\":\"K3YK3YK3Y\"}}"));
        assert!(!fault.message.to_lowercase().contains("k3y"), "{}", fault.message);
        assert!(!fault.message.contains(char::is_control));
        assert_eq!(fault.code, None);
        assert!(fault.message.ends_with("; check the API key in the settings"));
    }

    #[test]
    fn an_error_may_come_under_status_200() {
        assert!(error_in_success(br#"{"message":"m","error_code":"INVALID_KEY"}"#));
        assert!(!error_in_success(br#"{"id":"x","bookmakers":[]}"#));
        assert!(!error_in_success(b"[]"));
    }

    proptest! {
        #[test]
        fn any_body_is_survived(status in 0u16..1000, body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let fault = classify(status, &body, &Quota::default(), &key());
            prop_assert!(fault.class.reason().is_some());
            prop_assert!(!fault.message.contains(char::is_control));
        }
    }
}
