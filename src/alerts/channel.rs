//! What a channel is: something that takes messages away, or says why it did not.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::message::Message;

/// What came of one attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Attempt {
    /// All messages of the batch were taken.
    Delivered,
    /// Not now: worth another attempt, not before `after` where the other side said so.
    Later {
        /// How long the other side wants to be left alone.
        after: Option<Duration>,
        /// For a person. Never holds a secret.
        why: String,
    },
    /// Never: another attempt would end the same way.
    Refused {
        /// For a person. Never holds a secret.
        why: String,
    },
}

/// The future of one attempt.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Attempt> + Send + 'a>>;

/// Tries messages one after the other, for channels that carry one at a time; the first that is not taken ends it.
pub async fn one_by_one<'a, F>(messages: &'a [Message], attempt: impl Fn(&'a Message) -> F) -> Attempt
where
    F: Future<Output = Attempt>,
{
    for message in messages {
        let came = attempt(message).await;
        if came != Attempt::Delivered {
            return came;
        }
    }
    Attempt::Delivered
}

/// A way to reach the user. It keeps nothing: what is to be tried again is the outbox's business.
pub trait Channel: Send + Sync + std::fmt::Debug {
    /// The name it goes by in rules, tables and settings.
    fn name(&self) -> &str;

    /// Messages that one attempt may carry, at least 1.
    fn batch(&self) -> usize {
        1
    }

    /// Tries once to deliver `messages` (1 to [`Channel::batch`] of them, oldest first). Answers within its own time
    /// limit.
    fn send<'a>(&'a self, messages: &'a [Message]) -> Sending<'a>;
}
