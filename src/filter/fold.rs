//! The form in which text is compared: what case, accents and punctuation tell apart is one here.
//!
//! Owns the form and may not know any field. The folding of letters is the one by which team names are compared.

use crate::market::teams::name::comparable;

/// Text as filters compare it: small letters without accents, without apostrophes and dots, and with `-`, `_`, `/`
/// and runs of blanks as one blank. Folding twice changes nothing.
///
/// Fold each text of a row once, when the row is made; [`super::Facts`] hands out what this gives.
///
/// ```
/// use stratum::filter::fold;
/// assert_eq!(fold("Atlético  Madrid"), "atletico madrid");
/// assert_eq!(fold("basketball_nba"), "basketball nba");
/// assert_eq!(fold("St. John's"), "st johns");
/// ```
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = false;
    for c in text.chars() {
        if is_blank(c) {
            blank = true;
            continue;
        }
        if is_dropped(c) {
            continue;
        }
        if blank && !out.is_empty() {
            out.push(' ');
        }
        blank = false;
        if c.is_ascii() {
            out.push(c.to_ascii_lowercase());
        } else if c.is_alphanumeric() {
            out.push_str(&comparable(c.encode_utf8(&mut [0; 4])));
        } else {
            out.push(c);
        }
    }
    out
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '_' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn is_dropped(c: char) -> bool {
    matches!(c, '.' | '\'' | '’' | '‘' | '`' | 'ʻ' | 'ʼ' | '\u{300}'..='\u{36f}') || c.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_tells_nothing_apart_is_gone() {
        for (text, wanted) in [
            ("Atlético", "atletico"),
            ("ATLE\u{301}TICO", "atletico"),
            ("Saint-Étienne", "saint etienne"),
            ("1. FC Köln", "1 fc koln"),
            ("KEY_CROSS", "key cross"),
            ("Hawai‘i", "hawaii"),
            ("İstanbul", "istanbul"),
            ("Texas A&M", "texas a&m"),
            ("bos*", "bos*"),
            (" - los \t angeles_", "los angeles"),
            ("ПАОК", "паок"),
            ("Groß", "gross"),
            ("...", ""),
            ("", ""),
        ] {
            assert_eq!(fold(text), wanted, "{text}");
        }
    }

    #[test]
    fn every_letter_has_one_form() {
        for c in '\0'..='\u{2fff}' {
            let once = fold(&c.to_string());
            assert_eq!(fold(&once), once, "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in any::<String>()) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once.clone());
            prop_assert!(!once.starts_with(' ') && !once.ends_with(' ') && !once.contains("  "));
        }
    }
}
