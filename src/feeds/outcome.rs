//! What came of a fetch: data, an answer without events, or no answer and why.
//!
//! Failure is a value here, not an error: an outage that looks like an empty slate would slow the poller down and
//! report success. Shared by all sources; knows none of them.

use std::time::Duration;

use crate::market::price::OddsFormat;
use crate::market::time::Timestamp;

/// Why a source gave nothing usable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Unavailable {
    /// The key is missing, wrong or switched off. Stop until the user has changed it.
    Auth,
    /// The credits of the period are used up. Stop until the reset or another key.
    Quota,
    /// The source will never answer this request. Do not repeat it.
    BadRequest,
    /// What was asked about does not exist, or no longer. Drop it from the plan.
    NotFound,
    /// Too many requests at once. Slow down.
    RateLimited,
    /// Timeout, network failure or a fault at the source. Another try may work.
    Transient,
    /// An answer that cannot be read.
    Malformed,
    /// Not asked at all: earlier calls failed and the pause is not over.
    Paused,
}

impl Unavailable {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::Auth,
        Self::Quota,
        Self::BadRequest,
        Self::NotFound,
        Self::RateLimited,
        Self::Transient,
        Self::Malformed,
        Self::Paused,
    ];

    /// The name in logs, tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Quota => "quota",
            Self::BadRequest => "bad_request",
            Self::NotFound => "not_found",
            Self::RateLimited => "rate_limited",
            Self::Transient => "transient",
            Self::Malformed => "malformed",
            Self::Paused => "paused",
        }
    }

    /// Says something about the health of the source, rather than about the key or the question.
    pub const fn is_fault_of_source(self) -> bool {
        matches!(self, Self::RateLimited | Self::Transient | Self::Malformed)
    }
}

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How one attempt of a call ended, in more detail than the outcome of the call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AttemptClass {
    /// A body that looks like an answer.
    Data,
    /// A sound answer without events.
    NoEvents,
    /// No complete answer in time.
    Timeout,
    /// No connection.
    Connect,
    /// The connection or the compressed stream ended before the answer did.
    CutOff,
    /// Status 5xx, or 408.
    ServerError,
    /// Status 429 or the provider's code for it.
    RateLimited,
    /// The key was refused.
    Auth,
    /// The credits are used up.
    Quota,
    /// The request was refused.
    BadRequest,
    /// No such event or sport.
    NotFound,
    /// The answer points elsewhere; redirects are never followed, they would carry the key along.
    Redirected,
    /// The (decompressed) answer is larger than the limit.
    TooLarge,
    /// The answer is not JSON.
    NotJson,
}

impl AttemptClass {
    /// The name in logs and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::NoEvents => "no_events",
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::CutOff => "cut_off",
            Self::ServerError => "server_error",
            Self::RateLimited => "rate_limited",
            Self::Auth => "auth",
            Self::Quota => "quota",
            Self::BadRequest => "bad_request",
            Self::NotFound => "not_found",
            Self::Redirected => "redirected",
            Self::TooLarge => "too_large",
            Self::NotJson => "not_json",
        }
    }

    /// What the caller is told when this was the last attempt; `None` for success.
    pub const fn reason(self) -> Option<Unavailable> {
        Some(match self {
            Self::Data | Self::NoEvents => return None,
            Self::Timeout | Self::Connect | Self::CutOff | Self::ServerError => Unavailable::Transient,
            Self::RateLimited => Unavailable::RateLimited,
            Self::Auth => Unavailable::Auth,
            Self::Quota => Unavailable::Quota,
            Self::BadRequest => Unavailable::BadRequest,
            Self::NotFound => Unavailable::NotFound,
            Self::Redirected | Self::TooLarge | Self::NotJson => Unavailable::Malformed,
        })
    }
}

/// What came of one call.
#[derive(Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An answer to be parsed.
    Data {
        /// The decompressed body.
        body: Vec<u8>,
        /// How prices in it are written.
        format: OddsFormat,
        /// The provider's clock when it answered.
        server_date: Option<Timestamp>,
    },
    /// A sound answer that lists no event. Still a successful look: what it was asked about is absent.
    NoEvents {
        /// The decompressed body; historical ones name their neighbours in time.
        body: Vec<u8>,
        /// How prices would have been written.
        format: OddsFormat,
        /// The provider's clock when it answered.
        server_date: Option<Timestamp>,
    },
    /// No usable answer. Nothing is known about the market.
    Unavailable {
        /// Why.
        reason: Unavailable,
        /// The provider's own code, where it gave one.
        code: Option<String>,
        /// For a person: what happened and what to do. Free of secrets and control characters.
        message: String,
        /// Do not ask again before this has passed.
        retry_after: Option<Duration>,
    },
}

impl Outcome {
    /// The body of a successful answer.
    pub fn body(&self) -> Option<&[u8]> {
        match self {
            Self::Data { body, .. } | Self::NoEvents { body, .. } => Some(body),
            Self::Unavailable { .. } => None,
        }
    }

    /// Why there is no answer; `None` for success.
    pub const fn unavailable(&self) -> Option<Unavailable> {
        match self {
            Self::Unavailable { reason, .. } => Some(*reason),
            Self::Data { .. } | Self::NoEvents { .. } => None,
        }
    }

    /// The name in logs and tables: `data`, `no_events`, or the reason.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Data { .. } => "data",
            Self::NoEvents { .. } => "no_events",
            Self::Unavailable { reason, .. } => reason.name(),
        }
    }
}

/// Bodies are megabytes: only their size is shown.
impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Data { body, format, server_date } | Self::NoEvents { body, format, server_date } => f
                .debug_struct(if matches!(self, Self::Data { .. }) { "Data" } else { "NoEvents" })
                .field("bytes", &body.len())
                .field("format", format)
                .field("server_date", server_date)
                .finish(),
            Self::Unavailable { reason, code, message, retry_after } => f
                .debug_struct("Unavailable")
                .field("reason", reason)
                .field("code", code)
                .field("message", message)
                .field("retry_after", retry_after)
                .finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for (i, a) in Unavailable::ALL.iter().enumerate() {
            for b in &Unavailable::ALL[i + 1..] {
                assert_ne!(a.name(), b.name());
            }
        }
    }

    #[test]
    fn debug_shows_the_size_of_a_body_and_not_the_body() {
        let data = Outcome::Data { body: b"[secret]".to_vec(), format: OddsFormat::Decimal, server_date: None };
        let text = format!("{data:?}");
        assert!(text.contains("bytes: 8") && !text.contains("secret"), "{text}");
    }
}
