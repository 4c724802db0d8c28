//! What is wrong with a filter, where, and what to write instead.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// Why a text is no filter.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// The bytes of the input that are wrong; empty where something is missing.
    pub span: Range<usize>,
    /// What is wrong and what to do.
    pub message: String,
    /// Words that could stand there, the likeliest first; empty where there is no such list.
    pub expected: Vec<String>,
    /// The text may only need its end: whoever is still typing need not be told yet.
    pub incomplete: bool,
    /// The beginning of the input, as long as a filter may be.
    input: String,
}

/// Columns of [`FilterError::caret`].
const COLUMNS: usize = 78;

impl FilterError {
    pub(super) const fn new(span: Range<usize>, message: String) -> Self {
        Self { span, message, expected: Vec::new(), incomplete: false, input: String::new() }
    }

    pub(super) fn expecting<S: Into<String>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.expected = words.into_iter().map(Into::into).collect();
        self
    }

    pub(super) const fn incomplete_if(mut self, incomplete: bool) -> Self {
        self.incomplete = incomplete;
        self
    }

    pub(super) fn of(mut self, input: &str) -> Self {
        self.input = input.chars().take(super::MAX_CHARS + 1).collect();
        self
    }

    /// Two lines: the input (of a long one the part around the mistake) and `^^^` under what is wrong.
    ///
    /// ```
    /// let error = stratum::filter::Filter::parse("sport:nba streng>70").unwrap_err();
    /// assert_eq!(error.caret(), "sport:nba streng>70\n          ^^^^^^");
    /// ```
    pub fn caret(&self) -> String {
        // Byte, character and width, with nothing in it that moves the cursor of a terminal.
        let shown: Vec<(usize, char, usize)> = self
            .input
            .char_indices()
            .map(|(at, c)| {
                let c = if c.is_control() || c.is_whitespace() { ' ' } else { c };
                (at, c, c.width().unwrap_or(0))
            })
            .collect();
        let before: usize = shown.iter().filter(|(at, ..)| *at < self.span.start).map(|(.., w)| w).sum();
        // Two thirds of the window before the mistake: what follows a mistake says less about it.
        let skip = before.saturating_sub(COLUMNS * 2 / 3);
        let (mut line, mut mark, mut column) = (String::new(), String::new(), 0);
        for (at, c, width) in shown {
            if column >= skip && column + width <= skip + COLUMNS {
                line.push(c);
                let sign = if at >= self.span.start && at < self.span.end { "^" } else { " " };
                mark.push_str(&sign.repeat(width));
            }
            column += width;
        }
        if !mark.contains('^') {
            let lead = before.saturating_sub(skip).min(COLUMNS);
            mark = " ".repeat(lead) + "^";
        }
        format!("{}\n{}", line.trim_end(), mark.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filter;
    use proptest::prelude::*;

    fn caret(input: &str) -> String {
        Filter::parse(input).expect_err(input).caret()
    }

    #[test]
    fn the_mark_stands_under_the_mistake() {
        assert_eq!(caret("tier:hihg"), "tier:hihg\n     ^^^^");
        assert_eq!(caret("(a"), "(a\n^");
        assert_eq!(caret("ev>"), "ev>\n   ^");
        // Wide letters take two columns, and a tab one.
        assert_eq!(caret("東京\tx:y"), "東京 x:y\n     ^");
    }

    #[test]
    fn of_a_long_filter_the_part_around_the_mistake_is_shown() {
        let text = format!("{} streng>7 {}", "celtics ".repeat(40), "heat ".repeat(40));
        let shown = caret(&text);
        let (line, mark) = shown.split_once('\n').expect("two lines");
        let at = mark.find('^').expect("marked");
        assert_eq!(&line[at..at + 6], "streng");
        assert!(line.len() <= COLUMNS);
    }

    proptest! {
        #[test]
        fn every_mistake_can_be_shown(text in any::<String>()) {
            if let Err(error) = Filter::parse(&text) {
                prop_assert!(error.caret().contains('^'));
                prop_assert!(error.span.start <= error.span.end && error.span.end <= text.len());
                prop_assert!(text.is_char_boundary(error.span.start) && text.is_char_boundary(error.span.end));
            }
        }
    }
}
