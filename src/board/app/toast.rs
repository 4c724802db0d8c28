//! Messages that pass.

use std::collections::VecDeque;

/// What sort of message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// Something was done.
    Note,
    /// Something went wrong: stays twice as long.
    Error,
}

/// One message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Toast {
    /// What sort.
    pub tone: Tone,
    /// For a person.
    pub text: String,
    /// When it came, in the board's milliseconds.
    pub since: u32,
}

impl Toast {
    const fn ends(&self) -> u32 {
        self.since.saturating_add(match self.tone {
            Tone::Note => 4_000,
            Tone::Error => 10_000,
        })
    }
}

/// Messages on show, the newest last.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Toasts(VecDeque<Toast>);

impl Toasts {
    const MOST: usize = 4;

    /// Adds one; the same once more only stays longer.
    pub fn push(&mut self, tone: Tone, text: String, tick: u32) {
        self.0.retain(|t| t.text != text);
        self.0.push_back(Toast { tone, text, since: tick });
        while self.0.len() > Self::MOST {
            self.0.pop_front();
        }
    }

    /// Takes away what has been shown long enough; `true` if anything went.
    pub fn expire(&mut self, tick: u32) -> bool {
        let before = self.0.len();
        self.0.retain(|t| t.ends() > tick);
        self.0.len() != before
    }

    /// When the next one goes.
    pub fn next_end(&self) -> Option<u32> {
        self.0.iter().map(Toast::ends).min()
    }

    /// Takes all away.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Those on show, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Toast> {
        self.0.iter()
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_pass_and_do_not_pile_up() {
        let mut toasts = Toasts::default();
        for n in 0..10_u32 {
            toasts.push(Tone::Note, format!("{n}"), n);
        }
        assert_eq!(toasts.iter().count(), 4);
        toasts.push(Tone::Error, "9".into(), 100);
        assert_eq!(toasts.iter().filter(|t| t.text == "9").count(), 1);
        assert!(toasts.expire(4_100));
        assert_eq!(toasts.iter().count(), 1, "an error stays");
        assert!(!toasts.expire(10_000));
        assert!(toasts.expire(10_100) && toasts.is_empty());
    }
}
