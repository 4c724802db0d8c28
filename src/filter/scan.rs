//! The signs of the language: which characters end a word, and the reading of words and quoted texts.
//!
//! Parsing and completion share this, so that they agree on where a word ends.

/// A word that joins terms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Keyword {
    And,
    Or,
    Not,
}

const KEYWORDS: [(&str, Keyword); 3] = [("and", Keyword::And), ("or", Keyword::Or), ("not", Keyword::Not)];

/// The bytes of the value that `text` begins with: up to a blank or a sign that separates values or terms.
pub(super) fn value_len(text: &str) -> usize {
    text.find(ends_value).unwrap_or(text.len())
}

/// The bytes of the bare word or field name that `text` begins with.
pub(super) fn word_len(text: &str) -> usize {
    let end = text.find(|c| ends_value(c) || matches!(c, ':' | '<' | '>' | '=')).unwrap_or(text.len());
    // `!` ends a word only as part of `!=`.
    let not_equal =
        text.get(end..).is_some_and(|t| t.starts_with('=')) && text.get(..end).is_some_and(|t| t.ends_with('!'));
    if not_equal { end - 1 } else { end }
}

fn ends_value(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | '(' | ')' | '|' | '"')
}

/// The keyword that `text` begins with, and its bytes.
pub(super) fn keyword(text: &str) -> Option<(Keyword, usize)> {
    let len = word_len(text);
    let word = text.get(..len)?;
    let joined = text.get(len..).is_some_and(|t| t.starts_with([':', '<', '>', '=', '!', ',']));
    let found = KEYWORDS.iter().find(|(k, _)| k.eq_ignore_ascii_case(word))?;
    (!joined).then_some((found.1, len))
}

/// The text between the quotes that `text` begins with, and the bytes with both quotes. `None` without the second.
pub(super) fn quoted(text: &str) -> Option<(String, usize)> {
    let (mut out, mut escaped) = (String::new(), false);
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => {
                out.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((out, at + 1)),
            _ => out.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_where_the_language_says() {
        for (text, len) in [
            ("celtics heat", 7),
            ("ev>2", 2),
            ("ev!=2", 2),
            ("wow!", 4),
            ("wow!!=2", 4),
            ("sport:nba", 5),
            ("a(b)", 1),
            ("", 0),
            ("=", 0),
            ("!=", 0),
            ("é|x", 2),
        ] {
            assert_eq!(word_len(text), len, "{text}");
        }
        assert_eq!(value_len("odds:12>3,x"), 9);
    }

    #[test]
    fn keywords_stand_alone() {
        for (text, found) in [
            ("or x", Some((Keyword::Or, 2))),
            ("NOT(x)", Some((Keyword::Not, 3))),
            ("and", Some((Keyword::And, 3))),
            ("orlando", None),
            ("not:x", None),
            ("\"or\"", None),
        ] {
            assert_eq!(keyword(text), found, "{text}");
        }
    }

    #[test]
    fn quotes_hold_everything() {
        assert_eq!(quoted(r#""los angeles" x"#), Some(("los angeles".into(), 13)));
        assert_eq!(quoted(r#""a\"b\\c\d""#), Some((r#"a"b\cd"#.into(), 11)));
        assert_eq!(quoted("\"é\""), Some(("é".into(), 4)));
        assert_eq!(quoted("\"open"), None);
        assert_eq!(quoted("\"open\\\""), None);
    }
}
