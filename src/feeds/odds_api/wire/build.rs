//! What is read so far, and what was wrong with it. The levels of an answer fill it: see [`super::levels`].

use std::borrow::Cow;

use super::fields::Scalar;
use super::{AnswerInfo, Envelope, WireError};
use crate::market::batch::{Batch, Defect, Place};
use crate::market::price::OddsFormat;
use crate::market::quality::Reason;
use crate::market::time::Timestamp;

/// Beyond this many defects of one answer only the count of the rest is kept.
const MAX_DEFECTS: usize = 10_000;

pub(super) struct Builder<'a> {
    pub(super) batch: Batch<'a>,
    pub(super) envelope: Envelope,
    pub(super) format: Option<OddsFormat>,
    /// Something that is an answer was found: a list, an event, or a wrapper with data.
    pub(super) answered: bool,
    dropped_defects: u64,
    /// Providers repeat one time for many markets in a row.
    last_time: (Cow<'a, str>, Timestamp),
    /// Any price between -1 and 1000 that American odds cannot be, counted against those that only they can be.
    pub(super) decimal_votes: u32,
    pub(super) american_votes: u32,
}

impl<'a> Builder<'a> {
    pub(super) fn new(info: AnswerInfo<'a>, bytes: usize) -> Self {
        let mut batch = Batch::empty(info.source, info.sport, info.endpoint, info.received_at);
        batch.scope = info.scope;
        // A full answer takes some 95 bytes an outcome and half as many markets as outcomes.
        batch.outcomes.reserve(bytes / 110);
        batch.markets.reserve(bytes / 230);
        Self {
            batch,
            envelope: Envelope::default(),
            format: info.format,
            answered: false,
            dropped_defects: 0,
            last_time: (Cow::Borrowed(""), Timestamp::default()),
            decimal_votes: 0,
            american_votes: 0,
        }
    }

    pub(super) fn finish(mut self) -> Result<(Batch<'a>, Envelope), WireError> {
        if !self.answered {
            return Err(WireError::NotAnAnswer("neither a list of events, an event, nor a wrapper with data"));
        }
        if self.dropped_defects > 0 {
            let detail = format!("{} more defects not listed", self.dropped_defects);
            self.batch.defects.push(Defect { place: Place::Batch, reason: Reason::TooMany, detail });
        }
        self.batch.format = self.format.unwrap_or(if self.decimal_votes > self.american_votes {
            OddsFormat::Decimal
        } else {
            OddsFormat::American
        });
        if let Some(at) = self.envelope.timestamp {
            self.batch.received_at = at;
        }
        Ok((self.batch, self.envelope))
    }

    pub(super) fn defect(&mut self, place: Place, reason: Reason, detail: impl Into<String>) {
        if self.batch.defects.len() < MAX_DEFECTS {
            self.batch.defects.push(Defect { place, reason, detail: detail.into() });
        } else {
            self.dropped_defects += 1;
        }
    }

    pub(super) fn text(&mut self, place: Place, field: &str, value: Scalar<'a>) -> Option<Cow<'a, str>> {
        match value.into_text() {
            Ok(text) => text.filter(|t| !t.is_empty()),
            Err(other) => {
                self.defect(place, Reason::WrongType, format!("{field}: {}", other.describe()));
                None
            }
        }
    }

    pub(super) fn time(&mut self, place: Place, field: &str, value: Scalar<'a>) -> Option<Timestamp> {
        if let Scalar::Text(text) = &value
            && *text == self.last_time.0
        {
            return Some(self.last_time.1);
        }
        let text = match &value {
            Scalar::Text(Cow::Borrowed(t)) => Some(*t),
            _ => None,
        };
        match value.into_time() {
            Ok(time) => {
                if let (Some(text), Some(time)) = (text, time) {
                    self.last_time = (Cow::Borrowed(text), time);
                }
                time
            }
            Err(other) => {
                self.defect(place, Reason::BadTimestamp, format!("{field}: {}", other.describe()));
                None
            }
        }
    }

    pub(super) fn events(&self) -> u32 {
        self.batch.events.len() as u32
    }

    pub(super) fn books(&self) -> u32 {
        self.batch.books.len() as u32
    }

    pub(super) fn markets(&self) -> u32 {
        self.batch.markets.len() as u32
    }

    pub(super) fn outcomes(&self) -> u32 {
        self.batch.outcomes.len() as u32
    }
}
