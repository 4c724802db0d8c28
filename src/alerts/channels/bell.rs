//! The channel to the terminal: a bell, or a notification that the terminal itself shows (OSC 9, OSC 777).
//!
//! Whoever owns the terminal writes to it; this channel only makes the bytes. Without a terminal it says so.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::text::{cut, line};
use crate::alerts::channel::{Attempt, Channel, Sending};
use crate::alerts::message::Message;

/// The name in rules, tables and settings.
pub const NAME: &str = "bell";
/// Messages that one bell may stand for.
const BATCH: usize = 20;
/// Longest text. Characters.
const TEXT: usize = 200;
/// Wait when the terminal is busy.
const BUSY: Duration = Duration::from_secs(1);

/// How the terminal is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum How {
    /// The bell (BEL), which any terminal has.
    #[default]
    Bell,
    /// A notification of iTerm2, Windows Terminal, kitty, Ghostty and others (OSC 9).
    Osc9,
    /// A notification of rxvt-unicode, foot, WezTerm and others (OSC 777).
    Osc777,
}

impl How {
    /// The one of this name in the settings.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "bell" => Some(Self::Bell),
            "osc9" => Some(Self::Osc9),
            "osc777" => Some(Self::Osc777),
            _ => None,
        }
    }
}

/// Where the bytes go: whoever owns the terminal writes them as they are, between two frames.
pub type Terminal = mpsc::Sender<Vec<u8>>;

/// The channel.
#[derive(Debug)]
pub struct Bell {
    how: How,
    terminal: Option<Terminal>,
}

impl Bell {
    /// A channel to the terminal, where there is one.
    pub const fn new(how: How, terminal: Option<Terminal>) -> Self {
        Self { how, terminal }
    }

    fn attempt(&self, messages: &[Message]) -> Attempt {
        let Some(terminal) = &self.terminal else {
            return Attempt::Refused { why: "there is no terminal here: the daemon runs without one".into() };
        };
        match terminal.try_send(bytes(self.how, messages)) {
            Ok(()) => Attempt::Delivered,
            Err(TrySendError::Full(_)) => Attempt::Later { after: Some(BUSY), why: "the terminal is busy".into() },
            Err(TrySendError::Closed(_)) => Attempt::Refused { why: "the terminal has been closed".into() },
        }
    }
}

impl Channel for Bell {
    fn name(&self) -> &str {
        NAME
    }

    fn batch(&self) -> usize {
        BATCH
    }

    fn send<'a>(&'a self, messages: &'a [Message]) -> Sending<'a> {
        Box::pin(std::future::ready(self.attempt(messages)))
    }
}

/// What the terminal is sent. Apart from the sequence itself nothing in it steers a terminal.
fn bytes(how: How, messages: &[Message]) -> Vec<u8> {
    let first = messages.first().map(|m| line(&m.headline())).unwrap_or_default();
    let text = match messages.len() {
        0 | 1 => first,
        n => format!("{n} alerts, the first: {first}"),
    };
    let text = cut(&text, TEXT);
    match how {
        How::Bell => b"\x07".to_vec(),
        // The word before it keeps a text such as `4;1` from being a command of its own.
        How::Osc9 => format!("\x1b]9;Stratum: {text}\x1b\\").into_bytes(),
        // A semicolon would end the title.
        How::Osc777 => format!("\x1b]777;notify;Stratum;{}\x1b\\", text.replace(';', ",")).into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::message;
    use super::*;

    #[tokio::test]
    async fn whoever_owns_the_terminal_gets_the_bytes() {
        let (sender, mut receiver) = mpsc::channel(1);
        let bell = Bell::new(How::Bell, Some(sender));
        assert_eq!(bell.send(&[message("a"), message("b")]).await, Attempt::Delivered);
        assert!(matches!(bell.send(&[message("c")]).await, Attempt::Later { .. }), "it is full");
        assert_eq!(receiver.recv().await.as_deref(), Some(&b"\x07"[..]));
        drop(receiver);
        assert!(matches!(bell.send(&[message("c")]).await, Attempt::Refused { .. }));
    }

    #[tokio::test]
    async fn without_a_terminal_it_says_so() {
        let said = Bell::new(How::Osc9, None).send(&[message("a")]).await;
        assert!(matches!(&said, Attempt::Refused { why } if why.contains("no terminal")), "{said:?}");
    }

    #[test]
    fn several_are_told_in_one() {
        let text = String::from_utf8(bytes(How::Osc777, &[message("a"), message("b")])).expect("text");
        assert_eq!(text, "\x1b]777;notify;Stratum;2 alerts, the first: STEAM Boston Celtics -3.5\x1b\\");
    }

    proptest! {
        #[test]
        fn nothing_in_a_name_ends_the_sequence(title in "[\\x00-\\xff;\\\\a]{0,60}") {
            let m = Message { title, ..message("k") };
            for (how, before) in [(How::Osc9, "\x1b]9;"), (How::Osc777, "\x1b]777;notify;Stratum;")] {
                let text = String::from_utf8(bytes(how, std::slice::from_ref(&m))).expect("text");
                let inner = text.strip_prefix(before).and_then(|t| t.strip_suffix("\x1b\\")).expect("a sequence");
                prop_assert!(!inner.chars().any(char::is_control));
                prop_assert!(how == How::Osc9 || !inner.contains(';'));
            }
        }
    }
}
