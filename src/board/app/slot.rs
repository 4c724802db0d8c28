//! Something a page has asked for: what was answered last, whether an answer is under way, and whether it would be out
//! of date when it comes.

use std::sync::Arc;

/// The last answer to a question that is asked again and again.
#[derive(Clone, Debug)]
pub struct Slot<T> {
    /// The last answer.
    pub data: Option<Arc<T>>,
    /// Why there is no newer one.
    pub error: Option<String>,
    /// Rises with every question; an answer to an older one is dropped.
    version: u64,
    running: bool,
    again: bool,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { data: None, error: None, version: 0, running: false, again: false }
    }
}

impl<T> Slot<T> {
    /// A new question, different from the last: answers to older ones are dropped. Gives the number that its answer has
    /// to bring back. `keep`: the old answer stays on show until then.
    pub fn ask(&mut self, keep: bool) -> u64 {
        self.version += 1;
        (self.running, self.again) = (true, false);
        if !keep {
            self.data = None;
        }
        self.version
    }

    /// The same question once more, because the data went on. `None` while the last one is still under way: it is asked
    /// again after that.
    pub fn refresh(&mut self) -> Option<u64> {
        if self.running {
            self.again = true;
            return None;
        }
        Some(self.ask(true))
    }

    /// Takes an answer in. `true`: it was to the present question. See [`Slot::wants_more`].
    pub fn answer(&mut self, version: u64, found: Result<T, String>) -> bool {
        if version != self.version {
            return false;
        }
        self.running = false;
        match found {
            Ok(data) => (self.data, self.error) = (Some(Arc::new(data)), None),
            Err(why) => self.error = Some(why),
        }
        true
    }

    /// It was wanted again while it was under way.
    pub fn wants_more(&mut self) -> bool {
        std::mem::take(&mut self.again)
    }

    /// An answer is under way.
    pub fn is_running(&self) -> bool {
        self.running
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_answers_to_older_questions_are_dropped() {
        let mut slot = Slot::<u32>::default();
        let first = slot.ask(false);
        let second = slot.ask(false);
        assert!(!slot.answer(first, Ok(1)));
        assert!(slot.data.is_none() && slot.is_running());
        assert!(slot.refresh().is_none(), "still under way");
        assert!(slot.answer(second, Ok(2)));
        assert_eq!(slot.data.as_deref(), Some(&2));
        assert!(slot.wants_more());
        let third = slot.refresh().expect("free");
        assert!(slot.answer(third, Err("gone".into())));
        assert_eq!(slot.data.as_deref(), Some(&2), "what is known stays on show");
        assert_eq!(slot.error.as_deref(), Some("gone"));
    }
}
