//! News about the program itself: credits, the key, the polling, the store. Each trouble has a name; it is told when it
//! begins and when it ends, and not in between.
//!
//! Whoever notices something says so with [`notice`] or [`recovered`], as often as it likes: whether it is told, to whom
//! and how often is decided with the rules.

use super::message::{Kind, Severity};

/// A trouble by its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Trouble {
    /// Fewer credits are left than the user wants to be told of.
    CreditsLow,
    /// No credits are left.
    CreditsGone,
    /// The source refuses the key.
    KeyRefused,
    /// The polling ended unexpectedly and is started again.
    PollingRestarting,
    /// The source cannot be reached, or answers with errors.
    SourceUnavailable,
    /// The store cannot be written.
    StoreReadOnly,
    /// Anything else that needs a person.
    Other,
}

impl Trouble {
    /// The kind of rule that tells of it.
    pub const fn kind(self) -> Kind {
        match self {
            Self::CreditsLow | Self::CreditsGone => Kind::Credits,
            _ => Kind::Health,
        }
    }

    /// Its name in subjects and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreditsLow => "credits_low",
            Self::CreditsGone => "credits_gone",
            Self::KeyRefused => "key_refused",
            Self::PollingRestarting => "polling_restarting",
            Self::SourceUnavailable => "source_unavailable",
            Self::StoreReadOnly => "store_read_only",
            Self::Other => "other",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::CreditsLow => "credits are running low",
            Self::CreditsGone => "no credits are left",
            Self::KeyRefused => "the key is refused",
            Self::PollingRestarting => "polling ended unexpectedly and is started again",
            Self::SourceUnavailable => "the source cannot be had",
            Self::StoreReadOnly => "the store cannot be written",
            Self::Other => "something needs you",
        }
    }

    const fn severity(self) -> Severity {
        match self {
            Self::CreditsLow | Self::PollingRestarting | Self::SourceUnavailable => Severity::Warning,
            Self::CreditsGone | Self::KeyRefused | Self::StoreReadOnly => Severity::Critical,
            Self::Other => Severity::Notice,
        }
    }
}

/// Something to be told of the program itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// Which trouble.
    pub trouble: Trouble,
    /// It has ended.
    pub over: bool,
    /// What it concerns where there are several of a kind, such as a sport; may be empty.
    pub of: String,
    /// For a person. Never holds a secret.
    pub text: String,
}

/// A trouble has begun, or goes on.
pub fn notice(trouble: Trouble, text: impl Into<String>) -> Notice {
    Notice { trouble, over: false, of: String::new(), text: text.into() }
}

/// A trouble has ended, if there was one.
pub fn recovered(trouble: Trouble, text: impl Into<String>) -> Notice {
    Notice { over: true, ..notice(trouble, text) }
}

impl Notice {
    /// The same, of one of several.
    #[must_use]
    pub fn of(self, of: impl Into<String>) -> Self {
        Self { of: of.into(), ..self }
    }

    /// What a cooldown counts by.
    pub fn subject(&self) -> String {
        if self.over { format!("{}:over", self.trouble_subject()) } else { self.trouble_subject() }
    }

    /// The subject of its trouble.
    pub fn trouble_subject(&self) -> String {
        format!("{}:{}:{}", self.trouble.kind().name(), self.trouble.name(), self.of)
    }

    /// The subject of the end of its trouble.
    pub fn end_subject(&self) -> String {
        format!("{}:over", self.trouble_subject())
    }

    /// One line.
    pub fn title(&self) -> String {
        let of = if self.of.is_empty() { String::new() } else { format!(" ({})", self.of) };
        let over = if self.over { "Over: " } else { "" };
        format!("{over}{}{of}", self.trouble.title())
    }

    /// How much it matters.
    pub const fn severity(&self) -> Severity {
        if self.over { Severity::Notice } else { self.trouble.severity() }
    }
}
