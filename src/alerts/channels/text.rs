//! Text of others made fit for a channel: what a team is called may neither steer a terminal nor break a message.

/// What stands where a text was cut.
pub(super) const CUT: char = '…';

/// A character that is nothing to read: it steers a terminal, turns the direction of writing, or takes no room.
const fn steers(c: char) -> bool {
    matches!(
        c,
        '\u{00ad}'
            | '\u{061c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// `text` in one line, without characters that steer anything.
pub(super) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_control() || c.is_whitespace() || matches!(c, '\u{2028}' | '\u{2029}')) {
        let word: String = word.chars().filter(|c| !steers(*c)).collect();
        if !word.is_empty() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(&word);
        }
    }
    out
}

/// As [`line`], line by line; empty lines at both ends are dropped.
pub(super) fn lines(text: &str) -> String {
    text.trim().lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Length as others count: in units of UTF-16, which is never less than the number of characters.
pub(super) fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// `text` of at most `limit` units of UTF-16, cut between characters and marked where it was cut.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if units(text) <= limit {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut room = limit.saturating_sub(1);
    for c in text.chars() {
        if c.len_utf16() > room {
            break;
        }
        room -= c.len_utf16();
        out.push(c);
    }
    if limit > 0 {
        out.push(CUT);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_steers_a_terminal_is_taken_out() {
        assert_eq!(line("a\u{1b}]0;x\u{7}b\r\nc\u{9b}d"), "a ]0;x b c d");
        assert_eq!(line("\u{202e}abc\u{2066}\u{200b} d\u{feff}"), "abc d");
        assert_eq!(lines("\n a\tb \n\nc\u{85}\n"), "a b\n\nc");
        assert_eq!(line("Atlético 勇士 🏀"), "Atlético 勇士 🏀");
    }

    proptest! {
        #[test]
        fn no_text_is_longer_than_its_limit_or_steers(text in "\\PC{0,80}|[\\x00-\\xff\u{202a}-\u{202e}🏀]{0,80}", limit in 0_usize..60) {
            let clean = line(&text);
            prop_assert!(!clean.chars().any(|c| c.is_control() || steers(c)));
            let short = cut(&clean, limit);
            prop_assert!(units(&short) <= limit);
            prop_assert!(short == clean || limit == 0 || short.ends_with(CUT));
        }
    }
}
