//! What can go wrong when asking Polymarket over REST, in words that say what to do.

use std::time::Duration;

use super::wire::WireError;

/// Why there is no client or no socket. Never repeats a URL, which may hold a password.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SetupError {
    /// An address cannot be used.
    #[error("the {host} address of Polymarket {problem}; it should look like {example}")]
    BaseUrl {
        /// Which of the addresses.
        host: &'static str,
        /// What is wrong with it.
        problem: &'static str,
        /// A good one.
        example: &'static str,
    },
    /// TLS could not be set up.
    #[error("the HTTPS client could not be set up: {0}; are the system's root certificates installed?")]
    Tls(String),
}

/// Why a question has no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AskError {
    /// There is no such thing. Of a book this is an answer and no error.
    #[error("Polymarket has no such record ({said})")]
    NotFound {
        /// What it said.
        said: String,
    },
    /// Pages beyond some offset are only served by cursor.
    #[error("the offset is too large; the listing has to be read by cursor")]
    OffsetTooLarge,
    /// The question is wrong; asking again will not help.
    #[error("Polymarket refuses the question (status {status}): {said}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What it said.
        said: String,
    },
    /// We are not let in.
    #[error(
        "Polymarket does not let this machine in (status {status}): {said}; it may be closed to this country or \
         network, and data cannot be had from here"
    )]
    Blocked {
        /// HTTP status.
        status: u16,
        /// What it said.
        said: String,
    },
    /// Too many questions.
    #[error("Polymarket asks us to slow down; lower polymarket.calls_per_second if this goes on")]
    RateLimited {
        /// Do not ask before that.
        retry_after: Option<Duration>,
    },
    /// No (complete) answer.
    #[error("no answer from Polymarket: {what}; is the network up?")]
    Unreachable {
        /// What happened.
        what: String,
    },
    /// Their side is in trouble.
    #[error("Polymarket is in trouble (status {status}): {said}; it will be asked again")]
    Trouble {
        /// HTTP status.
        status: u16,
        /// What it said.
        said: String,
    },
    /// The answer points elsewhere.
    #[error("the answer points to another address (status {status}); check the network's sign-in page")]
    Redirected {
        /// HTTP status.
        status: u16,
    },
    /// More bytes than are read.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// An answer that cannot be read.
    #[error("the answer of Polymarket cannot be read: {0}")]
    Malformed(#[from] WireError),
}

impl AskError {
    /// May asking the same again help?
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Unreachable { .. } | Self::Trouble { .. })
    }

    /// The name in logs and tables.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not_found",
            Self::OffsetTooLarge => "offset_too_large",
            Self::Refused { .. } => "refused",
            Self::Blocked { .. } => "blocked",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unreachable { .. } => "unreachable",
            Self::Trouble { .. } => "trouble",
            Self::Redirected { .. } => "redirected",
            Self::TooLarge { .. } => "too_large",
            Self::Malformed(_) => "malformed",
        }
    }
}
